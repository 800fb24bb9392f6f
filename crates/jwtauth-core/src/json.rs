//! How is JSON read when it comes from somebody else?
//!
//! [`Value`] is a tree that borrows from the text it was read from. One pass refuses what `serde_json`
//! lets through: equal member names (it keeps the last) and nesting beyond [`MAX_DEPTH`]. Token headers,
//! claims, requests and configurations all come through here.

pub(crate) mod text;

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// The deepest nesting that is read; a document deeper than this is refused.
pub const MAX_DEPTH: usize = 64;

/// A JSON value that borrows its text where it can.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'t> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(Number),
    /// A string, borrowed when it needed no unescaping.
    String(Cow<'t, str>),
    /// A list.
    Array(Vec<Value<'t>>),
    /// An object with unique member names.
    Object(Object<'t>),
}

/// A JSON number, as exactly as 64 bits allow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A non-negative integer.
    Unsigned(u64),
    /// A negative integer.
    Signed(i64),
    /// Anything written with a fraction or an exponent, and integers beyond 64 bits.
    Float(f64),
}

/// The members of a JSON object, in the order of the text; every name is there once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object<'t>(Vec<(Cow<'t, str>, Value<'t>)>);

/// Reads one JSON document: unique names at every depth, at most [`MAX_DEPTH`] deep, nothing after it.
///
/// # Errors
/// What is wrong, in words that carry no content of the document.
pub fn parse(text: &str) -> Result<Value<'_>, Malformed> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut value = Value::Null;
    let place = Place {
        value: &mut value,
        depth: 0,
    };
    place
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| Malformed::of(&error))?;
    Ok(value)
}

impl<'t> Value<'t> {
    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&Object<'t>> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The elements of a list.
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

    /// The JSON name of the type with its article, for error texts.
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

    /// A copy that borrows from nothing.
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
    /// The nearest double.
    #[expect(clippy::cast_precision_loss, reason = "a double is what is asked for")]
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Unsigned(value) => value as f64,
            Number::Signed(value) => value as f64,
            Number::Float(value) => value,
        }
    }
}

impl fmt::Display for Number {
    /// As JSON writes it.
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
    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Value<'t>> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// The value of the member at a position of the text.
    pub(crate) fn at(&self, index: usize) -> Option<&Value<'t>> {
        self.0.get(index).map(|(_, value)| value)
    }

    /// The members in the order of the text.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value<'t>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Members whose names the caller knows to be unique.
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

    /// Whether a name is there already; beyond [`FEW_MEMBERS`] only [`Object::holds_equal_names`] tells.
    ///
    /// `marks` remembers roughly which names were there, so that most names need no comparison at all.
    #[inline]
    fn repeats(&self, name: &str, marks: &mut u64) -> bool {
        let mark = mark(name);
        let perhaps = *marks & mark != 0;
        *marks |= mark;
        perhaps && self.0.len() <= FEW_MEMBERS && self.0.iter().any(|(earlier, _)| earlier == name)
    }

    /// Sorting keeps a payload of ten thousand members from costing a hundred million comparisons.
    fn holds_equal_names(&self) -> bool {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        names
            .windows(2)
            .any(|pair| matches!(pair, [left, right] if left == right))
    }
}

/// One of 64 bits: the same for equal names, and mostly another for others.
#[inline]
fn mark(name: &str) -> u64 {
    let byte = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or_default());
    let bytes = name.as_bytes();
    let hash = bytes.len() ^ byte(bytes.first()) ^ (byte(bytes.last()) << 2) ^ (byte(bytes.get(1)) << 1);
    1 << (hash & 63)
}

/// Why a document was refused; never holds any of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    reason: Reason,
    line: usize,
    column: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Duplicate,
    DuplicateAtTop,
    Depth,
    Incomplete,
    Syntax,
}

