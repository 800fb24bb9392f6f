//! The flattened cases of sessions in Rust, read as in every other language.

use std::fs;
use std::path::Path;

use jwtauth_sessions::{Sessions, wire};

use super::verb::Verb;
use crate::runner::{Outcome, index, read};
use crate::{Context, Result};

/// Runs every flattened case in the folder of sessions of a directory, and writes the count to `ran-sessions-rust.txt`.
///
/// # Errors
/// A file is missing.
pub fn run(directory: &Path) -> Result<Outcome> {
    let folder = super::folder(directory);
    let mut outcome = Outcome::default();
    for line in index(&folder)? {
        match check(&folder.join(&line))? {
            None => outcome.passed += 1,
            Some(difference) => outcome.failures.push(format!("sessions/{line}: {difference}")),
        }
    }
    let ran = outcome.passed + outcome.failures.len();
    fs::write(directory.join("ran-sessions-rust.txt"), ran.to_string()).context("ran-sessions-rust.txt")?;
    Ok(outcome)
}

/// Runs the steps of one case. Returns the first reply that is another one.
fn check(case: &Path) -> Result<Option<String>> {
    let expected = case.join("build.json").exists().then(|| read(case, "build.json"));
    let expected = expected.transpose()?;
    let mut sessions = match (Sessions::from_json(&read(case, "sessions.json")?), expected) {
        (Ok(sessions), None) => sessions,
        (Ok(_), Some(_)) => return Ok(Some("the sessions were built".to_owned())),
        (Err(error), expected) => {
            let reply = wire::failed(&error);
            return Ok((Some(&reply) != expected.as_ref()).then_some(reply));
        }
    };
    for step in steps(case)? {
        let reply = step.verb.perform(&mut sessions, &step.request);
        if reply != step.reply {
            return Ok(Some(format!("{}: {reply}", step.name)));
        }
    }
    Ok(None)
}

/// A flattened step.
#[derive(Debug)]
pub struct Step {
    /// Its number and its verb, for people.
    pub name: String,
    /// The verb.
    pub verb: Verb,
    /// The text of the request.
    pub request: String,
    /// The text of the reply.
    pub reply: String,
}

/// Reads the steps of a flattened case.
///
/// # Errors
/// A file is missing.
pub fn steps(case: &Path) -> Result<Vec<Step>> {
    let verbs = read(case, "steps.txt")?;
    let steps = verbs.lines().enumerate().map(|(index, verb)| {
        let number = index + 1;
        let name = format!("step {number}, `{verb}`");
        Ok(Step {
            verb: Verb::named(verb).context(&name)?,
            request: read(case, &format!("{number}-request.json"))?,
            reply: read(case, &format!("{number}-reply.json"))?,
            name,
        })
    });
    steps.collect()
}
