//! The values of an evaluation.
//!
//! Values of the claims and of literals are borrowed. Values that an expression creates have a reference count, so that
//! copies are cheap.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::rc::Rc;

use super::tree::Tree;
use crate::json::{self, Number, Object, Value};

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Text<'a>),
    /// A list of the claims or of a literal.
    Array(&'a [Value<'a>]),
    /// A list that an expression created.
    List(Rc<Vec<Node<'a>>>),
    /// An object of the claims or of a literal.
    Object(&'a Object<'a>),
    /// An object that an expression created.
    Members(Rc<BTreeMap<Text<'a>, Node<'a>>>),
    /// An expression that a function evaluates.
    Reference(&'a Tree),
}

/// A text.
#[derive(Debug, Clone)]
pub(super) enum Text<'a> {
    /// A text of the claims or of the expression.
    Borrowed(&'a str),
    /// A text that an expression created.
    Created(Rc<str>),
}

/// The elements of a list.
#[derive(Debug, Clone)]
pub(super) enum Items<'a> {
    Borrowed(&'a [Value<'a>]),
    Created(Rc<Vec<Node<'a>>>),
}

/// Why an evaluation ended without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// A value has the wrong type. Some projections treat this as null.
    Type,
    /// The community edition panics or runs out of memory here, or the result would be too long.
    End,
}

pub(super) type Outcome<'a> = Result<Node<'a>, Failure>;

