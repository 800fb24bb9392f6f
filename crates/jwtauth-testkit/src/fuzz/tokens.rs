//! Tokens, requests and signed payloads.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a statement that does not hold ends the fuzzer"
)]

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use jwtauth_core::internals::{Claims, json};
use jwtauth_core::{Code, Error, Explain, Explanation, Grant, Request, Result, Verifier, wire};
use serde_json::{Value, json};

use super::lines::is_one_line;
use crate::workspace;

/// A token without a signature of a configured key is never granted.
pub(super) fn token(token: &str) {
    for verifier in EXAMPLES.iter() {
        let request = Request::bearer(token);
        let outcome = verifier.authenticate(&request);
        assert!(outcome.is_err(), "a token was granted");
        is_explained(&verifier.explain(&request, Explain::default()), &outcome);
    }
}

/// A request without such a token is never granted, and its reply is one line of JSON.
pub(super) fn request(request: &str) {
    for verifier in EXAMPLES.iter().chain(&SIGNED.verifiers) {
        let outcome = wire::authenticate(verifier, request);
        assert!(outcome.is_err(), "a request was granted");
        let reply = wire::reply(&outcome);
        is_one_line_of_json(&reply);
        let explanation = wire::explain(verifier, request, Explain { show_values: true });
        is_one_line_of_json(&explanation);
        assert!(explanation.starts_with(&format!("{{\"decision\":{reply},\"steps\":[")));
    }
}

/// A signed payload is granted only if it is a valid claims set. The reply is one line of JSON, and reads back as the
/// same grant.
pub(super) fn claims(payload: &[u8]) {
    let token = SIGNED.sign(payload);
    for verifier in &SIGNED.verifiers {
        for profile in ["", "web"] {
            let request = Request::bearer(&token).profile(profile);
            let request = request.remote_addr([10, 1, 2, 3].into());
            let outcome = verifier.authenticate(&request);
            let reply = wire::reply(&outcome);
            is_one_line_of_json(&reply);
            is_explained(&verifier.explain(&request, Explain::default()), &outcome);
            // A larger token may be too large together with its header and signature.
            if let Some(text) = std::str::from_utf8(payload)
                .ok()
                .filter(|text| text.len() < 40_000)
            {
                let tried = verifier.dry_run(text, &request, None, Explain::default());
                assert_eq!(
                    wire::reply(&tried.would),
                    reply,
                    "a dry run predicts the decision"
                );
            }
            match &outcome {
                Err(error) => assert_ne!(error.code(), Code::SignatureInvalid),
                Ok(grant) => {
                    let text = std::str::from_utf8(payload).expect("a grant is about text");
                    assert!(Claims::parse(text).is_ok());
                    assert_eq!(wire::restore(&reply).as_ref(), Ok(grant));
                }
            }
        }
    }
}

/// An explanation has the decision, its failed step is that of the reply, and it shows no value.
fn is_explained(explanation: &Explanation, outcome: &Result<Grant>) {
    let text = wire::explained(explanation);
    is_one_line_of_json(&text);
    let start = format!("{{\"decision\":{},\"steps\":[", wire::reply(outcome));
    assert!(
        text.starts_with(&start),
        "the decision of an explanation is the reply"
    );
    let failed = explanation.failed().map(|step| step.stage);
    assert_eq!(failed, outcome.as_ref().err().map(Error::stage));
    for step in &explanation.steps {
        let seen = step.parts.iter().map(|part| &part.seen).chain([&step.seen]);
        assert!(
            seen.flatten().all(|seen| seen.value.is_none()),
            "a value is shown"
        );
    }
}

fn is_one_line_of_json(reply: &str) {
    is_one_line(reply);
    assert!(json::parse(reply).is_ok(), "the reply is not JSON");
}

/// The example configurations, one for each dialect.
static EXAMPLES: LazyLock<[Verifier; 4]> = LazyLock::new(|| {
    let keys = format!("{}/", workspace().join("examples/keys").display());
    let with_keys = |text: &str| text.replace("../keys/", &keys);
    let ini = with_keys(include_str!("../../../../examples/configs/grafana.ini"));
    [
        with_keys(include_str!("../../../../examples/configs/native.json")),
        json!({ "dialect": "grafana", "config": { "ini": ini } }).to_string(),
        include_str!("../../../../examples/configs/consul.json").to_owned(),
        include_str!("../../../../examples/configs/vault.json").to_owned(),
    ]
    .map(|config| Verifier::from_json(&config).expect("an example configuration is valid"))
});

