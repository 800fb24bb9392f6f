//! Explanations as JSON.

use super::guarded;
use crate::error::Error;
use crate::explain::{self, Explain, Explanation};
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
        "{{\"decision\":{decision},\"steps\":{}}}",
        super::to_line(&explanation.steps)
    )
}

/// The explanation of a failure before the decision: a request that cannot be read, or an internal error.
#[doc(hidden)]
pub fn undecided(why: Error) -> Explanation {
    explain::unreadable(why)
}
