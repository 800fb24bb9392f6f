//! `jwtauth verify`: decides about a token or a request.

use std::fmt::Write as _;

use clap::Args;
use jwtauth_core::explain::{Check, Outcome, Step};
use jwtauth_core::internals::json::{self, Value};
use jwtauth_core::{Code, Error, Explain, Grant, Result, Stage, wire};

use crate::broken;
use crate::config::{ConfigArguments, TimeArguments, usage};
use crate::ending::{Ending, Misuse};
use crate::explain::configured;
use crate::files::Files;
use crate::request::{REQUEST_USAGE, RequestArguments};
use crate::screen::{self, BAD, GOOD, inline, line};

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

/// The reply as a list, with words in front of it. It is generic over the members, so that new members of the reply are
/// shown too.
pub(crate) fn describe_grant(words: &str, grant: &Grant, steps: &[Step]) -> String {
    let mut text = format!("{GOOD}{words}granted{GOOD:#}\n");
    let reply = wire::granted(grant);
    let Ok(Value::Object(reply)) = json::parse(&reply) else {
        return text;
    };
    for (name, value) in reply.members() {
        match (name, value) {
            ("outcome" | "claims", _) => {}
            ("identity", Value::Object(identity)) => {
                for (name, value) in identity.members().filter(|(_, value)| !is_empty(value)) {
                    line(&mut text, name, inline(value));
                }
            }
            ("entitlements", Value::Array(entitlements)) => list(&mut text, "", entitlements),
            ("revocations", Value::Array(revocations)) => list(&mut text, "not ", revocations),
            (name, value) if !is_empty(value) => line(&mut text, name, inline(value)),
            _ => {}
        }
    }
    let without_role = |step: &&Step| {
        matches!(step.check, Check::Role | Check::OrgRole) && step.outcome == Outcome::NotApplicable
    };
    for step in steps.iter().filter(without_role) {
        let place = configured(step).map_or(String::new(), |place| format!(" ({place})"));
        line(
            &mut text,
            "no role",
            format_args!("{}{place}", screen::printable(&step.text)),
        );
    }
    text
}

fn list(text: &mut String, before: &str, entitlements: &[Value<'_>]) {
    for entitlement in entitlements.iter().filter_map(Value::as_object) {
        let member = |name: &str| entitlement.get(name).map(inline);
        let mut what = member("name").unwrap_or_default();
        if let Some(scope) = member("scope") {
            let _ = write!(what, " in {scope}");
        }
        if let Some(variables) = member("variables") {
            let _ = write!(what, " with {variables}");
        }
        line(
            text,
            &format!("{before}{}", member("kind").unwrap_or_default()),
            what,
        );
    }
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
        line(&mut text, "passed", screen::printable(&step.text));
    }
    if let Some(claim) = error.claim() {
        line(&mut text, "claim", screen::printable(claim));
    }
    if let Some(detail) = error.detail() {
        line(&mut text, "detail", screen::printable(detail));
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

fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}