impl<'a> Node<'a> {
    pub(super) fn of(value: &'a Value<'a>) -> Node<'a> {
        match value {
            Value::Null => Node::Null,
            Value::Bool(value) => Node::Bool(*value),
            Value::Number(number) => Node::Number(*number),
            Value::String(text) => Node::Text(Text::Borrowed(text)),
            Value::Array(items) => Node::Array(items),
            Value::Object(object) => Node::Object(object),
        }
    }

    pub(super) fn text(text: impl Into<Rc<str>>) -> Node<'a> {
        Node::Text(Text::Created(text.into()))
    }

    pub(super) fn list(items: Vec<Node<'a>>) -> Node<'a> {
        Node::List(Rc::new(items))
    }

    pub(super) fn members(members: BTreeMap<Text<'a>, Node<'a>>) -> Node<'a> {
        Node::Members(Rc::new(members))
    }

    /// Creates a number from a computed double. Integers that a double represents exactly become integers.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value is whole and within 53 bits"
    )]
    pub(super) fn number(value: f64) -> Node<'a> {
        let whole = value.fract() == 0.0 && value.abs() < EXACT && (value != 0.0 || value.is_sign_positive());
        Node::Number(match whole {
            true if value < 0.0 => Number::Signed(value as i64),
            true => Number::Unsigned(value as u64),
            false => Number::Float(value),
        })
    }

    pub(super) fn count(count: usize) -> Node<'a> {
        Node::Number(Number::Unsigned(count as u64))
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a number as a double, as the community edition reads all numbers.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Node::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> Option<Items<'a>> {
        match self {
            Node::Array(items) => Some(Items::Borrowed(items)),
            Node::List(items) => Some(Items::Created(Rc::clone(items))),
            _ => None,
        }
    }

    /// Returns the members of an object, sorted by name.
    pub(super) fn sorted(&self) -> Option<Vec<(Text<'a>, Node<'a>)>> {
        match self {
            Node::Object(object) => {
                let mut members = Vec::with_capacity(object.len());
                for (name, value) in object.members() {
                    members.push((Text::Borrowed(name), Node::of(value)));
                }
                members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
                Some(members)
            }
            Node::Members(members) => {
                let pairs = members.iter();
                Some(pairs.map(|(name, value)| (name.clone(), value.clone())).collect())
            }
            _ => None,
        }
    }

    /// Returns the value of a member; null if it is absent or this value is not an object.
    pub(super) fn member(&self, name: &str) -> Node<'a> {
        match self {
            Node::Object(object) => object.get(name).map_or(Node::Null, Node::of),
            Node::Members(members) => members.get(name).cloned().unwrap_or(Node::Null),
            _ => Node::Null,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Node::Null)
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self, Node::Object(_) | Node::Members(_))
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self, Node::Array(_) | Node::List(_))
    }

    /// Whether the value counts as true: all values do, except null, false, and an empty text, list or object.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Node::Null => false,
            Node::Bool(value) => *value,
            Node::Text(text) => !text.is_empty(),
            Node::Array(items) => !items.is_empty(),
            Node::List(items) => !items.is_empty(),
            Node::Object(object) => !object.is_empty(),
            Node::Members(members) => !members.is_empty(),
            Node::Number(_) | Node::Reference(_) => true,
        }
    }

    /// Compares two values with all that they contain. Numbers are compared as doubles, and references are never equal.
    /// This function does not recurse, because the stack may already be deep.
    pub(super) fn equals(&self, other: &Node<'a>) -> bool {
        if let (Node::Text(one), Node::Text(other)) = (self, other) {
            return one == other;
        }
        let mut waiting = Vec::new();
        let mut same = self.same(other, &mut waiting);
        while let (true, Some((one, other))) = (same, waiting.pop()) {
            same = one.same(&other, &mut waiting);
        }
        same
    }

    /// Compares the values without their elements or members, which it adds to `waiting`.
    fn same(&self, other: &Node<'a>, waiting: &mut Vec<(Node<'a>, Node<'a>)>) -> bool {
        match (self, other) {
            (Node::Null, Node::Null) => true,
            (Node::Bool(one), Node::Bool(other)) => one == other,
            (Node::Number(one), Node::Number(other)) => one.as_f64() == other.as_f64(),
            (Node::Text(one), Node::Text(other)) => one == other,
            (Node::Array(_) | Node::List(_), Node::Array(_) | Node::List(_)) => {
                let (Some(one), Some(other)) = (self.items(), other.items()) else {
                    return false;
                };
                waiting.extend(one.iter().zip(other.iter()));
                one.len() == other.len()
            }
            (Node::Object(_) | Node::Members(_), Node::Object(_) | Node::Members(_)) => {
                let (one, other) = (
                    self.sorted().unwrap_or_default(),
                    other.sorted().unwrap_or_default(),
                );
                let same = one
                    .iter()
                    .map(|(name, _)| name)
                    .eq(other.iter().map(|(name, _)| name));
                waiting.extend(
                    one.into_iter()
                        .zip(other)
                        .map(|((_, one), (_, other))| (one, other)),
                );
                same
            }
            _ => false,
        }
    }

    /// Copies a result. Returns `None` if it is nested deeper than documents may be, or larger than [`MAX_RESULT`].
    ///
    /// An expression can put one value into a list many times, so that a small graph becomes a huge tree.
    pub(super) fn to_value(&self) -> Option<Value<'static>> {
        self.copy(0, &mut { MAX_RESULT })
    }

    fn copy(&self, depth: usize, left: &mut usize) -> Option<Value<'static>> {
        *left = left.checked_sub(1)?;
        match self {
            Node::Array(_) | Node::List(_) | Node::Object(_) | Node::Members(_)
                if depth >= json::MAX_DEPTH =>
            {
                None
            }
            Node::Array(_) | Node::List(_) => self.copy_items(depth, left),
            Node::Object(_) | Node::Members(_) => self.copy_members(depth, left),
            _ => Some(self.scalar()),
        }
    }

    fn copy_items(&self, depth: usize, left: &mut usize) -> Option<Value<'static>> {
        let items = self.items()?;
        let mut list = Vec::new();
        for index in 0..items.len() {
            list.push(items.get(index)?.copy(depth + 1, left)?);
        }
        Some(Value::Array(list))
    }

    fn copy_members(&self, depth: usize, left: &mut usize) -> Option<Value<'static>> {
        let mut object = Vec::new();
        for (name, value) in self.sorted()? {
            object.push((name.to_string().into(), value.copy(depth + 1, left)?));
        }
        Some(Value::Object(Object::from_unique(object)))
    }

    fn scalar(&self) -> Value<'static> {
        match self {
            Node::Bool(value) => Value::Bool(*value),
            Node::Number(number) if number.as_f64().is_finite() => Value::Number(*number),
            Node::Text(text) => Value::String(text.to_string().into()),
            // A reference is a value only within an expression. JSON has no infinite numbers and no NaN.
            Node::Null
            | Node::Reference(_)
            | Node::Number(_)
            | Node::Array(_)
            | Node::List(_)
            | Node::Object(_)
            | Node::Members(_) => Value::Null,
        }
    }
}

impl<'a> Items<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Items::Borrowed(items) => items.len(),
            Items::Created(items) => items.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Node<'a>> {
        match self {
            Items::Borrowed(items) => items.get(index).map(Node::of),
            Items::Created(items) => items.get(index).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Node<'a>> {
        (0..self.len()).map_while(|index| self.get(index))
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Created(text) => text,
        }
    }
}

impl Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text<'_> {}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        str::cmp(self, other)
    }
}

/// The maximum number of values in a result.
const MAX_RESULT: usize = 1_000_000;

/// A double represents all integers below this limit exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;
