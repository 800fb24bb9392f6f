//! Rules about single claims.

use std::borrow::Cow;
use std::cell::LazyCell;

use crate::error::{Code, Error, Result};
use crate::expr::{Document, Found, Selection};
use crate::json::{Number, Value, text};
use crate::policy::{ClaimRule, ClaimTest};

/// Checks one rule about one claim.
///
/// # Errors
/// [`Code::ClaimMissing`], [`Code::ClaimInvalid`], [`Code::ClaimMismatch`].
pub(crate) fn holds(rule: &ClaimRule, document: &Document<'_>) -> Result<()> {
    let fail = |code: Code| match &rule.select {
        Selection::JmesPath(expression) => Error::new(code).with_detail(expression.shown()),
        select => Error::new(code)
            .with_claim(select.name())
            .with_detail(format!("`{}`", rule.place)),
    };
    let found = rule
        .select
        .find(document)
        .map_err(|why| Error::new(Code::ClaimMismatch).with_detail(why))?;
    let Some(found) = found else {
        return Err(fail(Code::ClaimMissing));
    };
    let holds = match &rule.test {
        ClaimTest::Equals(expected) => {
            equals(&found, expected) && is_written_as(expected, &found, &rule.select, document)
        }
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

/// A list as its elements. A scalar becomes a list of one, or of the parts of its text.
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

/// Deep equality: types are equal, numbers are equal as far as doubles can show; the order of members is ignored.
fn equals(actual: &Value<'_>, expected: &Value<'_>) -> bool {
    match (actual, expected) {
        (Value::Number(actual), Value::Number(expected)) => same_number(*actual, *expected, |_| true),
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

/// Whether the token's text has the expected integers. It is for a value that equals the expected one: a double cannot
/// distinguish 42 from 42.00000000000000000001, but the text can.
fn is_written_as(
    expected: &Value<'_>,
    found: &Found<'_, '_>,
    select: &Selection,
    document: &Document<'_>,
) -> bool {
    match found {
        // The result of an expression has no text in the token.
        Found::Made(_) if matches!(select, Selection::JmesPath(_)) => true,
        Found::Here(value) if !holds_float(value) => true,
        Found::Here(_) | Found::Made(_) => {
            let text = select.find_text(document);
            text.is_some_and(|text| text::has_integers(text, expected))
        }
    }
}

fn holds_float(value: &Value<'_>) -> bool {
    match value {
        Value::Number(Number::Float(_)) => true,
        Value::Array(items) => items.iter().any(holds_float),
        Value::Object(object) => object.members().any(|(_, value)| holds_float(value)),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Number(_) => false,
    }
}

/// Whether a claim, or one of its elements, equals one of these scalars in type and exact value.
fn any_of(
    found: &Found<'_, '_>,
    expected: &[Value<'_>],
    rule: &ClaimRule,
    document: &Document<'_>,
) -> Result<bool, Code> {
    let in_list = matches!(**found, Value::Array(_));
    // The token's text is read again, at most once, for the rare number that a double alone does not decide.
    let written = LazyCell::new(|| {
        let text = rule.select.find_text(document)?;
        if in_list {
            text::elements(text)
        } else {
            Some(vec![text])
        }
    });
    let is_exactly = |index: usize, integer: i128| match found {
        // The result of an expression has no text in the token.
        Found::Made(_) => true,
        Found::Here(_) => {
            let text = written.as_ref().and_then(|texts| texts.get(index));
            text.and_then(|text| text::integer(text)) == Some(integer)
        }
    };
    let same = |index: usize, actual: &Value<'_>, expected: &Value<'_>| match (actual, expected) {
        // A claim that is itself null counts as missing.
        (Value::Null, Value::Null) => in_list,
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
    // Beyond 2^53 a double represents several integers, and could match one that the token does not contain.
    let alike = || actual.as_f64().abs() < EXACT && actual.as_f64() == expected.as_f64();
    match (actual, expected) {
        // A double cannot distinguish 42.0 from 42.00000000000000000001, but the token's text can.
        (Number::Float(_), Number::Unsigned(integer)) => alike() && is_exactly(integer.into()),
        (Number::Float(_), Number::Signed(integer)) => alike() && is_exactly(integer.into()),
        (_, Number::Float(_)) => alike(),
        (actual, expected) => actual == expected,
    }
}

/// 2^53. Below it, every integer has a separate double.
const EXACT: f64 = 9_007_199_254_740_992.0;
