//! Texts with `${value.name}` in them.

use serde::{Serialize, Serializer};

use crate::error::Result;

/// A text in which mapped values are inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// [`Code::ExpressionInvalid`](crate::Code::ExpressionInvalid).
    pub fn parse(text: &str) -> Result<Template> {
        Ok(Template {
            text: text.to_owned(),
        })
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.text)
    }
}
