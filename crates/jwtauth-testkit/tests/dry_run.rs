//! Dry runs of the claims of every conformance case.

#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::fs;
use std::path::PathBuf;

use base64_simd::URL_SAFE_NO_PAD;
use jwtauth_core::explain::{Check, Outcome};
use jwtauth_core::{Code, Error, Explain, NumericDate, Request, Stage, Verifier, wire};
use jwtauth_testkit::{flatten, runner, suite};
use serde_json::Value;

/// The reply that the dry run of these claims predicts.
fn predicted(verifier: &Verifier, claims: &str, request: &str) -> String {
    let tried = wire::dry_run(verifier, claims, request, None, Explain::default());
    let rest = tried.strip_prefix(r#"{"dry_run":true,"would":{"#).unwrap();
    let (start, outcome) = match rest.strip_prefix(r#""grant":{"#) {
        Some(rest) => (rest, "granted"),
        None => (rest.strip_prefix(r#""fail":{"#).unwrap(), "failed"),
    };
    let (reply, _) = start.rsplit_once(r#"},"steps":["#).unwrap();
    format!(r#"{{"outcome":"{outcome}",{reply}"#)
}

/// The payload of the token in a request.
fn payload(request: &str) -> Option<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let mut words = request.split(|letter| !is_part(letter));
    let token = words.find(|word| word.starts_with("ey") && word.split('.').count() == 3)?;
    let payload = URL_SAFE_NO_PAD.decode_to_vec(token.split('.').nth(1)?).ok()?;
    String::from_utf8(payload).ok()
}

#[test]
fn the_claims_of_a_signed_token_would_give_what_the_token_gives() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("dry-run");
    flatten::suite(&suite(), &directory).unwrap();
    let (mut grants, mut denials) = (0, 0);
    for name in runner::index(&directory).unwrap() {
        let read = |file: &str| fs::read_to_string(directory.join(&name).join(file)).unwrap();
        let Ok(verifier) = Verifier::from_json(&read("verifier.json")) else {
            continue;
        };
        let request = read("request.json");
        let outcome = wire::authenticate(&verifier, &request);
        let claims = match &outcome {
            Ok(grant) => Some(grant.claims.as_str().to_owned()),
            Err(why) if is_about_claims(why) => payload(&request),
            Err(_) => None,
        };
        let Some(claims) = claims else { continue };
        match &outcome {
            Ok(_) => grants += 1,
            Err(_) => denials += 1,
        }
        let predicted = predicted(&verifier, &claims, &request);
        assert_eq!(predicted, wire::reply(&outcome), "{name}");
    }
    assert!(grants > 400 && denials > 300, "{grants} {denials}");
}

/// Whether the denial is about nothing but the claims.
fn is_about_claims(why: &Error) -> bool {
    let is_of_key =
        why.code() == Code::IssuerMismatch && why.detail().is_some_and(|why| why.contains("the key"));
    !is_of_key
        && matches!(
            why.stage(),
            Stage::ValidateClaims | Stage::MapIdentity | Stage::Decide
        )
}

const CONFIG: &str = r#"{"dialect":"native","config":{
    "keys":[
        {"jwks_url":"https://a.example/keys","issuer":"https://a.example"},
        {"jwks_url":"https://b.example/keys","issuer":"https://b.example"}
    ],
    "algorithms":["RS256"], "audiences":["api"], "bound_cidrs":["10.0.0.0/8"],
    "default_profile":"web", "profiles":{"web":{"policies":["read"]},"off":{"issuer":"https://b.example"}}
},"options":{"now":1700000000,"max_token_bytes":2000}}"#;

fn tried(claims: &str, request: &Request<'_>, now: Option<i64>) -> Result<String, (Code, String)> {
    let verifier = Verifier::from_json(CONFIG).unwrap();
    let now = now.map(NumericDate::from_seconds);
    let tried = verifier.dry_run(claims, request, now, Explain::default());
    let of_token = |check: &Check| {
        matches!(
            check.stage(),
            Stage::Decode | Stage::SelectKey | Stage::VerifySignature
        )
    };
    for step in tried.steps.iter().filter(|step| of_token(&step.check)) {
        let is_made = matches!(step.outcome, Outcome::Passed);
        assert!(!is_made, "{step:?}");
    }
    let shown = tried.would.map(|grant| wire::granted(&grant));
    shown.map_err(|why| (why.code(), why.to_string()))
}

#[test]
fn a_dry_run_needs_no_key_and_takes_the_profile_the_address_and_the_time() {
    let claims = r#"{"iss":"https://b.example","sub":"alice","aud":"api","iat":1700000000,"exp":1700000060}"#;
    let inside = Request::default().remote_addr("10.1.2.3".parse().unwrap());
    assert!(tried(claims, &inside, None).unwrap().contains(r#""name":"read""#));
    let code = |claims: &str, request: &Request<'_>, now| tried(claims, request, now).unwrap_err().0;
    assert_eq!(code(claims, &inside, Some(1_700_009_999)), Code::TokenExpired);
    assert_eq!(code(claims, &Request::default(), None), Code::AddressNotAllowed);
    assert_eq!(
        code(claims, &inside.clone().profile("x"), None),
        Code::ProfileUnknown
    );
    let other = claims.replace("b.example", "c.example");
    assert_eq!(code(&other, &inside, None), Code::IssuerMismatch);
    let of_a = claims.replace("b.example", "a.example");
    assert!(tried(&of_a, &inside, None).is_ok());
    assert_eq!(code(&of_a, &inside.profile("off"), None), Code::IssuerMismatch);
}

#[test]
fn claims_that_cannot_be_read_are_a_failure_with_line_and_column() {
    let inside = Request::default().remote_addr("10.1.2.3".parse().unwrap());
    for (claims, line_and_column) in [
        ("", "line 1"),
        ("{\n  \"sub\": }", "line 2, column 10"),
        ("{\"sub\": 1, \"sub\": 2}", "line 1"),
        ("[", "line 1"),
    ] {
        let (code, text) = tried(claims, &inside, None).unwrap_err();
        assert_eq!(code, Code::ClaimsMalformed, "{claims}");
        assert!(text.contains(line_and_column), "{text}");
    }
    for claims in ["null", "[]", "1"] {
        assert_eq!(tried(claims, &inside, None).unwrap_err().0, Code::ClaimsMalformed);
    }
    for length in [2000, 5_000_000] {
        let large = format!(r#"{{"sub":"{}"}}"#, "x".repeat(length));
        assert_eq!(tried(&large, &inside, None).unwrap_err().0, Code::TokenTooLarge);
    }
}

#[test]
fn no_part_of_a_dry_run_reads_as_a_reply() {
    let verifier = Verifier::from_json(CONFIG).unwrap();
    let request = r#"{"remote_addr":"10.1.2.3"}"#;
    let claims = r#"{"iss":"https://a.example","sub":"alice","aud":"api","iat":1700000000,"exp":1700000060}"#;
    let text = wire::dry_run(&verifier, claims, request, None, Explain::default());
    let whole: Value = serde_json::from_str(&text).unwrap();
    let grant = whole.pointer("/would/grant").unwrap();
    assert_eq!(grant.pointer("/claims/sub").unwrap(), "alice");
    for part in [&whole, whole.get("would").unwrap(), grant] {
        assert!(part.get("outcome").is_none());
        assert!(wire::restore(&part.to_string()).is_err(), "{part}");
    }
    let unreadable = wire::dry_run(&verifier, claims, "{", None, Explain::default());
    assert!(
        unreadable
            .starts_with(r#"{"dry_run":true,"would":{"fail":{"class":"argument","code":"request_invalid""#),
        "{unreadable}"
    );
}
