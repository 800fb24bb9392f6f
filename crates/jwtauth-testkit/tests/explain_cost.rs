//! What an explanation costs: it grows with the configuration and the token, and not with their product.
//!
//! No test measures a time. Each has an input that would take gigabytes or hours if a step were repeated for each other one.

#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use base64_simd::URL_SAFE_NO_PAD;
use jwtauth_core::explain::{Check, Outcome, Step};
use jwtauth_core::{Code, Explain, Explanation, Request, Verifier};
use serde_json::{Value, json};

/// A native configuration with these members.
fn verifier(members: &Value) -> Verifier {
    let mut config = json!({
        "keys": [{ "jwk": { "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" } }],
        "algorithms": ["EdDSA"],
        "audiences": ["api"],
        "identity": { "name": null, "named": "optional", "metadata": { "team": "team" }, "lists": { "groups": "groups" } },
    });
    for (name, member) in members.as_object().unwrap() {
        config
            .as_object_mut()
            .unwrap()
            .insert(name.clone(), member.clone());
    }
    let envelope = json!({ "dialect": "native", "config": config, "options": { "now": 1_700_000_000 } });
    Verifier::from_json(&envelope.to_string()).unwrap()
}

/// Claims that pass the usual checks, with these.
fn claims(more: &Value) -> String {
    let mut claims = json!({ "aud": "api", "exp": 1_700_000_600 });
    for (name, claim) in more.as_object().unwrap() {
        claims
            .as_object_mut()
            .unwrap()
            .insert(name.clone(), claim.clone());
    }
    claims.to_string()
}

