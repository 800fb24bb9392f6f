//! What time is it?
//!
//! The only place that asks the system's wall clock. A verifier reads its clock once per request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::claims::NumericDate;

/// Where a verifier takes the time from.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The system's wall clock.
    #[default]
    System,
    /// One instant for ever: for tests, and for asking "would this have passed then?".
    Fixed(NumericDate),
}

impl Clock {
    /// The current instant.
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one door")]
    pub fn now(self) -> NumericDate {
        match self {
            Clock::Fixed(instant) => instant,
            Clock::System => {
                // Before 1970 there were no tokens; a clock set that far back must not read as "now".
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                NumericDate::from_seconds(0).plus(since)
            }
        }
    }
}

/// The clock by which fetched keys age: it never jumps, whatever happens to the wall clock.
///
/// Clones go on together. Tests need not wait: they [`advance`](Monotonic::advance) it.
#[derive(Debug, Clone, Default)]
pub struct Monotonic {
    ahead_millis: Arc<AtomicU64>,
}

impl Monotonic {
    /// The current instant.
    pub fn now(&self) -> Instant {
        Instant::now() + Duration::from_millis(self.ahead_millis.load(Ordering::Acquire))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.ahead_millis.fetch_add(to_millis(by), Ordering::AcqRel);
    }
}

/// Whole milliseconds, for instants that are kept in an atomic number.
pub(crate) fn to_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
