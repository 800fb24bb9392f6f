//! The parsed form of a template and its evaluation.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    Insert(Expression),
}

/// An expression whose value is a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// `value.name`, without `value.`.
    Variable(String),
    Text(String),
    Choose(Box<Condition>, Box<Expression>, Box<Expression>),
}

/// An expression that is true or false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Constant(bool),
    Equal(Expression, Expression),
    Differ(Expression, Expression),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

impl Expression {
    /// Evaluates the expression with these values.
    pub(super) fn text<'e>(&'e self, values: &BTreeMap<String, String>) -> Cow<'e, str> {
        match self {
            Expression::Text(text) => Cow::Borrowed(text),
            Expression::Variable(name) => values
                .get(name)
                .map_or(Cow::Borrowed(""), |value| Cow::Owned(lower_case(value))),
            Expression::Choose(condition, one, other) => {
                if condition.holds(values) {
                    one.text(values)
                } else {
                    other.text(values)
                }
            }
        }
    }

    /// Adds the names of the values that the expression reads.
    pub(super) fn variables<'e>(&'e self, names: &mut Vec<&'e str>) {
        match self {
            Expression::Text(_) => {}
            Expression::Variable(name) => names.push(name),
            Expression::Choose(condition, one, other) => {
                condition.variables(names);
                one.variables(names);
                other.variables(names);
            }
        }
    }
}

impl Condition {
    fn holds(&self, values: &BTreeMap<String, String>) -> bool {
        match self {
            Condition::Constant(value) => *value,
            Condition::Equal(left, right) => left.text(values) == right.text(values),
            Condition::Differ(left, right) => left.text(values) != right.text(values),
            Condition::And(left, right) => left.holds(values) && right.holds(values),
            Condition::Or(left, right) => left.holds(values) || right.holds(values),
            Condition::Not(inner) => !inner.holds(values),
        }
    }

    fn variables<'e>(&'e self, names: &mut Vec<&'e str>) {
        match self {
            Condition::Constant(_) => {}
            Condition::Equal(left, right) | Condition::Differ(left, right) => {
                left.variables(names);
                right.variables(names);
            }
            Condition::And(left, right) | Condition::Or(left, right) => {
                left.variables(names);
                right.variables(names);
            }
            Condition::Not(inner) => inner.variables(names),
        }
    }
}

/// Converts to lower case character by character (Unicode simple case mapping), as Go does.
pub(super) fn lower_case(text: &str) -> String {
    text.chars()
        .map(|letter| letter.to_lowercase().next().unwrap_or(letter))
        .collect()
}
