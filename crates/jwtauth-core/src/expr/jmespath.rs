//! JMESPath expressions; the one door to the `jmespath` crate.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use jmespath::{Expression, Rcvar, Runtime, Variable};
use serde::{Serialize, Serializer};

use crate::claims::Claims;
use crate::error::{Code, Error, Result};
use crate::json::{Number, Object, Value};

/// A JMESPath expression, compiled once.
#[derive(Debug, Clone)]
pub struct JmesPath(Expression<'static>);

/// A claims set as expressions see it; converted at most once, when the first expression needs it.
#[derive(Debug)]
pub struct Document<'t> {
    claims: Claims<'t>,
    tree: OnceCell<Rcvar>,
}

/// An expression failed on these claims; says which, and nothing of the claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationFailed {
    /// The expression.
    pub expression: String,
}

impl JmesPath {
    /// Compiles an expression.
    ///
    /// # Errors
    /// [`Code::ExpressionInvalid`]: it does not parse, is longer than 4 KiB or nested deeper than 50.
    pub fn parse(text: &str) -> Result<JmesPath> {
        // The crate's parser recurses without a limit of its own, so the limits come first.
        if text.len() > MAX_LENGTH {
            return Err(
                Error::new(Code::ExpressionInvalid).with_detail("the expression is longer than 4 KiB")
            );
        }
        if nesting(text) > MAX_NESTING {
            return Err(
                Error::new(Code::ExpressionInvalid).with_detail("the expression is nested deeper than 50")
            );
        }
        match RUNTIME.compile(text) {
            Ok(expression) => Ok(JmesPath(expression)),
            Err(why) => {
                let reason = why.reason.to_string();
                Err(Error::new(Code::ExpressionInvalid).with_detail(format!(
                    "`{text}`: {} (line {}, column {})",
                    reason.lines().next().unwrap_or_default(),
                    why.line + 1,
                    why.column + 1
                )))
            }
        }
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// [`EvaluationFailed`]: a function was given a value of the wrong type, and the like.
    pub fn evaluate(&self, document: &Document<'_>) -> Result<Value<'static>, EvaluationFailed> {
        match self.0.search(document.tree()) {
            Ok(result) => Ok(from_variable(&result)),
            Err(_) => Err(EvaluationFailed {
                expression: self.as_str().to_owned(),
            }),
        }
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
    /// A view of these claims.
    pub fn new(claims: Claims<'t>) -> Document<'t> {
        Document {
            claims,
            tree: OnceCell::new(),
        }
    }

    /// The claims.
    pub fn claims(&self) -> &Claims<'t> {
        &self.claims
    }

    fn tree(&self) -> Rcvar {
        Rcvar::clone(
            self.tree
                .get_or_init(|| Rcvar::new(to_variable(self.claims.as_value()))),
        )
    }
}

impl fmt::Display for EvaluationFailed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the expression `{}` fails on this token", self.expression)
    }
}

impl std::error::Error for EvaluationFailed {}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = Runtime::new();
    runtime.register_builtin_functions();
    runtime
});

const MAX_LENGTH: usize = 4 * 1024;
const MAX_NESTING: usize = 50;

/// How deep brackets of any kind nest, and how many prefix operators stand in a row: what the parser recurses on.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' | b'!' | b'&' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

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
            Variable::Array(items.iter().map(|item| Rcvar::new(to_variable(item))).collect())
        }
        Value::Object(object) => Variable::Object(
            object
                .members()
                .map(|(name, value)| (name.to_owned(), Rcvar::new(to_variable(value))))
                .collect::<BTreeMap<_, _>>(),
        ),
    }
}

fn from_variable(value: &Variable) -> Value<'static> {
    match value {
        // An expression reference is a value inside the crate only; outside it means nothing.
        Variable::Null | Variable::Expref(_) => Value::Null,
        Variable::Bool(value) => Value::Bool(*value),
        Variable::Number(number) => {
            Value::Number(match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => Number::Unsigned(value),
                (None, Some(value), _) => Number::Signed(value),
                (None, None, value) => Number::Float(value.unwrap_or(f64::NAN)),
            })
        }
        Variable::String(text) => Value::String(text.clone().into()),
        Variable::Array(items) => Value::Array(items.iter().map(|item| from_variable(item)).collect()),
        Variable::Object(members) => Value::Object(Object::from_unique(
            members
                .iter()
                .map(|(name, value)| (name.clone().into(), from_variable(value)))
                .collect(),
        )),
    }
}
