//! The policy of a verifier: the native model.
//!
//! It is plain data that can express everything in which the three systems differ. It does not contain the name of
//! the system that it came from. Dialects make it and the pipeline reads it. Serialising it gives the native
//! configuration (`docs/dialects/native.md`), which reads back as the same policy.

mod claims;
mod doubts;
mod effort;
mod extract;
mod fetch;
mod identity;
mod issuer_rules;
mod issuers;
mod keys;
mod names;
pub(crate) mod near;
mod profiles;
mod response;
mod rules;
mod secret;
mod session;
mod summary;
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
pub(crate) use self::issuer_rules::{IssuerRule, IssuerRules};
pub(crate) use self::issuers::{Issuer, IssuerClaims, IssuerTemplate, KeyIssuers};
pub(crate) use self::keys::{
    DiscoveredAlgorithms, JwksUrl, KeyRule, KeySpec, KidRule, OidcDiscoveryUrl, Origin,
};
pub(crate) use self::names::MemberNames;
pub(crate) use self::response::{Response, Responses};
pub(crate) use self::rules::{
    BindKind, BindingRule, Bindings, Directory, OrgMapping, OrgRole, OrgRoleRule, OrgTarget, RoleRule, Rules,
    SplitClaim,
};
pub(crate) use self::secret::Secret;
pub(crate) use self::session::SessionRule;
pub use self::summary::Section;

/// Everything that a verifier decides by.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Policy {
    /// The key sources, how `kid` selects keys, and the algorithms that keys may be used with.
    #[serde(flatten)]
    pub keys: KeyRule,
    /// Where requests carry the token.
    #[serde(rename = "token")]
    pub extract: ExtractRule,
    /// The requirements on the header of a token.
    #[serde(flatten)]
    pub decode: DecodeRule,
    /// The denials after which the configured system would ask its next authenticator.
    #[serde(skip_serializing_if = "NotApplicable::is_none")]
    pub not_applicable: NotApplicable,
    /// What each denial contains in addition to its code.
    #[serde(skip_serializing_if = "Responses::is_empty")]
    pub responses: Responses,
    /// The claims that the names in braces of an issuer stand for.
    #[serde(skip_serializing_if = "IssuerClaims::is_default")]
    pub issuer_claims: IssuerClaims,
    /// The rules for the tokens of single issuers.
    #[serde(skip_serializing_if = "IssuerRules::is_empty")]
    pub issuers: IssuerRules,
    /// The profiles.
    #[serde(flatten)]
    pub profiles: Profiles,
    /// The warnings. They are printed next to the policy and are not part of it.
    #[serde(skip)]
    pub warnings: Vec<Warning>,
    /// What the operator calls the members. It is not part of the policy.
    #[serde(skip)]
    pub names: MemberNames,
}

impl Policy {
    /// A policy with these keys and profiles, whose issuers are texts. It reads tokens only from the request's `token`.
    pub(crate) fn new(keys: KeyRule, profiles: Profiles) -> Policy {
        Policy {
            keys,
            extract: ExtractRule::default(),
            decode: DecodeRule::default(),
            not_applicable: NotApplicable::default(),
            responses: Responses::default(),
            issuer_claims: IssuerClaims::for_texts(profiles.issuers()),
            issuers: IssuerRules::default(),
            profiles,
            warnings: Vec::new(),
            names: MemberNames::default(),
        }
    }
}

/// The profiles of a policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profiles {
    /// The rules for a request that names no profile. `None`: such a request uses `default`.
    pub top: Option<Profile>,
    /// The profile of a request that names none, if there is no top level.
    pub default: Option<String>,
    /// Whether names are compared in lower case. The keys of `named` are then in lower case.
    pub ignore_case: bool,
    /// The named profiles.
    pub named: BTreeMap<String, Profile>,
}

impl Profiles {
    /// Every profile that can decide a request.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Profile> {
        self.top.iter().chain(self.named.values())
    }

    /// The issuers that the profiles accept.
    fn issuers(&self) -> impl Iterator<Item = &Issuer> {
        self.all().flat_map(|profile| &profile.claims.issuers)
    }

    /// Profiles without names: every request is decided by this one.
    pub(crate) fn only(profile: Profile) -> Profiles {
        Profiles {
            top: Some(profile),
            ..Profiles::default()
        }
    }
}

/// A set of rules: the requirements on the claims, who the caller is, and what the caller receives.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Profile {
    /// The name. Empty for the top level.
    #[serde(skip)]
    pub name: String,
    /// The reason why the profile accepts no token. `None`: it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// The requirements on the claims.
    #[serde(flatten)]
    pub claims: ClaimsPolicy,
    /// How the identity is mapped.
    pub identity: IdentityRule,
    /// What the caller receives.
    #[serde(flatten)]
    pub rules: Rules,
    /// The terms of the session.
    #[serde(skip_serializing_if = "SessionRule::is_empty")]
    pub session: SessionRule,
    /// The networks that callers must come from. Empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bound_cidrs: Vec<IpNet>,
}

impl Profile {
    /// A top level for every network that gives no entitlements.
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
