//! The stages after the signature: what the claims of a token give, for a decision and for a dry run.

use crate::claims::NumericDate;
use crate::error::Result;
use crate::grant::Identity;
use crate::pipeline::decide::{self, Decision};
use crate::pipeline::identity;
use crate::pipeline::profile::Requested;
use crate::pipeline::validate::{self, SignedClaims, ValidClaims};
use crate::pipeline::watch::Watch;
use crate::policy::{Policy, Profile};
use crate::request::Request;

/// Everything that a grant is made of, except for the token.
pub(super) struct Allowed<'p, 't> {
    pub(super) profile: &'p Profile,
    pub(super) claims: ValidClaims<'t>,
    pub(super) identity: Identity,
    pub(super) decision: Decision,
}

/// Selects the profile, validates the claims, maps the identity and decides what the caller receives.
///
/// # Errors
/// Those of these stages.
// Inlined, because the claims and the identity would be moved once more.
#[inline]
pub(super) fn decide<'p, 't>(
    policy: &'p Policy,
    request: &Request<'_>,
    requested: &Requested<'p>,
    requested_org: Option<u64>,
    signed: SignedClaims<'t>,
    now: NumericDate,
    watch: &mut impl Watch,
) -> Result<Allowed<'p, 't>> {
    let of_issuer = signed.issuer_rule(&policy.issuers);
    let profile = requested.decided(request, of_issuer, watch)?;
    let claims = validate::claims(signed, &profile.claims, of_issuer, now, watch)?;
    let identity = identity::map(&claims, &profile.identity, requested_org, watch)?;
    let decision = decide::entitlements(&identity, &claims, &profile.rules, watch)?;
    identity::require_name(&identity, claims.document(), &profile.identity, watch)?;
    Ok(Allowed {
        profile,
        claims,
        identity,
        decision,
    })
}
