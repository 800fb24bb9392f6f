//! What Consul asks of the claims, with keys of its own configuration and with a discovered issuer.

use std::time::Duration;

use super::fields::AnyCase;
use super::method::Method;
use crate::error::Result;
use crate::policy::{
    AudienceRule, Boundary, ClaimsPolicy, Leeway, NullIsAbsent, NullableClaim, RegisteredCheck, Synthesis,
    TimesRule,
};
use crate::warning::Warning;

/// What must hold of the claims.
pub(super) fn rule(
    config: &AnyCase<'_, '_>,
    method: &Method<'_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<ClaimsPolicy> {
    let issuer = config.text("BoundIssuer")?;
    let audiences = config.texts("BoundAudiences")?;
    let discovery = config.text("OIDCDiscoveryURL")?;
    if !discovery.is_empty() {
        return discovered_claims(&discovery, &issuer, audiences, method);
    }
    let skew = config.leeway("ClockSkewLeeway", Duration::from_secs(60), warnings)?;
    let whole = |duration: Duration| Duration::from_secs(duration.as_secs());
    Ok(ClaimsPolicy {
        issuers: Some(issuer)
            .filter(|issuer| !issuer.is_empty())
            .into_iter()
            .collect(),
        audience: if audiences.is_empty() {
            AudienceRule::Nobody
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

/// With discovery, Consul checks claims as OpenID Connect clients do, and its leeways have no part in it.
fn discovered_claims(
    discovery: &str,
    bound_issuer: &str,
    audiences: Vec<String>,
    method: &Method<'_, '_>,
) -> Result<ClaimsPolicy> {
    if !bound_issuer.is_empty() && bound_issuer != discovery {
        return Err(method.config.error(
            "`BoundIssuer` is not the issuer of `OIDCDiscoveryURL`, so every token would be refused; leave it out",
        ));
    }
    let mut issuers = vec![discovery.to_owned()];
    if discovery == "https://accounts.google.com" {
        issuers.push("accounts.google.com".to_owned());
    }
    Ok(ClaimsPolicy {
        issuers,
        audience: if audiences.is_empty() {
            AudienceRule::Anybody
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
        // Only `nbf` may be `null` among the times that such a client reads.
        null_is_absent: NullIsAbsent::except(&[NullableClaim::Exp, NullableClaim::Iat]),
        check_order: DISCOVERY_ORDER,
        ..ClaimsPolicy::default()
    })
}

/// The order of OpenID Connect clients: the expiry before the beginning.
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

/// Consul looks at the audience last.
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
