//! Documents on one line, for readers that read line by line.

use std::fmt::Write as _;

/// Returns a valid document without white space between its parts. The characters beyond ASCII at which some readers end
/// a line (U+0085, U+2028, U+2029) become escapes. `None` if the document has neither, which is usual.
pub(crate) fn on_one_line(document: &str) -> Option<String> {
    if !has_suspects(document) || !has_white_space(document) && !document.contains(is_break) {
        return None;
    }
    let mut line = String::with_capacity(document.len());
    let (mut within, mut escaped) = (false, false);
    for letter in document.chars() {
        match letter {
            '"' if !escaped => within = !within,
            ' ' | '\t' | '\n' | '\r' if !within => continue,
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        if is_break(letter) {
            let _ = write!(line, "\\u{:04x}", u32::from(letter));
        } else {
            line.push(letter);
        }
    }
    Some(line)
}

/// Whether the document has a byte that may have to be changed. Without an early end, so that the compiler can compare
/// many bytes at a time.
fn has_suspects(document: &str) -> bool {
    let is_suspect = |byte: u8| byte <= b' ' || !byte.is_ascii();
    document
        .bytes()
        .fold(false, |found, byte| found | is_suspect(byte))
}

/// Whether the document has white space outside of its texts.
fn has_white_space(document: &str) -> bool {
    let mut within = false;
    // Between two quotes, a part is inside of a text or outside; a quote after a backslash does not end a text.
    for part in document.split('"') {
        if !within && part.bytes().any(|byte| byte <= b' ') {
            return true;
        }
        let backslashes = part.bytes().rev().take_while(|byte| *byte == b'\\').count();
        within = !within || backslashes % 2 == 1;
    }
    false
}

fn is_break(letter: char) -> bool {
    matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_between_the_parts_is_removed_and_texts_are_kept() {
        for (document, line) in [
            (" {\r\n\t\"a\" : [ 1 , 2.50 ] } \n", r#"{"a":[1,2.50]}"#),
            (
                r#"{"a b":"c \" d \\" , "\\\"":" "}"#,
                r#"{"a b":"c \" d \\","\\\"":" "}"#,
            ),
            (r#"{"a":"\n\u2028"} "#, r#"{"a":"\n\u2028"}"#),
            (
                "{\"\u{e9} \u{1f511}\": \"\u{e9}\"}",
                "{\"\u{e9} \u{1f511}\":\"\u{e9}\"}",
            ),
        ] {
            assert_eq!(on_one_line(document).as_deref(), Some(line), "{document}");
            assert_eq!(on_one_line(line), None, "{line}");
        }
    }

    #[test]
    fn the_line_breaks_of_unicode_are_escaped() {
        let line = on_one_line("{\"a\u{85}\":\"\\\\\u{2028}\u{2029}\"}").unwrap();
        assert_eq!(line, r#"{"a\u0085":"\\\u2028\u2029"}"#);
        assert_eq!(on_one_line(&line), None);
    }

    #[test]
    fn a_compact_document_is_not_copied() {
        for document in [
            "{}",
            r#"{"a":[1,null]}"#,
            r#"{"name":"Alice Liddell"}"#,
            "\"\u{e9}\u{2027}\"",
        ] {
            assert_eq!(on_one_line(document), None, "{document}");
        }
    }
}
