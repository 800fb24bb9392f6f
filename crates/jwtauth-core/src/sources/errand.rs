//! Errands: fetches that a decision lacks, which are made or awaited outside the decision.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::remote::{RemoteSource, Slot, Turn};
use crate::error::Result;

/// The fetches that a decision lacks.
///
/// [`Verifier::step`](crate::Verifier::step) returns it if the cached keys do not decide. The caller
/// [runs](Errand::run) it, or runs each of its [fetches](Errand::fetches) where that blocks no other work. Then the
/// caller calls `step` again with it.
#[derive(Debug, Clone)]
pub struct Errand {
    fetches: Vec<KeyFetch>,
    /// The fetches of earlier errands for the same decision. They are not made again for it.
    earlier: Vec<KeyFetch>,
    /// When the decision began, if it is observed.
    begun: Option<Instant>,
}

/// One fetch: the keys of one source.
///
/// Two fetches are equal if one of them serves both, so a program that queues its callers can share them. At most one
/// thread fetches from a source at a time, also if fetches are not shared.
#[derive(Debug, Clone)]
pub struct KeyFetch {
    source: Arc<RemoteSource>,
    /// The number of a fetch of this source. Only later fetches count.
    pub(super) since: u64,
    pub(super) reason: Reason,
}

/// Why keys are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The cached keys can be used, but will soon expire, or have expired while fetching failed.
    Refresh,
    /// The source has no cached keys that can be used.
    NotCached,
    /// The cached keys do not verify the token, but a newer set may.
    Miss,
    /// The caller asked for the keys that the server has now. A fetch that began earlier does not count.
    Forced,
}

impl Errand {
    pub(super) fn new(fetches: Vec<KeyFetch>, after: Option<&Errand>) -> Errand {
        let earlier = after.into_iter().flat_map(|after| after.all().cloned()).collect();
        Errand {
            fetches,
            earlier,
            begun: None,
        }
    }

    /// Adds when the decision began, if it is observed.
    pub(crate) fn begun(mut self, at: Option<Instant>) -> Errand {
        self.begun = at;
        self
    }

    /// When the decision began, if it is observed.
    pub(crate) fn begun_at(&self) -> Option<Instant> {
        self.begun
    }

    /// The fetches of several errands, each once.
    pub(crate) fn together<'a>(errands: impl IntoIterator<Item = &'a Errand>) -> Errand {
        let mut fetches: Vec<KeyFetch> = Vec::new();
        for fetch in errands.into_iter().flat_map(Errand::fetches) {
            match fetches.iter_mut().find(|other| **other == *fetch) {
                // A decision may have to wait for a fetch that another one only wants.
                Some(other) if !other.is_needed() => other.reason = fetch.reason,
                Some(_) => {}
                None => fetches.push(fetch.clone()),
            }
        }
        Errand::new(fetches, None)
    }

    /// The fetches, one for each source.
    pub fn fetches(&self) -> &[KeyFetch] {
        &self.fetches
    }

    /// Makes all fetches at the same time, or waits for threads that are making them. Returns when all have ended, at
    /// the latest after the longest `timeout` of the sources. The next step uses the outcome.
    ///
    /// The calling thread makes one fetch. Each further fetch gets a thread, which ends with the fetch.
    pub fn run(&self) {
        self.run_with(|fetch| fetch());
    }

    /// Runs the errand as [`run`](Errand::run) does, with `around` called for each fetch that is made. It is called
    /// on the thread of the fetch and must call the function that it gets.
    #[doc(hidden)]
    pub fn run_with(&self, around: impl Fn(&mut dyn FnMut()) + Sync) {
        let (begun, around) = (Instant::now(), &around);
        let (mut to_make, mut to_await) = (Vec::new(), Vec::new());
        for fetch in &self.fetches {
            match fetch.turn() {
                Turn::Mine(slot) => to_make.push((fetch, Some(slot))),
                // This fetch begins when the one in flight has ended.
                Turn::InFlight if fetch.reason == Reason::Forced => to_make.push((fetch, None)),
                Turn::InFlight => to_await.push(fetch),
                Turn::Ended => {}
            }
        }
        let make = move |fetch: &KeyFetch, slot: Option<Slot<'_>>| match slot {
            Some(slot) => make(slot, around),
            None => fetch.finish(begun, around),
        };
        thread::scope(|scope| {
            let here = to_make.pop();
            for (fetch, slot) in to_make {
                let thread = thread::Builder::new().name("jwtauth-fetch".to_owned());
                // If there is no thread, the slot is free again, and this thread makes the fetch below.
                if thread.spawn_scoped(scope, move || make(fetch, slot)).is_err() {
                    to_await.push(fetch);
                }
            }
            if let Some((fetch, slot)) = here {
                make(fetch, slot);
            }
            for fetch in to_await {
                fetch.finish(begun, around);
            }
        });
    }

    /// Returns the outcome of the fetches: `Ok` if all succeeded.
    ///
    /// # Errors
    /// The codes of class [`Unavailable`](crate::Class::Unavailable), for the first source whose fetch failed or has not
    /// ended.
    pub fn outcome(&self) -> Result<()> {
        self.fetches.iter().try_for_each(KeyFetch::outcome)
    }

    /// The fetch of this source that was made for the decision.
    pub(super) fn fetch_of(&self, source: &Arc<RemoteSource>) -> Option<&KeyFetch> {
        self.all().find(|fetch| Arc::ptr_eq(&fetch.source, source))
    }

    fn all(&self) -> impl Iterator<Item = &KeyFetch> {
        self.fetches.iter().chain(&self.earlier)
    }
}

