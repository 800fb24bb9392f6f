//! A strict reader for JSON from untrusted sources.
//!
//! [`Value`] is a tree that borrows from the text it was read from. The reader refuses documents that `serde_json`
//! accepts: with duplicate member names (`serde_json` keeps the last) or nested deeper than [`MAX_DEPTH`]. It reads
//! token headers, claims, requests and configurations.

mod line;
mod parse;
mod plain;
pub(crate) mod text;

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

pub(crate) use self::line::on_one_line;
pub(crate) use self::parse::MAX_DEPTH;
pub use self::parse::Malformed;
pub use self::plain::parse;
pub(crate) use self::plain::parse_noting;
pub(crate) use self::text::outer;

/// A JSON value that borrows its text where possible.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'t> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(Number),
    /// A string. It is borrowed if it contains no escapes.
    String(Cow<'t, str>),
    /// A list.
    Array(Vec<Value<'t>>),
    /// An object with unique member names.
    Object(Object<'t>),
}

/// A JSON number, as exact as 64 bits allow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A non-negative integer.
    Unsigned(u64),
    /// A negative integer.
    Signed(i64),
    /// A number with a fraction or an exponent, or an integer beyond 64 bits.
    Float(f64),
}

/// The members of a JSON object, in the order of the text. Names are unique.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object<'t>(Vec<(Cow<'t, str>, Value<'t>)>);

impl<'t> Value<'t> {
    /// Returns the text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the members, if this is an object.
    pub fn as_object(&self) -> Option<&Object<'t>> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Returns the elements, if this is a list.
    pub fn as_array(&self) -> Option<&[Value<'t>]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Returns the JSON name of the type with its article, for error texts.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    /// Returns the number of values: this one, and those in it.
    pub(crate) fn count(&self) -> usize {
        1 + match self {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
            Value::Array(items) => items.iter().map(Value::count).sum(),
            Value::Object(object) => object.members().map(|(_, value)| value.count()).sum(),
        }
    }

    /// Converts to a value that borrows nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(number) => Value::Number(number),
            Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Value::Array(items) => Value::Array(items.into_iter().map(Value::into_owned).collect()),
            Value::Object(object) => Value::Object(object.into_owned()),
        }
    }
}

impl Number {
    /// Returns the nearest double.
    #[expect(clippy::cast_precision_loss, reason = "the result is a double by definition")]
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Unsigned(value) => value as f64,
            Number::Signed(value) => value as f64,
            Number::Float(value) => value,
        }
    }
}

impl fmt::Display for Number {
    /// Writes the number in JSON syntax.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Unsigned(value) => value.fmt(out),
            Number::Signed(value) => value.fmt(out),
            Number::Float(value) => match serde_json::Number::from_f64(*value) {
                Some(number) => number.fmt(out),
                None => out.write_str("null"),
            },
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => out.serialize_unit(),
            Value::Bool(value) => out.serialize_bool(*value),
            Value::Number(Number::Unsigned(value)) => out.serialize_u64(*value),
            Value::Number(Number::Signed(value)) => out.serialize_i64(*value),
            Value::Number(Number::Float(value)) => out.serialize_f64(*value),
            Value::String(text) => out.serialize_str(text),
            Value::Array(items) => out.collect_seq(items),
            Value::Object(object) => out.collect_map(object.members()),
        }
    }
}

impl<'t> Object<'t> {
    /// Returns the value of a member.
    // Inlined, because comparing with a name of known length needs no call.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&Value<'t>> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Returns the value of a member, for replacement.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Value<'t>> {
        self.0
            .iter_mut()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Returns the value of the member at this position in the text.
    pub(crate) fn at(&self, index: usize) -> Option<&Value<'t>> {
        self.0.get(index).map(|(_, value)| value)
    }

    /// Returns the members in the order of the text.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value<'t>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the object has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Creates an object. The caller must ensure that the names are unique.
    pub(crate) fn from_unique(members: Vec<(Cow<'t, str>, Value<'t>)>) -> Object<'t> {
        Object(members)
    }

    fn into_owned(self) -> Object<'static> {
        Object(
            self.0
                .into_iter()
                .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                .collect(),
        )
    }
}
