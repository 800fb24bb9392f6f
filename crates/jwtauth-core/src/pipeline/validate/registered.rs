//! Checks of the registered claims (RFC 7519 §4.1).

use crate::claims::{Claims, NumericDate, Registered};
use crate::duration;
use crate::error::{Code, Error, Result};
use crate::json::Value;
use crate::pipeline::validate::issuer::SignedClaims;
use crate::pipeline::watch::{Check, Event, Part, PartOutcome, Seen};
use crate::policy::{AudienceRule, Boundary, ClaimsPolicy, NullableClaim, RegisteredCheck, TimesRule, near};

/// The registered claims, with their types checked.
#[derive(Debug)]
pub(super) struct RegisteredClaims<'c> {
    issuer: Option<&'c str>,
    subject: Option<&'c str>,
    id: Option<&'c str>,
    audience: Option<Audience<'c>>,
    times: Times,
    /// The claims whose type is accepted and whose value is refused.
    refused: Vec<(Registered, Error)>,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    /// Whether any of the three is in the token.
    any: bool,
    /// Whether `exp`, `nbf` and `iat` are in the token. The fields below may be computed.
    given: [bool; 3],
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
}

impl<'c> RegisteredClaims<'c> {
    /// Reads the registered claims. Completes absent times if the policy requires it.
    ///
    /// # Errors
    /// [`Code::ClaimInvalid`]: a claim has the wrong type.
    pub(super) fn read(
        claims: &'c Claims<'_>,
        rule: &ClaimsPolicy,
        accepted: &AudienceRule,
    ) -> Result<RegisteredClaims<'c>> {
        let mut reader = Reader {
            claims,
            rule,
            refused: Vec::new(),
        };
        Ok(RegisteredClaims {
            issuer: reader.text(Registered::Iss)?,
            subject: reader.text(Registered::Sub)?,
            id: reader.text(Registered::Jti)?,
            audience: match claims.registered(Registered::Aud) {
                None => None,
                Some(value) => audience(value, accepted)?,
            },
            times: Times::complete(
                reader.date(Registered::Exp)?,
                reader.date(Registered::Nbf)?,
                reader.date(Registered::Iat)?,
                &rule.times,
            ),
            refused: reader.refused,
        })
    }

    /// Performs one of the checks.
    ///
    /// # Errors
    /// The code of this check.
    pub(super) fn check(
        &self,
        check: RegisteredCheck,
        signed: &SignedClaims<'_>,
        rule: &ClaimsPolicy,
        audience: &AudienceRule,
        now: NumericDate,
    ) -> Result<()> {
        let times = &self.times;
        match check {
            RegisteredCheck::Iss => signed.check_issuer(&rule.issuers),
            RegisteredCheck::Sub => self.check_subject(rule.subject.as_deref()),
            RegisteredCheck::Aud => self.check_audience(audience),
            RegisteredCheck::UnexpectedAud => self.check_unexpected_audience(audience),
            RegisteredCheck::AnyTime => ensure(times.any || rule.times.synthesise.is_none(), || {
                Code::LifetimeMissing.into()
            }),
            RegisteredCheck::Nbf => times.check_begun(&rule.times, now),
            RegisteredCheck::Exp => times.check_not_expired(&rule.times, now),
            RegisteredCheck::Iat => times.check_issued(&rule.times, now),
            RegisteredCheck::MaxAge => times.check_age(&rule.times, now),
        }
    }

    /// What one of the checks saw.
    pub(super) fn report(
        &self,
        check: RegisteredCheck,
        result: &Result<()>,
        (rule, audience): (&ClaimsPolicy, &AudienceRule),
        now: NumericDate,
    ) -> Event {
        let (times, limits) = (&self.times, &rule.times);
        let names_audience = matches!(audience, AudienceRule::OneOf(_));
        let event = |check, applies| Event::of(check, result).if_applicable(applies);
        let text = |event: Event, text| event.seen(Seen::text(text));
        let [exp, nbf, iat] = times.given;
        let date = |event: Event, given, date: Option<NumericDate>, how: String| {
            let computed = Part::new(how, PartOutcome::Computed).seen(Seen::date(given, date, now));
            let is_computed = date.is_some() && !given;
            event
                .seen(Seen::date(given, date, now))
                .parts(is_computed.then_some(computed).into_iter().collect())
        };
        let named = |event: Event| {
            event.seen(match &self.audience {
                None => Seen::of(None),
                Some(named) => Seen::texts(named.iter()),
            })
        };
        match check {
            RegisteredCheck::Iss => text(event(Check::Issuer, !rule.issuers.is_empty()), self.issuer),
            RegisteredCheck::Sub => text(event(Check::Subject, rule.subject.is_some()), self.subject),
            RegisteredCheck::Aud => named(event(Check::Audience, names_audience)),
            RegisteredCheck::UnexpectedAud => named(event(
                Check::UnexpectedAudience,
                !names_audience && *audience != AudienceRule::Any,
            )),
            RegisteredCheck::AnyTime => event(Check::AnyTime, limits.synthesise.is_some()),
            RegisteredCheck::Nbf => date(
                event(Check::NotBefore, times.nbf.is_some()),
                nbf,
                times.nbf,
                match limits.synthesise {
                    Some(synthesis) if !iat => {
                        format!("`exp` minus {}", duration::to_go(synthesis.nbf_before))
                    }
                    Some(_) | None => "`iat`".to_owned(),
                },
            ),
            RegisteredCheck::Exp => date(
                event(Check::Expires, times.exp.is_some()),
                exp,
                times.exp,
                limits.synthesise.map_or_else(String::new, |synthesis| {
                    let after = duration::to_go(synthesis.exp_after);
                    format!("the later one of `iat` and `nbf`, plus {after}")
                }),
            ),
            RegisteredCheck::Iat => date(
                event(Check::IssuedAt, limits.check_iat && times.iat.is_some()),
                iat,
                times.iat,
                String::new(),
            ),
            RegisteredCheck::MaxAge => date(
                event(Check::MaxAge, limits.max_age.is_some()),
                iat,
                times.iat,
                String::new(),
            ),
        }
    }

    /// Whether a claim is present for the checks: not `null`, not the empty text, and not a time that counts as absent.
    pub(super) fn has(&self, claim: Registered) -> bool {
        let has_text = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
        let [exp, nbf, iat] = self.times.given;
        let is_present = match claim {
            Registered::Iss => has_text(self.issuer),
            Registered::Sub => has_text(self.subject),
            Registered::Jti => has_text(self.id),
            Registered::Aud => self.audience.is_some_and(|named| !named.iter().eq([""])),
            Registered::Exp => exp,
            Registered::Nbf => nbf,
            Registered::Iat => iat,
        };
        is_present || self.refused.iter().any(|(refused, _)| *refused == claim)
    }

    /// Refuses the values that every policy refuses: a `null` that does not count as absent, and a time outside the range
    /// of dates.
    ///
    /// # Errors
    /// [`Code::ClaimInvalid`].
    pub(super) fn check_values(&mut self) -> Result<()> {
        match self.refused.drain(..).next() {
            None => Ok(()),
            Some((_, error)) => Err(error),
        }
    }

    fn check_subject(&self, accepted: Option<&str>) -> Result<()> {
        ensure(accepted.is_none() || accepted == self.subject, || {
            Error::new(Code::SubjectMismatch).with_claim("sub")
        })
    }

    fn check_audience(&self, rule: &AudienceRule) -> Result<()> {
        let accepted = match rule {
            AudienceRule::OneOf(accepted) => accepted,
            AudienceRule::Absent | AudienceRule::AbsentOrEmpty | AudienceRule::Any => return Ok(()),
        };
        let named = || self.audience.iter().flat_map(Audience::iter);
        let is_accepted = |audience: &str| accepted.iter().any(|one| one == audience);
        ensure(named().any(is_accepted), || {
            let hint =
                |named: &str| near::hint("the token's `aud`", accepted.iter().map(String::as_str), named);
            let near = named().map(hint).find(|hint| !hint.is_empty());
            Error::new(Code::AudienceMismatch)
                .with_claim("aud")
                .with_detail(format!(
                    "expected {}{}",
                    accepted.join(" or "),
                    near.unwrap_or_default()
                ))
        })
    }

    fn check_unexpected_audience(&self, rule: &AudienceRule) -> Result<()> {
        let is_empty = self.audience.is_none_or(|named| named.iter().next().is_none());
        let may_be_named = match rule {
            AudienceRule::OneOf(_) | AudienceRule::Any => true,
            AudienceRule::Absent | AudienceRule::AbsentOrEmpty => false,
        };
        ensure(may_be_named || is_empty, || {
            Error::new(Code::AudienceUnexpected).with_claim("aud")
        })
    }
}

