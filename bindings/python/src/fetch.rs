//! Fetching keys with the application's `fetch` function.
//!
//! The core calls it on the thread that makes the fetch. That thread does not hold the GIL, and takes it for the call.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::wire;
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyMapping, PyModule};

use crate::callable::Callable;

/// The application's `fetch` function, which replaces the library's own client.
pub(crate) struct Hosted(pub(crate) Callable);

/// Why a call of the function gave no response.
enum Failed {
    /// It raised this exception.
    Raised(PyErr),
    /// It returned an invalid value.
    Wrong(String),
}

thread_local! {
    /// The exception that the function raised on this thread during the innermost [`Raised::around`].
    static RAISED: Cell<Option<PyErr>> = const { Cell::new(None) };
}

/// The exceptions that the function raised during one call of a verifier, on any thread.
#[derive(Default)]
pub(crate) struct Raised(Mutex<Vec<PyErr>>);

impl Raised {
    /// Runs a fetch, and keeps the exceptions of the function. The function may itself authenticate, with this verifier
    /// or another one.
    pub(crate) fn around(&self, fetch: &mut dyn FnMut()) {
        let outer = RAISED.take();
        fetch();
        if let Some(raised) = RAISED.replace(outer) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(raised);
        }
    }

    /// The first exception that ends the thread or the program (`KeyboardInterrupt`, `SystemExit`), else the first one.
    pub(crate) fn first(self, py: Python<'_>) -> Option<PyErr> {
        let mut raised = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let last = raised
            .iter()
            .position(|raised| is_final(py, raised))
            .unwrap_or_default();
        (last < raised.len()).then(|| raised.swap_remove(last))
    }

    /// The first exception, which is the cause of the failures that follow.
    ///
    /// # Errors
    /// An exception that ends the thread or the program.
    pub(crate) fn finish_fetch(self, py: Python<'_>) -> PyResult<Option<PyErr>> {
        match self.first(py) {
            Some(raised) if is_final(py, &raised) => Err(raised),
            raised => Ok(raised),
        }
    }

    /// Makes the exception the cause of a failure. One that ends the thread or the program replaces the outcome.
    ///
    /// # Errors
    /// The errors of the outcome, and exceptions that end the program.
    pub(crate) fn finish<T>(self, py: Python<'_>, outcome: PyResult<T>) -> PyResult<T> {
        match (self.first(py), outcome) {
            (Some(raised), _) if is_final(py, &raised) => Err(raised),
            (Some(raised), Err(why)) => {
                why.set_cause(py, Some(raised));
                Err(why)
            }
            (_, outcome) => outcome,
        }
    }
}

impl Hosted {
    /// Takes the function if it is callable and not `async`.
    ///
    /// # Errors
    /// `TypeError`.
    pub(crate) fn new(function: &Bound<'_, PyAny>) -> PyResult<Hosted> {
        Callable::new(
            function,
            "fetch",
            "it must return a FetchResponse, not a coroutine",
        )
        .map(Hosted)
    }

    fn call(&self, py: Python<'_>, request: &FetchRequest<'_>) -> Result<Fetched, Failed> {
        // After the garbage collector cleared it, every fetch fails.
        let Some(function) = self.0.get(py) else {
            return Err(Failed::Wrong("the verifier is being destroyed".to_owned()));
        };
        let headers = PyDict::new(py);
        for (name, value) in request.headers() {
            headers.set_item(name, value)?;
        }
        let request = types(py)?.getattr(intern!(py, "FetchRequest"))?.call1((
            request.url,
            headers,
            request.timeout.as_secs_f64(),
            request.max_bytes,
        ))?;
        answer(&function.call1((request,))?)
    }
}

impl Fetch for Hosted {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let http = |reason: &str| FetchFailed::new(Phase::Http, reason);
        Python::try_attach(|py| {
            self.call(py, request).map_err(|why| match why {
                Failed::Wrong(reason) => http(&reason),
                Failed::Raised(raised) => {
                    let failure = failure_from(py, &raised).unwrap_or_else(|_| http("an exception"));
                    RAISED.set(Some(raised));
                    failure
                }
            })
        })
        .unwrap_or_else(|| Err(http("the interpreter is shutting down")))
    }
}

impl fmt::Debug for Hosted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Hosted")
    }
}

impl From<PyErr> for Failed {
    fn from(raised: PyErr) -> Failed {
        Failed::Raised(raised)
    }
}

/// Reads a `FetchResponse`.
fn answer(response: &Bound<'_, PyAny>) -> Result<Fetched, Failed> {
    let py = response.py();
    if !response.is_instance(&types(py)?.getattr(intern!(py, "FetchResponse"))?)? {
        return Err(wrong("fetch must return a FetchResponse", response));
    }
    let status = response.getattr(intern!(py, "status"))?;
    let status: u16 = status
        .extract()
        .map_err(|_| wrong("the status must be an int between 100 and 599", &status))?;
    let body = response.getattr(intern!(py, "body"))?;
    let body = body
        .cast::<PyBytes>()
        .map_err(|_| wrong("the body must be bytes", &body))?;
    let headers = headers(&response.getattr(intern!(py, "headers"))?)?;
    wire::fetch::answer(status, Some(&headers), body.as_bytes().to_vec())
        .map_err(|why| Failed::Wrong(why.detail().unwrap_or_else(|| why.code().message()).to_owned()))
}

/// The headers of a `FetchResponse` as the JSON that all languages share.
fn headers(headers: &Bound<'_, PyAny>) -> Result<String, Failed> {
    let must_be = |_| wrong("the headers must be a mapping or pairs of str", headers);
    let pairs = match headers.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.into_any(),
        Err(_) => headers.clone(),
    };
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in pairs.try_iter().map_err(must_be)? {
        let (name, value) = pair?.extract().map_err(must_be)?;
        values.entry(name).or_default().push(value);
    }
    serde_json::to_string(&values).map_err(|_| Failed::Wrong("the headers cannot be read".to_owned()))
}

/// The failure for an exception of the function. Only the class name of an exception other than `FetchError` is used,
/// because its text may contain secrets.
fn failure_from(py: Python<'_>, raised: &PyErr) -> PyResult<FetchFailed> {
    let value = raised.value(py);
    if !value.is_instance(&types(py)?.getattr(intern!(py, "FetchError"))?)? {
        return Ok(FetchFailed::new(Phase::Http, value.get_type().name()?));
    }
    let phase: String = value.getattr(intern!(py, "phase"))?.extract()?;
    let reason = value.getattr(intern!(py, "reason"))?.str()?;
    Ok(FetchFailed::new(
        Phase::parse(&phase).unwrap_or(Phase::Http),
        reason.to_string_lossy(),
    ))
}

/// Whether the exception must propagate because it ends the thread or the program.
fn is_final(py: Python<'_>, raised: &PyErr) -> bool {
    !raised.is_instance_of::<PyException>(py)
}

fn wrong(must_be: &str, value: &Bound<'_, PyAny>) -> Failed {
    match value.get_type().name() {
        Ok(kind) => Failed::Wrong(format!("{must_be}, not {kind}")),
        Err(_) => Failed::Wrong(must_be.to_owned()),
    }
}

fn types(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static TYPES: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = TYPES.get_or_try_init(py, || py.import("jwtauth._fetch").map(Bound::unbind))?;
    Ok(module.bind(py))
}
