//! What the methods of `Verifier` have in common: building one, taking steps, and making the fetches that they lack.

use std::sync::Arc;

use jwtauth_core::{Errand, Explain, Request, VerifierBuilder, wire};
use pyo3::prelude::*;

use crate::error::{decided, detached, raise};
use crate::fetch::Raised;
use crate::functions::Functions;
use crate::grant::Held;
use crate::signal;
use crate::verifier::Verifier;
use crate::verifier_core::Core;

impl Verifier {
    /// Decides, and makes the fetches that the decision lacks. What the application's function raises is kept in
    /// `raised`.
    pub(crate) fn decide(
        this: &Bound<'_, Verifier>,
        request: &Request<'_>,
        raised: &Raised,
    ) -> PyResult<Held> {
        let (py, core) = (this.py(), &this.get().core);
        let brief = core.is_cheap(request);
        let mut after = None;
        loop {
            let step = || Ok(core.answer_step(request, after.as_ref(), Held::of));
            match decided(py, brief, step)? {
                Ok(outcome) => return outcome.map_err(|error| raise(py, &error)),
                Err(errand) => {
                    Verifier::run(this, &errand, raised)?;
                    after = Some(errand);
                }
            }
        }
    }

    /// Explains, and makes the fetches that the decision lacks. A request that cannot be read is explained too.
    pub(crate) fn explained(
        this: &Bound<'_, Verifier>,
        request: jwtauth_core::Result<&Request<'_>>,
        show_values: bool,
        raised: &Raised,
    ) -> PyResult<jwtauth_core::Explanation> {
        let (py, core) = (this.py(), &this.get().core);
        let mut after = None;
        loop {
            let step = || match &request {
                Ok(request) => Ok(core.explain_step(request, Explain { show_values }, after.as_ref())),
                Err(error) => Err(error.clone()),
            };
            match detached(py, || {
                Ok(wire::guarded(step).unwrap_or_else(|error| Ok(wire::undecided(error))))
            })? {
                Ok(explained) => return Ok(explained),
                Err(errand) => {
                    Verifier::run(this, &errand, raised)?;
                    after = Some(errand);
                }
            }
        }
    }

    /// Makes the fetches of an errand. The application's function is called on this thread, where a signal interrupts
    /// it. The library's client cannot be interrupted, so the main thread only waits for it.
    pub(crate) fn run(this: &Bound<'_, Verifier>, errand: &Errand, raised: &Raised) -> PyResult<()> {
        let py = this.py();
        if !this.get().functions.has_fetch() && signal::may_arrive(py)? {
            return signal::run(this, errand);
        }
        detached(py, || {
            errand.run_with(|fetch| raised.around(fetch));
            Ok(())
        })
    }

    pub(crate) fn build(
        py: Python<'_>,
        functions: Functions,
        read: impl FnOnce() -> jwtauth_core::Result<VerifierBuilder> + Send,
    ) -> PyResult<Verifier> {
        let (client, observer) = (functions.client(), functions.observer());
        let core = detached(py, || {
            let mut builder = read()?.fetch(client);
            if let Some(observer) = observer {
                builder = builder.on_event(observer);
            }
            builder.build()
        })?;
        Ok(Verifier {
            core: Core::Own(Arc::new(core)),
            functions,
        })
    }
}
