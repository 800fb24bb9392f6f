//! Binding-rule selectors: `value.team == "ops" and "eng" in list.groups`.
//!
//! The language is that of go-bexpr 0.1, as Consul uses it over mapped values and lists
//! (`docs/dialects/consul.md`).

mod parse;
mod properties;
mod regex;
mod tree;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use self::tree::{Absent, Expression, Names};
use super::Effort;
use crate::error::Result;

/// A compiled selector over mapped values and lists.
#[derive(Debug, Clone)]
pub struct Selector {
    text: String,
    expression: Expression,
    /// The size of each pattern, with the name of the value that it is matched with.
    patterns: Vec<(String, usize)>,
}

impl Selector {
    /// Parses a selector.
    ///
    /// # Errors
    /// [`Code::ExpressionInvalid`](crate::Code::ExpressionInvalid) with the column and the expected syntax; also if the
    /// selector is longer than 4 KiB or nested deeper than 50.
    pub fn parse(text: &str) -> Result<Selector> {
        let expression = parse::selector(text)?;
        let mut patterns = Vec::new();
        expression.patterns(&mut patterns);
        let patterns = patterns.into_iter().map(|(name, size)| (name.to_owned(), size));
        Ok(Selector {
            text: text.to_owned(),
            patterns: patterns.collect(),
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

    /// Returns the texts that the selector compares values and elements with.
    pub(crate) fn texts(&self) -> Vec<&str> {
        let mut texts = Vec::new();
        self.expression.texts(&mut texts);
        texts
    }

    /// Returns the work of [`select`](Selector::select) for its regular expressions: the sizes of the compiled patterns
    /// times the lengths of the values. It takes up to two nanoseconds for each.
    pub(crate) fn work(&self, values: &BTreeMap<String, String>) -> usize {
        let length = |name: &String| values.get(name).map_or(0, String::len);
        let work = self
            .patterns
            .iter()
            .map(|(name, size)| size.saturating_mul(length(name)));
        work.fold(0, usize::saturating_add)
    }

    /// Returns an upper bound of the time that [`select`](Selector::select) takes.
    pub(crate) fn effort(&self) -> Effort {
        let sizes = self
            .patterns
            .iter()
            .map(|(_, size)| u32::try_from(*size).unwrap_or(u32::MAX));
        sizes.map(|size| Effort::per_byte(2.0 * f64::from(size))).sum()
    }

    /// Returns an upper bound of the time that [`select`](Selector::select) takes with these mapped values and lists, in
    /// nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "efforts are rough")]
    pub(crate) fn effort_on(
        &self,
        values: &BTreeMap<String, String>,
        lists: &BTreeMap<String, Vec<String>>,
    ) -> f64 {
        let mut read = 0;
        self.expression.reads(values, lists, &mut read);
        2.0 * self.work(values) as f64 + 4.0 * read as f64
    }

    /// Returns the size of all compiled patterns, in bytes.
    pub(crate) fn patterns_size(&self) -> usize {
        let sizes = self.patterns.iter().map(|(_, size)| *size);
        sizes.fold(0, usize::saturating_add)
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
