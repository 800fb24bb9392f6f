//! `jwtauth try`.

use super::{CLAIMS, NATIVE, file, jwtauth, jwtauth_with_input};

#[test]
fn claims_show_who_the_caller_would_be_and_that_it_is_a_dry_run() {
    // Vault makes up a missing `nbf`, from the time of `iat`.
    let issued = CLAIMS.replace("{", r#"{"iat":1700000000,"#);
    let claims = file("try-claims.json", &issued);
    for config in ["native.json", "grafana.ini", "vault.json", "consul.json"] {
        let config = format!("examples/configs/{config}");

        let run = jwtauth(["try", "--config", &config, "--claims", &claims]);

        assert_eq!(run.code, 0, "{config}: {}{}", run.out, run.err);
        assert!(
            run.out.starts_with("DRY RUN: no token and no key were used; "),
            "{config}: {}",
            run.out
        );
        assert!(run.out.contains("\nwould be granted\n"), "{config}: {}", run.out);
        assert!(run.out.contains("alice"), "{config}: {}", run.out);
    }
}

#[test]
fn a_denial_has_the_exit_code_and_the_advice_of_a_denial() {
    let claims = file("try-other.json", &CLAIMS.replace("\"example\"", "\"other\""));

    let run = jwtauth(["try", "--config", NATIVE, "--claims", &claims]);

    assert_eq!(run.code, 1);
    assert!(
        run.out.contains("\nwould be denied  audience_mismatch: "),
        "{}",
        run.out
    );
    assert!(run.out.contains("  what to do    "), "{}", run.out);
}

#[test]
fn the_time_can_be_set() {
    let claims = file("try-time.json", CLAIMS);
    let at = |flag: &str, time: &str| jwtauth(["try", "--config", NATIVE, "--claims", &claims, flag, time]);

    assert_eq!(at("--at", "2026-01-31T12:00:00Z").code, 0);
    for flag in ["--at", "--now"] {
        let run = at(flag, "4102444860");
        assert_eq!(run.code, 1);
        assert!(
            run.out.contains("would be denied  token_expired: "),
            "{}",
            run.out
        );
    }
}

#[test]
fn every_check_is_shown_on_demand() {
    let claims = file("try-explain.json", CLAIMS);
    let arguments = ["try", "--config", NATIVE, "--claims", &claims, "--explain"];

    let run = jwtauth(arguments);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("\n  not applicable signature: "), "{}", run.out);
    assert!(!run.out.contains(r#""alice""#), "{}", run.out);

    let run = jwtauth(arguments.into_iter().chain(["--show-values"]));
    assert!(
        run.out.contains(r#"seen: string, 5 bytes: "alice""#),
        "{}",
        run.out
    );
}

#[test]
fn json_cannot_be_taken_for_the_reply_of_a_decision() {
    let claims = file("try-json.json", CLAIMS);

    let run = jwtauth(["try", "--json", "--config", NATIVE, "--claims", &claims]);

    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.out
            .starts_with(r#"{"dry_run":true,"would":{"grant":{"identity":"#),
        "{}",
        run.out
    );
    assert!(!run.out.contains("outcome\":\"granted"), "{}", run.out);
}

#[test]
fn the_claims_may_come_from_standard_input() {
    let run = jwtauth_with_input(["try", "--config", NATIVE, "--claims", "-"], CLAIMS);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);

    let run = jwtauth_with_input(["try", "--config", "-", "--claims", "-"], CLAIMS);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("standard input can be only one of them"),
        "{}",
        run.err
    );
}

#[test]
fn claims_that_cannot_be_read_are_denied_with_their_place() {
    let claims = file("try-broken.json", "{\n  \"iss\": \"a\",\n  \"aud\" \"b\"\n}");
    let run = jwtauth(["try", "--config", NATIVE, "--claims", &claims]);
    assert_eq!(run.code, 1);
    assert!(
        run.out.contains("would be denied  claims_malformed: "),
        "{}",
        run.out
    );
    assert!(run.out.contains("line 3"), "{}", run.out);

    let run = jwtauth(["try", "--config", NATIVE, "--claims", "no/such.json"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("cannot read no/such.json"), "{}", run.err);
}
