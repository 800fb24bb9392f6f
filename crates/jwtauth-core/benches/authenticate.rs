//! How much does a whole decision cost beside the signature check that it cannot do without?
//!
//! `cargo bench -p jwtauth-core [-- ALGORITHM…]`. On a machine that does other things too, only a ratio between
//! neighbours in time means anything. So the two sides take turns in batches of about two milliseconds, and what
//! is printed are medians, and the best turns for a machine that is never quiet. Criterion and divan finish one
//! case before they begin the next.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::*;
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use jwtauth_core::{Request, Verifier};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const BATCH: Duration = Duration::from_millis(2);
const PASSES: usize = 101;

/// What the decision may cost, with the primitive as the unit: registered claims, issuer and audience checked,
/// the whole payload read, equal names refused.
const GOALS: [(&str, f64); 7] = [
    ("HS256", 3.4),
    ("RS256", 1.15),
    ("PS256", 1.15),
    ("ES256", 1.05),
    ("ES384", 1.03),
    ("ES512", 1.03),
    ("EdDSA", 1.08),
];

/// What a provider puts into an access token.
const PAYLOAD: &str = r#"{"iss":"https://id.example.com/realms/main","aud":["api","account"],"sub":"248289761001-a1f0-4c5e-9b1d-1f2e3d4c5b6a","exp":4102444800,"nbf":1700000000,"iat":1700000000,"jti":"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0","email":"alice.liddell@example.com","email_verified":true,"name":"Alice Liddell","preferred_username":"alice","groups":["/staff/engineering","/staff/on-call","/projects/apollo","/projects/hermes","/everyone"],"role":"editor","azp":"web-frontend","session_state":"7c9e6679-7425-40de-944b-e07fc1f90ae7","scope":"openid profile email offline_access","realm_access":{"roles":["offline_access","uma_authorization","editor"],"level":3,"flags":{"beta":true,"trial":false,"region":"eu-central"}}}"#;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chosen: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    // Without `--bench`, as `cargo test --benches` starts it, the question is only whether it runs.
    let passes = if arguments.iter().any(|argument| argument == "--bench") {
        PASSES
    } else {
        1
    };

    println!(
        "a payload of {} bytes; nanoseconds; {passes} turns",
        PAYLOAD.len()
    );
    println!(
        "{:8}{:>10}{:>10}{:>8}{:>8}{:>8}",
        "", "primitive", "decision", "median", "best", "goal"
    );
    for (algorithm, goal) in GOALS {
        if !chosen.is_empty() && !chosen.iter().any(|name| *name == algorithm) {
            continue;
        }
        let [mut primitive, mut decision] = sides(algorithm)?;
        for _ in 0..passes {
            primitive.turn();
            decision.turn();
        }
        let (unit, cost) = (primitive.at(0.5), decision.at(0.5));
        let best = decision.at(0.0) / primitive.at(0.0);
        println!(
            "{algorithm:8}{unit:>10.0}{cost:>10.0}{:>8.2}{best:>8.2}{goal:>8.2}",
            cost / unit
        );
    }
    Ok(())
}

/// The primitive with a ready key, and the decision, over the same token.
fn sides(algorithm: &str) -> Result<[Timed; 2]> {
    let header = format!(r#"{{"alg":"{algorithm}","kid":"k","typ":"JWT"}}"#);
    let message = [header.as_str(), PAYLOAD]
        .map(|part| URL_SAFE_NO_PAD.encode_to_string(part))
        .join(".");
    let (signature, key, check) = sign(algorithm, message.as_bytes())?;
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode_to_string(&signature));
    let verifier = Verifier::from_json(&format!(
        r#"{{"dialect":"native","config":{{"keys":[{{"kid":"k",{key}}}],"algorithms":["{algorithm}"],
        "issuer":"https://id.example.com/realms/main","audiences":["api"],"identity":{{"name":"sub"}}}}}}"#
    ))?;

    // What is measured is the way to a yes.
    verifier.authenticate(&Request::bearer(&token))?;
    assert!(check(message.as_bytes(), &signature), "the primitive refuses");
    let primitive = move || assert!(check(black_box(message.as_bytes()), black_box(&signature)));
    let decision =
        move || assert!(black_box(verifier.authenticate(black_box(&Request::bearer(&token)))).is_ok());
    Ok([Timed::new(Box::new(primitive)), Timed::new(Box::new(decision))])
}

/// A signature by a fresh key, the key as a member of a configuration, and the primitive with the key as a
/// program would keep it that only checks signatures.
type Signed = (Vec<u8>, String, Box<dyn Fn(&[u8], &[u8]) -> bool>);

fn sign(algorithm: &str, message: &[u8]) -> Result<Signed> {
    let random = SystemRandom::new();
    let rsa = |padding: &'static dyn RsaEncoding, verifying| {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048)?;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(padding, &random, message, &mut signature)?;
        public(verifying, pair.public_key(), signature)
    };
    let ecdsa = |signing, verifying| {
        let pair = EcdsaKeyPair::generate(signing)?;
        let signature = pair.sign(&random, message)?.as_ref().to_vec();
        public(verifying, pair.public_key(), signature)
    };
    match algorithm {
        "RS256" => rsa(&RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256),
        "PS256" => rsa(&RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256),
        "ES256" => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P256_SHA256_FIXED),
        "ES384" => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, &ECDSA_P384_SHA384_FIXED),
        "ES512" => ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING, &ECDSA_P521_SHA512_FIXED),
        "EdDSA" => {
            let pair = Ed25519KeyPair::generate()?;
            public(&ED25519, pair.public_key(), pair.sign(message).as_ref().to_vec())
        }
        _ => {
            let secret = [0x5a; 32];
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            let tag = hmac::sign(&key, message).as_ref().to_vec();
            let member = format!(r#""secret":"{}""#, URL_SAFE_NO_PAD.encode_to_string(secret));
            Ok((
                tag,
                member,
                Box::new(move |message, tag| hmac::verify(&key, message, tag).is_ok()),
            ))
        }
    }
}

fn public(
    verifying: &'static dyn VerificationAlgorithm,
    key: &impl AsDer<PublicKeyX509Der<'static>>,
    signature: Vec<u8>,
) -> Result<Signed> {
    let der = key.as_der()?;
    let body = STANDARD.encode_to_string(der.as_ref());
    let member = format!(r#""pem":"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n""#);
    let key = ParsedPublicKey::new(verifying, der.as_ref())?;
    let check = move |message: &[u8], signature: &[u8]| key.verify_sig(message, signature).is_ok();
    Ok((signature, member, Box::new(check)))
}

/// Something measured in batches.
struct Timed {
    run: Box<dyn FnMut()>,
    batch: u32,
    turns: Vec<f64>,
}

impl Timed {
    fn new(mut run: Box<dyn FnMut()>) -> Timed {
        let start = Instant::now();
        let mut batch = 0;
        while start.elapsed() < BATCH {
            run();
            batch += 1;
        }
        let turns = Vec::new();
        Timed { run, batch, turns }
    }

    fn turn(&mut self) {
        let start = Instant::now();
        (0..self.batch).for_each(|_| (self.run)());
        self.turns
            .push(start.elapsed().as_nanos() as f64 / f64::from(self.batch));
    }

    /// The cost of one run: 0.5 is the median, 0.0 the best.
    fn at(&mut self, quantile: f64) -> f64 {
        self.turns.sort_by(f64::total_cmp);
        let index = (self.turns.len() as f64 * quantile) as usize;
        self.turns.get(index).copied().unwrap_or(f64::NAN)
    }
}
