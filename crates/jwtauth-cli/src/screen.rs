//! Output on a terminal.
//!
//! Much of the output comes from possible attackers. [`printable`] prevents such text from moving the cursor, changing
//! colours or reordering a line.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use jwtauth_core::internals::json::Value;
use serde::Serialize;

use crate::ending::Misuse;

/// The style of a success.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// The style of a failure.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// The style of a warning.
pub(crate) const CARE: Style = AnsiColor::Yellow.on_default().bold();
/// The style of names.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// The style of headings.
pub(crate) const HEAD: Style = Style::new().bold();

/// Reads standard input.
///
/// # Errors
/// The error of the operating system.
pub(crate) fn input() -> Result<String, Misuse> {
    let mut text = String::new();
    io::stdin()
        .take(INPUT_LIMIT)
        .read_to_string(&mut text)
        .map_err(|why| Misuse::new(format!("cannot read standard input: {why}")))?;
    Ok(text)
}

/// Reads a file.
///
/// # Errors
/// The error of the operating system.
pub(crate) fn file(path: &Path) -> Result<String, Misuse> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(INPUT_LIMIT).read_to_string(&mut text))
        .map_err(|why| Misuse::file(path, why))?;
    Ok(text)
}

/// More than the maximum length of a token or a configuration, so that the library reports that it is too long.
const INPUT_LIMIT: u64 = 4 * 1024 * 1024 + 1;

/// Writes a text to standard output. Colours are written only to a terminal, and not if `NO_COLOR` is set.
///
/// # Errors
/// The error of the operating system; a closed pipe is not an error.
pub(crate) fn show(text: &str) -> Result<(), Misuse> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Misuse::new(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints an error on standard error.
pub(crate) fn complain(what: &dyn fmt::Display) {
    // If standard error cannot be written either, the exit code still reports the error.
    let _ = writeln!(
        anstream::stderr(),
        "{BAD}error:{BAD:#} {}",
        printable(&what.to_string())
    );
}

/// Prints a report on standard error.
pub(crate) fn complain_with(report: &str) {
    let _ = write!(anstream::stderr(), "{report}");
}

/// Prints a warning on standard error.
pub(crate) fn warn(what: &dyn fmt::Display) {
    let _ = writeln!(
        anstream::stderr(),
        "{CARE}warning:{CARE:#} {}",
        printable(&what.to_string())
    );
}

/// The text with control characters and invisible characters written as JSON escapes.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unprintable(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

/// A JSON text on one line. It is safe on a terminal and is still the same document: only strings contain characters
/// that are escaped.
pub(crate) fn reply(json: &str) -> String {
    format!("{}\n", printable(json))
}

/// Indented JSON that is safe on a terminal and is still the same document.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    // JSON strings contain no raw line breaks, so every line break is part of the indentation.
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// A value on one line: text unquoted, lists and objects flattened, any other value as JSON.
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

/// Whether a character is a control character, or is invisible and can change how others are displayed.
pub(crate) fn is_unprintable(character: char) -> bool {
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
    fn control_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[31mb\u{9b}2J"), "a\\u001b[31mb\\u009b2J");
        assert_eq!(printable("line\nbreak\r\t"), "line\\u000abreak\\u000d\\u0009");
        assert_eq!(printable("user\u{202e}nimda"), "user\\u202enimda");
        assert_eq!(printable("\u{e0041}"), "\\udb40\\udc41");
        assert_eq!(printable("Zoë 管理者 🙂"), "Zoë 管理者 🙂");
    }

    #[test]
    fn a_reply_stays_the_same_document_on_one_line() {
        let document = serde_json::json!({"name": "a\u{1b}[2J\u{9b}\u{2028}\u{202e}b"});
        let text = reply(&document.to_string());
        let line = text.strip_suffix('\n').unwrap();
        assert!(!line.chars().any(is_unprintable));
        assert_eq!(serde_json::from_str::<serde_json::Value>(line).unwrap(), document);
    }

    #[test]
    fn pretty_json_stays_the_same_document() {
        let document = serde_json::json!({"name": "a\u{1b}[2J\u{7f}\n\u{202e}b"});
        let text = pretty(&document);
        assert!(
            text.chars()
                .all(|character| character == '\n' || !is_unprintable(character))
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            document
        );
    }
}
