//! The decision: [`Verifier::decide`] calls the stages of the pipeline in order, and is the library's table of
//! contents.

mod about;
mod answer;
mod claims;
mod dry_run;
mod explain;
mod from_file;
mod observed;
mod remembered;
mod shape;
mod trust;
mod watched;

use std::sync::Arc;

use crate::clock::{Clock, Monotonic};
use crate::config_file::Origins;
use crate::counters::Tally;
use crate::envelope::{self, Envelope};
use crate::error::{Code, Error, Result, Stage};
use crate::events::{Observer, OnEvent};
use crate::file::Files;
use crate::grant::Grant;
use crate::keys::{Algorithm, secret_algorithms};
use crate::pipeline::decode::UnverifiedToken;
use crate::pipeline::select_key::Selection;
use crate::pipeline::signature::VerifiedToken;
use crate::pipeline::validate::SignedClaims;
use crate::pipeline::watch::{Check, Event, Watch};
use crate::pipeline::{decode, extract, issue, profile, select_key, signature, validate};
use crate::policy::{KidRule, Policy};
use crate::request::Request;
use crate::sources::errand::Errand;
use crate::sources::fetch::Fetch;
use crate::sources::status::SourceStatus;
use crate::sources::{BeforeName, Cached, Environment, KeyStore, Next};
use crate::token_cache::{Granted, Limits, TokenCache};
use crate::warning::{self, Warning};

use self::claims::Allowed;

/// Decides requests by one policy. Immutable; any number of threads may use one verifier concurrently.
#[derive(Debug)]
pub struct Verifier {
    policy: Box<Policy>,
    keys: KeyStore,
    clock: Clock,
    // Boxed, because its counts are larger than the rest of a verifier.
    token_cache: Option<Box<TokenCache>>,
    tally: Tally,
    observer: Option<Observer>,
    /// The length of requests, in bytes, up to which the policy's expressions take no time that matters.
    cheap_up_to: usize,
    slow_from: usize,
}

