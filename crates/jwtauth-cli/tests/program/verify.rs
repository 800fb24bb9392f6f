//! `jwtauth verify`.

use super::{CLAIMS, NATIVE, file, jwtauth, jwtauth_with_input, signed_by, token};

#[test]
fn a_grant_ends_with_0_and_shows_identity_and_entitlements() {
    let run = jwtauth(["verify", "--config", NATIVE, &token(CLAIMS)]);

    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.starts_with("granted\n"), "{}", run.out);
    assert!(run.out.contains("name          alice\n"), "{}", run.out);
    assert!(run.out.contains("policy        web-read\n"), "{}", run.out);
    assert!(run.out.contains("role          viewer\n"), "{}", run.out);
}

#[test]
fn a_denial_ends_with_1_and_shows_the_reason() {
    let forged = signed_by("examples/keys/forger.private.pem", CLAIMS);

    let run = jwtauth(["verify", "--config", NATIVE, &forged]);

    assert_eq!(run.code, 1);
    assert!(run.out.starts_with("denied  signature_invalid: "), "{}", run.out);
    assert!(run.out.contains("http status   401\n"), "{}", run.out);
}

#[test]
fn a_configuration_error_ends_with_2_on_standard_error() {
    let native = std::fs::read_to_string(super::root().join(NATIVE)).unwrap();
    let config = file(
        "misspelt.json",
        &native.replace("\"algorithms\"", "\"algoritms\""),
    );

    let run = jwtauth(["verify", "--config", &config, "x.y.z"]);

    assert_eq!(run.code, 2);
    assert_eq!(run.out, "");
    assert!(run.err.contains("algoritms"), "{}", run.err);
}

#[test]
fn a_missing_file_is_named_with_the_system_error() {
    let run = jwtauth(["verify", "--config", "no/such/file.json", "x.y.z"]);

    assert_eq!(run.code, 2);
    assert!(
        run.err.contains(&format!(
            "cannot read `{}/no/such/file.json`: No such file or directory",
            super::root().display()
        )),
        "{}",
        run.err
    );
}

