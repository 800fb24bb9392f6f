//! The verifier of the core behind the class `Verifier`.

use std::ops::Deref;
use std::sync::Arc;

/// A verifier, or the one of some sessions.
#[derive(Clone)]
pub(crate) enum Core {
    Own(Arc<jwtauth_core::Verifier>),
    Of(Arc<jwtauth_sessions::Sessions>),
}

impl Deref for Core {
    type Target = jwtauth_core::Verifier;

    fn deref(&self) -> &jwtauth_core::Verifier {
        match self {
            Core::Own(verifier) => verifier,
            Core::Of(sessions) => sessions.verifier(),
        }
    }
}
