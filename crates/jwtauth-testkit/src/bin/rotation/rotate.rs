//! The effects of a key rotation on callers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use jwtauth_core::{Code, Request, Verifier};
use serde_json::json;

use crate::provider::{Provider, Result};
use crate::verifiers::{THREADS, on_threads, verifier};

const COOL_DOWN: Duration = Duration::from_secs(2);
/// The pauses between rotations: first two slow rotations, then two in one cool-down.
const ROTATIONS: [Duration; 4] = [
    Duration::from_millis(1_000),
    Duration::from_millis(2_500),
    Duration::from_millis(2_500),
    Duration::from_millis(300),
];
/// How long decisions continue after the last rotation.
const REST: Duration = Duration::from_millis(3_500);
/// Keys stay published after the next rotation, but not after the one that follows.
const PUBLISHED: usize = 2;
/// The time limit for the fetch that shows that a key was removed; until it ends, the previous set is used.
const FETCH: Duration = Duration::from_secs(1);

/// The tokens of one generation of keys.
struct Generation {
    tokens: Vec<String>,
    /// The provider began to publish the keys between these two times.
    asked: Instant,
    published: Instant,
}

/// The outcome of one decision on one thread.
struct Seen {
    generation: usize,
    began: Instant,
    ended: Instant,
    refused: Option<Code>,
}

pub(crate) fn run(provider: &mut Provider) -> Result<()> {
    let cool_down = format!("{}s", COOL_DOWN.as_secs());
    let verifier = verifier(
        provider,
        &json!({ "jwks_url": provider.jwks_uri, "cool_down": cool_down }),
    )?;
    let before = provider.requests()?;
    let start = Instant::now();
    let generations = RwLock::new(vec![generation(provider, start)?]);
    let stop = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let deciding = scope.spawn(|| on_threads(|| decide(&verifier, &generations, &stop)));
        let rotated = rotate(provider, &generations);
        stop.store(true, Ordering::Relaxed);
        rotated.and(deciding.join().map_err(|_| "no threads".to_owned())?)
    })?;
    let seen: Vec<Seen> = seen.into_iter().flatten().collect();
    let took = start.elapsed();
    let fetches = provider.requests()?.keys - before.keys;
    let source = verifier.key_status().into_iter().next();
    let counted = source
        .and_then(|source| source.fetching)
        .map(|fetching| fetching.fetches);
    if counted != Some(fetches) {
        return Err(format!(
            "the verifier counts {counted:?} fetches, the provider {fetches} requests"
        ));
    }
    let generations = generations.into_inner().unwrap_or_else(PoisonError::into_inner);
    report(&generations, &seen, took, fetches)
}

fn generation(provider: &mut Provider, asked: Instant) -> Result<Generation> {
    let published = Instant::now();
    Ok(Generation {
        tokens: provider.tokens()?,
        asked,
        published,
    })
}

fn rotate(provider: &mut Provider, generations: &RwLock<Vec<Generation>>) -> Result<()> {
    for pause in ROTATIONS {
        thread::sleep(pause);
        let asked = Instant::now();
        provider.rotate()?;
        let next = generation(provider, asked)?;
        generations
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(next);
    }
    thread::sleep(REST);
    Ok(())
}

/// Decides about the tokens of all generations in turn, also about those whose keys were removed.
fn decide(verifier: &Verifier, generations: &RwLock<Vec<Generation>>, stop: &AtomicBool) -> Vec<Seen> {
    let mut seen = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        // The provider needs a CPU core too.
        thread::sleep(Duration::from_millis(1));
        let generations = generations.read().unwrap_or_else(PoisonError::into_inner);
        for (generation, tokens) in generations.iter().enumerate() {
            for token in &tokens.tokens {
                let began = Instant::now();
                let decided = verifier.authenticate(&Request::bearer(token));
                seen.push(Seen {
                    generation,
                    began,
                    ended: Instant::now(),
                    refused: decided.err().map(|why| why.code()),
                });
            }
        }
    }
    seen
}

fn report(generations: &[Generation], seen: &[Seen], took: Duration, fetches: u64) -> Result<()> {
    let decisions = seen.len();
    let refused = seen.iter().filter(|seen| seen.refused.is_some()).count();
    println!(
        "{decisions} decisions by {THREADS} threads in {:.1} s, {refused} of them refused; {fetches} requests for keys",
        took.as_secs_f64(),
    );
    let mut wrong = Vec::new();
    for (number, generation) in generations.iter().enumerate() {
        let own = || seen.iter().filter(|seen| seen.generation == number);
        let first = own()
            .filter(|seen| seen.refused.is_none())
            .map(|seen| seen.ended)
            .min();
        let gone = generations.get(number + PUBLISHED);
        let while_published = |seen: &&Seen| gone.is_none_or(|next| seen.ended < next.asked);
        let late = own()
            .filter(while_published)
            .filter(|seen| seen.refused.is_some());
        let early = late.clone().count();
        match first {
            None => wrong.push(format!("generation {number} is never granted")),
            Some(first) => println!(
                "  generation {number}: granted {} ms after it was published, {early} refused until then",
                first.saturating_duration_since(generation.published).as_millis(),
            ),
        }
        wrong.extend(
            late.filter(|seen| seen.began >= generation.published + COOL_DOWN)
                .filter_map(|seen| seen.refused)
                .map(|code| format!("generation {number} is refused beyond the cool-down: {code}")),
        );
        let use_after = gone.map(|next| next.published + COOL_DOWN + FETCH);
        wrong.extend(
            own()
                .filter(|seen| use_after.is_some_and(|end| seen.began >= end))
                .filter(|seen| seen.refused != Some(Code::KeyNotFound))
                .map(|seen| {
                    format!(
                        "generation {number} was removed, and the outcome is {:?}",
                        seen.refused
                    )
                }),
        );
    }
    // The first fetch, and then at most one per cool-down.
    let most = 1 + took.as_millis() / COOL_DOWN.as_millis();
    if u128::from(fetches) > most {
        wrong.push(format!("{fetches} requests for keys; {most} is the most"));
    }
    let count = wrong.len();
    match wrong.into_iter().next() {
        None => Ok(()),
        Some(first) => Err(format!("{count} wrong answers, the first: {first}")),
    }
}
