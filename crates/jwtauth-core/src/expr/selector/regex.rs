//! Regular expressions in the syntax of Go's RE2. Only this module uses the `regex` crate.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

use super::properties::is_property;

/// A compiled pattern. It matches anywhere in a text, unless it is anchored.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: String,
    compiled: Regex,
    size: usize,
}

impl Pattern {
    /// Compiles a pattern.
    pub(super) fn parse(text: &str) -> Result<Pattern, String> {
        let translated = translate(text)?;
        // The crate does not report the size of a compiled expression, but has a limit for it.
        let mut size = LEAST_COMPILED;
        loop {
            let built = RegexBuilder::new(&translated)
                .size_limit(size)
                .dfa_size_limit(MAX_COMPILED)
                .nest_limit(MAX_NESTING)
                .build();
            match built {
                Ok(compiled) => {
                    return Ok(Pattern {
                        text: text.to_owned(),
                        compiled,
                        size,
                    });
                }
                Err(regex::Error::CompiledTooBig(_)) if size < MAX_COMPILED => size *= 2,
                Err(regex::Error::CompiledTooBig(_)) => {
                    return Err("the regular expression is too large".to_owned());
                }
                Err(why) => {
                    // The crate's message has several lines, and the last one contains the reason.
                    let reason = why.to_string();
                    return Err(reason
                        .lines()
                        .last()
                        .unwrap_or_default()
                        .trim_start_matches("error: ")
                        .to_owned());
                }
            }
        }
    }

    /// The approximate size of the compiled pattern, in bytes. The time of a match grows with its product with the length
    /// of the text: a byte takes up to a nanosecond for each byte of the pattern.
    pub(super) fn size(&self) -> usize {
        self.size
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

const LEAST_COMPILED: usize = 1 << 10;
const MAX_COMPILED: usize = 1 << 20;
const MAX_NESTING: u32 = 50;

/// Translates a pattern from Go's syntax to that of the `regex` crate: classes such as `\d` are ASCII, and characters
/// that are operators only in the crate are literal.
fn translate(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut letters = text.chars().peekable();
    let mut in_class = false;
    // Whether the last item of the class is a single character, so that a following `-` makes a range.
    let mut starts_range = false;
    let mut repeats = Repeats::default();
    while let Some(letter) = letters.next() {
        if in_class {
            starts_range = match letter {
                '-' if letters.peek() == Some(&'-') => {
                    // In a class, `a--b` is a set difference in the crate. In Go it is a range that starts at `-`.
                    return Err(
                        "`--` in a character class is not supported; escape one of the two".to_owned(),
                    );
                }
                '-' if starts_range && letters.peek() != Some(&']') => {
                    range_end(&letters)?;
                    out.push('-');
                    // The end of a range cannot start another range.
                    match letters.next() {
                        Some('\\') => escape(&mut letters, true, &mut out)?,
                        Some(end) => class_letter(end, &mut out),
                        None => {}
                    }
                    false
                }
                '\\' => {
                    let is_class = letters.peek().is_some_and(|letter| is_class_escape(*letter));
                    escape(&mut letters, true, &mut out)?;
                    !is_class
                }
                '[' if letters.peek() == Some(&':') => {
                    named_class(&mut letters, &mut out)?;
                    false
                }
                ']' => {
                    in_class = false;
                    out.push(']');
                    false
                }
                letter => {
                    class_letter(letter, &mut out);
                    true
                }
            };
            continue;
        }
        match letter {
            '*' | '+' | '?' => {
                repeats.repeat(1)?;
                out.push(letter);
                lazy(&mut letters, &mut out);
            }
            '{' => {
                if let Some(times) = times(letters.clone())? {
                    repeats.repeat(times)?;
                    out.push('{');
                    out.extend(letters.by_ref().take_while(|letter| *letter != '}'));
                    out.push('}');
                    lazy(&mut letters, &mut out);
                } else {
                    repeats.atom();
                    out.push_str(r"\{");
                }
            }
            '(' => {
                repeats.open();
                out.push('(');
                if letters.peek() == Some(&'?') {
                    flags(&mut letters, &mut out)?;
                }
            }
            ')' => {
                repeats.close();
                out.push(')');
            }
            '\\' => {
                repeats.atom();
                escape(&mut letters, false, &mut out)?;
            }
            '[' => {
                repeats.atom();
                in_class = true;
                out.push('[');
                starts_range = class_start(&mut letters, &mut out);
            }
            letter => {
                repeats.atom();
                out.push(letter);
            }
        }
    }
    Ok(out)
}

/// Counts how often parts of the expression are repeated. Go refuses more than 1,000 repetitions, also by nesting, and
/// an operator directly after a repetition.
#[derive(Default)]
struct Repeats {
    /// The largest numbers of repetitions in the open groups, the outermost first, without the current group.
    groups: Vec<u32>,
    /// The largest number of repetitions in the current group.
    most: u32,
    /// The number of repetitions of the last part.
    last: u32,
    /// Whether the last part is a repetition itself.
    repeated: bool,
}

impl Repeats {
    const MAX: u32 = 1000;

    fn atom(&mut self) {
        self.last = 1;
        self.repeated = false;
    }

    fn open(&mut self) {
        self.groups.push(std::mem::take(&mut self.most));
        self.atom();
    }

    fn close(&mut self) {
        self.last = self.most.max(1);
        self.most = self.groups.pop().unwrap_or_default().max(self.most);
        self.repeated = false;
    }

    fn repeat(&mut self, times: u32) -> Result<(), String> {
        if self.repeated {
            return Err("a repetition must be in a group to be repeated".to_owned());
        }
        self.last = self.last.max(1).saturating_mul(times.max(1));
        if self.last > Repeats::MAX {
            return Err(format!("more than {} repetitions", Repeats::MAX));
        }
        self.most = self.most.max(self.last);
        self.repeated = true;
        Ok(())
    }
}

/// Reads the number of repetitions after `{`: `2}`, `2,}` or `2,3}`. `None` for anything else, which is literal in Go.
fn times(letters: Peekable<Chars<'_>>) -> Result<Option<u32>, String> {
    if !letters.clone().any(|letter| letter == '}') {
        return Ok(None);
    }
    let body: String = letters.take_while(|letter| *letter != '}').collect();
    let (least, most) = body.split_once(',').unwrap_or((&body, &body));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(least) || !(most.is_empty() || is_number(most)) {
        return Ok(None);
    }
    let number = |text: &str| {
        let number = text.parse().ok().filter(|number| *number <= Repeats::MAX);
        number.ok_or_else(|| format!("more than {} repetitions", Repeats::MAX))
    };
    let least = number(least)?;
    if most.is_empty() {
        Ok(Some(least))
    } else {
        number(most).map(Some)
    }
}

/// Copies the `?` of a lazy repetition such as `*?`.
fn lazy(letters: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.extend(letters.next_if_eq(&'?'));
}

/// Checks that a range in a class ends in a single character.
fn range_end(letters: &Peekable<Chars<'_>>) -> Result<(), String> {
    let mut ahead = letters.clone();
    let is_class = match (ahead.next(), ahead.next()) {
        (Some('\\'), Some(letter)) => is_class_escape(letter),
        (Some('['), Some(':')) => true,
        _ => false,
    };
    if is_class {
        Err("a range in a character class must end in a single character".to_owned())
    } else {
        Ok(())
    }
}

/// Whether this letter after a backslash means a class of characters.
fn is_class_escape(letter: char) -> bool {
    matches!(letter, 'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'p' | 'P')
}

/// Writes a literal character of a class. Characters that are operators only in the crate are escaped.
fn class_letter(letter: char, out: &mut String) {
    if matches!(letter, '[' | '&' | '~') {
        out.push('\\');
    }
    out.push(letter);
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
        'a' | 'f' | 't' | 'n' | 'r' | 'v' | 'A' | 'z' => {
            let _ = write!(out, "\\{letter}");
        }
        'x' => {
            out.push_str(r"\x");
            if letters.next_if_eq(&'{').is_some() {
                let _ = write!(out, "{{{}}}", braced(letters)?);
            }
        }
        'p' | 'P' => {
            let name = if letters.next_if_eq(&'{').is_some() {
                braced(letters)?
            } else {
                letters.next().into_iter().collect()
            };
            // The crate has additional names and forms, such as `\p{Script=Greek}`.
            if !is_property(&name) {
                return Err(format!(
                    "the Unicode property `\\{letter}{{{name}}}` is not supported"
                ));
            }
            let _ = write!(out, "\\{letter}{{{name}}}");
        }
        // In Go, a backslash before any ASCII character except letters and digits means this character. In the crate, `\<`
        // has a meaning.
        letter if letter.is_ascii() && !letter.is_ascii_alphanumeric() => {
            out.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])))
        }
        letter => return Err(format!("the escape `\\{letter}` is not supported")),
    }
    Ok(())
}

