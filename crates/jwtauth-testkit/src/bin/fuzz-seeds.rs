//! Writes the seeds of a fuzz target into a directory: `fuzz-seeds TARGET DIRECTORY`. The conformance cases must have
//! been written before.

use std::path::PathBuf;
use std::process::ExitCode;

use jwtauth_testkit::fuzz::{Target, seeds};
use jwtauth_testkit::output;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let target = arguments.next().and_then(|name| Target::named(name.to_str()?));
    let (Some(target), Some(directory)) = (target, arguments.next().map(PathBuf::from)) else {
        eprintln!("usage: fuzz-seeds TARGET DIRECTORY");
        return ExitCode::FAILURE;
    };
    match seeds::write(target.name, &output(), &directory) {
        Ok(count) => {
            println!("{}: {count} seeds", target.name);
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
