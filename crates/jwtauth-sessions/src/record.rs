//! What is known about a session: the record, which never changes, and the state, which renewals and uses change.

use std::collections::BTreeMap;
use std::fmt;

use jwtauth_core::{Entitlement, Identity};
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::time::Micros;

/// A session as it was issued. The JWT of the login is not part of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// The version of this form. Another version is refused.
    pub(crate) v: u32,
    pub(crate) dialect: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<String>,
    /// Who the session belongs to: the name of the identity, or its subject.
    pub(crate) subject: String,
    pub(crate) entity_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
    pub(crate) identity: Identity,
    pub(crate) entitlements: Vec<Entitlement>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) revocations: Vec<Entitlement>,
    pub(crate) issued_at: Micros,
    /// The lease of the login, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) explicit_max_ttl: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) period: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) num_uses: Option<u64>,
    /// An instant that no renewal passes: the `exp` of the JWT, if the option asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<i64>,
    pub(crate) renewable: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) networks: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) consul: Option<Consul>,
}

/// What only Consul's tokens have.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consul {
    pub(crate) auth_method: String,
    pub(crate) local: bool,
    /// What the login gave as `Meta`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) meta: BTreeMap<String, String>,
}

/// What changes while a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// `None`: the session does not end on its own.
    pub(crate) expires_at: Option<Micros>,
    /// `None`: uses are not counted.
    pub(crate) uses_left: Option<u64>,
    /// Counts the renewals, so that two at the same time do not overwrite each other.
    pub(crate) revision: u64,
}

impl State {
    /// Whether the session has ended at this instant. At the instant itself, it has.
    pub(crate) fn has_ended(&self, now: Micros) -> bool {
        self.expires_at.is_some_and(|end| end <= now) || self.uses_left == Some(0)
    }

    /// The revision after a renewal.
    ///
    /// # Errors
    /// [`Code::SessionEntryInvalid`]: no session is renewed so often.
    pub(crate) fn next_revision(&self) -> Result<u64> {
        let damaged = || Error::with(Code::SessionEntryInvalid, "the revision is too large");
        self.revision.checked_add(1).ok_or_else(damaged)
    }
}

/// The version of the form of records.
pub(crate) const VERSION: u32 = 1;

impl Record {
    /// The text that stores keep.
    pub(crate) fn to_text(&self) -> Result<String> {
        // INVARIANT: the members have string keys and serialisers that cannot fail.
        serde_json::to_string(self)
            .map_err(|_| Error::with(Code::SessionInternalError, "a record could not be written"))
    }

    /// Reads what [`to_text`](Record::to_text) wrote.
    ///
    /// # Errors
    /// [`Code::SessionEntryInvalid`].
    pub(crate) fn read(text: &[u8]) -> Result<Record> {
        match serde_json::from_slice::<Record>(text) {
            Ok(record) if record.v == VERSION => Ok(record),
            _ => Err(Record::unreadable(text)),
        }
    }

    /// Why a text is not a record of this version.
    #[cfg(any(feature = "redis", feature = "sqlite"))]
    fn unreadable(text: &[u8]) -> Error {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        match serde_json::from_slice::<Version>(text) {
            Ok(Version { v }) if v != VERSION => Error::with(
                Code::SessionEntryInvalid,
                format!("the entry has the version {v}; this library reads version {VERSION}"),
            ),
            _ => Error::with(
                Code::SessionEntryInvalid,
                "the entry is not a record of a session",
            ),
        }
    }

    /// About how many bytes of memory the record takes.
    pub(crate) fn weight(&self) -> usize {
        let texts = |list: &[String]| list.iter().map(|text| text.len() + PART).sum::<usize>();
        let pairs = |map: &BTreeMap<String, String>| {
            map.iter()
                .map(|(name, value)| name.len() + value.len() + 2 * PART)
                .sum::<usize>()
        };
        let rights = |list: &[Entitlement]| {
            let each = list.iter().map(|one| {
                one.name.len() + one.scope.as_ref().map_or(0, String::len) + pairs(&one.variables) + 4 * PART
            });
            each.sum::<usize>()
        };
        let option = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let identity = &self.identity;
        let lists = identity
            .lists
            .iter()
            .map(|(name, list)| name.len() + texts(list) + 2 * PART);
        size_of::<Record>()
            + self.dialect.len()
            + self.subject.len()
            + self.entity_id.len()
            + option(&self.profile)
            + option(&self.display_name)
            + option(&identity.name)
            + option(&identity.subject)
            + option(&identity.email)
            + option(&identity.display_name)
            + texts(&identity.groups)
            + pairs(&identity.metadata)
            + lists.sum::<usize>()
            + rights(&self.entitlements)
            + rights(&self.revocations)
            + texts(&self.networks)
            + self
                .consul
                .as_ref()
                .map_or(0, |consul| consul.auth_method.len() + pairs(&consul.meta))
    }
}

/// About what a text takes next to its bytes.
const PART: usize = 40;

/// `Debug` prints nothing from the token of the login.
impl fmt::Debug for Record {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Record")
            .field("dialect", &self.dialect)
            .field("profile", &self.profile)
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_another_version_is_refused_by_name() {
        let error = Record::read(br#"{"v":2,"new":true}"#).unwrap_err();
        assert_eq!(error.code(), "session_entry_invalid");
        assert!(error.detail().unwrap().contains("the version 2"), "{error}");
    }

    #[test]
    fn a_damaged_entry_is_refused_without_its_content() {
        for text in ["", "hush", r#"{"v":1}"#, r#"{"v":"hush"}"#, r#"{"v":1,"hush":1}"#] {
            let error = Record::read(text.as_bytes()).unwrap_err();
            assert_eq!(error.code(), "session_entry_invalid", "{text}");
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_session_has_ended_at_its_end_and_without_uses() {
        let state = |expires_at, uses_left| State {
            expires_at,
            uses_left,
            revision: 0,
        };
        assert!(!state(Some(10), None).has_ended(9));
        assert!(state(Some(10), None).has_ended(10));
        assert!(!state(None, Some(1)).has_ended(i64::MAX));
        assert!(state(None, Some(0)).has_ended(0));
    }
}
