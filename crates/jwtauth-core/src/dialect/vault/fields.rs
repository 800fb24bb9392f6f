//! The types of Vault's fields, and the spellings that Vault accepts for each.
//!
//! Vault accepts what people usually send: `"true"` for a boolean; `90`, `"90"`, `"90s"` or `"1d"` for a duration; one
//! string with commas for a list. `null` is the empty value; for a duration it means absent.

use std::collections::BTreeMap;

use crate::duration::parse_go;
use crate::error::Result;
use crate::expr::go_integer;
use crate::json::{Number, Value};
use crate::members::{Field, Members};
use crate::ordered;

/// Reads a member. An absent member has the empty value of its type.
pub(super) fn or_empty<'a, 't, T: Default>(
    members: &mut Members<'a, 't>,
    name: &'static str,
    kind: impl FnOnce(&Field<'a, 't>) -> Result<T>,
) -> Result<T> {
    members.read_nullable(name, kind).map(Option::unwrap_or_default)
}

/// Reads a string. A number is converted to the text as written, `true` to `1`.
pub(super) fn string(field: &Field<'_, '_>) -> Result<String> {
    match field.value() {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone().into_owned()),
        Value::Bool(value) => Ok(if *value { "1" } else { "0" }.to_owned()),
        // Vault keeps the number as written. The JSON tree does not, and another spelling would be a different text.
        Value::Number(Number::Float(_)) => Err(field.error(
            "a number with a fraction or an exponent, `-0` or a number beyond 64 bits is ambiguous here; write it as a string",
        )),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(wanted(field, "a string")),
    }
}

/// Reads a string and converts it to lower case, because its case does not matter.
pub(super) fn lower_string(field: &Field<'_, '_>) -> Result<String> {
    Ok(string(field)?.to_lowercase())
}

/// Reads a boolean, or a value that Go's `ParseBool` accepts.
pub(super) fn boolean(field: &Field<'_, '_>) -> Result<bool> {
    match field.value() {
        Value::Null => Ok(false),
        Value::Bool(value) => Ok(*value),
        Value::Number(Number::Unsigned(value @ (0 | 1))) => Ok(*value == 1),
        Value::String(text) => match text.as_ref() {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" | "" => Ok(false),
            _ => Err(wanted(field, "true or false")),
        },
        _ => Err(wanted(field, "true or false")),
    }
}

/// Reads an integer, or a string with an integer in Go's syntax.
pub(super) fn integer(field: &Field<'_, '_>) -> Result<i64> {
    let value = match field.value() {
        Value::Null | Value::Bool(false) => Some(0),
        Value::Bool(true) => Some(1),
        Value::Number(Number::Unsigned(value)) => i64::try_from(*value).ok(),
        Value::Number(Number::Signed(value)) => Some(*value),
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => go_integer(text),
        _ => None,
    };
    value.ok_or_else(|| wanted(field, "an integer"))
}

/// Reads a duration in whole seconds, which must not be negative. Returns `None` for `null`.
pub(super) fn duration(field: &Field<'_, '_>) -> Result<Option<u64>> {
    match signed_duration(field)? {
        None => Ok(None),
        Some(seconds) => match u64::try_from(seconds) {
            Ok(seconds) => Ok(Some(seconds)),
            Err(_) => Err(field.error(format!("cannot provide negative value '{seconds}'"))),
        },
    }
}

/// Reads a duration in whole seconds; fractions of a second are dropped. Returns `None` for `null`.
pub(super) fn signed_duration(field: &Field<'_, '_>) -> Result<Option<i64>> {
    let seconds = match field.value() {
        Value::Null => return Ok(None),
        Value::Number(Number::Unsigned(seconds)) => i64::try_from(*seconds).ok(),
        Value::Number(Number::Signed(seconds)) => Some(*seconds),
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => seconds(text),
        _ => None,
    };
    // Go counts nanoseconds in 64 bits and cannot represent longer durations.
    let seconds = seconds.filter(|seconds| seconds.checked_mul(1_000_000_000).is_some());
    match seconds {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(wanted(
            field,
            "a duration such as 90, \"90s\", \"1h30m\" or \"7d\"",
        )),
    }
}