impl KeyFetch {
    pub(super) fn new(source: &Arc<RemoteSource>, since: u64, reason: Reason) -> KeyFetch {
        KeyFetch {
            source: Arc::clone(source),
            since,
            reason,
        }
    }

    /// Whether the decision must wait for this fetch. If not, only the thread that makes the fetch waits: a decision
    /// that finds it in flight continues with the cached keys.
    pub fn is_needed(&self) -> bool {
        self.reason != Reason::Refresh
    }

    /// Makes the fetch, or waits for the thread that is making it, at the latest until the source's `timeout`.
    pub fn run(&self) {
        self.finish(Instant::now(), &|fetch| fetch());
    }

    /// Returns the outcome of the fetch: `Ok` if it succeeded.
    ///
    /// # Errors
    /// Those of [`Errand::outcome`].
    pub fn outcome(&self) -> Result<()> {
        self.source.outcome(self.since)
    }

    fn turn(&self) -> Turn<'_> {
        self.source.turn(self.since)
    }

    /// Makes the fetch or waits for its end. It polls, because a condition variable could stay locked in a forked
    /// child. Polling costs a waiter up to one millisecond.
    fn finish(&self, begun: Instant, around: &(impl Fn(&mut dyn FnMut()) + Sync)) {
        let deadline = begun + self.source.timeout();
        loop {
            match self.turn() {
                Turn::Mine(slot) => return make(slot, around),
                Turn::Ended => return,
                Turn::InFlight if !self.is_needed() || Instant::now() >= deadline => return,
                Turn::InFlight => thread::sleep(POLL),
            }
        }
    }
}

impl PartialEq for KeyFetch {
    fn eq(&self, other: &KeyFetch) -> bool {
        Arc::ptr_eq(&self.source, &other.source) && self.since == other.since
    }
}

impl Eq for KeyFetch {}

impl Hash for KeyFetch {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.source).hash(state);
        self.since.hash(state);
    }
}

fn make(slot: Slot<'_>, around: &(impl Fn(&mut dyn FnMut()) + Sync)) {
    let mut slot = Some(slot);
    around(&mut || {
        if let Some(slot) = slot.take() {
            slot.fetch();
        }
    });
}

const POLL: Duration = Duration::from_millis(1);
