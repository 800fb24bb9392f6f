//! The JSON reader, and the reasons for which it refuses a document.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::{Number, Object, Value};

/// The maximum nesting depth. A deeper document is refused.
pub(crate) const MAX_DEPTH: usize = 64;

/// The maximum number of values. A document with more is refused: a value of two bytes takes up to a hundred times as
/// much memory.
pub(crate) const MAX_VALUES: usize = 100_000;

/// Reads any document. It finds the reason if the document is refused.
///
/// # Errors
/// [`Malformed`], which contains the reason and the position, but no content of the document.
#[cold]
pub(super) fn careful(text: &str) -> Result<Value<'_>, Malformed> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut value = Value::Null;
    let state = State {
        values: Cell::new(0),
        refused: Cell::new(None),
    };
    let place = Place {
        value: &mut value,
        depth: 0,
        state: &state,
    };
    place
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| Malformed::of(text, &error, state.refused.get()))?;
    Ok(value)
}

/// The reason for which a document was refused. It never contains content of the document.
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
    Values,
    Incomplete,
    Range,
    Surrogate,
    Syntax,
}

impl Malformed {
    /// Creates the error from this reader's reason, if there is one, or else from the error of `serde_json`.
    ///
    /// The texts of `serde_json` may quote the document, so only their position and category are kept.
    #[cold]
    fn of(text: &str, error: &serde_json::Error, refused: Option<Reason>) -> Malformed {
        let reason = refused.unwrap_or_else(|| match error.classify() {
            Category::Eof => Reason::Incomplete,
            _ if error.to_string().starts_with("number out of range") => Reason::Range,
            _ if is_syntax_valid(text) => Reason::Surrogate,
            Category::Io | Category::Syntax | Category::Data => Reason::Syntax,
        });
        Malformed {
            reason,
            line: error.line(),
            column: error.column(),
        }
    }

    /// Where the reader stopped: the line, counted from 1, and the column, counted in bytes from 1.
    pub fn position(&self) -> (usize, usize) {
        (self.line, self.column.max(1))
    }

    /// Whether a reader that checks only the outermost object would also refuse the document.
    pub(crate) fn is_shallow(&self) -> bool {
        match self.reason {
            Reason::Duplicate | Reason::Depth | Reason::Values | Reason::Range | Reason::Surrogate => false,
            Reason::DuplicateAtTop | Reason::Incomplete | Reason::Syntax => true,
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.reason {
            Reason::Duplicate | Reason::DuplicateAtTop => "duplicate member name",
            Reason::Depth => "the JSON is nested too deeply",
            Reason::Values => return write!(out, "the JSON has more than {MAX_VALUES} values"),
            Reason::Incomplete => "unexpected end of the JSON",
            Reason::Range => "a number is out of range",
            Reason::Surrogate => "an escape is half of a surrogate pair",
            Reason::Syntax => "invalid JSON",
        };
        write!(out, "{what} (line {}, column {})", self.line, self.column)
    }
}

impl std::error::Error for Malformed {}

/// Whether the syntax of a document is valid. If the document is refused all the same, an escape is half of a surrogate
/// pair; some readers replace it.
fn is_syntax_valid(text: &str) -> bool {
    use serde_json::value::RawValue;
    // A raw value is checked for its syntax only.
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// Reads a value directly into its final place. Moving it from result to result took as long as reading it.
struct Place<'p, 'de> {
    value: &'p mut Value<'de>,
    depth: usize,
    state: &'p State,
}

/// What all values of a document share.
struct State {
    /// The number of values so far.
    values: Cell<usize>,
    /// The reason of the refusal, for [`Malformed`]. An error of `serde_json` contains only a text.
    refused: Cell<Option<Reason>>,
}

impl<'de> Place<'_, 'de> {
    /// Returns the depth of the elements of this value.
    fn inside<E: de::Error>(&self) -> Result<usize, E> {
        if self.depth >= MAX_DEPTH {
            return self.refuse(Reason::Depth);
        }
        Ok(self.depth + 1)
    }

    #[cold]
    fn refuse<T, E: de::Error>(&self, reason: Reason) -> Result<T, E> {
        self.state.refused.set(Some(reason));
        Err(E::custom("refused"))
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
        let values = self.state.values.get() + 1;
        if values > MAX_VALUES {
            return self.refuse(Reason::Values);
        }
        self.state.values.set(values);
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
            state: self.state,
        })? {}
        self.set(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let depth = self.inside()?;
        let top = self.depth == 0;
        // An inner object gets memory with its first member, for four members.
        let mut object = Object::with_capacity(if top { TOP_MEMBERS } else { 0 });
        let (mut marks, mut repeated) = (0, false);
        while let Some(name) = members.next_key_seed(NameSeed)? {
            repeated |= object.repeats(&name, &mut marks);
            object.0.push((name, Value::Null));
            if let Some((_, value)) = object.0.last_mut() {
                members.next_value_seed(Place {
                    value,
                    depth,
                    state: self.state,
                })?;
            }
        }
        if repeated || !object.has_unique_names() {
            return self.refuse(if top {
                Reason::DuplicateAtTop
            } else {
                Reason::Duplicate
            });
        }
        self.set(Value::Object(object))
    }
}

/// The place for the next element of a list, if there is one.
struct Element<'p, 'de> {
    items: &'p mut Vec<Value<'de>>,
    depth: usize,
    state: &'p State,
}

impl<'de> DeserializeSeed<'de> for Element<'_, 'de> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        let Element { items, depth, state } = self;
        items.push(Value::Null);
        match items.last_mut() {
            Some(value) => Place { value, depth, state }.deserialize(reader),
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

impl Object<'_> {
    pub(super) fn with_capacity(members: usize) -> Self {
        Object(Vec::with_capacity(members))
    }

    /// Whether the object already has this name. Beyond [`FEW_MEMBERS`] members, only [`Object::has_unique_names`] finds
    /// duplicates.
    ///
    /// `marks` is an approximate set of the earlier names, with which most names need no comparison.
    #[inline]
    pub(super) fn repeats(&self, name: &str, marks: &mut u64) -> bool {
        let mark = mark(name);
        let may_be_repeated = *marks & mark != 0;
        *marks |= mark;
        may_be_repeated && self.0.len() <= FEW_MEMBERS && self.0.iter().any(|(earlier, _)| earlier == name)
    }

    /// Whether the names of an object with many members are unique. Sorts the names: otherwise a payload of ten thousand
    /// members would cost a hundred million comparisons.
    pub(super) fn has_unique_names(&self) -> bool {
        if self.len() <= FEW_MEMBERS {
            return true;
        }
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        names
            .windows(2)
            .all(|pair| !matches!(pair, [left, right] if left == right))
    }
}

/// Returns one of 64 bits: the same bit for equal names, and usually a different bit for different names.
#[inline]
fn mark(name: &str) -> u64 {
    let byte = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
    let bytes = name.as_bytes();
    // With these factors, the names of claims that the usual providers issue rarely have the same bit.
    let hash = byte(bytes.first()) + 41 * byte(bytes.get(1)) + byte(bytes.last());
    1 << (hash.wrapping_add(bytes.len().wrapping_mul(5)) & 63)
}

/// Up to this number of members, comparing is faster than sorting.
const FEW_MEMBERS: usize = 24;
/// The initial capacity for the members of a claims set. 18 members take one kilobyte; above that, most allocators
/// become slower.
pub(super) const TOP_MEMBERS: usize = 18;

#[cfg(test)]
mod tests;
