//! Binding-rule selectors.

use serde::{Serialize, Serializer};

/// A selector over mapped values and lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    text: String,
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.text)
    }
}
