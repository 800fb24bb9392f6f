//! Writes conformance cases for every language: `flatten [DIRECTORY [TOPICS]]`; by default those of the suite, into
//! `target/conformance`.

use std::path::PathBuf;
use std::process::ExitCode;

use jwtauth_testkit::{flatten, output, suite};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let directory = arguments.next().unwrap_or_else(output);
    let topics = arguments.next().unwrap_or_else(suite);
    let report = match flatten::suite(&topics, &directory) {
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
            "the core decides {} cases otherwise than expected",
            report.contradictions.len()
        );
        ExitCode::FAILURE
    }
}
