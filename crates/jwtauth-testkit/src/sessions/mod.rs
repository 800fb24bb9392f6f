//! Sequences of verbs of sessions that every language must answer byte for byte.
//!
//! The cases in `tests/conformance/sessions/*.json` describe a configuration and its steps ([`case`]). Tokens of sessions
//! are not known before a step has run, so [`flatten`] runs the steps, with predictable tokens and a stopped clock. It
//! compares the replies with the expectations, and writes requests and replies as files. [`runner`] is the test of these
//! files for Rust. [`verb`] is one step.

pub mod case;
pub mod flatten;
mod play;
pub mod runner;
pub mod verb;

use std::path::{Path, PathBuf};

/// The folder of sessions below that of the topics, and below that of the flattened cases.
pub fn folder(of: &Path) -> PathBuf {
    of.join("sessions")
}
