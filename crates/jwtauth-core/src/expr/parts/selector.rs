//! The parts of a selector.

use std::collections::BTreeMap;

use super::split::{self, Level, Piece};
use super::{Explored, Gave, MAX_DEPTH, Parts};
use crate::expr::selector::{Selected, Selector};
use crate::json::Value;

impl Selector {
    /// Tests the parts of the selector on their own. The value of a test is that of what it tests.
    pub(crate) fn explore(
        &self,
        values: &BTreeMap<String, String>,
        lists: &BTreeMap<String, Vec<String>>,
    ) -> Vec<Explored> {
        let mut explorer = Explorer {
            parts: Parts {
                whole: self.as_str(),
                parts: Vec::new(),
            },
            values,
            lists,
        };
        let whole = (0, self.as_str());
        match level(whole) {
            // The outcome of the rule is that of its only test, but not what it has tested.
            (piece, Level::Leaf) => explorer.part(piece, 0),
            _ => explorer.inside(whole, 0),
        }
        explorer.parts.parts
    }
}

struct Explorer<'e, 'm> {
    parts: Parts<'e>,
    values: &'m BTreeMap<String, String>,
    lists: &'m BTreeMap<String, Vec<String>>,
}

impl<'e> Explorer<'e, '_> {
    fn inside(&mut self, piece: Piece<'e>, depth: usize) {
        if depth > MAX_DEPTH || self.parts.is_full() {
            return;
        }
        match level(piece).1 {
            Level::Or(pieces) | Level::And(pieces) => {
                pieces.into_iter().for_each(|piece| self.part(piece, depth));
            }
            Level::Not(inner) => self.part(inner, depth),
            Level::Compare(..) | Level::Pipe(..) | Level::Call(_) | Level::Leaf => {}
        }
    }

    fn part(&mut self, piece: Piece<'e>, depth: usize) {
        let Ok(selector) = Selector::parse(piece.1) else {
            return;
        };
        let gave = match selector.select(self.values, self.lists) {
            Selected::Yes => Gave::True,
            Selected::OnlyByAbsence => Gave::TrueByAbsence,
            Selected::No => Gave::False,
        };
        let is_test = level(piece).1 == Level::Leaf;
        let tested = is_test.then(|| self.tested(&selector)).flatten();
        self.parts.add(piece, depth, gave, tested);
        self.inside(piece, depth + 1);
    }

    /// The value or the list that a test examines.
    fn tested(&self, selector: &Selector) -> Option<Value<'static>> {
        let names = selector.names();
        let text = |text: &String| Value::String(text.clone().into());
        if let Some(name) = names.values.first() {
            return Some(self.values.get(*name).map_or(Value::Null, text));
        }
        let name = names.lists.first()?;
        let list = self.lists.get(*name).map(|list| list.iter().map(text).collect());
        Some(list.map_or(Value::Null, Value::Array))
    }
}

/// The outermost level of a selector. In `not in list.groups`, the first word is a text and no operator.
fn level(piece: Piece<'_>) -> (Piece<'_>, Level<'_>) {
    match split::selector(piece) {
        (piece, Level::Not(inner)) if Selector::parse(inner.1).is_err() => (piece, Level::Leaf),
        other => other,
    }
}
