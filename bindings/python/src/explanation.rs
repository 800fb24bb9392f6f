//! The class `Explanation`: a decision, and the checks that led to it.

use jwtauth_core::wire;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};

use crate::error::{attached, raise};
use crate::grant::{Grant, Held};
use crate::json;

/// A decision, and every check that led to it.
///
/// It is for people and logs. It is true if the request is granted.
///
/// Example:
///     >>> for step in verifier.explain(token).steps:
///     ...     print(step["outcome"], step["text"])
#[pyclass(frozen, module = "jwtauth")]
pub(crate) struct Explanation {
    decision: Py<PyAny>,
    is_granted: bool,
    json: Py<PyString>,
    members: PyOnceLock<Py<PyAny>>,
}

impl Explanation {
    /// Takes an explanation of the core. `cause` is what the application's `fetch` function raised.
    pub(crate) fn new(
        py: Python<'_>,
        explained: jwtauth_core::Explanation,
        cause: Option<PyErr>,
    ) -> PyResult<Explanation> {
        let json = attached(py, || Ok(wire::explained(&explained)))?;
        let is_granted = explained.decision.is_ok();
        let decision = match explained.decision {
            Ok(granted) => Bound::new(py, Grant::from(Held::New(Box::new(granted))))?.into_any(),
            Err(error) => {
                let why = raise(py, &error);
                why.set_cause(py, cause);
                why.into_value(py).into_bound(py).into_any()
            }
        };
        Ok(Explanation {
            decision: decision.unbind(),
            is_granted,
            json: PyString::new(py, &json).unbind(),
            members: PyOnceLock::new(),
        })
    }

    fn members<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyDict>> {
        let load = || json::load(py, self.json.bind(py).to_str()?).map(Bound::unbind);
        Ok(self.members.get_or_try_init(py, load)?.bind(py).cast()?)
    }
}

#[pymethods]
impl Explanation {
    /// The decision: the grant, or the exception that :meth:`Verifier.authenticate` raises. Only
    /// ``isinstance(decision, Grant)`` is a grant.
    #[getter]
    fn decision(&self) -> &Py<PyAny> {
        &self.decision
    }

    /// The checks, in order. After a failure, those that were not reached.
    ///
    /// The list is created on first access and is shared afterwards. Copy it before changing it.
    #[getter]
    fn steps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let steps = self.members(py)?.get_item(intern!(py, "steps"))?;
        Ok(steps.unwrap_or_else(|| PyList::empty(py).into_any()))
    }

    /// What to change, where the failure has a usual cause. The list is shared, as that of the steps.
    #[getter]
    fn hints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let hints = self.members(py)?.get_item(intern!(py, "hints"))?;
        Ok(hints.unwrap_or_else(|| PyList::empty(py).into_any()))
    }

    /// The explanation as JSON text: the same bytes in every language.
    #[getter]
    fn json(&self) -> &Py<PyString> {
        &self.json
    }

    /// The explanation as a new dictionary, with the members of the wire format.
    ///
    /// Example:
    ///     >>> verifier.explain("a.b.c").to_dict()["decision"]["code"]
    ///     'token_malformed'
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::load(py, self.json.bind(py).to_str()?)
    }

    fn __bool__(&self) -> bool {
        self.is_granted
    }

    // As the `repr` of a grant, it shows nothing from the token.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let granted = if self.is_granted { "True" } else { "False" };
        let steps = self.steps(py)?.len()?;
        Ok(format!("<jwtauth.Explanation granted={granted} steps={steps}>"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.decision)
    }
}
