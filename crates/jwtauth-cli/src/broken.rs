//! Errors in a configuration, with the line at which a file is broken.

use annotate_snippets::Level;
use jwtauth_core::Error;

use crate::files::Files;
use crate::redact;
use crate::screen;
use crate::snippet::Report;

/// Prints an error on standard error. If a file is neither JSON nor an ini file, its line is shown.
pub(crate) fn complain(error: &Error, files: &Files) {
    match files.broken() {
        Some((file, place)) => screen::complain_with(
            &Report {
                level: Level::ERROR,
                id: None,
                title: error.to_string(),
                file,
                place,
                secrets: &redact::secrets(file),
                help: None,
            }
            .render(),
        ),
        None => screen::complain(error),
    }
}
