//! An expression, and its place in the configuration.

use std::ops::Deref;

use super::JmesPath;
use serde::{Serialize, Serializer};

/// An expression, and where the operator wrote it. Denials and warnings name this place.
#[derive(Debug, Clone)]
pub(crate) struct Placed<T> {
    expression: T,
    place: Box<str>,
}

impl<T> Placed<T> {
    pub(crate) fn new(expression: T, place: impl Into<Box<str>>) -> Placed<T> {
        Placed {
            expression,
            place: place.into(),
        }
    }

    /// The path of the member, in the names of the operator's configuration.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }
}

impl Placed<JmesPath> {
    /// Returns the place and the expression, for the detail of an error.
    pub(crate) fn shown(&self) -> String {
        format!("`{}`: `{}`", self.place, self.as_str())
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.expression
    }
}

impl<T: Serialize> Serialize for Placed<T> {
    /// Prints the expression only.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.expression.serialize(out)
    }
}
