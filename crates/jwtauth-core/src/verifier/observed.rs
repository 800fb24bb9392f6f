//! Counting decisions, and reporting them to the observer of the verifier.

use std::time::Instant;

use super::{Undecided, Verifier, VerifierBuilder};
use crate::counters::{Counters, SourceCounters};
use crate::error::{Code, Error, Result};
use crate::events::{Decision, Event, Observer, OnEvent};
use crate::pipeline::notes::Notes;
use crate::request::Request;
use crate::sources::errand::Errand;
use crate::token_cache::Granted;

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

    /// Takes a step as `answer_step` does, and reports the decision.
    #[inline(never)]
    pub(super) fn answer_observed<T>(
        &self,
        request: &Request<'_>,
        after: Option<&Errand>,
        make: impl Fn(Granted<'_>) -> T,
        observer: &Observer,
    ) -> Result<Result<T>, Errand> {
        let begun = begun(after, observer);
        let with_profile = |granted: Granted<'_>| {
            let profile = granted.grant().profile.clone();
            (profile, make(granted))
        };
        loop {
            let mut notes = Notes::default();
            let (code, profile, outcome) = match self.decide_watched(request, after, &mut notes, with_profile)
            {
                Ok((profile, made)) => {
                    self.tally.granted();
                    (None, profile, Ok(made))
                }
                Err(Undecided::Failed(error)) => {
                    let error = self.failed(error);
                    (Some(error.code()), notes.profile().map(str::to_owned), Err(error))
                }
                Err(Undecided::Outdated) => continue,
                Err(Undecided::Lacks(errand)) => return Err(errand.begun(Some(begun))),
            };
            self.report(observer, code, profile.as_deref(), &notes, begun, false);
            return Ok(outcome);
        }
    }

    /// Reports a decision.
    pub(super) fn report(
        &self,
        observer: &Observer,
        code: Option<Code>,
        profile: Option<&str>,
        notes: &Notes,
        begun: Instant,
        explained: bool,
    ) {
        let (source, kid) = notes.signer();
        observer.report(&Event::Decision(Decision {
            code,
            profile,
            kid,
            source: source.and_then(|source| self.keys.place(source)),
            from_cache: notes.is_remembered(),
            explained,
            duration: observer.since(begun),
        }));
    }
}

impl VerifierBuilder {
    /// Sets a function that gets an event for each decision and for each fetch of keys. No event contains a token or the
    /// value of a claim.
    ///
    /// It is called on the thread that decides or fetches, so it should not wait. It may use the verifier. If it panics,
    /// that changes no decision.
    #[must_use]
    pub fn on_event(mut self, observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> VerifierBuilder {
        self.on_event = Some(OnEvent::new(observer));
        self
    }
}

/// When a decision began. A step after a fetch continues the decision of the step before.
pub(super) fn begun(after: Option<&Errand>, observer: &Observer) -> Instant {
    after.and_then(Errand::begun_at).unwrap_or_else(|| observer.now())
}
