//! The `kid`s that a source recently did not have.
//!
//! Without this memory, one caller with a wrong `kid` could use every fetch that the cool-down permits, and a new key
//! would not be found.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::to_millis;

/// A small set without locks. Each `kid` has one place; a later `kid` with the same place replaces it.
#[derive(Debug)]
pub(super) struct Misses {
    /// The hasher has random keys in each verifier, so that a caller cannot choose a `kid` that replaces another one.
    hasher: RandomState,
    /// The upper bits of a `kid`'s hash, and the time until which it is remembered, in milliseconds.
    places: Box<[AtomicU64]>,
}

impl Misses {
    pub(super) fn new() -> Misses {
        Misses {
            hasher: RandomState::new(),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Records that the source does not have the key, until the given time.
    pub(super) fn remember(&self, kid: &str, until: Duration) {
        if let Some((place, tag)) = self.place(kid) {
            place.store(tag | (to_millis(until) & TIME), Ordering::Release);
        }
    }

    /// Whether the source recently did not have the key.
    pub(super) fn contains(&self, kid: &str, now: Duration) -> bool {
        self.place(kid).is_some_and(|(place, tag)| {
            let remembered = place.load(Ordering::Acquire);
            remembered & !TIME == tag && to_millis(now) < remembered & TIME
        })
    }

    fn place(&self, kid: &str) -> Option<(&AtomicU64, u64)> {
        let hash = self.hasher.hash_one(kid);
        let index = usize::try_from(hash & (PLACES - 1)).ok()?;
        Some((self.places.get(index)?, hash & !TIME))
    }
}

/// The number of places. It is a power of two.
const PLACES: u64 = 256;

/// The bits of a place that contain the time: enough for thirty years. The other 24 bits and the place itself
/// identify the `kid`.
const TIME: u64 = (1 << 40) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    #[test]
    fn a_miss_is_remembered_until_the_given_time() {
        let misses = Misses::new();
        misses.remember("a", NOW + Duration::from_secs(60));
        assert!(misses.contains("a", NOW));
        assert!(!misses.contains("b", NOW));
        assert!(misses.contains("a", NOW + Duration::from_secs(59)));
        assert!(!misses.contains("a", NOW + Duration::from_secs(60)));
    }

    #[test]
    fn many_misses_do_not_use_more_memory() {
        let misses = Misses::new();
        for number in 0..10_000 {
            misses.remember(&number.to_string(), NOW + Duration::from_secs(60));
        }
        assert_eq!(misses.places.len(), 256);
        let remembered = (0..10_000).filter(|number| misses.contains(&number.to_string(), NOW));
        assert!(remembered.count() <= 260);
    }
}
