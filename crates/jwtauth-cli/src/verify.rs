//! `jwtauth verify`: decides about a token or a request.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Args;
use jwtauth_core::explain::{Check, Outcome, Step};
use jwtauth_core::internals::json::{self, Value};
use jwtauth_core::{Code, Entitlement, Error, Explain, Grant, Result, Stage, wire};

use crate::broken;
use crate::config::{ConfigArguments, TimeArguments, usage};
use crate::ending::{Ending, Misuse};
use crate::explain::configured;
use crate::files::Files;
use crate::request::{REQUEST_USAGE, RequestArguments};
use crate::screen::{self, BAD, GOOD, inline, line, printable};

/// The arguments of `verify`.
#[derive(Debug, Args)]
#[command(override_usage = usage("verify", REQUEST_USAGE))]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,

    #[command(flatten)]
    time: TimeArguments,

    #[command(flatten)]
    request: RequestArguments,

    /// Print the reply as one line of JSON, the same as in every language
    #[arg(long)]
    json: bool,
}

/// Decides, and shows the reply.
///
/// # Errors
/// Standard input or output fails.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let token = arguments.request.token(&arguments.config)?;
    let mut files = Files::default();
    let loaded = arguments.config.load(Some(&arguments.time), &mut files)?;
    let explanation = loaded.map(|loaded| {
        let request = arguments.request.request(token.as_deref());
        loaded.verifier.explain(&request, Explain::default())
    });
    let (outcome, steps) = match explanation {
        Ok(explanation) => (explanation.decision, explanation.steps),
        Err(error) => (Err(error), Vec::new()),
    };
    let ending = outcome
        .as_ref()
        .map_or_else(|error| error.class().into(), |_| Ending::Well);
    match &outcome {
        _ if arguments.json => screen::show(&screen::reply(&wire::reply(&outcome)))?,
        Ok(grant) => screen::show(&describe_grant("", grant, &steps))?,
        // There is no decision, so nothing is printed on standard output.
        Err(error) if ending == Ending::Misuse => broken::complain(error, &files),
        Err(error) => screen::show(&describe_failure("", error, &steps))?,
    }
    Ok(ending)
}

/// A grant as a list, with words in front of it. It is made from the grant and not from the reply, whose claims may be nested as
/// deeply as the reader allows.
pub(crate) fn describe_grant(words: &str, grant: &Grant, steps: &[Step]) -> String {
    let mut text = format!("{GOOD}{words}granted{GOOD:#}\n");
    let identity = &grant.identity;
    let requested_org = identity.requested_org.map(|org| org.to_string());
    for (name, value) in [
        ("profile", &grant.profile),
        ("name", &identity.name),
        ("subject", &identity.subject),
        ("email", &identity.email),
        ("display_name", &identity.display_name),
        ("requested_org", &requested_org),
    ] {
        if let Some(value) = value {
            line(&mut text, name, printable(value));
        }
    }
    let lists = identity.lists.iter();
    let lists = lists.map(|(name, items)| (name, items.iter().map(|item| printable(item))));
    let lists = lists.map(|(name, items)| format!("{}={}", printable(name), joined(items)));
    for (name, value) in [
        (
            "groups",
            joined(identity.groups.iter().map(|group| printable(group))),
        ),
        ("metadata", pairs(&identity.metadata)),
        ("lists", joined(lists)),
    ] {
        if !value.is_empty() {
            line(&mut text, name, value);
        }
    }
    list(&mut text, "", &grant.entitlements);
    list(&mut text, "not ", &grant.revocations);
    let session = serde_json::to_string(&grant.session).unwrap_or_default();
    match json::parse(&session) {
        Ok(Value::Object(session)) if session.is_empty() => {}
        Ok(session) => line(&mut text, "session", inline(&session)),
        Err(_) => line(&mut text, "session", printable(&session)),
    }
    if let Some(url) = &grant.cleaned_url {
        line(&mut text, "cleaned_url", printable(url));
    }
    let without_role = |step: &&Step| {
        matches!(step.check, Check::Role | Check::OrgRole) && step.outcome == Outcome::NotApplicable
    };
    for step in steps.iter().filter(without_role) {
        let place = configured(step).map_or(String::new(), |place| format!(" ({place})"));
        line(
            &mut text,
            "no role",
            format_args!("{}{place}", printable(&step.text)),
        );
    }
    text
}

fn list(text: &mut String, before: &str, entitlements: &[Entitlement]) {
    for entitlement in entitlements {
        let mut what = printable(&entitlement.name);
        if let Some(scope) = &entitlement.scope {
            let _ = write!(what, " in {}", printable(scope));
        }
        if !entitlement.variables.is_empty() {
            let _ = write!(what, " with {}", pairs(&entitlement.variables));
        }
        line(text, &format!("{before}{}", entitlement.kind.as_str()), what);
    }
}

