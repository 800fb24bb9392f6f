//! The half of `authenticate_async` and `explain_async` that is written in Rust: steps of a decision, and the fetches that they lack.
//!
//! `_async.py` takes the steps on the event loop, and makes the fetches on threads of their own.

use std::hash::{Hash, Hasher};

use jwtauth_core::{Explain, wire};
use pyo3::call::PyCallArgs;
use pyo3::exceptions::PyException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::arguments::Arguments;
use crate::error::{decided, detached};
use crate::explanation::Explanation;
use crate::fetch::Raised;
use crate::grant::{Grant, Held};
use crate::verifier_core::Core;

// Each class here keeps the `Verifier`, because only that reports the application's functions to the garbage collector. The core
// alone would call functions that the collector has cleared.

/// One call of `authenticate_async` or `explain_async`, with its arguments.
#[pyclass(frozen, module = "jwtauth._jwtauth")]
pub(crate) struct Call {
    verifier: Py<PyAny>,
    core: Core,
    arguments: Arguments,
    cached_only: bool,
}

impl Call {
    /// A call of this `Verifier`, which has this core.
    pub(crate) fn new(
        verifier: &Bound<'_, PyAny>,
        core: Core,
        arguments: Arguments,
        cached_only: bool,
    ) -> Call {
        Call {
            verifier: verifier.clone().unbind(),
            core,
            arguments,
            cached_only,
        }
    }

    fn errand(&self, py: Python<'_>, errand: jwtauth_core::Errand) -> Errand {
        Errand {
            verifier: self.verifier.clone_ref(py),
            errand,
        }
    }
}

/// Calls a function of `_async.py`, which returns a coroutine. The arguments are read now. The `await` raises what is wrong
/// with them.
pub(crate) fn coroutine<'py, A: PyCallArgs<'py>>(
    py: Python<'py>,
    function: &Bound<'py, PyString>,
    arguments: impl FnOnce() -> PyResult<A>,
) -> PyResult<Bound<'py, PyAny>> {
    let module = py.import(intern!(py, "jwtauth._async"))?;
    match arguments() {
        Ok(arguments) => module.call_method1(function, arguments),
        Err(wrong) if wrong.is_instance_of::<PyException>(py) => {
            module.call_method1(intern!(py, "refuse"), (wrong,))
        }
        // Ctrl-C, while a mapping of the application was read.
        Err(interrupt) => Err(interrupt),
    }
}

#[pymethods]
impl Call {
    /// Takes one step: returns the grant, or the errand that the decision lacks.
    #[pyo3(signature = (after, /))]
    fn step<'py>(&self, py: Python<'py>, after: Option<PyRef<'py, Errand>>) -> PyResult<Bound<'py, PyAny>> {
        let request = self.arguments.request(py)?.cached_only(self.cached_only);
        let after = after.as_ref().map(|after| &after.errand);
        let core = &self.core;
        let step = || match core.answer_step(&request, after, Held::of) {
            Ok(outcome) => outcome.map(Ok),
            Err(errand) => Ok(Err(errand)),
        };
        let step = decided(py, core.is_cheap(&request), step)?;
        match step {
            Ok(granted) => Ok(Bound::new(py, Grant::from(granted))?.into_any()),
            Err(errand) => Ok(Bound::new(py, self.errand(py, errand))?.into_any()),
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
        let request = self.arguments.well_formed(py)?;
        let request = request.map(|request| request.cached_only(self.cached_only));
        let after = after.as_ref().map(|after| &after.errand);
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
            Err(errand) => Ok(Bound::new(py, self.errand(py, errand))?.into_any()),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.verifier)?;
        self.arguments.traverse(&visit)
    }
}

/// The fetches that a decision lacks.
#[pyclass(frozen, module = "jwtauth._jwtauth")]
pub(crate) struct Errand {
    verifier: Py<PyAny>,
    errand: jwtauth_core::Errand,
}

#[pymethods]
impl Errand {
    /// One for each key source.
    fn fetches(&self, py: Python<'_>) -> Vec<KeyFetch> {
        let fetches = self.errand.fetches().iter().cloned();
        fetches
            .map(|fetch| KeyFetch {
                verifier: self.verifier.clone_ref(py),
                fetch,
            })
            .collect()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.verifier)
    }
}

/// The fetch of the keys of one source. Equal ones can be shared.
#[pyclass(frozen, eq, hash, module = "jwtauth._jwtauth")]
pub(crate) struct KeyFetch {
    verifier: Py<PyAny>,
    fetch: jwtauth_core::KeyFetch,
}

// Only one verifier has the source of a fetch.
impl PartialEq for KeyFetch {
    fn eq(&self, other: &KeyFetch) -> bool {
        self.fetch == other.fetch
    }
}

impl Eq for KeyFetch {}

impl Hash for KeyFetch {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fetch.hash(state);
    }
}

#[pymethods]
impl KeyFetch {
    /// Whether the decision must wait for it, also where another call makes it.
    #[getter]
    fn is_needed(&self) -> bool {
        self.fetch.is_needed()
    }

    /// Makes the fetch on the calling thread, or waits for the thread that is making it. Returns what the application's
    /// function raised, if it did.
    fn run<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let raised = Raised::default();
        detached(py, || {
            raised.around(&mut || self.fetch.run());
            Ok(())
        })?;
        Ok(raised
            .first(py)
            .map(|raised| raised.into_value(py).into_bound(py).into_any()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.verifier)
    }
}
