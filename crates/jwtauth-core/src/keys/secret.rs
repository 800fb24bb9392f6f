//! Rules for shared secrets: which secrets are accepted, and for which algorithms.

use aws_lc_rs::hmac;

use super::key::{PreparedKey, unusable};
use super::public::PublicKey;
use super::{Algorithm, Algorithms, pem};
use crate::error::Result;
use crate::json::{self, Value};

/// The algorithms that a secret can be used with. The hash of each is at most as long as the secret (RFC 7518 §3.2).
///
/// # Errors
/// The secret is shorter than every hash, or it is public.
pub(super) fn algorithms(secret: &[u8]) -> Result<Algorithms> {
    if secret.is_empty() {
        return Err(unusable("the secret is empty"));
    }
    if is_public_key(secret) {
        return Err(unusable("the secret is a public key, which is not secret"));
    }
    let fitting: Algorithms = HMAC
        .into_iter()
        .filter(|(algorithm, _)| secret.len() >= hash_length(*algorithm))
        .map(|(algorithm, _)| algorithm)
        .collect();
    if fitting.is_empty() {
        return Err(unusable(format!(
            "{WRONG_SIZE} {} bytes; HS256 requires 32, HS384 requires 48, HS512 requires 64",
            secret.len()
        )));
    }
    Ok(fitting)
}

/// Prepares a secret for one of its algorithms. `None` if the algorithm does not use a secret.
pub(super) fn prepare(secret: &[u8], algorithm: Algorithm) -> Option<PreparedKey> {
    let (_, hash) = HMAC.into_iter().find(|(hmac, _)| *hmac == algorithm)?;
    Some(PreparedKey::Secret(
        algorithm,
        Box::new(hmac::Key::new(hash, secret)),
    ))
}

/// The algorithms that use a shared secret.
pub(crate) fn all() -> Algorithms {
    HMAC.into_iter().map(|(algorithm, _)| algorithm).collect()
}

/// Whether a secret is in fact a public key. A verifier with such a secret would accept tokens that anybody can make
/// (RFC 8725 §2.1).
fn is_public_key(secret: &[u8]) -> bool {
    // Each attempt to read a key makes an error text, so most secrets are told apart by their first byte.
    let is_sequence = secret.first() == Some(&DER_SEQUENCE);
    if is_sequence
        && (PublicKey::from_spki(secret).is_ok()
            || PublicKey::from_pkcs1(secret).is_ok()
            || PublicKey::from_certificate(secret).is_ok())
    {
        return true;
    }
    let Ok(text) = std::str::from_utf8(secret) else {
        return false;
    };
    let is_jwk = |value: &Value<'_>| {
        let object = value.as_object();
        object.is_some_and(|object| object.get("kty").is_some() || object.get("keys").is_some())
    };
    let is_object = text.trim_start().starts_with('{');
    pem::is_pem(text) || is_object && json::parse(text).is_ok_and(|value| is_jwk(&value))
}

/// The beginning of the text about a secret that is too short.
pub(super) const WRONG_SIZE: &str = "the secret has only";

/// The first byte of a key or certificate in DER.
const DER_SEQUENCE: u8 = 0x30;

fn hash_length(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::HS512 => 64,
        Algorithm::HS384 => 48,
        _ => 32,
    }
}

const HMAC: [(Algorithm, hmac::Algorithm); 3] = [
    (Algorithm::HS256, hmac::HMAC_SHA256),
    (Algorithm::HS384, hmac::HMAC_SHA384),
    (Algorithm::HS512, hmac::HMAC_SHA512),
];

#[cfg(test)]
mod tests;
