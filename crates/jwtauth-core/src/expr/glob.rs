//! Patterns in which `*` stands for any run of characters.

use serde::{Serialize, Serializer};

/// A pattern: `*` matches any run of characters, also an empty one; everything else stands for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
}

impl Glob {
    /// Takes a pattern; every text is one.
    pub fn new(text: impl Into<String>) -> Glob {
        Glob { text: text.into() }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `text` fits the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let Some((head, rest)) = self.text.split_once('*') else {
            return self.text == text;
        };
        let Some(mut text) = text.strip_prefix(head) else {
            return false;
        };
        // Each piece is taken at its first occurrence, which leaves the most for the pieces after it.
        let mut pieces = rest.split('*').peekable();
        while let Some(piece) = pieces.next() {
            if pieces.peek().is_none() {
                return text.ends_with(piece);
            }
            match text.find(piece).and_then(|at| text.get(at + piece.len()..)) {
                Some(after) => text = after,
                None => return false,
            }
        }
        true
    }
}

impl Serialize for Glob {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.text)
    }
}