impl Times {
    /// Completes absent times, if the rule has a synthesis.
    fn complete(
        exp: Option<NumericDate>,
        nbf: Option<NumericDate>,
        iat: Option<NumericDate>,
        rule: &TimesRule,
    ) -> Times {
        let present =
            |date: Option<NumericDate>| date.filter(|date| !(rule.zero_is_absent && date.is_zero()));
        let (exp, nbf, iat) = (present(exp), present(nbf), present(iat));
        let given = [exp, nbf, iat].map(|date| date.is_some());
        let any = given.contains(&true);
        let Some(synthesis) = rule.synthesise.filter(|_| any) else {
            return Times {
                any,
                given,
                exp,
                nbf,
                iat,
            };
        };
        let zero = NumericDate::from_seconds(0);
        let exp = exp.unwrap_or_else(|| {
            iat.unwrap_or(zero)
                .max(nbf.unwrap_or(zero))
                .plus(synthesis.exp_after)
        });
        let nbf = nbf.or(iat).unwrap_or_else(|| exp.minus(synthesis.nbf_before));
        Times {
            any,
            given,
            exp: Some(exp),
            nbf: Some(nbf),
            iat,
        }
    }

    fn check_begun(&self, rule: &TimesRule, now: NumericDate) -> Result<()> {
        let begun = |nbf: NumericDate| now.plus(rule.leeway.nbf) >= nbf;
        ensure(self.nbf.is_none_or(begun), || {
            Error::new(Code::TokenNotYetValid).with_claim("nbf")
        })
    }

