//! The rules for the texts of codes, for those of decisions and those of sessions.

/// Checks the name, the message and the advice of a code.
pub(crate) fn follow_the_rules(code: &str, message: &str, advice: &str) {
    let first = |text: &str| text.chars().next();
    assert!(
        first(message).is_some_and(char::is_lowercase) && !message.ends_with('.'),
        "{code}: {message}"
    );
    assert!(
        first(advice).is_some_and(char::is_uppercase) && advice.ends_with('.'),
        "{code}: {advice}"
    );
    for text in [message, advice] {
        assert!(!text.contains(['\n', '|']), "{code}: {text}");
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    assert!(!code.is_empty() && code.bytes().all(plain), "{code}");
}
