//! Expressions that are tried on claims, without a place in a configuration.
//!
//! They have the limits of expressions in a configuration. A selector is tried by the pipeline itself: as the only rule
//! of a small policy, in a dry run.

use std::collections::BTreeMap;
use std::time::Duration;

use jwtauth_core::explain::Part;
use jwtauth_core::internals::Claims;
use jwtauth_core::internals::expr::{Document, JmesPath};
use jwtauth_core::internals::json::Value;
use jwtauth_core::{EntitlementKind, Error, Explain, NumericDate, Request, Verifier};
use serde::Serialize;

use crate::screen;

/// What an expression gave.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tried {
    /// The value of an expression, as indented JSON.
    Value(String),
    /// Whether a selector selects the caller, and what it could test.
    Selected(Selected),
    /// Why there is no value.
    Error(String),
}

/// The result of a selector.
#[derive(Serialize)]
pub(super) struct Selected {
    selects: bool,
    /// One sentence about it.
    text: String,
    /// What became of each part of the selector.
    parts: Vec<Part>,
    values: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<String>>,
}

/// Evaluates a JMESPath expression over claims.
pub(super) fn jmespath(text: &str, claims: &str) -> Tried {
    let tried = || {
        let expression = JmesPath::parse(text).map_err(|why| reason(&why))?;
        let claims = Claims::parse(claims).map_err(|why| reason(&why))?;
        let value = expression.evaluate(&Document::new(claims));
        let value = value.map_err(|why| why.to_string())?;
        Ok(screen::pretty(&value))
    };
    tried().map_or_else(Tried::Error, Tried::Value)
}

/// Tests a selector over the values and lists that a configuration maps. A configuration that maps none, and an invalid
/// one, count as if each claim were mapped to its own name.
pub(super) fn selector(text: &str, claims: &str, policy: Option<&str>, profile: Option<&str>) -> Tried {
    let tried = || {
        let document = Claims::parse(claims).map_err(|why| reason(&why))?;
        let mapped = policy.and_then(|policy| mapped(policy, profile));
        let mapped = mapped.unwrap_or_else(|| every(&document));
        let config = config(text, &mapped, &audiences(&document));
        let verifier =
            Verifier::from_json(&config.to_string()).map_err(|why| without_place(&reason(&why)))?;
        let tried = verifier.dry_run(
            claims,
            &Request::default(),
            Some(within(&document)),
            Explain::default(),
        );
        let grant = tried.would.map_err(|why| reason(&why))?;
        let selects = grant.has(EntitlementKind::Role, SELECTED);
        let rule = tried.steps.iter().find(|step| step.check.as_str() == "binding");
        Ok(Selected {
            selects,
            text: match rule {
                Some(rule) if !selects => rule.text.clone(),
                _ => "the selector selects the caller".to_owned(),
            },
            parts: rule.map(|rule| rule.parts.clone()).unwrap_or_default(),
            values: grant.identity.metadata,
            lists: grant.identity.lists,
        })
    };
    tried().map_or_else(Tried::Error, Tried::Selected)
}

/// A configuration with the selector as a rule, and a rule that always gives something.
fn config(selector: &str, mapped: &serde_json::Value, audiences: &[&str]) -> serde_json::Value {
    let mapped = |member: &str| mapped.get(member).cloned().unwrap_or_default();
    serde_json::json!({
        "dialect": "native",
        "config": {
            // No token is verified with it.
            "keys": [{ "secret": "bm8gc2VjcmV0OiBub3RoaW5nIGlzIHNpZ25lZCB3aXRoIGl0" }],
            "algorithms": ["HS256"],
            "audiences": audiences,
            "required_claims": [],
            "identity": {
                "name": null, "named": "optional", "metadata": mapped("metadata"), "lists": mapped("lists"),
            },
            "bindings": { "rules": [
                { "bind": "role", "name": SELECTED, "selector": selector },
                { "bind": "role", "name": "every" },
            ] },
        },
    })
}

/// The mappings of a policy that [`wire::policy`](jwtauth_core::wire::policy) printed.
fn mapped(policy: &str, profile: Option<&str>) -> Option<serde_json::Value> {
    let policy: serde_json::Value = serde_json::from_str(policy).ok()?;
    let config = policy.get("config")?;
    let default = config.get("default_profile").and_then(serde_json::Value::as_str);
    let profile = profile
        .or(default)
        .and_then(|name| config.get("profiles")?.get(name));
    let identity = profile.and_then(|profile| profile.get("identity"));
    let identity = identity.or_else(|| config.get("identity"))?;
    let member = |name: &str| {
        identity
            .get(name)
            .cloned()
            .unwrap_or_else(|| serde_json::json!({}))
    };
    let (metadata, lists) = (member("metadata"), member("lists"));
    let is_empty = |value: &serde_json::Value| value.as_object().is_none_or(serde_json::Map::is_empty);
    if is_empty(&metadata) && is_empty(&lists) {
        return None;
    }
    Some(serde_json::json!({ "metadata": metadata, "lists": lists }))
}

/// Each claim under its own name: lists as lists, and texts, numbers and truth values as values.
fn every(claims: &Claims<'_>) -> serde_json::Value {
    let mut metadata = serde_json::Map::new();
    let mut lists = serde_json::Map::new();
    for (name, value) in claims.members().members() {
        match value {
            Value::Array(_) => {
                let rule = serde_json::json!({ "claim": name, "text": "scalars", "other": "omit" });
                lists.insert(name.to_owned(), rule);
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                let rule = serde_json::json!({ "claim": name, "text": "scalars", "other": "omit" });
                metadata.insert(name.to_owned(), rule);
            }
            Value::Object(_) | Value::Null => {}
        }
    }
    serde_json::json!({ "metadata": metadata, "lists": lists })
}

/// The audiences of the claims. All of them are accepted.
fn audiences<'c>(claims: &'c Claims<'_>) -> Vec<&'c str> {
    let audiences = match claims.get("aud") {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    audiences
        .iter()
        .filter_map(Value::as_str)
        .filter(|text| !text.is_empty())
        .collect()
}

/// A time at which the claims are valid, so that an expired token does not hide the result.
fn within(claims: &Claims<'_>) -> NumericDate {
    let time = |name: &str| match claims.get(name) {
        Some(Value::Number(number)) => NumericDate::from_number(*number),
        _ => None,
    };
    let start = ["nbf", "iat"].into_iter().filter_map(time).max();
    let end = || time("exp").map(|exp| exp.minus(Duration::from_secs(1)));
    start.or_else(end).unwrap_or(NumericDate::from_seconds(0))
}

/// The text of an error, without its code.
fn reason(error: &Error) -> String {
    error
        .detail()
        .unwrap_or_else(|| error.code().message())
        .to_owned()
}

/// The text without the place of the small policy in front of it.
fn without_place(text: &str) -> String {
    let rest = text
        .split_once(": ")
        .filter(|(place, _)| place.starts_with("`bindings."));
    rest.map_or(text, |(_, rest)| rest).to_owned()
}

/// The name that the rule of the selector gives.
const SELECTED: &str = "selected";
