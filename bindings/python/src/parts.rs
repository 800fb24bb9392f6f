//! The parts of a grant: `Identity`, `Entitlement`, `Session`.
//!
//! Lists are tuples and mappings are new dictionaries, so that nothing read from a part can change it.

use std::collections::BTreeMap;

use jwtauth_core::EntitlementKind;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Who the caller is.
///
/// An attribute is ``None`` or empty if the token has no such value or the configuration does not map it.
#[pyclass(frozen, module = "jwtauth")]
#[derive(PartialEq, Eq)]
pub(crate) struct Identity(pub(crate) jwtauth_core::Identity);

#[pymethods]
impl Identity {
    /// The caller's user name; ``None`` if the configuration maps no name (Consul).
    #[getter]
    fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The token's ``sub``.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// The e-mail address.
    #[getter]
    fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// The display name.
    #[getter]
    fn display_name(&self) -> Option<&str> {
        self.0.display_name.as_deref()
    }

    /// The organisation that the request selects (Grafana).
    #[getter]
    fn requested_org(&self) -> Option<u64> {
        self.0.requested_org
    }

    /// The groups, in the token's order.
    #[getter]
    fn groups<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0.groups)
    }

    /// Mapped single values, as a new dictionary.
    #[getter]
    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// Mapped lists, as a new dictionary of tuples.
    #[getter]
    fn lists<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let lists = PyDict::new(py);
        for (name, values) in &self.0.lists {
            lists.set_item(name, PyTuple::new(py, values)?)?;
        }
        Ok(lists)
    }

    fn __eq__(&self, other: &Bound<'_, Identity>) -> bool {
        self == other.get()
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        json(py, &self.0)?.hash()
    }

    // A `repr` often ends up in a log, so it shows no personal data.
    fn __repr__(&self) -> String {
        format!(
            "<jwtauth.Identity groups={} metadata={} lists={}>",
            self.0.groups.len(),
            self.0.metadata.len(),
            self.0.lists.len()
        )
    }

    fn __reduce__<'py>(this: &Bound<'py, Identity>) -> PyResult<Pickled<'py>> {
        pickled(this, json(this.py(), &this.get().0)?)
    }

    #[classmethod]
    fn _restore(_class: &Bound<'_, PyType>, json: &str) -> PyResult<Identity> {
        restored(json).map(Identity)
    }
}

/// One thing a caller may have.
///
/// Entitlements are equal if all their parts are equal. To look for one, create it and use ``in``.
///
/// Args:
///     kind: The kind: one of :data:`EntitlementKind`.
///     name: The name.
///     scope: Where it applies: an organisation's id (Grafana), a datacenter (Consul).
///     variables: The variables of a templated policy (Consul).
///
/// Raises:
///     ValueError: The kind is unknown.
///
/// Example:
///     >>> Entitlement("policy", "web-read") in grant.entitlements
///     True
#[pyclass(frozen, module = "jwtauth")]
#[derive(PartialEq, Eq)]
pub(crate) struct Entitlement(pub(crate) jwtauth_core::Entitlement);

#[pymethods]
impl Entitlement {
    #[new]
    #[pyo3(signature = (kind, name, *, scope=None, variables=None))]
    fn new(
        kind: &str,
        name: String,
        scope: Option<String>,
        variables: Option<BTreeMap<String, String>>,
    ) -> PyResult<Entitlement> {
        let known = EntitlementKind::ALL.iter().find(|known| known.as_str() == kind);
        let kind = known.ok_or_else(|| PyValueError::new_err(format!("unknown kind {kind:?}")))?;
        let mut entitlement = jwtauth_core::Entitlement::new(*kind, name);
        entitlement.scope = scope;
        entitlement.variables = variables.unwrap_or_default();
        Ok(Entitlement(entitlement))
    }

    /// The kind of entitlement.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.as_str()
    }

    /// The name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Where it applies: an organisation's id (Grafana), a datacenter (Consul); ``None``: everywhere.
    #[getter]
    fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// The variables of a templated policy (Consul), as a new dictionary.
    #[getter]
    fn variables(&self) -> &BTreeMap<String, String> {
        &self.0.variables
    }

    fn __eq__(&self, other: &Bound<'_, Entitlement>) -> bool {
        self == other.get()
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        json(py, &self.0)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut text = format!(
            "Entitlement('{}', {}",
            self.kind(),
            PyString::new(py, self.name()).repr()?
        );
        if let Some(scope) = self.scope() {
            text.push_str(&format!(", scope={}", PyString::new(py, scope).repr()?));
        }
        if !self.0.variables.is_empty() {
            text.push_str(&format!(
                ", variables={}",
                self.variables().into_bound_py_any(py)?.repr()?
            ));
        }
        text.push(')');
        Ok(text)
    }

    fn __reduce__<'py>(this: &Bound<'py, Entitlement>) -> PyResult<Pickled<'py>> {
        pickled(this, json(this.py(), &this.get().0)?)
    }

    #[classmethod]
    fn _restore(_class: &Bound<'_, PyType>, json: &str) -> PyResult<Entitlement> {
        restored(json).map(Entitlement)
    }
}