/// Reads a list of strings, one string with commas, or one other scalar. Every element is trimmed, and empty elements
/// are kept.
pub(super) fn comma_list(field: &Field<'_, '_>) -> Result<Vec<String>> {
    let elements: Vec<String> = match field.value() {
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => text.split(',').map(str::to_owned).collect(),
        Value::Number(_) | Value::Bool(_) => vec![string(field)?],
        Value::Array(_) => field.items()?.iter().map(string).collect::<Result<_>>()?,
        Value::Object(object) if object.is_empty() => Vec::new(),
        Value::Object(_) => return Err(wanted(field, "a list of strings, or a string with commas")),
    };
    Ok(elements.iter().map(|element| element.trim().to_owned()).collect())
}

/// Reads a list of any values. A single value is a list with one element.
pub(super) fn list<'a, 't>(field: &Field<'a, 't>) -> Result<Vec<Field<'a, 't>>> {
    match field.value() {
        Value::Null => Ok(Vec::new()),
        Value::Object(object) if object.is_empty() => Ok(Vec::new()),
        Value::Array(_) => field.items(),
        _ => Ok(vec![field.clone()]),
    }
}

/// Reads an object, or a list of such values, which are merged.
pub(super) fn map<'a, 't>(field: &Field<'a, 't>) -> Result<BTreeMap<&'a str, Field<'a, 't>>> {
    match field.value() {
        Value::Null => Ok(BTreeMap::new()),
        Value::Object(_) => Ok(ordered::collect(field.entries()?)),
        Value::Array(_) => {
            let mut merged = BTreeMap::new();
            for item in field.items()? {
                merged.extend(map(&item)?);
            }
            Ok(merged)
        }
        _ => Err(wanted(field, "an object")),
    }
}

