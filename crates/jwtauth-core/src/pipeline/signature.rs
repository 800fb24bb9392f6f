//! Candidate keys → [`VerifiedToken`]; the only place a signature is checked.

use crate::error::{Code, Error, Result};
use crate::pipeline::decode::UnverifiedToken;
use crate::pipeline::select_key::Candidates;

/// A token that one of the candidate keys signed.
#[derive(Debug)]
pub(crate) struct VerifiedToken {
    payload: Box<str>,
}

impl VerifiedToken {
    /// The payload's text.
    pub(crate) fn payload(&self) -> &str {
        &self.payload
    }

    /// The payload's text, for the grant.
    pub(crate) fn into_payload(self) -> Box<str> {
        self.payload
    }
}

/// Checks the signature against each candidate until one fits.
///
/// # Errors
/// [`Code::SignatureInvalid`]; [`Code::ClaimsMalformed`] when the payload is not UTF-8.
pub(crate) fn verify(token: &mut UnverifiedToken<'_>, candidates: &Candidates<'_>) -> Result<VerifiedToken> {
    let (message, signature) = (token.signing_input(), token.signature());
    if !candidates.iter().any(|key| key.verifies(message, signature)) {
        return Err(Code::SignatureInvalid.into());
    }
    match String::from_utf8(token.take_payload()) {
        Ok(text) => Ok(VerifiedToken {
            payload: text.into_boxed_str(),
        }),
        Err(_) => Err(Error::new(Code::ClaimsMalformed).with_detail("the payload is not UTF-8")),
    }
}

#[cfg(test)]
mod tests;
