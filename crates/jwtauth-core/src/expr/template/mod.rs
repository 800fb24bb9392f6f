//! Texts with mapped values in them: `team-${value.team}`.
//!
//! The part of HashiCorp's interpolation language that bind names use: variables, strings, comparison, `&&`, `||`,
//! `!`, parentheses and `condition ? one : other` (`docs/dialects/consul.md`).

mod parse;
mod tree;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use self::tree::Piece;
use crate::error::Result;

/// A text in which mapped values are inserted, compiled once.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
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

#[cfg(test)]
mod tests;
