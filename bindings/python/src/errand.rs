//! The half of `authenticate_async` and `explain_async` that is written in Rust: steps of a decision, and the fetches that they lack.
//!
//! `_async.py` takes the steps on the event loop, and makes the fetches on threads of their own.

use jwtauth_core::{Explain, wire};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::arguments::{Arguments, Given};
use crate::error::{decided, detached};
use crate::explanation::Explanation;
use crate::fetch::Raised;
use crate::grant::{Grant, Held};
use crate::verifier_core::Core;

/// One call of `authenticate_async` or `explain_async`, with its arguments.
#[pyclass(frozen, module = "jwtauth._jwtauth")]
pub(crate) struct Call {
    core: Core,
    token: Option<Py<PyAny>>,
    headers: Option<Py<PyAny>>,
    url: Option<Py<PyAny>>,
    profile: Option<Py<PyAny>>,
    remote_addr: Option<Py<PyAny>>,
    cached_only: bool,
}

impl Call {
    /// Keeps the arguments. They are read by each step.
    pub(crate) fn new(
        core: &Core,
        token: Given<'_, '_>,
        headers: Given<'_, '_>,
        url: Given<'_, '_>,
        profile: Given<'_, '_>,
        remote_addr: Given<'_, '_>,
        cached_only: bool,
    ) -> Call {
        let kept = |value: Given<'_, '_>| value.map(|value| value.clone().unbind());
        Call {
            core: core.clone(),
            token: kept(token),
            headers: kept(headers),
            url: kept(url),
            profile: kept(profile),
            remote_addr: kept(remote_addr),
            cached_only,
        }
    }

    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Arguments<'py>> {
        let bound = |value: &Option<Py<PyAny>>| value.as_ref().map(|value| value.bind(py).clone());
        Arguments::read(
            bound(&self.token).as_ref(),
            bound(&self.headers).as_ref(),
            bound(&self.url).as_ref(),
            bound(&self.profile).as_ref(),
            bound(&self.remote_addr).as_ref(),
        )
    }
}

#[pymethods]
impl Call {
    /// Takes one step: returns the grant, or the errand that the decision lacks.
    #[pyo3(signature = (after, /))]
    fn step<'py>(&self, py: Python<'py>, after: Option<PyRef<'py, Errand>>) -> PyResult<Bound<'py, PyAny>> {
        let arguments = self.arguments(py)?;
        let request = arguments.request(py)?.cached_only(self.cached_only);
        let after = after.as_ref().map(|after| &after.0);
        let core = &self.core;
        let step = || match core.answer_step(&request, after, Held::of) {
            Ok(outcome) => outcome.map(Ok),
            Err(errand) => Ok(Err(errand)),
        };
        let step = decided(py, core.is_cheap(&request), step)?;
        match step {
            Ok(granted) => Ok(Bound::new(py, Grant::from(granted))?.into_any()),
            Err(errand) => Ok(Bound::new(py, Errand(errand))?.into_any()),
        }
    }

    /// Takes one step of an explanation: returns it, or the errand that the decision lacks. `cause` is what the
    /// application's function raised.
    #[pyo3(signature = (show_values, after, cause, /))]
    fn explain_step<'py>(
        &self,
        py: Python<'py>,
        show_values: bool,
        after: Option<PyRef<'py, Errand>>,
        cause: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments = self.arguments(py)?;
        let request = arguments.well_formed()?;
        let request = request.map(|request| request.cached_only(self.cached_only));
        let after = after.as_ref().map(|after| &after.0);
        let core = &self.core;
        let step = detached(py, || {
            let step = wire::guarded(|| Ok(core.explain_step(&request?, Explain { show_values }, after)));
            Ok(step.unwrap_or_else(|error| Ok(wire::undecided(error))))
        })?;
        match step {
            Ok(explained) => {
                let explained = Explanation::new(py, explained, cause.map(PyErr::from_value))?;
                Ok(Bound::new(py, explained)?.into_any())
            }
            Err(errand) => Ok(Bound::new(py, Errand(errand))?.into_any()),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let kept = [
            &self.token,
            &self.headers,
            &self.url,
            &self.profile,
            &self.remote_addr,
        ];
        kept.into_iter().try_for_each(|value| visit.call(value))
    }
}

/// The fetches that a decision lacks.
#[pyclass(frozen, module = "jwtauth._jwtauth")]
pub(crate) struct Errand(jwtauth_core::Errand);

#[pymethods]
impl Errand {
    /// One for each key source.
    fn fetches(&self) -> Vec<KeyFetch> {
        self.0.fetches().iter().cloned().map(KeyFetch).collect()
    }
}

/// The fetch of the keys of one source. Equal ones can be shared.
#[pyclass(frozen, eq, hash, module = "jwtauth._jwtauth")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct KeyFetch(jwtauth_core::KeyFetch);

#[pymethods]
impl KeyFetch {
    /// Whether the decision must wait for it, also where another call makes it.
    #[getter]
    fn is_needed(&self) -> bool {
        self.0.is_needed()
    }

    /// Makes the fetch on the calling thread, or waits for the thread that is making it. Returns what the application's
    /// function raised, if it did.
    fn run<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let raised = Raised::default();
        detached(py, || {
            raised.around(&mut || self.0.run());
            Ok(())
        })?;
        Ok(raised
            .first(py)
            .map(|raised| raised.into_value(py).into_bound(py).into_any()))
    }
}
