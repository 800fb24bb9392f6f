//! `authenticate_many`: rounds of decisions without the GIL, and the fetches between them.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use jwtauth_core::{Batch, Errand, Request, Round, Verifier, wire};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::error::{detached, raise};
use crate::grant::{Grant, Held};

/// Decides the requests. Returns a grant or an exception for each of them. `fetch` makes the fetches of an errand, and
/// returns what the application's function raised, which becomes the cause of the failures that follow.
///
/// # Errors
/// What the handler of a signal raised, and those of `fetch`.
pub(crate) fn decide<'py>(
    py: Python<'py>,
    verifier: &Verifier,
    requests: &[jwtauth_core::Result<Request<'_>>],
    threads: Option<NonZeroUsize>,
    fetch: impl Fn(&Errand) -> PyResult<Option<PyErr>>,
) -> PyResult<Bound<'py, PyList>> {
    let outcomes = PyList::empty(py);
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    // Handlers of signals run between two parts.
    for part in requests.chunks(PART.saturating_mul(cores)) {
        py.check_signals()?;
        let mut batch = Batch::new(part);
        let mut cause: Option<PyErr> = None;
        let decided = loop {
            let step = |request: &&jwtauth_core::Result<Request<'_>>, after: Option<&_>| {
                let outcome = wire::step(verifier, request.as_ref(), after, Held::of)?;
                Ok((outcome, after.is_some()))
            };
            match detached(py, || Ok(batch.round(threads, step)))? {
                Round::Decided(decided) => break decided,
                Round::Fetch(rest, errand) => {
                    let raised = fetch(&errand)?;
                    cause = cause.or(raised);
                    batch = rest;
                }
            }
        };
        for (outcome, has_waited) in decided {
            match outcome {
                Ok(granted) => outcomes.append(Grant::from(granted))?,
                Err(error) => {
                    let why = raise(py, &error);
                    if has_waited {
                        why.set_cause(py, cause.as_ref().map(|cause| cause.clone_ref(py)));
                    }
                    outcomes.append(why.into_value(py))?;
                }
            }
        }
    }
    Ok(outcomes)
}

/// The number of threads that a program asks for.
///
/// # Errors
/// `ValueError` for less than one.
pub(crate) fn threads(given: Option<i64>) -> PyResult<Option<NonZeroUsize>> {
    let number = |given| usize::try_from(given).ok().and_then(NonZeroUsize::new);
    let wrong = || PyValueError::new_err("threads must be at least 1");
    given.map(|given| number(given).ok_or_else(wrong)).transpose()
}

/// The number of requests for each core between two looks for signals: a fraction of a second of work.
const PART: usize = 512;
