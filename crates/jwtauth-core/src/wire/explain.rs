//! Explanations as JSON.

use crate::explain::{Explain, Explanation, unreadable};
use crate::verifier::Verifier;

/// Decides a request given as JSON, as [`authenticate`](super::authenticate) does, and returns the explanation of the
/// decision as one line of JSON. It is never a failure of its own: `decision` is the reply in any case.
pub fn explain(verifier: &Verifier, request: &str, explain: Explain) -> String {
    let explanation = super::request(request, |request| Ok(verifier.explain(&request, explain)));
    explained(&explanation.unwrap_or_else(unreadable))
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
