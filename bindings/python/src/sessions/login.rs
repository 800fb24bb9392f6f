//! The class `Login`: a new or renewed session, with its token.

use jwtauth_sessions::Secret;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::info::SessionInfo;
use crate::json;

/// A session that began or was renewed, with its token.
///
/// It cannot be changed or pickled, and ``repr`` shows nothing from it.
///
/// Example:
///     >>> login = sessions.login(token)
///     >>> login.session.ttl
///     3600
#[pyclass(frozen, module = "jwtauth")]
pub(crate) struct Login {
    token: Secret,
    accessor: Option<Secret>,
    session: Py<SessionInfo>,
    answer: Secret,
    response: PyOnceLock<Py<PyAny>>,
}

impl Login {
    pub(crate) fn new(py: Python<'_>, login: jwtauth_sessions::Login) -> PyResult<Login> {
        Ok(Login {
            session: Py::new(py, SessionInfo::from(login.session))?,
            token: login.token,
            accessor: login.accessor,
            answer: login.response,
            response: PyOnceLock::new(),
        })
    }
}

#[pymethods]
impl Login {
    /// The token that later requests carry. It is not stored anywhere else.
    #[getter]
    fn token(&self) -> &str {
        self.token.expose()
    }

    /// The accessor: it looks up and revokes the session, and cannot be used instead of the token. ``None``: a batch token.
    #[getter]
    fn accessor(&self) -> Option<&str> {
        self.accessor.as_ref().map(Secret::expose)
    }

    /// The session.
    #[getter]
    fn session(&self) -> &Py<SessionInfo> {
        &self.session
    }

    /// What the configured system answers to such a login: the envelope with ``auth`` (Vault), the ACL token (Consul), or
    /// the library's own form. It contains the token.
    ///
    /// The dictionary is created on first access and is shared afterwards. Copy it before changing it.
    #[getter]
    fn response(&self, py: Python<'_>) -> PyResult<&Py<PyAny>> {
        self.response
            .get_or_try_init(py, || json::load(py, self.answer.expose()).map(Bound::unbind))
    }

    // A `repr` often ends up in a log, so it shows neither the token nor anything from the login.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "<jwtauth.Login session={}>",
            self.session.bind(py).repr()?
        ))
    }
}
