//! A key below the token, for tests with published vectors.

use super::prepare::{Preparation, Secrets};
use super::{Algorithm, Algorithms, KeySet};
use crate::error::Result;

/// The key of one JWK, read and prepared as a key of a configuration is.
#[derive(Debug)]
pub struct Checker(KeySet);

impl Checker {
    /// Reads a JWK.
    ///
    /// # Errors
    /// [`Code::KeyInvalid`](crate::Code::KeyInvalid)
    pub fn new(jwk: &str) -> Result<Checker> {
        let mut preparation = Preparation {
            place: "",
            kid: None,
            allowed: Algorithm::ALL.into_iter().collect::<Algorithms>(),
            names_alone: false,
            secrets: Secrets::Used,
            key_issuers: false,
            warnings: &mut Vec::new(),
        };
        preparation.jwk(jwk).map(Checker)
    }

    /// Whether the key may be used with this algorithm and made the signature of the message.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let mut prepared = self.0.all().filter_map(|key| key.prepared_for(algorithm));
        prepared.any(|key| key.verifies(message, signature))
    }
}
