//! Access to the text of a value, as written in the document.
//!
//! A double cannot distinguish `42.0` from `42.00000000000000000001`. Where the difference matters, the text is read
//! again. [`parse`](super::parse()) has already checked these documents: names are unique and the nesting is limited.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Number, Object, Value, parse};

/// Reads the outermost object of a document whose nested values [`parse`](super::parse()) refuses. A member whose value is
/// refused becomes an empty object. `None` if the outermost object itself is invalid.
pub(crate) fn outer(document: &str) -> Option<Object<'_>> {
    let Members(texts) = serde_json::from_str(document).ok()?;
    let mut names: Vec<&str> = texts.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names
        .windows(2)
        .any(|pair| matches!(pair, [left, right] if left == right))
    {
        return None;
    }
    let members = texts.into_iter().map(|(name, text)| {
        let value = parse(text.get()).unwrap_or(Value::Object(Object::default()));
        (Cow::Owned(name), value)
    });
    Some(Object::from_unique(members.collect()))
}

/// The members of an object in order, with duplicates.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Members<'de>, D::Error> {
        reader.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = entries.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// Returns the text of the member with this name, if `object` is an object that has it.
pub(crate) fn member<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    let members: BTreeMap<String, &'t RawValue> = serde_json::from_str(object).ok()?;
    members.get(name).map(|value| value.get())
}

/// Returns the texts of the elements, if `list` is a list.
pub(crate) fn elements(list: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// Whether the text has every integer of `value`. The value of the text and `value` are equal as doubles.
pub(crate) fn has_integers(text: &str, value: &Value<'_>) -> bool {
    match value {
        Value::Number(Number::Unsigned(number)) => integer(text) == Some(i128::from(*number)),
        Value::Number(Number::Signed(number)) => integer(text) == Some(i128::from(*number)),
        Value::Array(items) => elements(text).is_some_and(|texts| {
            texts.len() == items.len()
                && texts
                    .iter()
                    .zip(items)
                    .all(|(text, item)| has_integers(text, item))
        }),
        Value::Object(object) => object
            .members()
            .all(|(name, item)| member(text, name).is_some_and(|text| has_integers(text, item))),
        Value::Number(Number::Float(_)) | Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

/// Whether the text is a list.
pub(crate) fn is_list(text: &str) -> bool {
    text.starts_with('[')
}

/// Returns the value of a number in any notation, if it is an integer of at most 64 bits and a sign.
pub(crate) fn integer(number: &str) -> Option<i128> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (number, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => (true, mantissa),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let significant = digits.trim_end_matches('0');
    let zeros = digits.len() - significant.len();
    let shift = exponent
        .checked_add(i64::try_from(zeros).ok()?)?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let shift = usize::try_from(shift).ok()?;
    if significant.len().checked_add(shift)? > MAX_DIGITS {
        return None;
    }
    let value: i128 = format!("{significant}{}", "0".repeat(shift)).parse().ok()?;
    Some(if negative { -value } else { value })
}

/// Whether two numbers in any notation have the same value. False if an exponent is beyond 64 bits.
pub(crate) fn same_number(one: &str, other: &str) -> bool {
    decimal(one).is_some_and(|one| decimal(other) == Some(one))
}

/// Returns the sign, the digits without zeros at either end, and the exponent of the last digit.
fn decimal(number: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (number, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => (true, mantissa),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let exponent = exponent
        .checked_add(zeros)?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?;
    Some((negative, significant.trim_start_matches('0').to_owned(), exponent))
}

/// Whether the text is an integer without a fraction or an exponent.
pub(crate) fn is_plain_integer(number: &str) -> bool {
    !number.contains(['.', 'e', 'E'])
}

/// The number of decimal digits of 2^64.
const MAX_DIGITS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_different_notations_are_compared_by_value() {
        for (one, other, same) in [
            ("7.50", "7.5", true),
            ("1e2", "100.0", true),
            ("-0.0", "0", true),
            ("0.025e3", "25", true),
            ("-1", "1", false),
            ("42.0", "42.00000000000000000001", false),
            ("18446744073709551616", "18446744073709551617", false),
            ("1e9223372036854775808", "1e9223372036854775808", false),
        ] {
            assert_eq!(same_number(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn integers_are_read_in_every_notation() {
        for text in [
            "42",
            "42.0",
            "42.000",
            "4.2e1",
            "420e-1",
            "0.42E2",
            "42e0",
            "4200.00e-2",
        ] {
            assert_eq!(integer(text), Some(42), "{text}");
        }
        for text in ["0", "-0", "0.0", "0e99999999", "-0.000e-5"] {
            assert_eq!(integer(text), Some(0), "{text}");
        }
        assert_eq!(integer("-1e3"), Some(-1000));
        assert_eq!(integer("18446744073709551616"), Some(1 << 64));
    }

    #[test]
    fn other_numbers_are_not_integers() {
        for text in [
            "42.00000000000000000001",
            "42.9",
            "1e-1",
            "1e21",
            "1e99999999999999999999",
            "123456789012345678901",
        ] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn texts_are_found_by_name_and_index() {
        let text = r#"{"a": [1, 2.50], "b\u0063": {"d": 1e2}}"#;
        let list = member(text, "a").unwrap();
        assert!(is_list(list));
        assert_eq!(elements(list), Some(vec!["1", "2.50"]));
        assert_eq!(elements(text), None);
        assert_eq!(member(member(text, "bc").unwrap(), "d"), Some("1e2"));
        assert_eq!(member(list, "a"), None);
    }
}
