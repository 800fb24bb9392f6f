//! Verifiers for the provider's tokens, and threads that use them.

use std::thread;

use jwtauth_core::{Monotonic, Verifier};
use serde_json::{Value, json};

use crate::provider::{Provider, Result};

pub(crate) const THREADS: usize = 8;

/// A verifier, and the clock that measures the age of its keys. Only the test moves it.
pub(crate) struct Timed {
    pub(crate) verifier: Verifier,
    pub(crate) clock: Monotonic,
}

/// A verifier for the provider's tokens with its keys from this source.
pub(crate) fn verifier(provider: &Provider, source: &Value) -> Result<Timed> {
    let mut source = source.clone();
    // It only limits how long a provider can hang.
    if let Some(settings) = source.as_object_mut() {
        settings.insert("timeout".to_owned(), json!("60s"));
    }
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
    let clock = Monotonic::stopped();
    let built =
        Verifier::builder(&config.to_string()).and_then(|builder| builder.monotonic(clock.clone()).build());
    let verifier = built.map_err(|why| why.to_string())?;
    Ok(Timed { verifier, clock })
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