/// The terms of a session; an attribute is ``None`` if the configuration does not set it.
#[pyclass(frozen, module = "jwtauth")]
#[derive(PartialEq, Eq)]
pub(crate) struct Session(pub(crate) jwtauth_core::Session);

#[pymethods]
impl Session {
    /// Seconds until the session expires; ``None``: it does not expire.
    #[getter]
    fn ttl(&self) -> Option<u64> {
        self.0.ttl
    }

    /// Maximum lifetime with renewals, in seconds.
    #[getter]
    fn max_ttl(&self) -> Option<u64> {
        self.0.max_ttl
    }

    /// Hard limit of the lifetime in seconds; it takes precedence over all other limits.
    #[getter]
    fn explicit_max_ttl(&self) -> Option<u64> {
        self.0.explicit_max_ttl
    }

    /// Seconds that each renewal adds to a periodic session.
    #[getter]
    fn period(&self) -> Option<u64> {
        self.0.period
    }

    /// How often the session can be used; ``None``: without limit.
    #[getter]
    fn num_uses(&self) -> Option<u64> {
        self.0.num_uses
    }

    /// ``service`` or ``batch`` (Vault).
    #[getter]
    fn token_type(&self) -> Option<&str> {
        self.0.token_type.as_deref()
    }

    /// Whether the session can be renewed.
    #[getter]
    fn renewable(&self) -> Option<bool> {
        self.0.renewable
    }

    /// The networks from which the session can be used; empty: any.
    #[getter]
    fn bound_cidrs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0.bound_cidrs)
    }

    /// The session's display name (Vault: with the mount's prefix).
    #[getter]
    fn display_name(&self) -> Option<&str> {
        self.0.display_name.as_deref()
    }

    /// Whether the session is valid in one datacenter only (Consul).
    #[getter]
    fn local(&self) -> Option<bool> {
        self.0.local
    }

    /// The auth method's name (Consul).
    #[getter]
    fn auth_method(&self) -> Option<&str> {
        self.0.auth_method.as_deref()
    }

    /// Whether an unknown user may be created (Grafana).
    #[getter]
    fn allow_sign_up(&self) -> Option<bool> {
        self.0.allow_sign_up
    }

    /// Whether to set the user's organisation roles (Grafana).
    #[getter]
    fn sync_org_roles(&self) -> Option<bool> {
        self.0.sync_org_roles
    }

    /// Whether to set the user's teams (Grafana).
    #[getter]
    fn sync_teams(&self) -> Option<bool> {
        self.0.sync_teams
    }

    fn __eq__(&self, other: &Bound<'_, Session>) -> bool {
        self == other.get()
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        json(py, &self.0)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "<jwtauth.Session ttl={} max_ttl={} renewable={}>",
            self.ttl().into_bound_py_any(py)?,
            self.max_ttl().into_bound_py_any(py)?,
            self.renewable().into_bound_py_any(py)?
        ))
    }

    fn __reduce__<'py>(this: &Bound<'py, Session>) -> PyResult<Pickled<'py>> {
        pickled(this, json(this.py(), &this.get().0)?)
    }

    #[classmethod]
    fn _restore(_class: &Bound<'_, PyType>, json: &str) -> PyResult<Session> {
        restored(json).map(Session)
    }
}

/// Entitlements as a tuple.
pub(crate) fn entitlements(
    py: Python<'_>,
    entitlements: &[jwtauth_core::Entitlement],
) -> PyResult<Py<PyTuple>> {
    let parts = entitlements.iter().cloned().map(Entitlement);
    let parts: Vec<Py<Entitlement>> = parts.map(|part| Py::new(py, part)).collect::<PyResult<_>>()?;
    Ok(PyTuple::new(py, parts)?.unbind())
}

/// The result of `__reduce__`: the function to call, and its arguments.
pub(crate) type Pickled<'py> = (Bound<'py, PyAny>, (Bound<'py, PyString>,));

/// Pickles an object as its JSON, which `_restore` of its class reads.
pub(crate) fn pickled<'py, T>(this: &Bound<'py, T>, json: Bound<'py, PyString>) -> PyResult<Pickled<'py>> {
    let restore = this.as_any().get_type().getattr(intern!(this.py(), "_restore"))?;
    Ok((restore, (json,)))
}

fn json<'py>(py: Python<'py>, part: &impl Serialize) -> PyResult<Bound<'py, PyString>> {
    let text =
        serde_json::to_string(part).map_err(|_| PyValueError::new_err("this cannot be written as JSON"))?;
    Ok(PyString::new(py, &text))
}

fn restored<T: DeserializeOwned>(json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|_| PyValueError::new_err("invalid pickled data"))
}
