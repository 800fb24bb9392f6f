//! Reading and printing times.

use std::time::Duration;

use jiff::Timestamp;
use jwtauth_core::Clock;
use jwtauth_core::NumericDate;
use jwtauth_core::internals::json::Value;
use jwtauth_core::internals::parse_go;

/// Reads the seconds since 1970 from a number or from a date such as `2026-01-31T12:00:00Z`.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    text.parse::<Timestamp>()
        .map(Timestamp::as_second)
        .map_err(|_| "expected seconds since 1970, or a date such as 2026-01-31T12:00:00Z".to_owned())
}

/// A time on the command line: absolute, or counted from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// Seconds since 1970.
    At(i64),
    /// This long after now.
    After(Duration),
    /// This long before now.
    Before(Duration),
}

impl Time {
    /// Reads a time as [`parse`] does, or a duration from now such as `1h` or `-90s`.
    pub(crate) fn parse(text: &str) -> Result<Time, String> {
        if let Ok(seconds) = parse(text) {
            return Ok(Time::At(seconds));
        }
        match parse_go(text) {
            Some((false, after)) => Ok(Time::After(after)),
            Some((true, before)) => Ok(Time::Before(before)),
            None => Err(
                "expected a duration such as 1h or 90s, seconds since 1970, or a date such as 2026-01-31T12:00:00Z"
                    .to_owned(),
            ),
        }
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(self, now: NumericDate) -> i64 {
        match self {
            Time::At(seconds) => seconds,
            Time::After(after) => now.plus(after).seconds(),
            Time::Before(before) => now.minus(before).seconds(),
        }
    }
}

/// The date of a claim that contains a time, and its distance from now; `None` if it contains none.
pub(crate) fn describe(claim: &Value<'_>) -> Option<String> {
    let &Value::Number(number) = claim else {
        return None;
    };
    let instant = NumericDate::from_number(number)?.seconds();
    let date = Timestamp::from_second(instant).ok()?;
    let away = instant.saturating_sub(Clock::System.now().seconds());
    Some(format!("{date}  ({})", distance(away)))
}

/// The distance of a time this many seconds in the future, in the largest unit that fits.
fn distance(seconds: i64) -> String {
    let length = seconds.unsigned_abs();
    let (unit, name) = UNITS
        .into_iter()
        .find(|(unit, _)| length >= *unit)
        .unwrap_or((1, "second"));
    let count = length / unit;
    let plural = if count == 1 { "" } else { "s" };
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {count} {name}{plural}"),
        _ => format!("{count} {name}{plural} ago"),
    }
}

const UNITS: [(u64, &str); 5] = [
    (365 * 86_400, "year"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
    (1, "second"),
];

#[cfg(test)]
mod tests {
    use jwtauth_core::internals::json::Number;

    use super::*;

    #[test]
    fn an_instant_is_seconds_or_a_date() {
        assert_eq!(parse("1700000000"), Ok(1_700_000_000));
        assert_eq!(parse("-1"), Ok(-1));
        assert_eq!(parse("2023-11-14T22:13:20Z"), Ok(1_700_000_000));
        assert_eq!(parse("2023-11-14T23:13:20+01:00"), Ok(1_700_000_000));
        assert!(parse("tomorrow").is_err());
    }

    #[test]
    fn a_duration_counts_from_now() {
        let now = NumericDate::from_seconds(1_700_000_000);
        for (text, seconds) in [
            ("1h", 1_700_003_600),
            ("-90s", 1_699_999_910),
            ("1600000000", 1_600_000_000),
            ("2023-11-14T22:13:21Z", 1_700_000_001),
        ] {
            assert_eq!(Time::parse(text).unwrap().seconds(now), seconds, "{text}");
        }
        assert!(Time::parse("1 hour").is_err());
    }

    #[test]
    fn a_distance_has_the_largest_unit_that_fits() {
        assert_eq!(distance(0), "now");
        assert_eq!(distance(1), "in 1 second");
        assert_eq!(distance(-59), "59 seconds ago");
        assert_eq!(distance(-7_199), "1 hour ago");
        assert_eq!(distance(3 * 86_400), "in 3 days");
        assert_eq!(distance(i64::MIN), "292471208677 years ago");
    }

    #[test]
    fn only_a_number_within_the_calendar_is_a_date() {
        assert!(
            describe(&Value::Number(Number::Unsigned(0)))
                .is_some_and(|text| text.starts_with("1970-01-01T00:00:00Z"))
        );
        assert_eq!(describe(&Value::Number(Number::Float(1e300))), None);
        assert_eq!(describe(&Value::Number(Number::Unsigned(1 << 53))), None);
        assert_eq!(describe(&Value::String("1700000000".into())), None);
    }
}
