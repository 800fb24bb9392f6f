//! Deciding many requests in one call, for audits of logs and for queues.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::Result;
use crate::grant::Grant;
use crate::request::Request;
use crate::sources::errand::Errand;
use crate::verifier::{Step, Verifier};

impl Verifier {
    /// Decides several requests on several threads. The outcomes are in the order of the requests, and each is what
    /// [`authenticate`](Verifier::authenticate) returns for the request.
    ///
    /// It uses at most `threads` threads, the calling one included; `None` stands for the number of cores. They end
    /// before it returns. Keys that the requests lack are fetched on the calling thread, once for all of them.
    pub fn authenticate_many(
        &self,
        requests: &[Request<'_>],
        threads: Option<NonZeroUsize>,
    ) -> Vec<Result<Grant>> {
        Batch::new(requests).run(threads, |request, after| match self.step(request, after) {
            Step::Decided(outcome) => Ok(outcome),
            Step::Fetch(errand) => Err(errand),
        })
    }
}

/// Items that are decided in rounds: each round takes a step of every item that is not decided yet. Between two rounds
/// the caller makes the fetches that the items lack, where they block no other work.
#[doc(hidden)]
#[derive(Debug)]
pub struct Batch<I, T>(Vec<Slot<I, T>>);

/// The result of a round.
#[doc(hidden)]
#[derive(Debug)]
pub enum Round<I, T> {
    /// The results of all items, in their order.
    Decided(Vec<T>),
    /// Keys must be fetched before the next round.
    Fetch(Batch<I, T>, Errand),
}

#[derive(Debug)]
enum Slot<I, T> {
    /// An item, and the errand that its last step returned.
    Open(I, Option<Errand>),
    Decided(T),
}

impl<I: Send, T: Send> Batch<I, T> {
    /// A batch of these items.
    pub fn new(items: impl IntoIterator<Item = I>) -> Batch<I, T> {
        Batch(items.into_iter().map(|item| Slot::Open(item, None)).collect())
    }

    /// Takes rounds until every item is decided, and makes the fetches between them on the calling thread.
    pub(crate) fn run(
        mut self,
        threads: Option<NonZeroUsize>,
        step: impl Fn(&I, Option<&Errand>) -> Result<T, Errand> + Sync,
    ) -> Vec<T> {
        loop {
            match self.round(threads, &step) {
                Round::Decided(results) => return results,
                Round::Fetch(rest, errand) => {
                    errand.run();
                    self = rest;
                }
            }
        }
    }

    /// Takes a step of every item that is not decided yet, on at most `threads` threads; `None` stands for the number
    /// of cores. `step` returns the result of an item, or the errand that it lacks.
    pub fn round(
        mut self,
        threads: Option<NonZeroUsize>,
        step: impl Fn(&I, Option<&Errand>) -> Result<T, Errand> + Sync,
    ) -> Round<I, T> {
        each(&mut self.0, threads, |slot| slot.step(&step));
        let mut lacks = self.0.iter().filter_map(Slot::lacks).peekable();
        if lacks.peek().is_some() {
            let errand = Errand::together(lacks);
            return Round::Fetch(self, errand);
        }
        Round::Decided(self.0.into_iter().filter_map(Slot::decided).collect())
    }
}

impl<I, T> Slot<I, T> {
    /// Takes a step of an item that is not decided yet.
    fn step(&mut self, step: impl Fn(&I, Option<&Errand>) -> Result<T, Errand>) {
        if let Slot::Open(item, errand) = self {
            match step(item, errand.as_ref()) {
                Ok(result) => *self = Slot::Decided(result),
                Err(lacked) => *errand = Some(lacked),
            }
        }
    }

    fn lacks(&self) -> Option<&Errand> {
        match self {
            Slot::Open(_, errand) => errand.as_ref(),
            Slot::Decided(_) => None,
        }
    }

    fn decided(self) -> Option<T> {
        match self {
            Slot::Open(..) => None,
            Slot::Decided(result) => Some(result),
        }
    }
}

/// The number of items that a thread takes at a time.
const TURN: usize = 8;

/// Applies `work` to every item, in its place, on several threads.
fn each<T: Send>(items: &mut [T], threads: Option<NonZeroUsize>, work: impl Fn(&mut T) + Sync) {
    let threads = threads.or_else(|| thread::available_parallelism().ok());
    let threads = threads
        .map_or(1, NonZeroUsize::get)
        .min(items.len().div_ceil(TURN));
    // Each turn goes to the next thread that is free, so one slow request holds up only its own turn.
    let turns = Mutex::new(items.chunks_mut(TURN));
    let next = || turns.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        while let Some(items) = next() {
            items.iter_mut().for_each(&work);
        }
    };
    thread::scope(|scope| {
        // If the system has no more threads, fewer do the work.
        let others: Vec<_> = (1..threads)
            .map_while(|_| thread::Builder::new().spawn_scoped(scope, run).ok())
            .collect();
        run();
        for other in others {
            other.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::num::NonZeroUsize;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Barrier, Mutex};
    use std::thread::{self, ThreadId};

    use super::{TURN, each};

    #[test]
    fn every_item_is_changed_once() {
        for threads in [
            None,
            NonZeroUsize::new(1),
            NonZeroUsize::new(3),
            Some(NonZeroUsize::MAX),
        ] {
            for count in [0, 1, TURN - 1, TURN, TURN + 1, 1000] {
                let mut items: Vec<usize> = (0..count).collect();
                let doubled: Vec<usize> = items.iter().map(|item| 2 * item).collect();
                each(&mut items, threads, |item| *item *= 2);
                assert_eq!(items, doubled);
            }
        }
    }

    #[test]
    fn as_many_threads_as_asked_for_work_at_the_same_time() {
        let mut items: Vec<usize> = (0..3 * TURN).collect();
        let meeting = Barrier::new(3);
        let seen: Mutex<HashSet<ThreadId>> = Mutex::default();
        each(&mut items, NonZeroUsize::new(3), |item| {
            if *item % TURN == 0 {
                // Passes only if each turn is on a thread of its own.
                meeting.wait();
                seen.lock().unwrap().insert(thread::current().id());
            }
        });
        let seen = seen.into_inner().unwrap();
        assert!(seen.contains(&thread::current().id()));
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn a_panic_on_another_thread_reaches_the_caller() {
        let mut items: Vec<usize> = (0..100 * TURN).collect();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            each(&mut items, NonZeroUsize::new(4), |item| {
                assert!(*item < 700, "item {item}")
            });
        }));
        assert!(outcome.is_err());
    }
}
