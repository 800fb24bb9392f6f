//! How is the same behaviour proved in four languages?
//!
//! The cases in `tests/conformance/*.json` describe tokens; nobody can read a signed one. This crate signs them
//! ([`mint`]) with the test keys ([`keys`]), puts keys into configurations ([`mod@reference`]), asks the Rust core
//! once whether it agrees with the expectation, and lays each case out as three plain files ([`flatten`]) that a
//! test in any language reads without knowing how a token is made. [`runner`] is that test for Rust.
//!
//! `tests/conformance/README.md` documents the format of the cases and of the files.

pub mod case;
pub mod faults;
pub mod flatten;
pub mod keys;
pub mod mint;
pub mod mutate;
pub mod reference;
pub mod runner;
pub mod server;

use std::path::PathBuf;

/// The result of everything that can fail here; a text for the person who writes cases.
pub type Result<T> = std::result::Result<T, String>;

/// The directory of the topic files.
pub fn suite() -> PathBuf {
    workspace().join("tests/conformance")
}

/// The directory that `make conformance` writes to.
pub fn output() -> PathBuf {
    workspace().join("target/conformance")
}

fn workspace() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Puts in front of a failure what was being done.
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
