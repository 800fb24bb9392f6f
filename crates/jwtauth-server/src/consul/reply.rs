//! Replies in Consul's form: errors are plain text.

use axum::http::StatusCode;
use jwtauth_core::Class;
use jwtauth_sessions::{Code, Error};

use crate::call::Reply;
use crate::state::{Conflict, Unavailable};

pub(super) fn refuse(status: StatusCode, text: impl Into<String>) -> Reply {
    Reply::text(status, text)
}

/// Consul reports invalid objects with the status of its own failures.
pub(super) fn invalid(text: impl Into<String>) -> Reply {
    refuse(StatusCode::INTERNAL_SERVER_ERROR, text)
}

pub(super) fn unknown_token() -> Reply {
    refuse(StatusCode::FORBIDDEN, "ACL not found")
}

pub(super) fn unavailable(why: &Unavailable) -> Reply {
    crate::notes::note_once(&format_args!("the store of the configuration: {why}"));
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "No cluster leader").because("store_unavailable")
}

pub(super) fn conflict(why: Conflict<Reply>) -> Reply {
    match why {
        Conflict::Refused(reply) => reply,
        Conflict::Unavailable(why) => unavailable(&why),
        Conflict::TooMany => invalid("other changes came first each time"),
    }
}

/// The failure of a session.
pub(super) fn failed(error: &Error) -> Reply {
    let reply = match (error.session_code(), error.class()) {
        (Some(Code::SessionUnknown), _) => unknown_token(),
        (_, Class::Unavailable) => {
            crate::notes::note_once(&format_args!("the session store: {error}"));
            invalid("Failed to apply token write request: No cluster leader")
        }
        (_, Class::Denied) => refuse(StatusCode::FORBIDDEN, "Permission denied"),
        (_, _) => {
            crate::notes::note_once(&format_args!("a session failed: {error}"));
            invalid("internal error")
        }
    };
    reply.because(error.code())
}
