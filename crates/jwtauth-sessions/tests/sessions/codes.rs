//! The page about the codes of sessions, which is generated from the table.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jwtauth_core::Class;
use jwtauth_sessions::Code;

use crate::texts;

/// Compares `docs/session-codes.md` with the table. `UPDATE_GENERATED=1` writes it again.
#[test]
fn the_page_of_codes_matches_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/session-codes.md");
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

/// Compares the codes in the Python stub with the table. `UPDATE_GENERATED=1` writes them again.
#[test]
fn the_python_stub_names_every_code() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bindings/python/python/jwtauth/_jwtauth.pyi");
    let stub = fs::read_to_string(&path).unwrap();
    let (start, end) = ("# <generated sessions>\n", "# </generated sessions>\n");
    let (before, rest) = stub.split_once(start).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let codes: String = Code::ALL
        .iter()
        .map(|code| format!("    \"{code}\",\n"))
        .collect();
    let expected = format!("{before}{start}_SessionCode: TypeAlias = Literal[\n{codes}]\n{end}{after}");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert!(
            stub == expected,
            "{} is out of date: make generate",
            path.display()
        );
    }
}

#[test]
fn the_texts_of_every_code_follow_the_rules() {
    for code in Code::ALL {
        texts::follow_the_rules(code.as_str(), code.message(), code.advice());
        let is_core = jwtauth_core::Code::ALL
            .iter()
            .any(|other| other.as_str() == code.as_str());
        assert!(!is_core, "{code} is a code of the core, too");
    }
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (class, meaning) in CLASSES {
        writeln!(
            page,
            "\n## {}\n\n{meaning}\n\n| code | message | what to do |\n|---|---|---|",
            class.as_str()
        )
        .unwrap();
        for code in Code::ALL.iter().filter(|code| code.class() == class) {
            writeln!(page, "| `{code}` | {} | {} |", code.message(), code.advice()).unwrap();
        }
    }
    page
}

const CLASSES: [(Class, &str); 5] = [
    (
        Class::Denied,
        "The decision about the session is negative. Retry: no.",
    ),
    (
        Class::Config,
        "The configuration is invalid; the operator must fix it. Retry: no.",
    ),
    (
        Class::Unavailable,
        "The store did not do what was asked. The outcome is not a grant, and no token was given out. Retry: yes.",
    ),
    (
        Class::Argument,
        "The calling program passed an invalid request. Retry: no.",
    ),
    (
        Class::Internal,
        "An internal error of the library, or a damaged entry. Retry: no.",
    ),
];

const INTRODUCTION: &str = "\
# Codes of sessions

Generated from the table in `crates/jwtauth-sessions/src/error.rs`; run `make generate` after changing it.

These codes are added to those of [decisions](error-codes.md), which a login can have, too. The stage of all of them is `session`.
The rules are the same: codes are never renamed, a program that does not know a code acts by its `class`, and neither the
message nor the detail contains a token, an accessor or the value of a claim.
";
