//! Which keys does a URL give, right now?
//!
//! A set that was good is swapped in whole, and readers take it without a lock. At most one thread fetches at a
//! time; while it does, others go on with the set they have, and wait only when there is none. Nothing here holds a
//! lock across a fetch, so that a child forked in the middle of one can fetch for itself: the slot of a fetch in
//! flight names its process, and waiting is looking again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};

use super::freshness;
use super::load::{Endpoint, Failure, Loaded, Loader};
use super::misses::Misses;
use super::reach::{Now, Reach};
use super::status::{FetchStatus, LastFailure, SourceState};
use crate::error::{Code, Error, Result};
use crate::keys::KeySet;
use crate::policy::url::without_query;

/// A key set behind a URL.
#[derive(Debug)]
pub(crate) struct RemoteSource {
    loader: Loader,
    loaded: ArcSwapOption<Loaded>,
    failure: ArcSwapOption<Failure>,
    misses: Misses,
    /// The process that has a fetch in flight; zero: none.
    in_flight: AtomicU64,
    counts: Counts,
    /// When the last fetch began, in milliseconds; counts once there was one.
    last_attempt: AtomicU64,
    /// Which of all the process's fetches was the last one that ended here.
    last_ended: AtomicU64,
    /// Until when nothing is fetched after a failure, in milliseconds.
    retry_at: AtomicU64,
    /// How many fetches failed in a row.
    failures_in_a_row: AtomicU64,
}

/// The keys of one moment, if there are any. Cheap to take; what is taken stays as it is while others load newer keys.
#[derive(Debug)]
pub(crate) struct Snapshot(Guard<Option<Arc<Loaded>>>);

/// What became of a wish for newer keys.
#[derive(Debug)]
pub(crate) enum Refetched {
    /// There are other keys than those that were tried.
    Newer(Snapshot),
    /// There are none, and none may be asked for yet.
    NotNow,
    /// They could be asked for, and must not.
    OutOfReach(Error),
    /// They could not be had.
    Failed(Error),
}

#[derive(Debug, Default)]
struct Counts {
    /// Begun and ended; another thread may be between the two.
    fetches: AtomicU64,
    ended: AtomicU64,
    failures: AtomicU64,
    served_stale: AtomicU64,
    unknown_kid: AtomicU64,
}

impl RemoteSource {
    pub(crate) fn new(loader: Loader) -> RemoteSource {
        RemoteSource {
            loader,
            loaded: ArcSwapOption::empty(),
            failure: ArcSwapOption::empty(),
            misses: Misses::new(),
            in_flight: AtomicU64::new(0),
            counts: Counts::default(),
            last_attempt: AtomicU64::new(0),
            last_ended: AtomicU64::new(0),
            retry_at: AtomicU64::new(0),
            failures_in_a_row: AtomicU64::new(0),
        }
    }

    /// The keys to use now. Fetches, as far as it may, when there are none, or when it is time and nobody else does.
    ///
    /// # Errors
    /// The codes of class [`Unavailable`](crate::Class::Unavailable).
    pub(crate) fn current(&self, reach: Reach<'_>) -> Result<Snapshot> {
        let ended = self.ended();
        let now = self.now();
        let snapshot = self.snapshot();
        let (usable, stale) = match snapshot.loaded() {
            Some(loaded) if now < loaded.refresh_at => return Ok(snapshot),
            Some(loaded) => (now < loaded.usable_until, now >= loaded.fresh_until),
            None => (false, false),
        };
        match (reach, usable) {
            (Reach::Network, false) => return self.fetch_or_wait(ended).map(|()| self.snapshot()),
            (Reach::Now(call), false) if !self.may_fetch_for(call, now) => {
                return self.last_outcome().map(|()| self.snapshot());
            }
            (Reach::Now(call), false) => {
                call.note_due();
                return Err(self.out_of_reach(now));
            }
            // Only noted: such a source is asked in earnest for a token that the others do not know.
            (Reach::Refresh | Reach::RefreshNow(_), false) => return Err(Code::KeySourceUnavailable.into()),
            (Reach::Cache, false) => return Err(self.out_of_reach(now)),
            (Reach::Network | Reach::Refresh, true) if self.fetch_newer(ended, now) => {
                return Ok(self.snapshot());
            }
            (Reach::Now(call) | Reach::RefreshNow(call), true) if self.is_due(call, now) => {
                call.note_due();
                return Err(self.out_of_reach(now));
            }
            (_, true) => {}
        }
        if stale {
            count(&self.counts.served_stale);
        }
        Ok(snapshot)
    }

