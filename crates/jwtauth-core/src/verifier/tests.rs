use super::{CHEAP, LONG, Verifier};
use crate::explain::{Check, Explain, Step};
use crate::request::Request;

#[test]
fn only_small_requests_with_hmac_only_are_cheap() {
    let verifier = |algorithms: &str| {
        let secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
        let config = format!(
            r#"{{"dialect":"native","config":{{"keys":[{{"secret":"{secret}"}}],"algorithms":{algorithms}}}}}"#
        );
        Verifier::from_json(&config).unwrap()
    };
    let large = "x".repeat(CHEAP);
    let small = Request::bearer("a.b.c");
    assert!(verifier(r#"["HS256"]"#).is_cheap(&small));
    assert!(!verifier(r#"["HS256","ES256"]"#).is_cheap(&small));
    for request in [
        Request::bearer("a.b.c").url(&large),
        Request::headers([("accept", large.as_str())]),
        Request::bearer("a.b.c").token(&large).url("/"),
    ] {
        assert!(!verifier(r#"["HS256"]"#).is_cheap(&request));
    }
}

#[test]
fn a_request_is_not_cheap_if_the_policy_has_expressions_that_could_take_long() {
    let verifier = |more: &str| {
        let secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
        let config = format!(
            r#"{{"dialect":"native","config":{{"keys":[{{"secret":"{secret}"}}],"algorithms":["HS256"],{more}}}}}"#
        );
        Verifier::from_json(&config).unwrap()
    };
    let token = "x".repeat(2000);
    let request = Request::bearer(&token);
    for (more, is_cheap, slow_from) in [
        (r#""policies":["read"]"#, true, LONG),
        (
            r#""identity":{"groups":{"jmespath":"realm_access.roles"}}"#,
            true,
            LONG,
        ),
        (
            r#""claims":[{"jmespath":"contains(groups, 'staff')"}]"#,
            true,
            LONG,
        ),
        (
            r#""claims":[{"jmespath":"a[*].b[*].c[*].d[] | sort(@)[0] == 'x'"}]"#,
            false,
            16 * 1024,
        ),
        (
            r#""profiles":{"a":{"claims":[{"jmespath":"a[?length(b[?length(c) > `2`]) > `1`] == b"}]}}"#,
            false,
            16 * 1024,
        ),
        (
            r#""identity":{"metadata":{"team":"team"}},"bindings":{"rules":[{"selector":"value.team matches `a{0,900}b`","bind":"role","name":"r"}]}"#,
            false,
            128,
        ),
    ] {
        let verifier = verifier(more);
        assert_eq!(verifier.is_cheap(&request), is_cheap, "{more}");
        assert_eq!(verifier.slow_from(), slow_from, "{more}");
    }
}

const TOKEN: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6InRlc3QtMSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoidS0xNyIsImF1ZCI6ImFwaSIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUuY29tIiwiZ3JvdXBzIjpbImVuZyJdLCJyb2xlIjoiZWRpdG9yIn0.8rlrdYG6OUCcwnE8u3Z7xCj3Vg8nuthOOxe6PrHzx6WVblSlFmf0QtJYfji5gF7_jYAUiXrnEdFOepDLJ4RrBg";

/// The steps of [`TOKEN`] whose check passes the filter, each as its outcome, place and text.
fn steps(config: &str, filter: impl Fn(Check) -> bool) -> Vec<String> {
    let envelope = format!(r#"{{"dialect":"native","config":{config},"options":{{"now":1700003590}}}}"#);
    let verifier = Verifier::from_json(&envelope).unwrap();
    let explanation = verifier.explain(&Request::bearer(TOKEN), Explain::default());
    let steps = explanation.steps.iter().filter(|step| filter(step.check));
    let shown = |step: &Step| {
        let place = step.place.as_deref().unwrap_or("-");
        let mark = if step.informative { "informative " } else { "" };
        format!("{mark}{} {place}: {}", step.outcome.as_str(), step.text)
    };
    steps.map(shown).collect()
}

#[test]
fn every_key_is_explained() {
    let config = r#"{
        "keys": [
            {"jwks": {"keys": [
                {"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
                {"kty":"EC","crv":"P-256","kid":"test-1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
                {"kty":"OKP","crv":"Ed25519","use":"enc","kid":"test-1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
                {"kty":"OKP","crv":"Ed25519","kid":"test-1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
            ]}},
            {"jwk": {"kty":"OKP","crv":"Ed25519","x":"h6PMmVk3fIlFE_ifMFEFqditr59MHbh8meXjWewsA4g"}},
            {"jwk": {"kty":"OKP","crv":"Ed25519","kid":"test-1","x":"h6PMmVk3fIlFE_ifMFEFqditr59MHbh8meXjWewsA4g"}}
        ],
        "algorithms": ["EdDSA", "ES256"], "issuer": "https://issuer.example", "audiences": ["api"]
    }"#;
    let about_keys = |check| matches!(check, Check::KeySource | Check::Key | Check::Signature);
    let expected = [
        "passed keys[0].jwks: `keys[0].jwks` has 3 usable keys",
        "not_applicable keys[0].jwks.keys[0]: the key `a` is not used: the token names another one",
        "not_applicable keys[0].jwks.keys[1]: the key `test-1` is not used: it can be used only with ES256",
        "not_applicable keys[0].jwks.keys[2]: the key `test-1` is not used: `use` is not `sig`",
        "not_applicable keys[0].jwks.keys[3]: the key `test-1` fits the token, and does not verify the signature",
        "passed keys[1].jwk: `keys[1].jwk` has one usable key",
        "passed keys[1].jwk: the key without a `kid` verified the signature",
        "passed keys[2].jwk: `keys[2].jwk` has one usable key",
        "not_applicable keys[2].jwk: the key `test-1` fits the token, and was not needed",
        "passed -: a key of `keys[1].jwk` verified the signature",
    ];
    let steps = steps(config, about_keys);
    assert_eq!(steps.len(), expected.len(), "{steps:#?}");
    for (step, expected) in steps.iter().zip(expected) {
        assert!(step.starts_with(expected), "{step}\n{expected}");
    }
}

#[test]
fn a_denial_names_the_place_of_a_profile_and_goes_on_to_inform() {
    let config = r#"{
        "keys": [{"jwk": {"kty":"OKP","crv":"Ed25519","x":"h6PMmVk3fIlFE_ifMFEFqditr59MHbh8meXjWewsA4g"}}],
        "algorithms": ["EdDSA"], "issuer": "https://issuer.example", "audiences": ["api"],
        "default_profile": "web",
        "profiles": {"web": {
            "claims": [{"claim": "email", "glob": ["*@example.com"]}, {"claim": "role", "equals": "admin"}],
            "policies": ["read"],
            "bindings": {"rules": [{"selector": "value.team == a", "bind": "role", "name": "r-${value.team}"}]},
            "identity": {"name": "sub", "metadata": {"team": "team"}}
        }}
    }"#;
    let of_claims = |check: Check| check >= Check::NotBefore;
    let expected = [
        "not_applicable profiles.web.leeway.nbf: the token has no `nbf`, and needs none",
        "passed profiles.web.leeway.exp: `exp` is in 10 s",
        "passed profiles.web.leeway.iat: `iat` was 3590 s ago",
        "passed profiles.web.claims[0]: `email` passes its test",
        "failed profiles.web.claims[1]: a claim does not have the required value (claim \"role\")",
        "informative passed profiles.web.identity.name: the caller's name can be mapped",
        "informative not_applicable profiles.web.identity.metadata.team: the token has nothing for `team`",
        "informative passed profiles.web.policies: no policy of the configuration is forbidden",
        "informative not_applicable profiles.web.bindings.rules[0].selector: the selector does not select the caller",
        "informative failed -: no binding rule applies to this identity: `profiles.web.bindings.rules[0].selector`: `value.team == a` does not match",
    ];
    assert_eq!(steps(config, of_claims), expected);
}

#[test]
fn a_role_by_default_and_a_computed_time_are_explained() {
    let config = r#"{
        "keys": [{"jwk": {"kty":"OKP","crv":"Ed25519","x":"h6PMmVk3fIlFE_ifMFEFqditr59MHbh8meXjWewsA4g"}}],
        "algorithms": ["EdDSA"], "issuer": "https://issuer.example", "audiences": ["api"],
        "synthesise": {"exp_after": "1m", "nbf_before": "1m"},
        "roles": {"jmespath": "role", "allowed": ["viewer"], "default": "viewer"}
    }"#;
    let expected = [
        "passed leeway.nbf: `nbf` (computed: `iat`) was 3590 s ago",
        "passed roles.jmespath: the expression gives no valid role, so the caller gets the default role",
    ];
    let some = |check| matches!(check, Check::NotBefore | Check::Role);
    assert_eq!(steps(config, some), expected);
}
