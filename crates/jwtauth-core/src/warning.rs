//! What is accepted in a configuration and is probably a mistake.

use serde::Serialize;

/// Something in a configuration that is accepted and is probably a mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// The path of the configuration key.
    pub key: String,
    /// The problem, and what to do about it.
    pub message: String,
}

impl Warning {
    pub(crate) fn new(key: impl Into<String>, message: impl Into<String>) -> Warning {
        Warning {
            key: key.into(),
            message: message.into(),
        }
    }
}
