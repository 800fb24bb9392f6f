//! The half of `login_async` that is written in Rust.
//!
//! `_async.py` waits for the decision, and then calls this for the grant.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::login::Login;
use super::verbs::Verbs;
use crate::arguments::{Given, texts};
use crate::grant::Grant;

/// Makes the session of one login.
#[pyclass(frozen, module = "jwtauth._jwtauth")]
pub(crate) struct Issue {
    verbs: Verbs,
    meta: Option<Py<PyAny>>,
}

impl Issue {
    pub(crate) fn new(verbs: &Verbs, meta: Given<'_, '_>) -> Issue {
        Issue {
            verbs: verbs.clone(),
            meta: meta.map(|meta| meta.clone().unbind()),
        }
    }
}

#[pymethods]
impl Issue {
    /// Reads the arguments. Their mistakes are raised before the decision.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        texts(self.meta.as_ref().map(|meta| meta.bind(py)), "meta").map(drop)
    }

    /// Makes the session.
    fn run(&self, py: Python<'_>, grant: &Bound<'_, Grant>) -> PyResult<Login> {
        let meta = texts(self.meta.as_ref().map(|meta| meta.bind(py)), "meta")?;
        self.verbs.issue(py, grant.get().core(), &meta)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.meta)
    }
}
