//! Binding-rule selectors.

use serde::{Serialize, Serializer};

use crate::error::Result;

/// A selector over mapped values and lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    text: String,
}

impl Selector {
    /// Parses a selector.
    ///
    /// # Errors
    /// [`Code::ExpressionInvalid`](crate::Code::ExpressionInvalid).
    pub fn parse(text: &str) -> Result<Selector> {
        Ok(Selector {
            text: text.to_owned(),
        })
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.text)
    }
}
