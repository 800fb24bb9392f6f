//! The arithmetic of leases: how long a session lasts after a login or a renewal.
//!
//! The rules are those of Vault. Times are whole seconds, and instants that a session ends at are microseconds. `None` is the absence of a limit.

use std::time::Duration;

use jwtauth_core::internals::print_go;

use crate::time::{Micros, SECOND};

/// The terms of the profile, as far as they limit the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Terms {
    pub(crate) ttl: Option<u64>,
    pub(crate) max_ttl: Option<u64>,
    pub(crate) explicit_max_ttl: Option<u64>,
    /// The period of a periodic session. Then `ttl` has no effect, and `max_ttl` only limits one period.
    pub(crate) period: Option<u64>,
}

/// The limits of all sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct System {
    pub(crate) default_ttl: Option<u64>,
    pub(crate) max_ttl: Option<u64>,
}

/// The instants that a lease depends on, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instants {
    /// When the session was issued. Limits count from here, also at a renewal.
    pub(crate) issued: i64,
    pub(crate) now: i64,
    /// An instant that no lease passes, such as the `exp` of the token of the login.
    pub(crate) last: Option<i64>,
}

/// A lease that is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    /// Its length from now. `None`: the session does not end on its own.
    pub(crate) seconds: Option<u64>,
    /// The most that the session lasts from its issue. `None`: there is no such limit.
    pub(crate) limit: Option<u64>,
    /// That the wish was larger than a limit, in the words of Vault.
    pub(crate) warnings: Vec<String>,
}

impl Lease {
    /// The end of the lease, if it begins now. A lease is whole seconds and `now` is not, so the limits are compared once more.
    pub(crate) fn end(&self, now: Micros, issued_at: Micros, last: Option<i64>) -> Option<Micros> {
        let length = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND);
        let end = now.saturating_add(length(self.seconds?));
        let limit = self.limit.map(|limit| issued_at.saturating_add(length(limit)));
        let last = last.map(|last| last.saturating_mul(SECOND));
        [Some(end), limit, last].into_iter().flatten().min()
    }
}

/// The session is older than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PastMax;

/// Computes a lease. `increment` is what the client of a renewal asks for, if anything.
pub(crate) fn compute(
    terms: Terms,
    system: System,
    increment: Option<u64>,
    instants: Instants,
) -> Result<Lease, PastMax> {
    let some = |seconds: Option<u64>| seconds.filter(|seconds| *seconds > 0);
    let explicit = some(terms.explicit_max_ttl);
    let max = least([some(system.max_ttl), some(terms.max_ttl), explicit]);
    let mut warnings = Vec::new();
    let (wanted, limit) = match some(terms.period) {
        // Only the explicit limit ends a periodic session; the others limit one period.
        Some(period) => (Some(capped("period", period, max, &mut warnings)), explicit),
        None => (
            some(increment).or(some(terms.ttl)).or(some(system.default_ttl)),
            max,
        ),
    };
    let of_limit = limit.map(|limit| instants.issued.saturating_add_unsigned(limit));
    let end = [of_limit, instants.last].into_iter().flatten().min();
    let left = match end {
        None => None,
        Some(end) => Some(
            u64::try_from(end.saturating_sub(instants.now))
                .ok()
                .filter(|left| *left > 0)
                .ok_or(PastMax)?,
        ),
    };
    let seconds = match wanted {
        Some(wanted) => Some(capped("TTL", wanted, left, &mut warnings)),
        None => left,
    };
    Ok(Lease {
        seconds,
        limit,
        warnings,
    })
}

fn least<const N: usize>(limits: [Option<u64>; N]) -> Option<u64> {
    limits.into_iter().flatten().min()
}

