//! Failures → Python exceptions.
//!
//! There is one exception per class of failure. Codes are passed through, so a new code needs no change here.

use jwtauth_core::{Class, Error, wire};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule};

/// Runs work of the core with the GIL released.
///
/// # Errors
/// The core's error as an exception; `InternalError` if it panics.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    py.detach(|| wire::guarded(work))
        .map_err(|error| raise(py, &error))
}

/// Runs a decision. The GIL is released unless the decision takes less time than a thread switch.
///
/// # Errors
/// As [`detached`].
pub(crate) fn decided<T: Send>(
    py: Python<'_>,
    brief: bool,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> PyResult<T> {
    if brief {
        attached(py, work)
    } else {
        detached(py, work)
    }
}

/// Runs work of the core with the GIL held, for work that takes less time than a thread switch.
///
/// # Errors
/// As [`detached`].
pub(crate) fn attached<T>(py: Python<'_>, work: impl FnOnce() -> Result<T, Error>) -> PyResult<T> {
    wire::guarded(work).map_err(|error| raise(py, &error))
}

/// The exception for a failure.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, error).unwrap_or_else(|unexpected| unexpected)
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let class = match error.class() {
        Class::Denied => intern!(py, "Denied"),
        Class::Config => intern!(py, "ConfigError"),
        Class::Unavailable => intern!(py, "Unavailable"),
        Class::Argument => intern!(py, "ArgumentError"),
        // An unknown class is an internal error.
        _ => intern!(py, "InternalError"),
    };
    let values = PyDict::new(py);
    values.set_item(intern!(py, "claim"), error.claim())?;
    values.set_item(intern!(py, "stage"), error.stage().as_str())?;
    values.set_item(intern!(py, "detail"), error.detail())?;
    if error.class() == Class::Denied {
        values.set_item(intern!(py, "applicable"), error.applicable())?;
    }
    values.set_item(intern!(py, "http_status"), error.http_status())?;
    let code = error.code();
    let value = errors(py)?
        .getattr(class)?
        .call((code.as_str(), code.message()), Some(&values))?;
    Ok(PyErr::from_value(value))
}

fn errors(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = ERRORS.get_or_try_init(py, || py.import("jwtauth._errors").map(Bound::unbind))?;
    Ok(module.bind(py))
}
