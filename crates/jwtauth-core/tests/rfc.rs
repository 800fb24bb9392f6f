//! The example tokens and keys of RFC 7515, RFC 7520 and RFC 8037.
#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy allows this only in functions marked as tests"
)]

use jwtauth_core::{Code, Request, Verifier};
use serde_json::{Value, json};

#[derive(serde::Deserialize)]
struct Vector {
    name: String,
    alg: String,
    jwk: Value,
    token: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("rfc/vectors.json")).unwrap()
}

/// Builds a verifier with the key of an example, at a time shortly before the examples of RFC 7515 expire.
fn verifier(vector: &Vector) -> Verifier {
    let config = json!({
        "dialect": "native",
        "config": {
            "keys": [{ "jwk": vector.jwk }],
            "algorithms": [vector.alg],
            "issuer": "joe",
            "identity": { "name": "iss" },
        },
        "options": { "now": 1_300_819_379 },
    });
    Verifier::from_json(&config.to_string()).unwrap()
}

#[test]
fn the_tokens_of_rfc_7515_are_granted() {
    let claims: Vec<Vector> = vectors()
        .into_iter()
        .filter(|vector| vector.name.starts_with("RFC 7515"))
        .collect();
    assert_eq!(claims.len(), 3);
    for vector in claims {
        let grant = verifier(&vector)
            .authenticate(&Request::bearer(&vector.token))
            .unwrap();
        assert_eq!(grant.identity.name.as_deref(), Some("joe"), "{}", vector.name);
        let claims: Value = serde_json::from_str(grant.claims.as_str()).unwrap();
        assert_eq!(claims["http://example.com/is_root"], true, "{}", vector.name);
    }
}

#[test]
fn a_signed_sentence_is_not_a_claims_set() {
    let sentences: Vec<Vector> = vectors()
        .into_iter()
        .filter(|vector| !vector.name.starts_with("RFC 7515"))
        .collect();
    assert_eq!(sentences.len(), 5);
    for vector in sentences {
        let error = verifier(&vector)
            .authenticate(&Request::bearer(&vector.token))
            .unwrap_err();
        // The signature is checked first, so this code shows that the signature is valid.
        assert_eq!(error.code(), Code::ClaimsMalformed, "{}", vector.name);
    }
}

#[test]
fn a_token_with_another_payload_has_an_invalid_signature() {
    for vector in vectors() {
        let (head, signature) = vector.token.rsplit_once('.').unwrap();
        let (header, _) = head.split_once('.').unwrap();
        let token = format!("{header}.e30.{signature}");
        let error = verifier(&vector)
            .authenticate(&Request::bearer(&token))
            .unwrap_err();
        assert_eq!(error.code(), Code::SignatureInvalid, "{}", vector.name);
    }
}
