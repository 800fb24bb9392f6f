//! `jwtauth policy`.

use super::{CLAIMS, NATIVE, file, jwtauth, jwtauth_in, root, token};

#[test]
fn a_printed_policy_decides_as_its_configuration_does() {
    let run = jwtauth(["policy", "--native", "--config", NATIVE]);
    assert_eq!(run.code, 0, "{}", run.err);

    let printed = run.out.replacen(
        '{',
        &format!(
            r#"{{"options":{{"base_dir":"{}/examples/configs"}},"#,
            root().display()
        ),
        1,
    );
    let printed = file("printed.json", &printed);
    let token = token(CLAIMS);

    let first = jwtauth(["verify", "--json", "--config", NATIVE, &token]);
    let second = jwtauth(["verify", "--json", "--config", &printed, &token]);
    assert_eq!(first.code, 0, "{}", first.out);
    assert_eq!(first.out, second.out);
}

#[test]
fn json_is_one_line_with_the_warnings() {
    let run = jwtauth(["policy", "--json", "--config", NATIVE]);

    assert_eq!(run.code, 0);
    assert_eq!(run.out.lines().count(), 1);
    assert!(
        run.out.starts_with(r#"{"dialect":"native","config":{"#),
        "{}",
        run.out
    );
    assert!(run.out.contains(r#""warnings":["#), "{}", run.out);
}

#[test]
fn a_summary_says_what_a_policy_means() {
    let run = jwtauth(["policy", "--config", "examples/configs/vault.json"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for line in [
        "keys",
        "  kid             ignored: every key is tried",
        "profiles",
        "  by default      web",
        "profile web: claims",
        "  issuer          https://issuer.example",
        "profile web: grants",
        "  policies        default, web-read",
        "  only if         groups is one of \"engineering\", \"support\"",
        "profile web: session",
        "  ttl             1h",
    ] {
        let is_there = run
            .out
            .lines()
            .any(|other| other.split_whitespace().eq(line.split_whitespace()));
        assert!(is_there, "no line `{line}` in\n{}", run.out);
    }
    assert!(run.out.lines().count() <= 40, "{}", run.out);
    assert!(
        !run.out.contains("error validating token"),
        "the responses are left out"
    );

    for name in ["native.json", "grafana.ini", "consul.json"] {
        let run = jwtauth(["policy", "--config", &format!("examples/configs/{name}")]);
        assert_eq!(run.code, 0, "{}", run.err);
        for title in ["keys", "token", "claims", "caller", "grants", "session"] {
            assert!(run.out.lines().any(|line| line == title), "{name}: {}", run.out);
        }
        assert!(run.out.lines().count() <= 40, "{}", run.out);
    }
}

#[test]
fn a_summary_has_no_secret_and_cannot_control_the_terminal() {
    let config = r#"{"dialect":"native","config":{"algorithms":["HS256"],"issuer":"a\u001b[31m\u202eb",
        "keys":[{"secret":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
                {"jwks_url":"https://a.example/keys?hush=1","issuer":"any"},
                {"jwk":{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}}]}}"#;
    let run = jwtauth(["policy", "--config", &file("summary-secrets.json", config)]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("https://a.example/keys"), "{}", run.out);
    for hidden in ["c2VjcmV0", "hush", "\u{1b}", "\u{202e}"] {
        assert!(!run.out.contains(hidden), "{}", run.out);
    }
}

#[test]
fn one_form_is_printed() {
    let run = jwtauth(["policy", "--native", "--json", "--config", NATIVE]);
    assert_eq!(run.code, 2);
    let native = jwtauth(["policy", "--native", "--config", NATIVE]);
    let json = jwtauth(["policy", "--json", "--config", NATIVE]);
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(read(&native.out), read(&json.out));
    assert!(native.out.lines().count() > 1);
}

#[test]
fn warnings_go_to_standard_error() {
    let config = file(
        "no-issuer.json",
        &std::fs::read_to_string(root().join(NATIVE))
            .unwrap()
            .replace(r#""issuer": "https://issuer.example","#, "")
            .replace("../keys/", &format!("{}/examples/keys/", root().display())),
    );

    let run = jwtauth(["policy", "--config", &config]);

    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.starts_with("warning: "), "{}", run.err);
    assert!(run.err.contains("issuer"), "{}", run.err);
}

#[test]
fn an_invalid_configuration_is_reported_and_ends_with_2() {
    let config = file("no-dialect.json", r#"{"config":{}}"#);

    let run = jwtauth(["policy", "--config", &config]);

    assert_eq!(run.code, 2);
    assert_eq!(run.out, "");
    assert!(run.err.contains("dialect"), "{}", run.err);
}

const GRAFANA: [(&str, &str); 4] = [
    ("GF_AUTH_JWT_ENABLED", "true"),
    ("GF_AUTH_JWT_HEADER_NAME", "X-Token"),
    ("GF_AUTH_JWT_USERNAME_CLAIM", "sub"),
    ("GF_AUTH_JWT_KEY_FILE", "examples/keys/issuer.public.pem"),
];

#[test]
fn variables_of_grafana_are_a_configuration() {
    let run = jwtauth_in(&root(), GRAFANA, ["policy", "--json", "--grafana-env"], "");
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains(r#""header":"X-Token""#), "{}", run.out);

    let run = jwtauth_in(&root(), GRAFANA, ["policy"], "");
    assert_eq!(run.code, 2);
    assert!(run.err.contains("--config"), "{}", run.err);
}

#[test]
fn variables_of_grafana_apply_to_a_file_only_if_they_are_asked_for() {
    let header = [("GF_AUTH_JWT_HEADER_NAME", "X-Token")];
    let ini = [
        "policy",
        "--json",
        "--config",
        "examples/configs/grafana.ini",
        "--grafana-env",
    ];
    let with = jwtauth_in(&root(), header, ini, "");
    assert!(with.out.contains(r#""header":"X-Token""#), "{}", with.out);
    let without = jwtauth_in(&root(), header, &ini[..4], "");
    assert!(
        without.out.contains(r#""header":"X-JWT-Assertion""#),
        "{}",
        without.out
    );

    // A variable of the environment replaces the one of the configuration, and the others stay.
    let config = file(
        "grafana-env.json",
        r#"{"dialect":"grafana","config":{"env":{"GF_AUTH_JWT_HEADER_NAME":"X-Old","GF_AUTH_JWT_ENABLED":"false"}}}"#,
    );
    let run = jwtauth_in(
        &root(),
        header,
        ["policy", "--json", "--grafana-env", "--config", &config],
        "",
    );
    assert!(run.out.contains(r#""header":"X-Token""#), "{}", run.out);
    assert!(run.out.contains(r#""disabled":true"#), "{}", run.out);
}

#[test]
fn variables_of_grafana_are_refused_for_another_dialect() {
    let run = jwtauth_in(
        &root(),
        GRAFANA,
        ["policy", "--grafana-env", "--config", NATIVE],
        "",
    );
    assert_eq!(run.code, 2);
    assert!(
        run.err
            .contains("`--grafana-env` is only for the dialect `grafana`"),
        "{}",
        run.err
    );
}