/// Reads an object whose values are scalars, a list of such objects, which are merged, a list of strings like
/// `name=value`, or one such string. It is not split at commas.
pub(super) fn key_values(field: &Field<'_, '_>) -> Result<BTreeMap<String, String>> {
    match field.value() {
        Value::String(_) => Ok(ordered::collect([pair(field)?])),
        Value::Array(items) if items.iter().any(|item| item.as_str().is_some()) => {
            ordered::try_collect(field.items()?.iter().map(pair))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => {
            let pairs = map(field)?.into_iter();
            ordered::try_collect(pairs.map(|(name, value)| Ok((name.to_owned(), string(&value)?))))
        }
        Value::Bool(_) | Value::Number(_) => Err(wanted(field, "an object of strings")),
    }
}

fn pair(field: &Field<'_, '_>) -> Result<(String, String)> {
    match field.value().as_str().and_then(|text| text.split_once('=')) {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(wanted(field, "a string like \"name=value\"")),
    }
}

/// Reads seconds without a unit, days, or a Go duration. Returns `None` for any other text.
fn seconds(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    if let Some(days) = text.strip_suffix('d') {
        return days.parse::<i64>().ok()?.checked_mul(86_400);
    }
    let (negative, duration) = parse_go(text)?;
    let seconds = i64::try_from(duration.as_secs()).ok()?;
    Some(if negative { -seconds } else { seconds })
}

fn wanted(field: &Field<'_, '_>, what: &str) -> crate::Error {
    let text = match field.value() {
        Value::String(text) => format!("must be {what}, not `{text}`"),
        value => format!("must be {what}, not {}", value.type_name()),
    };
    field.error(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::json;

    fn with<T>(text: &str, kind: impl FnOnce(&Field<'_, '_>) -> Result<T>) -> Option<T> {
        let value = json::parse(text).unwrap();
        kind(&Field::root(&value, Code::ConfigInvalid)).ok()
    }

    #[test]
    fn scalars_become_strings() {
        for (text, expected) in [
            (r#""a b""#, Some("a b")),
            ("42", Some("42")),
            ("-7", Some("-7")),
            ("true", Some("1")),
            ("false", Some("0")),
            ("null", Some("")),
            ("4.2e1", None),
            ("[]", None),
            ("{}", None),
        ] {
            assert_eq!(with(text, string).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn booleans_are_read_as_in_go() {
        for text in ["true", "1", r#""1""#, r#""t""#, r#""True""#] {
            assert_eq!(with(text, boolean), Some(true), "{text}");
        }
        for text in ["false", "0", r#""""#, "null", r#""F""#] {
            assert_eq!(with(text, boolean), Some(false), "{text}");
        }
        for text in ["2", r#""yes""#, r#""tRUE""#, "[]", "1.0"] {
            assert_eq!(with(text, boolean), None, "{text}");
        }
    }

    #[test]
    fn integers_are_read_with_a_base_prefix() {
        for (text, expected) in [
            ("12", Some(12)),
            ("-3", Some(-3)),
            (r#""0x10""#, Some(16)),
            (r#""010""#, Some(8)),
            (r#""-0b11""#, Some(-3)),
            (r#""""#, Some(0)),
            ("true", Some(1)),
            ("null", Some(0)),
            ("1.5", None),
            (r#""12a""#, None),
            ("18446744073709551615", None),
        ] {
            assert_eq!(with(text, integer), expected, "{text}");
        }
    }

    #[test]
    fn durations_are_in_seconds_in_days_or_in_go_syntax() {
        for (text, expected) in [
            ("90", Some(Some(90))),
            (r#""90""#, Some(Some(90))),
            (r#""1h30m""#, Some(Some(5400))),
            (r#""1.5h""#, Some(Some(5400))),
            (r#""1500ms""#, Some(Some(1))),
            (r#""500ms""#, Some(Some(0))),
            (r#""-500ms""#, Some(Some(0))),
            (r#""2d""#, Some(Some(172_800))),
            (r#""""#, Some(Some(0))),
            ("null", Some(None)),
            ("-5", None),
            (r#""-5s""#, None),
            (r#""-1d""#, None),
            ("1.5", None),
            (r#""1.5""#, None),
            (r#""1.5d""#, None),
            (r#""abc""#, None),
            ("true", None),
            ("9223372036854775807", None),
        ] {
            assert_eq!(with(text, duration), expected, "{text}");
        }
        assert_eq!(with(r#""-90s""#, signed_duration), Some(Some(-90)));
        assert_eq!(with(r#""-1d""#, signed_duration), Some(Some(-86_400)));
        assert_eq!(with("-5", signed_duration), Some(Some(-5)));
    }

    #[test]
    fn lists_are_texts_with_commas_or_json_lists() {
        for (text, expected) in [
            (r#""a, b""#, Some(vec!["a", "b"])),
            (r#""a,""#, Some(vec!["a", ""])),
            (r#""""#, Some(vec![])),
            (r#"["a,b", " c "]"#, Some(vec!["a,b", "c"])),
            (r"[1, true]", Some(vec!["1", "1"])),
            ("5", Some(vec!["5"])),
            ("null", Some(vec![])),
            ("true", Some(vec!["1"])),
            ("[null]", Some(vec![""])),
            ("{}", Some(vec![])),
            (r#"{"a":1}"#, None),
            (r#"[["a"]]"#, None),
        ] {
            let expected = expected.map(|list| list.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(with(text, comma_list), expected, "{text}");
        }
    }

    #[test]
    fn maps_are_objects_or_lists() {
        let names = |text| {
            with(text, |field| {
                Ok(map(field)?.into_keys().map(str::to_owned).collect::<Vec<_>>())
            })
        };
        assert_eq!(
            names(r#"[{"a":1},{"b":2}]"#),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
        for text in ["[]", "[null]", "[[]]", "[{}]"] {
            assert_eq!(names(text), Some(vec![]), "{text}");
        }
        assert_eq!(names(r#"[{"a":1},null,[{"a":2}]]"#), Some(vec!["a".to_owned()]));
        assert_eq!(names(r#""a=b""#), None);
        let pairs = |text| with(text, key_values).map(|map| map.into_iter().collect::<Vec<_>>());
        let one = |name: &str, value: &str| Some(vec![(name.to_owned(), value.to_owned())]);
        assert_eq!(pairs(r#"{"a":1}"#), one("a", "1"));
        assert_eq!(pairs(r#"["a=b=c"]"#), one("a", "b=c"));
        assert_eq!(pairs(r#"{"a":{}}"#), None);
        assert_eq!(pairs(r#"["a"]"#), None);
        assert_eq!(pairs(r#"["=b"]"#), None);
        assert_eq!(pairs(r#""a=b,c=d""#), one("a", "b,c=d"));
        assert_eq!(pairs(r#""a""#), None);
        assert_eq!(pairs("\"\""), None);
        assert_eq!(pairs("true"), None);
        assert_eq!(pairs(r#"[{"a":"x"},null,{"a":"b"}]"#), one("a", "b"));
        assert_eq!(pairs(r#"["a=x","a=b"]"#), one("a", "b"));
        assert_eq!(pairs(r#"[{"a":"b"},"c=d"]"#), None);
        assert_eq!(pairs(r#"[null,"c=d"]"#), None);
        assert_eq!(pairs("[null]"), Some(vec![]));
        assert_eq!(pairs(r#"[{"a":[]}]"#), None);
        assert_eq!(pairs(r#"{"":"b"}"#), one("", "b"));
    }
}
