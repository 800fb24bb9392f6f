//! The parts of an expression and what each gave, for explanations.
//!
//! An expression is split at its operators as text, so that each part is a piece of what the operator wrote. The parts are
//! parsed and evaluated again. This happens only for an explanation.

mod expression;
mod selector;
mod split;

use crate::json::Value;

/// A part of an expression.
#[derive(Debug)]
pub(crate) struct Explored {
    pub(crate) text: String,
    /// Where it begins in the expression, in characters.
    pub(crate) start: usize,
    /// How deep it is nested, from 0.
    pub(crate) depth: usize,
    pub(crate) gave: Gave,
    /// The value, if it was evaluated.
    pub(crate) value: Option<Value<'static>>,
}

/// What a part gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gave {
    /// A value that counts as true.
    True,
    /// A value that counts as false.
    False,
    /// True, but only because a value is absent.
    TrueByAbsence,
    /// The evaluation failed.
    Failed,
    /// The parts before it have decided.
    NotEvaluated,
}

/// Collects parts, up to a limit.
#[derive(Debug)]
struct Parts<'e> {
    whole: &'e str,
    parts: Vec<Explored>,
}

impl Parts<'_> {
    /// Adds a part of the whole text, and returns whether it still fits. `place` is its offset in bytes.
    fn add(&mut self, (place, text): (usize, &str), depth: usize, gave: Gave, value: Option<Value<'static>>) {
        if self.parts.len() < MAX_PARTS {
            let before = self.whole.get(..place).unwrap_or_default();
            self.parts.push(Explored {
                text: text.to_owned(),
                start: before.chars().count(),
                depth,
                gave,
                value,
            });
        }
    }

    fn is_full(&self) -> bool {
        self.parts.len() >= MAX_PARTS
    }
}

/// The most parts of one expression.
const MAX_PARTS: usize = 32;
/// The deepest nesting of parts.
const MAX_DEPTH: usize = 5;

#[cfg(test)]
mod tests;