fn pairs(values: &BTreeMap<String, String>) -> String {
    let pairs = values.iter();
    joined(pairs.map(|(name, value)| format!("{}={}", printable(name), printable(value))))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// A failure as a list, with words in front of it.
pub(crate) fn describe_failure(words: &str, error: &Error, steps: &[Step]) -> String {
    let mut text = format!(
        "{BAD}{words}{}{BAD:#}  {}: {}\n",
        error.class().as_str(),
        error.code(),
        error.code().message()
    );
    let before = steps.iter().take_while(|step| step.outcome != Outcome::Failed);
    for step in before.filter(|step| step.outcome == Outcome::Passed && is_worth_a_line(step)) {
        line(&mut text, "passed", printable(&step.text));
    }
    if let Some(claim) = error.claim() {
        line(&mut text, "claim", printable(claim));
    }
    if let Some(detail) = error.detail() {
        line(&mut text, "detail", printable(detail));
    }
    let failed = steps.iter().find(|step| step.outcome == Outcome::Failed);
    // The limit of the length says nothing about a short token that is malformed.
    let is_about_length = error.code() == Code::TokenTooLarge;
    let failed = failed.filter(|step| step.check != Check::TokenForm || is_about_length);
    if let Some(configured) = failed.and_then(configured) {
        line(&mut text, "configured", configured);
    }
    if !error.applicable() {
        line(
            &mut text,
            "applicable",
            "no: the next authenticator would be asked",
        );
    }
    if let Some(status) = error.http_status() {
        line(&mut text, "http status", status);
    }
    line(&mut text, "what to do", error.code().advice());
    text
}

/// Whether a check that passed says something about this token. The others only read it.
fn is_worth_a_line(step: &Step) -> bool {
    match step.check {
        Check::Profile => step.place.is_some(),
        Check::Token | Check::Address | Check::HeaderType | Check::Algorithm | Check::Signature => true,
        Check::ClaimsForm | Check::ClaimTypes | Check::ClaimValues | Check::RequiredClaim => false,
        check => matches!(
            check.stage(),
            Stage::ValidateClaims | Stage::MapIdentity | Stage::Decide
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::FAINT;

    /// A new member of the reply needs a line, too.
    #[test]
    fn every_member_of_a_grant_has_a_line() {
        let nested = format!("{}1{}", "[".repeat(63), "]".repeat(63));
        let reply = format!(
            r#"{{"outcome":"granted","profile":"of","identity":{{"name":"na","subject":"su","email":"em","display_name":"di","requested_org":7,"groups":["g1","g2"],"metadata":{{"me":"ta"}},"lists":{{"li":["s1","s2"]}}}},"entitlements":[{{"kind":"templated_policy","scope":"dc","name":"en","variables":{{"v":"w"}}}}],"revocations":[{{"kind":"role","name":"re"}}],"session":{{"ttl":3600}},"cleaned_url":"https://cleaned.example","claims":{{"a":{nested}}}}}"#
        );
        let grant = wire::restore(&reply).unwrap();
        assert_eq!(wire::granted(&grant), reply);
        let text = describe_grant("", &grant, &[]);
        let lines: Vec<(String, String)> = text
            .lines()
            .skip(1)
            .map(|line| {
                let line = line
                    .replace(&format!("{FAINT}"), "")
                    .replace(&format!("{FAINT:#}"), "");
                let (name, value) = line.trim().split_once(' ').unwrap();
                (name.to_owned(), value.trim().to_owned())
            })
            .collect();
        let expected = [
            ("profile", "of"),
            ("name", "na"),
            ("subject", "su"),
            ("email", "em"),
            ("display_name", "di"),
            ("requested_org", "7"),
            ("groups", "g1, g2"),
            ("metadata", "me=ta"),
            ("lists", "li=s1, s2"),
            ("templated_policy", "en in dc with v=w"),
            ("not", "role      re"),
            ("session", "ttl=3600"),
            ("cleaned_url", "https://cleaned.example"),
        ];
        assert_eq!(
            lines,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        let names = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
        let members = names(&reply).into_iter().chain(names(&reply["identity"]));
        let without_a_line = ["outcome", "claims", "identity", "entitlements", "revocations"];
        for member in members.filter(|name| !without_a_line.contains(&name.as_str())) {
            assert!(expected.iter().any(|(name, _)| *name == member), "{member}");
        }
    }
}