/// The explanation of a token with these claims, which no key has signed.
fn unsigned(verifier: &Verifier, claims: &str) -> Explanation {
    let encode = |text: &[u8]| URL_SAFE_NO_PAD.encode_to_string(text);
    let header = encode(br#"{"alg":"EdDSA","kid":"k"}"#);
    let token = format!("{header}.{}.{}", encode(claims.as_bytes()), encode(&[7; 64]));
    let explanation = verifier.explain(&Request::bearer(&token), Explain::default());
    assert_eq!(
        explanation.decision.as_ref().unwrap_err().code(),
        Code::SignatureInvalid
    );
    explanation
}

fn outcomes(steps: &[Step], check: Check) -> Vec<Outcome> {
    let of_check = steps.iter().filter(|step| step.check == check);
    of_check.map(|step| step.outcome).collect()
}

fn binding(name: &str, selector: &str) -> Value {
    json!({ "bind": "role", "name": name, "selector": selector })
}

#[test]
fn many_rules_about_an_absent_value_are_explained_at_once() {
    let rule = |index: usize| binding("ops", &format!("value.team == \"t{index}\""));
    let rules: Vec<Value> = (0..20_000).map(rule).collect();
    let verifier = verifier(&json!({ "bindings": { "rules": rules } }));
    let tried = verifier.dry_run(&claims(&json!({})), &Request::default(), None, Explain::default());
    assert_eq!(tried.would.unwrap_err().code(), Code::BindingUnmatched);
    let hints: Vec<_> = tried.hints.iter().map(|hint| hint.name).collect();
    assert_eq!(hints, ["selector_value_is_absent"]);
    assert_eq!(
        outcomes(&tried.steps, Check::Binding),
        [Outcome::NotApplicable; 20_000]
    );
}

#[test]
fn a_hint_about_an_absent_value_names_the_value_that_is_absent() {
    let verifier = verifier(&json!({
        "identity": { "name": null, "named": "optional", "metadata": { "team": "team", "team2": "team2", "team22": "team22" } },
        "bindings": { "rules": [binding("ops", "value.team == \"team22\" and value.team2 == \"team22\"")] },
    }));
    let claims = claims(&json!({ "team": "team22", "team22": "x" }));
    let tried = verifier.dry_run(&claims, &Request::default(), None, Explain::default());
    let texts: Vec<_> = tried.hints.iter().map(|hint| hint.text.as_str()).collect();
    assert!(
        matches!(texts.as_slice(), [text] if text.starts_with("the selector tests `value.team2`,")),
        "{texts:?}"
    );
}

#[test]
fn many_rules_that_a_profile_inherits_are_compared_once() {
    let rule = |index: usize| binding("ops", &format!("value.team == \"t{index}\""));
    let rules: Vec<Value> = (0..20_000).map(rule).collect();
    let verifier = verifier(&json!({
        "bindings": { "rules": rules },
        "profiles": { "ci": { "policies": ["read"] } },
    }));
    let request = Request::default().profile("ci");
    let tried = verifier.dry_run(&claims(&json!({})), &request, None, Explain::default());
    let mut places = tried.steps.iter().filter(|step| step.check == Check::Binding);
    let last = places.next_back().unwrap().place.as_deref();
    assert_eq!(last, Some("bindings.rules[19999].selector"));
}

/// A pattern of 64 KiB, with a value for which it takes its whole time.
const SLOW: &str = "not (not (not (not (value.team matches \"a{0,900}b\"))))";

fn slow_value() -> String {
    "a".repeat(8_000)
}

#[test]
fn a_slow_regular_expression_is_not_evaluated_for_an_unsigned_token() {
    let rules = [
        binding("slow", SLOW),
        binding("fast", "\"ops\" in list.groups"),
        binding("short", "value.unit matches \"^a\""),
    ];
    let verifier = verifier(&json!({ "bindings": { "rules": rules } }));
    let claims = claims(&json!({ "team": slow_value(), "groups": ["ops"] }));
    let explanation = unsigned(&verifier, &claims);
    let of_bindings: Vec<_> = outcomes(&explanation.steps, Check::Binding);
    assert_eq!(
        of_bindings,
        [Outcome::NotReached, Outcome::Passed, Outcome::NotApplicable]
    );
    // Whether something is bound is not known without the first rule.
    assert_eq!(
        outcomes(&explanation.steps, Check::Bindings),
        [Outcome::NotReached]
    );
    // With a short value, everything is told.
    let short = self::claims(&json!({ "team": "a", "groups": ["ops"] }));
    let explanation = unsigned(&verifier, &short);
    let of_bindings: Vec<_> = outcomes(&explanation.steps, Check::Binding);
    assert_eq!(
        of_bindings,
        [Outcome::NotApplicable, Outcome::Passed, Outcome::NotApplicable]
    );
    assert_eq!(outcomes(&explanation.steps, Check::Bindings), [Outcome::Passed]);
}

/// An expression that looks at each group several times, and many groups.
fn slow_expression() -> (String, Vec<String>) {
    let once = "groups[?contains(to_string(@), 'x')]";
    let groups = (0..4_000).map(|index| format!("{index:05}"));
    (vec![once; 20].join(" || "), groups.collect())
}

#[test]
fn slow_expressions_are_not_evaluated_for_an_unsigned_token() {
    let (slow, groups) = slow_expression();
    let verifier = verifier(&json!({
        "identity": { "name": { "jmespath": slow }, "named": "optional", "metadata": { "team": "team" } },
        "claims": [{ "jmespath": slow, "equals": true }, { "claim": "team", "equals": "ops" }],
        "roles": { "jmespath": slow },
    }));
    let explanation = unsigned(&verifier, &claims(&json!({ "team": "ops", "groups": groups })));
    let of = |check| outcomes(&explanation.steps, check);
    assert_eq!(of(Check::Claim), [Outcome::NotReached, Outcome::Passed]);
    assert_eq!(of(Check::Name), [Outcome::NotReached]);
    assert_eq!(of(Check::Metadata), [Outcome::Passed]);
    assert_eq!(of(Check::Role), [Outcome::NotReached]);
}

#[test]
fn a_binding_rule_is_not_decided_by_a_value_that_was_not_mapped() {
    let (slow, groups) = slow_expression();
    let verifier = verifier(&json!({
        "identity": { "name": null, "named": "optional", "metadata": { "team": { "jmespath": slow } } },
        "bindings": { "rules": [binding("others", "value.team != \"ops\"")] },
    }));
    let explanation = unsigned(&verifier, &claims(&json!({ "team": "ops", "groups": groups })));
    let of = |check| outcomes(&explanation.steps, check);
    assert_eq!(of(Check::Metadata), [Outcome::NotReached]);
    assert_eq!(of(Check::Binding), [Outcome::NotReached]);
    assert_eq!(of(Check::Bindings), [Outcome::NotReached]);
}
