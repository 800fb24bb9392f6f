//! JSON pointers (RFC 6901).

use serde::{Deserialize, Serialize};

use crate::json::{Object, Value, text};

/// A JSON pointer. It is split and unescaped once, when it is parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pointer {
    #[serde(rename = "pointer")]
    text: String,
    #[serde(skip)]
    parts: Vec<String>,
    #[serde(rename = "index", skip_serializing_if = "IndexRule::is_strict")]
    rule: IndexRule,
}

/// The syntax of list indices in a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexRule {
    /// The syntax of RFC 6901 §4: decimal digits without leading zeros.
    #[default]
    Strict,
    /// Go's syntax for integers with base 0: `0x1`, `0b1`, `0o7`, octal with a leading zero, underscores and signs. An
    /// empty index is 0.
    Go,
}

impl IndexRule {
    fn is_strict(&self) -> bool {
        *self == IndexRule::Strict
    }
}

impl Pointer {
    /// Parses a pointer. Returns `None` if the text is not empty and does not start with `/`.
    pub fn parse(text: &str, rule: IndexRule) -> Option<Pointer> {
        let parts = match text.strip_prefix('/') {
            Some(rest) => rest.split('/').map(unescape).collect(),
            None if text.is_empty() => Vec::new(),
            None => return None,
        };
        Some(Pointer {
            text: text.to_owned(),
            parts,
            rule,
        })
    }

    /// Returns the pointer as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the unescaped parts of the pointer.
    pub(crate) fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Whether the pointer is empty, and so points to the whole document.
    pub fn is_whole(&self) -> bool {
        self.parts.is_empty()
    }

    /// Returns the value at the pointer in an object; `None` if the pointer is empty or the value does not exist.
    pub fn find<'a, 't>(&self, root: &'a Object<'t>) -> Option<&'a Value<'t>> {
        let (first, rest) = self.parts.split_first()?;
        rest.iter().try_fold(root.get(first)?, |value, part| match value {
            Value::Object(object) => object.get(part),
            Value::Array(items) => items.get(self.rule.index(part)?),
            _ => None,
        })
    }

    /// Returns the value at the pointer for replacement, under the same conditions as [`Pointer::find`].
    pub(super) fn find_mut<'a, 't>(&self, root: &'a mut Object<'t>) -> Option<&'a mut Value<'t>> {
        let (first, rest) = self.parts.split_first()?;
        rest.iter()
            .try_fold(root.get_mut(first)?, |value, part| match value {
                Value::Object(object) => object.get_mut(part),
                Value::Array(items) => items.get_mut(self.rule.index(part)?),
                _ => None,
            })
    }

    /// Returns the text of the value at the pointer in a document's text, as written there.
    pub(super) fn find_text<'t>(&self, root: &'t str) -> Option<&'t str> {
        self.parts.iter().try_fold(root, |value, part| {
            if text::is_list(value) {
                text::elements(value)?.get(self.rule.index(part)?).copied()
            } else {
                text::member(value, part)
            }
        })
    }
}

impl IndexRule {
    pub(crate) fn index(self, part: &str) -> Option<usize> {
        match self {
            IndexRule::Strict => {
                let canonical = part == "0" || !part.starts_with('0');
                (canonical && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
                    .then(|| part.parse().ok())
                    .flatten()
            }
            IndexRule::Go => go_index(part),
        }
    }
}

/// Reads an index with [`go_integer`]. An empty text is 0. Returns `None` if the integer cannot be an index.
fn go_index(part: &str) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    usize::try_from(go_integer(part)?).ok()
}

/// Reads an integer like Go's `strconv.ParseInt(text, 0, 64)`.
pub(crate) fn go_integer(part: &str) -> Option<i64> {
    let (negative, digits) = match part.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, part.strip_prefix('+').unwrap_or(part)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, rest, prefixed) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest, true)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest, true)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest, true)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.get(1..)?, true)
    } else {
        (10, lower.as_str(), false)
    };
    // An underscore is allowed only between digits and after a base prefix.
    let misplaced = rest.ends_with('_') || rest.contains("__") || (!prefixed && rest.starts_with('_'));
    let plain = rest.replace('_', "");
    if misplaced || plain.is_empty() || !plain.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let magnitude = i64::from_str_radix(&plain, radix).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

/// Replaces `~1` and then `~0`, in the order that RFC 6901 §4 requires. Any other `~x` is kept.
fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json;

    fn found(pointer: &str, rule: IndexRule) -> Option<String> {
        // The document of RFC 6901 §5 with additional members.
        let document = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8,
            "~1":9,"x":{"y":[[1,2],{"z":null}]}}"#;
        let document = json::parse(document).unwrap();
        let value = Pointer::parse(pointer, rule)?
            .find(document.as_object()?)
            .map(serde_json::to_string);
        value.map(Result::unwrap)
    }

    #[test]
    fn the_examples_of_the_rfc_are_found() {
        for (pointer, expected) in [
            ("/foo", r#"["bar","baz"]"#),
            ("/foo/0", r#""bar""#),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
            ("/~01", "9"),
            ("/x/y/0/1", "2"),
            ("/x/y/1/z", "null"),
        ] {
            assert_eq!(
                found(pointer, IndexRule::Strict).as_deref(),
                Some(expected),
                "{pointer}"
            );
        }
        assert!(Pointer::parse("", IndexRule::Strict).is_some_and(|pointer| pointer.is_whole()));
    }

    #[test]
    fn a_pointer_to_a_missing_value_finds_nothing() {
        for pointer in [
            "/missing",
            "/foo/2",
            "/foo/-",
            "/foo/-1",
            "/foo/00",
            "/foo/01",
            "/foo/+1",
            "/foo/0x1",
            "/foo/",
            "/foo/0/a",
            "/foo/18446744073709551616",
            "/x/y/0/1/",
            "/FOO",
            "/foo/\u{661}",
        ] {
            assert_eq!(found(pointer, IndexRule::Strict), None, "{pointer}");
        }
        assert_eq!(Pointer::parse("foo", IndexRule::Strict), None);
    }

    #[test]
    fn indices_can_have_the_syntax_of_go() {
        for (index, expected) in [
            ("", Some(0)),
            ("0", Some(0)),
            ("01", Some(1)),
            ("0x1F", Some(31)),
            ("0b11", Some(3)),
            ("0o17", Some(15)),
            ("017", Some(15)),
            ("+1", Some(1)),
            ("-0", Some(0)),
            ("1_000", Some(1000)),
            ("0_7", Some(7)),
            ("0x_f", Some(15)),
            ("-1", None),
            ("-", None),
            ("_1", None),
            ("1_", None),
            ("1__0", None),
            ("08", None),
            ("0x", None),
            ("1.0", None),
            (" 1", None),
            ("--1", None),
            ("+-1", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(IndexRule::Go.index(index), expected, "{index:?}");
        }
    }

    proptest! {
        #[test]
        fn an_escaped_name_is_found_again(name in any::<String>(), other in any::<String>()) {
            prop_assume!(name != other);
            let escaped = name.replace('~', "~0").replace('/', "~1");
            let members = vec![(other.into(), Value::Null), (name.clone().into(), Value::Bool(true))];
            let document = Object::from_unique(members);
            for rule in [IndexRule::Strict, IndexRule::Go] {
                let pointer = Pointer::parse(&format!("/{escaped}"), rule).unwrap();
                prop_assert_eq!(pointer.parts(), std::slice::from_ref(&name));
                prop_assert_eq!(pointer.find(&document), Some(&Value::Bool(true)));
            }
        }
    }
}