    fn check_not_expired(&self, rule: &TimesRule, now: NumericDate) -> Result<()> {
        let valid = |exp: NumericDate| match rule.expires {
            Boundary::OnOrAfter => now < exp.plus(rule.leeway.exp),
            Boundary::After => now <= exp.plus(rule.leeway.exp),
        };
        ensure(self.exp.is_none_or(valid), || {
            Error::new(Code::TokenExpired).with_claim("exp")
        })
    }

    fn check_issued(&self, rule: &TimesRule, now: NumericDate) -> Result<()> {
        let issued = |iat: NumericDate| now.plus(rule.leeway.iat) >= iat;
        ensure(!rule.check_iat || self.iat.is_none_or(issued), || {
            Error::new(Code::TokenIssuedInFuture).with_claim("iat")
        })
    }

    fn check_age(&self, rule: &TimesRule, now: NumericDate) -> Result<()> {
        let Some(max_age) = rule.max_age else {
            return Ok(());
        };
        let iat = self
            .iat
            .ok_or_else(|| Error::new(Code::ClaimMissing).with_claim("iat"))?;
        ensure(now <= iat.plus(max_age).plus(rule.leeway.iat), || {
            Error::new(Code::TokenTooOld).with_claim("iat")
        })
    }
}

/// The checks of a valid token that depend on the current time.
#[derive(Debug)]
pub(crate) struct TimeChecks {
    times: Times,
    rule: TimesRule,
    checks: Box<[RegisteredCheck]>,
}

impl TimeChecks {
    /// The checks of these claims. `None` if they are not valid.
    pub(super) fn of(claims: &Claims<'_>, rule: &ClaimsPolicy) -> Option<TimeChecks> {
        let mut reader = Reader {
            claims,
            rule,
            refused: Vec::new(),
        };
        let [exp, nbf, iat] =
            [Registered::Exp, Registered::Nbf, Registered::Iat].map(|claim| reader.date(claim).ok());
        let times = Times::complete(exp?, nbf?, iat?, &rule.times);
        reader.refused.is_empty().then(|| TimeChecks {
            times,
            rule: rule.times.clone(),
            checks: rule.check_order.as_slice().into(),
        })
    }

