//! Durations as Go prints them.

use std::time::Duration;

/// Prints a duration: from the largest unit on, every smaller unit is written out.
pub(crate) fn in_go(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let fraction = Duration::new(seconds % 60, duration.subsec_nanos());
    // Nine digits are exact, and a fraction of zero is not printed.
    let rest = format!("{}.{:09}", fraction.as_secs(), fraction.subsec_nanos());
    let rest = rest.trim_end_matches('0').trim_end_matches('.');
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_smaller_unit_is_written_out() {
        for (millis, text) in [
            (0, "0s"),
            (1_000, "1s"),
            (60_000, "1m0s"),
            (300_000, "5m0s"),
            (3_600_000, "1h0m0s"),
            (90_500, "1m30.5s"),
            (10_000, "10s"),
        ] {
            assert_eq!(in_go(Duration::from_millis(millis)), text);
        }
    }
}
