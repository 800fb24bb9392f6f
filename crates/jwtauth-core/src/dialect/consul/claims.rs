//! Consul's checks of the claims, with configured keys and with a discovered issuer.

use std::time::Duration;

use super::fields::AnyCase;
use super::method::Method;
use crate::error::Result;
use crate::policy::{
    AudienceRule, Boundary, ClaimsPolicy, Issuer, Leeway, NullIsAbsent, NullableClaim, RegisteredCheck,
    Synthesis, TimesRule, near,
};
use crate::warning::{Rule, Warning};

/// Reads the requirements for the claims.
pub(super) fn rule(
    config: &AnyCase<'_, '_>,
    method: &Method<'_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<ClaimsPolicy> {
    let issuer = config.text("BoundIssuer")?;
    let audiences = config.texts("BoundAudiences")?;
    let discovery = config.text("OIDCDiscoveryURL")?;
    if !discovery.is_empty() {
        // The leeways have no effect, but Consul refuses invalid ones.
        for name in ["ClockSkewLeeway", "ExpirationLeeway", "NotBeforeLeeway"] {
            config.leeway(name, Duration::ZERO, &mut Vec::new())?;
            if config.get_non_null(name).is_some() {
                warnings.push(Warning::new(
                    Rule::LeewayWithoutEffect,
                    config.path(name),
                    "has no effect with `OIDCDiscoveryURL`: Consul allows no leeway for `exp`, and five minutes for `nbf`; remove it",
                ));
            }
        }
        return discovered_claims(&discovery, &issuer, audiences, method);
    }
    let skew = config.leeway("ClockSkewLeeway", Duration::from_secs(60), warnings)?;
    if audiences.is_empty() {
        warnings.push(Warning::new(
            Rule::AudienceUnexpected,
            config.path("BoundAudiences"),
            "no audience is bound, so a token with an audience is denied",
        ));
    }
    let whole = |duration: Duration| Duration::from_secs(duration.as_secs());
    Ok(ClaimsPolicy {
        issuers: Some(issuer)
            .filter(|issuer| !issuer.is_empty())
            .map(Issuer::Text)
            .into_iter()
            .collect(),
        audience: if audiences.is_empty() {
            AudienceRule::Absent
        } else {
            AudienceRule::OneOf(audiences)
        },
        required: Vec::new(),
        times: TimesRule {
            leeway: Leeway::all(skew),
            expires: Boundary::After,
            whole_seconds: true,
            zero_is_absent: true,
            synthesise: Some(Synthesis {
                exp_after: whole(config.leeway("ExpirationLeeway", Duration::from_secs(150), warnings)?),
                nbf_before: whole(config.leeway("NotBeforeLeeway", Duration::from_secs(150), warnings)?),
            }),
            ..TimesRule::default()
        },
        null_is_absent: NullIsAbsent::all(),
        check_order: ORDER,
        ..ClaimsPolicy::default()
    })
}

/// Returns the requirements for a discovered issuer.
///
/// With discovery, Consul checks claims as OpenID Connect clients do, and its leeways have no effect.
fn discovered_claims(
    discovery: &str,
    bound_issuer: &str,
    audiences: Vec<String>,
    method: &Method<'_, '_>,
) -> Result<ClaimsPolicy> {
    if !bound_issuer.is_empty() && bound_issuer != discovery {
        let near = near::hint("`BoundIssuer`", [discovery], bound_issuer);
        return Err(method.config.error(format!(
            "`BoundIssuer` differs from the issuer of `OIDCDiscoveryURL`, so every token would be denied; remove it{near}"
        )));
    }
    let mut issuers = vec![Issuer::Text(discovery.to_owned())];
    if discovery == "https://accounts.google.com" {
        issuers.push(Issuer::Text("accounts.google.com".to_owned()));
    }
    Ok(ClaimsPolicy {
        issuers,
        audience: if audiences.is_empty() {
            AudienceRule::Any
        } else {
            AudienceRule::OneOf(audiences)
        },
        required: vec!["exp".to_owned()],
        times: TimesRule {
            leeway: Leeway {
                exp: Duration::ZERO,
                nbf: Duration::from_secs(300),
                iat: Duration::ZERO,
            },
            expires: Boundary::After,
            check_iat: false,
            whole_seconds: true,
            ..TimesRule::default()
        },
        // Consul cannot read an `exp` or `iat` that is `null`.
        null_is_absent: NullIsAbsent::except(&[NullableClaim::Exp, NullableClaim::Iat]),
        id_token: true,
        check_order: DISCOVERY_ORDER,
        ..ClaimsPolicy::default()
    })
}

/// The order of OpenID Connect clients: `exp` before `nbf`.
const DISCOVERY_ORDER: [RegisteredCheck; RegisteredCheck::COUNT] = [
    RegisteredCheck::Iss,
    RegisteredCheck::Exp,
    RegisteredCheck::Nbf,
    RegisteredCheck::Aud,
    RegisteredCheck::UnexpectedAud,
    RegisteredCheck::AnyTime,
    RegisteredCheck::Iat,
    RegisteredCheck::Sub,
    RegisteredCheck::MaxAge,
];

/// Consul's order without discovery: the audience is checked last.
const ORDER: [RegisteredCheck; RegisteredCheck::COUNT] = [
    RegisteredCheck::AnyTime,
    RegisteredCheck::Iss,
    RegisteredCheck::Nbf,
    RegisteredCheck::Exp,
    RegisteredCheck::Iat,
    RegisteredCheck::Aud,
    RegisteredCheck::UnexpectedAud,
    RegisteredCheck::Sub,
    RegisteredCheck::MaxAge,
];
