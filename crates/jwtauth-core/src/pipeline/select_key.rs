//! Header and key sets → candidate keys.

use crate::error::{Code, Error, Result};
use crate::keys::{Algorithms, KeyStore, PreparedKey};
use crate::pipeline::decode::Header;

/// The keys that may have signed a token, made ready for its algorithm.
#[derive(Debug)]
pub(crate) struct Candidates<'k> {
    pub(super) keys: Vec<&'k PreparedKey>,
}

/// Finds the keys that answer to a header.
///
/// # Errors
/// [`Code::AlgorithmNotAllowed`], [`Code::KeyNotFound`].
pub(crate) fn candidates<'k>(
    header: &Header,
    store: &'k KeyStore,
    allowed: Algorithms,
) -> Result<Candidates<'k>> {
    // The policy decides which algorithms there are; the header only chooses among them (RFC 8725 §3.1).
    let algorithm = header.algorithm.filter(|algorithm| allowed.contains(*algorithm));
    let Some(algorithm) = algorithm else {
        let names: Vec<&str> = allowed.iter().map(|algorithm| algorithm.as_str()).collect();
        return Err(
            Error::new(Code::AlgorithmNotAllowed).with_detail(format!("allowed: {}", names.join(", ")))
        );
    };
    let _ = (algorithm, store);
    todo!("keys helper")
}
