//! One step of a decision.

use jwtauth_core::{Granted, wire};
use napi::bindgen_prelude::{Either, Latin1String};
use napi::{Env, Task};

use crate::errand::Errand;
use crate::guard::guarded;
use crate::request::Asked;
use crate::shared::Shared;

/// One step of a decision, outside the event loop.
#[derive(Debug)]
pub struct StepTask {
    pub(crate) verifier: Shared,
    pub(crate) asked: Asked,
    pub(crate) after: Option<jwtauth_core::Errand>,
}

impl Task for StepTask {
    type Output = Either<Lines, Errand>;
    type JsValue = Either<Lines, Errand>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        guarded(|| step(&self.verifier, &self.asked, self.after.as_ref())).map(returned)
    }

    fn resolve(&mut self, _: Env, step: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(step)
    }
}

/// Takes one step: returns the lines of a grant, or the fetches that the decision lacks.
///
/// # Errors
/// Those of the decision.
pub(crate) fn step(
    verifier: &jwtauth_core::Verifier,
    asked: &Asked,
    after: Option<&jwtauth_core::Errand>,
) -> jwtauth_core::Result<Either<String, Errand>> {
    match asked.decide(|request| Ok(verifier.answer_step(request, after, lines)))? {
        Ok(outcome) => outcome.map(Either::A),
        Err(errand) => Ok(Either::B(Errand(errand))),
    }
}

/// A text for JavaScript, which reads Latin-1 faster than UTF-8. Both are the same for ASCII.
pub(crate) type Lines = Either<Latin1String, String>;

pub(crate) fn returned(step: Either<String, Errand>) -> Either<Lines, Errand> {
    match step {
        Either::A(text) => Either::A(fast(text)),
        Either::B(errand) => Either::B(errand),
    }
}

pub(crate) fn fast(text: String) -> Lines {
    if text.is_ascii() {
        Either::A(text.into())
    } else {
        Either::B(text)
    }
}

/// The lines of a grant.
pub(crate) fn lines(granted: Granted<'_>) -> String {
    wire::lines(granted).into_owned()
}
