//! `jwtauth lint`: the pages of the rules, the cases, positions, and how findings are accepted.

#![expect(
    clippy::panic,
    reason = "a test may end where something is not as it should be"
)]

use std::fs;
use std::path::{Path, PathBuf};

use jwtauth_core::Rule;
use serde_json::{Value, json};

use crate::{Run, file, jwtauth, jwtauth_in, jwtauth_with_input, root};

/// A folder with the files that the configurations name.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    for inner in ["configs", "keys"] {
        fs::create_dir_all(folder.join(inner)).unwrap();
    }
    for key in ["issuer.private.pem", "issuer.public.pem"] {
        fs::copy(
            root().join("examples/keys").join(key),
            folder.join("keys").join(key),
        )
        .unwrap();
    }
    fs::write(folder.join("configs/secret"), "s".repeat(40)).unwrap();
    fs::write(folder.join("configs/token"), "token").unwrap();
    folder.join("configs")
}

/// Runs the program on one file of a folder.
fn lint(folder: &Path, file: &str, more: &[&str]) -> Run {
    jwtauth_in(folder, [], ["lint", "--config", file].iter().chain(more), "")
}

/// The findings of a run with `--format json`.
fn findings(run: &Run) -> Vec<Value> {
    let reply: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}{}", run.out, run.err));
    reply["findings"].as_array().unwrap().clone()
}

fn rules(run: &Run) -> Vec<String> {
    let name = |finding: &Value| finding["rule"].as_str().unwrap().to_owned();
    findings(run).iter().map(name).collect()
}

/// The blocks of code on a page: what follows the three back quotes, and the lines.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((kind.to_owned(), content.join("\n")));
        }
    }
    blocks
}

/// Makes a whole configuration of a block. A page shows only the members that matter; the others are those of a usual
/// configuration.
fn completed(kind: &str, block: &str) -> (&'static str, String) {
    let usual = |dialect: &str, config: Value| {
        let envelope = json!({ "dialect": dialect, "config": config });
        ("page.json", envelope.to_string())
    };
    let parsed = || serde_json::from_str::<Value>(block).unwrap_or_else(|why| panic!("{why}: {block}"));
    let over = |mut base: Value, more: Value| {
        for (name, value) in more.as_object().unwrap() {
            base[name] = value.clone();
        }
        base
    };
    let vault =
        || json!({ "jwks_url": "https://issuer.example/keys", "bound_issuer": "https://issuer.example" });
    let role = || json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"] });
    let with_role = |mut config: Value, role: Value| {
        if config.get("roles").is_none() {
            config["roles"] = json!({ "web": role });
        }
        usual("vault", config)
    };
    let consul = |own: Value, rules: Value| {
        json!({
            "AuthMethod": { "Name": "jwt", "Type": "jwt", "Config": own },
            "BindingRules": rules,
            "Directory": { "roles": ["ops"], "policies": [] },
        })
    };
    let method = || {
        json!({
            "JWKSURL": "https://issuer.example/keys",
            "BoundIssuer": "https://issuer.example",
            "BoundAudiences": ["consul"],
            "ClaimMappings": { "team": "team" },
            "ListClaimMappings": { "groups": "groups" },
        })
    };
    let binding = || {
        let selector = "value.team == \"web\" and \"ops\" in list.groups";
        json!([{ "Selector": selector, "BindType": "role", "BindName": "ops" }])
    };
    match kind {
        "ini" => ("page.ini", completed_ini(block)),
        "json" => ("page.json", block.to_owned()),
        "json vault-config" => with_role(over(vault(), parsed()), role()),
        "json vault-discovery" => with_role(parsed(), role()),
        "json vault-role" => with_role(vault(), over(role(), parsed())),
        "json consul-config" => usual("consul", consul(over(method(), parsed()), binding())),
        "json consul-discovery" => {
            let mappings =
                json!({ "ClaimMappings": { "team": "team" }, "ListClaimMappings": { "groups": "groups" } });
            usual("consul", consul(over(mappings, parsed()), binding()))
        }
        "json consul-rules" => usual("consul", consul(method(), parsed())),
        "json consul" => usual("consul", over(consul(method(), binding()), parsed())),
        "json native" => {
            let base = json!({
                "keys": [{ "jwks_url": "https://issuer.example/keys" }],
                "algorithms": ["RS256"],
                "issuer": "https://issuer.example",
                "audiences": ["api"],
            });
            usual("native", over(base, parsed()))
        }
        other => panic!("a block of the kind `{other}`"),
    }
}

