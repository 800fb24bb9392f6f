//! The place of a Grafana configuration, for error texts and relative paths.

use std::path::Path;

use crate::error::{Code, Error};
use crate::members::Field;

/// The section with the settings.
pub(super) const JWT: &str = "auth.jwt";

/// The field that contains the configuration, and the folder for relative paths.
pub(super) struct Place<'c, 'a, 't> {
    pub(super) config: &'c Field<'a, 't>,
    pub(super) base_dir: &'c Path,
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
