//! Described cases → files that any language can read.

use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use jwtauth_core::{Code, Error, Grant, Verifier, wire};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::case::{self, Case, Description, Expect, Place, Topic, merge};
use crate::keys::Keyring;
use crate::reference::References;
use crate::{Context, Result, mint, token_cache};

/// The result of a flattening.
#[derive(Debug, Default)]
pub struct Report {
    /// The number of cases of each topic.
    pub topics: BTreeMap<String, usize>,
    /// The cases in which the Rust core differs from the expected outcome, each with the difference.
    pub contradictions: Vec<String>,
}

impl Report {
    /// The number of all cases.
    pub fn cases(&self) -> usize {
        self.topics.values().sum()
    }
}

/// Writes every case of a suite into a directory, which is created again.
///
/// # Errors
/// A topic that cannot be read, or a case that cannot be created. A case that the core decides otherwise than expected
/// is not an error here: it is written so that it fails in every language, and reported.
pub fn suite(from: &Path, to: &Path) -> Result<Report> {
    let ring = Keyring::load()?;
    if to.exists() {
        fs::remove_dir_all(to).context(to.display())?;
    }
    fs::create_dir_all(to).context(to.display())?;
    let to = to.canonicalize().context(to.display())?;

    let mut report = Report::default();
    let mut index = Vec::new();
    for topic in case::topics(from)? {
        for case in &topic.cases {
            let line = format!("{}/{}", topic.topic, case.slug());
            let contradiction = lay_out(&topic, case, &to.join(&line), &ring).context(&line)?;
            report
                .contradictions
                .extend(contradiction.map(|difference| format!("{line}: {difference}")));
            index.push(line);
        }
        report.topics.insert(topic.topic, topic.cases.len());
    }
    index.sort();
    write(&to.join("index.txt"), &(index.join("\n") + "\n"))?;
    Ok(report)
}

/// Writes one case; returns how the core's outcome differs from the expected one.
fn lay_out(topic: &Topic, case: &Case, directory: &Path, ring: &Keyring) -> Result<Option<String>> {
    fs::create_dir_all(directory).context(directory.display())?;
    let references = References::new(ring, Some(directory));
    for (name, content) in &case.files {
        let mut content = content.clone();
        references.replace(&mut content)?;
        let text = match content {
            Value::String(text) => text,
            other => other.to_string(),
        };
        write(&directory.join(name), &text)?;
    }
    let description = case.token.over(&topic.token);
    let token = if case.no_token {
        None
    } else {
        Some(mint::token(&description, ring)?)
    };
    let verifier = verifier(topic, case, &references)?;
    let request = request(case, &description, token.as_deref())?;

    let decide = || match Verifier::from_json(&verifier) {
        Ok(verifier) => (true, wire::authenticate(&verifier, &request)),
        Err(why) => (false, Err(why)),
    };
    let (is_built, outcome) = catch_unwind(decide).unwrap_or_else(|_| {
        let panicked = Error::new(Code::InternalError).with_detail("the core panicked");
        (false, Err(panicked))
    });
    let reply = wire::reply(&outcome);
    let difference = difference(&case.expect, &outcome, &reply)
        .or_else(|| broken(&reply))
        .or_else(|| leak(&outcome, &reply, token.as_deref(), ring));
    let expected = match (&difference, &outcome) {
        (None, Ok(_)) => reply,
        (None, Err(error)) => failure(error).to_string(),
        // A reply cannot equal this, so a case that the core decides wrongly fails in every language.
        (Some(_), _) => json!({
            "outcome": "failed", "class": "conformance", "code": "expectation_contradicted",
            "expected": case.expect.0,
        })
        .to_string(),
    };
    if verifier.contains('\0') || request.contains('\0') {
        return Err("a text for C cannot hold a NUL; the core's own tests can".to_owned());
    }
    write(&directory.join("verifier.json"), &verifier)?;
    if is_built {
        let text = with_token_cache(&verifier)?;
        write(&directory.join("verifier-with-cache.json"), &text)?;
    }
    write(&directory.join("request.json"), &request)?;
    write(&directory.join("expect.json"), &expected)?;
    Ok(difference)
}

fn verifier(topic: &Topic, case: &Case, references: &References<'_>) -> Result<String> {
    if let Some(raw) = &case.raw_verifier {
        return references.replace_in_text(&raw.to_text());
    }
    let mut envelope = topic.verifier.clone();
    if let Some(patch) = &case.verifier {
        merge(&mut envelope, patch);
    }
    references.replace(&mut envelope)?;
    Ok(envelope.to_string())
}

/// Adds the option `token_cache` to a valid envelope. All other texts in it stay as they are.
fn with_token_cache(envelope: &str) -> Result<String> {
    type Members = BTreeMap<String, Box<RawValue>>;
    let mut members: Members = serde_json::from_str(envelope).context("the envelope")?;
    let options = members.get("options").map_or("{}", |options| options.get());
    let mut options: Members = serde_json::from_str(options).context("the options")?;
    let cache = to_raw_value(&token_cache()).context("the limits")?;
    options.insert("token_cache".to_owned(), cache);
    let options = to_raw_value(&options).context("the options")?;
    members.insert("options".to_owned(), options);
    serde_json::to_string(&members).context("the envelope")
}

