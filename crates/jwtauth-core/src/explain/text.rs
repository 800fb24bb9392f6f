//! The sentences of an explanation. They contain nothing from the token, except its shape.

use std::fmt::Write as _;

use super::plan::{Allowance, Planned};
use crate::pipeline::watch::{Check, Event, Outcome, Seen};

/// One sentence about a check.
pub(super) fn sentence(event: &Event, planned: Option<&Planned>) -> String {
    let subject = planned.and_then(|planned| planned.subject.as_deref());
    match (event.outcome, &event.error) {
        (Outcome::Failed, Some(why)) => {
            let mut why = event.note.clone().unwrap_or_else(|| why.to_string());
            // The step names the place already.
            if let Some(place) = planned.and_then(|planned| planned.place.as_deref()) {
                let place = format!(": `{place}`");
                why.truncate(why.strip_suffix(&place).unwrap_or(&why).len());
            }
            match distance(event, planned) {
                Some(distance) => format!("{why}: {distance}"),
                None => why,
            }
        }
        (Outcome::Passed | Outcome::Failed, _) => match (&event.note, distance(event, planned)) {
            (Some(note), _) => note.clone(),
            (None, Some(distance)) => distance,
            (None, None) => passed(event.check, subject),
        },
        (Outcome::NotApplicable, _) => match &event.note {
            Some(note) => note.clone(),
            None => not_applicable(event, subject),
        },
        (Outcome::NotReached, _) => format!("not reached: {}", requirement(event.check, subject)),
    }
}

/// Where a time claim is, compared with the time of the decision, and how far beyond what is allowed.
fn distance(event: &Event, planned: Option<&Planned>) -> Option<String> {
    let seconds = event.seen.as_ref().and_then(|seen| seen.seconds)?;
    let claim = time_claim(event.check)?;
    let count = seconds.unsigned_abs();
    let computed = match event.parts.first() {
        Some(how) => format!(" (computed: {})", how.text),
        None => String::new(),
    };
    let mut text = match seconds {
        ..0 => format!("`{claim}`{computed} was {count} s ago"),
        0 => format!("`{claim}`{computed} is now"),
        1.. => format!("`{claim}`{computed} is in {count} s"),
    };
    let allowance = planned.and_then(|planned| planned.allowance.as_ref());
    if let (Outcome::Failed, Some(Allowance { seconds, what })) = (event.outcome, allowance) {
        let beyond = i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(*seconds);
        match seconds {
            0 => text.push_str(", and there is no leeway"),
            // The first instant at which a token is expired is no second beyond the leeway.
            _ => {
                let _ = write!(text, ", {beyond} s beyond {what} of {seconds} s");
            }
        }
    }
    Some(text)
}

fn time_claim(check: Check) -> Option<&'static str> {
    match check {
        Check::NotBefore => Some("nbf"),
        Check::Expires => Some("exp"),
        Check::IssuedAt | Check::MaxAge => Some("iat"),
        _ => None,
    }
}

fn passed(check: Check, subject: Option<&str>) -> String {
    match (check, subject) {
        (Check::Profile, Some(name)) => format!("the profile `{name}` decides"),
        (Check::Profile, None) => "the top level of the policy decides".to_owned(),
        (Check::Role, _) => "the caller gets a role".to_owned(),
        (Check::OrgRole, _) => "the expression gives a role".to_owned(),
        (Check::Binding, Some("")) => "the rule selects every caller".to_owned(),
        (Check::Binding, _) => "the rule selects the caller".to_owned(),
        (Check::Session, _) => "the session gets the configured terms".to_owned(),
        _ => requirement(check, subject),
    }
}

/// What the check requires, with the name of what it is about.
fn requirement(check: Check, subject: Option<&str>) -> String {
    match (check, subject.filter(|subject| !subject.is_empty())) {
        (Check::Profile, Some(name)) => format!("the profile `{name}` exists and is open"),
        (Check::RequiredClaim, Some(name)) => format!("the required claim `{name}` is present"),
        (Check::Claim | Check::Requirement, Some(name)) => format!("`{name}` passes its test"),
        (Check::Metadata | Check::List, Some(name)) => format!("`{name}` can be mapped"),
        (Check::Binding, Some(selector)) => format!("`{selector}` selects the caller"),
        (check, _) => check.about().to_owned(),
    }
}

fn not_applicable(event: &Event, subject: Option<&str>) -> String {
    let is_absent = event.seen.as_ref().is_some_and(is_absent);
    match (event.check, subject) {
        (Check::NotBefore | Check::Expires | Check::IssuedAt, _) => {
            let claim = time_claim(event.check).unwrap_or_default();
            format!("the token has no `{claim}`, and needs none")
        }
        (Check::Issuer, _) => "the policy does not restrict the issuer".to_owned(),
        (Check::Audience, _) => "the policy accepts any audience".to_owned(),
        (Check::KeyId, _) => "the token does not name its key".to_owned(),
        (Check::Role, _) => "no role came of the expression, and there is no default".to_owned(),
        (Check::OrgRole, _) => "no role came of the expression".to_owned(),
        (Check::Name, _) => "the token has no claim for the caller's name".to_owned(),
        (Check::Metadata | Check::List, Some(name)) if is_absent => {
            format!("the token has nothing for `{name}`")
        }
        (Check::Email | Check::DisplayName | Check::Groups | Check::ExternalOrgs, _) if is_absent => {
            "the token has no such claim".to_owned()
        }
        _ => "nothing is configured for it".to_owned(),
    }
}

fn is_absent(seen: &Seen) -> bool {
    matches!(seen.kind, "absent" | "null")
}
