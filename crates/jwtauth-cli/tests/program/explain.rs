//! `jwtauth explain`, and what `jwtauth verify` says about the checks.

use super::{CLAIMS, NATIVE, file, jwtauth, signed_by, token};

#[test]
fn a_grant_shows_every_check() {
    let run = jwtauth(["explain", "--config", NATIVE, &token(CLAIMS)]);

    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.starts_with("granted\nextract\n"), "{}", run.out);
    for line in [
        "  passed         token: the token was found in the request's `token`\n",
        "  passed         algorithm: RS256 is allowed\n",
        "  passed         expires: `exp` is in ",
        "validate_claims\n",
        "`audiences`: [\"",
    ] {
        assert!(run.out.contains(line), "{line}: {}", run.out);
    }
    assert!(!run.out.contains("failed"), "{}", run.out);
    assert!(!run.out.contains("alice"), "{}", run.out);
}

#[test]
fn values_are_shown_on_demand() {
    let run = jwtauth(["explain", "--show-values", "--config", NATIVE, &token(CLAIMS)]);

    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(
        run.out.contains(r#"seen: string, 5 bytes: "alice""#),
        "{}",
        run.out
    );
}

#[test]
fn a_denial_goes_on_with_checks_of_claims_that_no_key_has_signed() {
    let forged = signed_by("examples/keys/forger.private.pem", CLAIMS);

    let run = jwtauth(["explain", "--show-values", "--config", NATIVE, &forged]);

    assert_eq!(run.code, 1);
    assert!(run.out.starts_with("denied  signature_invalid: "), "{}", run.out);
    assert!(
        run.out
            .contains("  failed         signature: the signature is invalid\n"),
        "{}",
        run.out
    );
    let marked = "\nfor information only, from claims that no key has signed:\nvalidate_claims\n";
    let (before, after) = run.out.split_once(marked).unwrap();
    assert!(after.contains("  (passed)       expires: "), "{}", run.out);
    assert!(
        after.contains("alice") && !before.contains("alice"),
        "{}",
        run.out
    );
}

#[test]
fn json_is_the_explanation_of_the_library() {
    let token = token(CLAIMS);

    let explained = jwtauth(["explain", "--json", "--config", NATIVE, &token]);
    let verified = jwtauth(["verify", "--json", "--config", NATIVE, &token]);

    assert_eq!(explained.code, 0);
    let decision = verified.out.trim_end();
    let start = format!("{{\"decision\":{decision},\"steps\":[{{\"stage\":\"extract\",");
    assert!(explained.out.starts_with(&start), "{}", explained.out);
    assert!(explained.out.ends_with("}],\"hints\":[]}\n"), "{}", explained.out);
}

#[test]
fn an_invalid_configuration_ends_with_2() {
    let run = jwtauth(["explain", "--config", "no/such/file.json", "x.y.z"]);

    assert_eq!(run.code, 2);
    assert_eq!(run.out, "");
}

#[test]
fn verify_shows_what_passed_before_a_denial_and_what_is_configured() {
    let run = jwtauth([
        "verify",
        "--config",
        NATIVE,
        "--now",
        "4102444860",
        &token(CLAIMS),
    ]);

    assert_eq!(run.code, 1);
    for line in [
        "  passed        the token was found in the request's `token`\n",
        "  passed        RS256 is allowed\n",
        "` verified the signature\n",
        "  configured    `leeway.exp`: \"1m\"\n",
        "  what to do    ",
    ] {
        assert!(run.out.contains(line), "{line}: {}", run.out);
    }
    let advice = run.out.find("what to do").unwrap();
    assert!(run.out.find("configured").unwrap() < advice, "{}", run.out);
}

#[test]
fn verify_says_that_no_role_came_of_the_expression() {
    let root = super::root();
    let native = std::fs::read_to_string(root.join(NATIVE)).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&native).unwrap();
    config["options"] = serde_json::json!({ "base_dir": root.join("examples/configs") });
    config["config"]["roles"] = serde_json::json!({ "jmespath": "no_such_claim" });
    let config = file("no-role.json", &config.to_string());

    let run = jwtauth(["verify", "--config", &config, &token(CLAIMS)]);

    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let line = "  no role       no role came of the expression, and there is no default (`roles.jmespath`: ";
    assert!(run.out.contains(line), "{}", run.out);
}
