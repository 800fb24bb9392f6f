//! One key source whose keys are fetched: its cached keys, whether they are due for a fetch, and the fetch itself.
//!
//! Deciding reads this state and never waits ([`RemoteSource::view`], [`RemoteSource::refresh`],
//! [`RemoteSource::miss`]). Only an [`Errand`](super::errand::Errand) fetches or waits ([`RemoteSource::turn`]).
//!
//! All state is atomic. A fetched set replaces the old one as a whole, and readers take it without a lock. At most one
//! thread fetches at a time: the one that holds the [`Slot`]. No lock is held during a fetch, so a child process that
//! was forked during a fetch can fetch too: the slot contains the id of the process that holds it, and waiting
//! threads poll.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};

use super::freshness;
use super::load::{Endpoint, Failure, Loaded, Loader};
use super::misses::Misses;
use super::report::Report;
use super::status::{FetchStatus, Keys, LastFailure, SourceState};
use crate::clock::to_millis;
use crate::error::{Code, Error, Result};
use crate::events::{FetchFailure, Observer};
use crate::keys::KeySet;
use crate::policy::url::without_query;

/// A key source whose keys are fetched.
#[derive(Debug)]
pub(super) struct RemoteSource {
    loader: Loader,
    observer: Option<Observer>,
    loaded: ArcSwapOption<Loaded>,
    failure: ArcSwapOption<Failure>,
    misses: Misses,
    counts: Counts,
    /// The id of the process that has a fetch in flight. Zero: none.
    in_flight: AtomicU64,
    /// The number of the last fetch that ended. The first fetch has the number one.
    last_ended: AtomicU64,
    /// When the last fetch began, in milliseconds.
    last_begun_at: AtomicU64,
    /// The end of the back-off after a failure, in milliseconds.
    retry_at: AtomicU64,
    /// The number of failures since the last success.
    failures_in_a_row: AtomicU64,
}

/// The counts that operators see. `fetches` is also the number of the last fetch that began.
#[derive(Debug, Default)]
struct Counts {
    fetches: AtomicU64,
    failures: AtomicU64,
    served_stale: AtomicU64,
    unknown_kid: AtomicU64,
}

/// The cached keys of a source as one decision sees them. They do not change while other threads fetch newer keys.
#[derive(Debug)]
pub(super) struct View {
    /// The number of the last fetch that had ended before the keys were read.
    pub(super) last_ended: u64,
    snapshot: Snapshot,
    validity: Validity,
}

#[derive(Debug)]
struct Snapshot(Guard<Option<Arc<Loaded>>>);

/// Whether cached keys can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Validity {
    Fresh,
    /// After about 80 % of their lifetime. A newer set should be fetched.
    Due,
    /// Expired, but used until a newer set can be fetched.
    Stale,
    /// There are no keys, or they are too old.
    Unusable,
}

/// What a decision needs from a source after the cached keys did not verify a token.
#[derive(Debug)]
pub(super) enum Miss {
    /// A newer set. It may be fetched.
    Fetch,
    /// A newer set. It cannot be fetched now.
    Failed(Error),
    /// Nothing. The cached keys decide.
    Final,
}

/// Which thread makes a fetch.
#[derive(Debug)]
pub(super) enum Turn<'s> {
    /// The calling thread.
    Mine(Slot<'s>),
    /// No thread: a fetch that counts has already ended.
    Ended,
    /// Another thread. Its fetch is in flight.
    InFlight,
}

impl RemoteSource {
    pub(super) fn new(loader: Loader, observer: Option<Observer>) -> RemoteSource {
        RemoteSource {
            loader,
            observer,
            loaded: ArcSwapOption::empty(),
            failure: ArcSwapOption::empty(),
            misses: Misses::new(),
            counts: Counts::default(),
            in_flight: AtomicU64::new(0),
            last_ended: AtomicU64::new(0),
            last_begun_at: AtomicU64::new(0),
            retry_at: AtomicU64::new(0),
            failures_in_a_row: AtomicU64::new(0),
        }
    }

    // Questions: none of these functions fetches or waits.

