//! What a check saw: the shape of a value, and the value.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::claims::NumericDate;
use crate::json::{Object, Value};

/// What a check saw of the request or the token. Only `value` contains anything from it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Seen {
    /// The type: `string`, `number`, `boolean`, `list`, `object`, `null`, or `absent`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The number of elements of a list, or of members of an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// The length of a text, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// The time minus the time of the decision, in seconds. It is negative for a time in the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
    /// The time of the decision, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<i64>,
    /// The value as JSON text, if values may be shown. A signature is never shown.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "raw_json")]
    pub value: Option<String>,
}

impl Seen {
    /// The shape of a value, and the value.
    pub(crate) fn of(value: Option<&Value<'_>>) -> Seen {
        let Some(value) = value else {
            return Seen {
                kind: "absent",
                ..Seen::default()
            };
        };
        let (kind, count, length) = match value {
            Value::Null => ("null", None, None),
            Value::Bool(_) => ("boolean", None, None),
            Value::Number(_) => ("number", None, None),
            Value::String(text) => ("string", None, Some(text.len())),
            Value::Array(items) => ("list", Some(items.len()), None),
            Value::Object(object) => ("object", Some(object.len()), None),
        };
        Seen {
            kind,
            count,
            length,
            value: serde_json::to_string(value).ok(),
            ..Seen::default()
        }
    }

    /// The number of members of an object whose values are shown by other checks.
    pub(crate) fn members(object: &Object<'_>) -> Seen {
        Seen {
            kind: "object",
            count: Some(object.len()),
            ..Seen::default()
        }
    }

    /// The shape of a text, and the text.
    pub(crate) fn text(text: Option<&str>) -> Seen {
        Seen::of(text.map(|text| Value::String(text.into())).as_ref())
    }

    /// The shape of a list of texts, and the texts.
    pub(crate) fn texts<'v>(texts: impl IntoIterator<Item = &'v str>) -> Seen {
        let items = texts.into_iter().map(|text| Value::String(text.into()));
        Seen::of(Some(&Value::Array(items.collect())))
    }

    /// A time claim, and its distance from the time of the decision. A claim that is not in the token may be computed.
    pub(crate) fn date(is_given: bool, date: Option<NumericDate>, now: NumericDate) -> Seen {
        Seen {
            kind: if is_given { "number" } else { "absent" },
            seconds: date.map(|date| date.seconds().saturating_sub(now.seconds())),
            now: Some(now.seconds()),
            value: date.map(|date| date.seconds().to_string()),
            ..Seen::default()
        }
    }

    /// The length of a text that is never shown.
    pub(crate) fn hidden(text: &str) -> Seen {
        Seen {
            value: None,
            ..Seen::text(Some(text))
        }
    }
}

/// Writes JSON text as it is.
pub(crate) fn raw_json<S: Serializer>(text: &Option<String>, out: S) -> Result<S::Ok, S::Error> {
    let raw = text.as_deref().map(serde_json::from_str::<&RawValue>);
    match raw {
        Some(Ok(raw)) => raw.serialize(out),
        Some(Err(_)) | None => out.serialize_none(),
    }
}
