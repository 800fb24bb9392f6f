//! Waiting on the main thread, where Python runs the handlers of signals such as Ctrl-C.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use jwtauth_core::{Errand, wire};
use pyo3::intern;
use pyo3::prelude::*;

use crate::error::detached;
use crate::verifier::Verifier;

/// Whether the calling thread runs the handlers of signals: only the main thread does.
pub(crate) fn may_arrive(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import(intern!(py, "threading"))?;
    let current = threading.call_method0(intern!(py, "current_thread"))?;
    Ok(current.is(&threading.call_method0(intern!(py, "main_thread"))?))
}

/// Makes the fetches of an errand on another thread, and waits for their end, or for a signal whose handler raises.
/// The fetches then continue, and keep the verifier, whose function they call.
///
/// # Errors
/// What the handler raised.
pub(crate) fn run(verifier: &Bound<'_, Verifier>, errand: &Errand) -> PyResult<()> {
    let py = verifier.py();
    let (alive, mut ended) = sync_channel::<()>(0);
    let theirs = errand.clone();
    // Without a function, the thread needs no Python, so that it never waits for an interpreter that shuts down.
    let has_function = verifier.get().functions.all().next().is_some();
    let kept = has_function.then(|| verifier.clone().unbind());
    let thread = thread::Builder::new().name("jwtauth-fetch".to_owned());
    let thread = thread.spawn(move || {
        let _alive = alive;
        // The outcome is in the verifier; a panic is part of it.
        let _ = wire::guarded(|| {
            theirs.run();
            Ok(())
        });
        drop(theirs);
        if let Some(kept) = kept {
            // A reference is released with the GIL. If the interpreter shuts down, it remains.
            Python::try_attach(|_| drop(kept));
        }
    });
    if thread.is_err() {
        return detached(py, || {
            errand.run();
            Ok(())
        });
    }
    loop {
        // Mutable, because a receiver may not be shared with the code that runs without the GIL.
        let ended = &mut ended;
        match py.detach(move || ended.recv_timeout(SLICE)) {
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// How long a handler waits at most.
const SLICE: Duration = Duration::from_millis(50);
