//! A function of the application that a verifier keeps.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

/// A function of the application.
pub(crate) struct Callable {
    /// `None` after the garbage collector cleared it. The lock is held only with the GIL, so never while a thread
    /// forks.
    function: Mutex<Option<Py<PyAny>>>,
}

impl Callable {
    /// Takes the function if it is callable and not `async`. `must` says what it must do instead.
    ///
    /// # Errors
    /// `TypeError`.
    pub(crate) fn new(function: &Bound<'_, PyAny>, name: &str, must: &str) -> PyResult<Callable> {
        let py = function.py();
        if !function.is_callable() {
            let kind = function.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "{name} must be callable, not {kind}"
            )));
        }
        let is_async = py
            .import(intern!(py, "inspect"))?
            .getattr(intern!(py, "iscoroutinefunction"))?;
        let call = function.get_type().getattr(intern!(py, "__call__"))?;
        if is_async.call1((function,))?.is_truthy()? || is_async.call1((call,))?.is_truthy()? {
            return Err(PyTypeError::new_err(format!("{name} must not be async: {must}")));
        }
        Ok(Callable {
            function: Mutex::new(Some(function.clone().unbind())),
        })
    }

    /// The same function, with a reference of its own.
    pub(crate) fn again(&self, py: Python<'_>) -> Callable {
        let function = self.lock().as_ref().map(|function| function.clone_ref(py));
        Callable {
            function: Mutex::new(function),
        }
    }

    /// The function, unless it was cleared.
    pub(crate) fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.lock().as_ref().map(|function| function.bind(py).clone())
    }

    /// Reports the function to the garbage collector.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.lock().as_ref())
    }

    /// Releases the function.
    pub(crate) fn clear(&self) {
        let function = self.lock().take();
        drop(function);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Py<PyAny>>> {
        self.function.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
