//! Stage validate: [`VerifiedToken`] → [`ValidClaims`].
//!
//! The order is: the types of the registered claims and of those of an ID token, the required claims, the values of
//! registered claims that every policy refuses, the registered claims in the order of the policy, the policy's rules about
//! other claims. The first failure is reported.

mod claim_rule;
mod id_token;
mod issuer;
mod registered;

use crate::claims::{Claims, NumericDate, Registered};
use crate::error::{Code, Error, Result};
use crate::expr::{Document, Effort};
use crate::json::Value;
use crate::pipeline::decode::UnverifiedToken;
use crate::pipeline::signature::VerifiedToken;
use crate::pipeline::watch::{At, Check, Event, Part, Seen, Watch};
use crate::policy::{AudienceRule, ClaimRule, ClaimsPolicy, IssuerRule, RegisteredCheck};

use self::claim_rule::holds;
pub(crate) use self::issuer::{SignedClaims, read, read_denied};
use self::registered::RegisteredClaims;
pub(crate) use self::registered::TimeChecks;

/// Claims that were signed and are valid at the time of the decision.
#[derive(Debug)]
pub(crate) struct ValidClaims<'t>(Document<'t>);

impl<'t> ValidClaims<'t> {
    pub(crate) fn document(&self) -> &Document<'t> {
        &self.0
    }

    pub(crate) fn claims(&self) -> &Claims<'t> {
        self.0.claims()
    }

    /// The checks of these claims that depend on the time. `rule` is the one by which they are valid.
    pub(crate) fn time_checks(&self, rule: &ClaimsPolicy) -> Option<TimeChecks> {
        TimeChecks::of(self.claims(), rule)
    }
}

/// Checks that an unverified payload has the shape of a claims set and has the required claims.
///
/// It only finds out which denial the configured system would report, and whether it would ask its next
/// authenticator. Its success grants nothing.
pub(crate) fn shape(token: &UnverifiedToken<'_>, rule: &ClaimsPolicy) -> Result<()> {
    // A payload that is not UTF-8 is refused in any case, and not for its shape.
    let Ok(payload) = std::str::from_utf8(token.payload()) else {
        return Ok(());
    };
    shape_of(payload, rule)
}

/// Like [`shape`], for a verified token whose claims are refused.
pub(crate) fn verified_shape(token: &VerifiedToken<'_>, rule: &ClaimsPolicy) -> Result<()> {
    shape_of(token.payload(), rule)
}

fn shape_of(payload: &str, rule: &ClaimsPolicy) -> Result<()> {
    match Claims::parse(payload) {
        Err(why) if !why.is_malformed_shape() => {
            // A system with a next authenticator reads only the outermost object here, and compares names exactly.
            outer_shape(&Claims::outer(payload)?, rule)?;
            Err(why)
        }
        claims => outer_shape(&claims?, rule),
    }
}

fn outer_shape(claims: &Claims<'_>, rule: &ClaimsPolicy) -> Result<()> {
    required(claims, &typed(claims, rule, &rule.audience)?, rule, &mut ())
}

/// Reads the registered claims. Checks their types, and those of the additional claims of an ID token.
fn typed<'c>(
    claims: &'c Claims<'_>,
    rule: &ClaimsPolicy,
    audience: &AudienceRule,
) -> Result<RegisteredClaims<'c>> {
    let registered = RegisteredClaims::read(claims, rule, audience)?;
    if rule.id_token {
        id_token::check(claims)?;
    }
    Ok(registered)
}

/// Checks only the types of the registered claims, for benchmarks.
///
/// # Errors
/// [`Code::ClaimInvalid`].
pub(super) fn registered(claims: &Claims<'_>, rule: &ClaimsPolicy) -> Result<()> {
    typed(claims, rule, &rule.audience).map(|_| ())
}

/// Checks everything that a profile requires of the claims, and what the rule for their issuer requires.
///
/// # Errors
/// The codes of stage [`ValidateClaims`](crate::Stage::ValidateClaims).
pub(crate) fn claims<'t>(
    signed: SignedClaims<'t>,
    rule: &ClaimsPolicy,
    of_issuer: Option<&IssuerRule>,
    now: NumericDate,
    watch: &mut impl Watch,
) -> Result<ValidClaims<'t>> {
    let audience = audience(rule, of_issuer);
    let typed = typed(&signed.claims, rule, audience);
    watch.saw(|| Event::of(Check::ClaimTypes, &typed));
    let mut registered = typed?;
    required(&signed.claims, &registered, rule, watch)?;
    check_values(&mut registered, watch)?;
    for check in &rule.check_order {
        let result = registered.check(*check, &signed, rule, audience, now);
        watch.saw(|| registered.report(*check, &result, (rule, audience), now));
        result?;
    }
    let document = Document::new(signed.claims);
    for (index, claim_rule) in rule.rules.iter().enumerate() {
        watched(claim_rule, &document, (Check::Claim, || At::Index(index)), watch)?;
    }
    for (index, claim_rule) in rules(of_issuer).iter().enumerate() {
        watched(
            claim_rule,
            &document,
            (Check::Claim, || At::OfIssuer(index)),
            watch,
        )?;
    }
    Ok(ValidClaims(document))
}