    /// Asks for newer keys than those that were tried: once in a cool-down, and for a `kid` that the source did not
    /// have only after twice that time.
    pub(crate) fn refetch(&self, tried: &Snapshot, unknown_kid: Option<&str>, reach: Reach<'_>) -> Refetched {
        let ended = self.ended();
        let newer = self.snapshot();
        if newer.differs_from(tried) {
            return Refetched::Newer(newer);
        }
        let now = self.now();
        let missed = unknown_kid.is_some_and(|kid| self.misses.contains(kid, now));
        let wanted = !missed && !self.is_cooling(now);
        if let Reach::Now(call) = reach
            && wanted
            && self.may_fetch_for(call, now)
        {
            call.note_due();
            return Refetched::OutOfReach(self.out_of_reach(now));
        }
        if unknown_kid.is_some() {
            count(&self.counts.unknown_kid);
        }
        if !wanted {
            return Refetched::NotNow;
        }
        let fetched = match reach {
            Reach::Network => self.fetch_or_wait(ended),
            Reach::Now(_) => self.last_outcome(),
            _ if !self.may_try(now) => Err(self.unavailable()),
            _ => return Refetched::OutOfReach(self.out_of_reach(now)),
        };
        if let Err(why) = fetched {
            return Refetched::Failed(why);
        }
        let newer = self.snapshot();
        if let (Some(kid), Some(loaded)) = (unknown_kid, newer.loaded())
            && loaded.keys.named(kid).next().is_none()
        {
            let until = self.now() + 2 * self.loader.settings.cool_down;
            self.misses.remember(kid, until);
        }
        if newer.differs_from(tried) {
            Refetched::Newer(newer)
        } else {
            Refetched::NotNow
        }
    }

