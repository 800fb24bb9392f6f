//! The effects of a key rotation on callers.
//!
//! The clock of the verifier moves only here. So it is known which decisions may fetch, and their outcomes do not depend
//! on how long anything takes.

use std::time::Duration;

use jwtauth_core::{Code, Request, Verifier};
use serde_json::json;

use crate::provider::{Provider, Result};
use crate::verifiers::{THREADS, Timed, on_threads, verifier};

const COOL_DOWN: Duration = Duration::from_secs(30);
/// The numbers of rotations in one cool-down.
const ROTATIONS: [usize; 4] = [1, 1, 2, 3];
/// Keys stay published after the next rotation, but not after the one that follows.
const PUBLISHED: usize = 2;

/// The tokens of one generation of keys.
type Generation = Vec<String>;

/// Which generations are granted. The others are refused, because the cached set does not have their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    first: usize,
    last: usize,
}

pub(crate) fn run(provider: &mut Provider) -> Result<()> {
    let source = json!({ "jwks_url": provider.jwks_uri, "cool_down": format!("{}s", COOL_DOWN.as_secs()) });
    let Timed { verifier, clock } = verifier(provider, &source)?;
    let before = provider.requests()?.keys;
    let mut generations: Vec<Generation> = vec![provider.tokens()?];
    let mut known = Known { first: 0, last: 0 };
    let (mut fetches, mut decisions) = (1, 0);
    decisions += decide(&verifier, &generations, &[known])?;
    for rotations in ROTATIONS {
        for _ in 0..rotations {
            provider.rotate()?;
            generations.push(provider.tokens()?);
        }
        // The new keys are not cached, and a fetch is not allowed yet.
        decisions += decide(&verifier, &generations, &[known])?;
        clock.advance(COOL_DOWN);
        let last = generations.len() - 1;
        let next = Known {
            first: (last + 1).saturating_sub(PUBLISHED),
            last,
        };
        // One thread fetches. The others decide with the cached keys until the fetch has ended.
        decisions += decide(&verifier, &generations, &[known, next])?;
        decisions += decide(&verifier, &generations, &[next])?;
        known = next;
        fetches += 1;
        let received = provider.requests()?.keys - before;
        let counted = verifier.key_status().into_iter().next();
        let counted = counted
            .and_then(|source| source.fetching)
            .map(|fetching| fetching.fetches);
        if (received, counted) != (fetches, Some(fetches)) {
            return Err(format!(
                "{fetches} fetches are due; the verifier counts {counted:?}, the provider {received} requests"
            ));
        }
    }
    let generations = generations.len();
    println!(
        "{decisions} decisions by {THREADS} threads about {generations} generations of keys; {fetches} fetches"
    );
    Ok(())
}

/// Decides about the tokens of all generations on all threads, and returns the number of decisions. Each outcome must be
/// that of one of these sets.
fn decide(verifier: &Verifier, generations: &[Generation], sets: &[Known]) -> Result<usize> {
    let all = on_threads(|| {
        for (number, tokens) in generations.iter().enumerate() {
            for token in tokens {
                let refused = verifier.authenticate(&Request::bearer(token)).err();
                let refused = refused.map(|why| why.code());
                let fits = |known: &Known| {
                    let granted = (known.first..=known.last).contains(&number);
                    refused == (!granted).then_some(Code::KeyNotFound)
                };
                if !sets.iter().any(fits) {
                    return Err(format!(
                        "generation {number} has the outcome {refused:?}, with {sets:?}"
                    ));
                }
            }
        }
        Ok(generations.iter().map(Vec::len).sum::<usize>())
    });
    all?.into_iter().sum()
}
