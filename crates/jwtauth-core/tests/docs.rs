//! The examples on the pages about configurations, requests and replies, run unchanged.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this is a test; clippy allows this only in functions marked as tests"
)]

use std::fs;
use std::path::Path;

use jwtauth_core::explain::Check;
use jwtauth_core::internals::json;
use jwtauth_core::{Explain, Verifier, wire};
use serde_json::Value;

#[test]
fn the_examples_of_the_json_contract_run() {
    let mut verifier = None;
    let mut reply = None;
    let mut explanation = None;
    let mut claims = None;
    let mut compared = 0;
    for (kind, text) in examples("wire-format.md") {
        let verifier_before = || {
            verifier
                .as_ref()
                .unwrap_or_else(|| panic!("there is no verifier before this example:\n{text}"))
        };
        let reply_text = match kind.as_str() {
            "verifier" => {
                verifier = Some(Verifier::from_json(&text).unwrap());
                continue;
            }
            "request" => {
                reply = Some(wire::reply(&wire::authenticate(verifier_before(), &text)));
                explanation = Some(wire::explain(verifier_before(), &text, Explain::default()));
                continue;
            }
            "reply" => reply
                .take()
                .unwrap_or_else(|| panic!("there is no request before this example:\n{text}")),
            "explanation" => {
                let explanation = explanation.take();
                compare_explanation(
                    &explanation
                        .unwrap_or_else(|| panic!("there is no request before this example:\n{text}")),
                    &text,
                );
                continue;
            }
            "claims" => {
                claims = Some(text);
                continue;
            }
            "dry-run" => {
                let claims = claims.take();
                let claims =
                    claims.unwrap_or_else(|| panic!("there are no claims before this example:\n{text}"));
                let tried = wire::dry_run(verifier_before(), &claims, "{}", None, Explain::default());
                compare_explanation(&tried, &text);
                continue;
            }
            "built" => wire::built(verifier_before()),
            "policy" => wire::policy(verifier_before()),
            _ => panic!("unknown kind of example: `{kind}`"),
        };
        assert_eq!(compact(&reply_text), compact(&text));
        compared += 1;
    }
    assert!(compared >= 5, "only {compared} replies were compared");
}

/// The decision, or that of a dry run, is the same, and the steps of the example are among those of the explanation, in this order.
fn compare_explanation(explanation: &str, example: &str) {
    let explanation: Value = serde_json::from_str(explanation).unwrap();
    let example: Value = serde_json::from_str(example).unwrap();
    for member in ["decision", "dry_run", "would", "hints"] {
        assert_eq!(explanation.get(member), example.get(member));
    }
    let steps = |explanation: &Value| explanation.get("steps").unwrap().as_array().unwrap().clone();
    let mut made = steps(&explanation).into_iter();
    for step in &steps(&example) {
        assert!(made.any(|made| made == *step), "{step}\n{explanation}");
    }
}

#[test]
fn every_check_of_an_explanation_is_documented() {
    let page = page("wire-format.md");
    for check in Check::ALL {
        let row = format!(
            "| `{}` | `{}` | {} |\n",
            check.as_str(),
            check.stage().as_str(),
            check.about()
        );
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn the_examples_of_the_native_configuration_are_read() {
    let mut base = None;
    let mut read = 0;
    for (kind, text) in examples("dialects/native.md") {
        let example: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
        let config = match kind.as_str() {
            "config" => {
                base.get_or_insert_with(|| example.clone());
                example
            }
            "members" => {
                let mut config = base
                    .clone()
                    .unwrap_or_else(|| panic!("there is no configuration before this example:\n{text}"));
                config.extend(example);
                config
            }
            _ => panic!("unknown kind of example: `{kind}`"),
        };
        let envelope = serde_json::json!({ "dialect": "native", "config": config });
        Verifier::from_json(&envelope.to_string()).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        read += 1;
    }
    assert!(read >= 9, "only {read} examples were read");
}

#[test]
fn every_member_of_the_native_configuration_is_documented() {
    let page = page("dialects/native.md");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialects/native");
    for name in [
        "every-axis",
        "usual",
        "profiles",
        "profile-required",
        "default-profile",
        "key-sources",
        "fetched-keys",
        "secrets",
        "issuers",
        "issuer-templates",
    ] {
        let config = fs::read_to_string(folder.join(name).with_extension("in.json")).unwrap();
        let config: Value = serde_json::from_str(&config).unwrap();
        undocumented(&config, &page, name);
    }
}

fn undocumented(value: &Value, page: &str, place: &str) {
    // Members whose members have names chosen by the operator, and members with any content.
    const NAMED: [&str; 7] = [
        "metadata",
        "lists",
        "forbidden_policies",
        "profiles",
        "variables",
        "issuers",
        "issuer_claims",
    ];
    const ANYTHING: [&str; 3] = ["jwk", "jwks", "equals"];
    match value {
        Value::Array(items) => items.iter().for_each(|item| undocumented(item, page, place)),
        Value::Object(members) => {
            for (name, value) in members {
                assert!(
                    page.contains(&format!("`{name}`")),
                    "`{name}` of {place} is not documented"
                );
                match value {
                    _ if ANYTHING.contains(&name.as_str()) => {}
                    Value::Object(named) if NAMED.contains(&name.as_str()) => {
                        named.values().for_each(|value| undocumented(value, page, place));
                    }
                    value => undocumented(value, page, place),
                }
            }
        }
        _ => {}
    }
}

/// Returns the examples of a page: the kind, which is after `json` on the fence, and the text between the fences.
fn examples(name: &str) -> Vec<(String, String)> {
    let page = page(name);
    let blocks = page.split("```json").skip(1);
    let example = |block: &str| {
        let (kind, rest) = block.split_once('\n').unwrap();
        let (text, _) = rest.split_once("```").unwrap();
        (kind.trim().to_owned(), text.to_owned())
    };
    blocks.map(example).collect()
}

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Removes white space and keeps the order of the members.
fn compact(text: &str) -> String {
    serde_json::to_string(&json::parse(text).unwrap_or_else(|why| panic!("{why}:\n{text}"))).unwrap()
}
