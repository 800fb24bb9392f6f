//! Documents on one line, for readers that read line by line.

use std::fmt::Write as _;

/// Returns a valid document without white space between its parts. The characters beyond ASCII at which some readers end
/// a line (U+0085, U+2028, U+2029) become escapes. `None` if the document has neither, which is usual.
pub(crate) fn on_one_line(document: &str) -> Option<String> {
    if !has_suspects(document) {
        return None;
    }
    let mut line = String::new();
    let (mut kept, mut within, mut escaped) = (0, false, false);
    for (at, letter) in document.char_indices() {
        let is_break = matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}');
        if is_break || !within && matches!(letter, ' ' | '\t' | '\n' | '\r') {
            line.push_str(document.get(kept..at).unwrap_or_default());
            kept = at + letter.len_utf8();
            if is_break {
                let _ = write!(line, "\\u{:04x}", u32::from(letter));
            }
        } else if letter == '"' && !escaped {
            within = !within;
        }
        escaped = letter == '\\' && !escaped;
    }
    if kept == 0 {
        return None;
    }
    line.push_str(document.get(kept..).unwrap_or_default());
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
