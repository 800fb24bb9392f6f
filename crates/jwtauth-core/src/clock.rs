//! What time is it?
//!
//! The only place that asks the system. A verifier reads its clock once per request.

use std::time::{SystemTime, UNIX_EPOCH};

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
