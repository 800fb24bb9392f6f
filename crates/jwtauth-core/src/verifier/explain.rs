//! Explaining a decision: the same steps, watched.

use super::{Undecided, Verifier};
use crate::explain::{Explain, Explanation, Recorder, Sources};
use crate::grant::Grant;
use crate::request::Request;

impl Verifier {
    /// Decides one request as [`authenticate`](Verifier::authenticate) does, and reports every check.
    ///
    /// The decision is made in the usual way, so it may fetch keys. It counts like any other.
    pub fn explain(&self, request: &Request<'_>, explain: Explain) -> Explanation {
        let mut after = None;
        loop {
            let mut recorder = Recorder::new(&self.policy, explain);
            let decision = self.decide(request, after.as_ref(), &mut recorder, Grant::of);
            let decision = match decision {
                Ok(grant) => Ok(grant),
                Err(Undecided::Failed(error)) => Err(self.policy.describe(error)),
                Err(Undecided::Outdated) => continue,
                Err(Undecided::Lacks(errand)) => {
                    errand.run();
                    after = Some(errand);
                    continue;
                }
            };
            let sources = Sources {
                issuers: self.keys.issuers(),
                status: &self.key_status(),
            };
            return recorder.finish(decision, sources);
        }
    }
}