    /// The cached keys. With `since`, a fetch was made or awaited for this decision after fetch number `since`. If
    /// one succeeded, its keys are used at any age.
    pub(super) fn view(&self, since: Option<u64>) -> View {
        // This is read before the keys, so that a fetch that ends in between is noticed.
        let last_ended = self.last_ended();
        let snapshot = self.snapshot();
        let validity = match snapshot.loaded() {
            None => Validity::Unusable,
            Some(loaded) => {
                let now = self.now();
                if now < loaded.refresh_at || since.is_some_and(|since| self.outcome(since).is_ok()) {
                    Validity::Fresh
                } else if now < loaded.fresh_until {
                    Validity::Due
                } else if now < loaded.usable_until {
                    Validity::Stale
                } else {
                    Validity::Unusable
                }
            }
        };
        View {
            last_ended,
            snapshot,
            validity,
        }
    }

    /// Whether a decision should have newer keys fetched although the cached keys can be used. One fetch in flight is
    /// enough. Exception: if caching is disabled, every decision waits for a fetch.
    pub(super) fn refresh(&self, view: &View) -> bool {
        matches!(view.validity, Validity::Due | Validity::Stale)
            && !self.is_backing_off(self.now())
            && (self.caching_is_disabled() || !self.is_in_flight())
    }

    /// Whether each decision needs the keys that the server has now.
    pub(super) fn caching_is_disabled(&self) -> bool {
        self.loader.settings.cache_ttl.is_zero()
    }

    /// What a decision needs after the cached keys did not verify a token. It needs a newer set at most once in a
    /// cool-down; for a `kid` that the source recently did not have, once in two cool-downs.
    pub(super) fn miss(&self, unknown_kid: Option<&str>) -> Miss {
        let now = self.now();
        if unknown_kid.is_some_and(|kid| self.misses.contains(kid, now)) || self.is_cooling_down(now) {
            Miss::Final
        } else if self.is_backing_off(now) {
            Miss::Failed(self.unavailable())
        } else {
            Miss::Fetch
        }
    }

    /// What a decision needs after the fetch that [`Miss::Fetch`] led to, if it began after fetch number `since`.
    pub(super) fn miss_again(&self, view: &View, unknown_kid: Option<&str>, since: u64) -> Miss {
        if let Err(why) = self.outcome(since) {
            return Miss::Failed(why);
        }
        if let (Some(kid), Some(keys)) = (unknown_kid, view.keys())
            && keys.named(kid).next().is_none()
        {
            let until = self.now() + 2 * self.loader.settings.cool_down;
            self.misses.remember(kid, until);
        }
        Miss::Final
    }

    /// The reason why no keys are available and no fetch may be made now. `None`: a fetch may be made.
    pub(super) fn refusal(&self, since: Option<u64>) -> Option<Error> {
        (since.is_some() || self.is_backing_off(self.now())).then(|| self.unavailable())
    }

    /// The error of a `cached_only` request for which a fetch could be made.
    pub(super) fn not_cached(&self) -> Error {
        self.no_keys("keys must be fetched, but the request is `cached_only`")
    }

    /// Whether other keys have been cached since the view was made.
    pub(super) fn is_outdated(&self, view: &View) -> bool {
        let current = self.snapshot();
        match (current.loaded(), view.snapshot.loaded()) {
            (Some(current), Some(seen)) => !Arc::ptr_eq(&current.keys, &seen.keys),
            (current, seen) => current.is_some() != seen.is_some(),
        }
    }

    /// Counts a request with a `kid` that the source does not have.
    pub(super) fn count_unknown_kid(&self) {
        count(&self.counts.unknown_kid);
    }

    /// Counts a decision that used these keys.
    pub(super) fn used(&self, view: &View) {
        if view.validity == Validity::Stale {
            count(&self.counts.served_stale);
        }
    }

    /// Returns the outcome of the last fetch that began after fetch number `since`.
    ///
    /// # Errors
    /// The codes of class [`Unavailable`](crate::Class::Unavailable): the last failure, or that no fetch has ended.
    pub(super) fn outcome(&self, since: u64) -> Result<()> {
        if self.has_ended(since) && self.failures_in_a_row.load(Ordering::Acquire) == 0 {
            Ok(())
        } else {
            Err(self.unavailable())
        }
    }

