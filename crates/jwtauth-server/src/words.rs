//! The words of the library's failures, as the configured system would say them.

use jwtauth_sessions::Error;

/// The detail of a failure: without the place in a configuration that the client does not know, and without what the library
/// adds in parentheses to the words of the system.
pub(crate) fn words(error: &Error) -> &str {
    let text = error.detail().unwrap_or_else(|| error.message());
    let text = match text.split_once("`: ") {
        Some((place, rest)) if place.starts_with('`') => rest,
        _ => text,
    };
    match error {
        Error::Decision(error) if error.class() == jwtauth_core::Class::Denied => without_addition(text),
        _ => text,
    }
}

/// Removes a sentence in parentheses at the end. Parentheses around one word, such as `(exp)`, belong to the words.
fn without_addition(text: &str) -> &str {
    if !text.ends_with(')') {
        return text;
    }
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices().rev() {
        match letter {
            ')' => depth += 1,
            '(' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            let (before, added) = text.split_at(at);
            return match before.strip_suffix(' ') {
                Some(before) if added.contains(' ') => before,
                _ => text,
            };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn additions_of_the_library_are_removed() {
        for (text, expected) in [
            (
                "missing token (expected in the request's `token`)",
                "missing token",
            ),
            ("token is expired (exp)", "token is expired (exp)"),
            (
                "token is expired (exp) (expired 3 s ago (exp))",
                "token is expired (exp)",
            ),
            ("invalid issuer (iss) claim", "invalid issuer (iss) claim"),
            ("(all of it)", "(all of it)"),
            ("odd )", "odd )"),
            ("", ""),
        ] {
            assert_eq!(without_addition(text), expected);
        }
    }
}