fn completed_ini(block: &str) -> String {
    if block.contains("[auth.jwt]") {
        return block.to_owned();
    }
    let has = |key: &str| {
        let mut lines = block.lines();
        lines.any(|line| line.split('=').next().is_some_and(|name| name.trim() == key))
    };
    let mut text = "[auth.jwt]\n".to_owned();
    for line in [
        "enabled = true",
        "header_name = X-JWT-Assertion",
        "username_claim = sub",
        "jwk_set_url = https://issuer.example/keys",
        "expect_claims = {\"iss\": \"https://issuer.example\", \"aud\": \"grafana\"}",
    ] {
        let key = line.split(' ').next().unwrap();
        let replaced = match key {
            "jwk_set_url" => has(key) || has("key_file"),
            "username_claim" => has(key) || has("username_attribute_path"),
            key => has(key),
        };
        if !replaced {
            text.push_str(line);
            text.push('\n');
        }
    }
    format!("{text}{block}\n")
}

#[test]
fn every_rule_has_a_page_and_every_page_a_rule() {
    let folder = root().join("docs/lint");
    let mut pages: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    pages.sort();
    let expected: Vec<String> = Rule::ALL.iter().map(|rule| format!("{rule}.md")).collect();
    assert_eq!(pages, expected);
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    for rule in Rule::ALL {
        let page = fs::read_to_string(folder.join(format!("{rule}.md"))).unwrap();
        let begin = format!("# {rule}\n\n*{:?}*: {}.", rule.severity(), rule.title());
        assert!(
            page.starts_with(&begin),
            "{rule}: the page does not begin with `{begin}`"
        );
        let line = format!("| [{rule}]({rule}.md) | {} | {} |", rule.severity(), rule.title());
        assert!(
            index.lines().any(|known| known == line),
            "the index has no line `{line}`"
        );
    }
    assert!(Rule::ALL.len() >= 35);
}

#[test]
fn each_page_has_configurations_that_are_reported_and_others_that_are_not() {
    let folder = folder("lint-pages");
    for rule in Rule::ALL {
        let page = fs::read_to_string(root().join(format!("docs/lint/{rule}.md"))).unwrap();
        let blocks = blocks(&page);
        assert!(!blocks.is_empty() && blocks.len().is_multiple_of(2), "{rule}");
        for pair in blocks.chunks(2) {
            let run = |(kind, block): &(String, String)| {
                let (name, text) = completed(kind, block);
                fs::write(folder.join(name), &text).unwrap();
                (rules(&lint(&folder, name, &["--format", "json"])), text)
            };
            let (bad, text) = run(&pair[0]);
            assert_eq!(bad, [rule.as_str()], "{text}");
            let (good, text) = run(&pair[1]);
            let is_accepted = *rule == Rule::UnusedAllow;
            assert!(
                good.is_empty() || is_accepted && good != [rule.as_str()],
                "{rule}: {good:?}: {text}"
            );
        }
    }
}

/// The findings of a case, one on a line: place in the file, severity, rule, and the path of the setting.
fn described(run: &Run) -> String {
    let mut text = String::new();
    for finding in findings(run) {
        let word = |name: &str| finding[name].as_str().unwrap().to_owned();
        let (line, column) = (&finding["line"], &finding["column"]);
        let place = word("place");
        let end = if place.is_empty() {
            String::new()
        } else {
            format!(" {place}")
        };
        text.push_str(&format!(
            "{line}:{column} {} {}{end}\n",
            word("severity"),
            word("rule")
        ));
    }
    text
}

