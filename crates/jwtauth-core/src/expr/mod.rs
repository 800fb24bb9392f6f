//! The languages in which a configuration selects values in a token.
//!
//! Each expression is parsed once, when the verifier is built. Evaluation does not panic.

mod budget;
mod doubt;
mod effort;
mod glob;
mod jmespath;
mod limits;
mod parts;
mod placed;
mod pointer;
mod selector;
mod template;

use std::ops::Deref;

use serde::Serialize;

pub(crate) use self::budget::Budget;
pub(crate) use self::doubt::Doubt;
pub(crate) use self::effort::Effort;
pub use self::glob::Glob;
pub use self::jmespath::{Document, JmesPath};
pub(crate) use self::jmespath::{EvaluationFailed, Wanted};
pub(crate) use self::parts::{Explored, Gave};
pub(crate) use self::placed::Placed;
pub(crate) use self::pointer::go_integer;
pub use self::pointer::{IndexRule, Pointer};
pub(crate) use self::selector::Selected;
pub use self::selector::Selector;
pub use self::template::Template;

use crate::json::{Value, text};

/// The place of a value in the claims.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Selection {
    /// The top-level claim with exactly this name.
    Claim(String),
    /// A JMESPath expression.
    #[serde(rename = "jmespath")]
    JmesPath(Placed<JmesPath>),
    /// A JSON pointer (RFC 6901).
    #[serde(untagged)]
    Pointer(Pointer),
}

impl Selection {
    /// Selects the top-level claim with this name.
    pub(crate) fn claim(name: impl Into<String>) -> Selection {
        Selection::Claim(name.into())
    }

    /// Returns the value; `None` if it is absent. A `null` is present and is returned.
    ///
    /// # Errors
    /// [`EvaluationFailed`] for a JMESPath expression that fails on these claims.
    pub(crate) fn find<'a, 't>(
        &self,
        document: &'a Document<'t>,
    ) -> Result<Option<Found<'a, 't>>, EvaluationFailed> {
        match self {
            Selection::Claim(name) => Ok(document.claims().get(name).map(Found::Here)),
            Selection::Pointer(pointer) if pointer.is_whole() => {
                Ok(Some(Found::Made(document.claims().to_value())))
            }
            Selection::Pointer(pointer) => Ok(pointer.find(document.claims().members()).map(Found::Here)),
            Selection::JmesPath(expression) => expression
                .evaluate(document)
                .map(|value| Some(Found::Made(value)))
                .map_err(|why| why.at(expression.place())),
        }
    }

    /// Returns the value as written in the token; `None` if it is absent or the result of an expression.
    pub(crate) fn find_text<'t>(&self, document: &Document<'t>) -> Option<&'t str> {
        let payload = document.claims().text();
        match self {
            Selection::Claim(name) => text::member(payload, name),
            Selection::Pointer(pointer) => pointer.find_text(payload.trim_start()),
            Selection::JmesPath(_) => None,
        }
    }

    /// Returns a copy of the claims with another value at the selected place. An expression does not select a place; the
    /// copy is then unchanged.
    pub(crate) fn replace<'t>(&self, document: &Document<'t>, value: Value<'t>) -> Document<'t> {
        Document::new(document.claims().with(|members| {
            let place = match self {
                Selection::Claim(name) => members.get_mut(name),
                Selection::Pointer(pointer) => pointer.find_mut(members),
                Selection::JmesPath(_) => None,
            };
            if let Some(place) = place {
                *place = value;
            }
        }))
    }

    /// Returns an upper bound of the time that it takes to find the value.
    pub(crate) fn effort(&self) -> Effort {
        match self {
            Selection::Claim(_) | Selection::Pointer(_) => Effort::default(),
            Selection::JmesPath(expression) => expression.effort(),
        }
    }

    /// Returns what is probably a mistake in the name of a claim: a dot, where no path is read. The names of claims of some
    /// issuers are URLs or URNs, which contain dots.
    pub(crate) fn doubt(&self) -> Option<String> {
        match self {
            Selection::Claim(name) if name.contains('.') && !name.contains(['/', ':']) => Some(format!(
                "`{name}` is the name of one claim, with the dot in it, and not a path"
            )),
            Selection::Claim(_) | Selection::Pointer(_) | Selection::JmesPath(_) => None,
        }
    }

    /// Returns the name of the value in error texts: a claim's name, a pointer or an expression.
    pub(crate) fn name(&self) -> &str {
        match self {
            Selection::Claim(name) => name,
            Selection::Pointer(pointer) => pointer.as_str(),
            Selection::JmesPath(expression) => expression.as_str(),
        }
    }
}

/// A value that is part of the claims or was computed from them.
#[derive(Debug)]
pub(crate) enum Found<'a, 't> {
    /// A part of the claims.
    Here(&'a Value<'t>),
    /// The result of an expression, or a copy of all claims.
    Made(Value<'t>),
}

impl<'t> Deref for Found<'_, 't> {
    type Target = Value<'t>;

    fn deref(&self) -> &Value<'t> {
        match self {
            Found::Here(value) => value,
            Found::Made(value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Claims;

    #[test]
    fn an_empty_pointer_selects_all_the_claims() {
        let document = Document::new(Claims::parse(r#"{"sub":"alice","n":[1]}"#).unwrap());
        let whole = Selection::Pointer(Pointer::parse("", IndexRule::Strict).unwrap());
        let found = whole.find(&document).unwrap().unwrap();
        assert_eq!(*found, crate::json::parse(r#"{"sub":"alice","n":[1]}"#).unwrap());
    }
}
