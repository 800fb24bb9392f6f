//! The lifetime of a fetched document (RFC 9111 §4.2).

use std::time::{Duration, UNIX_EPOCH};

use super::fetch::Fetched;
use crate::clock::Clock;

/// The lifetime: the configured one, lowered by the server's headers, within bounds. Only the configuration can
/// disable caching.
pub(super) fn ttl(fetched: &Fetched, configured: Duration) -> Duration {
    if configured.is_zero() {
        return Duration::ZERO;
    }
    let reported =
        max_age(fetched.cache_control.as_deref()).or_else(|| expires_in(fetched.expires.as_deref()));
    reported
        .map_or(configured, |reported| reported.min(configured))
        .clamp(LEAST, MOST)
}

/// The time after which the first caller fetches a newer set: 80 % of the lifetime, a tenth more or less.
pub(super) fn refresh_after(ttl: Duration) -> Duration {
    jittered(ttl.mul_f64(0.8)).min(ttl)
}

/// The duration, a tenth longer or shorter at random, so that many processes do not fetch at the same time.
pub(super) fn jittered(duration: Duration) -> Duration {
    let mut byte = [0_u8; 1];
    // If no random byte is available, there is no jitter. Nothing else depends on it.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    let [byte] = byte;
    duration.mul_f64(0.9 + 0.2 * f64::from(byte) / 255.0)
}

fn max_age(header: Option<&str>) -> Option<Duration> {
    let directives = header?
        .split(',')
        .map(|directive| directive.trim().to_ascii_lowercase());
    let mut age = None;
    for directive in directives {
        if directive == "no-store" || directive == "no-cache" {
            return Some(Duration::ZERO);
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            age = age.or_else(|| seconds.trim_matches('"').parse().ok().map(Duration::from_secs));
        }
    }
    age
}

/// The time until `Expires`. A value that is not a date, especially `0`, means a date in the past (RFC 9111 §5.3).
fn expires_in(header: Option<&str>) -> Option<Duration> {
    let at = httpdate::parse_http_date(header?).unwrap_or(UNIX_EPOCH);
    let at = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(Clock::System.now().seconds()).ok()?;
    Some(at.saturating_sub(Duration::from_secs(now)))
}

const LEAST: Duration = Duration::from_secs(30);
const MOST: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn ttl_of(cache_control: &str) -> u64 {
        let fetched = Fetched {
            cache_control: Some(cache_control.to_owned()),
            ..Fetched::default()
        };
        ttl(&fetched, Duration::from_secs(600)).as_secs()
    }

    #[test]
    fn a_server_can_lower_the_lifetime_but_not_raise_it() {
        for (header, seconds) in [
            ("", 600),
            ("max-age=300", 300),
            ("MAX-AGE=300, no-transform", 300),
            ("max-age=7200", 600),
            ("max-age=invalid", 600),
            ("max-age=0", 30),
            ("no-store", 30),
            ("max-age=300, no-cache", 30),
            ("max-age=\"300\"", 300),
            ("max-age=99999999999999999999", 600),
        ] {
            assert_eq!(ttl_of(header), seconds, "{header}");
        }
    }

    #[test]
    fn expires_lowers_the_lifetime_if_there_is_no_max_age() {
        let now = u64::try_from(Clock::System.now().seconds()).unwrap();
        let date = |seconds: u64| httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
        for (expires, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT".to_owned(), 30..=30),
            ("0".to_owned(), 30..=30),
            ("-1".to_owned(), 30..=30),
            (date(now + 300), 270..=300),
            (date(now + 3600), 600..=600),
        ] {
            let mut fetched = Fetched::new(200, []).header("Expires", &expires);
            let found = ttl(&fetched, Duration::from_secs(600)).as_secs();
            assert!(seconds.contains(&found), "{expires}: {found}");
            fetched = fetched.header("Cache-Control", "max-age=60");
            assert_eq!(ttl(&fetched, Duration::from_secs(600)).as_secs(), 60, "{expires}");
        }
    }

    #[test]
    fn the_lifetime_stays_within_the_bounds() {
        for (configured, seconds) in [(1, 30), (29, 30), (31, 31), (48 * 3600, 24 * 3600)] {
            let found = ttl(&Fetched::default(), Duration::from_secs(configured));
            assert_eq!(found.as_secs(), seconds);
        }
    }

    #[test]
    fn only_the_configuration_disables_caching() {
        assert_eq!(ttl(&Fetched::default(), Duration::ZERO), Duration::ZERO);
        assert!(refresh_after(Duration::from_secs(100)) <= Duration::from_secs(100));
        assert!(refresh_after(Duration::from_secs(100)) >= Duration::from_secs(72));
    }
}