impl Malformed {
    fn of(error: &serde_json::Error) -> Malformed {
        // serde_json's own texts may quote the document, so only its position and category are kept.
        let text = error.to_string();
        let reason = match error.classify() {
            serde_json::error::Category::Eof => Reason::Incomplete,
            serde_json::error::Category::Data if text.starts_with(DUPLICATE_AT_TOP) => Reason::DuplicateAtTop,
            serde_json::error::Category::Data if text.starts_with(DUPLICATE) => Reason::Duplicate,
            serde_json::error::Category::Data if text.starts_with(TOO_DEEP) => Reason::Depth,
            _ => Reason::Syntax,
        };
        Malformed {
            reason,
            line: error.line(),
            column: error.column(),
        }
    }

    /// Whether a member name stood twice, at any depth.
    pub fn is_duplicate(&self) -> bool {
        matches!(self.reason, Reason::Duplicate | Reason::DuplicateAtTop)
    }

    /// Whether a reader of the outermost object alone would have refused it too.
    pub(crate) fn is_shallow(&self) -> bool {
        !matches!(self.reason, Reason::Duplicate | Reason::Depth)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.reason {
            Reason::Duplicate | Reason::DuplicateAtTop => "a member name stands twice in one object",
            Reason::Depth => "nested too deeply",
            Reason::Incomplete => "the JSON ends too early",
            Reason::Syntax => "not valid JSON",
        };
        write!(out, "{what} (line {}, column {})", self.line, self.column)
    }
}

impl std::error::Error for Malformed {}

/// Up to this many members, comparing is faster than sorting.
const FEW_MEMBERS: usize = 24;
/// Room for the members that claims sets and inner objects usually have. 18 members are one kilobyte, beyond
/// which most allocators become slower.
const TOP_MEMBERS: usize = 18;
const INNER_MEMBERS: usize = 4;
const DUPLICATE: &str = "duplicate member name";
const DUPLICATE_AT_TOP: &str = "duplicate member name at the top";
const TOO_DEEP: &str = "nested too deeply";

/// Reads a value to where it will stay: moving it from result to result cost as much as reading it.
struct Place<'p, 'de> {
    value: &'p mut Value<'de>,
    depth: usize,
}

impl<'de> Place<'_, 'de> {
    /// The depth of what is inside.
    fn inside<E: de::Error>(&self) -> Result<usize, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(self.depth + 1)
    }

    #[inline]
    fn set<E>(self, value: Value<'de>) -> Result<(), E> {
        *self.value = value;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_, 'de> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, 'de> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.set(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.set(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.set(Value::Number(Number::Unsigned(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.set(Value::Number(Number::Signed(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.set(Value::Number(Number::Float(value)))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.set(Value::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.set(Value::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let depth = self.inside()?;
        let mut items = Vec::new();
        while let Some(()) = elements.next_element_seed(Element {
            items: &mut items,
            depth,
        })? {}
        self.set(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let depth = self.inside()?;
        let top = self.depth == 0;
        let mut object = Object(Vec::with_capacity(if top { TOP_MEMBERS } else { INNER_MEMBERS }));
        let (mut marks, mut repeated) = (0, false);
        while let Some(name) = members.next_key_seed(NameSeed)? {
            repeated |= object.repeats(&name, &mut marks);
            object.0.push((name, Value::Null));
            if let Some((_, value)) = object.0.last_mut() {
                members.next_value_seed(Place { value, depth })?;
            }
        }
        if repeated || object.len() > FEW_MEMBERS && object.holds_equal_names() {
            return Err(de::Error::custom(if top { DUPLICATE_AT_TOP } else { DUPLICATE }));
        }
        self.set(Value::Object(object))
    }
}

/// Where the next element of a list will stay, if there is one.
struct Element<'p, 'de> {
    items: &'p mut Vec<Value<'de>>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Element<'_, 'de> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        let Element { items, depth } = self;
        items.push(Value::Null);
        match items.last_mut() {
            Some(value) => Place { value, depth }.deserialize(reader),
            None => Ok(()),
        }
    }
}

struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Cow<'de, str>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests;
