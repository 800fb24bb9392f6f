//! Verifiers for the provider's tokens, and threads that use them.

use std::thread;

use jwtauth_core::Verifier;
use serde_json::{Value, json};

use crate::provider::{Provider, Result};

pub(crate) const THREADS: usize = 8;

/// A verifier for the provider's tokens with its keys from this source.
pub(crate) fn verifier(provider: &Provider, source: &Value) -> Result<Verifier> {
    let config = json!({
        "dialect": "native",
        "config": {
            "keys": [source],
            "algorithms": ["RS256", "ES256", "EdDSA"],
            "kid": "match",
            "issuer": provider.issuer,
            "audiences": provider.audiences,
        },
    });
    Verifier::from_json(&config.to_string()).map_err(|why| why.to_string())
}

/// Runs the same work on all threads concurrently.
pub(crate) fn on_threads<T: Send>(work: impl Fn() -> T + Sync) -> Result<Vec<T>> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(&work)).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended
            .map(|ended| ended.map_err(|_| "a thread has panicked".to_owned()))
            .collect()
    })
}
