//! Hints about times.

use super::facts::Facts;
use crate::claims::NumericDate;
use crate::error::Code;
use crate::json::Value;

/// A time is in milliseconds.
pub(super) fn milliseconds(facts: &Facts<'_>) -> Option<String> {
    let claims = facts.claims()?;
    let is_late = |name: &&str| {
        let Some(Value::Number(number)) = claims.get(name) else {
            return false;
        };
        number.as_f64() >= MILLISECONDS
    };
    let name = TIMES.into_iter().find(is_late)?;
    Some(format!(
        "`{name}` is in milliseconds: let the issuer write seconds since 1970 (RFC 7519 §2)"
    ))
}

/// A time is a text.
pub(super) fn text(facts: &Facts<'_>) -> Option<String> {
    let claims = facts
        .claims()
        .filter(|_| facts.code() == Some(Code::ClaimInvalid))?;
    let is_text = |name: &&str| claims.get(name).and_then(Value::as_str).is_some();
    let name = TIMES.into_iter().find(is_text)?;
    Some(format!(
        "`{name}` is a text: let the issuer write a number without quotation marks, in seconds since 1970"
    ))
}

/// The clocks differ by about a multiple of half an hour.
pub(super) fn time_zone(facts: &Facts<'_>) -> Option<String> {
    let code = facts.code()?;
    let claims = facts.claims()?;
    let now = facts.now?;
    let seconds = |name: &str| {
        let Some(Value::Number(number)) = claims.get(name) else {
            return None;
        };
        Some(
            NumericDate::from_number(*number)?
                .seconds()
                .saturating_sub(now.seconds()),
        )
    };
    // A new token was issued a moment ago.
    let ahead = match code {
        Code::TokenExpired | Code::TokenNotYetValid | Code::TokenIssuedInFuture => {
            seconds("iat").or_else(|| seconds("nbf"))?
        }
        _ => return None,
    };
    let half_hours = (ahead + HALF_HOUR / 2).div_euclid(HALF_HOUR);
    let rest = ahead - half_hours * HALF_HOUR;
    if half_hours == 0 || half_hours.abs() > MOST || rest.abs() > NEW {
        return None;
    }
    let (hours, half) = (half_hours.abs() / 2, half_hours % 2 != 0);
    let difference = match (hours, half) {
        (0, _) => "half an hour".to_owned(),
        (1, false) => "1 hour".to_owned(),
        (hours, false) => format!("{hours} hours"),
        (hours, true) => format!("{hours} and a half hours"),
    };
    let side = if ahead > 0 { "after" } else { "before" };
    Some(format!(
        "if the token is new, one of the clocks is in another time zone: it was issued about {difference} {side} the time of this \
         machine; let the issuer count seconds since 1970 in UTC, and compare both clocks in UTC"
    ))
}

const TIMES: [&str; 3] = ["exp", "nbf", "iat"];
/// More than any time in seconds: the year 5138.
const MILLISECONDS: f64 = 1e11;
const HALF_HOUR: i64 = 1800;
/// The largest difference of time zones, in half hours.
const MOST: i64 = 28;
/// How old a new token may be, in seconds.
const NEW: i64 = 30;
