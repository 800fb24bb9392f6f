//! The conformance cases have the same replies over every store.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jwtauth_sessions::{Sessions, wire};
use jwtauth_testkit::sessions::verb::Verb;
use jwtauth_testkit::sessions::{flatten, folder, runner};
use jwtauth_testkit::suite;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::redis_server::Server;

#[test]
fn sqlite_has_the_replies_of_the_memory() {
    every_case(|| {
        let folder = Folder::new();
        let store = json!({ "sqlite": { "path": folder.path().join("sessions.db") } });
        (store, Some(folder))
    });
}

#[test]
fn redis_has_the_replies_of_the_memory() {
    let server = Server::with(&[]);
    every_case(|| {
        server.run(&["FLUSHALL"]);
        (server.store(), None)
    });
}

/// Replays every case, each in a new store. The folder is removed after the case.
fn every_case(new: impl Fn() -> (Value, Option<Folder>)) {
    let mut replayed = 0;
    let mut differences = Vec::new();
    let index = std::fs::read_to_string(CASES.join("index.txt")).unwrap();
    for line in index.lines() {
        let (store, _folder) = new();
        match replay(&CASES.join(line), &store) {
            None => {}
            Some(Ok(())) => replayed += 1,
            Some(Err(difference)) => differences.push(format!("{line}: {difference}")),
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(replayed > 150, "only {replayed} cases");
}

/// Runs the steps of a case over another store. `None`: the case is about the store in memory, or about a configuration.
fn replay(case: &Path, store: &Value) -> Option<Result<(), String>> {
    let config = std::fs::read_to_string(case.join("sessions.json")).unwrap();
    let steps = runner::steps(case).unwrap();
    let (config, seed) = over(&config, store)?;
    let requests: Option<Vec<String>> = steps
        .iter()
        .map(|step| match step.verb {
            // A text that is not an object is refused over each store.
            Verb::Reload if step.request.starts_with('{') => Some(over(&step.request, store)?.0),
            _ => Some(step.request.clone()),
        })
        .collect();
    let requests = requests.filter(|requests| !requests.is_empty())?;
    let builder = Sessions::builder(&config).unwrap();
    let mut sessions = builder.seeded(seed).build().unwrap();
    for (step, request) in steps.iter().zip(requests) {
        let reply = match step.verb {
            Verb::Reload => reload(&mut sessions, &request, seed),
            verb => verb.perform(&mut sessions, &request),
        };
        // Redis removes what has ended on its own, so it has nothing to sweep.
        let is_same =
            reply == step.reply || (step.verb == Verb::Sweep && reply.contains(r#""outcome":"swept""#));
        if !is_same {
            return Some(Err(format!("{}: {reply}\n  memory: {}", step.name, step.reply)));
        }
    }
    Some(Ok(()))
}

/// Reloads the sessions, and keeps their source of tokens: a configuration has a seed for the memory only.
fn reload(sessions: &mut Sessions, config: &str, seed: u64) -> String {
    let builder = Sessions::builder(config).map(|builder| builder.seeded(seed));
    match builder.and_then(|builder| sessions.reload_with(builder)) {
        Ok(reloaded) => {
            *sessions = reloaded;
            json!({ "outcome": "reloaded" }).to_string()
        }
        Err(error) => wire::failed(&error),
    }
}

/// The configuration with another store, and its seed. `None` if it sets a store or no seed.
fn over(config: &str, store: &Value) -> Option<(String, u64)> {
    let mut config: Value = serde_json::from_str(config).ok()?;
    let sessions = config.get_mut("sessions")?.as_object_mut()?;
    let seed = sessions.remove("seed")?.as_u64()?;
    if sessions
        .insert("store".to_owned(), store.clone())
        .is_some_and(|store| !store.is_null())
    {
        return None;
    }
    Some((config.to_string(), seed))
}

/// The flattened cases.
static CASES: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sessions");
    flatten::suite(&folder(&suite()), &directory).unwrap();
    directory
});
