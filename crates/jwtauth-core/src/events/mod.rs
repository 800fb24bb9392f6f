//! Events for operators: what a verifier decided, and which keys it fetched.
//!
//! [`VerifierBuilder::on_event`](crate::VerifierBuilder::on_event) sets a function that gets them. They contain names of the
//! configuration and of its keys, but never a token or the value of a claim, so they may be logged.

#[cfg(feature = "tracing")]
mod trace;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Monotonic;
use crate::error::{Class, Code};

#[cfg(feature = "tracing")]
pub use self::trace::trace;

/// Something that an operator may want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request was decided.
    Decision(Decision<'a>),
    /// Keys were fetched, or could not be fetched.
    Fetch(FetchEnded<'a>),
}

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision<'a> {
    /// Why the request is not granted. `None`: it is granted.
    pub code: Option<Code>,
    /// The profile that decided, if it is known and has a name.
    pub profile: Option<&'a str>,
    /// The name of the key that verified the token, in its key set: at most 200 characters of it.
    pub kid: Option<&'a str>,
    /// The path of the key's source in the configuration. `None`: no key has verified the token, or the grant was
    /// remembered.
    pub source: Option<&'a str>,
    /// Whether the grant was remembered by the token cache.
    pub from_cache: bool,
    /// Whether the decision was explained.
    pub explained: bool,
    /// The time from the request to the decision, with the fetches that the decision waited for.
    pub duration: Duration,
}

/// A fetch of the keys of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchEnded<'a> {
    /// The path of the source in the configuration.
    pub source: &'a str,
    /// The number of usable keys, or why there are none.
    pub outcome: Result<usize, FetchFailure>,
    /// How long it took.
    pub duration: Duration,
}

/// Why keys could not be fetched. The reason is in the status of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchFailure {
    /// The code that requests get if there are no other keys.
    pub code: Code,
    /// The phase in which it failed, as in the status of the source.
    pub phase: &'static str,
    /// The HTTP status, if the server sent one.
    pub status: Option<u16>,
}

impl Decision<'_> {
    /// `granted`, or the class of the failure: `denied`, `unavailable`.
    pub fn outcome(&self) -> &'static str {
        self.code.map_or("granted", |code| code.class().as_str())
    }

    /// The duration in nanoseconds.
    pub fn nanoseconds(&self) -> u64 {
        nanoseconds(self.duration)
    }
}

impl FetchEnded<'_> {
    /// `fetched` or `failed`.
    pub fn outcome_name(&self) -> &'static str {
        if self.outcome.is_ok() { "fetched" } else { "failed" }
    }

    /// The duration in nanoseconds.
    pub fn nanoseconds(&self) -> u64 {
        nanoseconds(self.duration)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How important an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A grant.
    Debug,
    /// Keys were fetched.
    Info,
    /// A denial, or a fetch that failed: cached keys may still decide.
    Warning,
    /// A request without a decision.
    Error,
}

impl Event<'_> {
    /// How important it is. Every adapter for a logger uses these levels.
    pub fn level(&self) -> Level {
        match self {
            Event::Decision(decision) => match decision.code.map(Code::class) {
                None => Level::Debug,
                Some(Class::Denied) => Level::Warning,
                Some(Class::Unavailable | Class::Config | Class::Argument | Class::Internal) => Level::Error,
            },
            Event::Fetch(ended) if ended.outcome.is_ok() => Level::Info,
            Event::Fetch(_) => Level::Warning,
        }
    }
}

/// The function of the application.
#[derive(Clone)]
pub(crate) struct OnEvent(Arc<dyn Fn(&Event<'_>) + Send + Sync>);

/// The observer of a verifier.
#[derive(Debug, Clone)]
pub(crate) struct Observer {
    on_event: OnEvent,
    clock: Monotonic,
}

impl OnEvent {
    pub(crate) fn new(function: impl Fn(&Event<'_>) + Send + Sync + 'static) -> OnEvent {
        OnEvent(Arc::new(function))
    }
}

impl fmt::Debug for OnEvent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("OnEvent")
    }
}

impl Observer {
    /// An observer that measures durations with a clock.
    pub(crate) fn new(on_event: OnEvent, clock: Monotonic) -> Observer {
        Observer { on_event, clock }
    }

    /// The time, to measure a duration from.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The time since an earlier one.
    pub(crate) fn since(&self, earlier: Instant) -> Duration {
        self.now().saturating_duration_since(earlier)
    }

    /// Calls the function. Its panic must not change a decision.
    pub(crate) fn report(&self, event: &Event<'_>) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.on_event.0)(event)));
    }
}
