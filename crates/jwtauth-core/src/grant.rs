//! Grants: what the application receives about an authenticated caller.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::claims::Claims;
use crate::error::Result;
use crate::hidden::Hidden;
use crate::json;

/// The only success value: who the caller is, and which entitlements they have.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The profile that the request was decided under. `None` for the top level of the policy.
    pub profile: Option<String>,
    /// Who the caller is.
    pub identity: Identity,
    /// The entitlements that the caller receives.
    pub entitlements: Vec<Entitlement>,
    /// The entitlements that the caller must lose if they have them.
    pub revocations: Vec<Entitlement>,
    /// The terms of a session, if the policy sets any.
    pub session: Session,
    /// The request's URL without the token, if the policy reads tokens from URLs.
    pub cleaned_url: Option<String>,
    /// The verified payload.
    pub claims: Payload,
}

impl Grant {
    /// Whether the caller receives an entitlement of this kind with this name that is valid everywhere: without a scope
    /// and without variables.
    pub fn has(&self, kind: EntitlementKind, name: &str) -> bool {
        self.has_in(kind, name, None)
    }

    /// Whether the caller receives an entitlement of this kind with this name in exactly this scope, without variables.
    pub fn has_in(&self, kind: EntitlementKind, name: &str, scope: Option<&str>) -> bool {
        self.entitlements.iter().any(|one| {
            one.kind == kind && one.name == name && one.scope.as_deref() == scope && one.variables.is_empty()
        })
    }
}

/// `Debug` prints nothing from the token, because a debug text often ends up in a log.
impl fmt::Debug for Grant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Grant")
            .field("profile", &self.profile)
            .field("identity", &self.identity)
            .field("entitlements", &self.entitlements.len())
            .field("revocations", &self.revocations.len())
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

/// Who the caller is.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Identity {
    /// The name of the caller. `None` if the policy maps no name (Consul).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The token's `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The organisation that the request asks for, if the policy allows requests to ask for one (Grafana).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_org: Option<u64>,
    /// The groups, in the order of the token.
    pub groups: Vec<String>,
    /// Mapped single values.
    pub metadata: BTreeMap<String, String>,
    /// Mapped lists.
    pub lists: BTreeMap<String, Vec<String>>,
}

/// `Debug` prints nothing from the token.
impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Identity")
            .field("groups", &self.groups.len())
            .field("metadata", &self.metadata.len())
            .field("lists", &self.lists.len())
            .finish_non_exhaustive()
    }
}

/// An entitlement: a role, a policy or another right of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entitlement {
    /// The kind of the entitlement.
    pub kind: EntitlementKind,
    /// Where it is valid: the id of an organisation, or a datacenter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Its name.
    pub name: String,
    /// The variables of a templated policy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

impl Entitlement {
    /// An entitlement that is valid everywhere and has no variables.
    pub fn new(kind: EntitlementKind, name: impl Into<String>) -> Entitlement {
        Entitlement {
            kind,
            scope: None,
            name: name.into(),
            variables: BTreeMap::new(),
        }
    }
}

/// The kinds of entitlements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntitlementKind {
    /// A role in an organisation (Grafana).
    OrgRole,
    /// Administration of the whole server (Grafana).
    ServerAdmin,
    /// A policy by name (Vault, Consul, native).
    Policy,
    /// A role by name (Consul, native).
    Role,
    /// A service identity (Consul).
    Service,
    /// A node identity (Consul).
    Node,
    /// A policy made from a template and variables (Consul).
    TemplatedPolicy,
}

impl EntitlementKind {
    /// Every kind.
    pub const ALL: &'static [EntitlementKind] = &[
        EntitlementKind::OrgRole,
        EntitlementKind::ServerAdmin,
        EntitlementKind::Policy,
        EntitlementKind::Role,
        EntitlementKind::Service,
        EntitlementKind::Node,
        EntitlementKind::TemplatedPolicy,
    ];

    /// The name of this kind on the wire, in every language.
    pub const fn as_str(self) -> &'static str {
        match self {
            EntitlementKind::OrgRole => "org_role",
            EntitlementKind::ServerAdmin => "server_admin",
            EntitlementKind::Policy => "policy",
            EntitlementKind::Role => "role",
            EntitlementKind::Service => "service",
            EntitlementKind::Node => "node",
            EntitlementKind::TemplatedPolicy => "templated_policy",
        }
    }
}

/// The terms of a session. A member is present if the policy sets it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Session {
    /// Seconds until the session ends. If absent, it does not end on its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// Seconds after which it cannot be renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ttl: Option<u64>,
    /// Seconds after which it ends in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explicit_max_ttl: Option<u64>,
    /// Seconds that each renewal adds to a periodic session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<u64>,
    /// How often it can be used. If absent, there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_uses: Option<u64>,
    /// `service` or `batch` (Vault).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// Whether it can be renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewable: Option<bool>,
    /// The networks it can be used from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bound_cidrs: Vec<String>,
    /// The display name of the session (Vault: with the prefix of the mount).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whether it is valid in one datacenter only (Consul).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<bool>,
    /// The auth method's name (Consul).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_method: Option<String>,
    /// Whether an unknown user may be created (Grafana).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_sign_up: Option<bool>,
    /// Whether the application should set the user's organisation roles (Grafana).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_org_roles: Option<bool>,
    /// Whether the application should set the user's teams (Grafana).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_teams: Option<bool>,
}

/// A verified payload: its text, which was checked to be one object with unique names. It has no line break, so that a
/// reply is one line.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Box<str>);

impl fmt::Debug for Payload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Payload").field(&Hidden::text(&*self.0)).finish()
    }
}

impl Payload {
    /// `is_compact` is whether the text is known to have neither white space between its parts nor a character beyond ASCII.
    pub(crate) fn new(text: Box<str>, is_compact: bool) -> Payload {
        if is_compact {
            return Payload(text);
        }
        match json::on_one_line(&text) {
            None => Payload(text),
            Some(line) => Payload(line.into_boxed_str()),
        }
    }

    /// Checks a text that was a verified payload before it was written out.
    pub(crate) fn read(text: &str) -> Result<Payload> {
        let claims = Claims::parse(text)?;
        Ok(Payload::new(text.into(), claims.is_compact()))
    }

    /// The JSON text as it was signed, but without white space between its parts, and with escapes for the characters
    /// U+0085, U+2028 and U+2029.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::EntitlementKind;

    #[test]
    fn a_kind_is_serialized_as_its_name() {
        for kind in EntitlementKind::ALL {
            assert_eq!(
                serde_json::to_string(kind).unwrap(),
                format!("\"{}\"", kind.as_str())
            );
        }
    }
}
