//! The class `Grant`: a grant of the core whose Python objects are created on first access.

use std::ops::Deref;
use std::sync::Arc;

use jwtauth_core::{EntitlementKind, Granted, Kept, wire};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple, PyType};

use crate::error::attached;
use crate::json;
use crate::parts::{Identity, Pickled, Session, entitlements, pickled};

/// A grant: who the caller is and what the caller may have.
///
/// A grant is immutable. Its parts are created on first access. Two grants are equal if their replies are equal.
/// Grants can be pickled and copied. An unpickled grant is only as trustworthy as the place where it was stored.
///
/// Example:
///     >>> grant = verifier.authenticate(token)
///     >>> grant.identity.name
///     'alice'
///     >>> grant.has("role", "editor")
///     True
#[pyclass(frozen, module = "jwtauth")]
pub(crate) struct Grant {
    granted: Held,
    identity: PyOnceLock<Py<Identity>>,
    entitlements: PyOnceLock<Py<PyTuple>>,
    revocations: PyOnceLock<Py<PyTuple>>,
    session: PyOnceLock<Py<Session>>,
    claims: PyOnceLock<Py<PyAny>>,
    json: PyOnceLock<Py<PyString>>,
}

/// A grant of the core. One of the token cache is shared with it.
// In a box, because the result of a decision is moved several times on its way to Python, and because Python allocates
// objects of more than half a kilobyte more slowly.
pub(crate) enum Held {
    New(Box<jwtauth_core::Grant>),
    Kept(Arc<Kept>),
}

impl Held {
    pub(crate) fn of(granted: Granted<'_>) -> Held {
        match granted {
            Granted::New(grant) => Held::New(Box::new(grant)),
            Granted::Kept(kept) => Held::Kept(Arc::clone(kept)),
        }
    }
}

impl Deref for Held {
    type Target = jwtauth_core::Grant;

    fn deref(&self) -> &jwtauth_core::Grant {
        match self {
            Held::New(grant) => grant,
            Held::Kept(kept) => kept.grant(),
        }
    }
}

impl Grant {
    /// The grant of the core.
    pub(crate) fn core(&self) -> &jwtauth_core::Grant {
        &self.granted
    }
}

impl From<Held> for Grant {
    fn from(granted: Held) -> Grant {
        Grant {
            granted,
            identity: PyOnceLock::new(),
            entitlements: PyOnceLock::new(),
            revocations: PyOnceLock::new(),
            session: PyOnceLock::new(),
            claims: PyOnceLock::new(),
            json: PyOnceLock::new(),
        }
    }
}

#[pymethods]
impl Grant {
    /// The profile that granted the request; ``None`` for the configuration's top level.
    #[getter]
    fn profile(&self) -> Option<&str> {
        self.granted.profile.as_deref()
    }

    /// Who the caller is.
    #[getter]
    fn identity(&self, py: Python<'_>) -> PyResult<&Py<Identity>> {
        self.identity
            .get_or_try_init(py, || Py::new(py, Identity(self.granted.identity.clone())))
    }

    /// What the caller may have.
    #[getter]
    fn entitlements(&self, py: Python<'_>) -> PyResult<&Py<PyTuple>> {
        self.entitlements
            .get_or_try_init(py, || entitlements(py, &self.granted.entitlements))
    }

    /// What the caller must lose if they hold it (Grafana).
    #[getter]
    fn revocations(&self, py: Python<'_>) -> PyResult<&Py<PyTuple>> {
        self.revocations
            .get_or_try_init(py, || entitlements(py, &self.granted.revocations))
    }

    /// The terms of a session, if the configuration sets any.
    #[getter]
    fn session(&self, py: Python<'_>) -> PyResult<&Py<Session>> {
        self.session
            .get_or_try_init(py, || Py::new(py, Session(self.granted.session.clone())))
    }

    /// The request's URL without the token, if the configuration reads tokens from URLs and this URL has one.
    #[getter]
    fn cleaned_url(&self) -> Option<&str> {
        self.granted.cleaned_url.as_deref()
    }

    /// The token's verified claims.
    ///
    /// The dictionary is created on first access and is shared afterwards. Copy it before changing it.
    #[getter]
    fn claims(&self, py: Python<'_>) -> PyResult<&Py<PyAny>> {
        self.claims.get_or_try_init(py, || {
            json::load(py, self.granted.claims.as_str()).map(Bound::unbind)
        })
    }

    /// Whether the grant has an entitlement.
    ///
    /// Without ``scope`` it finds only entitlements that are valid everywhere. One with variables (a templated policy)
    /// is never found.
    ///
    /// Args:
    ///     kind: The kind, such as ``"role"``.
    ///     name: The name.
    ///     scope: The organisation's id, or the datacenter.
    ///
    /// Example:
    ///     >>> grant.has("role", "editor")
    ///     True
    #[pyo3(signature = (kind, name, scope=None))]
    fn has(&self, kind: &str, name: &str, scope: Option<&str>) -> bool {
        let kind = EntitlementKind::ALL.iter().find(|known| known.as_str() == kind);
        kind.is_some_and(|kind| self.granted.has_in(*kind, name, scope))
    }

    /// The token's verified claims, with a type of your own for type checkers.
    ///
    /// It returns :attr:`claims` unchanged: the issuer promises the type, and the library does not check it. Write
    /// ``claims`` rules into the configuration for what must be checked.
    ///
    /// Example:
    ///     >>> grant.claims_as(dict)["sub"]
    ///     'u-17'
    #[pyo3(signature = (r#type, /))]
    fn claims_as<'py>(&self, py: Python<'py>, r#type: &Bound<'py, PyAny>) -> PyResult<&Py<PyAny>> {
        let _ = r#type;
        self.claims(py)
    }

    /// The reply as JSON text: the same bytes in every language.
    #[getter]
    fn json(&self, py: Python<'_>) -> PyResult<&Py<PyString>> {
        self.json.get_or_try_init(py, || {
            let text = attached(py, || Ok(wire::granted(&self.granted)))?;
            Ok(PyString::new(py, &text).unbind())
        })
    }

    /// The reply as a new dictionary, with the members of the wire format; absent members are left out.
    ///
    /// Example:
    ///     >>> grant.to_dict()["identity"]["groups"]
    ///     ['eng']
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::load(py, self.json(py)?.bind(py).to_str()?)
    }

    fn __eq__(&self, other: &Bound<'_, Grant>) -> bool {
        *self.granted == *other.get().granted
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.json(py)?.bind(py).hash()
    }

    // A `repr` often ends up in a log, so it shows nothing from the token.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let profile = self.profile().into_bound_py_any(py)?;
        Ok(format!(
            "<jwtauth.Grant profile={} entitlements={} revocations={}>",
            profile.repr()?,
            self.granted.entitlements.len(),
            self.granted.revocations.len()
        ))
    }

    fn __reduce__<'py>(this: &Bound<'py, Grant>) -> PyResult<Pickled<'py>> {
        let py = this.py();
        pickled(this, this.get().json(py)?.bind(py).clone())
    }

    #[classmethod]
    fn _restore(class: &Bound<'_, PyType>, json: &str) -> PyResult<Grant> {
        attached(class.py(), || wire::restore(json)).map(|grant| Held::New(Box::new(grant)).into())
    }
}
