//! JSON pointers (RFC 6901).

use serde::{Deserialize, Serialize};

use crate::json::{Value, text};

/// A JSON pointer, split and unescaped once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pointer {
    #[serde(rename = "pointer")]
    text: String,
    #[serde(skip)]
    parts: Vec<String>,
    #[serde(rename = "index", skip_serializing_if = "IndexRule::is_strict")]
    rule: IndexRule,
}

/// How the part of a pointer that stands for a list's index is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexRule {
    /// As RFC 6901 §4: decimal digits without leading zeros.
    #[default]
    Strict,
    /// As Go reads integers of base 0: `0x1`, `0b1`, `0o7`, leading-zero octal, underscores and signs; empty is 0.
    Go,
}

impl IndexRule {
    fn is_strict(&self) -> bool {
        *self == IndexRule::Strict
    }
}

impl Pointer {
    /// Parses a pointer; `None` when it is neither empty nor starts with `/`.
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

    /// The pointer as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The steps, unescaped.
    pub(crate) fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Follows the pointer; `None` when any step leads nowhere.
    pub fn find<'a, 't>(&self, root: &'a Value<'t>) -> Option<&'a Value<'t>> {
        self.parts.iter().try_fold(root, |value, part| match value {
            Value::Object(object) => object.get(part),
            Value::Array(items) => items.get(self.rule.index(part)?),
            _ => None,
        })
    }

    /// As [`Pointer::find`], over the document's text: how the value is written.
    pub(super) fn find_text<'t>(&self, root: &'t str) -> Option<&'t str> {
        self.parts.iter().try_fold(root, |value, part| {
            if text::is_list(value) {
                text::element(value, self.rule.index(part)?)
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

/// An integer as [`go_integer`] reads it, when it can be an index; empty is 0.
fn go_index(part: &str) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    usize::try_from(go_integer(part)?).ok()
}

/// An integer as Go's `strconv.ParseInt(text, 0, 64)` reads it.
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
    // An underscore may stand between digits, and after a base prefix; nowhere else.
    let misplaced = rest.ends_with('_') || rest.contains("__") || (!prefixed && rest.contains('_'));
    let plain = rest.replace('_', "");
    if misplaced || plain.is_empty() || !plain.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let magnitude = i64::from_str_radix(&plain, radix).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

/// `~1` first, then `~0`, as RFC 6901 §4 orders; any other `~x` stays.
fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}
