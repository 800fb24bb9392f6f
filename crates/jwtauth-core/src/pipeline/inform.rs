//! The checks that still make sense after a denial, for an explanation.
//!
//! The decision is made before, and nothing here returns anything: each check is made on its own and only reported. No grant
//! can be made of the claims that are read here, because a grant needs the verified token.
//!
//! Each check with an expression takes its effort from the budget of the explanation, which is small for claims that no key has
//! signed. A check that the budget does not suffice for is not made, and the explanation has it as one that was not reached.

use crate::claims::NumericDate;
use crate::error::Code;
use crate::pipeline::profile::{self, Requested};
use crate::pipeline::watch::Watch;
use crate::pipeline::{decide, decode, extract, identity, select_key, validate};
use crate::policy::{KeyIssuers, Policy};
use crate::request::Request;

/// What is known of a denied token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Denied {
    /// The time of the decision.
    pub(crate) now: NumericDate,
    /// Whether a key verified the signature.
    pub(crate) is_verified: bool,
    /// Whether a key that verified the token may sign for its issuer, if the decision found out.
    pub(crate) is_of_its_issuer: Option<bool>,
}

/// Makes the checks of a request that is denied. If its token cannot be found or read, there are none.
pub(crate) fn request(
    (policy, sources): (&Policy, &[KeyIssuers]),
    request: &Request<'_>,
    denied: Denied,
    watch: &mut impl Watch,
) {
    let Ok(requested) = profile::requested(request, policy, &mut ()) else {
        return;
    };
    let Ok(raw) = extract::token(request, &policy.extract, &mut ()) else {
        return;
    };
    watch.holds(&raw);
    watch.informs(false);
    let _ = requested.address(request, watch);
    let payload = match decode::compact(&raw, &policy.decode, watch) {
        Ok(mut token) => {
            let _ = select_key::algorithm(token.header(), policy.keys.algorithms, watch);
            let _ = select_key::name(token.header(), policy.keys.kid, watch);
            Some(token.take_payload())
        }
        // The header has nothing that changes the meaning of the payload.
        Err(why) if why.code() == Code::HeaderInvalid => decode::payload(&raw),
        Err(_) => None,
    };
    if let Some(payload) = payload.and_then(|payload| String::from_utf8(payload).ok()) {
        claims((policy, sources), request, (&requested, &payload), denied, watch);
    }
}

/// Makes the checks of the claims of a token that is denied.
pub(crate) fn claims(
    (policy, sources): (&Policy, &[KeyIssuers]),
    request: &Request<'_>,
    (requested, payload): (&Requested<'_>, &str),
    denied: Denied,
    watch: &mut impl Watch,
) {
    watch.reads(payload);
    watch.informs(!denied.is_verified);
    let Ok(signed) = validate::read_denied(payload, denied.is_of_its_issuer, sources, watch) else {
        return;
    };
    let of_issuer = signed.issuer_rule(&policy.issuers);
    let Ok(profile) = requested.decided(request, of_issuer, watch) else {
        return;
    };
    let document = signed.document();
    let rules = (&profile.claims, of_issuer);
    validate::inform(&signed, &document, rules, denied.now, watch);
    let requested_org = extract::requested_org(request, &policy.extract);
    let mapped = identity::inform(&document, &profile.identity, requested_org, watch);
    decide::inform(&mapped, &document, &profile.rules, watch);
    if mapped.is_whole {
        let _ = identity::require_name(&mapped.identity, &document, &profile.identity, watch);
    }
}
