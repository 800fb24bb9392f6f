//! Runs the flattened cases in Rust: `conformance-rust [DIRECTORY]`.

use std::path::PathBuf;
use std::process::ExitCode;

use jwtauth_testkit::{output, runner};

fn main() -> ExitCode {
    let directory = std::env::args_os().nth(1).map_or_else(output, PathBuf::from);
    match runner::run(&directory) {
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
        Ok(outcome) => {
            for failure in &outcome.failures {
                eprintln!("{failure}");
            }
            println!(
                "conformance rust: {} passed, {} failed",
                outcome.passed,
                outcome.failures.len()
            );
            if outcome.failures.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
