//! Key pairs of the conformance suite, and keys in forms that need a separate reader.

use super::pem::{self, After, Blocks, Form};
use super::{Algorithm, Algorithms, Key, PreparedKey};

pub(crate) const RSA: &str = include_str!("../../../../tests/conformance/keys/rsa-1.private.pem");
pub(crate) const P256: &str = include_str!("../../../../tests/conformance/keys/ec256-1.private.pem");
pub(crate) const P384: &str = include_str!("../../../../tests/conformance/keys/ec384-1.private.pem");
pub(crate) const P521: &str = include_str!("../../../../tests/conformance/keys/ec521-1.private.pem");
pub(crate) const ED25519: &str = include_str!("../../../../tests/conformance/keys/ed25519-1.private.pem");

pub(crate) const RSA_CERTIFICATE: &str =
    include_str!("../../../../tests/conformance/keys/rsa-1.certificate.pem");
pub(crate) const RSA_PKCS1: &str = include_str!("../../tests/pem/rsa-pkcs1.public.pem");

/// The form that reads the public half of a private key.
pub(crate) const PUBLIC_HALF: Form = Form {
    after: After::Nothing,
    blocks: Blocks::PublicOrPrivate,
};

/// The public half of a private key.
pub(crate) fn public(private: &str) -> String {
    pem::write(&pem::public_key(private, PUBLIC_HALF).unwrap().key).unwrap()
}

/// A key for ES256.
pub(crate) fn key(kid: Option<&str>) -> Key {
    let public = pem::public_key(P256, PUBLIC_HALF).unwrap().key;
    let prepared = public.prepare(Algorithm::ES256).unwrap();
    Key::new(kid, vec![PreparedKey::Public(Algorithm::ES256, prepared)])
}

/// The bytes inside a PEM text.
pub(crate) fn der(text: &str) -> Vec<u8> {
    let body: String = text.lines().filter(|line| !line.starts_with("---")).collect();
    base64_simd::STANDARD.decode_to_vec(body).unwrap()
}

pub(crate) fn all() -> Algorithms {
    Algorithm::ALL.into_iter().collect()
}
