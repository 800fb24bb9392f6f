//! What a session is, for the application: the result of a look-up or of an authorization.

use std::fmt;
use std::sync::Arc;

use jwtauth_core::{Entitlement, EntitlementKind, Identity, NumericDate};
use serde::{Serialize, Serializer};

use crate::record::{Record, State};
use crate::reply;
use crate::time::{Micros, seconds};

/// A session that had not ended when it was looked up. It contains neither the token nor the accessor.
///
/// Serialising it gives the member `session` of the replies that `docs/sessions.md` describes.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionInfo {
    record: Arc<Record>,
    state: State,
    is_batch: bool,
    now: Micros,
}

impl SessionInfo {
    pub(crate) fn new(record: &Arc<Record>, state: State, is_batch: bool, now: Micros) -> SessionInfo {
        SessionInfo {
            record: Arc::clone(record),
            state,
            is_batch,
            now,
        }
    }

    /// Whether the token is a batch token, which has no entry in the store.
    pub fn is_batch(&self) -> bool {
        self.is_batch
    }

    /// The profile of the login. `None` for the top level of the policy.
    pub fn profile(&self) -> Option<&str> {
        self.record.profile.as_deref()
    }

    /// Who the session belongs to: the name of the identity, or the `sub` of the token if the policy maps no name.
    pub fn subject(&self) -> &str {
        &self.record.subject
    }

    /// The display name of the session.
    pub fn display_name(&self) -> Option<&str> {
        self.record.display_name.as_deref()
    }

    /// An id that is the same for all sessions of a subject, in all stores.
    pub fn entity_id(&self) -> &str {
        &self.record.entity_id
    }

    /// Who the caller is.
    pub fn identity(&self) -> &Identity {
        &self.record.identity
    }

    /// What the caller may do.
    pub fn entitlements(&self) -> &[Entitlement] {
        &self.record.entitlements
    }

    /// What the caller must lose.
    pub fn revocations(&self) -> &[Entitlement] {
        &self.record.revocations
    }

    /// Whether the session has an entitlement of this kind with this name that is valid everywhere: without a scope and
    /// without variables.
    pub fn has(&self, kind: EntitlementKind, name: &str) -> bool {
        let entitlements = self.record.entitlements.iter();
        let mut everywhere = entitlements.filter(|one| one.scope.is_none() && one.variables.is_empty());
        everywhere.any(|one| one.kind == kind && one.name == name)
    }

    /// When the session was issued.
    pub fn issued_at(&self) -> NumericDate {
        date(self.record.issued_at)
    }

    /// When it ends, unless it is renewed. `None`: it does not end on its own.
    pub fn expires_at(&self) -> Option<NumericDate> {
        self.state.expires_at.map(date)
    }

    /// The seconds until then, rounded up.
    pub fn ttl(&self) -> Option<u64> {
        let end = self.state.expires_at?;
        let left = end
            .saturating_sub(self.now)
            .saturating_add(crate::time::SECOND - 1);
        Some(u64::try_from(seconds(left)).unwrap_or(0))
    }

    /// The number of uses that are left. `None`: uses are not counted.
    pub fn uses_left(&self) -> Option<u64> {
        self.state.uses_left
    }

    /// Whether the session can be renewed.
    pub fn is_renewable(&self) -> bool {
        self.record.renewable
    }
}

impl Serialize for SessionInfo {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Printed<'a> {
            #[serde(rename = "type")]
            kind: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            profile: Option<&'a str>,
            subject: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            display_name: Option<&'a str>,
            entity_id: &'a str,
            identity: &'a Identity,
            entitlements: &'a [Entitlement],
            revocations: &'a [Entitlement],
            issued_at: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            expires_at: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            ttl: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            creation_ttl: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            explicit_max_ttl: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            period: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            num_uses: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            uses_left: Option<u64>,
            renewable: bool,
            #[serde(skip_serializing_if = "<[String]>::is_empty")]
            bound_cidrs: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            description: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            auth_method: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            local: Option<bool>,
        }
        let record = &*self.record;
        let consul = record.consul.as_ref();
        Printed {
            kind: if self.is_batch { "batch" } else { "service" },
            profile: self.profile(),
            subject: self.subject(),
            display_name: self.display_name(),
            entity_id: self.entity_id(),
            identity: self.identity(),
            entitlements: self.entitlements(),
            revocations: self.revocations(),
            issued_at: self.issued_at().seconds(),
            expires_at: self.expires_at().map(NumericDate::seconds),
            ttl: self.ttl(),
            creation_ttl: record.ttl,
            explicit_max_ttl: record.explicit_max_ttl,
            period: record.period,
            num_uses: record.num_uses,
            uses_left: self.uses_left(),
            renewable: record.renewable,
            bound_cidrs: &record.networks,
            description: consul.map(|_| reply::description(record)),
            auth_method: consul.map(|consul| consul.auth_method.as_str()),
            local: consul.map(|consul| consul.local),
        }
        .serialize(out)
    }
}

/// `Debug` prints nothing from the token of the login.
impl fmt::Debug for SessionInfo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SessionInfo")
            .field("profile", &self.profile())
            .field("expires_at", &self.expires_at())
            .field("uses_left", &self.uses_left())
            .finish_non_exhaustive()
    }
}

fn date(instant: Micros) -> NumericDate {
    NumericDate::from_seconds(seconds(instant))
}
