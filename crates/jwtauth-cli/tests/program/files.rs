//! The files of a configuration: every message names the one that it is about.

use super::{CLAIMS, NATIVE, file, jwtauth, jwtauth_in, jwtauth_with_input, root, token};

/// The line on standard error of `policy` with these arguments, without the name of the folder.
fn complaint(arguments: &[&str]) -> String {
    let run = jwtauth([&["policy"], arguments].concat());
    assert_eq!((run.code, run.out.as_str()), (2, ""), "{}", run.err);
    run.err.replace(&format!("{}/", env!("CARGO_TARGET_TMPDIR")), "")
}

#[test]
fn a_mistake_is_reported_with_its_file() {
    let ini = "[auth.jwt]\nenabled = true\nheader_name = X-JWT\n";
    let cases = [
        (
            "key.ini",
            format!("{ini}header_nam = X\n"),
            "key.ini: `auth.jwt.header_nam`",
        ),
        ("line.ini", format!("{ini}nonsense\n"), "line.ini: line 4: "),
        (
            "open.ini",
            format!("{ini}jwk_set_file = no.json\n"),
            "open.ini: `",
        ),
        (
            "open.ini",
            format!("{ini}jwk_set_file = no.json\n"),
            ": cannot read `no.json`: ",
        ),
        (
            "broken.json",
            "{\n  \"dialect\": x\n}".to_owned(),
            "broken.json: invalid JSON (line 2, column ",
        ),
        ("list.json", "[]".to_owned(), "list.json: must be an object"),
        (
            "member.json",
            r#"{"dialect":"native","config":{"key":[]}}"#.to_owned(),
            "member.json: `keys` is missing",
        ),
        (
            "key.json",
            r#"{"dialect":"native","config":{"algorithms":["RS256"],"keys":[{"pem":"x"}]}}"#.to_owned(),
            "key.json: `keys[0].pem`: ",
        ),
    ];
    for (name, content, expected) in cases {
        let path = file(name, &content);
        let text = complaint(&["--config", &path]);
        assert!(text.contains(expected), "{name}: {text}");
        let json = jwtauth(["policy", "--json", "--config", &path]);
        assert_eq!((json.code, json.err.as_str()), (2, ""), "{}", json.out);
        let reply: serde_json::Value = serde_json::from_str(&json.out).unwrap();
        let detail = reply["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("{path}: ")), "{detail}");
    }
}

#[test]
fn a_mistake_in_one_of_several_files_is_reported_with_that_file() {
    let config = file("files-config.json", r#"{"jwks_url":"https://a.example/keys"}"#);
    let bad_config = file(
        "files-bad-config.json",
        r#"{"jwks_urls":"https://a.example/keys"}"#,
    );
    let role = format!(
        "web={}",
        file("files-web.json", r#"{"user_claim":"sub","policies":["a"]}"#)
    );
    let bad_role = file(
        "files-ops.json",
        r#"{"request_id":"1","data":{"user_clam":"sub"}}"#,
    );
    let bad_role = format!("ops={bad_role}");
    let wrong_role = format!("Ops.1={}", file("files-wrong.json", "[]"));
    for (arguments, expected) in [
        (
            [&bad_config, &role, &role.replacen("web", "b", 1)],
            "files-bad-config.json: `jwks_urls` is not known",
        ),
        (
            [&config, &role, &bad_role],
            "files-ops.json: `user_clam` is not known",
        ),
        (
            [&config, &bad_role, &role],
            "files-ops.json: `user_clam` is not known",
        ),
        (
            [&config, &role, &wrong_role],
            "files-wrong.json: must be an object",
        ),
    ] {
        let [config, one, other] = arguments;
        let text = complaint(&[
            "--vault-config",
            config,
            "--vault-role",
            one,
            "--vault-role",
            other,
        ]);
        assert!(text.contains(expected), "{text}");
    }

    let method =
        r#"{"Name":"m","Type":"jwt","Config":{"JWKSURL":"https://a.example/keys","BoundAudiences":["a"]}}"#;
    let good = file("files-method.json", method);
    let bad = file("files-bad-method.json", &method.replace("JWKSURL", "JWKSURI"));
    let rules = file("files-rules.json", "[]");
    let bad_rules = file("files-bad-rules.json", r#"[{"BindType":"role","BindNam":"x"}]"#);
    for (method, rules, expected) in [
        (
            &bad,
            &rules,
            "files-bad-method.json: `Config`: `JWKSURI` is not known",
        ),
        (&good, &bad_rules, "files-bad-rules.json: `[0].BindNam`"),
    ] {
        let text = complaint(&["--consul-method", method, "--consul-rules", rules]);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_missing_file_is_reported_with_its_folder() {
    let folder = root().join("examples");
    for arguments in [
        ["policy", "--config", "no.json"],
        ["policy", "--vault-config", "no.json"],
        ["policy", "--consul-method", "no.json"],
    ] {
        let run = jwtauth_in(&folder, [], arguments, "");
        assert_eq!(run.code, 2);
        let path = folder.join("no.json");
        assert!(
            run.err.contains(&format!("cannot read `{}`: ", path.display())),
            "{}",
            run.err
        );
    }
}

#[test]
fn a_warning_names_its_file() {
    let config = file(
        "warned-config.json",
        r#"{"jwks_url":"https://a.example/keys","default_role":"no"}"#,
    );
    let role = file(
        "warned-role.json",
        r#"{"user_claim":"sub","bound_subject":"a*","bound_audiences":["a"]}"#,
    );
    let run = jwtauth([
        "policy",
        "--vault-config",
        &config,
        "--vault-role",
        &format!("Web={role}"),
    ]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.err.contains(&format!("warning: {config}: default_role: ")),
        "{}",
        run.err
    );
    assert!(
        run.err.contains(&format!("warning: {role}: bound_subject: ")),
        "{}",
        run.err
    );
}

#[test]
fn a_configuration_is_read_from_standard_input() {
    let folder = root().join("examples/configs");
    for name in ["native.json", "grafana.ini"] {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let input = jwtauth_in(&folder, [], ["policy", "--json", "--config", "-"], &text);
        let named = jwtauth_in(&folder, [], ["policy", "--json", "--config", name], "");
        assert_eq!((input.code, input.out), (0, named.out), "{name}: {}", input.err);
    }
    let run = jwtauth_with_input(["policy", "-c", "-"], "{");
    assert_eq!(run.code, 2);
    assert!(
        run.err
            .contains("standard input: unexpected end of the JSON (line 1"),
        "{}",
        run.err
    );
    let run = jwtauth_with_input(["verify", "-c", "-", "-"], "{}");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("only one of them"), "{}", run.err);
}

#[test]
fn a_role_is_another_name_for_a_profile() {
    let token = token(CLAIMS);
    let run = jwtauth(["verify", "--json", "--config", NATIVE, "--role", "none", &token]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.out.contains(r#""code":"profile_unknown""#), "{}", run.out);
}

#[test]
fn a_time_is_only_for_decisions() {
    for command in ["policy", "keys"] {
        let run = jwtauth([command, "--config", NATIVE, "--now", "1700000000"]);
        assert_eq!(run.code, 2, "{command}");
    }
}
