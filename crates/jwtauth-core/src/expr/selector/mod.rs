//! Binding-rule selectors: `value.team == "ops" and "eng" in list.groups`.
//!
//! The language is that of go-bexpr 0.1, as Consul uses it over mapped values and lists
//! (`docs/dialects/consul.md`).

mod parse;
mod regex;
mod tree;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use self::tree::{Expression, Names};
use crate::error::Result;

/// A compiled selector over mapped values and lists.
#[derive(Debug, Clone)]
pub struct Selector {
    text: String,
    expression: Expression,
}

impl Selector {
    /// Parses a selector.
    ///
    /// # Errors
    /// [`Code::ExpressionInvalid`](crate::Code::ExpressionInvalid) with the column and the expected syntax; also if the
    /// selector is longer than 4 KiB or nested deeper than 50.
    pub fn parse(text: &str) -> Result<Selector> {
        parse::selector(text).map(|expression| Selector {
            text: text.to_owned(),
            expression,
        })
    }

    /// Returns the selector as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the names of the values and lists that the selector tests.
    pub(crate) fn names(&self) -> Names<'_> {
        let mut names = Names::default();
        self.expression.names(&mut names);
        names
    }

    /// Whether the selector selects an identity with these mapped values and lists.
    pub fn selects(&self, values: &BTreeMap<String, String>, lists: &BTreeMap<String, Vec<String>>) -> bool {
        self.expression.holds(values, lists)
    }
}

impl PartialEq for Selector {
    fn eq(&self, other: &Selector) -> bool {
        self.text == other.text
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
