//! How a verb of sessions runs: with the GIL or without it, and with its failure as an exception.

use std::collections::BTreeMap;
use std::sync::Arc;

use jwtauth_core::Grant;
use jwtauth_sessions::{Result, Secret, Sessions, SessionsBuilder, wire};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::login::Login;
use crate::error::{attached, detached, raise_session};
use crate::functions::Functions;

/// The sessions of the core.
#[derive(Clone)]
pub(crate) struct Verbs {
    pub(crate) core: Arc<Sessions>,
}

impl Verbs {
    /// Builds sessions. With `before`, they keep the store of these.
    pub(crate) fn build(
        py: Python<'_>,
        functions: &Functions,
        read: impl FnOnce() -> Result<SessionsBuilder> + Send,
        before: Option<&Verbs>,
    ) -> PyResult<Verbs> {
        let (client, observer) = (functions.client(), functions.observer());
        let build = || {
            let mut builder = read()?.fetch(client);
            if let Some(observer) = observer {
                builder = builder.on_event(observer);
            }
            match before {
                Some(before) => before.core.reload_with(builder),
                None => builder.build(),
            }
        };
        let core = detached(py, || Ok(build()))?;
        Ok(Verbs {
            core: Arc::new(core.map_err(|error| raise_session(py, &error))?),
        })
    }

    /// Runs a verb. In memory, it takes less time than a thread switch, so it keeps the GIL.
    pub(crate) fn brief<T: Send>(
        &self,
        py: Python<'_>,
        verb: impl FnOnce(&Sessions) -> Result<T> + Send,
    ) -> PyResult<T> {
        if !self.core.is_in_memory() {
            return self.long(py, verb);
        }
        attached(py, || Ok(verb(&self.core)))?.map_err(|error| raise_session(py, &error))
    }

    /// Runs a verb without the GIL.
    pub(crate) fn long<T: Send>(
        &self,
        py: Python<'_>,
        verb: impl FnOnce(&Sessions) -> Result<T> + Send,
    ) -> PyResult<T> {
        let outcome = detached(py, || Ok(verb(&self.core)))?;
        outcome.map_err(|error| raise_session(py, &error))
    }

    /// Makes a session for a grant of the verifier of these sessions.
    pub(crate) fn issue(
        &self,
        py: Python<'_>,
        grant: &Grant,
        meta: &BTreeMap<String, String>,
    ) -> PyResult<Login> {
        // A full memory is swept.
        let login = self.long(py, |sessions| sessions.login_granted(grant, meta))?;
        Login::new(py, login)
    }

    /// Makes `_async.py` do a verb: at once if it is brief and the sessions are in memory, or else on a thread.
    pub(crate) fn later<'py>(
        &self,
        sessions: &Bound<'py, PyAny>,
        verb: &str,
        is_brief: bool,
        arguments: impl IntoPyObject<'py>,
        named: Option<Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, at_once) = (sessions.py(), is_brief && self.core.is_in_memory());
        py.import(intern!(py, "jwtauth._async"))?
            .call_method1(intern!(py, "verb"), (sessions, at_once, verb, arguments, named))
    }
}

/// The verb with this name, in the JSON form.
pub(crate) fn in_json(name: &str) -> Option<fn(&Sessions, &str) -> Secret> {
    Some(match name {
        "login" => wire::login,
        "lookup" => wire::lookup,
        "lookup_accessor" => wire::lookup_accessor,
        "renew" => wire::renew,
        "revoke" => wire::revoke,
        "revoke_accessor" => wire::revoke_accessor,
        "revoke_all" => wire::revoke_all,
        "authorize" => wire::authorize,
        "sweep" => |sessions, _| wire::sweep(sessions),
        _ => return None,
    })
}
