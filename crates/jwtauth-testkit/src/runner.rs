//! The flattened cases in Rust, read as in every other language.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jwtauth_core::{Grant, Request, Verifier, wire};
use serde_json::{Map, Value};

use crate::{Context, Result};

/// The languages in which the cases must have run.
pub const SURFACES: [&str; 4] = ["rust", "c", "python", "node"];

/// The result of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The number of cases that passed.
    pub passed: usize,
    /// The cases that failed, each with its outcome.
    pub failures: Vec<String>,
}

/// Runs every flattened case in a directory, and writes the count to `ran-rust.txt`.
///
/// # Errors
/// A file is missing.
pub fn run(directory: &Path) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for line in index(directory)? {
        match check(&directory.join(&line))? {
            None => outcome.passed += 1,
            Some(difference) => outcome.failures.push(format!("{line}: {difference}")),
        }
    }
    let ran = outcome.passed + outcome.failures.len();
    fs::write(directory.join("ran-rust.txt"), ran.to_string()).context("ran-rust.txt")?;
    Ok(outcome)
}

/// The cases in a directory, as `topic/case`.
///
/// # Errors
/// There is no index.
pub fn index(directory: &Path) -> Result<Vec<String>> {
    Ok(read(directory, "index.txt")?.lines().map(str::to_owned).collect())
}

fn check(case: &Path) -> Result<Option<String>> {
    let verifier = read(case, "verifier.json")?;
    let request = read(case, "request.json")?;
    let verifier = match Verifier::from_json(&verifier) {
        Ok(verifier) => verifier,
        Err(why) => return compare(&Err(why), case),
    };
    let outcome = wire::authenticate(&verifier, &request);
    if let Some(other) = in_a_batch(&verifier, &request) {
        return Ok(Some(format!("in a batch: {other}")));
    }
    let difference = compare(&outcome, case)?;
    if difference.is_some() {
        return Ok(difference);
    }
    let other = with_token_cache(case, &request)?;
    Ok(other.map(|other| format!("with a token cache: {other}")))
}

/// Decides the token of a request that has nothing else three times in a batch. Returns a reply that the token does not
/// get alone.
fn in_a_batch(verifier: &Verifier, request: &str) -> Option<String> {
    let mut members: Map<String, Value> = serde_json::from_str(request).ok()?;
    let Some(Value::String(token)) = members.remove("token").filter(|_| members.is_empty()) else {
        return None;
    };
    let alone = wire::reply(&verifier.authenticate(&Request::bearer(&token)));
    let requests: Vec<_> = (0..3).map(|_| Ok(Request::bearer(&token))).collect();
    let replies = wire::authenticate_many(verifier, &requests, None, |outcome| wire::reply(&outcome));
    if replies.len() != requests.len() {
        return Some(format!("{} replies", replies.len()));
    }
    replies.into_iter().find(|reply| *reply != alone)
}

/// Decides the request twice with a verifier that has a token cache. If the case is a grant, the second reply must be from
/// the cache. Both must be what the case expects.
fn with_token_cache(case: &Path, request: &str) -> Result<Option<String>> {
    let verifier =
        Verifier::from_json(&read(case, "verifier-with-cache.json")?).context("with a token cache")?;
    for hits in 0..2 {
        let outcome = wire::authenticate(&verifier, request);
        let difference = compare(&outcome, case)?;
        if difference.is_some() {
            return Ok(difference);
        }
        let status = verifier.token_cache_status();
        if outcome.is_ok() && status.is_none_or(|status| status.hits != hits) {
            return Ok(Some(format!("{hits} hits were expected: {status:?}")));
        }
    }
    Ok(None)
}

/// Returns the reply if it is not what the case expects.
fn compare(outcome: &jwtauth_core::Result<Grant>, case: &Path) -> Result<Option<String>> {
    let expect = read(case, "expect.json")?;
    let reply = wire::reply(outcome);
    let matches = match outcome {
        Ok(_) => reply == expect,
        Err(_) => same_failure(&reply, &expect)?,
    };
    Ok((!matches).then_some(reply))
}

fn same_failure(reply: &str, expect: &str) -> Result<bool> {
    let reply: Value = serde_json::from_str(reply).context("the reply")?;
    let expect: Value = serde_json::from_str(expect).context("expect.json")?;
    let same = |member: &str| expect.get(member) == reply.get(member);
    Ok(same("outcome") && same("class") && same("code") && (expect.get("claim").is_none() || same("claim")))
}

/// Tables of the languages with the number of cases that each ran, and whether each ran all of them. Sessions have a table
/// if there are cases of them.
///
/// # Errors
/// There is no index.
pub fn summary(directory: &Path) -> Result<(String, bool)> {
    let (mut table, mut complete) = ran("conformance", directory, &directory.join("ran-"))?;
    let sessions = directory.join("sessions");
    if sessions.exists() {
        let (more, all) = ran(
            "conformance sessions",
            &sessions,
            &directory.join("ran-sessions-"),
        )?;
        table.push_str(&more);
        complete &= all;
    }
    Ok((table, complete))
}

/// The table of one index. The name of each count begins with a path.
fn ran(title: &str, cases: &Path, counts: &Path) -> Result<(String, bool)> {
    let cases = index(cases)?.len();
    let mut table = format!("{title}: {cases} cases\n");
    let mut complete = cases > 0;
    for surface in SURFACES {
        let ran = fs::read_to_string(format!("{}{surface}.txt", counts.display()))
            .ok()
            .and_then(|text| text.trim().parse::<usize>().ok());
        let verdict = match ran {
            Some(ran) if ran == cases => format!("{ran} ran"),
            Some(ran) => format!("{ran} ran, not {cases}"),
            None => "did not run".to_owned(),
        };
        complete &= ran == Some(cases);
        // Writing to a String cannot fail.
        let _ = writeln!(table, "  {surface:<8} {verdict}");
    }
    Ok((table, complete))
}

pub(crate) fn read(directory: &Path, name: &str) -> Result<String> {
    let path = directory.join(name);
    fs::read_to_string(&path).context(path.display())
}

/// The reply without its detail, which names places of the configuration: those of a printed policy have native names.
pub fn without_detail(outcome: &jwtauth_core::Result<jwtauth_core::Grant>) -> String {
    let reply = jwtauth_core::wire::reply(outcome);
    let failure: Option<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(&reply).ok().filter(|_| outcome.is_err());
    match failure {
        Some(mut failure) => {
            failure.remove("detail");
            serde_json::Value::Object(failure).to_string()
        }
        None => reply,
    }
}
