//! The signature and MAC vectors of Project Wycheproof.
//!
//! Every vector is checked with every algorithm of the library. A valid vector that a JWS can express must be accepted
//! with its algorithm and no other. Every other vector must be refused with all of them, except that some invalid ones
//! are valid signatures of another algorithm. The last line has the counts.
#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy allows this only in functions marked as tests"
)]

use std::collections::BTreeMap;
use std::process::ExitCode;

use base64_simd::URL_SAFE_NO_PAD;
use jwtauth_core::internals::{Algorithm, Checker};
use serde_json::{Value, json};
use wycheproof::HashFunction::{Sha2_256, Sha2_384, Sha2_512};
use wycheproof::{
    EdwardsCurve, EllipticCurve, Mgf, TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify,
};

fn main() -> ExitCode {
    let mut tally = Tally::default();
    ecdsa_vectors(&mut tally);
    eddsa_vectors(&mut tally);
    pkcs1_vectors(&mut tally);
    pss_vectors(&mut tally);
    mac_vectors(&mut tally);
    tally.report()
}

/// The algorithm of a JWS that a vector belongs to, or why a JWS cannot express it.
type Kind = Result<Algorithm, &'static str>;

fn ecdsa_vectors(tally: &mut Tally) {
    for name in ecdsa::TestName::all() {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let kind = match (group.test_type, group.key.curve, group.hash) {
                (ecdsa::TestGroupTypeId::EcdsaP1363, EllipticCurve::Secp256r1, Sha2_256) => {
                    Ok(Algorithm::ES256)
                }
                (ecdsa::TestGroupTypeId::EcdsaP1363, EllipticCurve::Secp384r1, Sha2_384) => {
                    Ok(Algorithm::ES384)
                }
                (ecdsa::TestGroupTypeId::EcdsaP1363, EllipticCurve::Secp521r1, Sha2_512) => {
                    Ok(Algorithm::ES512)
                }
                (ecdsa::TestGroupTypeId::EcdsaP1363, ..) => Err("ECDSA with another curve or hash"),
                _ => Err("ECDSA in DER"),
            };
            let curve = match group.key.curve {
                EllipticCurve::Secp256r1 => "P-256",
                EllipticCurve::Secp384r1 => "P-384",
                EllipticCurve::Secp521r1 => "P-521",
                _ => "another",
            };
            let coordinates = group.key.key.get(1..).unwrap();
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            let key = key(&json!({ "kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y) }));
            for test in group.tests {
                let vector = Vector {
                    name: format!("{name:?} {}", test.tc_id),
                    kind,
                    message: &test.msg,
                    signature: &test.sig,
                    result: test.result,
                    other: false,
                };
                tally.decide(&vector, &key);
            }
        }
    }
}

fn eddsa_vectors(tally: &mut Tally) {
    for name in eddsa::TestName::all() {
        for group in eddsa::TestSet::load(name).unwrap().test_groups {
            let (kind, curve) = match group.key.curve {
                EdwardsCurve::Ed25519 => (Ok(Algorithm::EdDSA), "Ed25519"),
                EdwardsCurve::Ed448 => (Err("Ed448"), "Ed448"),
            };
            let key = key(&json!({ "kty": "OKP", "crv": curve, "x": base64url(&group.key.pk) }));
            for test in group.tests {
                let vector = Vector {
                    name: format!("{name:?} {}", test.tc_id),
                    kind,
                    message: &test.msg,
                    signature: &test.sig,
                    result: test.result,
                    other: false,
                };
                tally.decide(&vector, &key);
            }
        }
    }
}

fn pkcs1_vectors(tally: &mut Tally) {
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let kind = match group.hash {
                Sha2_256 => Ok(Algorithm::RS256),
                Sha2_384 => Ok(Algorithm::RS384),
                Sha2_512 => Ok(Algorithm::RS512),
                _ => Err("RSA PKCS #1 with another hash"),
            };
            let key = rsa_key(&group.key);
            for test in group.tests {
                let vector = Vector {
                    name: format!("{name:?} {}", test.tc_id),
                    kind,
                    message: &test.msg,
                    signature: &test.sig,
                    result: test.result,
                    other: test.flags.iter().any(|flag| {
                        matches!(
                            flag,
                            rsa_pkcs1_verify::TestFlag::WrongHash
                                | rsa_pkcs1_verify::TestFlag::WrongPrimitive
                        )
                    }),
                };
                tally.decide(&vector, &key);
            }
        }
    }
}

