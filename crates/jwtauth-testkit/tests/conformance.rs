//! The conformance cases in Rust.

use std::path::Path;

use jwtauth_testkit::{flatten, runner, suite};

#[test]
fn every_case_comes_out_as_described() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    let report = flatten::suite(&suite(), &directory).unwrap();
    assert!(
        report.contradictions.is_empty(),
        "{}",
        report.contradictions.join("\n")
    );

    let outcome = runner::run(&directory).unwrap();
    println!(
        "conformance rust: {} passed, {} failed",
        outcome.passed,
        outcome.failures.len()
    );
    assert!(outcome.failures.is_empty(), "{}", outcome.failures.join("\n"));
    assert_eq!(outcome.passed, report.cases());
}