/// Builds a [`Verifier`] from a configuration.
#[derive(Debug)]
pub struct VerifierBuilder {
    policy: Box<Policy>,
    clock: Clock,
    monotonic: Monotonic,
    files: Files,
    /// The files of the configuration, for errors.
    origins: Origins,
    fetch: Option<Arc<dyn Fetch>>,
    token_cache: Option<Limits>,
    on_event: Option<OnEvent>,
}

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
        envelope::read(config, &Files::below(""))
            .map(|envelope| VerifierBuilder::new(envelope, Origins::default()))
    }

    /// Decides one request. Only a returned [`Grant`] grants access.
    ///
    /// Fetches keys where the decision needs them; [`step`](Verifier::step) does not.
    ///
    /// # Errors
    /// The codes of class [`Denied`](crate::Class::Denied) and [`Unavailable`](crate::Class::Unavailable).
    pub fn authenticate(&self, request: &Request<'_>) -> Result<Grant> {
        self.answer(request, Grant::of)
    }

    /// Takes one step of a decision, in memory only. Never fetches and never waits.
    ///
    /// If keys must be fetched first, or are due for a refresh, it returns an [`Errand`]. Run the errand, then call
    /// `step` again with it. What was fetched for a request is not fetched again for this request, so a decision
    /// takes few steps.
    ///
    /// It is for programs with an event loop: they run the errand where it blocks no other work. Other programs call
    /// [`authenticate`](Verifier::authenticate), which loops over these two calls.
    pub fn step(&self, request: &Request<'_>, after: Option<&Errand>) -> Step {
        match self.answer_step(request, after, Grant::of) {
            Ok(outcome) => Step::Decided(outcome),
            Err(errand) => Step::Fetch(errand),
        }
    }

    /// Fetches the keys of every key source now; [`key_status`](Verifier::key_status) then reports on each.
    ///
    /// # Errors
    /// The codes of class [`Unavailable`](crate::Class::Unavailable), for the first source that failed. Sources in
    /// the configuration or in files never fail here.
    pub fn refresh_keys(&self) -> Result<()> {
        let errand = self.refresh();
        errand.run();
        errand.outcome()
    }

    /// Returns the fetches of [`refresh_keys`](Verifier::refresh_keys), for programs that run them where they block
    /// no other work. [`Errand::outcome`] then reports how they ended.
    pub fn refresh(&self) -> Errand {
        self.keys.refresh()
    }

    /// The state of every key source, in the order of the policy. Fetches nothing.
    pub fn key_status(&self) -> Vec<SourceStatus> {
        self.keys.status()
    }

    /// Whether deciding this request takes a few microseconds at most: only HMAC keys are allowed, nothing can be
    /// fetched, the request has at most 8 KiB of text, and the policy has no expression that could take long.
    ///
    /// Bindings release an interpreter's lock during a decision. For a cheap request, releasing it costs more than
    /// the decision.
    #[doc(hidden)]
    pub fn is_cheap(&self, request: &Request<'_>) -> bool {
        let others = self.policy.keys.algorithms.without(secret_algorithms());
        others.is_empty() && self.keys.is_fixed() && request.bytes() <= self.cheap_up_to
    }

    /// The length of requests, in bytes, from which a decision may take more than about 20 milliseconds: 64 KiB, or less
    /// if the policy has expressions that could take long.
    ///
    /// Programs with an event loop should decide such requests on another thread.
    pub fn slow_from(&self) -> usize {
        self.slow_from
    }

    /// The settings that are allowed but are probably mistakes.
    pub fn warnings(&self) -> &[Warning] {
        &self.policy.warnings
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes a step of a decision, and returns what `make` makes from its grant. `watch` sees every check.
    fn decide<T>(
        &self,
        request: &Request<'_>,
        after: Option<&Errand>,
        watch: &mut impl Watch,
        make: impl Fn(Granted<'_>) -> T,
    ) -> Result<T, Undecided> {
        let policy = &self.policy;
        extract::size(request, watch)?;
        let requested = profile::requested(request, policy, watch)?;
        let now = self.clock.now();
        watch.starts(now);
        let raw = extract::token(request, &policy.extract, watch)?;
        requested.address(request, watch)?;
        let cache = self.token_cache.as_deref().filter(|_| !watch.needs_checks());
        let question = self.question(&raw, request);
        if let Some(made) = self.remembered(cache, question, request, after, now, &make) {
            watch.remembers();
            return Ok(made);
        }
        let mut token = decode::compact(&raw, &policy.decode, watch)?;
        let algorithm = select_key::algorithm(token.header(), policy.keys.algorithms, watch)?;
        let named = select_key::name(token.header(), policy.keys.kid, watch).map_err(Undecided::from);
        let verified =
            named.and_then(|()| self.verify(&mut token, algorithm, request.cached_only, after, watch));
        let rule = || requested.claims(request);
        let (token, cached) =
            verified.map_err(|why| why.map(|why| policy.prefer_shape_error(why, &token, rule(), watch)))?;
        let signed = validate::read(&token, watch)
            .map_err(|why| policy.prefer_outer_shape_error(why, &token, rule(), watch))?;
        check_keys_of_issuer(&signed, &cached, request.cached_only, watch)?;
        let Allowed {
            profile,
            claims,
            identity,
            decision,
        } = claims::decide(
            policy,
            request,
            &requested,
            question.requested_org,
            signed,
            now,
            watch,
        )?;
        let conditions = cache.and_then(|_| Verifier::conditions(&claims, profile));
        let cleaned_url = extract::cleaned_url(request, &policy.extract);
        let token = (claims.claims().is_compact(), token);
        let grant = issue::grant(token, identity, decision, profile, cleaned_url, watch);
        Ok(self.remember(question, grant, conditions, &cached, now, make))
    }

    /// Selects the keys and checks the signature, with the cached keys only.
    fn verify<'k>(
        &'k self,
        token: &mut UnverifiedToken<'_>,
        algorithm: Algorithm,
        cached_only: bool,
        after: Option<&'k Errand>,
        watch: &mut impl Watch,
    ) -> Result<(VerifiedToken<'k>, Cached<'k>), Undecided> {
        let verified = self.verify_with_cached(token, algorithm, cached_only, after, watch);
        match &verified {
            Ok(_) => {
                watch.saw(|| Event::passed(Check::KeySelection));
                watch.saw(|| Event::passed(Check::Signature));
            }
            Err(Undecided::Failed(why)) => {
                let stage = why.stage();
                if stage == Stage::SelectKey {
                    watch.saw(|| Event::failed(Check::KeySelection, why));
                } else {
                    watch.saw(|| Event::passed(Check::KeySelection));
                }
                if stage == Stage::VerifySignature {
                    watch.saw(|| Event::failed(Check::Signature, why));
                } else if stage == Stage::ValidateClaims {
                    watch.saw(|| Event::passed(Check::Signature));
                    watch.saw(|| Event::failed(Check::ClaimsForm, why));
                }
            }
            Err(Undecided::Lacks(_) | Undecided::Outdated) => {}
        }
        verified
    }

    fn verify_with_cached<'k>(
        &'k self,
        token: &mut UnverifiedToken<'_>,
        algorithm: Algorithm,
        cached_only: bool,
        after: Option<&'k Errand>,
        watch: &mut impl Watch,
    ) -> Result<(VerifiedToken<'k>, Cached<'k>), Undecided> {
        let rule = self.policy.keys.kid;
        loop {
            watch.restarts_keys();
            let cached = self.keys.cached(after);
            let selection = select_key::candidates(token.header(), algorithm, rule, cached.sets(), watch);
            let is_unknown = matches!(selection, Selection::Unknown);
            let kid = token.header().kid.as_deref().filter(|kid| !kid.is_empty());
            if let (KidRule::Required, Some(kid), false) = (rule, kid, is_unknown) {
                match cached.before_name(kid, cached_only) {
                    None => {}
                    Some(BeforeName::Retry) => continue,
                    Some(BeforeName::Fetch(errand)) => return Err(Undecided::Lacks(errand)),
                    Some(BeforeName::Unavailable(why)) => return Err(why.into()),
                }
            }
            let candidates = selection.candidates(algorithm);
            let outcome = candidates.and_then(|candidates| signature::verify(token, &candidates, watch));
            let next = match &outcome {
                Err(why) if matches!(why.code(), Code::KeyNotFound | Code::SignatureInvalid) => {
                    let kid = token.header().kid.as_deref().filter(|kid| !kid.is_empty());
                    cached.after_miss(kid.filter(|_| is_unknown), cached_only)
                }
                _ => cached.after_hit(cached_only),
            };
            let verified = match next {
                Next::Decide => outcome?,
                Next::Retry => continue,
                Next::Fetch(errand) => return Err(Undecided::Lacks(errand)),
                Next::Unavailable(why) => return Err(why.into()),
                // An outage of the key source must not turn the denial of a forged token into `unavailable`.
                Next::DecideWithout(failure) => outcome.map_err(|why| without(why, &failure))?,
            };
            return Ok((verified, cached));
        }
    }
}

