use std::path::Path;

use crate::error::{Code, Result};
use crate::json::{self, Value};
use crate::keys::{Algorithm, Algorithms, KeyStore};
use crate::pipeline::{decode, select_key, signature};
use crate::policy::{KeyRule, KeySpec, KidRule, Limits, Origin};

fn store(origin: Origin, algorithms: Algorithms) -> KeyStore {
    let rule = KeyRule {
        sources: vec![KeySpec {
            origin,
            kid: None,
            algorithms: None,
        }],
        algorithms,
        kid: KidRule::Hint,
    };
    KeyStore::open(&rule, Path::new(""), &mut Vec::new()).unwrap()
}

fn verify(token: &str, store: &KeyStore, algorithms: Algorithms) -> Result<String> {
    let mut token = decode::compact(token, None, &Limits::default())?;
    let keys = select_key::candidates(token.header(), store, algorithms)?;
    signature::verify(&mut token, &keys).map(|token| token.payload().to_owned())
}

#[test]
fn the_examples_of_the_rfcs_verify() {
    let text = include_str!("../../../tests/rfc/vectors.json");
    let document = json::parse(text).unwrap();
    let vectors = document.as_array().unwrap();
    assert!(vectors.len() >= 4);
    for vector in vectors {
        let vector = vector.as_object().unwrap();
        let string = |name: &str| vector.get(name).and_then(Value::as_str).unwrap();
        let name = string("name");
        let jwk: Vec<String> = vector
            .get("jwk")
            .and_then(Value::as_object)
            .unwrap()
            .members()
            .map(|(name, value)| format!("\"{name}\":\"{}\"", value.as_str().unwrap()))
            .collect();
        let all: Algorithms = Algorithm::ALL.into_iter().collect();
        let store = store(Origin::Jwk(format!("{{{}}}", jwk.join(","))), all);

        let token = string("token");
        assert!(verify(token, &store, all).is_ok(), "{name}");

        let algorithm = Algorithm::parse(string("alg")).unwrap();
        let others: Algorithms = all.iter().filter(|one| *one != algorithm).collect();
        let refused = verify(token, &store, others).unwrap_err();
        assert_eq!(refused.code(), Code::AlgorithmNotAllowed, "{name}");

        let (signed, _) = token.rsplit_once('.').unwrap();
        let forged = format!("{signed}A.{}", token.rsplit_once('.').unwrap().1);
        let refused = verify(&forged, &store, all).unwrap_err();
        assert!(
            matches!(refused.code(), Code::SignatureInvalid | Code::TokenMalformed),
            "{name}"
        );
    }
}
