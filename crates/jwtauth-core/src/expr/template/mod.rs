//! Texts with mapped values in them: `team-${value.team}`.
//!
//! The part of HashiCorp's interpolation language that bind names use: variables, strings, comparison, `&&`, `||`,
//! `!`, parentheses and `condition ? one : other` (`docs/dialects/consul.md`).

mod parse;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::error::Result;

/// A text in which mapped values are inserted, compiled once.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Insert(Expression),
}

/// An expression that makes a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    /// `value.name`, by the name alone.
    Variable(String),
    Text(String),
    Choose(Box<Condition>, Box<Expression>, Box<Expression>),
}

/// An expression that is true or false.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Constant(bool),
    Equal(Expression, Expression),
    Differ(Expression, Expression),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// [`Code::ExpressionInvalid`](crate::Code::ExpressionInvalid): where, and what was expected; also for the
    /// parts of the language that bind names have no use for (arithmetic, order).
    pub fn parse(text: &str) -> Result<Template> {
        let pieces = parse::template(text)?;
        Ok(Template {
            text: text.to_owned(),
            pieces,
        })
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the mapped values it inserts.
    pub fn variables(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for piece in &self.pieces {
            if let Piece::Insert(expression) = piece {
                expression.variables(&mut names);
            }
        }
        names
    }

    /// Fills the template. An absent value is empty, and every value is in lower case, as the system that has this
    /// language does it.
    pub fn fill(&self, values: &BTreeMap<String, String>) -> String {
        let mut out = String::with_capacity(self.text.len());
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Insert(expression) => out.push_str(&expression.text(values)),
            }
        }
        out
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Template) -> bool {
        self.text == other.text
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.text)
    }
}

impl Expression {
    fn text<'e>(&'e self, values: &BTreeMap<String, String>) -> Cow<'e, str> {
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

    fn variables<'e>(&'e self, names: &mut Vec<&'e str>) {
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

/// Letter by letter (Unicode simple case mapping), as Go does it.
fn lower_case(text: &str) -> String {
    text.chars()
        .map(|letter| letter.to_lowercase().next().unwrap_or(letter))
        .collect()
}

#[cfg(test)]
mod tests;
