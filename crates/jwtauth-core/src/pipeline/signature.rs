//! Stage signature: candidate keys → [`VerifiedToken`]. This is the only place that checks a signature.

use std::fmt;
use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::hidden::Hidden;
use crate::keys::MAX_CANDIDATES;
use crate::pipeline::decode::UnverifiedToken;
use crate::pipeline::select_key::{Candidate, Candidates};
use crate::pipeline::watch::Watch;
use crate::policy::KeyIssuers;

/// A token whose signature verified with one of the candidate keys.
pub(crate) struct VerifiedToken<'k> {
    payload: Box<str>,
    signers: Signers<'k>,
}

impl fmt::Debug for VerifiedToken<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("VerifiedToken")
            .field(&Hidden::text(&*self.payload))
            .finish()
    }
}

impl<'k> VerifiedToken<'k> {
    /// Makes a token whose signature was NOT verified, as if a key of each of these sources had signed the claims. `None`
    /// if there is no source.
    // INVARIANT: only the dry run calls it, and what it makes is no reply to a request. `.ci/layers` checks who calls it.
    pub(crate) fn assumed_without_signature(
        claims: &str,
        mut sources: impl Iterator<Item = &'k KeyIssuers>,
    ) -> Option<VerifiedToken<'k>> {
        let signer = |issuers| Signer {
            issuers,
            own_issuer: None,
        };
        let first = signer(sources.next()?);
        Some(VerifiedToken {
            payload: claims.into(),
            signers: Signers {
                first,
                others: sources.map(signer).collect(),
            },
        })
    }
}

impl VerifiedToken<'_> {
    /// The text of the payload.
    pub(crate) fn payload(&self) -> &str {
        &self.payload
    }

    /// The keys that verified the signature.
    pub(super) fn signers(&self) -> &Signers<'_> {
        &self.signers
    }

    /// Takes the text of the payload, for the grant.
    pub(crate) fn into_payload(self) -> Box<str> {
        self.payload
    }
}

/// The keys that verified a signature: as many as are needed to know for which issuers the token may speak.
#[derive(Debug)]
pub(super) struct Signers<'k> {
    // Usually there is one; then nothing is allocated.
    first: Signer<'k>,
    others: Vec<Signer<'k>>,
}

/// For which issuers a key that verified a signature may sign.
#[derive(Debug)]
struct Signer<'k> {
    issuers: &'k KeyIssuers,
    own_issuer: Option<Arc<str>>,
}

impl Signers<'_> {
    /// Whether one of the keys may sign the tokens of `iss`. `claim` returns the text of a claim of the token.
    pub(super) fn accept<'c>(&self, iss: Option<&str>, claim: impl Fn(&str) -> Option<&'c str>) -> bool {
        let accepts = |signer: &Signer<'_>| {
            let Signer { issuers, own_issuer } = signer;
            issuers.accept(iss, &claim)
                && own_issuer
                    .as_deref()
                    .is_none_or(|own| issuers.key_accepts(own, iss, &claim))
        };
        self.iter().any(accepts)
    }

    fn iter(&self) -> impl Iterator<Item = &Signer<'_>> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl Signer<'_> {
    /// Whether the candidate may sign for the same issuers, so that it need not be tried.
    fn includes(&self, candidate: &Candidate<'_, '_>) -> bool {
        std::ptr::eq(self.issuers, candidate.issuers) && self.own_issuer.as_ref() == candidate.own_issuer
    }
}

/// Checks the signature with each candidate key until one verifies it that may sign for any issuer.
///
/// The issuer is a claim, and claims are read only after this stage. So after a key that may sign only for some issuers,
/// the keys of other sources are tried too: the order of the sources must not decide whether a token is accepted.
///
/// # Errors
/// [`Code::SignatureInvalid`]; [`Code::ClaimsMalformed`] if the payload is not UTF-8.
pub(crate) fn verify<'k>(
    token: &mut UnverifiedToken<'_>,
    candidates: &Candidates<'_, 'k>,
    watch: &mut impl Watch,
) -> Result<VerifiedToken<'k>> {
    let Some(signers) = signers(token, candidates, watch) else {
        let error = Error::new(Code::SignatureInvalid);
        return Err(match (candidates.skipped, candidates.has_more) {
            (Some(why), _) => error.with_detail(format!("a key with the token's `kid` is skipped: {why}")),
            (None, true) => error.with_detail(format!(
                "more than {MAX_CANDIDATES} keys fit the token, and only {MAX_CANDIDATES} are tried; give each key its own `kid`"
            )),
            (None, false) => error,
        });
    };
    match String::from_utf8(token.take_payload()) {
        Ok(text) => Ok(VerifiedToken {
            payload: text.into_boxed_str(),
            signers,
        }),
        Err(_) => Err(Error::new(Code::ClaimsMalformed).with_detail("the payload is not UTF-8")),
    }
}

fn signers<'k>(
    token: &UnverifiedToken<'_>,
    candidates: &Candidates<'_, 'k>,
    watch: &mut impl Watch,
) -> Option<Signers<'k>> {
    let (message, signature) = (token.signing_input(), token.signature());
    let mut signers: Option<Signers<'k>> = None;
    for candidate in candidates.iter() {
        let includes = |signers: &Signers<'_>| signers.iter().any(|signer| signer.includes(&candidate));
        if signers.as_ref().is_some_and(includes) {
            continue;
        }
        let verified = candidate.key.verifies(message, signature);
        watch.tries(candidate.key, verified);
        if !verified {
            continue;
        }
        let signer = Signer {
            issuers: candidate.issuers,
            own_issuer: candidate.own_issuer.cloned(),
        };
        match &mut signers {
            None => {
                signers = Some(Signers {
                    first: signer,
                    others: Vec::new(),
                });
            }
            Some(signers) => signers.others.push(signer),
        }
        if candidate.issuers.are_any() {
            break;
        }
    }
    signers
}

#[cfg(test)]
mod tests;
