//! The fields of Vault's bodies: how values are converted, and what a reply shows for a field that was never set.

use serde_json::{Map, Number, Value};

/// How a field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    LowerText,
    Boolean,
    Integer,
    /// Whole seconds, not negative.
    Duration,
    /// Whole seconds.
    SignedDuration,
    /// A list of texts, or one text with commas.
    Texts,
    List,
    Map,
    Pairs,
}

/// Converts a value. `None`: it counts as not given.
///
/// # Errors
/// The reason, in words that are close to Vault's.
pub(super) fn convert(kind: Kind, value: &Value) -> Result<Option<Value>, String> {
    let converted = match kind {
        Kind::Text => text(value)?.into(),
        Kind::LowerText => text(value)?.to_lowercase().into(),
        Kind::Boolean => boolean(value)?.into(),
        Kind::Integer => integer(value)?.into(),
        Kind::Duration | Kind::SignedDuration if value.is_null() => return Ok(None),
        Kind::Duration => match seconds(value)? {
            negative if negative < 0 => return Err(format!("cannot provide negative value '{negative}'")),
            seconds => seconds.into(),
        },
        Kind::SignedDuration => seconds(value)?.into(),
        Kind::Texts => texts(value)?.into(),
        Kind::List => list(value),
        Kind::Map => map(value)?.into(),
        Kind::Pairs => pairs(value)?.into(),
    };
    Ok(Some(converted))
}

fn text(value: &Value) -> Result<String, String> {
    Ok(match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => if *value { "1" } else { "0" }.to_owned(),
        Value::Null => String::new(),
        Value::Array(_) | Value::Object(_) => {
            return Err(format!("expected type 'string', got {}", name(value)));
        }
    })
}

fn boolean(value: &Value) -> Result<bool, String> {
    Ok(match value {
        Value::Bool(value) => *value,
        Value::Null => false,
        Value::Number(number) if number.as_i64() == Some(0) => false,
        Value::Number(number) if number.as_i64() == Some(1) => true,
        Value::String(text) => match text.as_str() {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => true,
            "" | "0" | "f" | "F" | "FALSE" | "false" | "False" => false,
            _ => return Err("cannot parse as bool: strconv.ParseBool: invalid syntax".to_owned()),
        },
        _ => return Err(format!("expected type 'bool', got {}", name(value))),
    })
}

fn integer(value: &Value) -> Result<i64, String> {
    let wrong = || "cannot parse as int: strconv.ParseInt: invalid syntax".to_owned();
    match value {
        Value::Null => Ok(0),
        Value::Bool(value) => Ok((*value).into()),
        Value::Number(number) => number.as_i64().ok_or_else(wrong),
        Value::String(text) if text.is_empty() => Ok(0),
        Value::String(text) => based(text).ok_or_else(wrong),
        Value::Array(_) | Value::Object(_) => Err(format!("expected type 'int', got {}", name(value))),
    }
}

/// Reads an integer with the prefix of its base.
fn based(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, base) = [("0x", 16), ("0b", 2), ("0o", 8)]
        .into_iter()
        .find_map(|(prefix, base)| Some((lower.strip_prefix(prefix)?, base)))
        .or_else(|| Some((lower.strip_prefix('0').filter(|rest| !rest.is_empty())?, 8)))
        .unwrap_or((lower.as_str(), 10));
    // A second sign is no digit.
    if !digits.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
        return None;
    }
    i64::from_str_radix(digits, base).ok()?.checked_mul(sign)
}

fn seconds(value: &Value) -> Result<i64, String> {
    let wrong = |text: &str| format!("time: invalid duration \"{text}\"");
    match value {
        Value::Number(number) => number
            .as_i64()
            .ok_or_else(|| format!("time: missing unit in duration \"{number}\"")),
        Value::String(text) => {
            let text = text.trim();
            if text.is_empty() {
                return Ok(0);
            }
            if let Ok(seconds) = text.parse() {
                return Ok(seconds);
            }
            if let Some(days) = text.strip_suffix('d') {
                let days = days.parse::<i64>().ok();
                return days
                    .and_then(|days| days.checked_mul(86_400))
                    .ok_or_else(|| wrong(text));
            }
            let (negative, duration) = jwtauth_core::internals::parse_go(text).ok_or_else(|| wrong(text))?;
            let whole = i64::try_from(duration.as_secs()).map_err(|_| wrong(text))?;
            Ok(if negative { -whole } else { whole })
        }
        other => Err(format!("expected a duration, got {}", name(other))),
    }
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let trimmed = |text: &str| text.trim().to_owned();
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Object(members) if members.is_empty() => Ok(Vec::new()),
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::String(list) => Ok(list.split(',').map(trimmed).collect()),
        Value::Array(items) => items
            .iter()
            .map(|item| text(item).map(|text| trimmed(&text)))
            .collect(),
        Value::Bool(_) | Value::Number(_) => Ok(vec![text(value)?]),
        Value::Object(_) => Err("expected type 'string' in the list, got an object".to_owned()),
    }
}

