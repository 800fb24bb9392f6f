//! How is a document read, and why is one refused?

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::{Number, Object, Value};

/// The deepest nesting that is read; a document deeper than this is refused.
pub(crate) const MAX_DEPTH: usize = 64;

/// Reads one JSON document: unique names at every depth, at most [`MAX_DEPTH`] deep, nothing after it.
///
/// # Errors
/// What is wrong, in words that carry no content of the document.
pub fn parse(text: &str) -> Result<Value<'_>, Malformed> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut value = Value::Null;
    let refused = Cell::new(None);
    let place = Place {
        value: &mut value,
        depth: 0,
        refused: &refused,
    };
    place
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| Malformed::of(&error, refused.get()))?;
    Ok(value)
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
    /// A refusal by the reader here, or else a failure of `serde_json`, whose own texts may quote the document: only
    /// its position and category are kept.
    fn of(error: &serde_json::Error, refused: Option<Reason>) -> Malformed {
        let reason = refused.unwrap_or(match error.classify() {
            Category::Eof => Reason::Incomplete,
            Category::Io | Category::Syntax | Category::Data => Reason::Syntax,
        });
        Malformed {
            reason,
            line: error.line(),
            column: error.column(),
        }
    }

    /// Whether a reader of the outermost object alone would have refused it too.
    pub(crate) fn is_shallow(&self) -> bool {
        match self.reason {
            Reason::Duplicate | Reason::Depth => false,
            Reason::DuplicateAtTop | Reason::Incomplete | Reason::Syntax => true,
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.reason {
            Reason::Duplicate | Reason::DuplicateAtTop => "duplicate member name",
            Reason::Depth => "the JSON is nested too deeply",
            Reason::Incomplete => "unexpected end of the JSON",
            Reason::Syntax => "invalid JSON",
        };
        write!(out, "{what} (line {}, column {})", self.line, self.column)
    }
}

impl std::error::Error for Malformed {}

/// Reads a value to where it will stay: moving it from result to result cost as much as reading it.
struct Place<'p, 'de> {
    value: &'p mut Value<'de>,
    depth: usize,
    /// Why the document was refused, for [`Malformed`]: an error of `serde_json` carries texts only.
    refused: &'p Cell<Option<Reason>>,
}

impl<'de> Place<'_, 'de> {
    /// The depth of what is inside.
    fn inside<E: de::Error>(&self) -> Result<usize, E> {
        if self.depth >= MAX_DEPTH {
            return self.refuse(Reason::Depth);
        }
        Ok(self.depth + 1)
    }

    #[cold]
    fn refuse<T, E: de::Error>(&self, reason: Reason) -> Result<T, E> {
        self.refused.set(Some(reason));
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
            refused: self.refused,
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
                members.next_value_seed(Place {
                    value,
                    depth,
                    refused: self.refused,
                })?;
            }
        }
        if repeated || object.len() > FEW_MEMBERS && object.holds_equal_names() {
            return self.refuse(if top {
                Reason::DuplicateAtTop
            } else {
                Reason::Duplicate
            });
        }
        self.set(Value::Object(object))
    }
}

/// Where the next element of a list will stay, if there is one.
struct Element<'p, 'de> {
    items: &'p mut Vec<Value<'de>>,
    depth: usize,
    refused: &'p Cell<Option<Reason>>,
}

impl<'de> DeserializeSeed<'de> for Element<'_, 'de> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        let Element {
            items,
            depth,
            refused,
        } = self;
        items.push(Value::Null);
        match items.last_mut() {
            Some(value) => Place {
                value,
                depth,
                refused,
            }
            .deserialize(reader),
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

/// Up to this many members, comparing is faster than sorting.
const FEW_MEMBERS: usize = 24;
/// Room for the members that claims sets and inner objects usually have. 18 members are one kilobyte, beyond
/// which most allocators become slower.
const TOP_MEMBERS: usize = 18;
const INNER_MEMBERS: usize = 4;

#[cfg(test)]
mod tests;
