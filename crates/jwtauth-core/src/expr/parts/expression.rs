//! The parts of a JMESPath expression.

use super::split::{self, Level, Piece};
use super::{Explored, Gave, MAX_DEPTH, Parts};
use crate::expr::jmespath::{Document, JmesPath, is_true};
use crate::json::Value;

impl JmesPath {
    /// Evaluates the parts of the expression on their own.
    pub(crate) fn explore(&self, document: &Document<'_>) -> Vec<Explored> {
        let mut explorer = Explorer {
            parts: Parts {
                whole: self.as_str(),
                parts: Vec::new(),
            },
            document,
        };
        let claims = document.claims().to_value();
        explorer.inside((0, self.as_str()), &claims, 0);
        explorer.parts.parts
    }
}

struct Explorer<'e, 'd, 't> {
    parts: Parts<'e>,
    document: &'d Document<'t>,
}

/// The value of a part; `None` if the evaluation failed.
type Outcome = Option<Value<'static>>;

impl<'e> Explorer<'e, '_, '_> {
    /// Adds the parts of a piece.
    fn inside(&mut self, piece: Piece<'e>, at: &Value<'_>, depth: usize) {
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
                if let Some(value) = self.part(left, at, depth) {
                    self.part(right, &value, depth);
                }
            }
            Level::Leaf => self.path(piece, at, depth),
        }
    }

    /// Adds alternatives or conditions, up to the one that decides.
    fn until(&mut self, pieces: &[Piece<'e>], decides: bool, at: &Value<'_>, depth: usize) {
        let mut is_decided = false;
        for piece in pieces {
            if is_decided {
                self.parts.add(*piece, depth, Gave::NotEvaluated, None);
            } else {
                let value = self.part(*piece, at, depth);
                is_decided = value.is_none_or(|value| is_true(&value) == decides);
            }
        }
    }

    /// Adds all pieces, except for those that show their value themselves.
    fn all(&mut self, pieces: &[Piece<'e>], at: &Value<'_>, depth: usize) {
        for piece in pieces {
            if !split::is_literal(piece.1) && !piece.1.starts_with('&') {
                self.part(*piece, at, depth);
            }
        }
    }

    /// Adds a piece, followed by its parts.
    fn part(&mut self, piece: Piece<'e>, at: &Value<'_>, depth: usize) -> Outcome {
        let value = self.evaluate(piece.1, at);
        let gave = match &value {
            None => Gave::Failed,
            Some(value) if is_true(value) => Gave::True,
            Some(_) => Gave::False,
        };
        self.parts.add(piece, depth, gave, value.clone());
        self.inside(piece, at, depth + 1);
        value
    }

    /// Adds the first part of a path that gives null, if it is not the whole path.
    fn path(&mut self, (start, text): Piece<'e>, at: &Value<'_>, depth: usize) {
        for prefix in split::prefixes(text) {
            let value = self.evaluate(prefix, at);
            if value.as_ref().is_none_or(Value::is_null) {
                let gave = value.as_ref().map_or(Gave::Failed, |_| Gave::False);
                self.parts.add((start, prefix), depth, gave, value);
                return;
            }
        }
    }

    fn evaluate(&self, text: &str, at: &Value<'_>) -> Outcome {
        JmesPath::parse(text).ok()?.evaluate_at(at, self.document).ok()
    }
}
