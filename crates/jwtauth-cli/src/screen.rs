//! How does it look on a terminal?
//!
//! Much of what is shown comes from people who want something. [`printable`] keeps their text from moving the
//! cursor, colouring the screen or re-ordering a line.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use jwtauth_core::internals::json::Value;
use serde::Serialize;

use crate::ending::Misuse;

/// Good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Bad news.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Look twice.
pub(crate) const CARE: Style = AnsiColor::Yellow.on_default().bold();
/// The names of things.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Writes a finished text to standard output; colours only reach a terminal, and none does under `NO_COLOR`.
///
/// # Errors
/// What the operating system says, but for a reader that has seen enough and left.
pub(crate) fn show(text: &str) -> Result<(), Misuse> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Misuse::new(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Says on standard error what has to be mended.
pub(crate) fn complain(what: &dyn fmt::Display) {
    // When standard error is gone too, the exit code still says it.
    let _ = writeln!(
        anstream::stderr(),
        "{BAD}error:{BAD:#} {}",
        printable(&what.to_string())
    );
}

/// Says on standard error what is odd.
pub(crate) fn warn(what: &dyn fmt::Display) {
    let _ = writeln!(
        anstream::stderr(),
        "{CARE}warning:{CARE:#} {}",
        printable(&what.to_string())
    );
}

/// The text with everything that a terminal might obey, or that has no shape, written as JSON escapes.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_shapeless(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Indented JSON that is safe on a terminal and still the same document.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    // Within strings JSON has no line breaks of its own, so those that are left are the indentation's.
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// A value on one line: text as it is, anything else as JSON.
pub(crate) fn inline(value: &Value<'_>) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Array(items) => items.iter().map(inline).collect::<Vec<_>>().join(", "),
        Value::Object(object) => {
            let members = object.members();
            let pairs = members.map(|(name, value)| format!("{}={}", printable(name), inline(value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null => "null".to_owned(),
    }
}

/// One line of a list of names and values.
pub(crate) fn line(text: &mut String, name: &str, value: impl fmt::Display) {
    let _ = writeln!(text, "  {FAINT}{name:<13}{FAINT:#} {value}");
}

/// Whether a character is a control, or changes how others are shown without being seen.
fn is_shapeless(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_printed() {
        assert_eq!(printable("a\u{1b}[31mb\u{9b}2J"), "a\\u001b[31mb\\u009b2J");
        assert_eq!(printable("line\nbreak\r\t"), "line\\u000abreak\\u000d\\u0009");
        assert_eq!(printable("user\u{202e}nimda"), "user\\u202enimda");
        assert_eq!(printable("\u{e0041}"), "\\udb40\\udc41");
        assert_eq!(printable("Zoë 管理者 🙂"), "Zoë 管理者 🙂");
    }

    #[test]
    fn pretty_json_stays_the_same_document() {
        let document = serde_json::json!({"name": "a\u{1b}[2J\u{7f}\n\u{202e}b"});
        let text = pretty(&document);
        assert!(
            text.chars()
                .all(|character| character == '\n' || !is_shapeless(character))
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            document
        );
    }
}
