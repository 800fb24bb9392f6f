//! Explaining a decision: the same steps, watched.

use super::{Undecided, Verifier};
use crate::explain::{Explain, Explanation, Recorder, Sources};
use crate::pipeline::inform;
use crate::request::Request;

impl Verifier {
    /// Decides one request as [`authenticate`](Verifier::authenticate) does, and reports every check.
    ///
    /// The decision is made in the usual way, so it may fetch keys. It counts like any other. After a denial, the checks
    /// that still make sense are made to inform people; they do not change the decision.
    pub fn explain(&self, request: &Request<'_>, explain: Explain) -> Explanation {
        let mut after = None;
        loop {
            let mut recorder = Recorder::new(&self.policy, explain);
            let decision = match self.decide(request, after.as_ref(), &mut recorder) {
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
            // The decision is made. What follows only informs.
            if let (Err(_), Some(denied)) = (&decision, recorder.denied()) {
                let policy = (&*self.policy, self.keys.issuers());
                inform::request(policy, request, denied, &mut recorder);
            }
            return recorder.finish(decision, request, sources);
        }
    }
}
