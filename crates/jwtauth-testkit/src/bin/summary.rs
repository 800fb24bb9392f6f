//! Prints how many cases ran in each language; fails unless all cases ran in all languages: `summary [DIRECTORY]`.

use std::path::PathBuf;
use std::process::ExitCode;

use jwtauth_testkit::{output, runner};

fn main() -> ExitCode {
    let directory = std::env::args_os().nth(1).map_or_else(output, PathBuf::from);
    match runner::summary(&directory) {
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
        Ok((table, complete)) => {
            print!("{table}");
            if complete {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
