//! Compiles a Consul auth method of type `jwt` with its binding rules to a [`Policy`] (`docs/dialects/consul.md`).

mod claims;
mod fields;
mod keys;
mod mapped;
mod method;
mod responses;
mod rules;

use self::fields::AnyCase;
use self::mapped::Mapped;
use self::method::Method;
use crate::error::Result;
use crate::grant::Session;
use crate::members::Field;
use crate::policy::{DecodeRule, MemberNames, Policy, Profile, Profiles, Rules, SessionRule, UnusedHeaders};
use crate::warning::Warning;

/// Compiles a configuration to a policy.
pub(super) fn compile(config: &Field<'_, '_>, warnings: &mut Vec<Warning>) -> Result<Policy> {
    let mut members = config.members()?;
    let method = members.require("AuthMethod")?;
    let binding_rules = members.get("BindingRules");
    let directory = members.get("Directory");
    members.finish()?;

    let method = Method::read(&method)?;
    let config = AnyCase::read(&method.config, &CONFIG)?;
    let keys = keys::rule(&config, &method, warnings)?;
    let mapped = Mapped::read(&config)?;
    mapped.warn(&config, warnings);
    let bindings = rules::read(
        binding_rules.as_ref(),
        directory.as_ref(),
        &method.name,
        &mapped,
        warnings,
    )?;
    let list_sources = mapped.list_sources();
    let claims = claims::rule(&config, &method, warnings)?;
    let profile = Profile {
        rules: Rules {
            bindings: Some(bindings),
            ..Rules::default()
        },
        session: SessionRule {
            terms: Session {
                ttl: method.max_token_ttl.map(|ttl| ttl.as_secs()),
                local: Some(method.local),
                auth_method: Some(method.name),
                ..Session::default()
            },
            ..SessionRule::default()
        },
        ..Profile::new(claims, mapped.identity())
    };
    Ok(Policy {
        decode: DecodeRule {
            unused_headers: UnusedHeaders::WellFormed,
            ..DecodeRule::default()
        },
        responses: responses::all(list_sources.iter().map(String::as_str)),
        names: NAMES,
        ..Policy::new(keys, Profiles::only(profile))
    })
}

/// What Consul calls the members of a policy.
const NAMES: MemberNames = MemberNames(&[
    ("algorithms", "AuthMethod.Config.JWTSupportedAlgs"),
    ("audiences", "AuthMethod.Config.BoundAudiences"),
    ("identity.lists", "AuthMethod.Config.ListClaimMappings"),
    ("identity.metadata", "AuthMethod.Config.ClaimMappings"),
    ("issuer", "AuthMethod.Config.BoundIssuer"),
    ("leeway", "AuthMethod.Config.ClockSkewLeeway"),
    ("session", "AuthMethod"),
    // `ExpirationLeeway` and `NotBeforeLeeway`.
    ("synthesise", "AuthMethod.Config"),
]);

/// The members of `Config`. The members of the browser flow are refused, and the error names them.
const CONFIG: [&str; 19] = [
    "JWTValidationPubKeys",
    "JWKSURL",
    "JWKSCACert",
    "OIDCDiscoveryURL",
    "OIDCDiscoveryCACert",
    "JWTSupportedAlgs",
    "BoundAudiences",
    "BoundIssuer",
    "ClaimMappings",
    "ListClaimMappings",
    "ExpirationLeeway",
    "NotBeforeLeeway",
    "ClockSkewLeeway",
    "OIDCClientID",
    "OIDCClientSecret",
    "OIDCScopes",
    "OIDCACRValues",
    "AllowedRedirectURIs",
    "VerboseOIDCLogging",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_documented() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/dialects/consul.md");
        let page = std::fs::read_to_string(page).unwrap();
        for field in CONFIG {
            assert!(page.contains(&format!("`{field}`")), "{field}");
        }
    }
}
