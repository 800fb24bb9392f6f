//! A probable mistake in an expression.

use crate::warning::Rule;

/// A probable mistake in an expression: the rule that found it, and a text for people. The text contains the names and texts
/// of the expression, and never a claim's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    pub(crate) rule: Rule,
    pub(crate) text: String,
}

impl Doubt {
    pub(crate) fn new(rule: Rule, text: impl Into<String>) -> Doubt {
        Doubt {
            rule,
            text: text.into(),
        }
    }
}
