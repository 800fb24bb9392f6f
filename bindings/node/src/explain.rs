//! Explanations.

use std::sync::Arc;

use jwtauth_core::{Explain, Explanation, Request, Result, wire};
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Either};
use napi::{Env, Task};
use napi_derive::napi;

use crate::batch::Reply;
use crate::errand::{Errand, without_function};
use crate::guard::guarded;
use crate::request::Asked;
use crate::shared::Shared;

/// A request that is explained. `index.js` calls `step` until it returns the explanation, and makes the fetches between two
/// steps.
#[napi]
#[derive(Debug, Clone)]
pub struct Explaining {
    verifier: Shared,
    host_fetches: bool,
    /// A request that cannot be read is explained too.
    asked: Arc<Result<Asked>>,
    explain: Explain,
}

/// An explanation: the decision in it, as the addon returns decisions, and its JSON text.
#[napi(object)]
#[derive(Debug)]
pub struct Explained {
    pub decision: Reply,
    pub json: String,
}

#[napi]
impl Explaining {
    pub(crate) fn new(
        verifier: &Shared,
        host_fetches: bool,
        asked: Result<Asked>,
        explain: Explain,
    ) -> Explaining {
        Explaining {
            verifier: verifier.clone(),
            host_fetches,
            asked: Arc::new(asked),
            explain,
        }
    }

    /// Takes one step on a thread of Node's pool. Returns the explanation, or the fetches that the decision lacks.
    #[napi]
    pub fn step(&self, after: Option<ClassInstance<'_, Errand>>) -> AsyncTask<StepTask> {
        AsyncTask::new(StepTask {
            explaining: self.clone(),
            after: after.map(|after| after.0.clone()),
        })
    }

    /// Explains on the calling thread, and fetches on it.
    #[napi]
    pub fn now(&self) -> napi::Result<Explained> {
        let explain = |request: &Request<'_>| {
            // The application's function runs on the event loop, and the event loop is waiting for this call.
            let request = match self.host_fetches {
                true => request.clone().cached_only(true),
                false => request.clone(),
            };
            let mut explanation = self.verifier.explain(&request, self.explain);
            let why = |error| without_function(error, self.host_fetches, "explainSync");
            explanation.decision = explanation.decision.map_err(why);
            explanation
        };
        guarded(|| Ok(Explained::of(&self.read(explain).unwrap_or_else(wire::undecided))))
    }

    /// Passes the request to `explain`.
    fn read<T>(&self, explain: impl FnOnce(&Request<'_>) -> T) -> Result<T> {
        wire::guarded(|| {
            let asked = self.asked.as_ref().as_ref().map_err(Clone::clone)?;
            asked.decide(|request| Ok(explain(request)))
        })
    }
}

impl Explained {
    fn of(explanation: &Explanation) -> Explained {
        let (is_grant, text) = match &explanation.decision {
            Ok(grant) => (true, wire::granted_in_lines(grant)),
            Err(error) => (false, wire::failed(error)),
        };
        Explained {
            decision: Reply { is_grant, text },
            json: wire::explained(explanation),
        }
    }
}

/// One step of an explanation, outside the event loop.
#[derive(Debug)]
pub struct StepTask {
    explaining: Explaining,
    after: Option<jwtauth_core::Errand>,
}

impl Task for StepTask {
    type Output = Either<Explained, Errand>;
    type JsValue = Either<Explained, Errand>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let Explaining {
            verifier, explain, ..
        } = &self.explaining;
        guarded(|| {
            let step = |request: &Request<'_>| verifier.explain_step(request, *explain, self.after.as_ref());
            let step = self.explaining.read(step);
            Ok(match step.unwrap_or_else(|error| Ok(wire::undecided(error))) {
                Ok(explanation) => Either::A(Explained::of(&explanation)),
                Err(errand) => Either::B(Errand(errand)),
            })
        })
    }

    fn resolve(&mut self, _: Env, step: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(step)
    }
}
