//! The class `SessionInfo`: what a session is when it is looked up.

use jwtauth_core::EntitlementKind;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::json;
use crate::parts::{Identity, entitlements};

/// A session that had not ended when it was looked up: who the caller is, and what the caller may have.
///
/// It contains neither the token nor the accessor. It is a copy: look the session up again for its current state. Two of them
/// are equal if all their attributes are.
///
/// Example:
///     >>> session = sessions.authorize(token)
///     >>> session.subject, session.has("role", "editor")
///     ('alice', True)
#[pyclass(frozen, module = "jwtauth")]
pub(crate) struct SessionInfo {
    info: jwtauth_sessions::SessionInfo,
    identity: PyOnceLock<Py<Identity>>,
    entitlements: PyOnceLock<Py<PyTuple>>,
    revocations: PyOnceLock<Py<PyTuple>>,
    members: PyOnceLock<Py<PyDict>>,
}

impl From<jwtauth_sessions::SessionInfo> for SessionInfo {
    fn from(info: jwtauth_sessions::SessionInfo) -> SessionInfo {
        SessionInfo {
            info,
            identity: PyOnceLock::new(),
            entitlements: PyOnceLock::new(),
            revocations: PyOnceLock::new(),
            members: PyOnceLock::new(),
        }
    }
}

impl SessionInfo {
    fn json(&self) -> PyResult<String> {
        serde_json::to_string(&self.info)
            .map_err(|_| PyValueError::new_err("the session cannot be written as JSON"))
    }

    /// A member of the session in the wire format, for attributes that are read rarely.
    fn member<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let load = || PyResult::Ok(json::load(py, &self.json()?)?.cast_into::<PyDict>()?.unbind());
        self.members.get_or_try_init(py, load)?.bind(py).get_item(name)
    }
}

#[pymethods]
impl SessionInfo {
    /// ``service``, or ``batch`` for a token that has no entry in the store.
    #[getter]
    #[pyo3(name = "type")]
    fn kind(&self) -> &'static str {
        if self.info.is_batch() { "batch" } else { "service" }
    }

    /// The profile of the login; ``None`` for the configuration's top level.
    #[getter]
    fn profile(&self) -> Option<&str> {
        self.info.profile()
    }

    /// Who the session belongs to: ``identity.name``, or the token's ``sub`` if the configuration maps no name.
    #[getter]
    fn subject(&self) -> &str {
        self.info.subject()
    }

    /// The display name (Vault: with the mount's prefix).
    #[getter]
    fn display_name(&self) -> Option<&str> {
        self.info.display_name()
    }

    /// An id that is the same for all sessions of a subject, in all stores.
    #[getter]
    fn entity_id(&self) -> &str {
        self.info.entity_id()
    }

    /// Who the caller is.
    #[getter]
    fn identity(&self, py: Python<'_>) -> PyResult<&Py<Identity>> {
        self.identity
            .get_or_try_init(py, || Py::new(py, Identity(self.info.identity().clone())))
    }

    /// What the caller may have.
    #[getter]
    fn entitlements(&self, py: Python<'_>) -> PyResult<&Py<PyTuple>> {
        self.entitlements
            .get_or_try_init(py, || entitlements(py, self.info.entitlements()))
    }

    /// What the caller must lose if they hold it.
    #[getter]
    fn revocations(&self, py: Python<'_>) -> PyResult<&Py<PyTuple>> {
        self.revocations
            .get_or_try_init(py, || entitlements(py, self.info.revocations()))
    }

    /// When the session was issued, in seconds since 1970.
    #[getter]
    fn issued_at(&self) -> i64 {
        self.info.issued_at().seconds()
    }

    /// When it ends, unless it is renewed, in seconds since 1970; ``None``: it does not end on its own.
    #[getter]
    fn expires_at(&self) -> Option<i64> {
        self.info.expires_at().map(jwtauth_core::NumericDate::seconds)
    }

    /// The seconds until then when it was looked up, rounded up.
    #[getter]
    fn ttl(&self) -> Option<u64> {
        self.info.ttl()
    }

    /// The lease that the login set, in seconds.
    #[getter]
    fn creation_ttl<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.member(py, "creation_ttl")
    }

    /// Hard limit of the lifetime in seconds.
    #[getter]
    fn explicit_max_ttl<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.member(py, "explicit_max_ttl")
    }

    /// Seconds that each renewal adds to a periodic session.
    #[getter]
    fn period<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.member(py, "period")
    }

    /// How often the session can be used; ``None``: without limit.
    #[getter]
    fn num_uses<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.member(py, "num_uses")
    }

    /// How many uses are left; ``None``: uses are not counted.
    #[getter]
    fn uses_left(&self) -> Option<u64> {
        self.info.uses_left()
    }

    /// Whether :meth:`Sessions.renew` can succeed.
    #[getter]
    fn renewable(&self) -> bool {
        self.info.is_renewable()
    }

    /// The networks from which the session can be used; empty: any.
    #[getter]
    fn bound_cidrs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        match self.member(py, "bound_cidrs")? {
            Some(networks) => PyTuple::new(py, networks.extract::<Vec<Bound<'py, PyAny>>>()?),
            None => Ok(PyTuple::empty(py)),
        }
    }

    /// The description of the token (Consul).
    #[getter]
    fn description<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.member(py, "description")
    }

    /// The auth method's name (Consul).
    #[getter]
    fn auth_method<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.member(py, "auth_method")
    }

    /// Whether the session is valid in one datacenter only (Consul).
    #[getter]
    fn local<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.member(py, "local")
    }

    /// Whether the session has an entitlement.
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
    ///     >>> session.has("role", "editor")
    ///     True
    #[pyo3(signature = (kind, name, scope=None))]
    fn has(&self, kind: &str, name: &str, scope: Option<&str>) -> bool {
        let Some(kind) = EntitlementKind::ALL.iter().find(|known| known.as_str() == kind) else {
            return false;
        };
        self.info.entitlements().iter().any(|one| {
            one.kind == *kind && one.name == name && one.scope.as_deref() == scope && one.variables.is_empty()
        })
    }

    /// The session as a new dictionary, with the members of the wire format; absent members are left out.
    ///
    /// Example:
    ///     >>> session.to_dict()["identity"]["groups"]
    ///     ['eng']
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::load(py, &self.json()?)
    }

    fn __eq__(&self, other: &Bound<'_, SessionInfo>) -> PyResult<bool> {
        Ok(self.json()? == other.get().json()?)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.json()?.into_bound_py_any(py)?.hash()
    }

    // A `repr` often ends up in a log, so it shows nothing from the token of the login.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "<jwtauth.SessionInfo profile={} ttl={} uses_left={}>",
            self.profile().into_bound_py_any(py)?.repr()?,
            self.ttl().into_bound_py_any(py)?,
            self.uses_left().into_bound_py_any(py)?
        ))
    }
}
