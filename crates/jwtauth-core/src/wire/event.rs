//! Events and counters as JSON.

use serde::Serialize;

use crate::error::Code;
use crate::events::{Event, Level};
use crate::verifier::Verifier;

/// An event, as one line of JSON.
pub fn event(event: &Event<'_>) -> String {
    let level = match event.level() {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    match event {
        Event::Decision(decision) => super::to_line(&Members {
            event: "decision",
            level,
            outcome: decision.outcome(),
            code: decision.code.map(Code::as_str),
            stage: decision.code.map(|code| code.stage().as_str()),
            profile: decision.profile,
            kid: decision.kid,
            source: decision.source,
            from_cache: Some(decision.from_cache),
            explained: Some(decision.explained),
            duration_ns: decision.nanoseconds(),
            ..Members::default()
        }),
        Event::Fetch(ended) => {
            let failure = ended.outcome.err();
            super::to_line(&Members {
                event: "fetch",
                level,
                outcome: ended.outcome_name(),
                code: failure.map(|failure| failure.code.as_str()),
                source: Some(ended.source),
                phase: failure.map(|failure| failure.phase),
                status: failure.and_then(|failure| failure.status),
                keys: ended.outcome.ok(),
                duration_ns: ended.nanoseconds(),
                ..Members::default()
            })
        }
    }
}

/// The counters of a verifier, as one line of JSON.
pub fn counters(verifier: &Verifier) -> String {
    super::to_line(&verifier.counters())
}

#[derive(Debug, Default, Serialize)]
struct Members<'a> {
    event: &'static str,
    level: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_cache: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explained: Option<bool>,
    duration_ns: u64,
}
