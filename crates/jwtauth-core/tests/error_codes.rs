//! The page about error codes, which is generated from the core's table.

#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy allows this only in functions marked as tests"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jwtauth_core::{Class, Code};

/// Compares `docs/error-codes.md` with the table. `UPDATE_GENERATED=1` writes it again.
#[test]
fn the_page_of_error_codes_matches_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/error-codes.md");
    let expected = page();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == expected,
        "{} is out of date: make generate",
        path.display()
    );
}

#[test]
fn the_texts_of_every_code_follow_the_rules() {
    for code in Code::ALL {
        let (message, advice) = (code.message(), code.advice());
        let first = |text: &str| text.chars().next().unwrap();
        assert!(
            first(message).is_lowercase() && !message.ends_with('.'),
            "{code}: {message}"
        );
        assert!(
            first(advice).is_uppercase() && advice.ends_with('.'),
            "{code}: {advice}"
        );
        for text in [message, advice] {
            assert!(!text.contains(['\n', '|']), "{code}: {text}");
        }
        let name = code.as_str();
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        );
        assert_eq!(
            Code::ALL.iter().filter(|other| other.as_str() == name).count(),
            1,
            "{code}"
        );
    }
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (class, status, retry, meaning) in CLASSES {
        let name = class.as_str();
        writeln!(
            page,
            "\n## {name}\n\n{meaning} C status `JWTAUTH_STATUS_{status}`. Retry: {retry}.\n"
        )
        .unwrap();
        writeln!(page, "| code | stage | message | what to do |\n|---|---|---|---|").unwrap();
        for code in Code::ALL.iter().filter(|code| code.class() == class) {
            let (stage, message, advice) = (code.stage().as_str(), code.message(), code.advice());
            writeln!(page, "| `{code}` | `{stage}` | {message} | {advice} |").unwrap();
        }
    }
    page
}

const CLASSES: [(Class, &str, &str, &str); 5] = [
    (Class::Denied, "DENIED", "no", "The answer is no."),
    (
        Class::Config,
        "CONFIG",
        "no",
        "The operator must mend the configuration.",
    ),
    (
        Class::Unavailable,
        "UNAVAILABLE",
        "yes",
        "The answer is not known, because keys could not be obtained. It is not a yes.",
    ),
    (
        Class::Argument,
        "ARGUMENT",
        "no",
        "The calling program made a mistake.",
    ),
    (Class::Internal, "INTERNAL", "no", "This library made a mistake."),
];

const INTRODUCTION: &str = "\
# Error codes

Generated from the table in `crates/jwtauth-core/src/error.rs`; run `make generate` after changing it.

Every failure has a `code`. It is the same in every language and in every dialect, it is never renamed, and it is never
used again for something else. New codes may come: a program that meets one it does not know acts by its `class`.

The `message` is always the same for a code. What was found, and where, is in the `detail`; its wording may change, so
show it and do not parse it. Neither holds the token or the value of a claim. `claim`, where it is there, is the name
of the claim.
";
