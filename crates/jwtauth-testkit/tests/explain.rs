//! Explanations of every conformance case.

#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use jwtauth_core::explain::Check;
use jwtauth_core::{Error, Explain, Verifier, wire};
use jwtauth_testkit::{flatten, runner, suite};
use serde_json::Value;

/// A conformance case, decided and explained.
struct Explained {
    name: String,
    request: String,
    denied: Option<Error>,
    reply: String,
    /// The explanation without values, and with them.
    shapes: String,
    values: String,
}

/// Each case that has a verifier, explained once for all tests.
static CASES: LazyLock<Vec<Explained>> = LazyLock::new(|| {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("explained");
    flatten::suite(&suite(), &directory).unwrap();
    let mut cases = Vec::new();
    for name in runner::index(&directory).unwrap() {
        let read = |file: &str| fs::read_to_string(directory.join(&name).join(file)).unwrap();
        let Ok(verifier) = Verifier::from_json(&read("verifier.json")) else {
            continue;
        };
        let request = read("request.json");
        let outcome = wire::authenticate(&verifier, &request);
        let explain = |show_values| wire::explain(&verifier, &request, Explain { show_values });
        cases.push(Explained {
            reply: wire::reply(&outcome),
            shapes: explain(false),
            values: explain(true),
            denied: outcome.err(),
            name,
            request,
        });
    }
    cases
});

fn steps(explanation: &str) -> Vec<Value> {
    let explanation: Value = serde_json::from_str(explanation).unwrap();
    explanation.get("steps").unwrap().as_array().unwrap().clone()
}

fn text_of<'s>(step: &'s Value, member: &str) -> &'s str {
    step.get(member).unwrap().as_str().unwrap()
}

fn is(step: &Value, member: &str, text: &str) -> bool {
    text_of(step, member) == text
}

fn is_marked(step: &Value, mark: &str) -> bool {
    step.get(mark).is_some_and(|mark| mark.as_bool().unwrap())
}

/// Whether the check reads the claims. The issuer may decide the profile.
fn is_of_claims(step: &Value) -> bool {
    let of_claims = ["validate_claims", "map_identity", "decide"];
    of_claims.contains(&text_of(step, "stage")) || is(step, "check", "profile")
}

#[test]
fn an_explanation_agrees_with_the_decision_of_every_case() {
    let (mut made, mut informed) = (BTreeSet::new(), 0);
    for case in CASES.iter() {
        let (name, json) = (&case.name, &case.shapes);
        let start = format!("{{\"decision\":{},\"steps\":[", case.reply);
        assert!(json.starts_with(&start), "{name}: {}\n{json}", case.reply);
        let steps = steps(json);
        let failed = steps.iter().position(|step| is(step, "outcome", "failed"));
        let before = failed.unwrap_or(steps.len());
        for (index, step) in steps.iter().enumerate() {
            assert!(!text_of(step, "text").is_empty(), "{name}: {step}");
            let is_expected = if index < before {
                is(step, "outcome", "passed") || is(step, "outcome", "not_applicable")
            } else {
                // Every mapping is made before the first failure is reported.
                index == before
                    || is_marked(step, "informative") != is(step, "outcome", "not_reached")
                    || is(step, "check", "metadata")
            };
            assert!(is_expected, "{name}: {step}\n{json}");
            assert!(
                index > before || !is_marked(step, "informative"),
                "{name}: {step}"
            );
            if !is(step, "outcome", "not_reached") {
                made.insert(text_of(step, "check").to_owned());
            }
        }
        let is_signed = steps
            .iter()
            .any(|step| is(step, "check", "signature") && is(step, "outcome", "passed"));
        for step in &steps {
            let reads_claims =
                is_marked(step, "informative") && is_of_claims(step) || is(step, "check", "claims_shape");
            assert_eq!(
                is_marked(step, "unverified"),
                reads_claims && !is_signed,
                "{name}: {step}"
            );
            informed += usize::from(is_marked(step, "informative"));
        }
        let stage = failed.map(|index| text_of(steps.get(index).unwrap(), "stage"));
        let expected = case.denied.as_ref().map(|error| error.stage().as_str());
        assert_eq!(stage, expected, "{name}: {}\n{json}", case.reply);
    }
    assert!(CASES.len() > 900, "only {} cases were explained", CASES.len());
    assert!(informed > 2000, "only {informed} checks were made to inform");
    let never: Vec<_> = Check::ALL
        .iter()
        .filter(|check| !made.contains(check.as_str()))
        .collect();
    assert!(never.is_empty(), "no case makes these checks: {never:?}");
}

#[test]
fn values_are_shown_only_on_demand_and_a_signature_never() {
    let values = |steps: &[Value]| {
        let parts = steps
            .iter()
            .filter_map(|step| step.get("parts")?.as_array())
            .flatten();
        let value = |seen: &&Value| seen.pointer("/seen/value").is_some();
        steps.iter().chain(parts).filter(value).count()
    };
    let mut shown = 0;
    for case in CASES.iter() {
        let (shapes, all) = (steps(&case.shapes), steps(&case.values));
        assert_eq!(values(&shapes), 0, "{}: {}", case.name, case.shapes);
        assert_eq!(shapes.len(), all.len(), "{}", case.name);
        shown += values(&all);
        let text = Value::from(all).to_string();
        for signature in signatures(&case.request) {
            assert!(!text.contains(&signature), "{}: {text}", case.name);
        }
    }
    assert!(shown > 1000, "only {shown} values were shown");
}

/// The third parts of what looks like a token in a request.
fn signatures(request: &str) -> Vec<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let words = request.split(|letter| !is_part(letter));
    let parts = words.filter_map(|word| word.splitn(3, '.').nth(2));
    parts.filter(|part| part.len() > 40).map(str::to_owned).collect()
}
