//! The parts of the conformance cases of sessions.

use std::path::Path;

use serde_json::{Value, json};

use crate::runner::{index, read};
use crate::sessions::runner::steps;
use crate::{Result, sessions};

/// Adds the seeds of a target from the flattened cases of a directory.
pub(super) fn add_all(directory: &Path, target: &str, add: &mut dyn FnMut(&str)) -> Result<()> {
    let folder = sessions::folder(directory);
    for line in index(&folder)? {
        let case = folder.join(line);
        let config = read(&case, "sessions.json")?;
        let mut seed = config.clone();
        for step in steps(&case)? {
            if target == "records" {
                add(&record(&config, &step.reply).unwrap_or_default());
            }
            // A request of several lines would be several steps.
            if !step.request.contains('\n') {
                seed.push_str(&format!("\n{} {}", step.verb.as_str(), step.request));
            }
        }
        if target == "sessions" {
            add(&seed);
        }
    }
    Ok(())
}

/// What a store would keep of the session in a reply, and the content of a batch token.
fn record(config: &str, reply: &str) -> Option<String> {
    let config: Value = serde_json::from_str(config).ok()?;
    let reply: Value = serde_json::from_str(reply).ok()?;
    let session = reply.get("session")?;
    let mut record = json!({
        "v": 1, "dialect": config.get("dialect")?,
        "issued_at": session.get("issued_at")?.as_i64()? * 1_000_000,
    });
    for (from, to) in MEMBERS {
        if let (Some(value), Some(record)) = (session.get(from), record.as_object_mut()) {
            record.insert(to.to_owned(), value.clone());
        }
    }
    if let (Some(method), Some(local)) = (session.get("auth_method"), session.get("local")) {
        let consul = json!({ "auth_method": method, "local": local, "meta": { "k": "v" } });
        record.as_object_mut()?.insert("consul".to_owned(), consul);
    }
    if session.get("type")? == "batch" {
        record = json!({ "expires_at": session.get("expires_at")?, "record": record });
    }
    Some(record.to_string())
}

/// The members of `session` in replies, and those of a record.
const MEMBERS: [(&str, &str); 13] = [
    ("profile", "profile"),
    ("subject", "subject"),
    ("entity_id", "entity_id"),
    ("display_name", "display_name"),
    ("identity", "identity"),
    ("entitlements", "entitlements"),
    ("revocations", "revocations"),
    ("creation_ttl", "ttl"),
    ("explicit_max_ttl", "explicit_max_ttl"),
    ("period", "period"),
    ("num_uses", "num_uses"),
    ("renewable", "renewable"),
    ("bound_cidrs", "networks"),
];