    /// Fetches now, whatever is there. A fetch that began before does not do: whoever withdrew a key a moment ago wants
    /// the set without it.
    ///
    /// # Errors
    /// The codes of class [`Unavailable`](crate::Class::Unavailable).
    pub(crate) fn refresh(&self) -> Result<()> {
        let begun = self.counts.fetches.load(Ordering::Acquire);
        let deadline = Instant::now() + self.loader.settings.timeout;
        loop {
            match self.slot() {
                Some(_slot) if self.counts.fetches.load(Ordering::Acquire) == begun => return self.load(),
                Some(_slot) => return self.last_outcome(),
                None if Instant::now() >= deadline => return Err(self.unavailable()),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Whether its keys can be used, the keys, and how fetching goes.
    pub(crate) fn status(&self) -> (SourceState, Snapshot, FetchStatus) {
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
        };
        (state, snapshot, status)
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot(self.loaded.load())
    }

    /// Fetches where there are keys to go on with; whether that gave newer ones. Callers who find a fetch under way do
    /// not wait for it.
    fn fetch_newer(&self, ended: u64, now: Duration) -> bool {
        self.may_try(now) && (self.always_asks() || !self.is_in_flight()) && self.fetch_or_wait(ended).is_ok()
    }

    /// Whether an operator switched caching off, and so wants each request to see what the server says.
    fn always_asks(&self) -> bool {
        self.loader.settings.cache_ttl.is_zero()
    }

    /// Whether newer keys should be fetched for this call, although there are some.
    fn is_due(&self, call: &Now, now: Duration) -> bool {
        let fetching = call.others.fetching || self.is_in_flight();
        self.may_fetch_for(call, now) && (self.always_asks() || !fetching)
    }

    /// Whether a fetch may be made for this call, and none has ended since it began to wait.
    fn may_fetch_for(&self, call: &Now, now: Duration) -> bool {
        let shared = |since| self.last_ended.load(Ordering::Acquire) > since;
        self.may_try(now) && !call.others.since.is_some_and(shared)
    }

    /// Fetches if no failure is too recent, or shares what another thread is fetching. A caller who looked at the
    /// source when `ended` fetches had ended does not repeat one that has ended since.
    fn fetch_or_wait(&self, ended: u64) -> Result<()> {
        if !self.may_try(self.now()) {
            return Err(self.unavailable());
        }
        match self.slot() {
            Some(_slot) if self.ended() == ended => self.load(),
            Some(_) => self.last_outcome(),
            None => self.outcome_of_another(ended),
        }
    }

    /// Looks again and again, until the fetch has ended or the time for one is over. A condition variable would be
    /// quicker by a millisecond, and could be left locked for ever in a forked child.
    fn outcome_of_another(&self, ended: u64) -> Result<()> {
        let deadline = Instant::now() + self.loader.settings.timeout;
        while self.ended() == ended && self.is_in_flight() {
            if Instant::now() >= deadline {
                return Err(self.unavailable());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.last_outcome()
    }

    fn last_outcome(&self) -> Result<()> {
        if self.failures_in_a_row.load(Ordering::Acquire) == 0 && self.snapshot().loaded().is_some() {
            Ok(())
        } else {
            Err(self.unavailable())
        }
    }

    fn unavailable(&self) -> Error {
        match self.failure.load().as_ref() {
            Some(failure) if self.failures_in_a_row.load(Ordering::Acquire) > 0 => failure.error(),
            _ => self.no_keys("no answer in time"),
        }
    }

    /// What to say where a fetch is not wanted: that, or why the last one failed while none could be made anyway.
    fn out_of_reach(&self, now: Duration) -> Error {
        if self.may_try(now) {
            self.no_keys("keys have to be fetched, and the request is `cached_only`")
        } else {
            self.unavailable()
        }
    }

    fn no_keys(&self, why: &str) -> Error {
        Error::new(Code::KeySourceUnavailable)
            .with_detail(format!("{}: {why}", without_query(&self.loader.url)))
    }

    fn load(&self) -> Result<()> {
        count(&self.counts.fetches);
        let now = self.now();
        self.last_attempt.store(to_millis(now), Ordering::Release);
        let unfinished = Unfinished(self);
        let outcome = self.loader.load(self.loaded.load().as_deref());
        std::mem::forget(unfinished);
        match outcome {
            Ok(loaded) => {
                self.loaded.store(Some(Arc::new(loaded)));
                self.failures_in_a_row.store(0, Ordering::Release);
                self.retry_at.store(0, Ordering::Release);
                Ok(())
            }
            Err(failure) => Err(self.failed(failure)),
        }
    }

    /// Keeps a failure. The next call waits a second, then two, then four, up to the cool-down.
    fn failed(&self, failure: Failure) -> Error {
        let error = failure.error();
        self.failure.store(Some(Arc::new(failure)));
        count(&self.counts.failures);
        let before = self.failures_in_a_row.fetch_add(1, Ordering::AcqRel);
        let doubled = Duration::from_secs(1 << before.min(10));
        let pause = freshness::jittered(doubled.min(self.loader.settings.cool_down));
        let retry_at = to_millis(self.now() + pause);
        self.retry_at.store(retry_at, Ordering::Release);
        error
    }

    fn now(&self) -> Duration {
        self.loader.now()
    }

    /// How many fetches have ended, well or not.
    fn ended(&self) -> u64 {
        self.counts.ended.load(Ordering::Acquire)
    }

    /// Whether the pause after a failure is over.
    fn may_try(&self, now: Duration) -> bool {
        to_millis(now) >= self.retry_at.load(Ordering::Acquire)
    }

    /// Whether the last fetch is too recent for another one that a token asks for.
    fn is_cooling(&self, now: Duration) -> bool {
        let last = Duration::from_millis(self.last_attempt.load(Ordering::Acquire));
        let fetched = self.counts.fetches.load(Ordering::Acquire) > 0;
        fetched && now.saturating_sub(last) < self.loader.settings.cool_down
    }

    fn is_in_flight(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == this_process()
    }

    /// Takes the slot of the fetch in flight, also from another process, which left it behind in a fork.
    fn slot(&self) -> Option<Slot<'_>> {
        let taken = self.in_flight.load(Ordering::Acquire);
        if taken == this_process() {
            return None;
        }
        self.in_flight
            .compare_exchange(taken, this_process(), Ordering::AcqRel, Ordering::Acquire)
            .ok()
            .map(|_| Slot(self))
    }
}

impl Snapshot {
    /// The keys of that moment.
    pub(crate) fn keys(&self) -> Option<&KeySet> {
        self.loaded().map(|loaded| loaded.keys.as_ref())
    }

    fn loaded(&self) -> Option<&Loaded> {
        self.0.as_deref()
    }

    /// Whether the keys are others; the same keys that were confirmed are not.
    fn differs_from(&self, other: &Snapshot) -> bool {
        match (self.loaded(), other.loaded()) {
            (Some(this), Some(other)) => !Arc::ptr_eq(&this.keys, &other.keys),
            (this, other) => this.is_some() != other.is_some(),
        }
    }
}

/// A fetch under way. Dropped, it is one that a panic of the host's client broke off: a failure like others, so that
/// nobody who waited for it goes on with keys whose time is over.
struct Unfinished<'s>(&'s RemoteSource);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.failed(self.0.loader.broken_off());
    }
}

/// The right to fetch; given back when dropped, also by a panic.
struct Slot<'s>(&'s RemoteSource);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let number = FETCHES_ENDED.fetch_add(1, Ordering::AcqRel) + 1;
        self.0.last_ended.store(number, Ordering::Release);
        count(&self.0.counts.ended);
        self.0.in_flight.store(0, Ordering::Release);
    }
}

/// How many fetches have ended in this process.
pub(crate) fn fetches_ended() -> u64 {
    FETCHES_ENDED.load(Ordering::Acquire)
}

fn this_process() -> u64 {
    u64::from(std::process::id())
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::AcqRel);
}

/// Whole milliseconds, for instants that are kept in an atomic number.
pub(super) fn to_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

static FETCHES_ENDED: AtomicU64 = AtomicU64::new(0);

#[cfg(test)]
mod tests;
