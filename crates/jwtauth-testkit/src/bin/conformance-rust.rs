//! Runs the flattened cases in Rust, those of sessions too: `conformance-rust [DIRECTORY]`.

use std::path::PathBuf;
use std::process::ExitCode;

use jwtauth_testkit::runner::Outcome;
use jwtauth_testkit::{Result, output, runner, sessions};

fn main() -> ExitCode {
    let directory = std::env::args_os().nth(1).map_or_else(output, PathBuf::from);
    let mut passed = report("rust", runner::run(&directory));
    if sessions::folder(&directory).exists() {
        passed &= report("sessions rust", sessions::runner::run(&directory));
    }
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints the result of a run. Returns whether every case passed.
fn report(what: &str, outcome: Result<Outcome>) -> bool {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(why) => {
            eprintln!("{why}");
            return false;
        }
    };
    for failure in &outcome.failures {
        eprintln!("{failure}");
    }
    let failed = outcome.failures.len();
    println!("conformance {what}: {} passed, {failed} failed", outcome.passed);
    failed == 0
}
