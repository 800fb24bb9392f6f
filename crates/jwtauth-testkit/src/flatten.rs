//! Described cases → files that any language can read.

use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use jwtauth_core::{Code, Error, Grant, Verifier, wire};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::case::{self, Case, Description, Expect, Place, Topic};
use crate::keys::Keyring;
use crate::layout::{TOKEN, place, put, write};
use crate::reference::References;
use crate::{Context, Result, expect, layout, mint, token_cache};

/// The result of a flattening.
#[derive(Debug, Default)]
pub struct Report {
    /// The number of cases of each topic.
    pub topics: BTreeMap<String, usize>,
    /// The cases in which the Rust core differs from the expected outcome, each with the difference.
    pub contradictions: Vec<String>,
}

impl Report {
    /// Adds the result of another flattening.
    pub fn add(&mut self, other: Report) {
        self.topics.extend(other.topics);
        self.contradictions.extend(other.contradictions);
    }

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
    for topic in case::topics::<Topic>(from)? {
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
    layout::files(&case.files, directory, &references)?;
    let description = case.token.over(&topic.token);
    let token = if case.no_token {
        None
    } else {
        Some(mint::token(&description, ring)?)
    };
    let (patch, raw) = (case.verifier.as_ref(), case.raw_verifier.as_ref());
    let verifier = layout::envelope(&topic.verifier, patch, raw, &references)?;
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
        .or_else(|| expect::broken(&reply))
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
    write(&directory.join("verifier.json"), &verifier)?;
    if is_built {
        let text = with_token_cache(&verifier)?;
        write(&directory.join("verifier-with-cache.json"), &text)?;
    }
    write(&directory.join("request.json"), &request)?;
    write(&directory.join("expect.json"), &expected)?;
    Ok(difference)
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

/// How an outcome differs from the expected one; `None` if it does not differ.
fn difference(wanted: &Expect, outcome: &jwtauth_core::Result<Grant>, reply: &str) -> Option<String> {
    let actual: Map<String, Value> = match serde_json::from_str(reply) {
        Ok(actual) => actual,
        // Claims may contain values that this reader refuses and the core accepts; the outcome is still compared.
        Err(_) if outcome.is_ok() => Map::from_iter([("outcome".to_owned(), "granted".into())]),
        Err(why) => return Some(format!("the reply is not JSON: {why}")),
    };
    expect::difference(&wanted.0, &actual)
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
    expect::leaks(reply, parts.chain(ring.secrets()))
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
