//! The event of a fetch.

use std::time::Instant;

use super::load::{Failure, Loader};
use crate::events::{Event, FetchEnded, FetchFailure, Observer};

/// Reports a fetch to the observer when it is dropped. A fetch that ended in a panic has failed.
#[derive(Debug)]
pub(super) struct Report<'s> {
    observed: Option<(&'s Observer, Instant)>,
    loader: &'s Loader,
    outcome: Option<Result<usize, FetchFailure>>,
}

impl<'s> Report<'s> {
    /// The report of a fetch that begins now.
    pub(super) fn of(observer: Option<&'s Observer>, loader: &'s Loader) -> Report<'s> {
        Report {
            observed: observer.map(|observer| (observer, observer.now())),
            loader,
            outcome: None,
        }
    }

    /// Adds the number of usable keys, or the failure.
    pub(super) fn ends(&mut self, outcome: Result<usize, FetchFailure>) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        let Some((observer, begun)) = self.observed else {
            return;
        };
        let outcome = self.outcome.take();
        observer.report(&Event::Fetch(FetchEnded {
            source: &self.loader.place,
            outcome: outcome.unwrap_or_else(|| Err(self.loader.aborted().reported())),
            duration: observer.since(begun),
        }));
    }
}

impl Failure {
    /// What an event tells about it.
    pub(super) fn reported(&self) -> FetchFailure {
        FetchFailure {
            code: self.code,
            phase: self.failed.phase.as_str(),
            status: self.failed.status,
        }
    }
}
