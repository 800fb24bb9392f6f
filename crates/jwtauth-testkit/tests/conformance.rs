//! The conformance cases in Rust.

#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use jwtauth_core::internals::json;
use jwtauth_core::{Code, Verifier, wire};
use jwtauth_testkit::flatten::{self, Report};
use jwtauth_testkit::{runner, sessions, suite};

#[test]
fn every_case_passes() {
    let (directory, report) = &*FLATTENED;
    assert!(
        report.contradictions.is_empty(),
        "{}",
        report.contradictions.join("\n")
    );

    let outcome = runner::run(directory).unwrap();
    println!(
        "conformance rust: {} passed, {} failed",
        outcome.passed,
        outcome.failures.len()
    );
    assert!(outcome.failures.is_empty(), "{}", outcome.failures.join("\n"));
    assert_eq!(outcome.passed, report.cases());
}

#[test]
fn every_case_of_sessions_passes() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("conformance-sessions");
    let folder = sessions::folder(&directory);
    // What an earlier run has written may belong to other cases.
    let _ = fs::remove_dir_all(&directory);
    let report = sessions::flatten::suite(&sessions::folder(&suite()), &folder).unwrap();
    assert!(
        report.contradictions.is_empty(),
        "{}",
        report.contradictions.join("\n")
    );

    let outcome = sessions::runner::run(&directory).unwrap();
    println!(
        "conformance sessions rust: {} passed, {} failed",
        outcome.passed,
        outcome.failures.len()
    );
    assert!(outcome.failures.is_empty(), "{}", outcome.failures.join("\n"));
    assert_eq!(outcome.passed, report.cases());
}

#[test]
fn a_printed_policy_decides_every_case_as_its_dialect_did() {
    let (directory, _) = &*FLATTENED;
    let mut decided = 0;
    for line in runner::index(directory).unwrap() {
        let read = |name: &str| fs::read_to_string(directory.join(&line).join(name)).unwrap();
        let envelope = read("verifier.json");
        let Ok(verifier) = Verifier::from_json(&envelope) else {
            continue;
        };
        let printed = wire::policy(&verifier);
        let native = Verifier::from_json(&with_options_of(&printed, &envelope));
        if printed.contains("\"(redacted)\"") {
            assert_eq!(native.unwrap_err().code(), Code::KeyInvalid, "{line}");
            continue;
        }
        let native = native.unwrap_or_else(|error| panic!("{line}: {error}\n{printed}"));
        assert_eq!(config(&wire::policy(&native)), config(&printed), "{line}");

        let request = read("request.json");
        let reply = |verifier| runner::without_detail(&wire::authenticate(verifier, &request));
        assert_eq!(reply(&verifier), reply(&native), "{line}\n{printed}");
        decided += 1;
    }
    assert!(decided > 500, "only {decided} cases were decided twice");
}

/// The directory of the flattened cases, which are written once for all tests.
static FLATTENED: LazyLock<(PathBuf, Report)> = LazyLock::new(|| {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    let report = flatten::suite(&suite(), &directory).unwrap();
    (directory, report)
});

/// A printed policy, with the clock and the folder of its original envelope.
fn with_options_of(printed: &str, envelope: &str) -> String {
    let envelope = json::parse(envelope).unwrap();
    match envelope.as_object().unwrap().get("options") {
        None => printed.to_owned(),
        Some(options) => {
            let options = serde_json::to_string(options).unwrap();
            format!("{{\"options\":{options},{}", printed.strip_prefix('{').unwrap())
        }
    }
}

/// The text of the policy without the warnings, which concern the original configuration.
fn config(reply: &str) -> String {
    let reply = json::parse(reply).unwrap();
    serde_json::to_string(reply.as_object().unwrap().get("config").unwrap()).unwrap()
}
