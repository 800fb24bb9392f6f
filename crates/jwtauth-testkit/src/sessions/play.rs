//! From described steps to requests, and what must hold for their replies.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::case::{Request, Step, Topic};
use super::verb::Verb;
use crate::case::{Description, merge};
use crate::keys::Keyring;
use crate::layout::{TOKEN, envelope, place, put};
use crate::reference::References;
use crate::{Context, Result, expect, mint};

/// The steps of a case so far.
#[derive(Debug)]
pub(super) struct Play<'t> {
    topic: &'t Topic,
    ring: &'t Keyring,
    references: References<'t>,
    /// The configuration of the current sessions, with its references.
    config: Value,
    /// The configuration that a reload asks for.
    next: Option<Value>,
    saved: BTreeMap<String, Value>,
    /// Tokens and accessors of sessions. They are only in replies to a login or a renewal.
    issued: HashSet<String>,
    /// Parts of JWTs, and test keys. They are in no reply.
    hidden: HashSet<String>,
}

impl<'t> Play<'t> {
    pub(super) fn new(
        topic: &'t Topic,
        config: Value,
        ring: &'t Keyring,
        references: References<'t>,
    ) -> Play<'t> {
        Play {
            topic,
            ring,
            references,
            config,
            next: None,
            saved: BTreeMap::new(),
            issued: HashSet::new(),
            hidden: ring.secrets().collect(),
        }
    }

    /// The text of a step's request.
    pub(super) fn request(&mut self, step: &Step) -> Result<String> {
        match (&step.request, step.verb) {
            (Request::Text(text), Verb::Reload) => self.references.replace_in_text(&text.to_text()),
            (Request::Text(text), _) => {
                let text = self.filled(&text.to_text())?;
                if step.verb == Verb::Login && text.contains(TOKEN) {
                    let topic = self.topic;
                    let token = self.jwt(&topic.token)?;
                    return Ok(text.replace(TOKEN, &token));
                }
                Ok(text)
            }
            (Request::Members(members), Verb::Sweep) => {
                if members.is_empty() {
                    Ok(String::new())
                } else {
                    Err("the request of a `sweep` has no members".to_owned())
                }
            }
            (Request::Members(patch), Verb::Reload) => {
                let mut next = self.config.clone();
                merge(&mut next, &Value::Object(patch.clone()));
                let text = envelope(&next, None, None, &self.references)?;
                self.next = Some(next);
                Ok(text)
            }
            (Request::Members(members), Verb::Login) => self.login(members),
            (Request::Members(members), _) => {
                let mut request = Value::Object(members.clone());
                self.fill(&mut request)?;
                Ok(request.to_string())
            }
        }
    }

    /// A request with a JWT, unless its member `token` is a text or `null`.
    fn login(&mut self, members: &Map<String, Value>) -> Result<String> {
        let mut members = members.clone();
        let patch = match members.get("token") {
            Some(Value::Object(_)) | None => members.remove("token"),
            Some(Value::Null) => {
                members.remove("token");
                return self.without_jwt(members);
            }
            Some(_) => return self.without_jwt(members),
        };
        let patch = patch.map(serde_json::from_value::<Description>).transpose();
        let patch = patch.context("the description of the token")?;
        let description = patch.unwrap_or_default().over(&self.topic.token);
        let jwt = self.jwt(&description)?;
        let mut request = Value::Object(members);
        self.fill(&mut request)?;
        if put(&mut request, &jwt) == 0 {
            place(&mut request, &jwt, &description.place.unwrap_or_default())?;
        }
        Ok(request.to_string())
    }

    fn without_jwt(&self, members: Map<String, Value>) -> Result<String> {
        let mut request = Value::Object(members);
        self.fill(&mut request)?;
        Ok(request.to_string())
    }

    fn jwt(&mut self, description: &Description) -> Result<String> {
        let jwt = mint::token(description, self.ring)?;
        self.hidden.extend(jwt.split('.').map(str::to_owned));
        Ok(jwt)
    }

    /// Takes note of a reply. Returns how it differs from what is expected, or what is wrong with it.
    pub(super) fn reply(&mut self, step: &Step, request: &str, reply: &str) -> Result<Option<String>> {
        let Ok(actual) = serde_json::from_str::<Map<String, Value>>(reply) else {
            return Ok(Some("the reply is not an object of JSON".to_owned()));
        };
        let succeeded = actual.get("outcome").is_some_and(|outcome| outcome != "failed");
        let issues = succeeded && matches!(step.verb, Verb::Login | Verb::Renew);
        if issues {
            let given = ["token", "accessor"].map(|name| actual.get(name).and_then(Value::as_str));
            self.issued.extend(given.into_iter().flatten().map(str::to_owned));
        }
        if let Some(next) = self.next.take().filter(|_| succeeded) {
            self.config = next;
        }
        let mut wanted = match &step.expect {
            Some(wanted) => Value::Object(wanted.0.clone()),
            None => serde_json::json!({ "outcome": step.verb.outcome() }),
        };
        if let Some(name) = &step.save {
            self.saved.insert(name.clone(), Value::Object(actual.clone()));
        }
        self.expect(&mut wanted)?;
        let wanted = wanted.as_object().context("`expect` is an object")?;
        let leak = || self.leak(issues, succeeded, request, &actual, reply);
        Ok(expect::difference(wanted, &actual)
            .or_else(|| expect::broken(reply))
            .or_else(leak))
    }

    /// Whether a reply contains what it must not.
    fn leak(
        &self,
        issues: bool,
        succeeded: bool,
        request: &str,
        actual: &Map<String, Value>,
        reply: &str,
    ) -> Option<String> {
        if expect::leaks(reply, self.hidden.iter()) {
            return Some("the reply contains a part of a JWT, or a secret".to_owned());
        }
        // Only these members of a login and of a renewal contain the token.
        let about = match actual.get("session").filter(|_| issues) {
            Some(session) => session.to_string(),
            None => reply.to_owned(),
        };
        if expect::leaks(&about, self.issued.iter()) {
            return Some("the reply contains a token or an accessor of a session".to_owned());
        }
        let mut values = HashSet::new();
        if !succeeded && let Ok(request) = serde_json::from_str(request) {
            values_of(&request, &mut values);
        }
        expect::leaks(reply, values.iter())
            .then(|| "the failure's text contains a value of the request".to_owned())
    }

    /// Replaces `@token:NAME` and `@accessor:NAME` in every text of a request.
    fn fill(&self, request: &mut Value) -> Result<()> {
        match request {
            Value::String(text) => *text = self.filled(text)?,
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.fill(item))?,
            Value::Object(members) => members.values_mut().try_for_each(|value| self.fill(value))?,
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Ok(())
    }

    /// Replaces these, and a whole text `@reply:NAME:POINTER` by that value of the reply.
    fn expect(&self, wanted: &mut Value) -> Result<()> {
        match wanted {
            Value::String(text) => {
                if let Some(reference) = text.strip_prefix("@reply:") {
                    let (name, pointer) = reference.split_once(':').context("`@reply:NAME:POINTER`")?;
                    let value = self.saved(name)?.pointer(pointer);
                    *wanted = value.context(format!("`{text}` is absent"))?.clone();
                } else {
                    *text = self.filled(text)?;
                }
            }
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.expect(item))?,
            Value::Object(members) => members.values_mut().try_for_each(|value| self.expect(value))?,
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Ok(())
    }

    fn filled(&self, text: &str) -> Result<String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('@') {
            filled.push_str(before);
            let kinds = [("token", "token:"), ("accessor", "accessor:")];
            let found = kinds
                .iter()
                .find_map(|(member, kind)| Some((member, after.strip_prefix(*kind)?)));
            let Some((member, after)) = found else {
                filled.push('@');
                rest = after;
                continue;
            };
            let end = after.find(|letter: char| !letter.is_ascii_alphanumeric());
            let (name, after) = after.split_at(end.unwrap_or(after.len()));
            let value = self.saved(name)?.get(*member).and_then(Value::as_str);
            filled.push_str(value.context(format!("the reply `{name}` has no {member}"))?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn saved(&self, name: &str) -> Result<&Value> {
        self.saved.get(name).context(format!("no step saves `{name}`"))
    }
}

/// The texts in a request, except the names of profiles, which failures may name.
fn values_of(request: &Value, values: &mut HashSet<String>) {
    match request {
        Value::String(text) => {
            values.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| values_of(item, values)),
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| *name != "profile");
            members.for_each(|(_, value)| values_of(value, values));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
