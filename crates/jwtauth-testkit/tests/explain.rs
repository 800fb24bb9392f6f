//! Explanations of every conformance case.

#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use jwtauth_core::explain::{Check, Explain, Outcome};
use jwtauth_core::{Code, Verifier, wire};
use jwtauth_testkit::{flatten, runner, suite};
use serde_json::Value;

const SHAPES: Explain = Explain { show_values: false };

/// The name, the verifier and the request of each case that has a verifier, written once for all tests.
static CASES: LazyLock<Vec<(String, Verifier, String)>> = LazyLock::new(|| {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("explained");
    flatten::suite(&suite(), &directory).unwrap();
    let mut cases = Vec::new();
    for line in runner::index(&directory).unwrap() {
        let read = |name: &str| fs::read_to_string(directory.join(&line).join(name)).unwrap();
        if let Ok(verifier) = Verifier::from_json(&read("verifier.json")) {
            let request = read("request.json");
            cases.push((line, verifier, request));
        }
    }
    cases
});

#[test]
fn an_explanation_agrees_with_the_decision_of_every_case() {
    let mut made = BTreeSet::new();
    let mut failed = BTreeSet::new();
    let mut decided = 0;
    for (line, verifier, request) in CASES.iter() {
        let outcome = wire::authenticate(verifier, request);
        let reply = wire::reply(&outcome);
        let json = wire::explain(verifier, request, SHAPES);
        assert!(
            json.starts_with(&format!("{{\"decision\":{reply},\"steps\":[")),
            "{line}: {reply}\n{json}"
        );
        let explained = wire::request(request, |request| Ok(verifier.explain(&request, SHAPES)));
        let Ok(explanation) = explained else {
            assert_eq!(outcome.unwrap_err().code(), Code::RequestInvalid, "{line}");
            continue;
        };
        let steps = &explanation.steps;
        assert!(steps.iter().all(|step| !step.text.is_empty()), "{line}\n{json}");
        match &outcome {
            Ok(_) => {
                let other: Vec<_> = steps
                    .iter()
                    .filter(|step| !matches!(step.outcome, Outcome::Passed | Outcome::NotApplicable))
                    .collect();
                assert!(other.is_empty(), "{line}: {other:#?}");
                made.extend(steps.iter().map(|step| step.check));
            }
            Err(error) => {
                let step = explanation
                    .failed()
                    .unwrap_or_else(|| panic!("{line}: {reply}\n{json}"));
                assert_eq!(step.stage, error.stage(), "{line}: {reply}\n{json}");
                failed.insert(step.check);
                // The checks after the failure are not reached, except for other mappings, which are all made.
                let at = steps
                    .iter()
                    .position(|step| step.outcome == Outcome::Failed)
                    .unwrap();
                for later in steps.get(at + 1..).unwrap() {
                    let is_mapped = later.check == Check::Metadata;
                    assert!(
                        is_mapped || later.outcome == Outcome::NotReached,
                        "{line}: {later:#?}\n{json}"
                    );
                }
            }
        }
        decided += 1;
    }
    assert!(decided > 900, "only {decided} cases were explained");
    let never: Vec<_> = Check::ALL
        .iter()
        .filter(|check| !made.contains(check) && !failed.contains(check))
        .collect();
    assert!(never.is_empty(), "no case makes these checks: {never:?}");
}

#[test]
fn values_are_shown_only_on_demand_and_a_signature_never() {
    let mut shown = 0;
    for (line, verifier, request) in CASES.iter() {
        let steps = |show_values| {
            let json = wire::explain(verifier, request, Explain { show_values });
            let explanation: Value = serde_json::from_str(&json).unwrap();
            explanation["steps"].as_array().unwrap().clone()
        };
        let values = |steps: &[Value]| {
            let value = |step: &&Value| step.pointer("/seen/value").is_some();
            steps.iter().filter(value).count()
        };
        let (shapes, all) = (steps(false), steps(true));
        assert_eq!(values(&shapes), 0, "{line}: {shapes:#?}");
        assert_eq!(shapes.len(), all.len(), "{line}");
        shown += values(&all);
        let text = Value::from(all).to_string();
        for signature in signatures(request) {
            assert!(!text.contains(&signature), "{line}: {text}");
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
