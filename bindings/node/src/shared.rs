//! The verifier that calls on several threads share.

use std::ops::Deref;
use std::sync::Arc;

use jwtauth_core::Verifier;
use jwtauth_sessions::Sessions;

/// A verifier, or the one that decides the logins of sessions.
#[derive(Debug, Clone)]
pub(crate) enum Shared {
    Own(Arc<Verifier>),
    OfSessions(Arc<Sessions>),
}

impl Deref for Shared {
    type Target = Verifier;

    fn deref(&self) -> &Verifier {
        match self {
            Shared::Own(verifier) => verifier,
            Shared::OfSessions(sessions) => sessions.verifier(),
        }
    }
}