#[test]
fn each_case_has_its_findings_and_no_others() {
    let cases = root().join("tests/lint");
    let mut names: Vec<String> = fs::read_dir(&cases)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json") || name.ends_with(".ini"))
        .collect();
    names.sort();
    assert!(names.len() >= 40, "{}", names.len());
    let mut found = std::collections::BTreeSet::new();
    for name in names {
        let run = lint(&cases, &name, &["--format", "json"]);
        let described = described(&run);
        assert!(!described.is_empty(), "{name} has no findings");
        let fails = findings(&run).iter().any(|finding| finding["severity"] != "note");
        assert_eq!(run.code, i32::from(fails), "{name}");
        found.extend(rules(&run));
        let expected = cases.join(format!("{name}.findings"));
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            fs::write(&expected, &described).unwrap();
        }
        assert_eq!(
            described,
            fs::read_to_string(&expected).unwrap_or_default(),
            "{name}"
        );
    }
    // Every rule has a case, except those that need an own client or a file that the cases do not have.
    for rule in Rule::ALL {
        assert!(found.contains(rule.as_str()), "no case has a finding of {rule}");
    }
}

#[test]
fn the_example_configurations_have_no_findings() {
    for entry in fs::read_dir(root().join("examples/configs")).unwrap() {
        let path = entry.unwrap().path();
        let run = jwtauth(["lint", "--fail-on", "note", "--config", path.to_str().unwrap()]);
        assert_eq!(
            (run.code, run.out.as_str()),
            (0, "no findings\n"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_configurations_for_identity_providers_and_frameworks_have_no_findings() {
    let folder = folder("lint-providers");
    let mounted = folder.join("mounted");
    fs::create_dir_all(&mounted).unwrap();
    let certificate = root().join("tests/conformance/keys/rsa-1.certificate.pem");
    fs::copy(certificate, mounted.join("ca.crt")).unwrap();
    fs::write(mounted.join("token"), "token").unwrap();
    let (mut checked, mut found) = (0, Vec::new());
    let pages = fs::read_dir(root().join("docs/providers")).unwrap();
    let pages = pages.map(|entry| entry.unwrap().path());
    for page in pages.chain([root().join("docs/frameworks/README.md")]) {
        let text = fs::read_to_string(&page).unwrap();
        // The folder that Kubernetes mounts into a pod.
        let text = text.replace("/var/run/secrets/kubernetes.io/serviceaccount/", "mounted/");
        for (kind, block) in blocks(&text) {
            let name = match kind.as_str() {
                "ini" => "page.ini",
                "json verifier" => "page.json",
                _ => continue,
            };
            fs::write(folder.join(name), &block).unwrap();
            let run = lint(&folder, name, &["--fail-on", "note"]);
            checked += 1;
            // A page may accept a finding, with its reason.
            if run.code != 0 || !run.out.starts_with("no findings") {
                found.push(format!("{}: {}{}", page.display(), run.out, run.err));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(checked >= 16, "{checked}");
}

const BAD_INI: &str = "[auth.jwt]\nenabled = true\nheader_name = X-JWT-Assertion\nusername_claim = sub\njwk_set_url = https://issuer.example/keys\nexpect_claims = {\"iss\": \"https://issuer.example\", \"aud\": \"grafana\"}\nurl_login = true\n";

#[test]
fn a_finding_is_shown_with_its_line() {
    let path = file("lint-shown.ini", BAD_INI);
    let run = jwtauth(["lint", "--config", &path]);
    assert_eq!(run.code, 1);
    let expected = format!(
        "warning[token-in-url]: `auth.jwt.url_login`: a token in a URL is exposed in logs, browser histories and links; pass on only the reply's `cleaned_url`\n --> {path}:7:13\n  |\n7 | url_login = true\n  |             ^^^^\n  |\n  = help: see docs/lint/token-in-url.md\n\n1 warning\n"
    );
    assert_eq!(run.out, expected);
    let run = jwtauth(["lint", "--config", &path, "--format", "json"]);
    let finding = &findings(&run)[0];
    assert_eq!(finding["file"].as_str(), Some(path.as_str()));
    assert_eq!(
        [
            &finding["line"],
            &finding["column"],
            &finding["end_line"],
            &finding["end_column"]
        ],
        [&json!(7), &json!(13), &json!(7), &json!(17)]
    );
}

#[test]
fn the_exit_code_depends_on_the_severity() {
    let folder = folder("lint-severity");
    fs::write(
        folder.join("note.ini"),
        format!(
            "{}cache_ttl = 0s\n",
            BAD_INI.replace("true\n", "false\n").replacen("false", "true", 1)
        ),
    )
    .unwrap();
    fs::write(folder.join("warning.ini"), BAD_INI).unwrap();
    fs::write(folder.join("error.ini"), format!("{BAD_INI}x = 1\n")).unwrap();
    for (name, codes) in [
        ("note.ini", [0, 0, 1, 0]),
        ("warning.ini", [0, 1, 1, 0]),
        ("error.ini", [1, 1, 1, 0]),
    ] {
        let levels = ["error", "warning", "note", "never"];
        let found = levels.map(|level| lint(&folder, name, &["--fail-on", level]).code);
        assert_eq!(found, codes, "{name}: {}", lint(&folder, name, &[]).out);
    }
    assert_eq!(lint(&folder, "missing.ini", &[]).code, 2);
    assert_eq!(lint(&folder, "note.ini", &["--allow", "no-such-rule@a"]).code, 2);
}

#[test]
fn a_finding_is_accepted_at_one_place() {
    let folder = folder("lint-accepted");
    let accepted = |run: &Run| {
        let reply: Value = serde_json::from_str(&run.out).unwrap();
        reply["accepted"].as_array().unwrap().clone()
    };
    // In a comment.
    let text = BAD_INI.replace(
        "url_login",
        "; jwtauth-lint: allow token-in-url the kiosk has no headers\nurl_login",
    );
    fs::write(folder.join("comment.ini"), &text).unwrap();
    let run = lint(&folder, "comment.ini", &["--format", "json"]);
    assert_eq!((run.code, rules(&run)), (0, Vec::new()), "{}", run.out);
    assert_eq!(accepted(&run)[0]["reason"], "the kiosk has no headers");
    assert_eq!(lint(&folder, "comment.ini", &[]).out, "no findings; 1 accepted\n");
    // On the command line.
    fs::write(folder.join("argument.ini"), BAD_INI).unwrap();
    let run = lint(
        &folder,
        "argument.ini",
        &["--allow", "token-in-url@auth.jwt.url_login"],
    );
    assert_eq!((run.code, run.out.as_str()), (0, "no findings; 1 accepted\n"));
    for (argument, rules_left) in [
        (
            "token-in-url@auth.jwt.enabled",
            vec!["token-in-url", "unused-allow"],
        ),
        (
            "no-effect@auth.jwt.url_login",
            vec!["token-in-url", "unused-allow"],
        ),
    ] {
        let run = lint(
            &folder,
            "argument.ini",
            &["--format", "json", "--allow", argument],
        );
        let mut found = rules(&run);
        found.sort();
        assert_eq!(found, rules_left);
    }
    // In a file next to the configuration.
    let entry = |file: &str, reason: &str| json!({ "allow": [{ "rule": "token-in-url", "file": file, "place": "auth.jwt.url_login", "reason": reason }] });
    let beside = folder.join(".jwtauth-lint.json");
    fs::write(&beside, entry("argument.ini", "the kiosk").to_string()).unwrap();
    let run = lint(&folder, "argument.ini", &["--format", "json"]);
    assert_eq!((run.code, rules(&run)), (0, Vec::new()));
    assert_eq!(accepted(&run)[0]["reason"], "the kiosk");
    // It is about another file, and not about this one.
    fs::write(&beside, entry("other.ini", "the kiosk").to_string()).unwrap();
    assert_eq!(
        rules(&lint(&folder, "argument.ini", &["--format", "json"])),
        ["token-in-url"]
    );
    // An entry without a reason.
    fs::write(&beside, entry("argument.ini", "").to_string()).unwrap();
    let run = lint(&folder, "argument.ini", &[]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("no reason"), "{}", run.err);
    fs::remove_file(&beside).unwrap();
}

#[test]
fn a_comment_without_a_reason_accepts_nothing() {
    let folder = folder("lint-no-reason");
    for comment in [
        "; jwtauth-lint: allow token-in-url",
        "# jwtauth-lint: allow token-in-url  ",
    ] {
        let text = BAD_INI.replace("url_login", &format!("{comment}\nurl_login"));
        fs::write(folder.join("a.ini"), &text).unwrap();
        let run = lint(&folder, "a.ini", &["--format", "json"]);
        assert_eq!(rules(&run), ["unused-allow", "token-in-url"], "{}", run.out);
        assert!(run.out.contains("a reason is missing"), "{}", run.out);
    }
}

#[test]
fn the_examples_of_accepted_findings_accept_something() {
    let folder = folder("lint-readme");
    let page = fs::read_to_string(root().join("docs/lint/README.md")).unwrap();
    let line = |begin: &str| {
        let mut lines = page.lines().map(str::trim);
        lines.find(|line| line.starts_with(begin)).unwrap().to_owned()
    };
    fs::write(folder.join(".jwtauth-lint.json"), line(r#"{ "allow":"#)).unwrap();
    let role = r#"{"role_type":"jwt","user_claim":"sub","bound_audiences":["vault"]}"#;
    let vault = format!(
        r#"{{"dialect":"vault","config":{{"jwks_url":"https://issuer.example/keys","roles":{{"web":{role}}}}}}}"#
    );
    fs::write(folder.join("vault.json"), vault).unwrap();
    let run = lint(&folder, "vault.json", &[]);
    assert_eq!((run.code, run.out.as_str()), (0, "no findings; 1 accepted\n"));
    let comment = line("; jwtauth-lint: allow");
    fs::write(
        folder.join("a.ini"),
        BAD_INI.replace("url_login", &format!("{comment}\nurl_login")),
    )
    .unwrap();
    let run = lint(&folder, "a.ini", &[]);
    assert_eq!((run.code, run.out.as_str()), (0, "no findings; 1 accepted\n"));
}

#[test]
fn a_file_of_vault_that_is_no_object_is_a_finding() {
    for (name, text) in [("list", "[]"), ("text", "\"correct horse\""), ("null", "null")] {
        let path = file(&format!("lint-vault-{name}.json"), text);
        let run = jwtauth(["lint", "--format", "json", "--vault-config", &path]);
        assert_eq!(
            (run.code, rules(&run)),
            (1, vec!["invalid-configuration".to_owned()]),
            "{}",
            run.err
        );
        let finding = &findings(&run)[0];
        assert_eq!(finding["file"].as_str(), Some(path.as_str()), "{finding}");
        let run = jwtauth(["policy", "--vault-config", &path]);
        assert_eq!(run.code, 2);
        assert!(
            run.err.contains("object") && !run.err.contains("horse"),
            "{}",
            run.err
        );
    }
}

#[test]
fn a_finding_about_a_variable_names_it() {
    let folder = folder("lint-variables");
    fs::write(folder.join("a.ini"), BAD_INI.replace("url_login = true\n", "")).unwrap();
    let lint = |variables: &[(&'static str, &'static str)], more: &[&str]| {
        let arguments = ["lint", "--grafana-env", "--config", "a.ini"].iter().chain(more);
        jwtauth_in(&folder, variables.iter().copied(), arguments, "")
    };
    for (name, value, rule) in [
        ("GF_AUTH_JWT_URL_LOGIN", "true", "token-in-url"),
        ("GF_AUTH_JWT_KEY_FIL", "a", "invalid-configuration"),
        ("GF_AUTH_JWT_CACHE_TTL", "soon", "value-replaced-by-default"),
    ] {
        let run = lint(&[(name, value)], &["--format", "json"]);
        let found = findings(&run);
        assert_eq!(found.len(), 1, "{}", run.out);
        assert_eq!(found[0]["rule"], rule, "{}", run.out);
        assert_eq!(found[0]["place"], format!("env.{name}"), "{}", run.out);
        assert!(found[0].get("file").is_none(), "{}", run.out);
        assert!(lint(&[(name, value)], &[]).out.contains(name));
    }
    // What no variable sets is in the file.
    let run = lint(&[("GF_AUTH_JWT_EMAIL_CLAIM", "email")], &["--format", "json"]);
    assert_eq!(findings(&run), Vec::<Value>::new());
    fs::write(folder.join("a.ini"), BAD_INI).unwrap();
    let run = lint(&[("GF_AUTH_JWT_EMAIL_CLAIM", "email")], &["--format", "json"]);
    assert_eq!(findings(&run)[0]["line"], 7, "{}", run.out);
    let policy = ["policy", "--grafana-env", "--config", "a.ini"];
    let run = jwtauth_in(&folder, [("GF_AUTH_JWT_KEY_FIL", "a")], policy, "");
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("the environment variable GF_AUTH_JWT_KEY_FIL: "),
        "{}",
        run.err
    );
    // The variables of the configuration are not dropped if they are invalid.
    fs::write(
        folder.join("a.json"),
        r#"{"dialect":"grafana","config":{"ini":"[auth.jwt]","env":["a"]}}"#,
    )
    .unwrap();
    let policy = ["policy", "--grafana-env", "--config", "a.json"];
    let run = jwtauth_in(&folder, [("GF_AUTH_JWT_ENABLED", "true")], policy, "");
    assert_eq!(run.code, 2, "{}", run.out);
    assert!(run.err.contains("`env`: must be an object"), "{}", run.err);
}

#[test]
fn an_error_cannot_be_accepted() {
    let folder = folder("lint-error");
    fs::write(
        folder.join("a.ini"),
        format!("{BAD_INI}; jwtauth-lint: allow invalid-configuration\nx = 1\n"),
    )
    .unwrap();
    let run = lint(&folder, "a.ini", &["--format", "json"]);
    let found = rules(&run);
    assert!(
        found.iter().any(|rule| rule == "invalid-configuration"),
        "{found:?}"
    );
    assert!(found.iter().any(|rule| rule == "unused-allow"), "{found:?}");
}

#[test]
fn a_finding_names_the_file_that_contains_its_place() {
    let config = file(
        "lint-config.json",
        "{\n  \"jwks_url\": \"https://issuer.example/keys\", \"bound_issuer\": \"https://issuer.example\",\n  \"default_role\": \"no\"\n}\n",
    );
    let role = file(
        "lint-role.json",
        "{\"request_id\": \"1\", \"data\": {\n  \"role_type\": \"jwt\", \"user_claim\": \"sub\", \"bound_audiences\": [\"a\"],\n  \"bound_subject\": \"a*\"\n}}\n",
    );
    let method = file(
        "lint-method.json",
        "{\n  \"Name\": \"a\", \"Type\": \"jwt\",\n  \"Config\": {\"JWKSURL\": \"https://issuer.example/keys\", \"BoundIssuer\": \"https://issuer.example\", \"BoundAudiences\": [\"a\"],\n    \"clockskewleeway\": 60}\n}\n",
    );
    let rules = file(
        "lint-rules.json",
        "[\n  {\"BindType\": \"service\", \"BindName\": \"web\", \"Selector\": \"value.x == \\\"a\\\"\"}\n]\n",
    );
    let web = format!("web={role}");
    for (arguments, expected) in [
        (
            ["--vault-config", &config, "--vault-role", &web],
            vec![(&config, 3, 19, "default_role"), (&role, 3, 20, "bound_subject")],
        ),
        (
            ["--consul-method", &method, "--consul-rules", &rules],
            vec![
                (&method, 4, 24, "Config.clockskewleeway"),
                (&rules, 2, 58, "[0].Selector"),
            ],
        ),
    ] {
        let run = jwtauth(["lint", "--format", "json"].iter().copied().chain(arguments));
        let found: Vec<Value> = findings(&run);
        let found: Vec<Value> = found
            .iter()
            .filter(|finding| finding["rule"] != "no-effect")
            .map(|finding| {
                json!([
                    finding["file"],
                    finding["line"],
                    finding["column"],
                    finding["place"]
                ])
            })
            .collect();
        let expected: Vec<Value> = expected
            .into_iter()
            .map(|(file, line, column, place)| json!([file, line, column, place]))
            .collect();
        assert_eq!(found, expected, "{}", run.out);
    }
}

#[test]
fn a_broken_file_is_shown_at_its_line_by_every_command() {
    let json = file(
        "lint-broken.json",
        "{\n  \"dialect\": \"native\",\n  \"config\": {\"a\": 1,}\n}\n",
    );
    let ini = file("lint-broken.ini", "[auth.jwt]\nenabled = true\nheader_name\n");
    for (path, place, line) in [
        (
            &json,
            "3:21",
            "3 |   \"config\": {\"a\": 1,}\n  |                     ^\n",
        ),
        (&ini, "3:1", "3 | header_name\n  | ^^^^^^^^^^^\n"),
    ] {
        for command in ["lint", "policy", "keys", "verify"] {
            let mut arguments = vec![command, "--config", path];
            arguments.extend((command == "verify").then_some("x.y.z"));
            let run = jwtauth(arguments);
            let text = if command == "lint" { &run.out } else { &run.err };
            assert!(text.contains(&format!("{path}:{place}\n")), "{command}: {text}");
            assert!(text.contains(line), "{command}: {text}");
            assert_eq!(run.code, if command == "lint" { 1 } else { 2 }, "{command}");
        }
    }
    let run = jwtauth(["lint", "--vault-config", &json]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.out.contains(&format!("{json}:3:21\n")), "{}", run.out);
    let run = jwtauth_with_input(["lint", "--config", "-"], "{\n\"a\" 1}");
    assert!(run.out.contains("standard input:2:5\n"), "{}", run.out);
}

#[test]
fn no_secret_is_shown_in_any_format() {
    let hidden = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
    let folder = folder("lint-secrets");
    let pem = "-----BEGIN PRIVATE KEY-----";
    for (name, text) in [
        (
            "a.json",
            format!(
                r#"{{"dialect":"native","config":{{"keys":[{{"secret":"{hidden}"}}],"algorithms":["HS256","HS512"]}}}}"#
            ),
        ),
        (
            "b.json",
            format!(
                r#"{{"dialect":"native","config":{{"keys":[{{"jwk":{{"kty":"oct","k":"{hidden}"}}}}],"algorithms":["HS256"]}}}}"#
            ),
        ),
        (
            "c.json",
            format!(r#"{{"dialect":"native","config":{{"keys":[{{"secret":"{hidden}""#),
        ),
        (
            "d.json",
            format!(r#"{{"dialect":"native","config":{{"keys":[{{"pem":"{pem}\n{hidden}"}}]}}}}"#),
        ),
        (
            "e.ini",
            format!("[auth.jwt]\nenabled = true\nkey_value = {hidden}\n"),
        ),
        (
            "f.ini",
            format!("[auth.jwt]\nenabled = true\nkey_value = {pem}\n{hidden}\n"),
        ),
        (
            "j.ini",
            format!("[auth.jwt]\nenabled = true\n[security]\nadmin_password {hidden}\n"),
        ),
        ("k.json", format!("{{'oidc_client_secret': '{hidden}'}}")),
        (
            "l.json",
            format!("{{\"dialect\":\"native\",\"config\":{{\"keys\":[{{\"secret\":\n\"{hidden}\"}}],}}}}"),
        ),
        (
            "m.json",
            format!(
                r#"{{"dialect":"grafana","config":{{"auth.jwt":{{"enabled":true}},"env":{{"GF_SECURITY_SECRET_KEY":"{hidden}","GF_AUTH_JWT_KEY_FIL":"a"}}}}}}"#
            ),
        ),
        (
            "g.json",
            format!(
                r#"{{"jwks_url":"https://a.example/keys","oidc_client_id":"a","oidc_client_secret":"{hidden}","roles":{{}}}}"#
            ),
        ),
        (
            "h.json",
            format!(
                r#"{{"dialect":"grafana","config":{{"ini":"[auth.jwt]\nenabled = true\nkey_value = {hidden}\n"}}}}"#
            ),
        ),
        (
            "i.json",
            format!(
                r#"{{"dialect":"grafana","config":{{"auth.jwt":{{"enabled":true,"jwk_set_value":"{hidden}"}}}}}}"#
            ),
        ),
    ] {
        fs::write(folder.join(name), text).unwrap();
        let flag = if name == "g.json" {
            "--vault-config"
        } else {
            "--config"
        };
        for more in [["--format", "text"], ["--format", "json"], ["--format", "sarif"]] {
            let arguments = ["lint", flag, name].into_iter().chain(more);
            let run = jwtauth_in(&folder, [], arguments, "");
            assert_eq!(run.code, 1, "{name}: {}{}", run.out, run.err);
            assert!(
                !run.out.contains("c2Vj") && !run.err.contains("c2Vj"),
                "{name}: {}{}",
                run.out,
                run.err
            );
        }
        let run = jwtauth_in(&folder, [], ["policy", flag, name], "");
        assert!(!run.err.contains("c2Vj"), "{name}: {}", run.err);
    }
}

#[test]
fn colours_and_control_characters_do_not_reach_a_pipe() {
    let path = file(
        "lint-controls.json",
        "{\"dialect\":\"native\",\"config\":{\"keys\":[{\"jwks_url\":\"https://issuer.example/keys\"}],\"issuer\":\"https://issuer.example\",\"audiences\":[\"\u{9b}2J\u{202e}\"],\"x\u{9b}\":1}}",
    );
    let run = jwtauth(["lint", "--config", &path]);
    assert_eq!(run.code, 1);
    assert!(
        !run.out.contains(['\u{1b}', '\u{9b}', '\u{202e}']),
        "{:?}",
        run.out
    );
}

#[test]
fn the_log_for_code_reviews_has_every_rule_and_place() {
    let folder = folder("lint-sarif");
    fs::write(
        folder.join("a b.ini"),
        BAD_INI.replace(
            "enabled",
            "; jwtauth-lint: allow token-in-url the kiosk\n; jwtauth-lint: allow no-effect\nenabled",
        ),
    )
    .unwrap();
    let run = lint(&folder, "a b.ini", &["--format", "sarif"]);
    let log: Value = serde_json::from_str(&run.out).unwrap();
    let driver = &log["runs"][0]["tool"]["driver"];
    assert_eq!(driver["rules"].as_array().unwrap().len(), Rule::ALL.len());
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(driver["rules"][index]["id"], result["ruleId"]);
        let physical = &result["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], "a%20b.ini");
    }
    let found = results
        .iter()
        .find(|result| result["ruleId"] == "token-in-url")
        .unwrap();
    let location = &found["locations"][0];
    assert_eq!(
        location["physicalLocation"]["region"],
        json!({ "startLine": 9, "startColumn": 13, "endLine": 9, "endColumn": 17 })
    );
    assert_eq!(
        location["logicalLocations"][0]["fullyQualifiedName"],
        "auth.jwt.url_login"
    );
}
