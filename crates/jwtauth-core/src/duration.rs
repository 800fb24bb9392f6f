//! Durations in Go's syntax, such as `1h30m`. The dialects read it, and policies, warnings and responses are printed in it.

use std::fmt::Write as _;
use std::time::Duration;

/// Reads Go's duration syntax: an optional sign and decimal numbers with units, `1h30m`, `1.5h`, `250ms`, `0`.
///
/// The unit is required except for `0`. The sign is returned separately: `(true, d)` means minus `d`. Returns `None` if
/// the text is not a duration or is outside Go's range.
pub fn parse_go(text: &str) -> Option<(bool, Duration)> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some((false, Duration::ZERO));
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let digits = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
            .count();
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail
            .bytes()
            .take_while(|byte| !byte.is_ascii_digit() && *byte != b'.')
            .count();
        let (unit, tail) = tail.split_at_checked(letters)?;
        total = total.checked_add(nanoseconds(number, unit_nanoseconds(unit)?)?)?;
        rest = tail;
    }
    // Go stores durations as nanoseconds in an i64, and its parser refuses longer ones.
    let total = u64::try_from(total)
        .ok()
        .filter(|total| i64::try_from(*total).is_ok())?;
    Some((negative, Duration::from_nanos(total)))
}

/// Writes a duration in Go's syntax with whole units: 90 seconds are `1m30s`, zero is `0s`.
pub(crate) fn to_go(duration: Duration) -> String {
    if duration.is_zero() {
        return "0s".to_owned();
    }
    let mut text = String::new();
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (u64::from(duration.subsec_millis()), "ms"),
        (u64::from(duration.subsec_micros() % 1000), "us"),
        (u64::from(duration.subsec_nanos() % 1000), "ns"),
    ];
    for (count, unit) in parts.into_iter().filter(|(count, _)| *count > 0) {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{count}{unit}");
    }
    text
}

/// Writes a duration as Go itself prints it, for the texts of the three systems: every unit below the largest is written, and a
/// part of a second is a decimal fraction. 2 hours are `2h0m0s`. Unlike Go, it writes less than a second in seconds: `0.5s`.
pub fn print_go(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    // Nine digits are exact, and Go does not print zeros at the end of a fraction.
    let rest = format!("{}.{:09}", seconds % 60, duration.subsec_nanos());
    let rest = rest.trim_end_matches('0').trim_end_matches('.');
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

/// Serialises a duration in the form of printed policies, for `#[serde(serialize_with)]`.
pub(crate) fn serialize<S: serde::Serializer>(duration: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&to_go(*duration))
}

/// Serialises a duration like [`serialize`], for members that may be absent and are then skipped.
pub(crate) fn serialize_option<S: serde::Serializer>(
    duration: &Option<Duration>,
    out: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serialize(duration, out),
        None => out.serialize_none(),
    }
}

fn unit_nanoseconds(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn nanoseconds(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let mut total = if whole.is_empty() {
        0
    } else {
        whole.parse::<u128>().ok()?.checked_mul(unit)?
    };
    let mut scale = unit;
    for digit in fraction.bytes() {
        scale /= 10;
        total = total.checked_add(u128::from(digit - b'0').checked_mul(scale)?)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn go_durations_are_read_with_their_units() {
        let seconds = |text| parse_go(text).map(|(negative, d)| (negative, d.as_secs_f64()));
        assert_eq!(seconds("1h30m"), Some((false, 5400.0)));
        assert_eq!(seconds("-1.5h"), Some((true, 5400.0)));
        assert_eq!(seconds("+250ms"), Some((false, 0.25)));
        assert_eq!(seconds(".5s"), Some((false, 0.5)));
        assert_eq!(seconds("0"), Some((false, 0.0)));
        assert_eq!(seconds("1\u{b5}s"), Some((false, 0.000_001)));
    }

    #[test]
    fn text_that_is_not_a_duration_is_refused() {
        for text in [
            "",
            "-",
            "60",
            "1.5",
            "s",
            ".s",
            "1..5s",
            "1x",
            " 1s",
            "1s ",
            "1 s",
            "9999999999h",
            "1d",
            "1\u{20ac}",
        ] {
            assert_eq!(parse_go(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_printed_duration_is_read_as_the_same_duration() {
        for nanos in [0, 1, 1_500_000_000, 5_400_000_000_000, 3_600_000_000_001, 999] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(parse_go(&to_go(duration)), Some((false, duration)), "{nanos}");
        }
        assert_eq!(to_go(Duration::from_secs(90)), "1m30s");
        assert_eq!(to_go(Duration::from_secs(3600)), "1h");
    }

    #[test]
    fn every_smaller_unit_is_printed() {
        for (millis, text) in [
            (0, "0s"),
            (1_000, "1s"),
            (60_000, "1m0s"),
            (300_000, "5m0s"),
            (3_600_000, "1h0m0s"),
            (90_500, "1m30.5s"),
            (10_000, "10s"),
        ] {
            assert_eq!(print_go(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn durations_outside_the_range_of_go_are_refused() {
        // Go's durations end at 2^63 - 1 nanoseconds.
        let longest = Duration::from_nanos(u64::try_from(i64::MAX).unwrap());
        assert_eq!(parse_go(&to_go(longest)), Some((false, longest)));
        assert_eq!(parse_go("9223372036854775808ns"), None);
        assert_eq!(parse_go("9223372036s1s"), None);
        assert_eq!(parse_go(&"9".repeat(100_000)), None);
        assert_eq!(parse_go(&format!("{}s", "9".repeat(100_000))), None);
        assert_eq!(
            parse_go(&format!("0.{}s", "9".repeat(100))),
            Some((false, Duration::from_nanos(999_999_999)))
        );
    }

    proptest! {
        #[test]
        fn every_printed_duration_is_read_as_the_same_duration(nanos in 0..=u64::try_from(i64::MAX).unwrap()) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_go(&to_go(duration)), Some((false, duration)));
            prop_assert_eq!(parse_go(&print_go(duration)), Some((false, duration)));
        }

        #[test]
        fn no_text_causes_a_panic(text in "[-+0-9.a-z\u{b5}\u{3bc}]{0,20}") {
            let _ = parse_go(&text);
        }
    }
}
