//! Warnings: settings that are allowed but are probably mistakes.

use serde::Serialize;

use crate::error::Error;

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

/// Adds to an error about a setting the warnings about the same setting: they often explain the error.
pub(crate) fn explain(error: Error, warnings: &[Warning]) -> Error {
    let Some(detail) = error.detail() else {
        return error;
    };
    // An error names its place first. Some warnings name only the last part of it.
    let place = detail.strip_prefix('`').and_then(|rest| rest.split_once('`'));
    let place = place.map_or("", |(place, _)| place);
    let is_about = |warning: &&Warning| {
        let rest = place.strip_suffix(warning.key.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let about = warnings.iter().filter(is_about);
    let about: String = about
        .map(|warning| format!("; warning: {}", warning.message))
        .collect();
    let detail = format!("{detail}{about}");
    error.with_detail(detail)
}
