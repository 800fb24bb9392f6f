//! The tokens of the benchmarks, and the bare check of their signatures.

use std::hint::black_box;
use std::rc::Rc;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::*;
use base64_simd::URL_SAFE_NO_PAD;

use crate::Result;
use crate::timed::Timed;

/// The payload of a typical access token of a provider. The benchmarks of all languages use this file.
pub(crate) const PAYLOAD: &str = include_str!("../../../../benches/claims.json").trim_ascii_end();

/// A token that was signed with a new key.
pub(crate) struct Signed {
    pub(crate) algorithm: &'static str,
    pub(crate) token: String,
    /// The key set that verifies it.
    pub(crate) jwks: String,
    /// The bare check of the signature. The key is already parsed, as in a program that does only this.
    pub(crate) primitive: Rc<dyn Fn()>,
}

impl Signed {
    /// The unit of most tables.
    pub(crate) fn check(&self) -> Timed {
        let primitive = Rc::clone(&self.primitive);
        Timed::new(Box::new(move || primitive()))
    }
}

/// Signs the payload with a new key.
pub(crate) fn signed(algorithm: &'static str) -> Result<Signed> {
    let header = format!(r#"{{"alg":"{algorithm}","kid":"k","typ":"JWT"}}"#);
    let message = [header.as_str(), PAYLOAD]
        .map(|part| URL_SAFE_NO_PAD.encode_to_string(part))
        .join(".");
    let (signature, members, check) = sign(algorithm, message.as_bytes())?;
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode_to_string(&signature));
    let jwks = format!(r#"{{"keys":[{{"kid":"k","alg":"{algorithm}",{members}}}]}}"#);
    let primitive = move || {
        let (message, signature) = (message.as_bytes(), signature.as_slice());
        assert!(check(black_box(message), black_box(signature)));
    };
    Ok(Signed {
        algorithm,
        token,
        jwks,
        primitive: Rc::new(primitive),
    })
}

/// A signature, the members of the key's JWK, and the check.
type Parts = (Vec<u8>, String, Box<dyn Fn(&[u8], &[u8]) -> bool>);

fn sign(algorithm: &str, message: &[u8]) -> Result<Parts> {
    let random = SystemRandom::new();
    let rsa = |padding: &'static dyn RsaEncoding, verifying| {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048)?;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(padding, &random, message, &mut signature)?;
        // RSAPublicKey (RFC 8017 §A.1.1): nine bytes of DER are before the modulus, and five before the exponent
        // 65537.
        let key = pair.public_key().as_ref();
        let modulus = key
            .get(9..)
            .and_then(|rest| rest.get(..256))
            .ok_or("no modulus")?;
        let modulus = URL_SAFE_NO_PAD.encode_to_string(modulus);
        let members = format!(r#""kty":"RSA","e":"AQAB","n":"{modulus}""#);
        public(verifying, pair.public_key(), signature, members)
    };
    let ecdsa = |signing, verifying, curve: &str| {
        let pair = EcdsaKeyPair::generate(signing)?;
        let signature = pair.sign(&random, message)?.as_ref().to_vec();
        // The first byte means that both coordinates follow (SEC 1 §2.3.3).
        let point = pair.public_key().as_ref().get(1..).ok_or("no point")?;
        let (x, y) = point.split_at(point.len() / 2);
        let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode_to_string(coordinate));
        let members = format!(r#""kty":"EC","crv":"{curve}","x":"{x}","y":"{y}""#);
        public(verifying, pair.public_key(), signature, members)
    };
    match algorithm {
        "RS256" => rsa(&RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256),
        "PS256" => rsa(&RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256),
        "ES256" => ecdsa(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &ECDSA_P256_SHA256_FIXED,
            "P-256",
        ),
        "ES384" => ecdsa(
            &ECDSA_P384_SHA384_FIXED_SIGNING,
            &ECDSA_P384_SHA384_FIXED,
            "P-384",
        ),
        "ES512" => ecdsa(
            &ECDSA_P521_SHA512_FIXED_SIGNING,
            &ECDSA_P521_SHA512_FIXED,
            "P-521",
        ),
        "EdDSA" => {
            let pair = Ed25519KeyPair::generate()?;
            let x = URL_SAFE_NO_PAD.encode_to_string(pair.public_key());
            let members = format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}""#);
            let signature = pair.sign(message).as_ref().to_vec();
            public(&ED25519, pair.public_key(), signature, members)
        }
        _ => {
            let secret = [0x5a; 32];
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            let tag = hmac::sign(&key, message).as_ref().to_vec();
            let members = format!(
                r#""kty":"oct","k":"{}""#,
                URL_SAFE_NO_PAD.encode_to_string(secret)
            );
            let check = move |message: &[u8], tag: &[u8]| hmac::verify(&key, message, tag).is_ok();
            Ok((tag, members, Box::new(check)))
        }
    }
}

fn public(
    verifying: &'static dyn VerificationAlgorithm,
    key: &impl AsDer<PublicKeyX509Der<'static>>,
    signature: Vec<u8>,
    members: String,
) -> Result<Parts> {
    let key = ParsedPublicKey::new(verifying, key.as_der()?.as_ref())?;
    let check = move |message: &[u8], signature: &[u8]| key.verify_sig(message, signature).is_ok();
    Ok((signature, members, Box::new(check)))
}
