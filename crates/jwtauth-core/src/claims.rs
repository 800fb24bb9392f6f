//! The claims of a token.
//!
//! [`Claims`] is a payload, parsed once: an object whose member names are unique at every depth. The registered
//! claims of RFC 7519 §4.1 are located while parsing.

use std::fmt;

use crate::error::{Code, Error, Result};
use crate::hidden::Hidden;
use crate::json::{self, Number, Object, Value};

/// The claims set of a token (RFC 7519 §4), borrowed from the payload's text.
#[derive(Clone)]
pub struct Claims<'t> {
    text: &'t str,
    members: Object<'t>,
    registered: [Option<u32>; Registered::COUNT],
    is_compact: bool,
}

impl<'t> Claims<'t> {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`Code::ClaimsMalformed`]: the payload is not an object, has a duplicate member name, is nested too deeply, or
    /// has a name that differs from a registered claim only by letter case.
    pub fn parse(payload: &'t str) -> Result<Claims<'t>> {
        let malformed = |why: &dyn fmt::Display| Error::new(Code::ClaimsMalformed).with_detail(why);
        let (document, is_compact) = json::parse_noting(payload).map_err(|why| {
            let error = malformed(&why);
            if why.is_shallow() {
                error.malformed_shape()
            } else {
                error
            }
        })?;
        let Value::Object(members) = document else {
            return Err(malformed(&"the payload is not a JSON object").malformed_shape());
        };
        let (claims, folded) = Claims::of(payload, members, is_compact);
        match folded {
            None => Ok(claims),
            // Some readers ignore the case of member names and some do not. A token that two readers could
            // understand differently is refused.
            Some(claim) => Err(Error::new(Code::ClaimsMalformed)
                .with_claim(claim.name())
                .with_detail("a member name differs from a registered claim only in letter case")),
        }
    }

    /// Reads the outermost object of a payload that [`Claims::parse`] refuses for its nested values, or for a name that
    /// differs from a registered claim only in letter case. Its result must not lead to a grant.
    ///
    /// # Errors
    /// [`Code::ClaimsMalformed`]: the payload is not an object, or has a duplicate member name at the top level.
    pub(crate) fn outer(payload: &'t str) -> Result<Claims<'t>> {
        let members =
            json::outer(payload).ok_or_else(|| Error::new(Code::ClaimsMalformed).malformed_shape())?;
        Ok(Claims::of(payload, members, false).0)
    }

    /// Finds the registered claims, and the first one whose name occurs in another letter case.
    fn of(text: &'t str, members: Object<'t>, is_compact: bool) -> (Claims<'t>, Option<Registered>) {
        let (mut registered, mut first_folded) = ([None; Registered::COUNT], None);
        for (index, (name, _)) in members.members().enumerate() {
            match Registered::of(name) {
                Spelling::Other => {}
                Spelling::Exact(claim) => {
                    if let Some(slot) = registered.get_mut(claim as usize) {
                        *slot = u32::try_from(index).ok();
                    }
                }
                Spelling::Folded(claim) => {
                    first_folded.get_or_insert(claim);
                }
            }
        }
        let claims = Claims {
            text,
            members,
            registered,
            is_compact,
        };
        (claims, first_folded)
    }

    /// Returns a copy with changed values. `change` must not change the names.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Object<'t>)) -> Claims<'t> {
        let mut copy = self.clone();
        change(&mut copy.members);
        copy
    }

    /// The text of the payload.
    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    /// Whether the payload is known to have neither white space between its parts nor a character beyond ASCII.
    pub(crate) fn is_compact(&self) -> bool {
        self.is_compact
    }

    /// A copy of the whole claims set as one value.
    pub fn to_value(&self) -> Value<'t> {
        Value::Object(self.members.clone())
    }

    /// The members.
    pub fn members(&self) -> &Object<'t> {
        &self.members
    }

    /// The value of a claim by its exact name.
    pub fn get(&self, name: &str) -> Option<&Value<'t>> {
        self.members.get(name)
    }

    /// The value of a registered claim. Needs no search.
    pub fn registered(&self, claim: Registered) -> Option<&Value<'t>> {
        let index = (*self.registered.get(claim as usize)?)?;
        self.members.at(index as usize)
    }
}

