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
    let code = error.code();
    let texts = Texts {
        code: code.as_str(),
        message: code.message(),
        stage: error.stage().as_str(),
        detail: error.detail(),
    };
    exception(py, error.class(), &texts, Some(error)).unwrap_or_else(|unexpected| unexpected)
}

/// The exception for a failure of sessions.
pub(crate) fn raise_session(py: Python<'_>, error: &jwtauth_sessions::Error) -> PyErr {
    if let jwtauth_sessions::Error::Decision(error) = error {
        return raise(py, error);
    }
    let texts = Texts {
        code: error.code(),
        message: error.message(),
        stage: error.stage(),
        detail: error.detail(),
    };
    exception(py, error.class(), &texts, None).unwrap_or_else(|unexpected| unexpected)
}

/// The texts of a failure.
struct Texts<'a> {
    code: &'static str,
    message: &'static str,
    stage: &'static str,
    detail: Option<&'a str>,
}

fn exception(py: Python<'_>, class: Class, texts: &Texts<'_>, decision: Option<&Error>) -> PyResult<PyErr> {
    let name = match class {
        Class::Denied => intern!(py, "Denied"),
        Class::Config => intern!(py, "ConfigError"),
        Class::Unavailable => intern!(py, "Unavailable"),
        Class::Argument => intern!(py, "ArgumentError"),
        // An unknown class is an internal error.
        _ => intern!(py, "InternalError"),
    };
    let values = PyDict::new(py);
    values.set_item(intern!(py, "stage"), texts.stage)?;
    values.set_item(intern!(py, "detail"), texts.detail)?;
    if let Some(error) = decision {
        values.set_item(intern!(py, "claim"), error.claim())?;
        if class == Class::Denied {
            values.set_item(intern!(py, "applicable"), error.applicable())?;
        }
        values.set_item(intern!(py, "http_status"), error.http_status())?;
    }
    let value = errors(py)?
        .getattr(name)?
        .call((texts.code, texts.message), Some(&values))?;
    Ok(PyErr::from_value(value))
}

fn errors(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = ERRORS.get_or_try_init(py, || py.import("jwtauth._errors").map(Bound::unbind))?;
    Ok(module.bind(py))
}
