//! Binding-rule selectors: `value.team == "ops" and "eng" in list.groups`.
//!
//! The language is that of go-bexpr 0.1, as Consul uses it over mapped values and lists
//! (`docs/dialects/consul.md`).

mod parse;
mod regex;
mod tree;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use self::tree::{Absent, Expression, Names};
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

    /// Tells whether the selector selects an identity with these mapped values and lists.
    pub(crate) fn select(
        &self,
        values: &BTreeMap<String, String>,
        lists: &BTreeMap<String, Vec<String>>,
    ) -> Selected {
        let holds = |absent| self.expression.holds(values, lists, absent);
        match (holds(Absent::MatchesEverything), holds(Absent::MatchesNothing)) {
            (true, true) => Selected::Yes,
            (true, false) => Selected::OnlyByAbsence,
            // Also if only the strict evaluation is true, because of a negated `matches`: go-bexpr selects nothing.
            (false, _) => Selected::No,
        }
    }
}

/// Whether a selector selects an identity. In go-bexpr 0.1, `matches` is true for an absent value, also below `not`. In
/// the strict evaluation, it is false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selected {
    /// It selects the identity in both evaluations.
    Yes,
    /// It selects the identity in go-bexpr only, because a value is absent.
    OnlyByAbsence,
    /// It does not select the identity in go-bexpr.
    No,
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
