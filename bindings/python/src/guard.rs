//! Where does a panic stop?

use std::panic::{AssertUnwindSafe, catch_unwind};

use jwtauth_core::{Code, Error};

/// Runs the core's work; a panic in it is a failure like any other, and never a grant.
///
/// # Errors
/// What the work says; [`Code::InternalError`] if it panics.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // A verifier is immutable but for its key caches, and those replace whole values, so what a panic leaves behind
    // is consistent.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Code::InternalError.into()))
}
