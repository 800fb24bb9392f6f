//! Lays the conformance cases out for every language: `flatten [DIRECTORY]`, `target/conformance` by default.

use std::path::PathBuf;
use std::process::ExitCode;

use jwtauth_testkit::{flatten, output, suite};

fn main() -> ExitCode {
    let directory = std::env::args_os().nth(1).map_or_else(output, PathBuf::from);
    let report = match flatten::suite(&suite(), &directory) {
        Ok(report) => report,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    for (topic, cases) in &report.topics {
        println!("{cases:>6} {topic}");
    }
    println!("{:>6} cases", report.cases());
    for contradiction in &report.contradictions {
        eprintln!("contradicted: {contradiction}");
    }
    if report.contradictions.is_empty() {
        ExitCode::SUCCESS
    } else {
        eprintln!(
            "{} cases are contradicted by the core",
            report.contradictions.len()
        );
        ExitCode::FAILURE
    }
}
