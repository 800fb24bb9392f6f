//! Warnings: settings that are allowed but are probably mistakes.

mod rules;

use serde::Serialize;

pub use self::rules::{Rule, Severity};
use crate::error::Error;

/// A setting that is allowed but is probably a mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// The rule that found it.
    pub rule: Rule,
    /// The path of the member in the configuration.
    pub key: String,
    /// What is probably wrong, and what to do about it.
    pub message: String,
}

impl Warning {
    pub(crate) fn new(rule: Rule, key: impl Into<String>, message: impl Into<String>) -> Warning {
        Warning {
            rule,
            key: key.into(),
            message: message.into(),
        }
    }

    /// Whether it is one of [`Verifier::warnings`](crate::Verifier::warnings). Others are reported only by `jwtauth lint`.
    pub(crate) fn is_for_everybody(&self) -> bool {
        self.rule.is_for_everybody()
    }
}

/// Adds to an error about a setting the warnings about the same setting: they often explain the error.
pub(crate) fn explain(error: Error, warnings: &[Warning]) -> Error {
    let Some(detail) = error.detail() else {
        return error;
    };
    let place = place(detail).unwrap_or_default();
    let about = warnings
        .iter()
        .filter(|warning| warning.key == place && warning.is_for_everybody());
    let about: String = about
        .map(|warning| format!("; warning: {}", warning.message))
        .collect();
    let detail = format!("{detail}{about}");
    error.with_detail(detail)
}

/// Returns the path of a setting next to another one.
pub(crate) fn beside(place: &str, name: &str) -> String {
    match place.rsplit_once('.') {
        Some((parent, _)) => format!("{parent}.{name}"),
        None => name.to_owned(),
    }
}

/// Returns the place that an error text is about. An error names its place first, in back quotes.
pub(crate) fn place(detail: &str) -> Option<&str> {
    let quoted = detail.strip_prefix('`').and_then(|rest| rest.split_once('`'));
    quoted.map(|(place, _)| place)
}
