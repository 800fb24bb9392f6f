//! Writes conformance cases for every language: `flatten [DIRECTORY [TOPICS]]`; by default those of the suite, into
//! `target/conformance`. The folder `sessions` of the topics, if there is one, goes into a folder of this name.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jwtauth_testkit::flatten::Report;
use jwtauth_testkit::{Result, flatten, output, sessions, suite};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let directory = arguments.next().unwrap_or_else(output);
    let topics = arguments.next().unwrap_or_else(suite);
    let report = match write(&topics, &directory) {
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
            "{} cases or steps have another outcome than expected",
            report.contradictions.len()
        );
        ExitCode::FAILURE
    }
}

fn write(topics: &Path, directory: &Path) -> Result<Report> {
    let mut report = flatten::suite(topics, directory)?;
    let folder = sessions::folder(topics);
    if folder.exists() {
        report.add(sessions::flatten::suite(&folder, &sessions::folder(directory))?);
    }
    Ok(report)
}
