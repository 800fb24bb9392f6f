//! What was decided when the verifier was built?
//!
//! The native model: plain data that says everything the three systems differ in, and no word about which
//! of them it came from. Dialects make it, the pipeline reads it, and serialising it gives the native
//! configuration (`docs/dialects/native.md`), which reads back as the same policy.

mod claims;
mod extract;
mod fetch;
mod identity;
mod keys;
mod profiles;
mod response;
mod rules;
mod secret;
mod session;
pub(crate) mod url;

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::Serialize;

use crate::warning::Warning;

pub(crate) use self::claims::{
    AudienceRule, Boundary, ClaimRule, ClaimTest, ClaimsPolicy, Leeway, NullIsAbsent, NullableClaim,
    RegisteredCheck, Synthesis, TimesRule,
};
pub(crate) use self::extract::{
    DecodeRule, ExtractRule, HeaderRule, NotApplicable, Padding, PrefixRule, RequestedOrg, UnusedHeaders,
};
pub(crate) use self::fetch::FetchSettings;
#[cfg(feature = "http")]
pub(crate) use self::fetch::ProxyRule;
pub(crate) use self::identity::{
    AbsentRule, IdentityRule, ListRule, MetadataRule, Named, OtherRule, TextRule, ValueRule,
};
pub(crate) use self::keys::{
    DiscoveredAlgorithms, JwksUrl, KeyRule, KeySpec, KidRule, OidcDiscoveryUrl, Origin,
};
pub(crate) use self::response::{Response, Responses};
pub(crate) use self::rules::{
    BindKind, BindingRule, Bindings, Directory, OrgMapping, OrgRole, OrgRoleRule, OrgTarget, RoleRule, Rules,
    SplitClaim,
};
pub(crate) use self::secret::Secret;
pub(crate) use self::session::SessionRule;

/// Everything a verifier decides by.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Policy {
    /// Where keys come from, how `kid` chooses among them, and which algorithms they may be used with.
    #[serde(flatten)]
    pub keys: KeyRule,
    /// Where requests carry the token.
    #[serde(rename = "token")]
    pub extract: ExtractRule,
    /// What the header of a token may be.
    #[serde(flatten)]
    pub decode: DecodeRule,
    /// Which denials mean "ask the next authenticator".
    #[serde(skip_serializing_if = "NotApplicable::is_none")]
    pub not_applicable: NotApplicable,
    /// What each denial says beside its code.
    #[serde(skip_serializing_if = "Responses::is_empty")]
    pub responses: Responses,
    /// The sets of rules to choose from.
    #[serde(flatten)]
    pub profiles: Profiles,
    /// What was accepted and is probably a mistake. Printed beside the policy, not in it.
    #[serde(skip)]
    pub warnings: Vec<Warning>,
}

impl Policy {
    /// A policy of these keys and profiles that takes its tokens from the request's `token` alone.
    pub(crate) fn new(keys: KeyRule, profiles: Profiles) -> Policy {
        Policy {
            keys,
            extract: ExtractRule::default(),
            decode: DecodeRule::default(),
            not_applicable: NotApplicable::default(),
            responses: Responses::default(),
            profiles,
            warnings: Vec::new(),
        }
    }
}

/// The profiles of a policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profiles {
    /// The rules for a request that names no profile; `None`: such a request falls back to `default`.
    pub top: Option<Profile>,
    /// The profile that a request without one gets when there is no top level.
    pub default: Option<String>,
    /// Whether names are compared in lower case; the keys of `named` then are lower case.
    pub ignore_case: bool,
    /// The named ones.
    pub named: BTreeMap<String, Profile>,
}

impl Profiles {
    /// No named profiles: every request is decided by this one.
    pub(crate) fn only(profile: Profile) -> Profiles {
        Profiles {
            top: Some(profile),
            ..Profiles::default()
        }
    }
}

/// One set of rules: which claims are required, whom they name, what that one receives.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Profile {
    /// Its name; empty for the top level.
    #[serde(skip)]
    pub name: String,
    /// Why no token is accepted under it; `None`: it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// What must hold of the claims.
    #[serde(flatten)]
    pub claims: ClaimsPolicy,
    /// Whom the claims name.
    pub identity: IdentityRule,
    /// What that one receives.
    #[serde(flatten)]
    pub rules: Rules,
    /// The terms of the session.
    #[serde(skip_serializing_if = "SessionRule::is_empty")]
    pub session: SessionRule,
    /// The networks that callers must come from; empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bound_cidrs: Vec<IpNet>,
}

impl Profile {
    /// The top level: open to every network, with nothing to receive.
    pub(crate) fn new(claims: ClaimsPolicy, identity: IdentityRule) -> Profile {
        Profile {
            name: String::new(),
            closed: None,
            claims,
            identity,
            rules: Rules::default(),
            session: SessionRule::default(),
            bound_cidrs: Vec::new(),
        }
    }
}
