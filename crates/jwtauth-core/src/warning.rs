//! Warnings: settings that are allowed but are probably mistakes.

use serde::Serialize;

/// A setting that is allowed but is probably a mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// The path of the member in the configuration.
    pub key: String,
    /// What is probably wrong, and what to do about it.
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