#[test]
fn unreachable_keys_end_with_3() {
    let native = std::fs::read_to_string(super::root().join(NATIVE)).unwrap();
    // The listener is dropped, so that connections to its port are refused.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let source = format!(r#""jwks_url": "https://{address}/keys""#);
    let config = file(
        "unreachable.json",
        &native.replace(r#""pem_file": "../keys/issuer.public.pem""#, &source),
    );

    let run = jwtauth(["verify", "--config", &config, &token(CLAIMS)]);

    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    assert!(
        run.out.starts_with("unavailable  key_source_unavailable: "),
        "{}",
        run.out
    );
}

#[test]
fn usage_errors_end_with_2() {
    let token = token(CLAIMS);
    let wrong: [&[&str]; 6] = [
        &["verify"],
        &["verify", "--config", NATIVE],
        &["verify", "--config", NATIVE, "--remote-addr", "here", &token],
        &["verify", "--config", NATIVE, "--now", "tomorrow", &token],
        &["verify", "--config", NATIVE, "--header", "no colon", &token],
        &["verify", "--config", NATIVE, &token, "another"],
    ];
    for arguments in wrong {
        let run = jwtauth(arguments);
        assert_eq!(run.code, 2, "{arguments:?}");
        assert_eq!(run.out, "");
    }
}

#[test]
fn json_is_the_reply_of_the_library() {
    let token = token(CLAIMS);

    let granted = jwtauth(["verify", "--json", "--config", NATIVE, &token]);
    let denied = jwtauth([
        "verify",
        "--json",
        "--config",
        NATIVE,
        "--now",
        "4102444860",
        &token,
    ]);
    let failed = jwtauth(["verify", "--json", "--config", "no/such/file.json", &token]);

    assert_eq!(granted.code, 0);
    assert!(
        granted
            .out
            .starts_with(r#"{"outcome":"granted","identity":{"name":"alice","#),
        "{}",
        granted.out
    );
    assert!(
        granted.out.ends_with(&format!("\"claims\":{CLAIMS}}}\n")),
        "{}",
        granted.out
    );
    assert_eq!(denied.code, 1);
    assert!(
        denied
            .out
            .starts_with(r#"{"outcome":"failed","class":"denied","code":"token_expired","#),
        "{}",
        denied.out
    );
    assert_eq!(failed.code, 2);
    assert!(
        failed.out.starts_with(r#"{"outcome":"failed","class":"config","#),
        "{}",
        failed.out
    );
}

#[test]
fn now_is_a_number_or_a_date_and_overrides_the_envelope() {
    let config = file(
        "fixed-time.json",
        &std::fs::read_to_string(super::root().join(NATIVE))
            .unwrap()
            .replacen('{', r#"{"options":{"now":4102444860},"#, 1)
            .replace("../keys/", &format!("{}/examples/keys/", super::root().display())),
    );
    let token = token(CLAIMS);

    assert_eq!(jwtauth(["verify", "--config", &config, &token]).code, 1);
    assert_eq!(
        jwtauth(["verify", "--config", &config, "--now", "4102444859", &token]).code,
        0
    );
    assert_eq!(
        jwtauth([
            "verify",
            "--config",
            &config,
            "--now",
            "2100-01-01T00:00:59Z",
            &token
        ])
        .code,
        0
    );
    assert_eq!(
        jwtauth([
            "verify",
            "--config",
            &config,
            "--now",
            "2100-01-01T00:01:00Z",
            &token
        ])
        .code,
        1
    );
}

#[test]
fn relative_key_files_start_in_the_folder_of_the_configuration_unless_base_dir_is_set() {
    let root = super::root();
    let native = std::fs::read_to_string(root.join(NATIVE)).unwrap();
    let elsewhere = file("elsewhere.json", &native);
    let with_base_dir = file(
        "with-base-dir.json",
        &native.replacen(
            '{',
            &format!(
                r#"{{"options":{{"base_dir":"{}/examples/configs"}},"#,
                root.display()
            ),
            1,
        ),
    );
    let token = token(CLAIMS);

    let lost = jwtauth(["verify", "--config", &elsewhere, &token]);
    assert_eq!(lost.code, 2);
    assert!(lost.err.contains("issuer.public.pem"), "{}", lost.err);
    assert_eq!(jwtauth(["verify", "--config", &with_base_dir, &token]).code, 0);
}

#[test]
fn a_token_can_come_from_standard_input() {
    let token = format!("  {}\r\n", token(CLAIMS));

    assert_eq!(
        jwtauth_with_input(["verify", "--config", NATIVE, "-"], &token).code,
        0
    );
    assert_eq!(
        jwtauth_with_input(["verify", "--config", NATIVE, "-"], "").code,
        1
    );
}

#[test]
fn a_token_can_come_from_a_header() {
    let header = format!("authorization: Bearer {}", token(CLAIMS));

    assert_eq!(
        jwtauth(["verify", "--config", NATIVE, "--header", &header]).code,
        0
    );
    let twice = jwtauth(["verify", "--config", NATIVE, "-H", &header, "-H", &header]);
    assert_eq!(twice.code, 1);
    let other = jwtauth(["verify", "--config", NATIVE, "-H", "X-Other: 1"]);
    assert!(other.out.starts_with("denied  token_missing"), "{}", other.out);
}

#[test]
fn headers_and_url_are_used_in_addition_to_a_token() {
    let token = token(&CLAIMS.replace("\"exp\"", "\"iat\":1700000000,\"exp\""));
    let grafana = "examples/configs/grafana.ini";

    let plain = jwtauth(["verify", "--json", "--config", grafana, &token]);
    let header = jwtauth([
        "verify",
        "--json",
        "--config",
        grafana,
        "-H",
        "X-Grafana-Org-Id: 7",
        &token,
    ]);
    let url = jwtauth([
        "verify",
        "--json",
        "--config",
        grafana,
        "--url",
        "/d/abc?orgId=8",
        &token,
    ]);

    assert!(!plain.out.contains("requested_org"), "{}", plain.out);
    assert!(header.out.contains(r#""requested_org":7"#), "{}", header.out);
    assert!(url.out.contains(r#""requested_org":8"#), "{}", url.out);
}

#[test]
fn a_duplicate_member_is_refused_although_options_are_added() {
    let config = file(
        "twice.json",
        r#"{"dialect":"native","config":{"algorithms":["RS256"],"algorithms":["HS256"]}}"#,
    );

    let run = jwtauth(["verify", "--config", &config, "--now", "0", "x.y.z"]);

    assert_eq!(run.code, 2);
    assert!(run.err.contains("duplicate member name"), "{}", run.err);
}

#[test]
fn a_token_cannot_control_the_terminal() {
    let claims = CLAIMS.replace("alice", r"ali\u001b[2Jce\u202e");

    let run = jwtauth(["verify", "--config", NATIVE, &token(&claims)]);

    assert_eq!(run.code, 0);
    assert!(run.out.contains(r"ali\u001b[2Jce\u202e"), "{}", run.out);
    assert!(
        run.out
            .chars()
            .all(|character| character == '\n' || !character.is_control())
    );
}

#[test]
fn a_grant_is_shown_also_if_its_claims_are_nested_deeply() {
    let nested = format!("{}1{}", "[".repeat(63), "]".repeat(63));
    let claims = CLAIMS.replacen('{', &format!(r#"{{"deep":{nested},"#), 1);
    let run = jwtauth(["verify", "--config", NATIVE, &token(&claims)]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(
        run.out.contains("alice") && run.out.contains("engineering"),
        "{}",
        run.out
    );
}