static SIGNED: LazyLock<Signed> = LazyLock::new(Signed::new);

/// A signing key, and a verifier of every dialect that trusts it. The key is new in every process, so an input cannot
/// contain its signatures.
struct Signed {
    key: EcdsaKeyPair,
    verifiers: Vec<Verifier>,
}

impl Signed {
    fn new() -> Signed {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let der: PublicKeyX509Der<'_> = key.public_key().as_der().expect("a public key");
        let body = STANDARD.encode_to_string(der.as_ref());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
        let verifiers = configs(&pem).into_iter().map(|config| {
            Verifier::from_json(&config.to_string()).unwrap_or_else(|why| panic!("{why}: {config}"))
        });
        Signed {
            verifiers: verifiers.collect(),
            key,
        }
    }

    fn sign(&self, payload: &[u8]) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
        let message = format!("{}.{}", encode(br#"{"alg":"ES256"}"#), encode(payload));
        let signature = self
            .key
            .sign(&SystemRandom::new(), message.as_bytes())
            .expect("a signature");
        format!("{message}.{}", encode(signature.as_ref()))
    }
}

/// A configuration in each dialect, at a fixed time, with many of the features that read claims.
fn configs(pem: &str) -> [Value; 4] {
    let options = json!({ "now": 1_700_000_000 });
    [
        json!({ "dialect": "native", "options": options, "config": {
            "keys": [{ "pem": pem }], "algorithms": ["ES256"], "audiences": ["api"], "max_age": "1h",
            "token": { "query": "auth_token" },
            "claims": [{ "claim": "plan", "any_of": ["pro", 42] }, { "pointer": "/org/0/id", "glob": ["a*b"] }],
            "identity": { "name": ["login", "sub"], "email": "email", "groups": { "jmespath": "teams[].name" },
                          "metadata": { "team": { "claim": "team", "text": "truncated_scalars" } },
                          "lists": { "teams": { "claim": "teams", "other": "omit" } } },
            "roles": { "jmespath": "contains(groups, 'admin') && 'admin' || role", "allowed": ["admin"], "default": "admin" },
            "profiles": { "web": { "audiences": "any", "claims": [], "bound_cidrs": ["10.0.0.0/8"] } } } }),
        json!({ "dialect": "grafana", "options": options, "config": { "auth.jwt": {
            "enabled": true, "header_name": "X-JWT-Assertion", "url_login": true,
            "key_value": STANDARD.encode_to_string(pem), "email_claim": "email", "username_claim": "sub",
            "expect_claims": "{\"iss\": \"https://issuer.example\"}", "role_attribute_path": "role",
            "groups_attribute_path": "groups[]", "org_attribute_path": "orgs[]",
            "org_mapping": "a:1:Editor *:2:Viewer", "allow_assign_grafana_admin": true } } }),
        json!({ "dialect": "consul", "options": options, "config": {
            "AuthMethod": { "Name": "m", "Type": "jwt", "Config": {
                "JWTValidationPubKeys": [pem], "JWTSupportedAlgs": ["ES256"], "BoundAudiences": ["api"],
                "ClaimMappings": { "sub": "user", "/org/id": "org" }, "ListClaimMappings": { "groups": "groups" } } },
            "BindingRules": [
                { "Selector": "\"admin\" in list.groups or value.user matches \"a.*\"", "BindType": "role", "BindName": "${value.user}" },
                { "BindType": "service", "BindName": "web-${value.org}" }] } }),
        json!({ "dialect": "vault", "options": options, "config": {
            "jwt_validation_pubkeys": [pem], "jwt_supported_algs": ["ES256"], "default_role": "web",
            "roles": { "web": {
                "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["api"], "groups_claim": "/groups",
                "bound_claims_type": "glob", "bound_claims": { "plan": ["p*"], "/org/id": "a" },
                "claim_mappings": { "team": "team", "/org/name": "org" }, "token_policies": ["web"] } } } }),
    ]
}
