//! The parts of an expression and what each gave, for explanations.
//!
//! An expression is split at its operators as text, so that each part is a piece of what the operator wrote. The parts are
//! parsed and evaluated again. This happens only for an explanation, which has a [`Budget`] for it: if it does not suffice for a
//! part, the parts end there.

mod expression;
mod selector;
mod split;

use super::Budget;
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

/// Collects parts, up to a limit and to the end of the budget.
#[derive(Debug)]
struct Parts<'e, 'b> {
    whole: &'e str,
    parts: Vec<Explored>,
    budget: &'b Budget,
    /// Whether the budget did not suffice for a part.
    is_spent: bool,
}

impl<'e, 'b> Parts<'e, 'b> {
    fn new(whole: &'e str, budget: &'b Budget) -> Parts<'e, 'b> {
        Parts {
            whole,
            parts: Vec::new(),
            budget,
            is_spent: false,
        }
    }

    /// Adds a part of the whole text, if it still fits. `place` is its offset in bytes.
    fn add(&mut self, (place, text): (usize, &str), depth: usize, gave: Gave, value: Option<Value<'static>>) {
        if !self.is_full() {
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

    /// Takes an effort from the budget. If it does not suffice, the parts end.
    fn spend(&mut self, effort: f64) -> bool {
        self.is_spent = self.is_spent || !self.budget.spend(effort);
        !self.is_spent
    }

    fn is_full(&self) -> bool {
        self.is_spent || self.parts.len() >= MAX_PARTS
    }
}

#[expect(clippy::cast_precision_loss, reason = "efforts are rough")]
fn count(bytes: usize) -> f64 {
    bytes as f64
}

/// The effort to copy a byte of a value.
const READ: f64 = 16.0;
/// The effort to parse a byte of an expression.
const PARSE: f64 = 50.0;
/// The most parts of one expression.
const MAX_PARTS: usize = 32;
/// The deepest nesting of parts.
const MAX_DEPTH: usize = 5;

#[cfg(test)]
mod tests;
