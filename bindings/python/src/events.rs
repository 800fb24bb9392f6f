//! The application's `on_event` function.
//!
//! The core calls it on the thread that decides or fetches, which takes the GIL for the call if it does not hold it.

use jwtauth_core::events::Event;
use jwtauth_core::wire;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::intern;
use pyo3::prelude::*;

use crate::callable::Callable;
use crate::json;

/// The application's `on_event` function.
pub(crate) struct Listener(pub(crate) Callable);

impl Listener {
    /// Takes the function if it is callable and not `async`.
    ///
    /// # Errors
    /// `TypeError`.
    pub(crate) fn new(function: &Bound<'_, PyAny>) -> PyResult<Listener> {
        Callable::new(function, "on_event", "it must not return a coroutine").map(Listener)
    }

    /// Calls the function. What it raises changes no decision: it goes to `sys.unraisablehook`.
    pub(crate) fn report(&self, event: &Event<'_>) {
        let text = wire::event(event);
        // While the interpreter shuts down, the application no longer listens.
        Python::try_attach(|py| {
            let Some(function) = self.0.get(py) else {
                return;
            };
            let called = json::load(py, &text).and_then(|event| function.call1((event,)));
            if let Err(raised) = called {
                raise_later(py, raised, &function);
            }
        });
    }
}

/// Reports an exception. Ctrl-C during the call is not one of the function: it is raised again after the decision.
fn raise_later(py: Python<'_>, raised: PyErr, function: &Bound<'_, PyAny>) {
    if raised.is_instance_of::<PyKeyboardInterrupt>(py) {
        let thread = py.import(intern!(py, "_thread"));
        let interrupted = thread.and_then(|thread| thread.call_method0(intern!(py, "interrupt_main")));
        if interrupted.is_ok() {
            return;
        }
    }
    raised.write_unraisable(py, Some(function));
}