    /// The number of the last fetch that began.
    pub(super) fn last_begun(&self) -> u64 {
        self.counts.fetches.load(Ordering::Acquire)
    }

    /// The number of the last fetch that ended.
    pub(super) fn last_ended(&self) -> u64 {
        self.last_ended.load(Ordering::Acquire)
    }

    fn has_ended(&self, since: u64) -> bool {
        self.last_ended() > since
    }

    /// The time limit of a fetch.
    pub(super) fn timeout(&self) -> Duration {
        self.loader.settings.timeout
    }

    /// The state of the source, of its keys, and of fetching.
    pub(super) fn status(&self) -> (SourceState, Keys, FetchStatus) {
        let now = self.now();
        let snapshot = self.snapshot();
        let loaded = snapshot.loaded();
        let state = match loaded {
            None => SourceState::Unfetched,
            Some(loaded) if now < loaded.fresh_until => SourceState::Fresh,
            Some(loaded) if now < loaded.usable_until => SourceState::Stale,
            Some(_) => SourceState::Expired,
        };
        let failing = self.failures_in_a_row.load(Ordering::Acquire) > 0;
        let due = loaded.map_or(Duration::ZERO, |loaded| loaded.refresh_at);
        let allowed = Duration::from_millis(self.retry_at.load(Ordering::Acquire));
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let status = FetchStatus {
            url: without_query(&self.loader.url).to_owned(),
            jwks_uri: loaded
                .filter(|_| self.loader.endpoint != Endpoint::Jwks)
                .map(|loaded| without_query(&loaded.url).to_owned()),
            age: loaded.map(|loaded| now.saturating_sub(loaded.at).as_secs()),
            next_refresh: due.max(allowed).saturating_sub(now).as_secs(),
            failing,
            last_failure: self.failure.load().as_ref().map(|failure| {
                let age = now.saturating_sub(failure.at).as_secs();
                LastFailure::new(&failure.failed, age)
            }),
            fetches: number(&self.counts.fetches),
            failures: number(&self.counts.failures),
            served_stale: number(&self.counts.served_stale),
            unknown_kid: number(&self.counts.unknown_kid),
            warnings: loaded.map(|loaded| loaded.warnings.to_vec()).unwrap_or_default(),
        };
        let keys = loaded.map(|loaded| Keys::of(&loaded.keys));
        (state, keys.unwrap_or_default(), status)
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot(self.loaded.load())
    }

    fn unavailable(&self) -> Error {
        match self.failure.load().as_ref() {
            Some(failure) if self.failures_in_a_row.load(Ordering::Acquire) > 0 => {
                failure.error(&self.loader.place)
            }
            _ => self.no_keys("timed out waiting for a response"),
        }
    }

    fn no_keys(&self, why: &str) -> Error {
        let (place, url) = (&self.loader.place, without_query(&self.loader.url));
        Error::new(Code::KeySourceUnavailable).with_detail(format!("`{place}`: {url}: {why}"))
    }

    fn now(&self) -> Duration {
        self.loader.now()
    }

    fn is_backing_off(&self, now: Duration) -> bool {
        to_millis(now) < self.retry_at.load(Ordering::Acquire)
    }

    /// Whether the last fetch is too recent for another fetch that a token causes. A fetch in flight always is, so that
    /// forged tokens do not wait for a server that hangs longer than a cool-down.
    fn is_cooling_down(&self, now: Duration) -> bool {
        if self.is_in_flight() {
            return true;
        }
        let begun_at = Duration::from_millis(self.last_begun_at.load(Ordering::Acquire));
        self.last_begun() > 0 && now.saturating_sub(begun_at) < self.loader.settings.cool_down
    }

    fn is_in_flight(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == this_process()
    }

    // The action: the fetch itself.

