//! The tokens that RFC 7515, RFC 7520 and RFC 8037 print, with the keys that they print beside them.
#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy knows only the functions marked as such"
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

/// A verifier with the key of an example, shortly before the examples of RFC 7515 expire.
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
fn the_claims_of_rfc_7515_are_granted() {
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
fn a_sentence_is_no_claims_set_however_well_it_is_signed() {
    let sentences: Vec<Vector> = vectors()
        .into_iter()
        .filter(|vector| !vector.name.starts_with("RFC 7515"))
        .collect();
    assert_eq!(sentences.len(), 5);
    for vector in sentences {
        let error = verifier(&vector)
            .authenticate(&Request::bearer(&vector.token))
            .unwrap_err();
        // The signature comes first, so this code says that it was good.
        assert_eq!(error.code(), Code::ClaimsMalformed, "{}", vector.name);
    }
}

#[test]
fn a_changed_sentence_has_no_signature() {
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
