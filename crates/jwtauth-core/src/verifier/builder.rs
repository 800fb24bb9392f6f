//! Building a verifier from a configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{CHEAP, CHEAP_EFFORT, LONG, LONG_EFFORT, Verifier};
use crate::clock::{Clock, Monotonic};
use crate::config_file::Origins;
use crate::counters::Tally;
use crate::envelope::{self, Envelope};
use crate::error::Result;
use crate::events::{Event, Observer, OnEvent};
use crate::policy::Policy;
use crate::sources::fetch::Fetch;
use crate::sources::{Environment, KeyStore};
use crate::token_cache::{Limits, TokenCache};
use crate::warning;

impl Verifier {
    /// Builds a verifier from a configuration, as `docs/wire-format.md` describes it.
    ///
    /// Reads files and parses everything that can be parsed. Does not open a connection.
    ///
    /// # Errors
    /// The codes of class [`Config`](crate::Class::Config).
    pub fn from_json(config: &str) -> Result<Verifier> {
        Verifier::builder(config)?.build()
    }

    /// Reads a configuration. Use it instead of [`from_json`](Verifier::from_json) to set a clock, or a client for
    /// key sources.
    ///
    /// # Errors
    /// The codes of class [`Config`](crate::Class::Config).
    // Inlined, it would add the locals of `build` to the stack below the parsing of expressions.
    #[inline(never)]
    pub fn builder(config: &str) -> Result<VerifierBuilder> {
        envelope::read(config, Path::new(""))
            .map(|envelope| VerifierBuilder::new(envelope, Origins::default()))
    }
}

/// Builds a [`Verifier`] from a configuration.
#[derive(Debug)]
pub struct VerifierBuilder {
    policy: Box<Policy>,
    clock: Clock,
    monotonic: Monotonic,
    base_dir: PathBuf,
    /// The files of the configuration, for errors.
    origins: Origins,
    fetch: Option<Arc<dyn Fetch>>,
    token_cache: Option<Limits>,
    on_event: Option<OnEvent>,
}

impl VerifierBuilder {
    pub(super) fn new(envelope: Envelope, origins: Origins) -> VerifierBuilder {
        VerifierBuilder {
            policy: envelope.policy,
            clock: envelope.clock,
            monotonic: Monotonic::default(),
            base_dir: envelope.base_dir,
            origins,
            fetch: None,
            token_cache: envelope.token_cache,
            on_event: None,
        }
    }

    /// Sets the source of the time. By default it is the configuration's `now`, or the system's clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> VerifierBuilder {
        self.clock = clock;
        self
    }

    /// Sets the clock that measures the age of fetched keys, for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn monotonic(mut self, clock: Monotonic) -> VerifierBuilder {
        self.monotonic = clock;
        self
    }

    /// Sets a client that fetches keys over HTTP instead of the library's own client. `None` keeps the library's
    /// client.
    #[must_use]
    pub fn fetch(mut self, fetch: impl Into<Option<Arc<dyn Fetch>>>) -> VerifierBuilder {
        self.fetch = fetch.into();
        self
    }

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

    /// Builds the verifier: reads and prepares every key that is not fetched.
    ///
    /// # Errors
    /// [`Code::KeyInvalid`], [`Code::ConfigInvalid`].
    // As for `builder`.
    #[inline(never)]
    pub fn build(mut self) -> Result<Verifier> {
        let observer = self
            .on_event
            .map(|on_event| Observer::new(on_event, self.monotonic.clone()));
        let environment = Environment {
            base_dir: &self.base_dir,
            fetch: self.fetch.as_ref(),
            clock: &self.monotonic,
            observer: observer.as_ref(),
        };
        let warnings = &mut self.policy.warnings;
        let keys = KeyStore::open(&self.policy.keys, environment, warnings);
        let keys = keys.map_err(|why| self.origins.explain(warning::explain(why, warnings)))?;
        let effort = self.policy.profiles.effort();
        Ok(Verifier {
            cheap_up_to: effort.longest(CHEAP, CHEAP_EFFORT),
            slow_from: effort.longest(LONG, LONG_EFFORT),
            policy: self.policy,
            keys,
            clock: self.clock,
            token_cache: self.token_cache.map(TokenCache::new),
            tally: Tally::default(),
            observer,
        })
    }
}