    /// Takes the right to fetch, unless another thread has it or a fetch after number `since` has ended. The slot of
    /// another process counts as free: a fork left it behind.
    pub(super) fn turn(&self, since: u64) -> Turn<'_> {
        if self.has_ended(since) {
            return Turn::Ended;
        }
        let holder = self.in_flight.load(Ordering::Acquire);
        let taken = holder != this_process()
            && self
                .in_flight
                .compare_exchange(holder, this_process(), Ordering::AcqRel, Ordering::Acquire)
                .is_ok();
        if !taken {
            return Turn::InFlight;
        }
        let slot = Slot {
            source: self,
            number: None,
        };
        // Checked again now that no other thread can begin, so that a fetch that has just ended is not repeated.
        if self.has_ended(since) {
            Turn::Ended
        } else {
            Turn::Mine(slot)
        }
    }

    /// Returns the number of usable keys.
    fn load(&self) -> Result<usize, FetchFailure> {
        self.last_begun_at.store(to_millis(self.now()), Ordering::Release);
        let unfinished = Unfinished(self);
        let outcome = self.loader.load(self.loaded.load().as_deref());
        std::mem::forget(unfinished);
        match outcome {
            Ok(loaded) => {
                let count = loaded.keys.all().filter(|key| key.is_usable()).count();
                self.loaded.store(Some(Arc::new(loaded)));
                self.failures_in_a_row.store(0, Ordering::Release);
                self.retry_at.store(0, Ordering::Release);
                Ok(count)
            }
            Err(failure) => {
                let reported = failure.reported();
                self.failed(failure);
                Err(reported)
            }
        }
    }

    /// Stores a failure and begins a back-off: one second, then two, then four, up to the cool-down.
    fn failed(&self, failure: Failure) {
        self.failure.store(Some(Arc::new(failure)));
        count(&self.counts.failures);
        let before = self.failures_in_a_row.fetch_add(1, Ordering::AcqRel);
        let doubled = Duration::from_secs(1 << before.min(10));
        let pause = freshness::jittered(doubled.min(self.loader.settings.cool_down));
        let retry_at = to_millis(self.now() + pause);
        self.retry_at.store(retry_at, Ordering::Release);
    }
}

impl View {
    /// Whether nothing needs to be done about the keys.
    pub(super) fn is_fresh(&self) -> bool {
        self.validity == Validity::Fresh
    }

    /// The keys, if they can be used.
    pub(super) fn keys(&self) -> Option<&KeySet> {
        self.set().map(Arc::as_ref)
    }

    /// The keys, to be compared with those of another view.
    pub(super) fn set(&self) -> Option<&Arc<KeySet>> {
        let usable = self.validity != Validity::Unusable;
        self.snapshot
            .loaded()
            .filter(|_| usable)
            .map(|loaded| &loaded.keys)
    }
}

impl Snapshot {
    fn loaded(&self) -> Option<&Loaded> {
        self.0.as_deref()
    }
}

/// The right to fetch from a source. It is released when dropped, also after a panic.
#[derive(Debug)]
pub(super) struct Slot<'s> {
    source: &'s RemoteSource,
    /// The number of the fetch, once it has begun.
    number: Option<u64>,
}

impl Slot<'_> {
    /// Fetches the keys and stores the outcome in the source.
    pub(super) fn fetch(self) {
        // Dropped last, also after a panic: the observer may use the verifier, which could wait for this slot.
        let mut report = Report::of(self.source.observer.as_ref(), &self.source.loader);
        let mut slot = self;
        slot.number = Some(count(&slot.source.counts.fetches));
        report.ends(slot.source.load());
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.source.last_ended.store(number, Ordering::Release);
        }
        self.source.in_flight.store(0, Ordering::Release);
    }
}

/// A fetch in progress. If it is dropped, a panic of the application's client ended the fetch. That counts as a
/// failure, so that threads that waited for it do not continue with expired keys.
struct Unfinished<'s>(&'s RemoteSource);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.failed(self.0.loader.aborted());
    }
}

fn this_process() -> u64 {
    u64::from(std::process::id())
}

/// Adds one and returns the new number.
fn count(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::AcqRel) + 1
}
