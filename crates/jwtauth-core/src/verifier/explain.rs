//! Explaining a decision: the same steps, watched.

use super::observed::begun;
use super::{Undecided, Verifier};
use crate::explain::{Explain, Explanation, Recorder, Sources};
use crate::grant::Grant;
use crate::pipeline::inform;
use crate::pipeline::watch::Watch;
use crate::request::Request;
use crate::sources::errand::Errand;

impl Verifier {
    /// Decides one request as [`authenticate`](Verifier::authenticate) does, and reports every check.
    ///
    /// The decision is made in the usual way, so it may fetch keys. It counts like any other. After a denial, the checks
    /// that still make sense are made to inform people; they do not change the decision.
    pub fn explain(&self, request: &Request<'_>, explain: Explain) -> Explanation {
        let mut after = None;
        loop {
            match self.explain_step(request, explain, after.as_ref()) {
                Ok(explanation) => return explanation,
                Err(errand) => {
                    errand.run();
                    after = Some(errand);
                }
            }
        }
    }

    /// Takes one step of an explanation, in memory only, as [`step`](Verifier::step) does for a decision.
    ///
    /// # Errors
    /// The fetches that the decision lacks. Run them, then call `explain_step` again with the errand.
    pub fn explain_step(
        &self,
        request: &Request<'_>,
        explain: Explain,
        after: Option<&Errand>,
    ) -> Result<Explanation, Errand> {
        let observed = self
            .observer
            .as_ref()
            .map(|observer| (observer, begun(after, observer)));
        loop {
            let mut recorder = Recorder::new(&self.policy, explain);
            let decision = self.decide_watched(request, after, &mut recorder, Grant::of);
            let decision = match decision {
                Ok(grant) => {
                    self.tally.granted();
                    Ok(grant)
                }
                Err(Undecided::Failed(error)) => Err(self.failed(error)),
                Err(Undecided::Outdated) => continue,
                Err(Undecided::Lacks(errand)) => return Err(errand.begun(observed.map(|(_, begun)| begun))),
            };
            if let Some((observer, begun)) = observed {
                let (code, profile) = match &decision {
                    Ok(grant) => (None, grant.profile.as_deref()),
                    Err(error) => (Some(error.code()), recorder.notes().profile()),
                };
                self.report(observer, code, profile, recorder.notes(), begun, true);
            }
            let sources = Sources {
                issuers: self.keys.issuers(),
                status: &self.key_status(),
            };
            // The decision is made. What follows only informs.
            if let (Err(_), Some(denied)) = (&decision, recorder.denied()) {
                let policy = (&*self.policy, self.keys.issuers());
                let mut watch: &mut dyn Watch = &mut recorder;
                inform::request(policy, request, denied, &mut watch);
            }
            return Ok(recorder.finish(decision, request, sources));
        }
    }
}
