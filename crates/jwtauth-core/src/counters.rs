//! Counts of the decisions of a verifier.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::race::OnceBox;
use serde::Serialize;

use crate::error::{Class, Code};
use crate::stripe::{self, STRIPES};

/// What a verifier has done since it was built. Every count only grows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// The number of grants.
    pub granted: u64,
    /// The number of denials by code. Codes that never occurred are left out.
    pub denied: BTreeMap<&'static str, u64>,
    /// The number of requests without a decision because keys could not be fetched, by code.
    pub unavailable: BTreeMap<&'static str, u64>,
    /// The number of grants that the token cache remembered. They are also part of `granted`.
    pub token_cache_hits: u64,
    /// The sources that fetch their keys, in the order of the policy.
    pub sources: Vec<SourceCounters>,
}

/// What a source has fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SourceCounters {
    /// The path of the source in the configuration.
    pub source: String,
    /// The number of fetches.
    pub fetches: u64,
    /// The number of failed fetches.
    pub failures: u64,
}

/// The counts of one verifier. A verifier is small, because a program may have many; so these are, too.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// In several parts, because grants are frequent and on many threads.
    granted: Box<[Part; PARTS]>,
    /// Made by the first failure. A failure does not wait for another one that is making them: in a forked child, the thread
    /// that began may not exist.
    failed: OnceBox<Failures>,
}

/// The counts of failures, in the order of the codes.
type Failures = [AtomicU64; Code::ALL.len()];

/// Threads with different parts do not write to the same memory.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Part(AtomicU64);

const PARTS: usize = STRIPES / 2;

impl Tally {
    /// Counts a grant.
    #[inline]
    pub(crate) fn granted(&self) {
        if let Some(Part(count)) = self.granted.get(stripe::of_this_thread() % PARTS) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, code: Code) {
        self.failed_with(code, none);
    }

    /// Counts a failure. `none` makes the counts if there are none.
    fn failed_with(&self, code: Code, none: impl FnOnce() -> Box<Failures>) {
        if let Some(count) = self.failed.get_or_init(none).get(code as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The sums of all threads.
    pub(crate) fn counters(&self, token_cache_hits: u64, sources: Vec<SourceCounters>) -> Counters {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut counters = Counters {
            granted: self.granted.iter().map(|Part(count)| read(count)).sum(),
            denied: BTreeMap::new(),
            unavailable: BTreeMap::new(),
            token_cache_hits,
            sources,
        };
        let failed = self.failed.get().into_iter().flat_map(|counts| counts.iter());
        for (code, count) in Code::ALL.iter().zip(failed.map(read)) {
            let by_code = match code.class() {
                Class::Denied => &mut counters.denied,
                // A decision fails with no code of the other classes.
                Class::Unavailable | Class::Config | Class::Argument | Class::Internal => {
                    &mut counters.unavailable
                }
            };
            if count > 0 {
                by_code.insert(code.as_str(), count);
            }
        }
        counters
    }
}

fn none() -> Box<Failures> {
    Box::new([const { AtomicU64::new(0) }; Code::ALL.len()])
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn the_counts_of_all_threads_are_added() {
        let tally = Tally::default();
        let count = || {
            for _ in 0..100 {
                tally.granted();
                tally.failed(Code::TokenExpired);
                tally.failed(Code::KeySourceUnavailable);
            }
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(count);
            }
        });
        let counters = tally.counters(7, Vec::new());
        assert_eq!(
            serde_json::to_string(&counters).unwrap(),
            r#"{"granted":400,"denied":{"token_expired":400},"unavailable":{"key_source_unavailable":400},"token_cache_hits":7,"sources":[]}"#
        );
    }

    #[test]
    fn a_first_failure_does_not_wait_for_another_one() {
        let tally = Tally::default();
        // As in a child that was forked at this moment, the first one does not end before the second one.
        tally.failed_with(Code::TokenExpired, || {
            tally.failed(Code::TokenMalformed);
            none()
        });
        let counters = tally.counters(0, Vec::new());
        let denied: Vec<_> = counters.denied.into_iter().collect();
        assert_eq!(denied, [("token_expired", 1), ("token_malformed", 1)]);
    }
}