impl fmt::Debug for Claims<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Claims").field(&Hidden::text(self.text)).finish()
    }
}

/// The claim names of RFC 7519 §4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    Iss,
    Sub,
    Aud,
    Exp,
    Nbf,
    Iat,
    Jti,
}

enum Spelling {
    Exact(Registered),
    Folded(Registered),
    Other,
}

impl Registered {
    const COUNT: usize = 7;
    const ALL: [Registered; Registered::COUNT] = [
        Registered::Iss,
        Registered::Sub,
        Registered::Aud,
        Registered::Exp,
        Registered::Nbf,
        Registered::Iat,
        Registered::Jti,
    ];

    /// The name in a token.
    pub const fn name(self) -> &'static str {
        match self {
            Registered::Iss => "iss",
            Registered::Sub => "sub",
            Registered::Aud => "aud",
            Registered::Exp => "exp",
            Registered::Nbf => "nbf",
            Registered::Iat => "iat",
            Registered::Jti => "jti",
        }
    }

    /// Returns the registered claim with exactly this name.
    pub(crate) fn named(name: &str) -> Option<Registered> {
        Registered::ALL.into_iter().find(|claim| claim.name() == name)
    }

    #[inline]
    fn of(name: &str) -> Spelling {
        let exact = match name.as_bytes() {
            b"iss" => Registered::Iss,
            b"sub" => Registered::Sub,
            b"aud" => Registered::Aud,
            b"exp" => Registered::Exp,
            b"nbf" => Registered::Nbf,
            b"iat" => Registered::Iat,
            b"jti" => Registered::Jti,
            // Folding changes no lower-case letter, so this name was compared already.
            [b'a'..=b'z', b'a'..=b'z', b'a'..=b'z'] => return Spelling::Other,
            // U+017F folds to `s` and takes two bytes, so `ſub` has four bytes and `iſſ` has five.
            _ if name.len() == 3 || (4..=5).contains(&name.len()) && !name.is_ascii() => {
                let folded = Registered::ALL
                    .into_iter()
                    .find(|claim| name.chars().map(fold).eq(claim.name().chars()));
                return folded.map_or(Spelling::Other, Spelling::Folded);
            }
            _ => return Spelling::Other,
        };
        Spelling::Exact(exact)
    }
}

/// Unicode simple case folding, for the characters that fold to letters of claim names.
pub(crate) fn fold(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    }
}

/// An instant in a token (RFC 7519 §2): seconds since 1970-01-01T00:00:00Z, with a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate {
    seconds: i64,
    nanos: u32,
}

impl NumericDate {
    /// An instant at a whole second.
    pub const fn from_seconds(seconds: i64) -> NumericDate {
        NumericDate { seconds, nanos: 0 }
    }

    /// An instant between two seconds; `nanos` counts upward from `seconds`.
    #[cfg(test)]
    pub(crate) const fn new(seconds: i64, nanos: u32) -> NumericDate {
        NumericDate { seconds, nanos }
    }

