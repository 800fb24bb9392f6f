//! Configurations of every dialect, and the native policy to which each compiles.
//!
//! `tests/dialects/<dialect>/<name>.in.json` contains the value of `config`. `<name>.policy.json` in the same folder
//! contains the indented policy reply; `UPDATE_GENERATED=1` writes it again. Paths are relative to this folder.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this is a test; clippy allows this only in functions marked as tests"
)]

use std::fs;
use std::path::{Path, PathBuf};

use jwtauth_core::internals::json;
use jwtauth_core::{Code, Verifier, wire};

#[test]
fn each_configuration_compiles_to_its_policy() {
    let pairs = pairs();
    for (dialect, input) in &pairs {
        let printed = indented(&wire::policy(&verifier(dialect, input)));
        let expected = input.with_extension("").with_extension("policy.json");
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            fs::write(&expected, &printed).unwrap();
        }
        let expected_text = fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(printed, expected_text, "{}", expected.display());
    }
}

#[test]
fn each_printed_policy_is_read_as_the_same_policy() {
    for (dialect, input) in pairs() {
        let printed = wire::policy(&verifier(&dialect, &input));
        let again = Verifier::from_json(&with_base_dir(&printed, input.parent().unwrap()));
        if printed.contains("(redacted)") {
            assert_eq!(again.unwrap_err().code(), Code::KeyInvalid, "{}", input.display());
        } else {
            let again = again.unwrap_or_else(|error| panic!("{}: {error}\n{printed}", input.display()));
            assert_eq!(
                config(&wire::policy(&again)),
                config(&printed),
                "{}",
                input.display()
            );
        }
    }
}

fn pairs() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialects");
    let mut pairs = Vec::new();
    for folder in fs::read_dir(root).unwrap() {
        let folder = folder.unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            if path.to_string_lossy().ends_with(".in.json") {
                pairs.push((folder.file_name().into_string().unwrap(), path));
            }
        }
    }
    pairs.sort();
    pairs
}

fn verifier(dialect: &str, input: &Path) -> Verifier {
    let config = fs::read_to_string(input).unwrap();
    let envelope = format!(r#"{{"dialect":"{dialect}","config":{config}}}"#);
    Verifier::from_json(&with_base_dir(&envelope, input.parent().unwrap()))
        .unwrap_or_else(|error| panic!("{}: {error}", input.display()))
}

fn with_base_dir(envelope: &str, folder: &Path) -> String {
    let options = serde_json::json!({ "base_dir": folder });
    format!(
        r#"{{"options":{options},{}"#,
        envelope.trim_start().strip_prefix('{').unwrap()
    )
}

/// Returns the text of the policy without warnings, which are about the original configuration.
fn config(reply: &str) -> String {
    let document = json::parse(reply).unwrap();
    indented(&serde_json::to_string(document.as_object().unwrap().get("config").unwrap()).unwrap())
}

fn indented(text: &str) -> String {
    serde_json::to_string_pretty(&json::parse(text).unwrap()).unwrap() + "\n"
}
