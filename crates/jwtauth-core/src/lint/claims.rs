//! Rules about the checks of the claims, and about the networks of callers.

use std::collections::BTreeSet;
use std::time::Duration;

use super::subject::{Subject, has};
use crate::dialect::Dialect;
use crate::duration;
use crate::expr::Selection;
use crate::json::{Number, Value};
use crate::policy::Profile;
use crate::warning::{Rule, Warning};

/// The places of the leeways that are too large. Several profiles may inherit one, which is one finding.
#[derive(Debug, Default)]
pub(super) struct LargeLeeways(BTreeSet<String>);

pub(super) fn check(
    subject: &Subject<'_>,
    profile: &Profile,
    known: &mut LargeLeeways,
    found: &mut Vec<Warning>,
) {
    leeways(subject, profile, known, found);
    subject_bound_twice(subject, profile, found);
    networks(subject, profile, found);
    if subject.dialect == Dialect::Native {
        expiry(subject, profile, found);
    }
    if subject.dialect == Dialect::Vault {
        zero_leeways(subject, profile, found);
    }
}

/// Finds names of roles that are stored in another letter case.
pub(super) fn check_names(subject: &Subject<'_>, found: &mut Vec<Warning>) {
    if subject.dialect != Dialect::Vault {
        return;
    }
    let roles = subject
        .document
        .as_object()
        .and_then(|members| members.get("roles"));
    let roles = roles.and_then(Value::as_object);
    for (name, _) in roles.into_iter().flat_map(|roles| roles.members()) {
        if name.to_lowercase() != name {
            found.push(Warning::new(
                Rule::RoleNameLowerCased,
                format!("roles.{name}"),
                format!(
                    "Vault stores the name as `{}`, which is what grants, logs and templated policies have; write it in lower case",
                    name.to_lowercase()
                ),
            ));
        }
    }
}

fn leeways(subject: &Subject<'_>, profile: &Profile, known: &mut LargeLeeways, found: &mut Vec<Warning>) {
    let times = &profile.claims.times;
    let (setting, without_exp) = match subject.dialect {
        Dialect::Vault => (
            subject.place(profile, "clock_skew_leeway"),
            Some(subject.place(profile, "expiration_leeway")),
        ),
        Dialect::Consul => (
            "AuthMethod.Config.ClockSkewLeeway".to_owned(),
            Some("AuthMethod.Config.ExpirationLeeway".to_owned()),
        ),
        Dialect::Native => (subject.place(profile, "leeway"), None),
        // The leeways of Grafana are fixed.
        Dialect::Grafana => return,
    };
    for (claim, leeway) in [
        ("exp", times.leeway.exp),
        ("nbf", times.leeway.nbf),
        ("iat", times.leeway.iat),
    ] {
        if leeway > LARGEST {
            let place = match subject.dialect {
                Dialect::Native => format!("{setting}.{claim}"),
                Dialect::Vault | Dialect::Consul | Dialect::Grafana => setting.clone(),
            };
            let text = format!(
                "a difference of {} between the clocks is accepted, so a token is valid for so much longer; usual is one minute",
                duration::to_go(leeway)
            );
            if known.0.insert(place.clone()) {
                found.push(Warning::new(Rule::LeewayTooLarge, place, text));
            }
        }
    }
    if let (Some(place), Some(synthesis)) = (without_exp, &times.synthesise)
        && synthesis.exp_after > LARGEST_WITHOUT_EXP
    {
        found.push(Warning::new(
            Rule::LeewayTooLarge,
            place,
            format!(
                "a token without `exp` is valid for {}; the unit is seconds",
                duration::to_go(synthesis.exp_after)
            ),
        ));
    }
}

/// Finds leeways of zero in the settings, because the policy has the default instead.
fn zero_leeways(subject: &Subject<'_>, profile: &Profile, found: &mut Vec<Warning>) {
    let Some((path, role)) = subject.of_profile(profile) else {
        return;
    };
    for (name, default) in [
        ("expiration_leeway", "150s"),
        ("not_before_leeway", "150s"),
        ("clock_skew_leeway", "60s"),
    ] {
        let value = role.as_object().and_then(|members| members.get(name));
        let is_zero = match value {
            Some(Value::Number(Number::Unsigned(0))) => true,
            Some(Value::String(text)) => matches!(text.as_ref(), "0" | "0s" | "0m" | "0h"),
            _ => false,
        };
        // `vault read` prints these members, with their value zero, for every role.
        let is_printed = has(role, "expiration_leeway")
            && has(role, "not_before_leeway")
            && has(role, "clock_skew_leeway");
        if is_zero && !is_printed {
            found.push(Warning::new(
                Rule::LeewayZeroIsDefault,
                format!("{path}.{name}"),
                format!("zero means the default of {default} here; write -1 for none"),
            ));
        }
    }
}

fn subject_bound_twice(subject: &Subject<'_>, profile: &Profile, found: &mut Vec<Warning>) {
    let is_sub = |select: &Selection| match select {
        Selection::Claim(name) => name == "sub",
        Selection::Pointer(pointer) => pointer.as_str() == "/sub",
        Selection::JmesPath(_) => false,
    };
    let mut rules = profile.claims.rules.iter().chain(&profile.rules.requirements);
    if profile.claims.subject.is_none() {
        return;
    }
    if let Some(other) = rules.find(|rule| is_sub(&rule.select)) {
        let setting = match subject.dialect {
            Dialect::Vault => "bound_subject",
            Dialect::Native | Dialect::Consul | Dialect::Grafana => "subject",
        };
        found.push(Warning::new(
            Rule::SubjectBoundTwice,
            subject.place(profile, setting),
            format!(
                "`{}` binds `sub` too, and a token must pass both; remove one of them",
                other.place
            ),
        ));
    }
}

fn networks(subject: &Subject<'_>, profile: &Profile, found: &mut Vec<Warning>) {
    if !profile
        .bound_cidrs
        .iter()
        .any(|network| network.prefix_len() == 0)
    {
        return;
    }
    let of_profile = subject.of_profile(profile);
    let is_set = |name: &str| of_profile.as_ref().is_some_and(|(_, value)| has(value, name));
    let setting = match subject.dialect {
        Dialect::Vault if is_set("token_bound_cidrs") => "token_bound_cidrs",
        Dialect::Vault | Dialect::Native | Dialect::Consul | Dialect::Grafana => "bound_cidrs",
    };
    found.push(Warning::new(
        Rule::NetworkAllowsEveryone,
        subject.place(profile, setting),
        "a network with the prefix `/0` contains every address of its kind, so callers from everywhere are accepted; remove it, or list the networks of the callers",
    ));
}

/// Finds profiles that accept a token without an end.
fn expiry(subject: &Subject<'_>, profile: &Profile, found: &mut Vec<Warning>) {
    let claims = &profile.claims;
    let is_bound = claims.required.iter().any(|claim| claim == "exp")
        || claims.times.max_age.is_some()
        || claims.times.synthesise.is_some();
    if !is_bound {
        found.push(Warning::new(
            Rule::ExpNotRequired,
            subject.place(profile, "required_claims"),
            "a token without `exp` never expires; add `exp`, or set `max_age`",
        ));
    }
}

/// More than any usual difference between clocks.
const LARGEST: Duration = Duration::from_secs(10 * 60);

/// The longest usual life of a token without `exp`.
const LARGEST_WITHOUT_EXP: Duration = Duration::from_secs(24 * 3600);
