//! Rules for public keys: which keys are accepted, and for which algorithms.
//!
//! RFC 7518 ties each algorithm to one kind of key. RFC 8725 §3.4 requires that keys are checked before use.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, ParsedPublicKey,
    VerificationAlgorithm,
};
use base64_simd::STANDARD;
use x509_cert::Certificate;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::key::unusable;
use super::{Algorithm, Algorithms};
use crate::error::Result;

/// Whether a text is an X.509 certificate in base64, as in `x5c` (RFC 7515 §4.1.6).
pub(crate) fn is_certificate(base64: &str) -> bool {
    let der = STANDARD.decode_to_vec(base64);
    der.is_ok_and(|der| is_der_certificate(&der))
}

pub(super) fn is_der_certificate(der: &[u8]) -> bool {
    Certificate::from_der(der).is_ok()
}

/// A public key that was checked and is accepted for the algorithms of its kind.
pub(crate) struct PublicKey {
    kind: Kind,
    /// The key, prepared for one of its algorithms. Preparing it checks the point or the numbers. It keeps the bytes:
    /// `RSAPublicKey` (RFC 8017) for RSA, the uncompressed point (SEC 1) for EC, the 32 bytes for Ed25519.
    ready: ParsedPublicKey,
    ready_for: Algorithm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

impl Kind {
    /// The kind of key for a JWK curve name (RFC 7518 §6.2.1.1, RFC 8037 §2).
    pub(super) fn of_curve(name: &str) -> Option<Kind> {
        match name {
            "P-256" => Some(Kind::P256),
            "P-384" => Some(Kind::P384),
            "P-521" => Some(Kind::P521),
            "Ed25519" => Some(Kind::Ed25519),
            _ => None,
        }
    }

    /// The length of one coordinate in bytes. Zero if points have no coordinates.
    pub(super) fn coordinate(self) -> usize {
        match self {
            Kind::Rsa | Kind::Ed25519 => 0,
            Kind::P256 => 32,
            Kind::P384 => 48,
            Kind::P521 => 66,
        }
    }

    /// The first algorithm that a key of this kind can be used with, and the other algorithms.
    const fn algorithms(self) -> (Algorithm, &'static [Algorithm]) {
        match self {
            Kind::Rsa => (
                Algorithm::RS256,
                &[
                    Algorithm::RS384,
                    Algorithm::RS512,
                    Algorithm::PS256,
                    Algorithm::PS384,
                    Algorithm::PS512,
                ],
            ),
            Kind::P256 => (Algorithm::ES256, &[]),
            Kind::P384 => (Algorithm::ES384, &[]),
            Kind::P521 => (Algorithm::ES512, &[]),
            Kind::Ed25519 => (Algorithm::EdDSA, &[Algorithm::Ed25519]),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({:?})", self.kind)
    }
}

impl PublicKey {
    fn new(kind: Kind, encoded: &[u8]) -> Result<PublicKey> {
        let (first, _) = kind.algorithms();
        PublicKey::new_for(first, kind, encoded)
    }

    fn new_for(algorithm: Algorithm, kind: Kind, encoded: &[u8]) -> Result<PublicKey> {
        Ok(PublicKey {
            kind,
            ready: parse(kind, algorithm, encoded)?,
            ready_for: algorithm,
        })
    }

    /// The algorithms that this key can be used with.
    pub(crate) fn algorithms(&self) -> Algorithms {
        let (first, others) = self.kind.algorithms();
        others.iter().copied().collect::<Algorithms>().with(first)
    }

    /// Prepares the key for one of its algorithms.
    ///
    /// # Errors
    /// The key cannot be used with the algorithm.
    pub(super) fn prepare(&self, algorithm: Algorithm) -> Result<ParsedPublicKey> {
        if algorithm == self.ready_for {
            Ok(self.ready.clone())
        } else {
            parse(self.kind, algorithm, self.ready.as_ref())
        }
    }

