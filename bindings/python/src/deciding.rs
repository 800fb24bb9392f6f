//! What the methods of `Verifier` have in common: building one, taking steps, and making the fetches that they lack.

use std::sync::Arc;

use jwtauth_core::fetch::Fetch;
use jwtauth_core::{Errand, Explain, Request, VerifierBuilder, wire};
use pyo3::prelude::*;

use crate::arguments::Given;
use crate::callable::Callable;
use crate::error::{decided, detached, raise};
use crate::events::Listener;
use crate::fetch::{Hosted, Raised};
use crate::grant::Held;
use crate::signal;
use crate::verifier::Verifier;

impl Verifier {
    /// Decides, and makes the fetches that the decision lacks. What the application's function raises is kept in
    /// `raised`.
    pub(crate) fn decide(&self, py: Python<'_>, request: &Request<'_>, raised: &Raised) -> PyResult<Held> {
        let brief = self.core.is_cheap(request);
        let mut after = None;
        loop {
            let step = || Ok(self.core.answer_step(request, after.as_ref(), Held::of));
            match decided(py, brief, step)? {
                Ok(outcome) => return outcome.map_err(|error| raise(py, &error)),
                Err(errand) => {
                    self.run(py, &errand, raised)?;
                    after = Some(errand);
                }
            }
        }
    }

    /// Explains, and makes the fetches that the decision lacks. A request that cannot be read is explained too.
    pub(crate) fn explained(
        &self,
        py: Python<'_>,
        request: jwtauth_core::Result<&Request<'_>>,
        show_values: bool,
        raised: &Raised,
    ) -> PyResult<jwtauth_core::Explanation> {
        let mut after = None;
        loop {
            let step = || match &request {
                Ok(request) => Ok(self
                    .core
                    .explain_step(request, Explain { show_values }, after.as_ref())),
                Err(error) => Err(error.clone()),
            };
            match detached(py, || {
                Ok(wire::guarded(step).unwrap_or_else(|error| Ok(wire::undecided(error))))
            })? {
                Ok(explained) => return Ok(explained),
                Err(errand) => {
                    self.run(py, &errand, raised)?;
                    after = Some(errand);
                }
            }
        }
    }

    /// Makes the fetches of an errand. The application's function is called on this thread, where a signal interrupts
    /// it. The library's client cannot be interrupted, so the main thread only waits for it.
    pub(crate) fn run(&self, py: Python<'_>, errand: &Errand, raised: &Raised) -> PyResult<()> {
        if self.fetch.is_none() && signal::may_arrive(py)? {
            return signal::run(py, errand);
        }
        detached(py, || {
            errand.run_with(|fetch| raised.around(fetch));
            Ok(())
        })
    }

    /// The functions of the application.
    pub(crate) fn callables(&self) -> impl Iterator<Item = &Callable> {
        let fetch = self.fetch.as_ref().map(|fetch| &fetch.0);
        fetch
            .into_iter()
            .chain(self.listener.as_ref().map(|listener| &listener.0))
    }

    pub(crate) fn build(
        py: Python<'_>,
        fetch: Given<'_, '_>,
        on_event: Given<'_, '_>,
        read: impl FnOnce() -> jwtauth_core::Result<VerifierBuilder> + Send,
    ) -> PyResult<Verifier> {
        let fetch = fetch.map(Hosted::new).transpose()?.map(Arc::new);
        let listener = on_event.map(Listener::new).transpose()?.map(Arc::new);
        let client = fetch.clone().map(|fetch| fetch as Arc<dyn Fetch>);
        let observer = listener.clone();
        let core = detached(py, || {
            let mut builder = read()?.fetch(client);
            if let Some(observer) = observer {
                builder = builder.on_event(move |event| observer.report(event));
            }
            builder.build()
        })?;
        Ok(Verifier {
            core: Arc::new(core),
            fetch,
            listener,
        })
    }
}