fn request(case: &Case, description: &Description, token: Option<&str>) -> Result<String> {
    let text = token.unwrap_or_default();
    if let Some(raw) = &case.raw_request {
        return Ok(raw.to_text().replace(TOKEN, text));
    }
    let mut request = Value::Object(case.request.clone().unwrap_or_default());
    let Some(token) = token else {
        return Ok(request.to_string());
    };
    if put(&mut request, token) == 0 {
        place(
            &mut request,
            token,
            description.place.as_ref().unwrap_or(&Place::default()),
        )?;
    }
    Ok(request.to_string())
}

/// Puts the token into every string of the request that contains the placeholder; returns the number of strings.
fn put(request: &mut Value, token: &str) -> usize {
    match request {
        Value::String(text) if text.contains(TOKEN) => {
            *text = text.replace(TOKEN, token);
            1
        }
        Value::Array(items) => items.iter_mut().map(|item| put(item, token)).sum(),
        Value::Object(members) => members.values_mut().map(|value| put(value, token)).sum(),
        _ => 0,
    }
}

fn place(request: &mut Value, token: &str, place: &Place) -> Result<()> {
    let members = request.as_object_mut().context("a request is an object")?;
    match (&place.header, &place.query) {
        (Some(header), _) => {
            let headers = members.entry("headers").or_insert_with(|| json!({}));
            let headers = headers.as_object_mut().context("`headers` is an object")?;
            headers.insert(header.clone(), format!("{}{token}", place.prefix).into());
        }
        (None, Some(parameter)) => {
            let url = members.get("url").and_then(Value::as_str).unwrap_or("/");
            let joint = if url.contains('?') { '&' } else { '?' };
            let url = format!("{url}{joint}{parameter}={token}");
            members.insert("url".to_owned(), url.into());
        }
        (None, None) => {
            members.insert("token".to_owned(), token.into());
        }
    }
    Ok(())
}

/// How an outcome differs from the expected one; `None` if it does not differ.
fn difference(expect: &Expect, outcome: &jwtauth_core::Result<Grant>, reply: &str) -> Option<String> {
    let actual: Map<String, Value> = match serde_json::from_str(reply) {
        Ok(actual) => actual,
        // Claims may contain values that this reader refuses and the core accepts; the outcome is still compared.
        Err(_) if outcome.is_ok() => Map::from_iter([("outcome".to_owned(), "granted".into())]),
        Err(why) => return Some(format!("the reply is not JSON: {why}")),
    };
    let wanted = &expect.0;
    let granted = wanted.get("outcome") == Some(&"granted".into());
    if granted == wanted.contains_key("code") {
        return Some("the case expects neither a grant nor a code, or both".to_owned());
    }
    if granted != outcome.is_ok() {
        return Some(format!("got {}", summary(&actual)));
    }
    wanted.iter().find_map(|(name, wanted)| {
        let got = actual.get(name);
        let fits = match (name.as_str(), got) {
            // A detail is for people and may contain more than a case tests.
            ("detail", Some(got)) => {
                let (got, wanted) = (got.as_str()?, wanted.as_str()?);
                got.contains(wanted)
            }
            (_, Some(got)) => is_part_of(wanted, got),
            (_, None) => wanted.is_null(),
        };
        let absent = Value::Null;
        (!fits).then(|| {
            let got = got.unwrap_or(&absent);
            format!("`{name}` is {got} and not {wanted}; got {}", summary(&actual))
        })
    })
}

/// Whether every member of an expected object is in the other one; lists and scalars must be equal.
fn is_part_of(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            wanted.iter().all(|(name, wanted)| match got.get(name) {
                Some(got) => is_part_of(wanted, got),
                None => wanted.is_null(),
            })
        }
        (Value::Array(wanted), Value::Array(got)) => {
            wanted.len() == got.len()
                && wanted
                    .iter()
                    .zip(got)
                    .all(|(wanted, got)| is_part_of(wanted, got))
        }
        (wanted, got) => wanted == got,
    }
}

fn summary(reply: &Map<String, Value>) -> String {
    let member = |name: &str| reply.get(name).and_then(Value::as_str).unwrap_or("-");
    match member("outcome") {
        "failed" => format!("{} ({}): {}", member("code"), member("claim"), member("detail")),
        outcome => outcome.to_owned(),
    }
}

/// Whether a reader in any language would read a reply as several lines.
fn broken(reply: &str) -> Option<String> {
    let is_break =
        |letter| matches!(letter, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    reply
        .contains(is_break)
        .then(|| "the reply is not one line".to_owned())
}

/// Whether a failure's text contains a part of the token or a secret, which must never happen.
fn leak(
    outcome: &jwtauth_core::Result<Grant>,
    reply: &str,
    token: Option<&str>,
    ring: &Keyring,
) -> Option<String> {
    outcome.as_ref().err()?;
    let parts = token.unwrap_or_default().split('.').map(str::to_owned);
    parts
        .chain(ring.secrets())
        .filter(|part| part.len() >= TELLING)
        .any(|part| reply.contains(&part))
        .then(|| "the failure's text contains a part of the token, or a secret".to_owned())
}

fn failure(error: &Error) -> Value {
    let mut members = json!({
        "outcome": "failed", "class": error.class().as_str(), "code": error.code().as_str(),
    });
    if let (Some(claim), Some(members)) = (error.claim(), members.as_object_mut()) {
        members.insert("claim".to_owned(), claim.into());
    }
    members
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).context(path.display())
}

/// The placeholder of the token in a request.
const TOKEN: &str = "@token";
/// A shorter text may be in a message by chance.
const TELLING: usize = 12;
