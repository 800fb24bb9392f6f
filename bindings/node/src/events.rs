//! Events, until JavaScript takes them.
//!
//! Each decision and each fetch begins with a call of JavaScript, and ends with a value that JavaScript receives. So
//! `index.js` takes the events at each end, in their order, and there is no function that a thread would have to call.

use std::sync::{Arc, Mutex, PoisonError};

use jwtauth_core::events::Event;
use jwtauth_core::wire;

/// The events that were not taken yet, as JSON.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    pub(crate) fn add(&self, event: &Event<'_>) {
        let text = wire::event(event);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
