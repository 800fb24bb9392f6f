//! Single stages, for benchmarks. Their results lead to no grant.

use crate::claims::Claims;
use crate::error::Result;
use crate::pipeline::{decode, validate};
use crate::policy::{ClaimsPolicy, DecodeRule};

/// Decodes a compact JWS and reads its header. Returns the length of the signature.
///
/// # Errors
/// Those of the stage.
pub fn decode(token: &str) -> Result<usize> {
    decode::compact(token, &DecodeRule::default(), &mut ()).map(|token| token.signature().len())
}

/// Reads the registered claims and checks their types.
///
/// # Errors
/// Those of the stage.
pub fn registered(claims: &Claims<'_>) -> Result<()> {
    validate::registered(claims, &ClaimsPolicy::default())
}