fn list(value: &Value) -> Value {
    match value {
        Value::Array(_) => value.clone(),
        Value::Null => Value::Array(Vec::new()),
        Value::Object(members) if members.is_empty() => Value::Array(Vec::new()),
        single => Value::Array(vec![single.clone()]),
    }
}

fn map(value: &Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(members) => Ok(members.clone()),
        Value::Array(items) => {
            let mut merged = Map::new();
            for item in items {
                merged.extend(map(item)?);
            }
            Ok(merged)
        }
        _ => Err(format!("expected a map, got {}", name(value))),
    }
}

fn pairs(value: &Value) -> Result<Map<String, Value>, String> {
    let pair = |item: &str| {
        let (key, value) = item.split_once('=').ok_or("expected 'key=value'")?;
        Ok::<_, String>((key.to_owned(), Value::from(value)))
    };
    match value {
        Value::Array(items) => {
            let mut merged = Map::new();
            for item in items {
                match item {
                    Value::String(text) => merged.extend([pair(text)?]),
                    other => merged.extend(pairs(other)?),
                }
            }
            Ok(merged)
        }
        Value::String(text) => Ok(Map::from_iter([pair(text)?])),
        other => map(other)?
            .iter()
            .map(|(key, value)| Ok((key.clone(), text(value)?.into())))
            .collect(),
    }
}

/// The kind of a value, for errors. The value itself may be a secret.
fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What Vault says about a value of the wrong type. It repeats the value, which may be a secret, and this does not.
pub(super) fn field_error(name: &str, why: &str) -> String {
    format!("Field validation failed: error converting input for field \"{name}\": {why}")
}

/// What a reply shows for a field that was never set.
pub(super) fn unset(kind: Kind) -> Value {
    match kind {
        Kind::Text | Kind::LowerText => "".into(),
        Kind::Boolean => false.into(),
        Kind::Integer | Kind::Duration | Kind::SignedDuration => Number::from(0).into(),
        Kind::Texts | Kind::List => Value::Array(Vec::new()),
        Kind::Map | Kind::Pairs => Value::Object(Map::new()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_converted_as_in_vault() {
        for (kind, value, expected) in [
            (Kind::Text, json!(5), json!("5")),
            (Kind::Text, json!(true), json!("1")),
            (Kind::Text, json!(null), json!("")),
            (Kind::LowerText, json!("Web"), json!("web")),
            (Kind::Boolean, json!("T"), json!(true)),
            (Kind::Boolean, json!(""), json!(false)),
            (Kind::Integer, json!("0x10"), json!(16)),
            (Kind::Integer, json!("010"), json!(8)),
            (Kind::Integer, json!("0"), json!(0)),
            (Kind::Duration, json!("1h30m"), json!(5400)),
            (Kind::Duration, json!("1500ms"), json!(1)),
            (Kind::Duration, json!("7d"), json!(604_800)),
            (Kind::Duration, json!(90), json!(90)),
            (Kind::SignedDuration, json!("-500ms"), json!(0)),
            (Kind::SignedDuration, json!(-1), json!(-1)),
            (Kind::Texts, json!("a, b,"), json!(["a", "b", ""])),
            (Kind::Texts, json!(["a,b", 5]), json!(["a,b", "5"])),
            (Kind::Texts, json!(""), json!([])),
            (Kind::List, json!({ "a": 1 }), json!([{ "a": 1 }])),
            (
                Kind::Map,
                json!([{ "a": 1 }, { "b": 2 }]),
                json!({ "a": 1, "b": 2 }),
            ),
            (
                Kind::Pairs,
                json!(["a=b", "c=d=e"]),
                json!({ "a": "b", "c": "d=e" }),
            ),
            (Kind::Pairs, json!({ "a": 5 }), json!({ "a": "5" })),
        ] {
            assert_eq!(convert(kind, &value), Ok(Some(expected)), "{kind:?} {value}");
        }
        assert_eq!(convert(Kind::Duration, &json!(null)), Ok(None));
    }

    #[test]
    fn other_values_are_refused() {
        for (kind, value) in [
            (Kind::Text, json!([])),
            (Kind::Boolean, json!("yes")),
            (Kind::Boolean, json!(2)),
            (Kind::Integer, json!("1.5")),
            (Kind::Integer, json!("--1")),
            (Kind::Duration, json!("-5s")),
            (Kind::Duration, json!(1.5)),
            (Kind::Duration, json!("1.5")),
            (Kind::Texts, json!({ "a": 1 })),
            (Kind::Map, json!("a")),
            (Kind::Pairs, json!({ "a": [] })),
            (Kind::Pairs, json!("a")),
        ] {
            assert!(convert(kind, &value).is_err(), "{kind:?} {value}");
        }
    }
}
