//! Decisions for the bindings, which make something else from a grant.

use super::{Undecided, Verifier};
use crate::error::Result;
use crate::request::Request;
use crate::sources::errand::Errand;
use crate::token_cache::Granted;

impl Verifier {
    /// Decides one request, and returns what `make` makes from its grant. So a binding need not copy a remembered grant.
    ///
    /// # Errors
    /// Those of [`authenticate`](Verifier::authenticate).
    #[doc(hidden)]
    pub fn answer<T>(&self, request: &Request<'_>, make: impl Fn(Granted<'_>) -> T) -> Result<T> {
        let mut after = None;
        loop {
            match self.answer_step(request, after.as_ref(), &make) {
                Ok(outcome) => return outcome,
                Err(errand) => {
                    errand.run();
                    after = Some(errand);
                }
            }
        }
    }

    /// Takes one step of [`answer`](Verifier::answer).
    ///
    /// # Errors
    /// The fetches that the decision lacks.
    #[doc(hidden)]
    pub fn answer_step<T>(
        &self,
        request: &Request<'_>,
        after: Option<&Errand>,
        make: impl Fn(Granted<'_>) -> T,
    ) -> Result<Result<T>, Errand> {
        if let Some(observer) = &self.observer {
            return self.answer_observed(request, after, make, observer);
        }
        loop {
            return match self.decide(request, after, &mut (), &make) {
                Ok(made) => {
                    self.tally.granted();
                    Ok(Ok(made))
                }
                Err(Undecided::Failed(error)) => Ok(Err(self.failed(error))),
                Err(Undecided::Lacks(errand)) => Err(errand),
                Err(Undecided::Outdated) => continue,
            };
        }
    }
}
