//! The part of the model that `issue` reads.

use serde::Serialize;

use crate::grant::Session;

/// The terms of a session. Everything that can be computed when the verifier is built, is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SessionRule {
    /// The terms that are the same for everybody.
    #[serde(flatten)]
    pub terms: Session,
    /// What stands before the caller's name in the session's display name, which then ends without a dash;
    /// `None`: it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name_prefix: Option<String>,
}

impl SessionRule {
    pub(super) fn is_empty(&self) -> bool {
        *self == SessionRule::default()
    }
}
