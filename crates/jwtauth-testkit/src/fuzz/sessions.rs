//! Verbs of sessions, and stored sessions.

#![expect(
    clippy::expect_used,
    reason = "a statement that does not hold ends the fuzzer"
)]

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jwtauth_core::internals::json;
use jwtauth_sessions::{Code, Sessions, internals};
use serde_json::Value;

use super::fetches::Unreachable;
use super::lines::is_one_line;
use crate::expect;
use crate::sessions::verb::Verb;

/// `configuration`, and steps, one on each line: a verb, a space, and its request. Only tokens that a login has given are
/// accepted, except for batch tokens, and never after their revocation. No reply contains a token that it does not give.
pub(super) fn sessions(input: &str) {
    let (config, steps) = input.split_once('\n').unwrap_or((input, ""));
    let Some(mut sessions) = build(config) else { return };
    let mut known = Known::default();
    for (verb, request) in steps.lines().take(STEPS).filter_map(step) {
        if verb == Verb::Reload && !is_closed(request) {
            continue;
        }
        let reply = verb.perform(&mut sessions, request);
        is_one_line(&reply);
        json::parse(&reply).expect("a reply is JSON");
        // The library reads numbers that this reader refuses.
        let Ok(reply) = serde_json::from_str::<Value>(&reply) else {
            continue;
        };
        let outcome = reply.get("outcome").and_then(Value::as_str);
        assert!(
            outcome == Some(verb.outcome()) || outcome == Some("failed"),
            "an outcome that the verb does not have: {reply}"
        );
        let request = serde_json::from_str(request).unwrap_or_default();
        known.check(verb, &request, &reply, outcome == Some("failed"));
    }
}

/// The largest number of steps of one input.
const STEPS: usize = 32;

fn step(line: &str) -> Option<(Verb, &str)> {
    let (verb, request) = line.split_once(' ').unwrap_or((line, ""));
    Some((Verb::named(verb)?, request))
}

/// Sessions in the memory that fetch nothing.
fn build(config: &str) -> Option<Sessions> {
    if !is_closed(config) {
        return None;
    }
    let builder = Sessions::builder(config).ok()?;
    builder.fetch(Arc::new(Unreachable) as Arc<_>).build().ok()
}

/// Whether a configuration opens nothing outside of the process.
fn is_closed(config: &str) -> bool {
    let config = config.to_ascii_lowercase().replace("profile", "");
    // A letter can be written as an escape.
    !["file", "url", "sqlite", "redis", "path", "\\u"]
        .iter()
        .any(|word| config.contains(word))
}

/// The sessions that exist, as far as the replies tell.
#[derive(Default)]
struct Known {
    /// The tokens that were given, each with its accessor.
    given: HashMap<String, String>,
    revoked: HashSet<String>,
}

impl Known {
    fn check(&mut self, verb: Verb, request: &Value, reply: &Value, has_failed: bool) {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        if matches!(verb, Verb::Login | Verb::Renew) && !has_failed {
            let token = text(reply, "token").expect("a login and a renewal have a token");
            if verb == Verb::Login {
                let accessor = text(reply, "accessor").unwrap_or_default();
                let twice = self.given.insert(token, accessor);
                assert_eq!(twice, None, "two logins have the same token");
            } else {
                self.lives(&token);
            }
            return;
        }
        let secrets = self.given.iter().flat_map(|(token, accessor)| [token, accessor]);
        assert!(
            !expect::leaks(&reply.to_string(), secrets),
            "a reply has a token that it does not give"
        );
        if has_failed {
            return;
        }
        let token = match verb {
            Verb::Lookup | Verb::Authorize | Verb::Revoke => text(request, "token"),
            Verb::LookupAccessor | Verb::RevokeAccessor => {
                let accessor = text(request, "accessor").expect("an accessor was asked for");
                let has = |(_, of_token): &(&String, &String)| **of_token == accessor;
                self.given.iter().find(has).map(|(token, _)| token.clone())
            }
            Verb::Login | Verb::Renew | Verb::RevokeAll | Verb::Sweep | Verb::Reload => return,
        };
        let token = token.expect("only what a login has given is accepted");
        self.lives(&token);
        if matches!(verb, Verb::Revoke | Verb::RevokeAccessor) {
            self.revoked.insert(token);
        }
    }

    fn lives(&self, token: &str) {
        // A batch token has its session in itself, so an input with its key may contain one from another run.
        let is_batch = ["hvb.", "jab."].iter().any(|prefix| token.starts_with(prefix));
        assert!(
            is_batch || self.given.contains_key(token),
            "a token that no login has given"
        );
        assert!(!self.revoked.contains(token), "a session that was revoked");
    }
}

/// A stored record is read or refused. What is read is written as it can be read again.
pub(super) fn records(input: &[u8]) {
    match internals::record_again(input) {
        Ok(text) => assert_eq!(internals::record_again(text.as_bytes()).as_ref(), Ok(&text)),
        Err(error) => assert_eq!(error.session_code(), Some(Code::SessionEntryInvalid)),
    }
    if let Err(error) = internals::read_batch(input) {
        assert_eq!(error.session_code(), Some(Code::SessionEntryInvalid));
    }
}
