//! The program from a shell: arguments, standard streams, exit codes.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may end where something is not as it should be"
)]

mod diff;
mod dry_run;
mod examples;
mod explain;
mod explanations;
mod files;
mod inspect;
mod keys;
mod lint;
mod pages;
mod playground;
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

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [
        &["completions", "bash"][..],
        &["policy", "--config", NATIVE],
        &["lint", "--config", NATIVE],
        &["inspect", "e30.e30."],
        &[
            "sign",
            "--key",
            "examples/keys/issuer.private.pem",
            "--alg",
            "RS256",
        ],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_jwtauth"))
            .args(arguments)
            .current_dir(root())
            .stdout(full())
            .output()
            .unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(
            err.starts_with("error: cannot write to standard output"),
            "{arguments:?}: {err}"
        );
    }
}

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let help = jwtauth(["--help"]).out;
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let name = |line: &str| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned);
    lines
        .filter_map(name)
        .filter(|name| !name.is_empty() && name != "help")
        .collect()
}

#[test]
fn every_command_has_a_man_page_and_completions() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("share");
    // An earlier run may have left pages of commands that no longer exist.
    let _ = std::fs::remove_dir_all(&folder);
    let run = jwtauth(["share", folder.to_str().unwrap()]);
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, "", ""));

    let commands = commands();
    assert!(
        commands.iter().any(|name| name == "verify") && commands.len() >= 6,
        "{commands:?}"
    );
    let mut pages: Vec<String> = std::fs::read_dir(folder.join("man/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut expected: Vec<String> = commands.iter().map(|name| format!("jwtauth-{name}.1")).collect();
    expected.push("jwtauth.1".to_owned());
    pages.sort();
    expected.sort();
    assert_eq!(pages, expected);
    for page in pages {
        let text = std::fs::read_to_string(folder.join("man/man1").join(&page)).unwrap();
        let name = page.strip_suffix(".1").unwrap();
        assert!(text.contains(&format!(".TH {name} 1")), "{page}: {text}");
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS"] {
            assert!(text.contains(section), "{page} has no {section}");
        }
    }
    for script in [
        "bash-completion/completions/jwtauth",
        "zsh/site-functions/_jwtauth",
        "fish/vendor_completions.d/jwtauth.fish",
    ] {
        let text = std::fs::read_to_string(folder.join(script)).unwrap();
        for command in &commands {
            assert!(text.contains(command), "{script} does not complete {command}");
        }
    }
}

#[test]
fn the_help_fits_on_a_terminal() {
    for command in commands() {
        let help = jwtauth([command.as_str(), "--help"]).out;
        let widest = help.lines().max_by_key(|line| line.chars().count()).unwrap();
        assert!(widest.chars().count() <= 100, "{command}: {widest}");
    }
}

#[test]
fn the_usage_names_every_way_to_send_a_token() {
    let run = jwtauth(["verify", "--config", NATIVE]);
    assert_eq!(run.code, 2);
    for way in ["TOKEN", "--header", "--url"] {
        assert!(run.err.contains(way), "{}", run.err);
    }
    let run = jwtauth(["verify", "x.y.z"]);
    for way in ["--config", "--vault-config", "--consul-method", "--grafana-env"] {
        assert!(run.err.contains(way), "{}", run.err);
    }
}