/// Makes every check of [`claims`] on its own, also those after one that fails, for an explanation. The results are only
/// reported. The claims of an unverified token may be passed, too.
pub(crate) fn inform(
    signed: &SignedClaims<'_>,
    document: &Document<'_>,
    (rule, of_issuer): (&ClaimsPolicy, Option<&IssuerRule>),
    now: NumericDate,
    watch: &mut impl Watch,
) {
    let audience = audience(rule, of_issuer);
    let typed = typed(&signed.claims, rule, audience);
    watch.saw(|| Event::of(Check::ClaimTypes, &typed));
    if let Ok(mut registered) = typed {
        for (index, name) in rule.required.iter().enumerate() {
            let _ = required_claim(&signed.claims, &registered, (index, name), watch);
        }
        let _ = check_values(&mut registered, watch);
        for check in &rule.check_order {
            if watch.affords(effort(*check, audience).at(signed.claims.text().len())) {
                let result = registered.check(*check, signed, rule, audience, now);
                watch.saw(|| registered.report(*check, &result, (rule, audience), now));
            }
        }
    }
    for (index, claim_rule) in rule.rules.iter().enumerate() {
        told(claim_rule, document, (Check::Claim, || At::Index(index)), watch);
    }
    for (index, claim_rule) in rules(of_issuer).iter().enumerate() {
        told(
            claim_rule,
            document,
            (Check::Claim, || At::OfIssuer(index)),
            watch,
        );
    }
}

/// Makes a check of [`watched`] for an explanation, if its budget suffices.
pub(crate) fn told(
    rule: &ClaimRule,
    document: &Document<'_>,
    check: (Check, impl FnOnce() -> At),
    watch: &mut impl Watch,
) {
    let length = document.claims().text().len();
    if watch.affords(rule.effort().at(length)) {
        let _ = watched(rule, document, check, watch);
    }
}

/// An upper bound of the time that the check takes: each audience of the token is compared with each accepted one.
fn effort(check: RegisteredCheck, audience: &AudienceRule) -> Effort {
    match (check, audience) {
        (RegisteredCheck::Aud, AudienceRule::OneOf(accepted)) => {
            Effort::per_byte(f64::from(u32::try_from(accepted.len()).unwrap_or(u32::MAX)))
        }
        _ => Effort::default(),
    }
}

/// The audiences that are accepted from an issuer.
fn audience<'r>(rule: &'r ClaimsPolicy, of_issuer: Option<&'r IssuerRule>) -> &'r AudienceRule {
    let own = of_issuer.and_then(|rule| rule.audience.as_ref());
    own.unwrap_or(&rule.audience)
}

/// The rules for the claims of an issuer.
fn rules(of_issuer: Option<&IssuerRule>) -> &[ClaimRule] {
    of_issuer.map(|rule| rule.rules.as_slice()).unwrap_or_default()
}

fn check_values(registered: &mut RegisteredClaims<'_>, watch: &mut impl Watch) -> Result<()> {
    let values = registered.check_values();
    watch.saw(|| Event::of(Check::ClaimValues, &values));
    values
}

/// Checks one rule about one claim, and reports it as this check.
///
/// # Errors
/// Those of [`holds`].
pub(crate) fn watched(
    rule: &ClaimRule,
    document: &Document<'_>,
    (check, at): (Check, impl FnOnce() -> At),
    watch: &mut impl Watch,
) -> Result<()> {
    let result = holds(rule, document);
    watch.saw_within(|budget| {
        let event = Event::of(check, &result).at(at());
        let length = document.claims().text().len();
        if !budget.spend(rule.select.effort().at(length)) {
            return event;
        }
        let found = rule.select.find(document).ok().flatten();
        event
            .seen(Seen::of(found.as_deref()))
            .parts(Part::of_selection(&rule.select, document, budget))
    });
    result
}

/// Checks that the required claims are present. A claim that is `null` or an empty text counts as missing, and so does a
/// registered claim that counts as absent under the policy.
fn required(
    claims: &Claims<'_>,
    registered: &RegisteredClaims<'_>,
    rule: &ClaimsPolicy,
    watch: &mut impl Watch,
) -> Result<()> {
    let mut names = rule.required.iter().enumerate();
    names.try_for_each(|required| required_claim(claims, registered, required, watch))
}

#[inline]
fn required_claim(
    claims: &Claims<'_>,
    registered: &RegisteredClaims<'_>,
    (index, name): (usize, &String),
    watch: &mut impl Watch,
) -> Result<()> {
    let says_something = |value: &Value<'_>| !value.is_null() && value.as_str() != Some("");
    let is_present = match Registered::named(name) {
        Some(claim) => registered.has(claim),
        None => claims.get(name).is_some_and(says_something),
    };
    let result = if is_present {
        Ok(())
    } else {
        Err(Error::new(Code::ClaimMissing).with_claim(name))
    };
    watch.saw(|| {
        let event = Event::of(Check::RequiredClaim, &result).at(At::Index(index));
        event.seen(Seen::of(claims.get(name)))
    });
    result
}