/// Asks for newer keys if the key that verified a token must not sign for its issuer. A key of another source may verify
/// the token too, and it may be in a set that is not cached yet.
fn check_keys_of_issuer(
    signed: &SignedClaims<'_>,
    cached: &Cached<'_>,
    cached_only: bool,
    watch: &mut impl Watch,
) -> Result<(), Undecided> {
    if signed.is_of_its_issuer() {
        return Ok(());
    }
    match cached.after_another_issuer(|keys| signed.may_be_of(keys), cached_only) {
        // The check of the issuer will deny the token.
        Next::Decide | Next::DecideWithout(_) => Ok(()),
        Next::Retry => Err(Undecided::Outdated),
        Next::Fetch(errand) => Err(Undecided::Lacks(errand)),
        Next::Unavailable(why) => {
            watch.saw(|| Event::failed(Check::KeySelection, &why));
            Err(why.into())
        }
    }
}

/// The result of one step: the outcome, or the fetches that the decision lacks.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one; a box would cost an allocation"
)]
pub enum Step {
    /// The outcome.
    Decided(Result<Grant>),
    /// Keys must be fetched before the next step.
    Fetch(Errand),
}

/// Why a step did not end in a grant.
#[derive(Debug)]
enum Undecided {
    Failed(Error),
    Lacks(Errand),
    /// Other keys were cached in the meantime. The step begins again.
    Outdated,
}

impl Undecided {
    fn map(self, change: impl FnOnce(Error) -> Error) -> Undecided {
        match self {
            Undecided::Failed(error) => Undecided::Failed(change(error)),
            Undecided::Lacks(errand) => Undecided::Lacks(errand),
            Undecided::Outdated => Undecided::Outdated,
        }
    }
}

impl From<Error> for Undecided {
    fn from(error: Error) -> Undecided {
        Undecided::Failed(error)
    }
}

/// Adds to a denial that newer keys might have changed it, and why they could not be fetched.
fn without(why: Error, failure: &Error) -> Error {
    let own = why.detail().map(|own| format!("{own}; ")).unwrap_or_default();
    let failure = failure.reason();
    why.with_detail(format!("{own}newer keys could not be fetched: {failure}"))
}

impl VerifierBuilder {
    fn new(envelope: Envelope, origins: Origins) -> VerifierBuilder {
        VerifierBuilder {
            policy: envelope.policy,
            clock: envelope.clock,
            monotonic: Monotonic::default(),
            files: envelope.files,
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

    /// Builds the verifier: reads and prepares every key that is not fetched.
    ///
    /// # Errors
    /// [`Code::KeyInvalid`], [`Code::ConfigInvalid`].
    // As for `builder`.
    #[inline(never)]
    pub fn build(mut self) -> Result<Verifier> {
        let clock = || self.monotonic.clone();
        let observer = self.on_event.map(|on_event| Observer::new(on_event, clock()));
        let environment = Environment {
            files: &self.files,
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
            token_cache: self.token_cache.map(|limits| Box::new(TokenCache::new(limits))),
            tally: Tally::default(),
            observer,
        })
    }
}

impl Policy {
    /// Adds to a failure what the configured system would report.
    fn describe(&self, error: Error) -> Error {
        let error = if self.not_applicable.covers(&error) {
            error.not_applicable()
        } else {
            error
        };
        self.responses.with_response(error)
    }
}

const CHEAP: usize = 8 * 1024;
/// The most effort of a cheap request, in nanoseconds. The bound is rough: such expressions usually take a tenth of it.
const CHEAP_EFFORT: f64 = 100e3;
/// The length of a long request, in bytes.
const LONG: usize = 64 * 1024;
/// The most effort of a request that is not slow, in nanoseconds.
const LONG_EFFORT: f64 = 20e6;

#[cfg(test)]
mod tests;
