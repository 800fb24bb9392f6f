//! Rotates a real provider's keys between the decisions of eight threads about its tokens, and floods verifiers with unknown `kid`s:
//! `rotation SCRIPT`. The script is a provider that reads commands (`tests/oidc/rotation.mjs`).

mod flood;
mod provider;
mod rotate;
mod verifiers;

use std::process::ExitCode;

use crate::provider::{Provider, Result};

fn main() -> ExitCode {
    let ran = std::env::args()
        .nth(1)
        .ok_or_else(|| "usage: rotation SCRIPT".to_owned())
        .and_then(|script| run(&script));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn run(script: &str) -> Result<()> {
    let mut provider = Provider::start(script)?;
    flood::run(&mut provider)?;
    rotate::run(&mut provider)
}
