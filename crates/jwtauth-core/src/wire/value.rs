//! Reading values of a reply by JSON pointer, for programs in languages without a JSON library.

use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::expr::{IndexRule, Pointer};

/// The type of a JSON value (RFC 8259 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is the type")]
pub enum JsonType {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

/// The value at a JSON pointer in a reply: the text of a string, or the JSON text of any other value. `None` if
/// absent.
pub fn get(document: &str, pointer: &str) -> Option<String> {
    let value = find(document, pointer)?.get();
    if value.starts_with('"') {
        serde_json::from_str(value).ok()
    } else {
        Some(value.to_owned())
    }
}

/// The type of the value at a JSON pointer. `None` if absent.
pub fn json_type(document: &str, pointer: &str) -> Option<JsonType> {
    Some(match find(document, pointer)?.get().as_bytes().first()? {
        b'n' => JsonType::Null,
        b't' | b'f' => JsonType::Boolean,
        b'"' => JsonType::String,
        b'[' => JsonType::Array,
        b'{' => JsonType::Object,
        _ => JsonType::Number,
    })
}

/// The number of elements of the array, or of members of the object, at a JSON pointer. `None` if it is absent or
/// neither.
pub fn count(document: &str, pointer: &str) -> Option<usize> {
    let value = find(document, pointer)?.get();
    match value.as_bytes().first()? {
        b'[' => Some(serde_json::from_str::<Vec<&RawValue>>(value).ok()?.len()),
        b'{' => Some(
            serde_json::from_str::<HashMap<String, &RawValue>>(value)
                .ok()?
                .len(),
        ),
        _ => None,
    }
}

/// The pointer is followed in the text: a reply contains the token's numbers, which need not fit any Rust type.
fn find<'d>(document: &'d str, pointer: &str) -> Option<&'d RawValue> {
    let pointer = Pointer::parse(pointer, IndexRule::Strict)?;
    let mut value: &RawValue = serde_json::from_str(document).ok()?;
    for part in pointer.parts() {
        let text = value.get();
        value = if text.starts_with('{') {
            serde_json::from_str::<HashMap<String, &RawValue>>(text)
                .ok()?
                .remove(part)?
        } else {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            items.get(IndexRule::Strict.index(part)?)?
        };
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = r#"{"identity":{"name":"al\u0069ce","groups":["a","b"]},"claims":{"n": 1e999 ,"a/b":{"~":null},"admin":true,"x":"true"}}"#;

    #[test]
    fn a_pointer_returns_the_text_of_a_string_and_the_json_of_other_values() {
        let table = [
            ("/identity/name", Some("alice")),
            ("/identity/groups", Some(r#"["a","b"]"#)),
            ("/identity/groups/1", Some("b")),
            ("/claims/n", Some("1e999")),
            ("/claims/a~1b/~0", Some("null")),
            ("/identity/groups/01", None),
            ("/identity/groups/2", None),
            ("/identity/groups/-1", None),
            ("/identity/name/0", None),
            ("/absent", None),
            ("identity", None),
        ];
        for (pointer, expected) in table {
            assert_eq!(get(REPLY, pointer).as_deref(), expected, "{pointer}");
        }
        assert_eq!(get(REPLY, "").as_deref(), Some(REPLY));
        assert_eq!(get("{", ""), None);
        assert_eq!(get(&"[".repeat(1 << 20), "/0"), None);
    }

    #[test]
    fn the_type_distinguishes_values_with_the_same_text() {
        let table = [
            ("", Some(JsonType::Object)),
            ("/identity/name", Some(JsonType::String)),
            ("/identity/groups", Some(JsonType::Array)),
            ("/claims/n", Some(JsonType::Number)),
            ("/claims/a~1b/~0", Some(JsonType::Null)),
            ("/claims/admin", Some(JsonType::Boolean)),
            ("/claims/x", Some(JsonType::String)),
            ("/absent", None),
            ("claims", None),
        ];
        for (pointer, expected) in table {
            assert_eq!(json_type(REPLY, pointer), expected, "{pointer}");
        }
    }

    #[test]
    fn only_arrays_and_objects_have_a_count() {
        let table = [
            ("/identity/groups", Some(2)),
            ("/identity", Some(2)),
            ("/claims", Some(4)),
            ("/identity/name", None),
            ("/claims/n", None),
            ("/absent", None),
        ];
        for (pointer, expected) in table {
            assert_eq!(count(REPLY, pointer), expected, "{pointer}");
        }
        assert_eq!(count("[]", ""), Some(0));
    }
}
