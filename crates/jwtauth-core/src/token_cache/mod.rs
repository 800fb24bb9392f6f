//! Tokens that were granted, with their grants (`docs/decisions/0018-…`).
//!
//! Only what depends on nothing but the token and the policy is remembered. What depends on the request, the time or the
//! keys is checked at each hit, by the code that decides without a cache. If one of these checks fails, there is no hit,
//! and the request is decided as without a cache.

mod kept;
mod size;
mod slots;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use ipnet::IpNet;
use serde::Serialize;

pub use self::kept::{Granted, Kept};
use self::slots::Slots;
use crate::claims::NumericDate;
use crate::grant::Grant;
use crate::pipeline::extract;
use crate::pipeline::validate::TimeChecks;
use crate::request::Request;
use crate::sources::{Cached, KeyStore, Next, SetsInUse};
use crate::stripe::{self, STRIPES};

/// The limits of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The limit for the memory of the entries, in bytes.
    pub(crate) bytes: usize,
    /// How long a grant is remembered.
    pub(crate) ttl: Duration,
}

/// The cache of a verifier.
#[derive(Debug)]
pub(crate) struct TokenCache {
    limits: Limits,
    /// The entries, and the key sets that verified them. With other sets, it begins anew.
    current: ArcSwapOption<Generation>,
    hasher: RandomState,
    counts: [Counts; STRIPES],
}

/// The entries that were made with the same key sets.
#[derive(Debug)]
struct Generation {
    sets: SetsInUse,
    entries: Slots<Entry>,
}

/// What the outcome depends on, apart from the policy, the keys, the time and the address of the caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'r> {
    /// The token, as it was extracted from the request.
    pub(crate) token: &'r str,
    pub(crate) profile: Option<&'r str>,
    pub(crate) requested_org: Option<u64>,
}

/// What a decision adds to its grant, so that a later request can have the same grant.
#[derive(Debug)]
pub(crate) struct Conditions<'p> {
    pub(crate) times: TimeChecks,
    /// The networks of the profile that decided.
    pub(crate) networks: &'p [IpNet],
}

#[derive(Debug)]
struct Entry {
    token: Box<str>,
    profile: Option<Box<str>>,
    requested_org: Option<u64>,
    times: TimeChecks,
    networks: Box<[IpNet]>,
    granted_at: NumericDate,
    kept: Arc<Kept>,
}

/// The state of the cache of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TokenCacheStatus {
    /// The number of requests that got a remembered grant.
    pub hits: u64,
    /// The number of requests that were decided without the cache. Those without a token are not counted.
    pub misses: u64,
    /// The number of remembered grants.
    pub entries: usize,
    /// The approximate memory of the remembered grants, in bytes.
    pub bytes: usize,
}

impl TokenCache {
    /// Creates an empty cache.
    pub(crate) fn new(limits: Limits) -> TokenCache {
        TokenCache {
            limits,
            current: ArcSwapOption::empty(),
            hasher: RandomState::new(),
            counts: Default::default(),
        }
    }

