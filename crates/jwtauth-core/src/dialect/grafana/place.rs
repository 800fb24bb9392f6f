//! The place of a Grafana configuration, for error texts and its files.

use crate::error::{Code, Error};
use crate::file::Files;
use crate::members::Field;

/// The section with the settings.
pub(super) const JWT: &str = "auth.jwt";

/// The field that contains the configuration, and where its files are.
pub(super) struct Place<'c, 'a, 't> {
    pub(super) config: &'c Field<'a, 't>,
    pub(super) files: &'c Files,
}

impl Place<'_, '_, '_> {
    /// Returns an error about one key of `[auth.jwt]`.
    pub(super) fn error(&self, code: Code, key: &str, problem: impl std::fmt::Display) -> Error {
        self.config.error_of(code, format!("`{}`: {problem}", of(key)))
    }
}

/// Returns the path of one key of `[auth.jwt]`.
pub(super) fn of(key: &str) -> String {
    format!("{JWT}.{key}")
}
