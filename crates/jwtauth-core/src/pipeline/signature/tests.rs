mod attacks;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature as aws;
use aws_lc_rs::signature::{
    EcdsaKeyPair, Ed25519KeyPair, RsaEncoding, RsaPssSaltLength, RsaSignatureEncoding,
};
use base64_simd::URL_SAFE_NO_PAD;

use crate::error::{Code, Result};
use crate::json::{self, Value};
use crate::keys::testing::{self, all};
use crate::keys::{Algorithm, Algorithms};
use crate::pipeline::{decode, select_key, signature};
use crate::policy::{DecodeRule, KidRule, Origin, Secret};
use crate::sources::KeyStore;
use crate::sources::testing::{named, open, spec};

fn store(origin: Origin) -> KeyStore {
    open(vec![spec(origin)], all(), KidRule::Hint).unwrap().0
}

fn public(private: &str) -> KeyStore {
    store(Origin::Pem(testing::public(private)))
}

fn verify(token: &str, store: &KeyStore, allowed: Algorithms) -> Result<String> {
    let mut token = decode::compact(token, &DecodeRule::default(), &mut ())?;
    let algorithm = select_key::algorithm(token.header(), allowed, &mut ())?;
    let cached = store.cached(None);
    let selection = select_key::candidates(token.header(), algorithm, KidRule::Hint, cached.sets(), &mut ());
    let candidates = selection.candidates(algorithm)?;
    signature::verify(&mut token, &candidates, &mut ()).map(|token| token.payload().to_owned())
}

fn refusal(token: &str, store: &KeyStore) -> Code {
    verify(token, store, all()).unwrap_err().code()
}

fn signing_input(alg: &str, payload: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode_to_string(format!(r#"{{"alg":"{alg}"}}"#));
    format!("{header}.{}", URL_SAFE_NO_PAD.encode_to_string(payload))
}

fn with(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode_to_string(signature))
}

fn rsa(encoding: &'static dyn RsaEncoding, message: &str) -> Vec<u8> {
    let key = RsaKeyPair::from_pkcs8(&testing::der(testing::RSA)).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .unwrap();
    signature
}

fn ecdsa(algorithm: &'static aws::EcdsaSigningAlgorithm, private: &str, message: &str) -> Vec<u8> {
    let key = EcdsaKeyPair::from_pkcs8(algorithm, &testing::der(private)).unwrap();
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    signature.as_ref().to_vec()
}

fn ed25519(message: &str) -> Vec<u8> {
    let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&testing::der(testing::ED25519)).unwrap();
    key.sign(message.as_bytes()).as_ref().to_vec()
}

fn hs256(secret: &[u8], message: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
}

#[test]
fn the_examples_of_the_rfcs_verify() {
    let document = json::parse(include_str!("../../../tests/rfc/vectors.json")).unwrap();
    let vectors = document.as_array().unwrap();
    assert_eq!(vectors.len(), 8);
    for vector in vectors {
        let vector = vector.as_object().unwrap();
        let string = |name: &str| vector.get(name).and_then(Value::as_str).unwrap();
        let (name, token) = (string("name"), string("token"));
        let jwk: Vec<String> = vector
            .get("jwk")
            .and_then(Value::as_object)
            .unwrap()
            .members()
            .map(|(name, value)| format!("\"{name}\":\"{}\"", value.as_str().unwrap()))
            .collect();
        let store = store(Origin::Jwk(format!("{{{}}}", jwk.join(",")).into()));
        assert!(verify(token, &store, all()).is_ok(), "{name}");

        let algorithm = Algorithm::parse(string("alg")).unwrap();
        let others = all().without(Algorithms::default().with(algorithm));
        let refused = verify(token, &store, others).unwrap_err();
        assert_eq!(refused.code(), Code::AlgorithmNotAllowed, "{name}");

        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
        every_change_is_refused(message, &signature, &store, name);
    }
}

/// Flips bits of a valid signature, truncates it, extends it and pads it.
fn every_change_is_refused(message: &str, signature: &[u8], store: &KeyStore, name: &str) {
    for at in [0, 1, signature.len() / 2, signature.len() - 1] {
        for bit in [0x01, 0x80] {
            let mut changed = signature.to_vec();
            changed[at] ^= bit;
            assert_eq!(
                refusal(&with(message, &changed), store),
                Code::SignatureInvalid,
                "{name} {at}"
            );
        }
    }
    for changed in [
        Vec::new(),
        signature[..1].to_vec(),
        signature[..signature.len() / 2].to_vec(),
        signature[..signature.len() - 1].to_vec(),
        signature[1..].to_vec(),
        [signature, &[0]].concat(),
        [&[0], signature].concat(),
        [signature, signature].concat(),
        vec![0; signature.len()],
        vec![0xff; signature.len()],
    ] {
        assert_eq!(
            refusal(&with(message, &changed), store),
            Code::SignatureInvalid,
            "{name}"
        );
    }
}

