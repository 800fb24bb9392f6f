use super::*;
use crate::keys::testing;

#[test]
fn a_secret_must_be_as_long_as_the_hash() {
    let fits = |length: usize| {
        let algorithms = algorithms(&vec![0xa5; length]);
        algorithms.map(|algorithms| algorithms.iter().collect::<Vec<_>>())
    };
    for short in [0, 1, 31] {
        assert!(fits(short).is_err(), "{short}");
    }
    assert_eq!(fits(32).unwrap(), [Algorithm::HS256]);
    assert_eq!(fits(47).unwrap(), [Algorithm::HS256]);
    assert_eq!(fits(48).unwrap(), [Algorithm::HS256, Algorithm::HS384]);
    assert_eq!(fits(63).unwrap(), [Algorithm::HS256, Algorithm::HS384]);
    assert_eq!(fits(64).unwrap(), all().iter().collect::<Vec<_>>());
    assert_eq!(fits(1000).unwrap(), all().iter().collect::<Vec<_>>());
}

#[test]
fn public_values_are_refused_as_secrets() {
    let text = testing::public(testing::RSA);
    let jwk = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}"#;
    for secret in [
        text.as_bytes(),
        text.trim_end().as_bytes(),
        format!("\n{text}").as_bytes(),
        testing::RSA_CERTIFICATE.as_bytes(),
        testing::RSA_PKCS1.as_bytes(),
        testing::public(testing::P256).as_bytes(),
        testing::public(testing::ED25519).as_bytes(),
        testing::RSA.as_bytes(),
        &testing::der(&text),
        &testing::der(&testing::public(testing::P521)),
        &testing::der(testing::RSA_CERTIFICATE),
        &testing::der(testing::RSA_PKCS1),
        jwk.as_bytes(),
        format!(r#" {{"keys":[{jwk}]}}"#).as_bytes(),
    ] {
        let error = algorithms(secret).unwrap_err();
        assert!(error.detail().unwrap().contains("public key"), "{error}");
    }
}

#[test]
fn text_and_json_can_be_secrets() {
    for secret in [
        "a long sentence is as good as bytes",
        r#"{"a":"object without the members of a key"}"#,
    ] {
        assert!(algorithms(secret.as_bytes()).is_ok());
    }
}

#[test]
fn a_secret_is_for_hmac_only() {
    let secret = [0xa5; 64];
    for algorithm in Algorithm::ALL {
        assert_eq!(prepare(&secret, algorithm).is_some(), all().contains(algorithm));
    }
}
