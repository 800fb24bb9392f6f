//! Whether verifiers have keys.

use jwtauth_core::Verifier;
use jwtauth_core::status::SourceState;

/// Whether a verifier can check a signature without a fetch.
pub(crate) fn has_keys(verifier: &Verifier) -> bool {
    let sources = verifier.key_status();
    let is_usable = |state| !matches!(state, SourceState::Unfetched | SourceState::Expired);
    sources.is_empty() || sources.iter().any(|source| is_usable(source.state))
}
