//! A key, prepared for the algorithms that it may be used with.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;

use super::Algorithm;
use crate::error::{Code, Error};

/// A key that can check signatures, and the algorithms that it may be used with.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) kid: Option<Box<str>>,
    pub(crate) prepared: Vec<PreparedKey>,
    /// Why it is skipped. `None` if it can be used.
    pub(crate) skipped: Option<Box<str>>,
    /// The issuer that the key names for itself, if it signs only for that one.
    pub(crate) issuer: Option<Arc<str>>,
}

/// A key that is prepared for one algorithm.
pub(crate) enum PreparedKey {
    Public(Algorithm, ParsedPublicKey),
    // Boxed, because it is twenty times as large as the other variant.
    Secret(Algorithm, Box<hmac::Key>),
}

impl PreparedKey {
    /// Whether this key made the signature of the message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            PreparedKey::Public(_, key) => key.verify_sig(message, signature).is_ok(),
            PreparedKey::Secret(_, key) => hmac::verify(key, message, signature).is_ok(),
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            PreparedKey::Public(algorithm, _) | PreparedKey::Secret(algorithm, _) => *algorithm,
        }
    }
}

impl fmt::Debug for PreparedKey {
    /// Prints the algorithm, but never the key.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PreparedKey({})", self.algorithm())
    }
}

impl Key {
    /// A key with a name. An empty name counts as absent.
    pub(crate) fn new(kid: Option<&str>, prepared: Vec<PreparedKey>) -> Key {
        Key {
            kid: kid.filter(|kid| !kid.is_empty()).map(Box::from),
            prepared,
            skipped: None,
            issuer: None,
        }
    }

    /// A key that cannot be used. It keeps its name, so that no key of another source is used in its place.
    pub(crate) fn skipped(kid: Option<&str>, why: &str) -> Key {
        Key {
            skipped: Some(why.into()),
            ..Key::new(kid, Vec::new())
        }
    }

    /// Whether it may be used with at least one algorithm.
    pub(crate) fn is_usable(&self) -> bool {
        !self.prepared.is_empty()
    }

    /// Whether it is a shared secret.
    pub(crate) fn is_secret(&self) -> bool {
        let is_secret = |key: &PreparedKey| matches!(key, PreparedKey::Secret(..));
        self.prepared.iter().any(is_secret)
    }

    /// The key, prepared for this algorithm. `None` if it must not be used with it.
    pub(crate) fn prepared_for(&self, algorithm: Algorithm) -> Option<&PreparedKey> {
        self.prepared
            .iter()
            .find(|prepared| prepared.algorithm() == algorithm)
    }
}

/// An error about a key that cannot be used, with the reason.
pub(crate) fn unusable(why: impl fmt::Display) -> Error {
    Error::new(Code::KeyInvalid).with_detail(why)
}
