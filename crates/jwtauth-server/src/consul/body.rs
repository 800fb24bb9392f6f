//! Bodies of Consul's API, and what is stored of them.

use std::time::Duration;

use jwtauth_core::internals::print_go;
use serde_json::{Map, Value, json};

/// The members of an object with some names, in any letter case, that say something.
pub(super) fn members(body: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let given = |name: &str| body.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    let known = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), given(name)?.1.clone())));
    known.filter(|(_, value)| !is_empty(value)).collect()
}

/// Whether a value says nothing: clients send the zero values of their language.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Bool(_) => false,
    }
}

/// A text member of a stored object.
pub(super) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Writes the lifetime of tokens as Consul does, if it can be read. What is wrong with it is reported by the library.
pub(super) fn normalise_ttl(method: &mut Map<String, Value>) {
    let ttl = match method.get(TTL) {
        Some(Value::Number(nanoseconds)) => nanoseconds.as_u64().map(Duration::from_nanos),
        Some(Value::String(text)) => match jwtauth_core::internals::parse_go(text) {
            Some((false, ttl)) => Some(ttl),
            Some((true, _)) | None => None,
        },
        _ => None,
    };
    match ttl {
        Some(ttl) if ttl.is_zero() => drop(method.remove(TTL)),
        Some(ttl) => drop(method.insert(TTL.to_owned(), print_go(ttl).into())),
        None => {}
    }
}

/// Sets the numbers of an object's creation and last change.
pub(super) fn stamp(object: &mut Map<String, Value>, before: Option<&Map<String, Value>>, revision: u64) {
    let index = revision.saturating_add(1);
    let created = before.and_then(|before| before.get("CreateIndex")).cloned();
    object.insert("CreateIndex".to_owned(), created.unwrap_or_else(|| json!(index)));
    object.insert("ModifyIndex".to_owned(), json!(index));
}

const TTL: &str = "MaxTokenTTL";
pub(super) const METHOD: [&str; 7] = [
    "Name",
    "Type",
    "DisplayName",
    "Description",
    TTL,
    "TokenLocality",
    "Config",
];
pub(super) const RULE: [&str; 6] = [
    "Description",
    "AuthMethod",
    "Selector",
    "BindType",
    "BindName",
    "BindVars",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_values_are_left_out_and_names_are_found_in_any_case() {
        let body =
            json!({ "name": "web", "ID": "", "CreateIndex": 0, "Config": {}, "Type": "jwt", "Other": 1 });
        let read = members(body.as_object().unwrap(), &METHOD);
        assert_eq!(Value::from(read), json!({ "Name": "web", "Type": "jwt" }));
    }

    #[test]
    fn the_lifetime_is_written_as_in_go() {
        for (given, expected) in [
            (json!("300s"), json!("5m0s")),
            (json!(300_000_000_000_u64), json!("5m0s")),
            (json!("0s"), Value::Null),
            (json!("soon"), json!("soon")),
        ] {
            let mut method = Map::from_iter([(TTL.to_owned(), given)]);
            normalise_ttl(&mut method);
            assert_eq!(method.get(TTL).cloned().unwrap_or_default(), expected);
        }
    }
}
