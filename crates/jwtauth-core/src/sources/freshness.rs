//! How long is a fetched document fresh? (RFC 9111 §4.2)

use std::time::{Duration, UNIX_EPOCH};

use super::fetch::Fetched;
use crate::clock::Clock;

/// The operator's own time, lowered by what the server says, within reason. Only the operator can switch caching off.
pub(super) fn ttl(fetched: &Fetched, configured: Duration) -> Duration {
    if configured.is_zero() {
        return Duration::ZERO;
    }
    let said = max_age(fetched.cache_control.as_deref()).or_else(|| expires_in(fetched.expires.as_deref()));
    said.map_or(configured, |said| said.min(configured))
        .clamp(LEAST, MOST)
}

/// When the first caller should look for a newer set: at 80 % of the time, give or take a tenth.
pub(super) fn refresh_after(ttl: Duration) -> Duration {
    jittered(ttl.mul_f64(0.8)).min(ttl)
}

/// Give or take a tenth, so that many processes do not ask at once.
pub(super) fn jittered(duration: Duration) -> Duration {
    let mut byte = [0_u8; 1];
    // Without randomness there is no jitter, and nothing else depends on it.
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

/// What is no date, `0` above all, is one in the past (RFC 9111 §5.3).
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
    fn a_server_can_lower_the_time_but_not_raise_it() {
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
    fn an_expiry_lowers_the_time_where_no_age_is_said() {
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
    fn no_time_is_shorter_or_longer_than_the_bounds() {
        for (configured, seconds) in [(1, 30), (29, 30), (31, 31), (48 * 3600, 24 * 3600)] {
            let found = ttl(&Fetched::default(), Duration::from_secs(configured));
            assert_eq!(found.as_secs(), seconds);
        }
    }

    #[test]
    fn only_the_operator_switches_caching_off() {
        assert_eq!(ttl(&Fetched::default(), Duration::ZERO), Duration::ZERO);
        assert!(refresh_after(Duration::from_secs(100)) <= Duration::from_secs(100));
        assert!(refresh_after(Duration::from_secs(100)) >= Duration::from_secs(72));
    }
}
