//! Runs the flattened cases in Rust: `conformance-rust [--token-cache] [DIRECTORY]`. With `--token-cache`, every case runs
//! twice with one verifier that has the option `token_cache`.

use std::path::PathBuf;
use std::process::ExitCode;

use jwtauth_testkit::{output, runner};

fn main() -> ExitCode {
    let (flags, directories): (Vec<_>, Vec<_>) = std::env::args_os()
        .skip(1)
        .partition(|argument| argument == "--token-cache");
    let directory = directories.first().map_or_else(output, PathBuf::from);
    let (outcome, what) = if flags.is_empty() {
        (runner::run(&directory), "conformance rust")
    } else {
        (
            runner::run_with_token_cache(&directory),
            "conformance rust with a token cache",
        )
    };
    match outcome {
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
        Ok(outcome) => {
            for failure in &outcome.failures {
                eprintln!("{failure}");
            }
            println!(
                "{what}: {} passed, {} failed",
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
