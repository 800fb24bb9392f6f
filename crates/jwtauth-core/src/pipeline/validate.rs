//! [`VerifiedToken`] → [`ValidClaims`].
//!
//! First the types of the registered claims, then the claims that must be there, then the registered claims in
//! the policy's order, then the policy's own rules. The first failure is the one reported.

use std::borrow::Cow;
use std::cell::LazyCell;

use crate::claims::{Claims, NumericDate, Registered};
use crate::error::{Code, Error, Result};
use crate::expr::{Document, Found, Selection};
use crate::json::{Number, Value, text};
use crate::pipeline::decode::UnverifiedToken;
use crate::pipeline::signature::VerifiedToken;
use crate::policy::{AudienceRule, Boundary, ClaimRule, ClaimTest, ClaimsRule, RegisteredCheck, TimesRule};

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
pub(crate) fn shape(token: &UnverifiedToken<'_>, rule: &ClaimsRule) -> Result<()> {
    // What is not UTF-8 is refused either way, and is not about the shape.
    let Ok(payload) = std::str::from_utf8(token.payload()) else {
        return Ok(());
    };
    let claims = Claims::parse(payload)?;
    RegisteredClaims::read(&claims, rule)?;
    required(&claims, rule)
}

/// Checks everything a policy asks of the claims.
///
/// # Errors
/// The codes of stage [`ValidateClaims`](crate::Stage::ValidateClaims).
pub(crate) fn claims<'t>(
    token: &'t VerifiedToken,
    rule: &ClaimsRule,
    now: NumericDate,
) -> Result<ValidClaims<'t>> {
    let claims = Claims::parse(token.payload())?;
    let registered = RegisteredClaims::read(&claims, rule)?;
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
fn required(claims: &Claims<'_>, rule: &ClaimsRule) -> Result<()> {
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

/// Checks one rule about one claim.
///
/// # Errors
/// [`Code::ClaimMissing`], [`Code::ClaimInvalid`], [`Code::ClaimMismatch`].
pub(crate) fn holds(rule: &ClaimRule, document: &Document<'_>) -> Result<()> {
    let fail = |code: Code| match &rule.select {
        Selection::JmesPath(expression) => Error::new(code).with_detail(format!("`{}`", expression.as_str())),
        select => Error::new(code).with_claim(select.name()),
    };
    let found = rule
        .select
        .find(document)
        .map_err(|why| Error::new(Code::ClaimMismatch).with_detail(why))?;
    let Some(found) = found else {
        return Err(fail(Code::ClaimMissing));
    };
    let holds = match &rule.test {
        ClaimTest::Equals(expected) => equals(&found, expected),
        ClaimTest::IsTrue {} => matches!(*found, Value::Bool(true)),
        ClaimTest::AnyOf(expected) => any_of(&found, expected, rule, document).map_err(fail)?,
        ClaimTest::Glob(patterns) => {
            let actual = elements(&found, rule.split.as_deref()).map_err(fail)?;
            actual
                .iter()
                .filter_map(Value::as_str)
                .any(|text| patterns.iter().any(|glob| glob.matches(text)))
        }
    };
    if holds {
        Ok(())
    } else {
        Err(fail(Code::ClaimMismatch))
    }
}

/// The registered claims, with their types checked.
#[derive(Debug)]
struct RegisteredClaims<'c> {
    issuer: Option<&'c str>,
    subject: Option<&'c str>,
    audience: Option<Vec<&'c str>>,
    times: Times,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    /// Whether any of the three is in the token.
    any: bool,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
}

