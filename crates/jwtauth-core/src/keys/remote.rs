//! Which keys does a URL give, right now?
//!
//! A set that was good is swapped in whole, and readers take it without a lock. At most one thread fetches at a
//! time; while it does, others go on with the set they have, and wait only when there is none. Nothing here holds a
//! lock across a fetch, so that a child forked in the middle of one can fetch for itself: the slot of a fetch in
//! flight names its process, and waiting is looking again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use super::fetch::{Fetch, FetchRequest, Fetched};
use super::{Algorithms, KeySet, discovery, freshness, store};
use crate::clock::Monotonic;
use crate::error::{Code, Error, Result};
use crate::policy::Remote;

/// A key set behind a URL.
#[derive(Debug)]
pub(crate) struct RemoteSource {
    url: String,
    kind: Kind,
    settings: Remote,
    allowed: Algorithms,
    fetch: Arc<dyn Fetch>,
    clock: Monotonic,
    started: Instant,
    loaded: ArcSwapOption<Loaded>,
    /// The process that has a fetch in flight; zero: none.
    in_flight: AtomicU64,
    /// When the last fetch began, in milliseconds since `started`, plus one; zero: never.
    last_attempt: AtomicU64,
    /// How many fetches failed in a row.
    failures: AtomicU32,
    last_failure: ArcSwapOption<Error>,
}

/// What the URL leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The key set itself.
    Jwks,
    /// An issuer, whose metadata says where the key set is (OIDC Discovery 1.0 §4). With `advertised`, keys are used
    /// with the algorithms that the metadata names, RS256 if it names none.
    Discovery { advertised: bool },
}

/// A set that was fetched.
#[derive(Debug)]
struct Loaded {
    /// Where the set was, and with which algorithms its keys were prepared.
    url: String,
    allowed: Algorithms,
    keys: Arc<KeySet>,
    /// From then on the first caller looks for a newer set.
    refresh_at: Instant,
    /// Until then it is used while fetching fails.
    usable_until: Instant,
    etag: Option<String>,
    last_modified: Option<String>,
}

/// What became of a wish for newer keys.
#[derive(Debug)]
pub(crate) enum Refetched {
    /// There are other keys than those that were tried.
    Newer,
    /// There are none, and none may be asked for yet.
    NotNow,
    /// They could not be had.
    Failed(Error),
}

impl RemoteSource {
    pub(crate) fn new(
        url: &str,
        kind: Kind,
        settings: Remote,
        allowed: Algorithms,
        fetch: Arc<dyn Fetch>,
        clock: Monotonic,
    ) -> RemoteSource {
        RemoteSource {
            url: url.to_owned(),
            kind,
            settings,
            allowed,
            fetch,
            started: clock.now(),
            clock,
            loaded: ArcSwapOption::empty(),
            in_flight: AtomicU64::new(0),
            last_attempt: AtomicU64::new(0),
            failures: AtomicU32::new(0),
            last_failure: ArcSwapOption::empty(),
        }
    }

    /// The keys to use now. Fetches when there are none, or when it is time and nobody else does.
    ///
    /// # Errors
    /// The codes of class [`Unavailable`](crate::Class::Unavailable).
    pub(crate) fn current(&self) -> Result<Arc<KeySet>> {
        let now = self.clock.now();
        let loaded = self.loaded.load_full();
        match &loaded {
            Some(loaded) if now < loaded.refresh_at => Ok(Arc::clone(&loaded.keys)),
            Some(usable) if now < usable.usable_until => {
                // An operator who switched caching off wants each request to see what the server says; else those
                // who find a fetch under way go on with the keys they have.
                let newer = if self.settings.cache_ttl.is_zero() {
                    self.fetch_or_wait(loaded.as_ref())
                } else {
                    self.fetch_alone(loaded.as_ref())
                };
                newer.or_else(|_| Ok(Arc::clone(&usable.keys)))
            }
            _ => self.fetch_or_wait(loaded.as_ref()),
        }
    }

