//! Rotates a real provider's keys while eight threads decide about its tokens, and floods verifiers with unknown `kid`s:
//! `rotation SCRIPT`, the script being a provider that takes commands (`tests/oidc/rotation.mjs`).

mod flood;
mod provider;
mod rotate;

use std::process::ExitCode;
use std::thread;

use jwtauth_core::Verifier;
use serde_json::{Value, json};

use crate::provider::Provider;

type Result<T> = std::result::Result<T, String>;

const THREADS: usize = 8;

fn main() -> ExitCode {
    let ran = std::env::args()
        .nth(1)
        .ok_or_else(|| "usage: rotation SCRIPT".to_owned())
        .and_then(|script| run(&script));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run(script: &str) -> Result<()> {
    let mut provider = Provider::start(script)?;
    flood::run(&mut provider)?;
    rotate::run(&mut provider)
}

/// A verifier for the provider's tokens with its keys from this source.
fn verifier(provider: &Provider, source: &Value) -> Result<Verifier> {
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

/// Does the same on all threads at once.
fn on_threads<T: Send>(work: impl Fn() -> T + Sync) -> Result<Vec<T>> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(&work)).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended
            .map(|ended| ended.map_err(|_| "a thread has panicked".to_owned()))
            .collect()
    })
}
