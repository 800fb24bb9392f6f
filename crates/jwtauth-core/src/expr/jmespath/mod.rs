//! JMESPath expressions. Only this module uses the `jmespath` crate.

mod cost;
mod functions;
mod limits;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use jmespath::{Expression, Rcvar, Runtime, Variable};
use serde::{Serialize, Serializer};

use crate::claims::Claims;
use crate::error::{Code, Error, Result};
use crate::json::{self, Number, Object, Value};

/// A compiled JMESPath expression.
#[derive(Debug, Clone)]
pub struct JmesPath(Expression<'static>);

/// A claims set in the form for expressions. It is converted at most once, when the first expression needs it.
#[derive(Debug)]
pub struct Document<'t> {
    claims: Claims<'t>,
    tree: OnceCell<Rcvar>,
}

/// An expression failed on the claims. The error contains the expression, but nothing of the claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationFailed {
    /// The expression.
    pub expression: String,
}

impl JmesPath {
    /// Compiles an expression.
    ///
    /// # Errors
    /// [`Code::ExpressionInvalid`] if the expression does not parse, calls an unknown function, is longer than 4 KiB,
    /// is nested deeper than 50, or could take too long or have too large a result for a long token.
    pub fn parse(text: &str) -> Result<JmesPath> {
        limits::check(text)?;
        match RUNTIME.compile(text) {
            // The crate reports an unknown function only at evaluation, which is at the first login.
            Ok(expression) => match functions::unknown(expression.as_ast(), &RUNTIME) {
                Some(name) => Err(Error::new(Code::ExpressionInvalid)
                    .with_detail(format!("`{text}` calls the unknown function `{name}`"))),
                None => cost::check(expression.as_ast()).map(|()| JmesPath(expression)),
            },
            Err(why) => Err(Error::new(Code::ExpressionInvalid).with_detail(format!(
                "`{text}` has a syntax error at line {}, column {}: {}{}",
                why.line + 1,
                why.column + 1,
                explain(&why.reason.to_string()),
                hint(text)
            ))),
        }
    }

    /// Returns the expression as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// [`EvaluationFailed`], for example if a function gets a value of the wrong type.
    pub fn evaluate(&self, document: &Document<'_>) -> Result<Value<'static>, EvaluationFailed> {
        let result = self.0.search(document.tree()).ok();
        result
            .and_then(|result| from_variable(&result, 0, &mut { MAX_RESULT }))
            .ok_or_else(|| EvaluationFailed {
                expression: self.as_str().to_owned(),
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
        Document {
            claims,
            tree: OnceCell::new(),
        }
    }

    /// Returns the claims.
    pub fn claims(&self) -> &Claims<'t> {
        &self.claims
    }

    fn tree(&self) -> Rcvar {
        Rcvar::clone(
            self.tree
                .get_or_init(|| Rcvar::new(to_members(self.claims.members()))),
        )
    }
}

impl fmt::Display for EvaluationFailed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the expression `{}` failed for this token", self.expression)
    }
}

impl std::error::Error for EvaluationFailed {}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = Runtime::new();
    runtime.register_builtin_functions();
    functions::register(&mut runtime);
    runtime
});

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

// Loops instead of iterator chains: these functions recurse, and each closure would add a stack frame.

fn to_variable(value: &Value<'_>) -> Variable {
    match value {
        Value::Null => Variable::Null,
        Value::Bool(value) => Variable::Bool(*value),
        Value::Number(number) => match number {
            Number::Unsigned(value) => Variable::Number((*value).into()),
            Number::Signed(value) => Variable::Number((*value).into()),
            Number::Float(value) => {
                serde_json::Number::from_f64(*value).map_or(Variable::Null, Variable::Number)
            }
        },
        Value::String(text) => Variable::String(text.clone().into_owned()),
        Value::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                list.push(Rcvar::new(to_variable(item)));
            }
            Variable::Array(list)
        }
        Value::Object(object) => to_members(object),
    }
}

#[inline]
fn to_members(object: &Object<'_>) -> Variable {
    let mut members = BTreeMap::new();
    for (name, value) in object.members() {
        members.insert(name.to_owned(), Rcvar::new(to_variable(value)));
    }
    Variable::Object(members)
}

/// Copies a result. Returns `None` if it is nested deeper than documents may be, or larger than [`MAX_RESULT`].
///
/// An expression can put one value into a list many times, so that a small graph becomes a huge tree.
fn from_variable(value: &Variable, depth: usize, left: &mut usize) -> Option<Value<'static>> {
    *left = left.checked_sub(1)?;
    Some(match value {
        // An expression reference is a value only inside the crate.
        Variable::Null | Variable::Expref(_) => Value::Null,
        Variable::Bool(value) => Value::Bool(*value),
        Variable::Number(number) => {
            Value::Number(match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => Number::Unsigned(value),
                (None, Some(value), _) => Number::Signed(value),
                (None, None, value) => Number::Float(value?),
            })
        }
        Variable::String(text) => Value::String(text.clone().into()),
        Variable::Array(_) | Variable::Object(_) if depth >= json::MAX_DEPTH => return None,
        Variable::Array(items) => {
            let mut list = Vec::new();
            for item in items {
                list.push(from_variable(item, depth + 1, left)?);
            }
            Value::Array(list)
        }
        Variable::Object(members) => {
            let mut object = Vec::new();
            for (name, value) in members {
                object.push((name.clone().into(), from_variable(value, depth + 1, left)?));
            }
            Value::Object(Object::from_unique(object))
        }
    })
}

/// The maximum number of values in a result.
const MAX_RESULT: usize = 1_000_000;