/// Reads the text up to a closing brace.
fn braced(letters: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut name = String::new();
    for letter in letters {
        if letter == '}' {
            return Ok(name);
        }
        name.push(letter);
    }
    Err("a brace is not closed".to_owned())
}

/// Reads the start of a class. A `]` directly after `[` or `[^` is literal in both languages. Returns whether there is
/// one.
fn class_start(letters: &mut Peekable<Chars<'_>>, out: &mut String) -> bool {
    if letters.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let bracket = letters.next_if_eq(&']').is_some();
    if bracket {
        out.push_str(r"\]");
    }
    bracket
}

/// Copies a named class such as `[:alpha:]` inside a class.
fn named_class(letters: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    let name: String = letters.by_ref().take_while(|letter| *letter != ']').collect();
    let known = name.strip_prefix(':').and_then(|name| name.strip_suffix(':'));
    let known = known.map(|name| name.strip_prefix('^').unwrap_or(name));
    if !known.is_some_and(|known| CLASSES.contains(&known)) {
        return Err(format!("the character class `[{name}]` is not known"));
    }
    let _ = write!(out, "[{name}]");
    Ok(())
}

/// The names of the named classes.
const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Copies flags such as `(?i)`, `(?s:…)` or `(?P<name>…)`. Only Go's flags are allowed.
fn flags(letters: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    while let Some(letter) = letters.next_if(|letter| !matches!(letter, ':' | ')' | '<')) {
        if !matches!(letter, '?' | 'P' | 'i' | 'm' | 's' | 'U' | '-') {
            return Err(format!("`(?{letter}` is not supported"));
        }
        out.push(letter);
    }
    let mut name = letters.clone().skip(1).take_while(|letter| *letter != '>');
    if letters.peek() == Some(&'<') && !name.all(|letter| letter == '_' || letter.is_ascii_alphanumeric()) {
        return Err("the name of a group must consist of ASCII letters, digits and `_`".to_owned());
    }
    Ok(())
}
