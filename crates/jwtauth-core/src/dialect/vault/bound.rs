//! Claim rules from `bound_claims`.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::expr::{Glob, IndexRule, Pointer, Selection};
use crate::json::{Number, Value};
use crate::members::Field;
use crate::policy::{ClaimRule, ClaimTest};
use crate::warning::{Rule, Warning};

/// Selects a claim: a key that starts with `/` is a JSON pointer, any other key is the name of a top-level claim.
pub(super) fn select(key: &str) -> Selection {
    let pointer = key
        .starts_with('/')
        .then(|| Pointer::parse(key, IndexRule::Go))
        .flatten();
    match pointer {
        Some(pointer) => Selection::Pointer(pointer),
        None => Selection::claim(key),
    }
}

/// Returns one rule for each bound claim, sorted by name.
pub(super) fn claim_rules(
    bound: &BTreeMap<&str, Field<'_, '_>>,
    glob: bool,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<ClaimRule>> {
    let rule = |(key, expected): (&&str, &Field<'_, '_>)| {
        let test = if glob {
            ClaimTest::Glob(globs(expected)?)
        } else {
            ClaimTest::AnyOf(scalars(expected, warnings)?)
        };
        // Vault compares a number only with a claim that is itself a number, not with the elements of a list.
        let has_numbers = matches!(&test, ClaimTest::AnyOf(values) if values.iter().any(is_number));
        Ok(ClaimRule {
            list_numbers: !has_numbers,
            ..ClaimRule::new(select(key), test, expected.path())
        })
    };
    bound.iter().map(rule).collect()
}

fn globs(expected: &Field<'_, '_>) -> Result<Vec<Glob>> {
    let one = |item: &Field<'_, '_>| match item.value() {
        Value::String(text) => Ok(Glob::new(text.as_ref())),
        _ => Err(item.error("claim is not a string")),
    };
    match expected.value() {
        Value::Array(_) => expected.items()?.iter().map(one).collect(),
        Value::Object(_) | Value::Null => Err(expected.error("claim is not a string or list")),
        _ => Ok(vec![one(expected)?]),
    }
}

/// Returns the values that a claim may have, without those that no claim can have.
///
/// # Errors
/// A list contains an object or a list: Vault fails when it compares two of them.
fn scalars(expected: &Field<'_, '_>, warnings: &mut Vec<Warning>) -> Result<Vec<Value<'static>>> {
    let items = match expected.value() {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut possible = Vec::with_capacity(items.len());
    let in_list = expected.value().as_array().is_some();
    for item in items {
        match impossible(item) {
            Some(_) if in_list && is_tree(item) => {
                return Err(expected.error(
                    "a list of values must not contain an object or a list: Vault fails if the token contains one too",
                ));
            }
            // A null in a list matches a list that contains null. A claim that is null is missing.
            Some(_) if in_list && item.is_null() => possible.push(Value::Null),
            Some(why) => warnings.push(warning(Rule::BoundValueNeverMatches, expected, why)),
            None => possible.push(item.clone().into_owned()),
        }
        if item.as_str().is_some_and(|text| text.contains('*')) {
            warnings.push(warning(
                Rule::LiteralStar,
                expected,
                "`*` is a literal character here; for a pattern set `bound_claims_type` to \"glob\"",
            ));
        }
    }
    if items.is_empty() {
        warnings.push(warning(
            Rule::BoundValueNeverMatches,
            expected,
            "an empty list never matches, so every login is denied",
        ));
    }
    Ok(possible)
}

/// Returns the reason why no claim can have this value, if there is one.
fn impossible(expected: &Value<'_>) -> Option<&'static str> {
    match expected {
        Value::Bool(_) | Value::String(_) => None,
        Value::Number(Number::Float(_)) => Some(
            "a number written with a fraction, an exponent, `-0` or beyond 64 bits never matches; write a plain integer",
        ),
        Value::Number(number) if !is_double(*number) => Some(
            "an integer that a 64-bit float cannot represent exactly never matches; bind a string claim instead",
        ),
        Value::Number(_) => None,
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Some("bound claim is not a string, bool, int or list; it never matches")
        }
    }
}

fn is_tree(value: &Value<'_>) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

fn is_number(value: &Value<'_>) -> bool {
    matches!(value, Value::Number(_))
}

/// Whether a number can match. Vault converts claims to doubles and then to 64-bit integers; a number that this
/// changes never matches.
#[expect(clippy::cast_precision_loss, reason = "this function tests for the loss")]
fn is_double(number: Number) -> bool {
    let survives = |integer: i64| integer as f64 as i128 == i128::from(integer);
    match number {
        Number::Unsigned(integer) => i64::try_from(integer).is_ok_and(survives),
        Number::Signed(integer) => survives(integer),
        Number::Float(_) => false,
    }
}

fn warning(rule: Rule, field: &Field<'_, '_>, message: &str) -> Warning {
    Warning::new(rule, field.path(), message)
}
