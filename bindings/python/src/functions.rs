//! The functions of the application that a verifier calls.

use std::sync::Arc;

use jwtauth_core::events::Event;
use jwtauth_core::fetch::Fetch;
use pyo3::prelude::*;

use crate::arguments::Given;
use crate::callable::Callable;
use crate::events::Listener;
use crate::fetch::Hosted;

/// The arguments `fetch` and `on_event`.
pub(crate) struct Functions {
    fetch: Option<Arc<Hosted>>,
    listener: Option<Arc<Listener>>,
}

impl Functions {
    /// Takes the functions if they are callable and not `async`.
    ///
    /// # Errors
    /// `TypeError`.
    pub(crate) fn new(fetch: Given<'_, '_>, on_event: Given<'_, '_>) -> PyResult<Functions> {
        Ok(Functions {
            fetch: fetch.map(Hosted::new).transpose()?.map(Arc::new),
            listener: on_event.map(Listener::new).transpose()?.map(Arc::new),
        })
    }

    /// The functions, for another verifier. Each verifier owns its references, because the garbage collector counts and
    /// clears them.
    pub(crate) fn again(&self, py: Python<'_>) -> Functions {
        let fetch = self.fetch.as_ref();
        let listener = self.listener.as_ref();
        Functions {
            fetch: fetch.map(|fetch| Arc::new(Hosted(fetch.0.again(py)))),
            listener: listener.map(|listener| Arc::new(Listener(listener.0.again(py)))),
        }
    }

    /// Whether the application fetches.
    pub(crate) fn has_fetch(&self) -> bool {
        self.fetch.is_some()
    }

    /// The function that fetches, for the core.
    pub(crate) fn client(&self) -> Option<Arc<dyn Fetch>> {
        self.fetch.clone().map(|fetch| fetch as Arc<dyn Fetch>)
    }

    /// The function that gets events, for the core.
    pub(crate) fn observer(&self) -> Option<impl Fn(&Event<'_>) + Send + Sync + use<>> {
        let listener = self.listener.clone()?;
        Some(move |event: &Event<'_>| listener.report(event))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Callable> {
        let fetch = self.fetch.as_ref().map(|fetch| &fetch.0);
        fetch
            .into_iter()
            .chain(self.listener.as_ref().map(|listener| &listener.0))
    }
}
