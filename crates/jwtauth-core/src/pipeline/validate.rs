//! [`VerifiedToken`] → [`ValidClaims`].
//!
//! First the types of the registered claims, then the claims that must be there, then the registered claims in
//! the policy's order, then the policy's own rules. The first failure is the one reported.

mod claim_rule;
mod id_token;
mod registered;

use crate::claims::{Claims, NumericDate};
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
    let claims = Claims::parse(payload)?;
    RegisteredClaims::read(&claims, rule)?;
    if rule.id_token {
        id_token::check(&claims)?;
    }
    required(&claims, rule)
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
    let registered = RegisteredClaims::read(&claims, rule)?;
    if rule.id_token {
        id_token::check(&claims)?;
    }
    required(&claims, rule)?;
    for check in &rule.check_order {
        registered.check(*check, rule, now)?;
    }
    let document = Document::new(claims);
    for claim_rule in &rule.rules {
        holds(claim_rule, &document)?;
    }
    Ok(ValidClaims(document))
}

/// A claim that is `null` or an empty text says nothing, so it counts as missing.
fn required(claims: &Claims<'_>, rule: &ClaimsPolicy) -> Result<()> {
    let says_something = |value: &Value<'_>| !value.is_null() && value.as_str() != Some("");
    match rule
        .required
        .iter()
        .find(|name| !claims.get(name).is_some_and(says_something))
    {
        Some(name) => Err(Error::new(Code::ClaimMissing).with_claim(name)),
        None => Ok(()),
    }
}
