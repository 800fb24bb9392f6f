//! The program from a shell: arguments, standard streams, exit codes.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may end where something is not as it should be"
)]

mod examples;
mod explain;
mod inspect;
mod keys;
mod policy;
mod sign;
mod verify;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The result of a run of the program.
struct Run {
    code: i32,
    out: String,
    err: String,
}

/// Runs the program from the repository's root.
fn jwtauth<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>) -> Run {
    jwtauth_with_input(arguments, "")
}

fn jwtauth_with_input<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>, input: &str) -> Run {
    jwtauth_in(&root(), [], arguments, input)
}

/// Runs the program in a folder, with additional variables in its environment.
fn jwtauth_in<S: AsRef<str>>(
    folder: &Path,
    environment: impl IntoIterator<Item = (&'static str, &'static str)>,
    arguments: impl IntoIterator<Item = S>,
    input: &str,
) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_jwtauth"))
        .args(arguments.into_iter().map(|argument| argument.as_ref().to_owned()))
        .current_dir(folder)
        .envs(environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads no input may end before the input is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Signs claims with the examples' issuer.
fn token(claims: &str) -> String {
    signed_by("examples/keys/issuer.private.pem", claims)
}

fn signed_by(key: &str, claims: &str) -> String {
    let run = jwtauth(["sign", "--key", key, "--alg", "RS256", "--claims", claims]);
    assert_eq!(run.code, 0, "{}", run.err);
    run.out.trim_end().to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Writes a file for one test.
fn file(name: &str, content: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

const NATIVE: &str = "examples/configs/native.json";
/// The claims that the native example requires, with an expiry in the far future.
const CLAIMS: &str = r#"{"iss":"https://issuer.example","aud":"example","sub":"alice","groups":["engineering"],"exp":4102444800}"#;

#[test]
fn without_a_command_the_help_is_shown_and_it_fails() {
    let run = jwtauth([""; 0]);

    assert_eq!(run.code, 2);
    assert!(run.err.contains("Usage: jwtauth"));
}

#[test]
fn the_help_explains_the_exit_codes() {
    let run = jwtauth(["--help"]);

    assert_eq!(run.code, 0);
    assert!(run.out.contains("1  denied"));
}

#[test]
fn completions_name_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = jwtauth(["completions", shell]);
        assert_eq!(run.code, 0);
        for command in ["verify", "policy", "keys", "inspect", "sign", "completions"] {
            assert!(run.out.contains(command), "{shell} does not complete {command}");
        }
    }
}
