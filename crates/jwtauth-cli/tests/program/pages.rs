//! The shell commands of the documentation run exactly as they are printed, in a folder with the files that they name.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{root, token};

#[test]
fn the_commands_of_the_readme_run_from_the_repository() {
    runs("README.md", &root(), 5);
}

#[test]
fn the_commands_of_the_examples_run_from_their_folder() {
    runs("examples/README.md", &root().join("examples"), 4);
}

#[test]
fn the_commands_of_the_program_page_run_in_a_folder_with_these_files() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages/work");
    fs::create_dir_all(&folder).unwrap();
    let copy = |from: &str, to: &str| {
        let to = folder.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(root().join(from), to).unwrap();
    };
    copy("examples/keys/issuer.public.pem", "../keys/issuer.public.pem");
    for config in ["native.json", "grafana.ini", "consul.json", "vault.json"] {
        copy(&format!("examples/configs/{config}"), config);
    }
    copy("examples/claims.json", "claims.json");
    copy("tests/conformance/keys/ec256-1.private.pem", "private.pem");
    copy(
        "crates/jwtauth-cli/tests/keys/ed25519-1.private.jwk",
        "private.jwk",
    );
    copy("tests/conformance/keys/hmac256-1.secret", "secret.txt");
    write_the_files_of_vault_and_consul(&folder);
    write_claims_sets(&folder);
    copy("examples/configs/native.json", "old.json");
    copy("examples/configs/native.json", "new.json");

    runs("docs/program.md", &folder, 19);
}

#[test]
fn the_commands_of_the_page_about_providers_run_with_the_files_of_a_page() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages/providers");
    fs::create_dir_all(&folder).unwrap();
    let page = fs::read_to_string(root().join("docs/providers/github-actions.md")).unwrap();
    for (kind, name) in [("json verifier", "verifier.json"), ("json token", "claims.json")] {
        let block = page.split(&format!("```{kind}\n")).nth(1).unwrap();
        fs::write(folder.join(name), block.split("```").next().unwrap()).unwrap();
    }
    runs("docs/providers/README.md", &folder, 3);
}

/// The members of the example configurations as the bodies of requests.
fn write_the_files_of_vault_and_consul(folder: &Path) {
    let config = |name: &str| {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["config"].take()
    };
    let write = |name: &str, body: &serde_json::Value| {
        fs::write(folder.join(name), body.to_string()).unwrap();
    };
    let mut vault = config("vault.json");
    write("role.json", &vault["roles"]["web"]);
    vault
        .as_object_mut()
        .unwrap()
        .retain(|name, _| name != "roles" && name != "mount");
    write("config.json", &vault);
    let consul = config("consul.json");
    write("method.json", &consul["AuthMethod"]);
    write("rules.json", &consul["BindingRules"]);
}

/// A folder with the claims of the examples, and their times.
fn write_claims_sets(folder: &Path) {
    let claims = fs::read_to_string(folder.join("claims.json")).unwrap();
    let mut claims: serde_json::Value = serde_json::from_str(&claims).unwrap();
    claims["iat"] = 1_700_000_000.into();
    claims["exp"] = 4_102_444_800_i64.into();
    fs::create_dir_all(folder.join("claims")).unwrap();
    fs::write(folder.join("claims/alice.json"), claims.to_string()).unwrap();
}

/// Runs the lines of a page's shell blocks that call the program. Each must end and succeed.
fn runs(page: &str, folder: &Path, at_least: usize) {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside && line.split(['$', '(', ' ']).any(|word| word == "jwtauth") {
            commands.push(line);
        }
    }
    assert!(commands.len() >= at_least, "{page}: {commands:?}");

    let program = Path::new(env!("CARGO_BIN_EXE_jwtauth")).parent().unwrap();
    let path = format!("{}:{}", program.display(), env::var("PATH").unwrap());
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages/home");
    fs::create_dir_all(home.join(".local/share/bash-completion/completions")).unwrap();
    let good = token(
        r#"{"iss":"https://issuer.example","aud":"example","sub":"alice","email":"alice@example.com","groups":["engineering"],"iat":1700000000,"exp":4102444800}"#,
    );
    for command in script(&commands) {
        // Only a command that does not end on its own, such as a server, reaches the limit.
        let run = Command::new("timeout")
            .args(["600", "sh", "-euc", &command])
            .current_dir(folder)
            .env("PATH", &path)
            .env("HOME", &home)
            .env("TOKEN", &good)
            .env("GF_AUTH_JWT_ENABLED", "true")
            .env(
                "GF_AUTH_JWT_KEY_FILE",
                root().join("examples/keys/issuer.public.pem"),
            )
            .output()
            .unwrap();
        assert!(
            run.status.success(),
            "{page}: {command}\n{}; after 600 s, `timeout` ends a command with 124\n{}{}",
            run.status,
            String::from_utf8_lossy(&run.stdout),
            String::from_utf8_lossy(&run.stderr)
        );
    }
}

/// Puts before each command what it needs: the command `print_token`, and the assignment of a token that an earlier line
/// makes.
fn script(commands: &[&str]) -> Vec<String> {
    let mut scripts = Vec::new();
    let mut assigned = "print_token() { printf '%s\\n' \"$TOKEN\"; }\n".to_owned();
    for command in commands {
        scripts.push(format!("{assigned}{command}"));
        if command.to_lowercase().starts_with("token=") {
            assigned.push_str(command);
            assigned.push('\n');
        }
    }
    scripts
}
