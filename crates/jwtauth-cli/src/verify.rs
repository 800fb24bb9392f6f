//! `jwtauth verify`: decides about a token or a request.

use std::fmt::Write as _;
use std::net::IpAddr;

use clap::{ArgGroup, Args};
use jwtauth_core::internals::json::{self, Value};
use jwtauth_core::{Error, Grant, Request, Result, wire};

use crate::config::{ConfigArguments, TimeArguments, usage};
use crate::ending::{Ending, Misuse};
use crate::screen::{self, BAD, GOOD, inline, line};

/// The arguments of `verify`.
#[derive(Debug, Args)]
#[command(override_usage = usage("verify", "\n           <TOKEN|--header <NAME: VALUE>|--url <URL>>"))]
#[command(group = ArgGroup::new("request")
    .args(["token", "headers", "url"])
    .required(true)
    .multiple(true))]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,

    #[command(flatten)]
    time: TimeArguments,

    /// The profile to decide under (Vault: the role)
    #[arg(long, short, visible_alias = "role", value_name = "NAME")]
    profile: Option<String>,

    /// The address from which the request comes
    #[arg(long, value_name = "IP")]
    remote_addr: Option<IpAddr>,

    /// A header of the request; may be repeated
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,

    /// The URL or the path of the request, with its query
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// Print the reply as one line of JSON, the same as in every language
    #[arg(long)]
    json: bool,

    /// The token; `-` reads it from standard input, where other users of the machine cannot see it
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
}

/// Decides, and shows the reply.
///
/// # Errors
/// Standard input or output fails.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let token = match arguments.token.as_deref() {
        Some("-") if arguments.config.is_input() => {
            return Err(Misuse::new(
                "`-` is both the configuration and the token; standard input can be only one of them",
            ));
        }
        Some("-") => Some(token_from_input()?),
        other => other.map(str::to_owned),
    };
    let loaded = arguments.config.load(Some(&arguments.time))?;
    let outcome = loaded.and_then(|loaded| {
        let headers = arguments.headers.iter();
        let mut request = Request::headers(headers.map(|(name, value)| (name.as_str(), value.as_str())));
        if let Some(token) = &token {
            request = request.token(token);
        }
        if let Some(url) = &arguments.url {
            request = request.url(url);
        }
        if let Some(profile) = &arguments.profile {
            request = request.profile(profile);
        }
        if let Some(address) = arguments.remote_addr {
            request = request.remote_addr(address);
        }
        loaded.verifier.authenticate(&request)
    });
    let ending = outcome
        .as_ref()
        .map_or_else(|error| error.class().into(), |_| Ending::Well);
    match &outcome {
        _ if arguments.json => screen::show(&screen::reply(&wire::reply(&outcome)))?,
        Ok(grant) => screen::show(&describe_grant(grant))?,
        // There is no decision, so nothing is printed on standard output.
        Err(error) if ending == Ending::Misuse => screen::complain(error),
        Err(error) => screen::show(&describe_failure(error))?,
    }
    Ok(ending)
}

/// Reads a token from standard input, and removes the white space around it, for example the shell's line break.
///
/// # Errors
/// The error of the operating system.
pub(crate) fn token_from_input() -> Result<String, Misuse> {
    Ok(screen::input()?.trim_ascii().to_owned())
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim_ascii().is_empty() => {
            Ok((name.trim_ascii().to_owned(), value.trim_ascii().to_owned()))
        }
        _ => Err("expected 'Name: value'".to_owned()),
    }
}

/// The reply as a list. It is generic over the members, so that new members of the reply are shown too.
fn describe_grant(grant: &Grant) -> String {
    let mut text = format!("{GOOD}granted{GOOD:#}\n");
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

fn describe_failure(error: &Error) -> String {
    let mut text = format!(
        "{BAD}{}{BAD:#}  {}: {}\n",
        error.class().as_str(),
        error.code(),
        error.code().message()
    );
    if let Some(claim) = error.claim() {
        line(&mut text, "claim", screen::printable(claim));
    }
    if let Some(detail) = error.detail() {
        line(&mut text, "detail", screen::printable(detail));
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

fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}