    /// Asks for newer keys than those that were tried, once in a cool-down.
    pub(crate) fn refetch(&self, tried: &Arc<KeySet>) -> Refetched {
        let loaded = self.loaded.load_full();
        if loaded
            .as_ref()
            .is_some_and(|loaded| !Arc::ptr_eq(&loaded.keys, tried))
        {
            return Refetched::Newer;
        }
        let cooling = |since: Duration| since < self.settings.cool_down;
        if self.since_last_attempt().is_some_and(cooling) {
            return Refetched::NotNow;
        }
        match self.fetch_or_wait(loaded.as_ref()) {
            Ok(keys) if Arc::ptr_eq(&keys, tried) => Refetched::NotNow,
            Ok(_) => Refetched::Newer,
            Err(why) => Refetched::Failed(why),
        }
    }

    /// Fetches now.
    ///
    /// # Errors
    /// The codes of class [`Unavailable`](crate::Class::Unavailable).
    pub(crate) fn refresh(&self) -> Result<()> {
        let before = self.loaded.load_full();
        match self.slot() {
            Some(_slot) => self.load().map(|_| ()),
            None => self.outcome_of_another(before.as_ref()).map(|_| ()),
        }
    }

    /// Fetches if nobody else does and no failure is too recent.
    fn fetch_alone(&self, before: Option<&Arc<Loaded>>) -> Result<Arc<KeySet>> {
        self.wait_after_failures()?;
        match self.slot() {
            Some(_slot) => self.newer(before).map_or_else(|| self.load(), Ok),
            None => Err(self.unavailable()),
        }
    }

    /// Fetches, or shares what another thread is fetching.
    fn fetch_or_wait(&self, before: Option<&Arc<Loaded>>) -> Result<Arc<KeySet>> {
        self.wait_after_failures()?;
        match self.slot() {
            // Another may have finished between the look at the keys and the taking of the slot.
            Some(_slot) => self.newer(before).map_or_else(|| self.load(), Ok),
            None => self.outcome_of_another(before),
        }
    }

    fn outcome_of_another(&self, before: Option<&Arc<Loaded>>) -> Result<Arc<KeySet>> {
        self.wait(|| self.newer(before).is_some() || self.in_flight.load(Ordering::Acquire) == 0);
        self.newer(before).ok_or_else(|| self.unavailable())
    }

    /// The keys, if others were loaded than before.
    fn newer(&self, before: Option<&Arc<Loaded>>) -> Option<Arc<KeySet>> {
        let loaded = self.loaded.load_full()?;
        let same = before.is_some_and(|before| Arc::ptr_eq(before, &loaded));
        (!same).then(|| Arc::clone(&loaded.keys))
    }

    fn unavailable(&self) -> Error {
        self.last_failure.load_full().map_or_else(
            || {
                Error::new(Code::KeySourceUnavailable)
                    .with_detail(format!("{}: no answer in time", place(&self.url)))
            },
            |why| Error::clone(&why),
        )
    }

