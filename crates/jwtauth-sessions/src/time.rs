//! The time of sessions, which never goes back, and how instants are written.

use std::sync::atomic::{AtomicI64, Ordering};

use jwtauth_core::{Clock, Monotonic, NumericDate};

/// An instant: microseconds since 1970.
pub(crate) type Micros = i64;

pub(crate) const SECOND: Micros = 1_000_000;

/// The clock of sessions.
///
/// The wall clock may be set back. A session must not become longer by this, so the time goes on from the latest instant
/// that was seen, at the speed of a clock that is never set.
#[derive(Debug)]
pub(crate) struct Time {
    wall: Clock,
    elapsed: Monotonic,
    started: std::time::Instant,
    /// The largest difference between an instant that was seen and the time that had elapsed by then.
    ahead: AtomicI64,
}

impl Time {
    pub(crate) fn new(wall: Clock, elapsed: Monotonic) -> Time {
        Time {
            wall,
            started: elapsed.now(),
            elapsed,
            ahead: AtomicI64::new(i64::MIN),
        }
    }

    /// The current instant.
    pub(crate) fn now(&self) -> Micros {
        self.at_least(micros(self.wall.now()))
    }

    /// The time since this value was made, by the clock that is never set.
    pub(crate) fn elapsed(&self) -> Micros {
        let elapsed = self.elapsed.now().saturating_duration_since(self.started);
        match self.wall {
            // A clock that is stopped by the configuration does not go on.
            Clock::Fixed(_) if self.elapsed.is_system() => 0,
            _ => i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX),
        }
    }

    /// The current instant, after an instant was seen elsewhere, such as in the store.
    pub(crate) fn at_least(&self, seen: Micros) -> Micros {
        let elapsed = self.elapsed();
        let ahead = seen.saturating_sub(elapsed);
        let ahead = self.ahead.fetch_max(ahead, Ordering::AcqRel).max(ahead);
        ahead.saturating_add(elapsed)
    }
}

/// The instant in microseconds, rounded down.
pub(crate) fn micros(date: NumericDate) -> Micros {
    let fraction = i64::from(date.subsec_nanos() / 1000);
    date.seconds().saturating_mul(SECOND).saturating_add(fraction)
}

/// Whole seconds, rounded down.
pub(crate) fn seconds(instant: Micros) -> i64 {
    instant.div_euclid(SECOND)
}

/// Writes an instant in the form of RFC 3339 in UTC, with the fraction of the second as Go writes it. Years before 0 and
/// after 9999 are written as the nearest of these.
pub(crate) fn rfc3339(instant: Micros) -> String {
    let instant = instant.clamp(-62_167_219_200 * SECOND, 253_402_300_799 * SECOND);
    let (second, fraction) = (seconds(instant), instant.rem_euclid(SECOND));
    let (day, second) = (second.div_euclid(86_400), second.rem_euclid(86_400));
    let (year, month, day) = civil(day);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = match fraction {
        0 => String::new(),
        micros => format!(".{micros:06}").trim_end_matches('0').to_owned(),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// The date of a day since 1970, by the rule of 400 years with 146,097 days. The year begins in March here.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (year + era * 400 + next, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn instants_are_written_as_in_rfc_3339() {
        for (instant, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_700_000_000 * SECOND + 123_400, "2023-11-14T22:13:20.1234Z"),
            (951_782_400 * SECOND, "2000-02-29T00:00:00Z"),
            (-SECOND, "1969-12-31T23:59:59Z"),
            (4_107_542_399 * SECOND, "2100-02-28T23:59:59Z"),
            (4_107_542_400 * SECOND, "2100-03-01T00:00:00Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
            (i64::MIN, "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(instant), text);
        }
    }

    fn fixed(seconds: i64) -> Clock {
        Clock::Fixed(NumericDate::from_seconds(seconds))
    }

    #[test]
    fn a_clock_that_is_set_back_goes_on_from_the_latest_instant() {
        let elapsed = Monotonic::stopped();
        let mut time = Time::new(fixed(1000), elapsed.clone());
        assert_eq!(time.now(), 1000 * SECOND);
        time.wall = fixed(10);
        assert_eq!(time.now(), 1000 * SECOND);
        elapsed.advance(Duration::from_secs(5));
        assert_eq!(time.now(), 1005 * SECOND);
        time.wall = fixed(2000);
        assert_eq!(time.now(), 2000 * SECOND);
    }

    #[test]
    fn an_instant_that_another_process_saw_is_not_forgotten() {
        let elapsed = Monotonic::stopped();
        let time = Time::new(fixed(1000), elapsed.clone());
        assert_eq!(time.at_least(3000 * SECOND), 3000 * SECOND);
        elapsed.advance(Duration::from_secs(1));
        assert_eq!(time.now(), 3001 * SECOND);
    }

    #[test]
    fn a_stopped_clock_stands() {
        let time = Time::new(fixed(1000), Monotonic::default());
        assert_eq!((time.now(), time.now()), (1000 * SECOND, 1000 * SECOND));
    }
}
