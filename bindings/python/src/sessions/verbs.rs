//! How a verb of sessions runs: with the GIL or without it, and with its failure as an exception.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use jwtauth_core::Grant;
use jwtauth_sessions::{Result, Sessions};
use pyo3::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::login::Login;
use crate::error::{attached, detached, raise_session};
use crate::functions::Functions;

/// The sessions of the core.
#[derive(Clone)]
pub(crate) struct Verbs {
    pub(crate) core: Arc<Sessions>,
    pub(crate) is_in_memory: bool,
}

impl Verbs {
    /// Builds sessions. With `before`, they keep the store of these.
    pub(crate) fn build(
        py: Python<'_>,
        functions: &Functions,
        config: &str,
        before: Option<&Verbs>,
    ) -> PyResult<Verbs> {
        let (client, observer) = (functions.client(), functions.observer());
        let build = || {
            let mut builder = Sessions::builder(config)?.fetch(client);
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
            is_in_memory: before.map_or_else(|| is_in_memory(config), |before| before.is_in_memory),
        })
    }

    /// Runs a verb. In memory, it takes less time than a thread switch, so it keeps the GIL.
    pub(crate) fn brief<T: Send>(
        &self,
        py: Python<'_>,
        verb: impl FnOnce(&Sessions) -> Result<T> + Send,
    ) -> PyResult<T> {
        if !self.is_in_memory {
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
}

/// Whether a configuration that the core accepts keeps the sessions in memory.
fn is_in_memory(config: &str) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        sessions: Option<Settings>,
    }
    #[derive(Deserialize)]
    struct Settings {
        store: Option<BTreeMap<String, IgnoredAny>>,
    }
    // What cannot be read here is taken for a store outside of the process, whose verbs release the GIL.
    let Ok(envelope) = serde_json::from_str::<Envelope>(config) else {
        return false;
    };
    let store = envelope.sessions.and_then(|settings| settings.store);
    store.is_none_or(|store| store.keys().all(|name| name == "memory"))
}

/// The address of a caller: an IP address, with or without a port. `None` for any other text, which is in no network.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let socket = || text.parse::<SocketAddr>().map(|socket| socket.ip());
    text.parse().or_else(|_| socket()).ok()
}
