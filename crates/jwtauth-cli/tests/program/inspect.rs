//! `jwtauth inspect`.

use base64_simd::URL_SAFE_NO_PAD;

use super::{CLAIMS, jwtauth, jwtauth_with_input, token};

fn unsigned(header: &str, payload: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode_to_string(text);
    format!("{}.{}.c2ln", part(header), part(payload))
}

#[test]
fn the_first_word_is_unverified() {
    for token in [token(CLAIMS), unsigned("{}", "{}"), unsigned("not json", "\u{1}")] {
        let run = jwtauth(["inspect", &token]);
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(run.out.starts_with("UNVERIFIED"), "{}", run.out);
        assert!(run.out.contains("NOT CHECKED"), "{}", run.out);
    }
}

#[test]
fn header_payload_and_dates_are_shown() {
    let run = jwtauth_with_input(["inspect", "-"], &token(CLAIMS));

    assert_eq!(run.code, 0);
    assert!(run.out.contains(r#""alg": "RS256""#), "{}", run.out);
    assert!(run.out.contains(r#""sub": "alice""#), "{}", run.out);
    assert!(
        run.out.contains("exp        2100-01-01T00:00:00Z  (in "),
        "{}",
        run.out
    );
    assert!(run.out.contains("256 bytes"), "{}", run.out);
}

#[test]
fn what_is_around_a_token_is_left_out() {
    let token = token(CLAIMS);
    for text in [
        format!("Bearer {token}"),
        format!("\"{token}\""),
        format!(" bearer  {token} "),
    ] {
        let run = jwtauth(["inspect", &text]);
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(run.out.contains("something around the token"), "{}", run.out);
        assert!(run.out.contains(r#""alg": "RS256""#), "{}", run.out);
        assert!(run.out.contains("256 bytes"), "{}", run.out);
    }
    let run = jwtauth(["inspect", &token]);
    assert!(!run.out.contains("something around"), "{}", run.out);
}

#[test]
fn a_token_cannot_control_the_terminal() {
    let hostile = [
        unsigned(
            r#"{"alg":"\u001b]0;owned\u0007"}"#,
            r#"{"\u009b2J":"\u202eadmin\u0000"}"#,
        ),
        unsigned("\u{1b}[31m red", "\u{1b}c\u{7f}\u{85}"),
        unsigned("{\"a\":\"\u{9b}31m\u{2066}\"}", "{}"),
    ];
    for token in hostile {
        let run = jwtauth(["inspect", &token]);
        assert_eq!(run.code, 0, "{}", run.err);
        let steering =
            |character: char| character.is_control() || ('\u{2028}'..='\u{202e}').contains(&character);
        assert!(
            run.out
                .chars()
                .all(|character| character == '\n' || !steering(character)),
            "{:?}",
            run.out
        );
    }
}

#[test]
fn an_invalid_token_ends_with_2_and_is_not_repeated() {
    for (text, said) in [
        ("secret-secret", "1 part "),
        ("a.b", "2 parts"),
        ("a.b.c.d", "4 parts"),
        ("a.b.c.d.e", "encrypted"),
    ] {
        let run = jwtauth(["inspect", text]);
        assert_eq!(run.code, 2);
        assert_eq!(run.out, "");
        assert!(run.err.contains(said), "{}", run.err);
        assert!(!run.err.contains(text));
    }
}

#[test]
fn json_is_one_line_that_says_that_nothing_was_checked() {
    let run = jwtauth(["inspect", "--json", &token(CLAIMS)]);
    assert_eq!((run.code, run.out.lines().count()), (0, 1), "{}", run.err);
    assert!(
        run.out.starts_with(r#"{"verified":false,"header":{"#),
        "{}",
        run.out
    );
    let shown: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(shown["header"]["alg"], "RS256");
    assert_eq!(shown["payload"]["sub"], "alice");

    for token in [
        unsigned("not json", "{}"),
        unsigned("{}", r#"{"a":1,"a":2}"#),
        "a.!.c".to_owned(),
    ] {
        let run = jwtauth(["inspect", "--json", &token]);
        assert_eq!((run.code, run.out.as_str()), (2, ""));
        assert!(run.err.contains("is not JSON: "), "{}", run.err);
    }
    let hostile = jwtauth([
        "inspect",
        "--json",
        &unsigned("{}", r#"{"\u009b2J":"\u202eadmin"}"#),
    ]);
    assert!(!hostile.out.contains(['\u{9b}', '\u{202e}']), "{:?}", hostile.out);
}
