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
use zeroize::Zeroizing;

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
    text(io::stdin()).map_err(|why| Misuse::new(format!("cannot read standard input: {why}")))
}

/// Reads a file.
///
/// # Errors
/// The error of the operating system.
pub(crate) fn file(path: &Path) -> Result<String, Misuse> {
    let read = File::open(path).and_then(text);
    read.map_err(|why| Misuse::file(path, why))
}

/// Reads a file that the library does not read, with the limit of a configuration. It may contain a key.
///
/// # Errors
/// The error of the operating system, or the file is too large.
pub(crate) fn whole_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Misuse> {
    let read = File::open(path).and_then(start_of);
    let bytes = read.map_err(|why| Misuse::file(path, why))?;
    if bytes.len() > MAX_FILE {
        return Err(Misuse::new(format!("{} is larger than 4 MiB", path.display())));
    }
    Ok(bytes)
}

/// Reads a text, or so much of it that the library reports that it is too long.
fn text(from: impl io::Read) -> io::Result<String> {
    let bytes = start_of(from)?;
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        // What was cut may end in the middle of a character.
        Err(why) if why.error_len().is_none() && bytes.len() > MAX_FILE => {
            let whole = bytes.get(..why.valid_up_to()).unwrap_or_default();
            Ok(String::from_utf8_lossy(whole).into_owned())
        }
        Err(_) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "stream did not contain valid UTF-8",
        )),
    }
}

/// Reads up to a character more than [`MAX_FILE`].
fn start_of(from: impl io::Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    from.take(MAX_FILE as u64 + LONGEST_CHARACTER)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The maximum length of a file, as in the library.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// With so many bytes more, a text without a cut character is still too long.
const LONGEST_CHARACTER: u64 = 4;

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
    fn a_text_that_is_cut_in_a_character_is_too_long_and_not_invalid() {
        for before in 0..8 {
            for letter in ["a", "é", "€", "🙂"] {
                let whole = format!(
                    "{}{}",
                    "a".repeat(before),
                    letter.repeat(MAX_FILE / letter.len() + 8)
                );
                let read = text(whole.as_bytes()).unwrap();
                assert!(read.len() > MAX_FILE && whole.starts_with(&read), "{letter}");
            }
        }
        let mut broken = "é".repeat(3).into_bytes();
        broken.pop();
        for bytes in [broken, vec![b'a', 0xff, b'b'], vec![0xff; MAX_FILE + 9]] {
            assert!(text(bytes.as_slice()).is_err());
        }
    }

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
