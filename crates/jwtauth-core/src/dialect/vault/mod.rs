//! Compiles Vault's jwt auth method to a [`Policy`] (`docs/dialects/vault.md`).
//!
//! A configuration is the body of `auth/jwt/config` with two additional members: `roles`, the bodies of
//! `auth/jwt/role/…` by name, and `mount`, the server's settings of the mount. Everything is checked in Vault's
//! order, so that the first reported mistake is the one that Vault would report.

mod bound;
mod cidr;
mod config;
mod fields;
mod lease;
mod responses;
mod role;

use std::collections::BTreeMap;

use self::config::Config;
use self::lease::Mount;
use crate::error::Result;
use crate::members::Field;
use crate::policy::{
    DecodeRule, ExtractRule, MemberNames, Origin, Policy, Profile, Profiles, UnusedHeaders, near,
};
use crate::warning::{Rule, Warning};

/// Compiles a configuration to a policy.
pub(super) fn compile(field: &Field<'_, '_>, warnings: &mut Vec<Warning>) -> Result<Policy> {
    let mut members = field.members()?;
    let config = config::Body::read(&mut members)?;
    let roles = members.get("roles");
    let mount = members.get("mount");
    members.finish()?;

    let config = config.compile(field, warnings)?;
    warn_of_issuer(&config, warnings);
    let mount = Mount::read(mount)?;
    let named = match roles {
        Some(roles) => named(&roles, &config, &mount, warnings)?,
        None => BTreeMap::new(),
    };
    let default = Some(config.default_role).filter(|name| !name.is_empty());
    if let Some(name) = default.as_ref().filter(|name| !named.contains_key(*name)) {
        warnings.push(Warning::new(
            Rule::DefaultProfileMissing,
            "default_role",
            format!("there is no role `{name}`; a login without a role is denied"),
        ));
    }
    let profiles = Profiles {
        top: None,
        default,
        ignore_case: true,
        named,
    };
    warnings.extend(profiles.doubts());
    Ok(Policy {
        extract: ExtractRule {
            disabled: config.browser_only,
            ..ExtractRule::default()
        },
        decode: DecodeRule {
            unused_headers: UnusedHeaders::WellFormed,
            ..DecodeRule::default()
        },
        responses: responses::responses(),
        names: NAMES,
        ..Policy::new(config.keys, profiles)
    })
}

/// What Vault calls the members of a policy.
const NAMES: MemberNames = MemberNames(&[
    ("", "roles.{}"),
    ("algorithms", "jwt_supported_algs"),
    ("audiences", "roles.{}.bound_audiences"),
    ("bound_cidrs", "roles.{}.token_bound_cidrs"),
    // For hints: all bound claims of a role are globs, or none.
    ("claims.glob", "roles.{}.bound_claims_type"),
    ("identity.groups", "roles.{}.groups_claim"),
    ("identity.metadata", "roles.{}.claim_mappings"),
    // Every login gets the name of its role.
    ("identity.metadata.role", "roles.{}"),
    ("identity.name", "roles.{}.user_claim"),
    ("issuer", "bound_issuer"),
    ("leeway", "roles.{}.clock_skew_leeway"),
    ("policies", "roles.{}.token_policies"),
    ("session", "roles.{}"),
    ("subject", "roles.{}.bound_subject"),
    // `expiration_leeway` and `not_before_leeway`.
    ("synthesise", "roles.{}"),
]);

/// Warns of a bound issuer that is almost the discovered one, whose tokens have exactly the discovered one.
fn warn_of_issuer(config: &Config, warnings: &mut Vec<Warning>) {
    for source in &config.keys.sources {
        if let (Origin::OidcDiscoveryUrl(discovered), Some(bound)) = (&source.origin, &config.bound_issuer)
            && let Some(near) = near::difference(&discovered.issuer, bound)
        {
            warnings.push(Warning::new(
                Rule::IssuerNearlyEqual,
                "bound_issuer",
                format!("differs {near} from `oidc_discovery_url`, so every token of this issuer is denied"),
            ));
        }
    }
}

fn named(
    roles: &Field<'_, '_>,
    config: &Config,
    mount: &Mount,
    warnings: &mut Vec<Warning>,
) -> Result<BTreeMap<String, Profile>> {
    let mut named = BTreeMap::new();
    for (name, body) in roles.entries()? {
        if !is_role_name(name) {
            return Err(body.error(
                "a role name must consist of letters, digits and `_`, with `-` and `.` only between them",
            ));
        }
        // Vault stores and looks up every role name in lower case.
        let name = name.to_lowercase();
        let profile = role::compile(&name, &body, config, mount, warnings)?;
        if named.insert(name, profile).is_some() {
            return Err(body.error("duplicate role: the name differs from another one only in letter case"));
        }
    }
    Ok(named)
}

fn is_role_name(name: &str) -> bool {
    let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.starts_with(word)
        && name.ends_with(word)
        && name
            .chars()
            .all(|letter| word(letter) || matches!(letter, '-' | '.'))
}