    /// Looks again and again, until it holds or the time for a fetch is over. A condition variable would be quicker
    /// by a millisecond, and could be left locked for ever in a forked child.
    fn wait(&self, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + self.settings.timeout;
        while !holds() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn load(&self) -> Result<Arc<KeySet>> {
        let millis = u64::try_from(self.since_start().as_millis()).unwrap_or(u64::MAX - 1);
        self.last_attempt.store(millis + 1, Ordering::Release);
        match self.fetch_keys() {
            Ok(keys) => {
                self.failures.store(0, Ordering::Release);
                self.last_failure.store(None);
                Ok(keys)
            }
            Err(why) => {
                self.failures.fetch_add(1, Ordering::AcqRel);
                self.last_failure.store(Some(Arc::new(why.clone())));
                Err(why)
            }
        }
    }

    fn fetch_keys(&self) -> Result<Arc<KeySet>> {
        let (url, allowed) = match self.kind {
            Kind::Jwks => (self.url.clone(), self.allowed),
            Kind::Discovery { advertised } => {
                let metadata = discovery::metadata_url(&self.url);
                let document = self.get(&metadata, discovery::MAX_BYTES, None, Code::DiscoveryFailed)?;
                let metadata =
                    discovery::Metadata::read(&document.body, &self.url, self.settings.insecure_http)
                        .map_err(|why| self.located(&why))?;
                let named = if advertised {
                    metadata.algorithms
                } else {
                    self.allowed
                };
                (metadata.jwks_uri, named.intersection(self.allowed))
            }
        };
        // What a server said about one document says nothing about another.
        let before = self
            .loaded
            .load_full()
            .filter(|before| before.url == url && before.allowed == allowed);
        let fetched = self.get(
            &url,
            self.settings.max_bytes,
            before.as_deref(),
            Code::KeySourceUnavailable,
        )?;
        let keys = match (fetched.status, &before) {
            (304, Some(before)) => Arc::clone(&before.keys),
            _ => {
                let text = std::str::from_utf8(&fetched.body)
                    .map_err(|_| Error::new(Code::KeySetInvalid).with_detail("it is not UTF-8"));
                let keys = text.and_then(|text| store::fetched_set(text, allowed));
                Arc::new(keys.map_err(|why| self.located(&why))?)
            }
        };
        let now = self.clock.now();
        let ttl = freshness::ttl(&fetched, self.settings.cache_ttl);
        let (etag, last_modified) = match &before {
            Some(before) if fetched.status == 304 => (before.etag.clone(), before.last_modified.clone()),
            _ => (None, None),
        };
        self.loaded.store(Some(Arc::new(Loaded {
            url,
            allowed,
            keys: Arc::clone(&keys),
            refresh_at: now + freshness::refresh_after(ttl),
            usable_until: now + ttl + self.settings.max_stale,
            etag: fetched.etag.or(etag),
            last_modified: fetched.last_modified.or(last_modified),
        })));
        Ok(keys)
    }

    fn get(&self, url: &str, max_bytes: u64, before: Option<&Loaded>, code: Code) -> Result<Fetched> {
        let fetched = self.fetch.get(&FetchRequest {
            url,
            timeout: self.settings.timeout,
            max_bytes,
            if_none_match: before.and_then(|before| before.etag.as_deref()),
            if_modified_since: before.and_then(|before| before.last_modified.as_deref()),
        });
        match fetched {
            Ok(fetched) if fetched.status == 200 || (fetched.status == 304 && before.is_some()) => {
                Ok(fetched)
            }
            Ok(fetched) => {
                Err(Error::new(code).with_detail(format!("{}: http: status {}", place(url), fetched.status)))
            }
            Err(why) => Err(Error::new(code).with_detail(format!("{}: {why}", place(url)))),
        }
    }

    fn located(&self, why: &Error) -> Error {
        let reason = why.detail().unwrap_or_else(|| why.code().message());
        let code = match why.code() {
            Code::KeyInvalid => Code::KeySetInvalid,
            code => code,
        };
        Error::new(code).with_detail(format!("{}: parse: {reason}", place(&self.url)))
    }

    /// After failures, the next call waits a second, then two, then four, up to the cool-down; until then it gets the
    /// last failure.
    fn wait_after_failures(&self) -> Result<()> {
        let failures = self.failures.load(Ordering::Acquire);
        let doubled = Duration::from_secs(1 << failures.saturating_sub(1).min(10));
        let pause = freshness::jittered(doubled.min(self.settings.cool_down));
        match self.since_last_attempt() {
            Some(since) if failures > 0 && since < pause => Err(self.unavailable()),
            _ => Ok(()),
        }
    }

    fn since_start(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.started)
    }

    fn since_last_attempt(&self) -> Option<Duration> {
        let last = self.last_attempt.load(Ordering::Acquire).checked_sub(1)?;
        Some(self.since_start().saturating_sub(Duration::from_millis(last)))
    }

    /// Takes the slot of the fetch in flight, also from another process, which left it behind in a fork.
    fn slot(&self) -> Option<Slot<'_>> {
        let mine = u64::from(std::process::id());
        let taken = self.in_flight.load(Ordering::Acquire);
        if taken == mine {
            return None;
        }
        self.in_flight
            .compare_exchange(taken, mine, Ordering::AcqRel, Ordering::Acquire)
            .ok()
            .map(|_| Slot(&self.in_flight))
    }
}

/// The right to fetch; given back when dropped, also by a panic.
struct Slot<'s>(&'s AtomicU64);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}

/// A URL without its query, which may hold a secret.
fn place(url: &str) -> &str {
    url.split_once('?').map_or(url, |(place, _)| place)
}
