//! What to change, and where.

use serde::Serialize;

/// What to change, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Hint {
    /// The name of the hint. Names are never changed.
    pub name: &'static str,
    /// The place in the configuration that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// One sentence for people.
    pub text: String,
}
