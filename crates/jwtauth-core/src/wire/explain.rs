//! Explanations as JSON.

use super::guarded;
use crate::claims::NumericDate;
use crate::error::{Error, Result};
use crate::explain::{self, DryRun, Explain, Explanation};
use crate::grant::Grant;
use crate::verifier::Verifier;

/// Decides a request given as JSON, as [`authenticate`](super::authenticate) does, and returns the explanation of the
/// decision as one line of JSON. It is never a failure of its own: `decision` is the reply in any case.
pub fn explain(verifier: &Verifier, request: &str, explain: Explain) -> String {
    let explanation = guarded(|| super::request(request, |request| Ok(verifier.explain(&request, explain))));
    explained(&explanation.unwrap_or_else(undecided))
}

/// An explanation, as one line of JSON.
pub fn explained(explanation: &Explanation) -> String {
    let decision = super::reply(&explanation.decision);
    // The reply is copied, so that it is the same text.
    format!(
        "{{\"decision\":{decision},\"steps\":{},\"hints\":{}}}",
        super::to_line(&explanation.steps),
        super::to_line(&explanation.hints)
    )
}

/// The explanation of a failure before the decision: a request that cannot be read, or an internal error.
#[doc(hidden)]
pub fn undecided(why: Error) -> Explanation {
    explain::unreadable(why)
}

/// Tells what a token with these claims would give, as [`Verifier::dry_run`] does, and returns it as one line of JSON. The
/// request is JSON; a token in it is not read. It is never a failure of its own.
pub fn dry_run(
    verifier: &Verifier,
    claims: &str,
    request: &str,
    now: Option<NumericDate>,
    explain: Explain,
) -> String {
    let tried = guarded(|| {
        super::request(request, |request| {
            Ok(verifier.dry_run(claims, &request, now, explain))
        })
    });
    tried_out(&tried.unwrap_or_else(|why| undecided(why).into()))
}

/// The result of a dry run, as one line of JSON. No part of it can be read as the reply to a request.
pub fn tried_out(tried: &DryRun) -> String {
    format!(
        "{{\"dry_run\":true,\"would\":{},\"steps\":{},\"hints\":{}}}",
        would(&tried.would),
        super::to_line(&tried.steps),
        super::to_line(&tried.hints)
    )
}

/// A reply without its `outcome`, and in a member, so that a program that expects a reply finds nothing.
fn would(decision: &Result<Grant>) -> String {
    let (be, start) = match decision {
        Ok(_) => ("grant", r#"{"outcome":"granted","#),
        Err(_) => ("fail", r#"{"outcome":"failed","#),
    };
    let reply = super::reply(decision);
    // INVARIANT: every reply begins with its outcome. If one did not, it would not be repeated here.
    let rest = reply.strip_prefix(start).unwrap_or("}");
    format!("{{\"{be}\":{{{rest}}}")
}