impl<'c> RegisteredClaims<'c> {
    fn read(claims: &'c Claims<'_>, rule: &ClaimsRule) -> Result<RegisteredClaims<'c>> {
        let value = |claim: Registered| match claims.registered(claim) {
            Some(Value::Null) if rule.null_is_absent && claim != Registered::Aud => None,
            other => other,
        };
        let text = |claim: Registered| match value(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_ref())),
            Some(_) => Err(wrong_type(claim, "must be a string")),
        };
        let date = |claim: Registered| match value(claim) {
            None => Ok(None),
            Some(Value::Number(number)) => NumericDate::from_number(*number)
                .map(|date| {
                    Some(if rule.times.whole_seconds {
                        date.truncated()
                    } else {
                        date
                    })
                })
                .ok_or_else(|| invalid(claim, "is beyond any date")),
            Some(_) => Err(wrong_type(claim, "must be a number")),
        };
        let issuer = text(Registered::Iss)?;
        let subject = text(Registered::Sub)?;
        text(Registered::Jti)?;
        let audience = match value(Registered::Aud) {
            None => None,
            Some(Value::String(nobody))
                if nobody.is_empty() && rule.audience == AudienceRule::NobodyOrEmpty =>
            {
                None
            }
            Some(Value::String(one)) => Some(vec![one.as_ref()]),
            Some(Value::Array(items)) => Some(
                items
                    .iter()
                    .map(Value::as_str)
                    .collect::<Option<Vec<_>>>()
                    .ok_or_else(|| wrong_type(Registered::Aud, "must be a string or a list of strings"))?,
            ),
            Some(_) => {
                return Err(wrong_type(
                    Registered::Aud,
                    "must be a string or a list of strings",
                ));
            }
        };
        let times = Times::complete(
            date(Registered::Exp)?,
            date(Registered::Nbf)?,
            date(Registered::Iat)?,
            &rule.times,
        );
        Ok(RegisteredClaims {
            issuer,
            subject,
            audience,
            times,
        })
    }

    fn check(&self, check: RegisteredCheck, rule: &ClaimsRule, now: NumericDate) -> Result<()> {
        let Times { any, exp, nbf, iat } = self.times;
        let leeway = rule.times.leeway;
        match check {
            RegisteredCheck::Iss => {
                let acceptable = |issuer: &str| rule.issuers.iter().any(|one| one == issuer);
                ensure(
                    rule.issuers.is_empty() || self.issuer.is_some_and(acceptable),
                    || {
                        Error::new(Code::IssuerMismatch)
                            .with_claim("iss")
                            .with_detail(format!("expected {}", rule.issuers.join(" or ")))
                    },
                )
            }
            RegisteredCheck::Sub => {
                let wanted = rule.subject.as_deref();
                ensure(wanted.is_none() || wanted == self.subject, || {
                    Error::new(Code::SubjectMismatch).with_claim("sub")
                })
            }
            RegisteredCheck::Aud => {
                let AudienceRule::OneOf(accepted) = &rule.audience else {
                    return Ok(());
                };
                let named = self.audience.as_deref().unwrap_or_default();
                ensure(
                    named.iter().any(|one| accepted.iter().any(|bound| bound == one)),
                    || {
                        Error::new(Code::AudienceMismatch)
                            .with_claim("aud")
                            .with_detail(format!("expected {}", accepted.join(" or ")))
                    },
                )
            }
            RegisteredCheck::UnexpectedAud => {
                let named = self.audience.as_deref().unwrap_or_default();
                let unexpected = match rule.audience {
                    AudienceRule::OneOf(_) | AudienceRule::Anybody => false,
                    AudienceRule::Nobody | AudienceRule::NobodyOrEmpty => !named.is_empty(),
                };
                ensure(!unexpected, || {
                    Error::new(Code::AudienceUnexpected).with_claim("aud")
                })
            }
            RegisteredCheck::AnyTime => ensure(any || rule.times.synthesise.is_none(), || {
                Code::LifetimeMissing.into()
            }),
            RegisteredCheck::Nbf => ensure(nbf.is_none_or(|nbf| now.plus(leeway.nbf) >= nbf), || {
                Error::new(Code::TokenNotYetValid).with_claim("nbf")
            }),
            RegisteredCheck::Exp => {
                let good = |exp: NumericDate| match rule.times.expires {
                    Boundary::OnOrAfter => now < exp.plus(leeway.exp),
                    Boundary::After => now <= exp.plus(leeway.exp),
                };
                ensure(exp.is_none_or(good), || {
                    Error::new(Code::TokenExpired).with_claim("exp")
                })
            }
            RegisteredCheck::Iat => {
                let good = |iat: NumericDate| now.plus(leeway.iat) >= iat;
                ensure(!rule.times.check_iat || iat.is_none_or(good), || {
                    Error::new(Code::TokenIssuedInFuture).with_claim("iat")
                })
            }
            RegisteredCheck::MaxAge => {
                let Some(max_age) = rule.times.max_age else {
                    return Ok(());
                };
                let iat = iat.ok_or_else(|| Error::new(Code::ClaimMissing).with_claim("iat"))?;
                ensure(now <= iat.plus(max_age).plus(leeway.iat), || {
                    Error::new(Code::TokenTooOld).with_claim("iat")
                })
            }
        }
    }
}

impl Times {
    /// Makes absent times up, where the rule says so.
    fn complete(
        exp: Option<NumericDate>,
        nbf: Option<NumericDate>,
        iat: Option<NumericDate>,
        rule: &TimesRule,
    ) -> Times {
        let present =
            |date: Option<NumericDate>| date.filter(|date| !(rule.zero_is_absent && date.is_zero()));
        let (exp, nbf, iat) = (present(exp), present(nbf), present(iat));
        let any = exp.is_some() || nbf.is_some() || iat.is_some();
        let Some(synthesis) = rule.synthesise.filter(|_| any) else {
            return Times { any, exp, nbf, iat };
        };
        let zero = NumericDate::from_seconds(0);
        let exp = exp.unwrap_or_else(|| {
            iat.unwrap_or(zero)
                .max(nbf.unwrap_or(zero))
                .plus(synthesis.exp_after)
        });
        let nbf = nbf.or(iat).unwrap_or_else(|| exp.minus(synthesis.nbf_before));
        Times {
            any,
            exp: Some(exp),
            nbf: Some(nbf),
            iat,
        }
    }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> Error) -> Result<()> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn invalid(claim: Registered, problem: &str) -> Error {
    Error::new(Code::ClaimInvalid)
        .with_claim(claim.name())
        .with_detail(problem)
}

