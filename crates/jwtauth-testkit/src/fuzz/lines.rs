//! Texts that must be one line.

/// Readers in every language must read a text as one line. Some end a line at more characters than LF.
pub(super) fn is_one_line(text: &str) {
    let ends_a_line =
        |letter| matches!(letter, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    assert!(!text.contains(ends_a_line), "a reply is one line");
}