fn capped(what: &str, wanted: u64, most: Option<u64>, warnings: &mut Vec<String>) -> u64 {
    let Some(most) = most.filter(|most| *most < wanted) else {
        return wanted;
    };
    warnings.push(format!(
        "{what} of \"{}\" exceeded the effective max_ttl of \"{}\"; {what} value is capped accordingly",
        print_go(Duration::from_secs(wanted)),
        print_go(Duration::from_secs(most))
    ));
    most
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(ttl: u64, max_ttl: u64, explicit_max_ttl: u64, period: u64) -> Terms {
        Terms {
            ttl: Some(ttl),
            max_ttl: Some(max_ttl),
            explicit_max_ttl: Some(explicit_max_ttl),
            period: Some(period),
        }
    }

    const SYSTEM: System = System {
        default_ttl: Some(2_764_800),
        max_ttl: Some(2_764_800),
    };

    /// The result for a session of this age, as (seconds, number of warnings); `None` past the limit.
    fn at(age: i64, terms: Terms, increment: u64) -> Option<(Option<u64>, usize)> {
        let instants = Instants {
            issued: 1_000_000,
            now: 1_000_000 + age,
            last: None,
        };
        let lease = compute(terms, SYSTEM, Some(increment), instants).ok()?;
        Some((lease.seconds, lease.warnings.len()))
    }

    #[test]
    fn leases_are_those_of_the_table() {
        for (age, terms, increment, expected) in [
            // A login: nothing is set, ttl, ttl above each of the limits.
            (0, terms(0, 0, 0, 0), 0, Some((Some(2_764_800), 0))),
            (0, terms(3, 0, 0, 0), 0, Some((Some(3), 0))),
            (0, terms(3600, 60, 0, 0), 0, Some((Some(60), 1))),
            (0, terms(3600, 0, 60, 0), 0, Some((Some(60), 1))),
            (0, terms(3_000_000, 0, 0, 0), 0, Some((Some(2_764_800), 1))),
            (0, terms(0, 60, 0, 0), 0, Some((Some(60), 1))),
            // Periodic: ttl does not matter, max_ttl limits one period, and the explicit limit ends the session.
            (0, terms(5, 0, 0, 60), 0, Some((Some(60), 0))),
            (0, terms(5, 7, 0, 60), 0, Some((Some(7), 1))),
            (0, terms(0, 0, 30, 60), 0, Some((Some(30), 1))),
            (0, terms(0, 0, 0, 3_000_000), 0, Some((Some(2_764_800), 1))),
            // Renewals count from the issue.
            (50, terms(20, 60, 0, 0), 0, Some((Some(10), 1))),
            (50, terms(20, 60, 0, 0), 5, Some((Some(5), 0))),
            (50, terms(20, 60, 0, 0), 500, Some((Some(10), 1))),
            (60, terms(20, 60, 0, 0), 0, None),
            (61, terms(20, 60, 0, 0), 0, None),
            (1_000_000, terms(0, 60, 0, 60), 500, Some((Some(60), 0))),
            (50, terms(0, 0, 60, 60), 0, Some((Some(10), 1))),
            (60, terms(0, 0, 60, 60), 0, None),
        ] {
            assert_eq!(at(age, terms, increment), expected, "{age} {terms:?} {increment}");
        }
    }

    #[test]
    fn warnings_have_the_words_of_vault() {
        let instants = Instants {
            issued: 0,
            now: 0,
            last: None,
        };
        let lease = compute(terms(7200, 3600, 0, 0), SYSTEM, None, instants).unwrap();
        let text =
            "TTL of \"2h0m0s\" exceeded the effective max_ttl of \"1h0m0s\"; TTL value is capped accordingly";
        assert_eq!(lease.warnings, [text]);
        let lease = compute(terms(0, 0, 0, 2_764_860), SYSTEM, None, instants).unwrap();
        let text = "period of \"768h1m0s\" exceeded the effective max_ttl of \"768h0m0s\"; period value is capped accordingly";
        assert_eq!(lease.warnings, [text]);
    }

    #[test]
    fn a_session_without_limits_does_not_end() {
        let instants = Instants {
            issued: 0,
            now: 5,
            last: None,
        };
        let lease = compute(Terms::default(), System::default(), None, instants).unwrap();
        assert_eq!((lease.seconds, lease.warnings.len()), (None, 0));
        let last = Instants {
            last: Some(9),
            ..instants
        };
        assert_eq!(
            compute(Terms::default(), System::default(), None, last)
                .unwrap()
                .seconds,
            Some(4)
        );
        let last = Instants {
            last: Some(5),
            ..instants
        };
        assert_eq!(
            compute(Terms::default(), System::default(), None, last),
            Err(PastMax)
        );
    }

    /// The model: counts the seconds one by one until a rule ends the session.
    fn model(terms: Terms, system: System, increment: u64, instants: Instants) -> Option<u64> {
        let set = |value: Option<u64>| value.unwrap_or(0);
        let periodic = set(terms.period) > 0;
        let mut wanted = if periodic {
            set(terms.period)
        } else if increment > 0 {
            increment
        } else if set(terms.ttl) > 0 {
            set(terms.ttl)
        } else {
            set(system.default_ttl)
        };
        for most in [set(system.max_ttl), set(terms.max_ttl)] {
            if periodic && most > 0 {
                wanted = wanted.min(most);
            }
        }
        let alive = |second: i64| {
            let age = second - instants.issued;
            let within = |limit: Option<u64>| set(limit) == 0 || age < i64::try_from(set(limit)).unwrap();
            instants.last.is_none_or(|last| second < last)
                && within(terms.explicit_max_ttl)
                && (periodic || within(terms.max_ttl) && within(system.max_ttl))
        };
        let lasts = (0..HORIZON).take_while(|second| {
            let in_wish = wanted == 0 || *second < i64::try_from(wanted).unwrap();
            in_wish && alive(instants.now + second)
        });
        let count = lasts.count();
        (count > 0).then(|| u64::try_from(count).unwrap())
    }

    /// More than every limit of the model test, so reaching it means that nothing ends the session.
    const HORIZON: i64 = 200;

    proptest! {
        #[test]
        fn leases_are_those_of_the_model(
            (ttl, max, explicit, period) in (limit(), limit(), limit(), limit()),
            (default_ttl, system_max) in (limit(), limit()),
            increment in 0_u64..60,
            age in 0_i64..60,
            last in proptest::option::of(0_i64..60),
        ) {
            let terms = Terms { ttl, max_ttl: max, explicit_max_ttl: explicit, period };
            let system = System { default_ttl, max_ttl: system_max };
            let instants = Instants { issued: 7, now: 7 + age, last: last.map(|last| 7 + last) };
            let lease = compute(terms, system, Some(increment), instants);
            let expected = model(terms, system, increment, instants);
            match lease {
                Err(PastMax) => prop_assert_eq!(expected, None),
                Ok(lease) => prop_assert_eq!(lease.seconds.or(Some(HORIZON.unsigned_abs())), expected),
            }
        }

        #[test]
        fn no_number_causes_a_panic(
            numbers in proptest::array::uniform7(any::<Option<u64>>()),
            issued in any::<i64>(), now in any::<i64>(), last in any::<Option<i64>>(),
        ) {
            let [ttl, max_ttl, explicit_max_ttl, period, default_ttl, system_max, increment] = numbers;
            let terms = Terms { ttl, max_ttl, explicit_max_ttl, period };
            let system = System { default_ttl, max_ttl: system_max };
            let _ = compute(terms, system, increment, Instants { issued, now, last });
        }
    }

    fn limit() -> impl Strategy<Value = Option<u64>> {
        proptest::option::of(0_u64..60)
    }
}
