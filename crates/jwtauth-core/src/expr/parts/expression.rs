//! The parts of a JMESPath expression.

use super::split::{self, Level, Piece};
use super::{Explored, Gave, MAX_DEPTH, PARSE, Parts, READ, count};
use crate::expr::Budget;
use crate::expr::jmespath::{Document, JmesPath, is_true};
use crate::json::Value;

impl JmesPath {
    /// Evaluates the parts of the expression on their own, as long as the budget suffices.
    pub(crate) fn explore(&self, document: &Document<'_>, budget: &Budget) -> Vec<Explored> {
        let mut explorer = Explorer {
            parts: Parts::new(self.as_str(), budget),
            document,
        };
        let length = document.claims().text().len();
        if explorer.parts.spend(READ * count(length)) {
            let claims = document.claims().to_value();
            explorer.inside((0, self.as_str()), (&claims, length), 0);
        }
        explorer.parts.parts
    }
}

struct Explorer<'e, 'd, 't> {
    parts: Parts<'e, 'd>,
    document: &'d Document<'t>,
}

/// The value of a part; `None` if the evaluation failed.
type Outcome = Option<Value<'static>>;
/// The value that a part is evaluated on, and its size.
type At<'v> = (&'v Value<'v>, usize);

impl<'e> Explorer<'e, '_, '_> {
    /// Adds the parts of a piece.
    fn inside(&mut self, piece: Piece<'e>, at: At<'_>, depth: usize) {
        if depth > MAX_DEPTH || self.parts.is_full() {
            return;
        }
        let (piece, level) = split::jmespath(piece);
        match level {
            Level::Or(pieces) => self.until(&pieces, true, at, depth),
            Level::And(pieces) => self.until(&pieces, false, at, depth),
            Level::Not(inner) => {
                self.part(inner, at, depth);
            }
            Level::Compare(left, right) => self.all(&[left, right], at, depth),
            Level::Call(arguments) => self.all(&arguments, at, depth),
            Level::Pipe(left, right) => {
                if let Some(Some(value)) = self.part(left, at, depth) {
                    self.part(right, (&value, size(&value)), depth);
                }
            }
            Level::Leaf => self.path(piece, at, depth),
        }
    }

    /// Adds alternatives or conditions, up to the one that decides.
    fn until(&mut self, pieces: &[Piece<'e>], decides: bool, at: At<'_>, depth: usize) {
        let mut is_decided = false;
        for piece in pieces {
            if is_decided {
                self.parts.add(*piece, depth, Gave::NotEvaluated, None);
            } else {
                let Some(value) = self.part(*piece, at, depth) else {
                    return;
                };
                is_decided = value.is_none_or(|value| is_true(&value) == decides);
            }
        }
    }

    /// Adds all pieces, except for those that show their value themselves.
    fn all(&mut self, pieces: &[Piece<'e>], at: At<'_>, depth: usize) {
        for piece in pieces {
            if !split::is_literal(piece.1) && !piece.1.starts_with('&') {
                self.part(*piece, at, depth);
            }
        }
    }

    /// Adds a piece, followed by its parts. `None` if there is no room for it.
    fn part(&mut self, piece: Piece<'e>, at: At<'_>, depth: usize) -> Option<Outcome> {
        let value = self.evaluate(piece.1, at)?;
        let gave = match &value {
            None => Gave::Failed,
            Some(value) if is_true(value) => Gave::True,
            Some(_) => Gave::False,
        };
        self.parts.add(piece, depth, gave, value.clone());
        self.inside(piece, at, depth + 1);
        Some(value)
    }

    /// Adds the first part of a path that gives null, if it is not the whole path.
    fn path(&mut self, (start, text): Piece<'e>, at: At<'_>, depth: usize) {
        for prefix in split::prefixes(text) {
            let Some(value) = self.evaluate(prefix, at) else {
                return;
            };
            if value.as_ref().is_none_or(Value::is_null) {
                let gave = value.as_ref().map_or(Gave::Failed, |_| Gave::False);
                self.parts.add((start, prefix), depth, gave, value);
                return;
            }
        }
    }

    /// Parses and evaluates a piece. `None` if it does not fit, or the budget does not suffice for it.
    fn evaluate(&mut self, text: &str, (at, size_of_at): At<'_>) -> Option<Outcome> {
        if self.parts.is_full() || !self.parts.spend(PARSE * count(text.len())) {
            return None;
        }
        let Ok(expression) = JmesPath::parse(text) else {
            return Some(None);
        };
        if !self.parts.spend(expression.effort().at(size_of_at)) {
            return None;
        }
        let value = expression.evaluate_at(at, self.document).ok();
        // The value is kept, and written as JSON.
        let kept = value.as_ref().map_or(0, size);
        self.parts.spend(READ * count(kept)).then_some(value)
    }
}

/// The size of a value in bytes, about that of its JSON text.
fn size(value: &Value<'_>) -> usize {
    let mut sum = 0_usize;
    let mut values = vec![value];
    while let Some(value) = values.pop() {
        sum += 4;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => sum += text.len(),
            Value::Array(items) => values.extend(items),
            Value::Object(object) => {
                for (name, value) in object.members() {
                    sum += name.len();
                    values.push(value);
                }
            }
        }
    }
    sum
}
