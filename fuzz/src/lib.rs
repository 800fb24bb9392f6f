//! Shared by the fuzz targets: a signing key, and a verifier of every dialect that trusts it.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use jwtauth_core::Verifier;
use serde_json::{Value, json};

/// A signer and the verifiers that trust it. It is new in every process, so a corpus cannot contain its signatures.
pub struct Bench {
    key: EcdsaKeyPair,
    /// One verifier for each dialect.
    pub verifiers: Vec<Verifier>,
}

impl Bench {
    /// Makes the verifiers, all at a fixed time.
    pub fn new() -> Bench {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let der: PublicKeyX509Der<'_> = key.public_key().as_der().expect("a public key");
        let body = STANDARD.encode_to_string(der.as_ref());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
        let verifiers = configs(&pem).into_iter().map(|config| {
            Verifier::from_json(&config.to_string()).unwrap_or_else(|why| panic!("{why}: {config}"))
        });
        Bench {
            verifiers: verifiers.collect(),
            key,
        }
    }

    /// Signs any payload.
    pub fn sign(&self, payload: &[u8]) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
        let message = format!("{}.{}", encode(br#"{"alg":"ES256"}"#), encode(payload));
        let signature = self
            .key
            .sign(&SystemRandom::new(), message.as_bytes())
            .expect("a signature");
        format!("{message}.{}", encode(signature.as_ref()))
    }
}

impl Default for Bench {
    fn default() -> Bench {
        Bench::new()
    }
}

/// Whether readers in every language read a text as one line.
pub fn is_one_line(text: &str) -> bool {
    !text.contains(|letter| {
        matches!(letter, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    })
}

fn configs(pem: &str) -> Vec<Value> {
    let options = json!({ "now": 1_700_000_000 });
    vec![
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