    /// The key as a `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7), independent of the form it was read from.
    ///
    /// # Errors
    /// The crypto library cannot write it.
    pub(super) fn to_spki(&self) -> Result<PublicKeyX509Der<'static>> {
        let der = self.ready.as_der();
        der.map_err(|_| unusable("the key cannot be encoded"))
    }

    /// Makes a key from a modulus and a public exponent, both big-endian. If the key names an algorithm, it is prepared for
    /// that one only.
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8], named: Option<Algorithms>) -> Result<PublicKey> {
        let (modulus, exponent) = (without_zeros(modulus), without_zeros(exponent));
        let bits = bit_length(modulus);
        if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
            return Err(unusable(format!(
                "{WRONG_SIZE} {bits} bits; it must have between {MIN_RSA_BITS} and {MAX_RSA_BITS}"
            )));
        }
        let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
        if !odd(modulus) {
            return Err(unusable("the RSA modulus is even"));
        }
        // The upper limit is that of the crypto library. A larger exponent only makes verification slow.
        if !odd(exponent) || exponent == [1] || bit_length(exponent) > MAX_EXPONENT_BITS {
            return Err(unusable(
                "the RSA exponent must be odd, at least 3 and at most 33 bits long",
            ));
        }
        let encoded = pkcs1(modulus, exponent).map_err(|_| unusable("the RSA key is invalid"))?;
        let (first, others) = Kind::Rsa.algorithms();
        let is_named = |algorithm: &&Algorithm| named.is_some_and(|named| named.contains(**algorithm));
        let algorithm = others.iter().find(is_named).copied().unwrap_or(first);
        PublicKey::new_for(algorithm, Kind::Rsa, &encoded)
    }

    /// Makes a key from an uncompressed point (SEC 1 §2.3.3).
    pub(super) fn ec(kind: Kind, point: &[u8]) -> Result<PublicKey> {
        let width = kind.coordinate();
        if width == 0 || point.first() != Some(&4) || point.len() != 1 + 2 * width {
            return Err(unusable(
                "the elliptic curve point is compressed or has the wrong length",
            ));
        }
        PublicKey::new(kind, point)
    }

    /// Makes a key from the 32 bytes of RFC 8032 §5.1.5.
    pub(super) fn ed25519(bytes: &[u8]) -> Result<PublicKey> {
        let Ok(mut point) = <[u8; 32]>::try_from(bytes) else {
            return Err(unusable(format!(
                "the Ed25519 key has {} bytes instead of 32",
                bytes.len()
            )));
        };
        point[31] &= 0x7f;
        if SMALL_ORDER.contains(&point) {
            return Err(unusable(
                "the Ed25519 key is a point of small order; anyone can forge signatures for it",
            ));
        }
        PublicKey::new(Kind::Ed25519, bytes)
    }

    /// Reads a `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
    pub(super) fn from_spki(der: &[u8]) -> Result<PublicKey> {
        let info = SubjectPublicKeyInfoRef::from_der(der)
            .map_err(|_| unusable("the contents are not a SubjectPublicKeyInfo"))?;
        let bytes = info
            .subject_public_key
            .as_bytes()
            .ok_or_else(|| unusable("the public key is not a whole number of bytes"))?;
        match info.algorithm.oid {
            RSA_ENCRYPTION => PublicKey::from_pkcs1(bytes),
            EC_PUBLIC_KEY => PublicKey::ec(curve(info.algorithm.parameters)?, bytes),
            ED25519 if info.algorithm.parameters.is_none() => PublicKey::ed25519(bytes),
            other => Err(unusable(format!("unsupported public key type {other}"))),
        }
    }

    /// Reads an `RSAPublicKey` (RFC 8017 §A.1.1).
    pub(super) fn from_pkcs1(der: &[u8]) -> Result<PublicKey> {
        match Vec::<UintRef<'_>>::from_der(der).as_deref() {
            Ok([modulus, exponent]) => PublicKey::rsa(modulus.as_bytes(), exponent.as_bytes(), None),
            _ => Err(unusable("the contents are not an RSAPublicKey")),
        }
    }

    /// Reads the public key of a certificate. Its dates, names and chain are not checked: the operator has configured
    /// this key, and they add nothing to that.
    pub(super) fn from_certificate(der: &[u8]) -> Result<PublicKey> {
        let certificate =
            Certificate::from_der(der).map_err(|_| unusable("the contents are not an X.509 certificate"))?;
        let info = certificate.tbs_certificate().subject_public_key_info();
        let info = info
            .to_der()
            .map_err(|_| unusable("the certificate's key is invalid"))?;
        PublicKey::from_spki(&info)
    }

    /// Reads the public half of a private key in PKCS #8, PKCS #1 or SEC 1.
    pub(super) fn from_private_key(der: &[u8]) -> Result<PublicKey> {
        if let Ok(pair) = rsa::KeyPair::from_pkcs8(der).or_else(|_| rsa::KeyPair::from_der(der)) {
            return PublicKey::from_pkcs1(pair.public_key().as_ref());
        }
        for (kind, algorithm) in CURVES {
            if let Ok(pair) = EcdsaKeyPair::from_private_key_der(algorithm, der) {
                return PublicKey::ec(kind, pair.public_key().as_ref());
            }
        }
        match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            Ok(pair) => PublicKey::ed25519(pair.public_key().as_ref()),
            Err(_) => Err(unusable("the private key cannot be read")),
        }
    }
}

