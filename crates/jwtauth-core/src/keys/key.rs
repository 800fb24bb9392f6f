//! One key, prepared for the algorithms it may be used with.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;

use super::Algorithm;
use crate::error::{Code, Error};

/// A key with which signatures can be checked, and the algorithms it may be used with.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) kid: Option<Box<str>>,
    pub(crate) prepared: Vec<PreparedKey>,
}

/// A key made ready for one algorithm.
pub(crate) enum PreparedKey {
    Public(Algorithm, ParsedPublicKey),
    // Boxed: it is twenty times the size of the other.
    Secret(Algorithm, Box<hmac::Key>),
}

impl PreparedKey {
    /// Whether this key made the signature over the message.
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
    /// Names the algorithm; the key itself is nobody's business.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PreparedKey({})", self.algorithm())
    }
}

impl Key {
    /// A key under a name; an empty name counts as none.
    pub(crate) fn new(kid: Option<&str>, prepared: Vec<PreparedKey>) -> Key {
        Key {
            kid: kid.filter(|kid| !kid.is_empty()).map(Box::from),
            prepared,
        }
    }

    /// Whether it may be used with any algorithm at all.
    pub(crate) fn is_usable(&self) -> bool {
        !self.prepared.is_empty()
    }

    /// The key made ready for this algorithm, if it may be used with it.
    pub(crate) fn prepared_for(&self, algorithm: Algorithm) -> Option<&PreparedKey> {
        self.prepared
            .iter()
            .find(|prepared| prepared.algorithm() == algorithm)
    }
}

/// Why a key cannot be used.
pub(crate) fn unusable(why: impl fmt::Display) -> Error {
    Error::new(Code::KeyInvalid).with_detail(why)
}
