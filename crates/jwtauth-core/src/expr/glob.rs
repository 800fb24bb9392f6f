//! Patterns in which `*` matches any sequence of characters.

use serde::{Serialize, Serializer};

use super::Doubt;
use crate::warning::Rule;

/// A pattern. `*` matches any sequence of characters, including an empty one. Every other character is literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
}

impl Glob {
    /// Creates a pattern. Every text is a valid pattern.
    pub fn new(text: impl Into<String>) -> Glob {
        Glob { text: text.into() }
    }

    /// Returns the pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns what is probably a mistake in the pattern.
    pub(crate) fn doubt(&self) -> Option<Doubt> {
        let text = &self.text;
        // `v1.*` is a usual pattern, and `acme/.*` is not.
        let is_dot_star = |(at, _)| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            before.is_none_or(|letter: char| !letter.is_alphanumeric())
        };
        let is_regex = text.starts_with('^')
            || text.ends_with('$')
            || text.contains('\\')
            || text.match_indices(".*").any(is_dot_star);
        if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
            Some(Doubt::new(
                Rule::GlobMatchesEverything,
                "`*` matches every text, so the claim must only be present; write what must not vary, such as `acme/*`",
            ))
        } else if is_regex {
            Some(Doubt::new(
                Rule::GlobLooksLikeRegex,
                format!(
                    "`{text}` looks like a regular expression, and it is a glob: `*` matches any text, and every other character only itself"
                ),
            ))
        } else {
            None
        }
    }

    /// Whether the pattern matches the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        let Some((head, rest)) = self.text.split_once('*') else {
            return self.text == text;
        };
        let Some(mut text) = text.strip_prefix(head) else {
            return false;
        };
        // Each piece is matched at its first occurrence, which leaves the longest rest for the pieces after it.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_matches_any_sequence_and_no_other_character_is_special() {
        for (pattern, matching, others) in [
            ("", &[""][..], &["a"][..]),
            ("*", &["", "a", "\u{1f511}\n"], &[]),
            ("**", &["", "a"], &[]),
            ("a", &["a"], &["", "A", "aa", "ba"]),
            ("a*", &["a", "ab"], &["", "ba"]),
            ("*a", &["a", "ba"], &["", "ab"]),
            ("a*a", &["aa", "aba", "aaa"], &["a", "ab"]),
            ("*a*", &["a", "bab"], &["", "b"]),
            ("a*b*c", &["abc", "aXbYc", "abbcc"], &["acb", "ab", "abcd"]),
            ("*aab", &["aaab", "aabaab"], &["aaba"]),
            ("*ab*ab", &["abab", "xabyab"], &["ab", "aab"]),
            (
                "acme/*",
                &["acme/web", "acme/"],
                &["acme", "ACME/web", "xacme/web"],
            ),
            ("[a]?.\\", &["[a]?.\\"], &["a", "[a]xx"]),
            ("\u{e9}*", &["\u{e9}t\u{e9}"], &["e\u{301}t\u{e9}"]),
        ] {
            let glob = Glob::new(pattern);
            for text in matching {
                assert!(glob.matches(text), "{pattern} {text}");
            }
            for text in others {
                assert!(!glob.matches(text), "{pattern} {text}");
            }
        }
    }

    #[test]
    fn a_regular_expression_and_a_pattern_for_everything_are_doubted() {
        for (pattern, expected) in [
            ("*", Some("matches every text")),
            ("**", Some("matches every text")),
            ("^acme/.*$", Some("regular expression")),
            ("^acme", Some("regular expression")),
            ("acme$", Some("regular expression")),
            (".*", Some("regular expression")),
            ("acme/.*", Some("regular expression")),
            (r"v1\.*", Some("regular expression")),
            ("", None),
            ("acme/*", None),
            ("*@example.com", None),
            ("refs/tags/v1.*", None),
            ("a^b$c*", None),
            ("https://*.example/*", None),
        ] {
            let doubt = Glob::new(pattern).doubt();
            let found = doubt.as_ref().map(|doubt| doubt.text.as_str()).zip(expected);
            assert_eq!(doubt.is_some(), expected.is_some(), "{pattern}");
            assert!(
                found.is_none_or(|(doubt, text)| doubt.contains(text)),
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_hostile_pattern_is_matched_without_backtracking() {
        // A matcher with backtracking would not finish.
        let text = "a".repeat(64 * 1024);
        for pattern in [
            "a*".repeat(2000) + "b",
            "*a".repeat(2000) + "*b*",
            "*".repeat(4096) + "b",
            "a".repeat(30_000) + "*b",
        ] {
            assert!(!Glob::new(pattern).matches(&text));
        }
    }

    /// The simplest possible definition of `*`.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], text) => (0..=text.len()).any(|skipped| naive(rest, &text[skipped..])),
            ([letter, rest @ ..], [first, others @ ..]) => letter == first && naive(rest, others),
            (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn the_matcher_agrees_with_the_naive_one(pattern in "[ab*\u{e9}]{0,10}", text in "[ab\u{e9}]{0,12}") {
            let letters = |text: &str| text.chars().collect::<Vec<char>>();
            let expected = naive(&letters(&pattern), &letters(&text));
            prop_assert_eq!(Glob::new(pattern).matches(&text), expected);
        }
    }
}
