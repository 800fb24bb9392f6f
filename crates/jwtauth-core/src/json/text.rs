//! How exactly is a value written?
//!
//! A double cannot tell `42.0` from `42.00000000000000000001`, so where that matters the text is read again. The
//! documents were checked by [`parse`](super::parse) before; names are unique and the nesting is bounded.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The text of the member of this name, when the text is an object that has one.
pub(crate) fn member<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    let members: BTreeMap<String, &'t RawValue> = serde_json::from_str(object).ok()?;
    members.get(name).map(|value| value.get())
}

/// The texts of the elements, when the text is a list.
pub(crate) fn elements(list: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// Whether the text is a list.
pub(crate) fn is_list(text: &str) -> bool {
    text.starts_with('[')
}

/// The value of a number, however it is written, when it is an integer of at most 64 bits and a sign.
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

/// Whether two numbers have the same value, however they are written. False if an exponent is beyond 64 bits.
pub(crate) fn same_number(one: &str, other: &str) -> bool {
    decimal(one).is_some_and(|one| decimal(other) == Some(one))
}

/// The sign, the digits without zeros at either end, and the exponent of the last digit.
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

/// 2^64 has twenty.
const MAX_DIGITS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
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
    fn an_integer_is_one_however_it_is_written() {
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
    fn what_is_not_exactly_an_integer_is_none() {
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
    fn values_are_found_by_name_and_index() {
        let text = r#"{"a": [1, 2.50], "b\u0063": {"d": 1e2}}"#;
        let list = member(text, "a").unwrap();
        assert!(is_list(list));
        assert_eq!(elements(list), Some(vec!["1", "2.50"]));
        assert_eq!(elements(text), None);
        assert_eq!(member(member(text, "bc").unwrap(), "d"), Some("1e2"));
        assert_eq!(member(list, "a"), None);
    }
}
