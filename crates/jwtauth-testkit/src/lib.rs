//! Tests that prove the same behaviour in four languages.
//!
//! The cases in `tests/conformance/*.json` describe tokens, because signed tokens are unreadable. This crate signs
//! them ([`mint`]) with the test keys ([`keys`]) and puts keys into configurations ([`mod@reference`]). It compares
//! the outcome of the Rust core with the expectation, and writes each case as three plain files ([`flatten`]). A test in
//! any language reads these files without creating tokens. [`runner`] is that test for Rust. [`sessions`] does the same for
//! sequences of verbs.
//!
//! `tests/conformance/README.md` documents the format of the cases and of the files.

pub mod case;
mod expect;
pub mod faults;
pub mod flatten;
pub mod fuzz;
pub mod keys;
mod layout;
pub mod mint;
pub mod mutate;
pub mod oracle;
pub mod reference;
pub mod runner;
pub mod server;
pub mod sessions;

use std::path::PathBuf;

/// The result of operations that can fail here; the error is a text for authors of cases.
pub type Result<T> = std::result::Result<T, String>;

/// The directory of the topic files.
pub fn suite() -> PathBuf {
    workspace().join("tests/conformance")
}

/// The directory to which `make conformance` writes.
pub fn output() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    target
        .map_or_else(|| workspace().join("target"), PathBuf::from)
        .join("conformance")
}

/// The option `token_cache` of verifiers that must decide as those without it.
pub fn token_cache() -> serde_json::Value {
    serde_json::json!({ "max_bytes": 1 << 23, "max_ttl": "1h" })
}

fn workspace() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Puts the failed operation in front of an error.
pub(crate) trait Context<T> {
    fn context(self, what: impl std::fmt::Display) -> Result<T>;
}

impl<T, E: std::fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl std::fmt::Display) -> Result<T> {
        self.map_err(|why| format!("{what}: {why}"))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, what: impl std::fmt::Display) -> Result<T> {
        self.ok_or_else(|| what.to_string())
    }
}
