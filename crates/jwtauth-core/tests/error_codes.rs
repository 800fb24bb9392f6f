//! The page about error codes, which is generated from the core's table.

#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy allows this only in functions marked as tests"
)]

#[path = "codes/texts.rs"]
mod texts;

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
        texts::follow_the_rules(code.as_str(), code.message(), code.advice());
        let name = code.as_str();
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
    (
        Class::Denied,
        "DENIED",
        "no",
        "The decision about the token is negative.",
    ),
    (
        Class::Config,
        "CONFIG",
        "no",
        "The configuration is invalid; the operator must fix it.",
    ),
    (
        Class::Unavailable,
        "UNAVAILABLE",
        "yes",
        "The library cannot decide, because keys could not be obtained. This is not a grant.",
    ),
    (
        Class::Argument,
        "ARGUMENT",
        "no",
        "The calling program passed an invalid argument or request.",
    ),
    (
        Class::Internal,
        "INTERNAL",
        "no",
        "An internal error of the library.",
    ),
];

const INTRODUCTION: &str = "\
# Error codes

Generated from the table in `crates/jwtauth-core/src/error.rs`; run `make generate` after changing it.

Every failure has a `code`. It is the same in every language and in every dialect. It is never renamed, and never reused
with another meaning. New codes may be added: a program that does not know a code should act by its `class`.

The `message` of a code never changes. The `detail` describes what was found, and where. Its wording may change, so show
it and do not parse it. The message and the detail never contain the token or the value of a claim. `claim`, if present,
is the name of the claim.
";