    /// Returns what `make` makes from the remembered grant for a request. `None`: the request must be decided.
    ///
    /// The grant is lent, because a counted reference would be written to by all threads that find it.
    #[inline]
    pub(crate) fn find<T>(
        &self,
        question: Question<'_>,
        request: &Request<'_>,
        keys: &KeyStore,
        now: NumericDate,
        make: impl FnOnce(&Arc<Kept>) -> T,
    ) -> Option<T> {
        let found = self.look_up(question, request, keys, now, make);
        let counts = self.counts.get(stripe::of_this_thread());
        if let Some(counts) = counts {
            let count = if found.is_some() {
                &counts.hits
            } else {
                &counts.misses
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
        found
    }

    #[inline]
    fn look_up<T>(
        &self,
        question: Question<'_>,
        request: &Request<'_>,
        keys: &KeyStore,
        now: NumericDate,
        make: impl FnOnce(&Arc<Kept>) -> T,
    ) -> Option<T> {
        let generation = self.current.load();
        let generation = generation.as_ref()?;
        let hash = self.hash(question.token);
        let found = |entry: &Entry| {
            if !entry.answers(question) || !entry.holds(request, now, self.limits.ttl) {
                return false;
            }
            let cached = keys.cached(None);
            if !cached.has(&generation.sets) {
                // The memory of all entries is released, and not only when the next grant is remembered.
                self.current.store(None);
                return false;
            }
            // If a decision would fetch, it is made. This also counts the use of stale keys, so it is the last check.
            matches!(cached.after_hit(request.cached_only), Next::Decide)
        };
        generation.entries.find(hash, found, |entry| make(&entry.kept))
    }

    /// A grant that can be remembered.
    pub(crate) fn keep(grant: Grant) -> Arc<Kept> {
        Arc::new(Kept::new(grant))
    }

    /// Remembers a grant. `cached` are the keys that verified its token.
    pub(crate) fn insert(
        &self,
        question: Question<'_>,
        kept: Arc<Kept>,
        conditions: Conditions<'_>,
        cached: &Cached<'_>,
        now: NumericDate,
    ) {
        let Some(generation) = self.generation(cached) else {
            return;
        };
        let entry = Entry {
            token: question.token.into(),
            profile: question.profile.map(Into::into),
            requested_org: question.requested_org,
            times: conditions.times,
            networks: conditions.networks.into(),
            granted_at: now,
            kept,
        };
        let size = entry.size();
        let same = |other: &Entry| other.answers(question);
        generation
            .entries
            .insert(self.hash(question.token), size, entry, same);
    }

    /// The sum of the counts, and the size of the cache.
    pub(crate) fn status(&self) -> TokenCacheStatus {
        let sum = |count: fn(&Counts) -> &AtomicU64| {
            let counts = self.counts.iter().map(count);
            counts.map(|count| count.load(Ordering::Relaxed)).sum()
        };
        let generation = self.current.load();
        let size = |size: fn(&Slots<Entry>) -> usize| {
            let entries = generation.as_ref().map(|generation| &generation.entries);
            entries.map_or(0, size)
        };
        TokenCacheStatus {
            hits: sum(|counts| &counts.hits),
            misses: sum(|counts| &counts.misses),
            entries: size(Slots::entries),
            bytes: size(Slots::bytes),
        }
    }

    /// Returns the generation of these keys. `None` if a decision with them may depend on more than the sets.
    fn generation(&self, cached: &Cached<'_>) -> Option<Arc<Generation>> {
        let current = self.current.load();
        if let Some(current) = current.as_ref().filter(|current| cached.has(&current.sets)) {
            return Some(Arc::clone(current));
        }
        let new = Arc::new(Generation {
            sets: cached.sets_in_use()?,
            entries: Slots::new(self.limits.bytes),
        });
        // If another thread does the same, one of the two generations is lost.
        self.current.store(Some(Arc::clone(&new)));
        Some(new)
    }

    /// Hashes the end of the token, which is a part of its signature and so as good as random. The whole question is compared
    /// afterwards. The seed makes hashes unpredictable for callers. All entries of a token are in one row, so that a caller
    /// who names many organisations displaces few others.
    fn hash(&self, token: &str) -> u64 {
        let end = token.as_bytes().get(token.len().saturating_sub(TAIL)..);
        self.hasher.hash_one((end, token.len()))
    }
}

impl Entry {
    /// Whether the entry is for exactly this question.
    fn answers(&self, question: Question<'_>) -> bool {
        *self.token == *question.token
            && self.profile.as_deref() == question.profile
            && self.requested_org == question.requested_org
    }

    /// Whether the token is valid at this time, the caller's address is allowed, and the entry is not too old. If the clock
    /// was set back, the entry counts as too old.
    fn holds(&self, request: &Request<'_>, now: NumericDate, ttl: Duration) -> bool {
        self.granted_at <= now
            && now < self.granted_at.plus(ttl)
            && self.times.hold(now)
            && extract::address(request, &self.networks, &mut ()).is_ok()
    }
}

/// The counts of some of the threads. Threads with counts of their own do not write to the same memory.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
}

/// The number of bytes at the end of a token that are hashed. The shortest signature, of HS256, has 43.
const TAIL: usize = 32;
