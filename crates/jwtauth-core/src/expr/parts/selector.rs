//! The parts of a selector.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::split::{self, Level, Piece};
use super::{Explored, Gave, MAX_DEPTH, PARSE, Parts, READ, count};
use crate::expr::Budget;
use crate::expr::selector::{Selected, Selector};
use crate::json::Value;

impl Selector {
    /// Tests the parts of the selector on their own, as long as the budget suffices. The value of a test is that of what it
    /// tests.
    pub(crate) fn explore(
        &self,
        values: &BTreeMap<String, String>,
        lists: &BTreeMap<String, Vec<String>>,
        budget: &Budget,
    ) -> Vec<Explored> {
        let mut explorer = Explorer {
            parts: Parts::new(self.as_str(), budget),
            whole: self,
            values,
            lists,
        };
        if let Some((piece, level)) = explorer.level((0, self.as_str())) {
            match level {
                // The outcome of the rule is that of its only test, but not what it has tested.
                Level::Leaf => explorer.add(piece, Level::Leaf, 0),
                level => explorer.inside(level, 0),
            }
        }
        explorer.parts.parts
    }
}

struct Explorer<'e, 'm> {
    parts: Parts<'e, 'm>,
    whole: &'e Selector,
    values: &'m BTreeMap<String, String>,
    lists: &'m BTreeMap<String, Vec<String>>,
}

impl<'e> Explorer<'e, '_> {
    fn inside(&mut self, level: Level<'e>, depth: usize) {
        match level {
            Level::Or(pieces) | Level::And(pieces) => {
                pieces.into_iter().for_each(|piece| self.part(piece, depth));
            }
            Level::Not(inner) => self.part(inner, depth),
            Level::Compare(..) | Level::Pipe(..) | Level::Call(_) | Level::Leaf => {}
        }
    }

    fn part(&mut self, piece: Piece<'e>, depth: usize) {
        if depth <= MAX_DEPTH
            && !self.parts.is_full()
            && let Some((_, level)) = self.level(piece)
        {
            self.add(piece, level, depth);
        }
    }

    /// Adds a piece, followed by its parts.
    fn add(&mut self, piece: Piece<'e>, level: Level<'e>, depth: usize) {
        let Some(selector) = self.parse(piece) else {
            return;
        };
        if !self.parts.spend(selector.effort_on(self.values, self.lists)) {
            return;
        }
        let gave = match selector.select(self.values, self.lists) {
            Selected::Yes => Gave::True,
            Selected::OnlyByAbsence => Gave::TrueByAbsence,
            Selected::No => Gave::False,
        };
        let tested = match level {
            Level::Leaf => match self.tested(&selector) {
                Some(tested) => tested,
                None => return,
            },
            _ => None,
        };
        self.parts.add(piece, depth, gave, tested);
        self.inside(level, depth + 1);
    }

    /// The value or the list that a test examines. `None` if the budget does not suffice for it.
    fn tested(&mut self, selector: &Selector) -> Option<Option<Value<'static>>> {
        let names = selector.names();
        let text = |text: &String| Value::String(text.clone().into());
        if let Some(name) = names.values.first() {
            let value = self.values.get(*name);
            let length = value.map_or(0, String::len);
            return self
                .parts
                .spend(READ * count(length))
                .then(|| Some(value.map_or(Value::Null, text)));
        }
        let Some(name) = names.lists.first() else {
            return Some(None);
        };
        let list = self.lists.get(*name);
        let length = list.map_or(0, |list| list.iter().map(|text| text.len() + 4).sum());
        self.parts.spend(READ * count(length)).then(|| {
            let list = list.map(|list| list.iter().map(text).collect());
            Some(list.map_or(Value::Null, Value::Array))
        })
    }

    /// The outermost level of a piece. In `not in list.groups`, the first word is a text and no operator. `None` if the budget
    /// does not suffice.
    fn level(&mut self, piece: Piece<'e>) -> Option<(Piece<'e>, Level<'e>)> {
        match split::selector(piece) {
            (piece, Level::Not(inner)) => {
                let inside = self.parse(inner);
                match inside {
                    Some(_) => Some((piece, Level::Not(inner))),
                    None if self.parts.is_full() => None,
                    None => Some((piece, Level::Leaf)),
                }
            }
            other => Some(other),
        }
    }

    /// Parses a piece. `None` if it is no selector, or the budget does not suffice for it.
    fn parse(&mut self, (_, text): Piece<'e>) -> Option<Cow<'e, Selector>> {
        if text == self.whole.as_str() {
            return Some(Cow::Borrowed(self.whole));
        }
        // The patterns of a piece are some of those of the whole.
        let effort = PARSE * count(text.len()) + READ * count(self.whole.patterns_size());
        let selector = || Selector::parse(text).ok().map(Cow::Owned);
        self.parts.spend(effort).then(selector).flatten()
    }
}
