//! Which `kid`s did a source not have, when it was asked a moment ago?
//!
//! Without this, one caller with a wrong `kid` would use up the source's right to a fetch again and again, and a key
//! that was just added would wait behind it.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::to_millis;

/// A small memory without locks: each `kid` has one place, and a later one there takes it.
#[derive(Debug)]
pub(super) struct Misses {
    /// Keyed anew in every verifier, so that nobody can aim at another's place.
    hasher: RandomState,
    /// The upper bits of a `kid`'s hash, and until when it is remembered, in milliseconds.
    places: Box<[AtomicU64]>,
}

impl Misses {
    pub(super) fn new() -> Misses {
        Misses {
            hasher: RandomState::new(),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Remembers until then that the source has no such key.
    pub(super) fn remember(&self, kid: &str, until: Duration) {
        if let Some((place, tag)) = self.place(kid) {
            place.store(tag | (to_millis(until) & TIME), Ordering::Release);
        }
    }

    /// Whether the source had no such key a moment ago.
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

/// How many are remembered; a power of two.
const PLACES: u64 = 256;

/// The bits of a place that hold a time: enough for thirty years. The other 24, and the place itself, tell one `kid`
/// from another.
const TIME: u64 = (1 << 40) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    #[test]
    fn a_miss_is_remembered_for_its_time() {
        let misses = Misses::new();
        misses.remember("a", NOW + Duration::from_secs(60));
        assert!(misses.contains("a", NOW));
        assert!(!misses.contains("b", NOW));
        assert!(misses.contains("a", NOW + Duration::from_secs(59)));
        assert!(!misses.contains("a", NOW + Duration::from_secs(60)));
    }

    #[test]
    fn a_flood_takes_no_more_room() {
        let misses = Misses::new();
        for number in 0..10_000 {
            misses.remember(&number.to_string(), NOW + Duration::from_secs(60));
        }
        assert_eq!(misses.places.len(), 256);
        let remembered = (0..10_000).filter(|number| misses.contains(&number.to_string(), NOW));
        assert!(remembered.count() <= 260);
    }
}
