//! The current time.
//!
//! This is the only place that reads the system's wall clock. A verifier reads its clock once per request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::claims::NumericDate;

/// The source of the time for a verifier.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The system's wall clock.
    #[default]
    System,
    /// One fixed instant: for tests, and to find out whether a token would have been accepted at another time.
    Fixed(NumericDate),
}

impl Clock {
    /// The current instant.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the only place that reads the wall clock"
    )]
    pub fn now(self) -> NumericDate {
        match self {
            Clock::Fixed(instant) => instant,
            Clock::System => {
                // A clock before 1970 is read as 1970. No token was issued before.
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                NumericDate::from_seconds(0).plus(since)
            }
        }
    }
}

/// The clock that measures the age of fetched keys. Changes of the wall clock do not affect it.
///
/// Clones share one state. Tests do not need to wait: they [`advance`](Monotonic::advance) it.
#[derive(Debug, Clone, Default)]
pub struct Monotonic {
    /// The time at which the clock stands. `None`: it follows the system's clock.
    stopped_at: Option<Instant>,
    ahead_millis: Arc<AtomicU64>,
}

impl Monotonic {
    /// Makes a clock that moves only when it is [advanced](Monotonic::advance). A test with such a clock has the same
    /// result on a slow machine.
    pub fn stopped() -> Monotonic {
        Monotonic {
            stopped_at: Some(Instant::now()),
            ..Monotonic::default()
        }
    }

    /// Whether it follows the system's clock.
    pub fn is_system(&self) -> bool {
        self.stopped_at.is_none()
    }

    /// The current instant.
    pub fn now(&self) -> Instant {
        self.stopped_at.unwrap_or_else(Instant::now)
            + Duration::from_millis(self.ahead_millis.load(Ordering::Acquire))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.ahead_millis.fetch_add(to_millis(by), Ordering::AcqRel);
    }
}

/// Whole milliseconds, for instants that are stored in an atomic integer.
pub(crate) fn to_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