fn parse(kind: Kind, algorithm: Algorithm, encoded: &[u8]) -> Result<ParsedPublicKey> {
    ParsedPublicKey::new(primitive(algorithm)?, encoded).map_err(|_| match kind {
        Kind::Rsa => unusable("the RSA key is invalid"),
        _ => unusable("the point is not on the curve"),
    })
}

fn primitive(algorithm: Algorithm) -> Result<&'static dyn VerificationAlgorithm> {
    Ok(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        // These accept only one salt length, that of the hash (RFC 7518 §3.5).
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        // "Fixed" means that r and s have full width (RFC 7518 §3.4), as opposed to DER.
        Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::ES512 => &signature::ECDSA_P521_SHA512_FIXED,
        Algorithm::EdDSA | Algorithm::Ed25519 => &signature::ED25519,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            return Err(unusable("a public key cannot be used as a shared secret"));
        }
    })
}

fn curve(parameters: Option<AnyRef<'_>>) -> Result<Kind> {
    match parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok()) {
        Some(SECP256R1) => Ok(Kind::P256),
        Some(SECP384R1) => Ok(Kind::P384),
        Some(SECP521R1) => Ok(Kind::P521),
        Some(other) => Err(unusable(format!("unsupported elliptic curve {other}"))),
        None => Err(unusable("unsupported elliptic curve: it must be a named curve")),
    }
}

fn pkcs1(modulus: &[u8], exponent: &[u8]) -> x509_cert::der::Result<Vec<u8>> {
    vec![UintRef::new(modulus)?, UintRef::new(exponent)?].to_der()
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn bit_length(number: &[u8]) -> usize {
    let zeros = number.first().map_or(0, |byte| byte.leading_zeros() as usize);
    number.len() * 8 - zeros
}

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;
const MAX_EXPONENT_BITS: usize = 33;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const SECP521R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The beginning of the text about an RSA key of a size that is not accepted.
pub(super) const WRONG_SIZE: &str = "the RSA key has";

/// The curves, for reading private keys: the crypto library needs the name of the curve.
const CURVES: [(Kind, &EcdsaSigningAlgorithm); 3] = [
    (Kind::P256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
    (Kind::P384, &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
    (Kind::P521, &signature::ECDSA_P521_SHA512_FIXED_SIGNING),
];

/// The encodings of the points whose order divides 8, with the sign bit cleared: y is 0, 1, -1, one of the two values
/// of order 8, or a value that is not reduced modulo 2^255 - 19.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    little_endian(1, 0, 0),
    little_endian(0xec, 0xff, 0x7f),
    little_endian(0xed, 0xff, 0x7f),
    little_endian(0xee, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

const fn little_endian(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut bytes = [between; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

#[cfg(test)]
mod tests;
