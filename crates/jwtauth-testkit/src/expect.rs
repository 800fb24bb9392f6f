//! Comparing replies with what a case expects of them.

use serde_json::{Map, Value};

/// How a reply differs from the expected one; `None` if it does not differ.
pub(crate) fn difference(wanted: &Map<String, Value>, actual: &Map<String, Value>) -> Option<String> {
    let succeeds =
        |reply: &Map<String, Value>| reply.get("outcome").is_some_and(|outcome| outcome != "failed");
    if succeeds(wanted) == wanted.contains_key("code") {
        return Some("the case expects neither an outcome nor a code, or both".to_owned());
    }
    if succeeds(wanted) != succeeds(actual) {
        return Some(format!("got {}", summary(actual)));
    }
    wanted.iter().find_map(|(name, wanted)| {
        let got = actual.get(name);
        let fits = match (name.as_str(), got) {
            // A detail is for people and may contain more than a case tests.
            ("detail", Some(got)) => {
                let (got, wanted) = (got.as_str()?, wanted.as_str()?);
                got.contains(wanted)
            }
            (_, Some(got)) => is_part_of(wanted, got),
            (_, None) => wanted.is_null(),
        };
        let absent = Value::Null;
        (!fits).then(|| {
            let got = got.unwrap_or(&absent);
            format!("`{name}` is {got} and not {wanted}; got {}", summary(actual))
        })
    })
}

/// Whether every member of an expected object is in the other one; lists and scalars must be equal.
fn is_part_of(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            wanted.iter().all(|(name, wanted)| match got.get(name) {
                Some(got) => is_part_of(wanted, got),
                None => wanted.is_null(),
            })
        }
        (Value::Array(wanted), Value::Array(got)) => {
            wanted.len() == got.len()
                && wanted
                    .iter()
                    .zip(got)
                    .all(|(wanted, got)| is_part_of(wanted, got))
        }
        (wanted, got) => wanted == got,
    }
}

fn summary(reply: &Map<String, Value>) -> String {
    let member = |name: &str| reply.get(name).and_then(Value::as_str).unwrap_or("-");
    match member("outcome") {
        "failed" => format!("{} ({}): {}", member("code"), member("claim"), member("detail")),
        outcome => outcome.to_owned(),
    }
}

/// Whether a reader in any language would read a reply as several lines.
pub(crate) fn broken(reply: &str) -> Option<String> {
    let is_break =
        |letter| matches!(letter, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    reply
        .contains(is_break)
        .then(|| "the reply is not one line".to_owned())
}

/// Whether a text that must contain no secret contains one of these.
pub(crate) fn leaks(text: &str, mut secrets: impl Iterator<Item: AsRef<str>>) -> bool {
    secrets.any(|secret| secret.as_ref().len() >= TELLING && text.contains(secret.as_ref()))
}

/// A shorter text may be in a message by chance.
const TELLING: usize = 12;
