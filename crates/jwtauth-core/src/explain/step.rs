//! What an explanation consists of.

use serde::{Serialize, Serializer};

use super::hint::Hint;
use crate::error::{Result, Stage};
use crate::grant::Grant;
use crate::pipeline::watch::{Check, Outcome, Part, Seen, raw_json};

/// What an explanation contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Explain {
    /// Whether the steps contain values of the token and of the request. Otherwise they contain only their shape: types,
    /// lengths and numbers of elements. A signature is never shown.
    pub show_values: bool,
}

/// A decision, and the checks that led to it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// The decision, as [`Verifier::authenticate`](crate::Verifier::authenticate) returns it.
    pub decision: Result<Grant>,
    /// The checks, in order. After a failure, those that were not reached, and those that were made only to inform.
    pub steps: Vec<Step>,
    /// What to change, and where.
    pub hints: Vec<Hint>,
}

impl Explanation {
    pub(super) fn new(decision: Result<Grant>, steps: Vec<Step>, hints: Vec<Hint>) -> Explanation {
        Explanation {
            decision,
            steps,
            hints,
        }
    }

    /// The step that denied the request.
    pub fn failed(&self) -> Option<&Step> {
        let denied = |step: &&Step| step.outcome == Outcome::Failed && !step.informative;
        self.steps.iter().find(denied)
    }
}

/// What a token with certain claims would give, if a key of a configured source had signed it.
///
/// The claims are not signed, so it is not a decision. A program must not give access because of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DryRun {
    /// The decision that a signed token with these claims would get.
    pub would: Result<Grant>,
    /// The checks, as in an [`Explanation`]. Those of the token and its signature are not applicable.
    pub steps: Vec<Step>,
    /// What to change, and where.
    pub hints: Vec<Hint>,
}

impl From<Explanation> for DryRun {
    fn from(explained: Explanation) -> DryRun {
        DryRun {
            would: explained.decision,
            steps: explained.steps,
            hints: explained.hints,
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// The stage that made it. For a failed check, the stage of the error.
    #[serde(serialize_with = "by_name")]
    pub stage: Stage,
    /// The check.
    pub check: Check,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it was made after the decision, for people. It has no part in the decision.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub informative: bool,
    /// Whether it has read claims that no key has signed. Anybody may have written them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// The place in the configuration. For a setting without one, the place in the policy, as
    /// [`wire::policy`](crate::wire::policy) prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What is configured there, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "raw_json")]
    pub configured: Option<String>,
    /// What the check saw of the request or the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// The parts of the check, and what became of each: of an expression, or the places where a token was looked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// One sentence for people.
    pub text: String,
}

fn by_name<S: Serializer>(stage: &Stage, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(stage.as_str())
}
