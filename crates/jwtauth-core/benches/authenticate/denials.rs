//! Denials, compared with the signature check of HS256 and with a grant.

use std::hint::black_box;

use jwtauth_core::{Code, Request, Verifier};

use crate::Result;
use crate::signed::{Signed, signed};
use crate::timed::{Timed, compare, head};

/// The most that the denial of a text that is no token may cost: about half a microsecond.
const GARBAGE: f64 = 0.7;

/// The most that a wrong signature may cost, relative to a grant.
const FORGED: f64 = 1.0;

pub(crate) fn table(chosen: &[(&str, Signed)], passes: usize) -> Result<()> {
    head(["HS256", "denial"]);
    let unit = signed("HS256")?;
    for (what, token) in [
        ("no dots", "x".repeat(unit.token.len())),
        (
            "two dots",
            format!("{0}.{0}.{0}", "x".repeat(unit.token.len() / 3)),
        ),
        ("empty parts", "..".to_owned()),
        ("short", "garbage".to_owned()),
    ] {
        let denial = denied(unit.pasted()?, token, Code::TokenMalformed, Code::HeaderInvalid)?;
        compare(what, GARBAGE, passes, [unit.check(), denial]);
    }
    head(["grant", "denial"]);
    for (name, signed) in chosen {
        let forged = signed.forged().ok_or("no signature")?;
        let code = Code::SignatureInvalid;
        let denial = denied(signed.pasted()?, forged, code, code)?;
        compare(name, FORGED, passes, [signed.decision(signed.pasted()?)?, denial]);
    }
    Ok(())
}

/// A decision that must end in one of two denials.
fn denied(verifier: Verifier, token: String, one: Code, other: Code) -> Result<Timed> {
    let code = verifier
        .authenticate(&Request::bearer(&token))
        .err()
        .map(|why| why.code());
    if code != Some(one) && code != Some(other) {
        return Err(format!("unexpected outcome: {code:?}").into());
    }
    let deny =
        move || assert!(black_box(verifier.authenticate(black_box(&Request::bearer(&token)))).is_err());
    Ok(Timed::new(Box::new(deny)))
}

impl Signed {
    /// The token with another signature of the same length.
    fn forged(&self) -> Option<String> {
        let (message, signature) = self.token.rsplit_once('.')?;
        let (first, rest) = (signature.get(..20)?, signature.get(20..)?);
        let first: String = first.chars().rev().collect();
        Some(format!("{message}.{first}{rest}"))
    }
}
