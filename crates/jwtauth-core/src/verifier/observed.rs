//! Counting decisions, and reporting them to the observer of the verifier.

use std::time::Instant;

use super::{Step, Undecided, Verifier};
use crate::counters::{Counters, SourceCounters};
use crate::error::{Error, Result};
use crate::events::{Decision, Event, Observer};
use crate::grant::Grant;
use crate::pipeline::notes::Notes;
use crate::request::Request;
use crate::sources::errand::Errand;

impl Verifier {
    /// What this verifier has done since it was built. It is counted also without an observer.
    pub fn counters(&self) -> Counters {
        let token_cache_hits = self.token_cache_status().map_or(0, |status| status.hits);
        let sources = self.key_status().into_iter().filter_map(|status| {
            let fetching = status.fetching?;
            Some(SourceCounters {
                source: status.source,
                fetches: fetching.fetches,
                failures: fetching.failures,
            })
        });
        self.tally.counters(token_cache_hits, sources.collect())
    }

    /// Counts a failure, and adds to it what the configured system would report.
    pub(super) fn failed(&self, error: Error) -> Error {
        self.tally.failed(error.code());
        self.policy.describe(error)
    }

    /// Decides as `authenticate` does, and reports the decision.
    #[inline(never)]
    pub(super) fn authenticate_observed(&self, request: &Request<'_>, observer: &Observer) -> Result<Grant> {
        let mut after = None;
        loop {
            match self.step_observed(request, after.as_ref(), observer) {
                Step::Decided(outcome) => return outcome,
                Step::Fetch(errand) => {
                    errand.run();
                    after = Some(errand);
                }
            }
        }
    }

    /// Takes a step as `step` does, and reports the decision.
    #[inline(never)]
    pub(super) fn step_observed(
        &self,
        request: &Request<'_>,
        after: Option<&Errand>,
        observer: &Observer,
    ) -> Step {
        let begun = begun(after, observer);
        loop {
            let mut notes = Notes::default();
            let outcome = match self.decide(request, after, &mut notes) {
                Ok(grant) => {
                    self.tally.granted();
                    Ok(grant)
                }
                Err(Undecided::Failed(error)) => Err(self.failed(error)),
                Err(Undecided::Outdated) => continue,
                Err(Undecided::Lacks(errand)) => return Step::Fetch(errand.begun(Some(begun))),
            };
            self.report(observer, &outcome, &notes, begun, false);
            return Step::Decided(outcome);
        }
    }

    /// Reports a decision.
    pub(super) fn report(
        &self,
        observer: &Observer,
        outcome: &Result<Grant>,
        notes: &Notes,
        begun: Instant,
        explained: bool,
    ) {
        let profile = match outcome {
            Ok(grant) => grant.profile.as_deref(),
            Err(_) => notes.profile(),
        };
        let (source, kid) = notes.signer();
        observer.report(&Event::Decision(Decision {
            code: outcome.as_ref().err().map(Error::code),
            profile,
            kid,
            source: source.and_then(|source| self.keys.place(source)),
            from_cache: notes.is_remembered(),
            explained,
            duration: observer.since(begun),
        }));
    }
}

/// When a decision began. A step after a fetch continues the decision of the step before.
pub(super) fn begun(after: Option<&Errand>, observer: &Observer) -> Instant {
    after.and_then(Errand::begun_at).unwrap_or_else(|| observer.now())
}
