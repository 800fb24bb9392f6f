//! Texts with mapped values: `team-${value.team}`.
//!
//! The supported part of HashiCorp's interpolation language is the part that bind names need: variables, strings,
//! comparison, `&&`, `||`, `!`, parentheses and `condition ? one : other` (`docs/dialects/consul.md`).

mod parse;
mod tree;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use self::tree::Piece;
use crate::error::Result;

/// A compiled text into which mapped values are inserted.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// [`Code::ExpressionInvalid`](crate::Code::ExpressionInvalid) with the column and the expected syntax; also for
    /// parts of the language that bind names do not need (arithmetic, `<` and `>`).
    pub fn parse(text: &str) -> Result<Template> {
        let pieces = parse::template(text)?;
        Ok(Template {
            text: text.to_owned(),
            pieces,
        })
    }

    /// Returns the template as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the names of the mapped values that the template reads.
    pub fn variables(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for piece in &self.pieces {
            if let Piece::Insert(expression) = piece {
                expression.variables(&mut names);
            }
        }
        names
    }

    /// Inserts the values. An absent value is empty, and every value is converted to lower case, as in Consul.
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