fn pss_vectors(tally: &mut Tally) {
    for name in rsa_pss_verify::TestName::all() {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let kind = match (group.hash, group.salt_size) {
                _ if group.mgf != Mgf::Mgf1 || group.mgf_hash != Some(group.hash) => {
                    Err("RSA PSS with another MGF")
                }
                (Sha2_256, 32) => Ok(Algorithm::PS256),
                (Sha2_384, 48) => Ok(Algorithm::PS384),
                (Sha2_512, 64) => Ok(Algorithm::PS512),
                (Sha2_256 | Sha2_384 | Sha2_512, _) => Err("RSA PSS with another salt length"),
                _ => Err("RSA PSS with another hash"),
            };
            let key = rsa_key(&group.key);
            for test in group.tests {
                let vector = Vector {
                    name: format!("{name:?} {}", test.tc_id),
                    kind,
                    message: &test.msg,
                    signature: &test.sig,
                    result: test.result,
                    other: test.flags.contains(&rsa_pss_verify::TestFlag::WrongPrimitive)
                        || test.comment == "s_len changed to 32",
                };
                tally.decide(&vector, &key);
            }
        }
    }
}

fn mac_vectors(tally: &mut Tally) {
    for name in mac::TestName::all() {
        let set = mac::TestSet::load(name).unwrap();
        let (algorithm, bits) = match set.algorithm {
            mac::Algorithm::HmacSha256 => (Algorithm::HS256, 256),
            mac::Algorithm::HmacSha384 => (Algorithm::HS384, 384),
            mac::Algorithm::HmacSha512 => (Algorithm::HS512, 512),
            _ => continue,
        };
        for group in set.test_groups {
            let kind = match (group.key_size >= bits, group.tag_size == bits) {
                (true, true) => Ok(algorithm),
                (_, false) => Err("HMAC with a truncated tag"),
                (false, true) => Err("HMAC with a short key"),
            };
            for test in group.tests {
                let vector = Vector {
                    name: format!("{name:?} {}", test.tc_id),
                    kind,
                    message: &test.msg,
                    signature: &test.tag,
                    result: test.result,
                    other: false,
                };
                let key = key(&json!({ "kty": "oct", "k": base64url(&test.key) }));
                tally.decide(&vector, &key);
            }
        }
    }
}

fn rsa_key(key: &wycheproof::RsaPublic) -> Option<Checker> {
    self::key(&json!({ "kty": "RSA", "n": base64url(&key.n), "e": base64url(&key.e) }))
}

/// The key, if the library accepts it.
fn key(jwk: &Value) -> Option<Checker> {
    Checker::new(&jwk.to_string()).ok()
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

struct Vector<'a> {
    name: String,
    kind: Kind,
    message: &'a [u8],
    signature: &'a [u8],
    result: TestResult,
    /// Whether it may be a valid signature of another algorithm.
    other: bool,
}

/// The names of an algorithm. `Ed25519` is a second name of EdDSA with an Ed25519 key (RFC 9864).
fn names(algorithm: Algorithm) -> Vec<Algorithm> {
    match algorithm {
        Algorithm::EdDSA => vec![Algorithm::EdDSA, Algorithm::Ed25519],
        other => vec![other],
    }
}

/// Counts of vectors that were decided as they must be, and of wrong ones.
#[derive(Default)]
struct Tally {
    valid: usize,
    invalid: usize,
    /// "Acceptable" in the vectors, and refused here.
    acceptable: usize,
    /// Accepted with another algorithm.
    other: usize,
    not_a_jws: BTreeMap<&'static str, usize>,
    wrong: usize,
}

impl Tally {
    fn decide(&mut self, vector: &Vector<'_>, key: &Option<Checker>) {
        let verifies = |algorithm: &Algorithm| {
            key.as_ref()
                .is_some_and(|key| key.verifies(*algorithm, vector.message, vector.signature))
        };
        let accepted: Vec<Algorithm> = Algorithm::ALL.into_iter().filter(verifies).collect();
        let count = match (vector.kind, vector.result, accepted.as_slice()) {
            (Ok(own), TestResult::Valid, accepted) if accepted == names(own) => &mut self.valid,
            (own, TestResult::Invalid, [one]) if vector.other && own != Ok(*one) => &mut self.other,
            (Err(reason), _, []) => self.not_a_jws.entry(reason).or_default(),
            (Ok(_), TestResult::Invalid, []) => &mut self.invalid,
            (Ok(_), TestResult::Acceptable, []) => &mut self.acceptable,
            _ => {
                let (name, result) = (&vector.name, vector.result);
                println!("{name}: {result:?}, but accepted with {accepted:?}; the key: {key:?}");
                &mut self.wrong
            }
        };
        *count += 1;
    }

    fn report(&self) -> ExitCode {
        let cannot: usize = self.not_a_jws.values().sum();
        for (reason, count) in &self.not_a_jws {
            println!("wycheproof: {count} cannot be a JWS: {reason}");
        }
        let Tally {
            valid,
            invalid,
            acceptable,
            other,
            wrong,
            ..
        } = self;
        println!(
            "wycheproof: {} vectors: {valid} accepted, {invalid} refused, {acceptable} refused without the NULL in the \
             DigestInfo, {other} accepted only as what they are, {cannot} cannot be a JWS and are refused; {wrong} wrong",
            valid + invalid + acceptable + other + cannot + wrong,
        );
        if *wrong == 0 && *valid > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