    /// Reads a JSON number. `None` beyond ±2^53 seconds, where a double cannot represent every second.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked before the casts"
    )]
    #[doc(hidden)]
    pub fn from_number(number: Number) -> Option<NumericDate> {
        const LIMIT: i64 = 1 << 53;
        match number {
            Number::Unsigned(seconds) => i64::try_from(seconds)
                .ok()
                .filter(|seconds| *seconds <= LIMIT)
                .map(NumericDate::from_seconds),
            Number::Signed(seconds) => Some(seconds)
                .filter(|s| *s >= -LIMIT)
                .map(NumericDate::from_seconds),
            Number::Float(value) => {
                if !value.is_finite() || value.abs() > LIMIT as f64 {
                    return None;
                }
                let whole = value.floor();
                let nanos = ((value - whole) * 1e9) as u32;
                Some(NumericDate {
                    seconds: whole as i64,
                    nanos: nanos.min(999_999_999),
                })
            }
        }
    }

    /// Drops the fraction, toward zero.
    #[must_use]
    #[doc(hidden)]
    pub fn truncated(self) -> NumericDate {
        let up = i64::from(self.seconds < 0 && self.nanos > 0);
        NumericDate {
            seconds: self.seconds + up,
            nanos: 0,
        }
    }

    /// The instant that is later by `duration`.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> NumericDate {
        let nanos = self.nanos + duration.subsec_nanos();
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        NumericDate {
            seconds: self
                .seconds
                .saturating_add(seconds)
                .saturating_add(i64::from(nanos / NANOS)),
            nanos: nanos % NANOS,
        }
    }

    /// The instant that is earlier by `duration`.
    #[must_use]
    pub fn minus(self, duration: std::time::Duration) -> NumericDate {
        let nanos = self.nanos + NANOS - duration.subsec_nanos();
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        NumericDate {
            seconds: self
                .seconds
                .saturating_sub(seconds)
                .saturating_sub(1)
                .saturating_add(i64::from(nanos / NANOS)),
            nanos: nanos % NANOS,
        }
    }

    /// The whole seconds, rounded down.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// The part of a second after [`seconds`](NumericDate::seconds), in nanoseconds.
    #[doc(hidden)]
    pub fn subsec_nanos(self) -> u32 {
        self.nanos
    }

    /// Whether this is the epoch. Some systems read it as "absent".
    #[doc(hidden)]
    pub fn is_zero(self) -> bool {
        self.seconds == 0 && self.nanos == 0
    }
}

impl fmt::Display for NumericDate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.seconds)
    }
}

const NANOS: u32 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn registered_claims_are_found_at_any_position() {
        let claims = Claims::parse(r#"{"a":1,"sub":"alice","nested":{"iss":"x"},"exp":5}"#).unwrap();
        assert_eq!(
            claims.registered(Registered::Sub).and_then(Value::as_str),
            Some("alice")
        );
        assert!(claims.registered(Registered::Iss).is_none());
        assert_eq!(claims.registered(Registered::Exp), claims.get("exp"));
    }

    #[test]
    fn a_name_that_folds_to_a_registered_one_is_refused() {
        for name in ["SUB", "Iss", "\u{17f}ub", "i\u{17f}\u{17f}", "EXP", "jtI"] {
            let text = format!("{{\"{name}\":1}}");
            assert_eq!(
                Claims::parse(&text).unwrap_err().code(),
                Code::ClaimsMalformed,
                "{name}"
            );
        }
        assert!(Claims::parse(r#"{"subs":1,"su":2,"audi":3}"#).is_ok());
    }

    #[test]
    fn only_an_object_is_a_claims_set() {
        for text in ["null", "[]", "1", "\"a\"", "", "{} {}"] {
            assert_eq!(
                Claims::parse(text).unwrap_err().code(),
                Code::ClaimsMalformed,
                "{text}"
            );
        }
    }

    #[test]
    fn dates_truncate_toward_zero_and_end_at_two_to_the_53() {
        let date = |value: f64| NumericDate::from_number(Number::Float(value));
        assert_eq!(date(1.9).unwrap().truncated(), NumericDate::from_seconds(1));
        assert_eq!(date(-1.9).unwrap().truncated(), NumericDate::from_seconds(-1));
        assert!(date(1e300).is_none());
        assert!(date(f64::NAN).is_none());
        assert!(NumericDate::from_number(Number::Unsigned((1 << 53) + 1)).is_none());
        assert!(NumericDate::from_number(Number::Signed(i64::MIN)).is_none());
    }

    #[test]
    fn addition_and_subtraction_carry_the_fraction() {
        let date = NumericDate::new(10, 500_000_000);
        assert_eq!(
            date.plus(Duration::from_millis(600)),
            NumericDate::new(11, 100_000_000)
        );
        assert_eq!(
            date.minus(Duration::from_millis(600)),
            NumericDate::new(9, 900_000_000)
        );
        assert_eq!(date.minus(Duration::from_millis(500)), NumericDate::new(10, 0));
        assert_eq!(date.minus(Duration::ZERO), date);
    }
}
