//! JMESPath expressions. Only this module uses the `jmespath` crate.

mod compile;
mod cost;
mod doubts;
mod evaluate;
mod functions;
mod limits;
mod lists;
mod node;
mod probes;
mod regroup;
#[cfg(test)]
mod tests;
mod texts;
mod tree;

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use self::compile::Refused;
use self::cost::Cost;
pub(crate) use self::doubts::Wanted;
use self::node::{Failure, Node};
pub(crate) use self::probes::Probes;
use self::tree::Tree;
use crate::claims::Claims;
use crate::error::{Code, Error, Result};
use crate::expr::{Doubt, Effort};
use crate::json::Value;

/// A compiled JMESPath expression.
#[derive(Debug, Clone)]
pub struct JmesPath {
    text: Arc<str>,
    tree: Arc<Tree>,
    cost: Cost,
}

/// A claims set in the form for expressions.
#[derive(Debug)]
pub struct Document<'t> {
    claims: Claims<'t>,
}

/// An expression failed on the claims. The error contains the expression, but nothing of the claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationFailed {
    /// Where the operator wrote the expression. Empty if that is not known.
    pub place: String,
    /// The expression.
    pub expression: String,
    /// Whether Grafana ends the request with an error here, or the evaluation is too large. Otherwise a value has the wrong
    /// type.
    pub is_final: bool,
}

impl JmesPath {
    /// Compiles an expression.
    ///
    /// # Errors
    /// [`Code::ExpressionInvalid`] if the expression does not parse, calls an unknown function, is longer than 4 KiB,
    /// is nested deeper than 50, or could take too long or have too large a result for a long token.
    pub fn parse(text: &str) -> Result<JmesPath> {
        limits::check(text)?;
        let parsed = match jmespath::parse(text) {
            Ok(parsed) => parsed,
            Err(why) => {
                let problem = explain(&why.reason.to_string());
                return Err(syntax_error(text, why.line, why.column, &problem));
            }
        };
        let tree = compile::compile(&parsed, text).map_err(|refused| match *refused {
            // Grafana reports an unknown function only at a login.
            Refused::Unknown(name) => Error::new(Code::ExpressionInvalid)
                .with_detail(format!("`{text}` calls the unknown function `{name}`")),
            Refused::At(offset, problem) => {
                let before = text.get(..offset).unwrap_or_default();
                let column = before.chars().rev().take_while(|letter| *letter != '\n').count();
                syntax_error(text, before.matches('\n').count(), column, problem)
            }
        })?;
        let cost = cost::check(&parsed)?;
        Ok(JmesPath {
            cost,
            text: text.into(),
            tree: Arc::new(*tree),
        })
    }

    /// Returns the expression as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns an upper bound of the time that an evaluation takes.
    pub(crate) fn effort(&self) -> Effort {
        self.cost.effort()
    }

    /// Returns what is probably a mistake, if the result is used in this way.
    pub(crate) fn doubts(&self, wanted: Wanted<'_>) -> Vec<Doubt> {
        doubts::doubts(&self.tree, wanted)
    }

    /// Returns the claims and texts of the expression.
    pub(crate) fn probes(&self) -> Probes {
        probes::probes(&self.tree)
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// [`EvaluationFailed`], for example if a function gets a value of the wrong type, or if the evaluation could take too
    /// long because the claims are longer than those of usual tokens.
    pub fn evaluate(&self, document: &Document<'_>) -> Result<Value<'static>, EvaluationFailed> {
        self.evaluate_on(&Node::Object(document.claims.members()), document)
    }

    /// Evaluates the expression on another value that the claims have or give.
    ///
    /// # Errors
    /// Those of [`evaluate`](JmesPath::evaluate).
    pub(crate) fn evaluate_at(
        &self,
        value: &Value<'_>,
        document: &Document<'_>,
    ) -> Result<Value<'static>, EvaluationFailed> {
        self.evaluate_on(&Node::of(value), document)
    }

    #[inline]
    fn evaluate_on<'a>(
        &'a self,
        at: &Node<'a>,
        document: &Document<'_>,
    ) -> Result<Value<'static>, EvaluationFailed> {
        let result = if self.cost.allows(document.claims.text().len()) {
            evaluate::evaluate(&self.tree, at)
        } else {
            Err(Failure::End)
        };
        result
            .and_then(|result| result.to_value().ok_or(Failure::End))
            .map_err(|why| EvaluationFailed {
                place: String::new(),
                expression: self.as_str().to_owned(),
                is_final: why == Failure::End,
            })
    }
}

impl PartialEq for JmesPath {
    fn eq(&self, other: &JmesPath) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Serialize for JmesPath {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.as_str())
    }
}

impl<'t> Document<'t> {
    /// Creates a document from claims.
    pub fn new(claims: Claims<'t>) -> Document<'t> {
        Document { claims }
    }

    /// Returns the claims.
    pub fn claims(&self) -> &Claims<'t> {
        &self.claims
    }
}

impl EvaluationFailed {
    /// Adds where the operator wrote the expression.
    pub(crate) fn at(mut self, place: &str) -> EvaluationFailed {
        place.clone_into(&mut self.place);
        self
    }
}

impl fmt::Display for EvaluationFailed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(out, "`{}`: ", self.place)?;
        }
        write!(out, "the expression `{}` failed for this token", self.expression)
    }
}

impl std::error::Error for EvaluationFailed {}

/// Whether a value counts as true: all values do, except null, false, and an empty text, list or object.
pub(crate) fn is_true(value: &Value<'_>) -> bool {
    Node::of(value).is_true()
}

/// Returns the error for a text with a syntax error at a position. Lines and columns are counted from 0.
fn syntax_error(text: &str, line: usize, column: usize, problem: &str) -> Error {
    Error::new(Code::ExpressionInvalid).with_detail(format!(
        "`{text}` has a syntax error at line {}, column {}: {problem}{}",
        line + 1,
        column + 1,
        hint(text)
    ))
}

/// Returns the crate's error text for a text that does not parse, without the crate's own terms.
fn explain(reason: &str) -> String {
    let reason = reason.lines().next().unwrap_or_default();
    let reason = reason.strip_prefix("Parse error: ").unwrap_or(reason);
    let reason = reason.split(" -- found ").next().unwrap_or(reason);
    match reason {
        "Unexpected nud token" => "an operand is missing here".to_owned(),
        "Unexpected led token" | "Did not parse the complete expression" => {
            "an operator is missing before this".to_owned()
        }
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|letter| letter.to_ascii_lowercase());
            first.into_iter().chain(letters).collect()
        }
    }
}

/// Returns a hint for a text that does not parse, or an empty text.
fn hint(text: &str) -> &'static str {
    let mut within = None;
    for letter in text.chars() {
        match within {
            Some(quote) if letter == quote => within = None,
            None if matches!(letter, '\'' | '"' | '`') => within = Some(letter),
            None if letter == '$' => return "; `$` and `let` of JMESPath Community Edition are not supported",
            None if letter == '-' => return "; put a name that contains a hyphen in double quotes: \"a-b\"",
            None if letter == ':' => return "; put a name that contains a colon in double quotes: \"a:b\"",
            None if matches!(letter, '+' | '/' | '%') => {
                return "; the arithmetic of JMESPath Community Edition is not supported";
            }
            _ => {}
        }
    }
    ""
}