    /// Whether the checks would succeed at this time.
    pub(crate) fn hold(&self, now: NumericDate) -> bool {
        let holds = |check: &RegisteredCheck| match check {
            RegisteredCheck::Nbf => self.times.check_begun(&self.rule, now),
            RegisteredCheck::Exp => self.times.check_not_expired(&self.rule, now),
            RegisteredCheck::Iat => self.times.check_issued(&self.rule, now),
            RegisteredCheck::MaxAge => self.times.check_age(&self.rule, now),
            // These do not depend on the time.
            RegisteredCheck::Iss
            | RegisteredCheck::Sub
            | RegisteredCheck::Aud
            | RegisteredCheck::UnexpectedAud
            | RegisteredCheck::AnyTime => Ok(()),
        };
        self.checks.iter().all(|check| holds(check).is_ok())
    }

    /// The memory of the checks, without this structure itself.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val::<[_]>(&self.checks)
    }
}

/// Reads claims, and collects the values that are refused only after the check of the required claims.
struct Reader<'c, 't, 'r> {
    claims: &'c Claims<'t>,
    rule: &'r ClaimsPolicy,
    refused: Vec<(Registered, Error)>,
}

impl<'c, 't> Reader<'c, 't, '_> {
    fn text(&mut self, claim: Registered) -> Result<Option<&'c str>> {
        match self.value(claim, "must be a string, not null") {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_ref())),
            Some(_) => Err(wrong_type(claim, "must be a string")),
        }
    }

    fn date(&mut self, claim: Registered) -> Result<Option<NumericDate>> {
        let number = match self.value(claim, "must be a number, not null") {
            None => return Ok(None),
            Some(Value::Number(number)) => *number,
            Some(_) => return Err(wrong_type(claim, "must be a number")),
        };
        let date = NumericDate::from_number(number);
        if date.is_none() {
            self.refuse(claim, invalid(claim, "is outside the range of dates"));
        }
        Ok(if self.rule.times.whole_seconds {
            date.map(NumericDate::truncated)
        } else {
            date
        })
    }

    /// Returns the value of a claim if it is not `null`.
    fn value(&mut self, claim: Registered, not_null: &str) -> Option<&'c Value<'t>> {
        let value = self.claims.registered(claim)?;
        if !value.is_null() {
            return Some(value);
        }
        if !nullable(claim).is_some_and(|claim| self.rule.null_is_absent.holds(claim)) {
            self.refuse(claim, invalid(claim, not_null).absent());
        }
        None
    }

    fn refuse(&mut self, claim: Registered, error: Error) {
        self.refused.push((claim, error));
    }
}

fn nullable(claim: Registered) -> Option<NullableClaim> {
    match claim {
        Registered::Iss => Some(NullableClaim::Iss),
        Registered::Sub => Some(NullableClaim::Sub),
        Registered::Exp => Some(NullableClaim::Exp),
        Registered::Nbf => Some(NullableClaim::Nbf),
        Registered::Iat => Some(NullableClaim::Iat),
        Registered::Jti => Some(NullableClaim::Jti),
        Registered::Aud => None,
    }
}

/// The audiences that a token names: a text, or a list of texts.
#[derive(Debug, Clone, Copy)]
struct Audience<'c>(&'c Value<'c>);

impl<'c> Audience<'c> {
    fn iter(&self) -> impl Iterator<Item = &'c str> + use<'c> {
        let items = match self.0 {
            Value::Array(items) => items,
            one => std::slice::from_ref(one),
        };
        items.iter().filter_map(Value::as_str)
    }
}

/// The audiences that a token names. `None` if it names none.
fn audience<'c>(value: &'c Value<'c>, rule: &AudienceRule) -> Result<Option<Audience<'c>>> {
    match value {
        Value::String(one) if one.is_empty() && *rule == AudienceRule::AbsentOrEmpty => Ok(None),
        Value::String(_) => Ok(Some(Audience(value))),
        Value::Array(items) if items.iter().all(|item| item.as_str().is_some()) => Ok(Some(Audience(value))),
        _ => Err(wrong_type(
            Registered::Aud,
            "must be a string or a list of strings",
        )),
    }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> Error) -> Result<()> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn invalid(claim: Registered, problem: &str) -> Error {
    Error::new(Code::ClaimInvalid)
        .with_claim(claim.name())
        .with_detail(problem)
}

fn wrong_type(claim: Registered, problem: &str) -> Error {
    invalid(claim, problem).malformed_shape()
}
