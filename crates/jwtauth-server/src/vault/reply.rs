//! Replies in Vault's form.

use axum::http::{StatusCode, header};
use jwtauth_core::Class;
use jwtauth_sessions::{Code, Error};
use serde_json::{Value, json};

use crate::call::Reply;
use crate::random::uuid;
use crate::state::{Conflict, Unavailable};
use crate::words::words;

/// A refusal.
pub(super) fn refuse(status: StatusCode, text: impl Into<String>) -> Reply {
    Reply::json(status, &json!({ "errors": [text.into()] }))
}

/// There is nothing here.
pub(super) fn absent() -> Reply {
    Reply::json(StatusCode::NOT_FOUND, &json!({ "errors": [] }))
}

pub(super) fn bad(text: impl Into<String>) -> Reply {
    refuse(StatusCode::BAD_REQUEST, text)
}

pub(super) fn denied() -> Reply {
    refuse(StatusCode::FORBIDDEN, "permission denied")
}

pub(super) fn unsupported() -> Reply {
    let reply = refuse(
        StatusCode::METHOD_NOT_ALLOWED,
        "1 error occurred:\n\t* unsupported operation\n\n",
    );
    reply.with(header::ALLOW, "GET, POST, PUT, DELETE, LIST")
}

/// An answer without content.
pub(super) fn done() -> Reply {
    Reply::empty(StatusCode::NO_CONTENT)
}

/// An answer with data.
pub(super) fn data(data: &Value) -> Reply {
    Reply::json(StatusCode::OK, &envelope(data, &Value::Null))
}

/// An answer that only has warnings.
pub(super) fn warned(warnings: &[String]) -> Reply {
    if warnings.is_empty() {
        return done();
    }
    Reply::json(StatusCode::OK, &envelope(&Value::Null, &json!(warnings)))
}

pub(super) fn envelope(data: &Value, warnings: &Value) -> Value {
    json!({
        "request_id": uuid().unwrap_or_default(),
        "lease_id": "",
        "renewable": false,
        "lease_duration": 0,
        "data": data,
        "wrap_info": null,
        "warnings": warnings,
        "auth": null,
    })
}

/// The store cannot be used. Its own words are for the log.
pub(super) fn unavailable(why: &Unavailable) -> Reply {
    crate::notes::note_once(&format_args!("the store of the configuration: {why}"));
    refuse(StatusCode::SERVICE_UNAVAILABLE, "the storage is unavailable").because("store_unavailable")
}

pub(super) fn conflict(why: Conflict<Reply>) -> Reply {
    match why {
        Conflict::Refused(reply) => reply,
        Conflict::Unavailable(why) => unavailable(&why),
        Conflict::TooMany => refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "other changes came first each time",
        ),
    }
}

/// The failure of a session. `unknown` is said about a token or accessor that has no session.
pub(super) fn failed(error: &Error, unknown: Reply) -> Reply {
    let code = error.code();
    let reply = match (error.session_code(), error.class()) {
        (Some(Code::SessionUnknown), _) => unknown,
        (Some(Code::SessionAddressNotAllowed), _) => denied(),
        (Some(Code::BatchTokenLimited), _) => {
            bad("batch tokens cannot be renewed, revoked or looked up by accessor")
        }
        (Some(Code::SessionNotRenewable), _) => bad("lease is not renewable"),
        (Some(Code::SessionPastMaxTtl), _) => bad("past the max TTL, cannot renew"),
        (Some(Code::SessionProfileUnknown), _) => refuse(StatusCode::INTERNAL_SERVER_ERROR, words(error)),
        (_, Class::Unavailable) => {
            crate::notes::note_once(&format_args!("the session store: {error}"));
            refuse(StatusCode::SERVICE_UNAVAILABLE, "the storage is unavailable")
        }
        (_, Class::Denied) => bad(words(error)),
        (_, _) => {
            crate::notes::note_once(&format_args!("a session failed: {error}"));
            refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
        }
    };
    reply.because(code)
}
