//! `jwtauth policy`.

use super::{CLAIMS, NATIVE, file, jwtauth, root, token};

#[test]
fn a_printed_policy_decides_as_its_configuration_does() {
    let run = jwtauth(["policy", "--config", NATIVE]);
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
