//! [`VerifiedToken`] → [`ValidClaims`].
//!
//! First the types of the registered claims, then the claims that must be there, then the values that no policy accepts,
//! then the registered claims in the policy's order, then the policy's own rules. The first failure is the one reported.

mod claim_rule;
mod registered;

use crate::claims::{Claims, NumericDate, Registered};
use crate::error::{Code, Error, Result};
use crate::expr::Document;
use crate::json::Value;
use crate::pipeline::decode::UnverifiedToken;
use crate::pipeline::signature::VerifiedToken;
use crate::policy::ClaimsPolicy;

pub(crate) use self::claim_rule::holds;
use self::registered::RegisteredClaims;

/// Claims that were signed, and that hold at this instant.
#[derive(Debug)]
pub(crate) struct ValidClaims<'t>(Document<'t>);

impl<'t> ValidClaims<'t> {
    pub(crate) fn document(&self) -> &Document<'t> {
        &self.0
    }

    pub(crate) fn claims(&self) -> &Claims<'t> {
        self.0.claims()
    }
}

/// Checks that a payload nobody has vouched for has the shape of a claims set and the claims that must be there.
///
/// It tells a denial that the configured system would hand on from one that it would not; its success means
/// nothing.
pub(crate) fn shape(token: &UnverifiedToken<'_>, rule: &ClaimsPolicy) -> Result<()> {
    // What is not UTF-8 is refused either way, and is not about the shape.
    let Ok(payload) = std::str::from_utf8(token.payload()) else {
        return Ok(());
    };
    shape_of(payload, rule)
}

/// As [`shape`], for a token whose claims are refused: it tells whether the configured system would have handed on this
/// denial.
pub(crate) fn verified_shape(token: &VerifiedToken, rule: &ClaimsPolicy) -> Result<()> {
    shape_of(token.payload(), rule)
}

fn shape_of(payload: &str, rule: &ClaimsPolicy) -> Result<()> {
    match Claims::parse(payload) {
        Err(why) if !why.is_malformed_shape() => {
            // The system that hands denials on reads the outermost object, and that in its own letters.
            outer_shape(&Claims::outer(payload)?, rule)?;
            Err(why)
        }
        claims => outer_shape(&claims?, rule),
    }
}

fn outer_shape(claims: &Claims<'_>, rule: &ClaimsPolicy) -> Result<()> {
    required(claims, &RegisteredClaims::read(claims, rule)?, rule)
}

/// Checks everything a policy asks of the claims.
///
/// # Errors
/// The codes of stage [`ValidateClaims`](crate::Stage::ValidateClaims).
pub(crate) fn claims<'t>(
    token: &'t VerifiedToken,
    rule: &ClaimsPolicy,
    now: NumericDate,
) -> Result<ValidClaims<'t>> {
    let claims = Claims::parse(token.payload())?;
    let mut registered = RegisteredClaims::read(&claims, rule)?;
    required(&claims, &registered, rule)?;
    registered.check_values()?;
    for check in &rule.check_order {
        registered.check(*check, rule, now)?;
    }
    let document = Document::new(claims);
    for claim_rule in &rule.rules {
        holds(claim_rule, &document)?;
    }
    Ok(ValidClaims(document))
}

/// A claim that is `null` or an empty text says nothing, so it counts as missing. So does a registered claim that the
/// policy takes for absent.
fn required(claims: &Claims<'_>, registered: &RegisteredClaims<'_>, rule: &ClaimsPolicy) -> Result<()> {
    let says_something = |value: &Value<'_>| !value.is_null() && value.as_str() != Some("");
    let is_there = |name: &String| match Registered::named(name) {
        Some(claim) => registered.has(claim),
        None => claims.get(name).is_some_and(says_something),
    };
    match rule.required.iter().find(|name| !is_there(name)) {
        Some(name) => Err(Error::new(Code::ClaimMissing).with_claim(name)),
        None => Ok(()),
    }
}
