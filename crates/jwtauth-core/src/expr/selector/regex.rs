//! Regular expressions in the syntax of Go's RE2. Only this module uses the `regex` crate.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// A compiled pattern. It matches anywhere in a text, unless it is anchored.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: String,
    compiled: Regex,
}

impl Pattern {
    /// Compiles a pattern.
    pub(super) fn parse(text: &str) -> Result<Pattern, String> {
        let translated = translate(text)?;
        RegexBuilder::new(&translated)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_COMPILED)
            .nest_limit(MAX_NESTING)
            .build()
            .map(|compiled| Pattern {
                text: text.to_owned(),
                compiled,
            })
            .map_err(|why| match why {
                regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
                why => {
                    // The crate's message has several lines, and the last one contains the reason.
                    let reason = why.to_string();
                    reason
                        .lines()
                        .last()
                        .unwrap_or_default()
                        .trim_start_matches("error: ")
                        .to_owned()
                }
            })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text
    }
}

const MAX_COMPILED: usize = 1 << 20;
const MAX_NESTING: u32 = 50;

/// Translates a pattern from Go's syntax to that of the `regex` crate: classes such as `\d` are ASCII, and characters
/// that are operators only in the crate are literal.
fn translate(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut letters = text.chars().peekable();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => escape(&mut letters, in_class, &mut out)?,
            '[' if in_class && letters.peek() != Some(&':') => out.push_str(r"\["),
            '[' if in_class => named_class(&mut letters, &mut out)?,
            '[' => {
                in_class = true;
                out.push('[');
                class_start(&mut letters, &mut out);
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                let _ = write!(out, "\\{letter}");
            }
            // In a class, `a--b` is a set difference in the crate. In Go it is a range that starts at `-`.
            '-' if in_class && letters.peek() == Some(&'-') => {
                return Err("`--` in a character class is not supported; escape one of the two".to_owned());
            }
            '(' if !in_class && letters.peek() == Some(&'?') => {
                out.push('(');
                flags(&mut letters, &mut out)?;
            }
            letter => out.push(letter),
        }
    }
    Ok(out)
}

fn escape(letters: &mut Peekable<Chars<'_>>, in_class: bool, out: &mut String) -> Result<(), String> {
    let Some(letter) = letters.next() else {
        return Err("the regular expression ends with a backslash".to_owned());
    };
    match letter {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        's' => out.push_str(r"[\t\n\f\r ]"),
        'S' => out.push_str(r"[^\t\n\f\r ]"),
        'b' if !in_class => out.push_str(r"(?-u:\b)"),
        'a' | 'f' | 't' | 'n' | 'r' | 'v' | 'A' | 'z' | 'x' | 'p' | 'P' => {
            let _ = write!(out, "\\{letter}");
        }
        // In Go, a backslash before any ASCII punctuation means this character. In the crate, `\<` has a meaning.
        letter if letter.is_ascii_punctuation() => {
            out.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])))
        }
        letter => return Err(format!("the escape `\\{letter}` is not supported")),
    }
    Ok(())
}

/// Reads the start of a class. A `]` directly after `[` or `[^` is literal in both languages.
fn class_start(letters: &mut Peekable<Chars<'_>>, out: &mut String) {
    if letters.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if letters.next_if_eq(&']').is_some() {
        out.push_str(r"\]");
    }
}

/// Copies a named class such as `[:alpha:]` inside a class.
fn named_class(letters: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    out.push('[');
    for letter in letters.by_ref() {
        out.push(letter);
        if letter == ']' {
            return Ok(());
        }
    }
    Err("a character class is not closed".to_owned())
}

/// Copies flags such as `(?i)`, `(?s:…)` or `(?P<name>…)`. Only Go's flags are allowed.
fn flags(letters: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    while let Some(letter) = letters.next_if(|letter| !matches!(letter, ':' | ')' | '<')) {
        if !matches!(letter, '?' | 'P' | 'i' | 'm' | 's' | 'U' | '-') {
            return Err(format!("`(?{letter}` is not supported"));
        }
        out.push(letter);
    }
    Ok(())
}