fn wrong_type(claim: Registered, problem: &str) -> Error {
    invalid(claim, problem).misshapen()
}

/// A scalar as a list of one, or of its parts, a list as its elements.
fn elements<'v, 't>(value: &'v Value<'t>, split: Option<&str>) -> Result<Cow<'v, [Value<'t>]>, Code> {
    match (value, split) {
        (Value::String(text), Some(separator)) => Ok(text
            .split(separator)
            .filter(|part| !part.is_empty())
            .map(|part| Value::String(Cow::Owned(part.to_owned())))
            .collect()),
        (value, _) => unsplit(value),
    }
}

fn unsplit<'v, 't>(value: &'v Value<'t>) -> Result<Cow<'v, [Value<'t>]>, Code> {
    match value {
        Value::Null => Err(Code::ClaimMissing),
        Value::Object(_) => Err(Code::ClaimInvalid),
        Value::Array(items) => Ok(Cow::Borrowed(items)),
        scalar => Ok(Cow::Borrowed(std::slice::from_ref(scalar))),
    }
}

/// Deep equality: the same types, integers exactly, other numbers as doubles, members in any order.
fn equals(actual: &Value<'_>, expected: &Value<'_>) -> bool {
    match (actual, expected) {
        (Value::Number(actual), Value::Number(expected)) => match (actual, expected) {
            (Number::Float(_), _) | (_, Number::Float(_)) => actual.as_f64() == expected.as_f64(),
            // One double stands for several integers beyond 2^53, and identifiers are that large.
            (actual, expected) => actual == expected,
        },
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len() && actual.iter().zip(expected).all(|(a, e)| equals(a, e))
        }
        (Value::Object(actual), Value::Object(expected)) => {
            actual.len() == expected.len()
                && actual
                    .members()
                    .all(|(name, value)| expected.get(name).is_some_and(|e| equals(value, e)))
        }
        (actual, expected) => actual == expected,
    }
}

/// Whether a claim, or one of its elements, is one of these scalars by type and exact value.
fn any_of(
    found: &Found<'_, '_>,
    expected: &[Value<'_>],
    rule: &ClaimRule,
    document: &Document<'_>,
) -> Result<bool, Code> {
    let in_list = matches!(**found, Value::Array(_));
    // The token's text is read again for the rare number that a double alone does not decide, and at most once.
    let written = LazyCell::new(|| {
        let text = rule.select.find_text(document)?;
        if in_list {
            text::elements(text)
        } else {
            Some(vec![text])
        }
    });
    let is_exactly = |index: usize, integer: i128| match found {
        // What an expression made is written nowhere.
        Found::Made(_) => true,
        Found::Here(_) => {
            let text = written.as_ref().and_then(|texts| texts.get(index));
            text.and_then(|text| text::integer(text)) == Some(integer)
        }
    };
    let same = |index: usize, actual: &Value<'_>, expected: &Value<'_>| match (actual, expected) {
        (Value::Bool(actual), Value::Bool(expected)) => actual == expected,
        (Value::String(actual), Value::String(expected)) => actual == expected,
        (Value::Number(_), Value::Number(_)) if in_list && !rule.list_numbers => false,
        (Value::Number(actual), Value::Number(expected)) => {
            same_number(*actual, *expected, |integer| is_exactly(index, integer))
        }
        _ => false,
    };
    let actual = elements(found, rule.split.as_deref())?;
    let is_expected = |(index, one)| expected.iter().any(|bound| same(index, one, bound));
    Ok(actual.iter().enumerate().any(is_expected))
}

fn same_number(actual: Number, expected: Number, is_exactly: impl FnOnce(i128) -> bool) -> bool {
    // Beyond 2^53 a double stands for several integers, and could match one it was not written as.
    let alike = || actual.as_f64().abs() < EXACT && actual.as_f64() == expected.as_f64();
    match (actual, expected) {
        // Nor does a double tell 42.0 from 42.00000000000000000001, but the token's text does.
        (Number::Float(_), Number::Unsigned(integer)) => alike() && is_exactly(integer.into()),
        (Number::Float(_), Number::Signed(integer)) => alike() && is_exactly(integer.into()),
        (_, Number::Float(_)) => alike(),
        (actual, expected) => actual == expected,
    }
}

/// 2^53, below which every integer is a double of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;
