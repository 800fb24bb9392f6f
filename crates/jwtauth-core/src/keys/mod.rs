//! Key material: which key can check a signature with which algorithm.
//!
//! A [`Key`] is parsed and prepared once, when its [`KeySet`] is made. A request only looks it up. The module
//! `sources` obtains key sets.
//!
//! `public` has the rules for public keys, independent of their notation. `pem` and `jwks` only read notations.
//! `secret` has the rules for shared secrets. `prepare` makes key sets from key texts.

mod algorithm;
mod checker;
mod jwks;
mod key;
mod mark;
pub(crate) mod pem;
pub(crate) mod prepare;
pub(crate) mod public;
mod secret;
mod set;

pub use self::algorithm::Algorithm;
pub(crate) use self::algorithm::Algorithms;
pub use self::checker::Checker;
pub(crate) use self::jwks::is_public_jwk;
pub(crate) use self::key::{Key, PreparedKey};
pub(crate) use self::mark::mark;
pub(crate) use self::public::is_certificate;
pub(crate) use self::secret::all as secret_algorithms;
pub(crate) use self::set::KeySet;

/// The most keys that are tried for one token. Without a limit, a forged token would cost a check with each key of a set.
pub(crate) const MAX_CANDIDATES: usize = 16;

/// Keys for tests.
#[cfg(test)]
pub(crate) mod testing;
