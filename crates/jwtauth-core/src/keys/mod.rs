//! With which key can a signature be checked?
//!
//! A [`Key`] is parsed and prepared once, when its [`KeySet`] is made; a request only looks it up.
//!
//! `public` holds the rules for public keys, whatever they are written in; `pem` and `jwks` only read their
//! notations, and `secret` holds the rules for shared secrets.

mod algorithm;
#[cfg(feature = "http")]
mod client;
mod discovery;
pub mod fetch;
pub(crate) mod file;
mod freshness;
mod jwks;
mod load;
mod misses;
pub(crate) mod pem;
pub(crate) mod public;
mod reach;
mod remote;
mod secret;
mod source;
pub mod status;
mod store;
pub(crate) mod url;

use std::collections::HashMap;
use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;

pub use self::algorithm::{Algorithm, Algorithms};
pub(crate) use self::jwks::is_public_jwk;
pub(crate) use self::public::is_certificate;
pub use self::reach::Others;
pub(crate) use self::reach::{Now, Reach};
pub(crate) use self::remote::fetches_ended;
pub(crate) use self::secret::all as secret_algorithms;
pub(crate) use self::source::Host;
pub(crate) use self::store::{Current, KeyStore, Selection};
use crate::error::{Code, Error};

/// A key with which signatures can be checked, and the algorithms it may be used with.
#[derive(Debug)]
pub struct Key {
    kid: Option<Box<str>>,
    prepared: Vec<PreparedKey>,
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

    fn algorithm(&self) -> Algorithm {
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
    fn new(kid: Option<&str>, prepared: Vec<PreparedKey>) -> Key {
        Key {
            kid: kid.filter(|kid| !kid.is_empty()).map(Box::from),
            prepared,
        }
    }

    /// Whether it may be used with any algorithm at all.
    fn is_usable(&self) -> bool {
        !self.prepared.is_empty()
    }

    /// The key made ready for this algorithm, if it may be used with it.
    pub(crate) fn prepared_for(&self, algorithm: Algorithm) -> Option<&PreparedKey> {
        self.prepared
            .iter()
            .find(|prepared| prepared.algorithm() == algorithm)
    }
}

/// Keys in the order they were given, found by `kid`.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    by_kid: HashMap<Box<str>, Vec<usize>>,
    without_kid: Vec<usize>,
}

impl KeySet {
    /// All keys, in order.
    fn all(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// Whether a token can be checked with any of the keys.
    fn is_usable(&self) -> bool {
        self.keys.iter().any(Key::is_usable)
    }

    /// How many keys a token can be checked with, and the names of those that have one.
    fn census(&self) -> (usize, Vec<String>) {
        let usable = || self.keys.iter().filter(|key| key.is_usable());
        let kids = usable().filter_map(|key| key.kid.as_deref());
        (usable().count(), kids.map(str::to_owned).collect())
    }

    /// The one key that a token can be checked with, if there is only one.
    fn only(&self) -> Option<&Key> {
        let mut usable = self.keys.iter().filter(|key| key.is_usable());
        usable.next().filter(|_| usable.next().is_none())
    }

    /// The keys with this `kid`, in order.
    fn named(&self, kid: &str) -> impl Iterator<Item = &Key> {
        self.by_kid
            .get(kid)
            .into_iter()
            .flatten()
            .filter_map(|index| self.keys.get(*index))
    }

    /// The keys without a `kid`, in order.
    fn unnamed(&self) -> impl Iterator<Item = &Key> {
        self.without_kid.iter().filter_map(|index| self.keys.get(*index))
    }
}

impl FromIterator<Key> for KeySet {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> KeySet {
        let mut set = KeySet::default();
        for key in keys {
            let index = set.keys.len();
            match &key.kid {
                Some(kid) => set.by_kid.entry(kid.clone()).or_default().push(index),
                None => set.without_kid.push(index),
            }
            set.keys.push(key);
        }
        set
    }
}

/// Why a key cannot be used.
fn unusable(why: impl fmt::Display) -> Error {
    Error::new(Code::KeyInvalid).with_detail(why)
}

/// The keys that tests share.
#[cfg(test)]
pub(crate) mod testing;
