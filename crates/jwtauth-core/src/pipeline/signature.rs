//! Stage signature: candidate keys → [`VerifiedToken`]. This is the only place that checks a signature.

use std::fmt;

use crate::error::{Code, Error, Result};
use crate::hidden::Hidden;
use crate::keys::MAX_CANDIDATES;
use crate::pipeline::decode::UnverifiedToken;
use crate::pipeline::select_key::Candidates;

/// A token whose signature verified with one of the candidate keys.
pub(crate) struct VerifiedToken {
    payload: Box<str>,
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("VerifiedToken")
            .field(&Hidden::text(&*self.payload))
            .finish()
    }
}

impl VerifiedToken {
    /// The text of the payload.
    pub(crate) fn payload(&self) -> &str {
        &self.payload
    }

    /// Takes the text of the payload, for the grant.
    pub(crate) fn into_payload(self) -> Box<str> {
        self.payload
    }
}

/// Checks the signature with each candidate key until one verifies it.
///
/// # Errors
/// [`Code::SignatureInvalid`]; [`Code::ClaimsMalformed`] if the payload is not UTF-8.
pub(crate) fn verify(token: &mut UnverifiedToken<'_>, candidates: &Candidates<'_>) -> Result<VerifiedToken> {
    let (message, signature) = (token.signing_input(), token.signature());
    if !candidates.iter().any(|key| key.verifies(message, signature)) {
        let error = Error::new(Code::SignatureInvalid);
        return Err(if candidates.has_more {
            error.with_detail(format!(
                "more than {MAX_CANDIDATES} keys fit the token, and only {MAX_CANDIDATES} are tried; give each key its own `kid`"
            ))
        } else {
            error
        });
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