#[test]
fn every_algorithm_verifies_with_its_own_key_and_no_other() {
    use Algorithm::{
        ES256, ES384, ES512, Ed25519, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512,
    };
    let secret = [0x5a; 64];
    let stores = [
        (
            public(testing::RSA),
            vec![RS256, RS384, RS512, PS256, PS384, PS512],
        ),
        (public(testing::P256), vec![ES256]),
        (public(testing::P384), vec![ES384]),
        (public(testing::P521), vec![ES512]),
        (public(testing::ED25519), vec![EdDSA, Ed25519]),
        (
            store(Origin::Secret(Secret::new(secret.to_vec()))),
            vec![HS256, HS384, HS512],
        ),
    ];
    for algorithm in Algorithm::ALL {
        let message = signing_input(algorithm.as_str(), "{}");
        let mac = |hash| {
            hmac::sign(&hmac::Key::new(hash, &secret), message.as_bytes())
                .as_ref()
                .to_vec()
        };
        let signature = match algorithm {
            RS256 => rsa(&aws::RSA_PKCS1_SHA256, &message),
            RS384 => rsa(&aws::RSA_PKCS1_SHA384, &message),
            RS512 => rsa(&aws::RSA_PKCS1_SHA512, &message),
            PS256 => rsa(&aws::RSA_PSS_SHA256, &message),
            PS384 => rsa(&aws::RSA_PSS_SHA384, &message),
            PS512 => rsa(&aws::RSA_PSS_SHA512, &message),
            ES256 => ecdsa(&aws::ECDSA_P256_SHA256_FIXED_SIGNING, testing::P256, &message),
            ES384 => ecdsa(&aws::ECDSA_P384_SHA384_FIXED_SIGNING, testing::P384, &message),
            ES512 => ecdsa(&aws::ECDSA_P521_SHA512_FIXED_SIGNING, testing::P521, &message),
            EdDSA | Ed25519 => ed25519(&message),
            HS256 => mac(hmac::HMAC_SHA256),
            HS384 => mac(hmac::HMAC_SHA384),
            HS512 => mac(hmac::HMAC_SHA512),
        };
        let token = with(&message, &signature);
        for (store, fitting) in &stores {
            if fitting.contains(&algorithm) {
                assert_eq!(verify(&token, store, all()).unwrap(), "{}", "{algorithm}");
                every_change_is_refused(&message, &signature, store, algorithm.as_str());
            } else {
                assert_eq!(refusal(&token, store), Code::KeyNotFound, "{algorithm}");
            }
        }
    }
}

#[test]
fn several_keys_are_tried_in_order() {
    let other = include_str!("../../../../../tests/conformance/keys/ec256-2.private.pem");
    let message = signing_input("ES256", "{}");
    let token = with(
        &message,
        &ecdsa(&aws::ECDSA_P256_SHA256_FIXED_SIGNING, testing::P256, &message),
    );
    let (first, second) = (testing::public(other), testing::public(testing::P256));
    let keys = |pems: &[&String]| {
        let sources = pems.iter().map(|pem| spec(Origin::Pem((*pem).clone())));
        open(sources.collect(), all(), KidRule::Hint).unwrap().0
    };
    assert!(verify(&token, &keys(&[&first, &second]), all()).is_ok());
    assert!(verify(&token, &keys(&[&second, &first]), all()).is_ok());
    assert_eq!(refusal(&token, &keys(&[&first, &first])), Code::SignatureInvalid);
}

#[test]
fn a_failed_key_lookup_reports_its_reason() {
    let sources = vec![named(Origin::Pem(testing::public(testing::P256)), "a")];
    let detail = |kid: Option<&str>, alg: &str, rule: KidRule| {
        let header = match kid {
            Some(kid) => format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#),
            None => format!(r#"{{"alg":"{alg}"}}"#),
        };
        let token = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode_to_string(header));
        let (store, _) = open(sources.clone(), all(), rule).unwrap();
        let error = verify(&token, &store, all()).unwrap_err();
        (error.code(), error.detail().unwrap_or_default().to_owned())
    };
    let (code, text) = detail(Some("secret-name"), "ES256", KidRule::Exact);
    assert_eq!(code, Code::KeyNotFound);
    assert!(!text.contains("secret-name"), "{text}");
    let (code, text) = detail(Some("a"), "ES384", KidRule::Exact);
    assert_eq!(code, Code::KeyNotFound);
    assert!(text.contains("cannot be used with ES384"), "{text}");
    assert_eq!(
        detail(Some("a"), "ES256", KidRule::Exact).0,
        Code::SignatureInvalid
    );
    for alg in [
        "none", "None", "NONE", "", "es256", "ES256 ", "ES256K", "RSA-OAEP",
    ] {
        assert_eq!(
            detail(Some("a"), alg, KidRule::Exact).0,
            Code::AlgorithmNotAllowed,
            "{alg}"
        );
    }
}

#[test]
fn a_token_without_a_required_kid_is_denied() {
    for (header, required) in [
        (r#"{"alg":"ES256"}"#, false),
        (r#"{"alg":"ES256","kid":""}"#, false),
        (r#"{"alg":"ES256","kid":"a"}"#, true),
    ] {
        let token = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode_to_string(header));
        let token = decode::compact(&token, &DecodeRule::default(), &mut ()).unwrap();
        for rule in [
            KidRule::Hint,
            KidRule::Match,
            KidRule::Exact,
            KidRule::ExactOrOnly,
            KidRule::Ignore,
        ] {
            assert!(select_key::name(token.header(), rule, &mut ()).is_ok());
        }
        let named = select_key::name(token.header(), KidRule::Required, &mut ());
        assert_eq!(named.is_ok(), required, "{header}");
        assert!(named.err().is_none_or(|why| why.code() == Code::KeyNotFound));
    }
}

#[test]
fn a_payload_that_is_not_utf8_is_refused_after_the_signature_check() {
    let secret = [7; 32];
    let store = store(Origin::Secret(Secret::new(secret.to_vec())));
    for payload in [
        &b"\xff\xfe{\x00}\x00"[..],
        b"\xc0\x80",
        b"{\"a\":\"\xed\xa0\x80\"}",
    ] {
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode_to_string(r#"{"alg":"HS256"}"#),
            URL_SAFE_NO_PAD.encode_to_string(payload)
        );
        let token = with(&message, &hs256(&secret, &message));
        assert_eq!(refusal(&token, &store), Code::ClaimsMalformed);
        assert_eq!(refusal(&with(&message, &[0; 32]), &store), Code::SignatureInvalid);
    }
}
