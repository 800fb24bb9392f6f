//! The issuer of a token, and whether the key that signed the token may sign for it (RFC 8725 §3.8).

use crate::claims::{Claims, Registered};
use crate::error::{Code, Error, Result};
use crate::expr::Document;
use crate::json::Value;
use crate::pipeline::signature::VerifiedToken;
use crate::pipeline::watch::{Check, Event, Seen, Watch};
use crate::policy::{Issuer, IssuerRule, IssuerRules, KeyIssuers, near};

/// The claims of a verified token. They were signed, and are not valid yet.
#[derive(Debug)]
pub(crate) struct SignedClaims<'t> {
    pub(super) claims: Claims<'t>,
    /// Whether a key that verified the token may sign for its issuer.
    is_of_its_issuer: bool,
}

/// Reads the claims of a verified token.
///
/// # Errors
/// [`Code::ClaimsMalformed`].
pub(crate) fn read<'t>(token: &'t VerifiedToken<'_>, watch: &mut impl Watch) -> Result<SignedClaims<'t>> {
    let mut signed = SignedClaims {
        claims: parse(token.payload(), watch)?,
        is_of_its_issuer: false,
    };
    signed.is_of_its_issuer = token.signers().accept(signed.iss(), |claim| signed.text(claim));
    watch.belongs(signed.is_of_its_issuer);
    Ok(signed)
}

/// Reads the claims of a token that is already denied, for the checks that only inform. No grant can be made of them,
/// because a grant needs the verified token.
///
/// `is_of_its_issuer` tells whether a key may sign for the token's issuer; if no key verified the token, it is one of any
/// source.
pub(crate) fn read_denied<'t>(
    payload: &'t str,
    is_of_its_issuer: Option<bool>,
    sources: &[KeyIssuers],
    watch: &mut impl Watch,
) -> Result<SignedClaims<'t>> {
    let mut denied = SignedClaims {
        claims: parse(payload, watch)?,
        is_of_its_issuer: false,
    };
    let of_any_source = || sources.iter().any(|keys| denied.may_be_of(keys));
    denied.is_of_its_issuer = is_of_its_issuer.unwrap_or_else(of_any_source);
    Ok(denied)
}

fn parse<'t>(payload: &'t str, watch: &mut impl Watch) -> Result<Claims<'t>> {
    let claims = Claims::parse(payload);
    watch.saw(|| {
        let event = Event::of(Check::ClaimsForm, &claims);
        match &claims {
            Ok(claims) => event.seen(Seen::members(claims.members())),
            Err(_) => event,
        }
    });
    claims
}

impl SignedClaims<'_> {
    /// Whether a key that verified the token may sign for its issuer. If not, the token is denied, and the issuer must
    /// have no other effect.
    pub(crate) fn is_of_its_issuer(&self) -> bool {
        self.is_of_its_issuer
    }

    /// A copy of the claims in the form for expressions.
    pub(crate) fn document(&self) -> Document<'_> {
        Document::new(self.claims.clone())
    }

    /// Whether these keys may sign for the token's issuer.
    pub(crate) fn may_be_of(&self, keys: &KeyIssuers) -> bool {
        keys.accept(self.iss(), |claim| self.text(claim))
    }

    /// The rule for the tokens of this issuer.
    pub(crate) fn issuer_rule<'r>(&self, rules: &'r IssuerRules) -> Option<&'r IssuerRule> {
        if rules.is_empty() || !self.is_of_its_issuer {
            return None;
        }
        rules.of(self.iss()?, |claim| self.text(claim))
    }

    /// Checks that the policy accepts the issuer, and that the key may sign for it.
    ///
    /// # Errors
    /// [`Code::IssuerMismatch`].
    pub(super) fn check_issuer(&self, accepted: &[Issuer]) -> Result<()> {
        let mismatch = |why: String| {
            Err(Error::new(Code::IssuerMismatch)
                .with_claim("iss")
                .with_detail(why))
        };
        let is_accepted = |iss: &str| accepted.iter().any(|one| one.is(iss, |claim| self.text(claim)));
        if !accepted.is_empty() && !self.iss().is_some_and(is_accepted) {
            let accepted: Vec<String> = accepted.iter().map(Issuer::text).collect();
            let near = near::hint(
                "the token's `iss`",
                accepted.iter().map(String::as_str),
                self.iss().unwrap_or_default(),
            );
            return mismatch(format!("expected {}{near}", accepted.join(" or ")));
        }
        match (self.is_of_its_issuer, self.iss()) {
            (true, _) => Ok(()),
            (false, Some(_)) => mismatch("the key that signed the token is not for this issuer".to_owned()),
            (false, None) => {
                mismatch("the key that signed the token is only for tokens of its issuer".to_owned())
            }
        }
    }

    fn iss(&self) -> Option<&str> {
        self.claims.registered(Registered::Iss).and_then(Value::as_str)
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }
}
