//! The compliance cases of JMESPath (`tests/jmespath`).
//!
//! The library has the results of JMESPath Community Edition, which differ from those of the original for some cases.
//! `deviations.json` lists these. A deviation that is not listed is an error, and so is a listed case without a
//! deviation. The last line has the counts.
#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy allows this only in functions marked as tests"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use jwtauth_core::internals::Claims;
use jwtauth_core::internals::expr::{Document, JmesPath};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/jmespath");
    let mut listed = deviations(&directory.join("deviations.json"));
    let (mut passed, mut deviating, mut failed) = (0, 0, 0);
    for case in cases(&directory.join("compliance")) {
        match (case.problem(), listed.remove(&case.place)) {
            (None, None) => passed += 1,
            (Some(_), Some(expression)) if expression == case.expression => deviating += 1,
            (problem, row) => {
                failed += 1;
                let problem = problem.unwrap_or_else(|| "as expected".to_owned());
                let row = row.map_or_else(
                    || "is not listed".to_owned(),
                    |expression| format!("is listed for {expression}"),
                );
                println!("{}: {}: {problem}; {row}", case.place, case.expression);
            }
        }
    }
    for (place, expression) in &listed {
        failed += 1;
        println!("{place}: {expression}: is listed and is not a case");
    }
    println!(
        "jmespath: {deviating} cases deviate, as listed with the reasons in tests/jmespath/deviations.json"
    );
    println!("jmespath: {passed} passed, {failed} failed");
    if failed == 0 && passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Reads the listed deviations: the place of the case, and its expression. Each has a reason.
fn deviations(path: &Path) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for group in read(path).as_array().unwrap() {
        assert!(group["why"].as_str().is_some_and(|why| !why.is_empty()));
        for (place, expression) in group["cases"].as_object().unwrap() {
            let before = rows.insert(place.clone(), expression.as_str().unwrap().to_owned());
            assert!(before.is_none(), "{place} is listed twice");
        }
    }
    rows
}

struct Case {
    /// The file, the number of the group in the file, and the number of the case in the group.
    place: String,
    expression: String,
    given: Value,
    expected: Expected,
}

#[derive(Debug)]
enum Expected {
    Value(Value),
    /// The expression is refused.
    Refused,
    /// The expression is refused, or its evaluation fails.
    Failed,
    /// The case is a benchmark: the expression can be evaluated.
    Anything,
}

fn cases(directory: &Path) -> Vec<Case> {
    let mut files: Vec<_> = directory
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy();
        for (group, content) in read(&file).as_array().unwrap().iter().enumerate() {
            for (number, case) in content["cases"].as_array().unwrap().iter().enumerate() {
                cases.push(Case {
                    place: format!("{name} {group}.{number}"),
                    expression: case["expression"].as_str().unwrap().to_owned(),
                    given: content["given"].clone(),
                    expected: expected(case),
                });
            }
        }
    }
    cases
}

fn expected(case: &Value) -> Expected {
    match (case.get("result"), case.get("error"), case.get("bench")) {
        (Some(result), None, None) => Expected::Value(result.clone()),
        (None, Some(error), None) => match error.as_str().unwrap() {
            "syntax" | "unknown-function" => Expected::Refused,
            "invalid-type" | "invalid-arity" | "invalid-value" => Expected::Failed,
            other => unreachable!("the error {other}"),
        },
        (None, None, Some(_)) => Expected::Anything,
        _ => unreachable!("a case has a result, an error or a benchmark: {case}"),
    }
}

impl Case {
    /// Returns the difference from what the case expects.
    fn problem(&self) -> Option<String> {
        let outcome = JmesPath::parse(&self.expression)
            .map_err(|why| format!("refused: {why}"))
            .map(|expression| self.evaluate(&expression));
        match (&self.expected, &outcome) {
            (Expected::Value(expected), Ok(Ok(value))) if same(value, expected) => None,
            (Expected::Refused, Err(_)) | (Expected::Failed, Err(_) | Ok(Err(_))) => None,
            (Expected::Anything, Ok(Ok(_))) => None,
            (expected, outcome) => Some(format!("{outcome:?} instead of {expected:?}")),
        }
    }

    fn evaluate(&self, expression: &JmesPath) -> Result<Value, String> {
        let given = self.given.to_string();
        // The claims of a token are an object. Other values become a member, to which the expression is applied.
        let inner = json!({ "given": &self.given }).to_string();
        let evaluate = |expression: &JmesPath, claims| {
            let value = expression.evaluate(&Document::new(claims));
            value
                .map(|value| serde_json::to_value(&value).unwrap())
                .map_err(|why| why.to_string())
        };
        match Claims::parse(&given) {
            Ok(claims) => evaluate(expression, claims),
            Err(_) => {
                let piped = JmesPath::parse(&format!("given | {}", self.expression)).unwrap();
                evaluate(&piped, Claims::parse(&inner).unwrap())
            }
        }
    }
}

/// Whether two values are equal if numbers are compared as doubles.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let in_other = |(name, one)| other.get(name).is_some_and(|other| same(one, other));
            one.len() == other.len() && one.iter().all(in_other)
        }
        (one, other) => one == other,
    }
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}
