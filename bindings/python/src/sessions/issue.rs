//! The half of `login_async` that is written in Rust.
//!
//! `_async.py` waits for the decision, and then calls this for the grant.

use std::collections::BTreeMap;

use pyo3::prelude::*;

use super::login::Login;
use super::verbs::Verbs;
use crate::grant::Grant;

/// Makes the session of one login. It calls no function of the application.
#[pyclass(frozen, module = "jwtauth._jwtauth")]
pub(crate) struct Issue {
    verbs: Verbs,
    meta: BTreeMap<String, String>,
}

impl Issue {
    pub(crate) fn new(verbs: &Verbs, meta: BTreeMap<String, String>) -> Issue {
        Issue {
            verbs: verbs.clone(),
            meta,
        }
    }
}

#[pymethods]
impl Issue {
    /// Makes the session.
    fn run(&self, py: Python<'_>, grant: &Bound<'_, Grant>) -> PyResult<Login> {
        self.verbs.issue(py, grant.get().core(), &self.meta)
    }
}
