//! Documents on one line, for readers that read line by line.

use std::fmt::Write as _;

/// Returns a valid document without white space between its parts. The characters beyond ASCII at which some readers end
/// a line (U+0085, U+2028, U+2029) become escapes. `None` if the document has neither, which is usual.
pub(crate) fn on_one_line(document: &str) -> Option<String> {
    if !has_suspects(document) || !has_white_space(document) && !has_breaks(document.as_bytes()) {
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

/// Whether the document has a byte that may have to be changed: a blank, a control character, or one beyond ASCII.
fn has_suspects(document: &str) -> bool {
    any_word(document.as_bytes(), |word| {
        (word.wrapping_sub(ALL * 0x21) | word) & (ALL * 0x80)
    })
}

/// Whether the document has a byte below the blank.
fn has_controls(document: &[u8]) -> bool {
    any_word(document, |word| {
        word.wrapping_sub(ALL * 0x20) & !word & (ALL * 0x80)
    })
}

/// Whether the result of the test is not zero for any eight bytes. It reads all bytes, because an early end costs more.
fn any_word(bytes: &[u8], test: impl Fn(u64) -> u64) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let found = words
        .iter()
        .fold(0, |found, word| found | test(u64::from_le_bytes(*word)));
    let mut last = [b'a'; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    (found | test(u64::from_le_bytes(last))) != 0
}

/// A word whose bytes are all one.
pub(super) const ALL: u64 = 0x0101_0101_0101_0101;

/// Whether the document has white space outside of its texts.
fn has_white_space(document: &str) -> bool {
    let bytes = document.as_bytes();
    // A text has no control characters, so these are outside.
    has_controls(bytes)
        || match memchr::memchr(b'\\', bytes) {
            None => has_blank_outside(bytes),
            Some(_) => has_blank_outside_of_escapes(bytes),
        }
}

/// Whether a document without backslashes has a blank outside of its texts. Most documents have few blanks, so the quotes
/// before each one are counted, many bytes at a time.
fn has_blank_outside(document: &[u8]) -> bool {
    let (mut from, mut within) = (0, false);
    memchr::memchr_iter(b' ', document).any(|blank| {
        let before = document.get(from..blank).unwrap_or_default();
        let quotes = memchr::memchr_iter(b'"', before).count();
        within ^= quotes % 2 == 1;
        from = blank;
        !within
    })
}

/// Whether any document has a blank outside of its texts. A quote after a backslash does not end a text.
fn has_blank_outside_of_escapes(document: &[u8]) -> bool {
    let (mut within, mut escaped) = (false, false);
    document.iter().any(|byte| {
        match byte {
            b'"' if !escaped => within = !within,
            b' ' if !within => return true,
            _ => {}
        }
        escaped = *byte == b'\\' && !escaped;
        false
    })
}

/// Whether the document has one of the characters of [`is_break`], by their bytes in UTF-8.
fn has_breaks(document: &[u8]) -> bool {
    let mut firsts = memchr::memchr2_iter(0xc2, 0xe2, document);
    firsts.any(|first| {
        matches!(
            document.get(first..),
            Some([0xc2, 0x85, ..] | [0xe2, 0x80, 0xa8 | 0xa9, ..])
        )
    })
}

fn is_break(letter: char) -> bool {
    matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_searches_for_bytes_find_each(document in "[ -~]{0,20}[\\x00-\\x7f\u{80}é]{0,2}[!-~]{0,20}") {
            let any = |is: fn(u8) -> bool| document.bytes().any(is);
            prop_assert_eq!(has_suspects(&document), any(|byte| byte <= b' ' || !byte.is_ascii()));
            prop_assert_eq!(has_controls(document.as_bytes()), any(|byte| byte < b' '));
        }

        #[test]
        fn line_breaks_are_found_by_their_bytes(document in "[a\u{c2}\u{85}\u{84}\u{e2}\u{2028}\u{2029}\u{202a}\u{2128}]{0,5}") {
            prop_assert_eq!(has_breaks(document.as_bytes()), document.contains(is_break));
        }

        #[test]
        fn both_searches_for_blanks_agree(document in "[a\" ]{0,40}") {
            let document = document.as_bytes();
            prop_assert_eq!(has_blank_outside(document), has_blank_outside_of_escapes(document));
        }
    }

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
