//! The verbs of sessions, with requests of JSON.

#![expect(unsafe_code, reason = "exported functions")]

use std::ffi::c_char;

use jwtauth_sessions::{Secret, Sessions, wire};

use super::SessionsHandle;
use crate::guard;
use crate::reply::ReplySlot;
use crate::status::Status;

/// Decides a login that the application describes as JSON, and makes a session for what is granted.
///
/// `profile`, `remote_addr` and `meta` in the request are trusted. Never forward a client's body as the request, and never
/// paste a token into one; use jwtauth_sessions_login_token for that.
///
/// @param sessions The sessions.
/// @param request_json The request of jwtauth_verifier_authenticate, and `meta`: an object of texts.
/// @param reply_json Receives the reply: `outcome` "login", `token`, `accessor`, `session`, and `response`, the answer of the
/// configured system; or the failure. Required, because only the reply has the token. Free it with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK if there is a session; else _DENIED, _UNAVAILABLE, _CONFIG, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// `sessions` is NULL or sessions that are not freed during the call; `request_json` is NULL or a NUL-terminated string;
/// `reply_json` is NULL or may be written.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_login(
    sessions: *const SessionsHandle,
    request_json: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.verb(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("sessions", sessions) }?;
        // SAFETY: the caller's promise.
        let request = unsafe { guard::text("request_json", request_json) }?;
        reply.required()?;
        Ok(wire::login(&handle.sessions, request))
    })
}

/// Returns the session of a token. It counts no use, and checks no networks: use jwtauth_sessions_authorize to let a request
/// in.
///
/// @param sessions The sessions.
/// @param request_json The request: `token`.
/// @param reply_json Receives the reply: `outcome` "session" and `session`, or the failure. May be NULL. Free it with
/// jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// As for `jwtauth_sessions_login`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_lookup(
    sessions: *const SessionsHandle,
    request_json: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { answer(sessions, request_json, reply_json, wire::lookup) }
}

/// Returns the session with an accessor, which cannot be used in place of the token.
///
/// @param sessions The sessions.
/// @param request_json The request: `accessor`.
/// @param reply_json As for jwtauth_sessions_lookup.
/// @return As for jwtauth_sessions_lookup.
///
/// # Safety
/// As for `jwtauth_sessions_login`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_lookup_accessor(
    sessions: *const SessionsHandle,
    request_json: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { answer(sessions, request_json, reply_json, wire::lookup_accessor) }
}

/// Makes a session last longer.
///
/// @param sessions The sessions.
/// @param request_json The request: `token`, and optionally `increment`, the wish for the new lease in seconds.
/// @param reply_json Receives the reply: `outcome` "renewed" and the members of a login, or the failure. May be NULL. Free it
/// with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK if the session is renewed; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// As for `jwtauth_sessions_login`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_renew(
    sessions: *const SessionsHandle,
    request_json: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { answer(sessions, request_json, reply_json, wire::renew) }
}

/// Ends the session of a token: a logout.
///
/// @param sessions The sessions.
/// @param request_json The request: `token`.
/// @param reply_json Receives the reply: `outcome` "revoked" and `count`, or the failure. May be NULL. Free it with
/// jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK if the session has ended; _DENIED if there is none; else _UNAVAILABLE, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// As for `jwtauth_sessions_login`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_revoke(
    sessions: *const SessionsHandle,
    request_json: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { answer(sessions, request_json, reply_json, wire::revoke) }
}

/// Ends the session with an accessor.
///
/// @param sessions The sessions.
/// @param request_json The request: `accessor`.
/// @param reply_json As for jwtauth_sessions_revoke.
/// @return As for jwtauth_sessions_revoke.
///
/// # Safety
/// As for `jwtauth_sessions_login`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_revoke_accessor(
    sessions: *const SessionsHandle,
    request_json: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { answer(sessions, request_json, reply_json, wire::revoke_accessor) }
}

/// Ends all sessions of a profile or of a subject that exist now.
///
/// @param sessions The sessions.
/// @param request_json The request: `profile` or `subject`.
/// @param reply_json Receives the reply: `outcome` "revoked" and `count`, their number, or the failure. May be NULL. Free it
/// with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK, also if there are none; else _UNAVAILABLE, _ARGUMENT or _INTERNAL. After _UNAVAILABLE, some
/// may have ended; another call ends the others.
///
/// # Safety
/// As for `jwtauth_sessions_login`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_revoke_all(
    sessions: *const SessionsHandle,
    request_json: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { answer(sessions, request_json, reply_json, wire::revoke_all) }
}

/// Checks the token of a later request, and counts a use off if the session's uses are counted.
///
/// `remote_addr` in the request is trusted. Never paste a token into a request; use jwtauth_sessions_authorize_token for that.
///
/// @param sessions The sessions.
/// @param request_json The request: `token`, and `remote_addr` where sessions are bound to networks.
/// @param reply_json Receives the reply: `outcome` "authorized" and `session`, or the failure. May be NULL. Free it with
/// jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK if the request may pass; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// As for `jwtauth_sessions_login`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_authorize(
    sessions: *const SessionsHandle,
    request_json: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { answer(sessions, request_json, reply_json, wire::authorize) }
}

/// Removes from the store what has ended. Call it now and then; Redis does it on its own.
///
/// @param sessions The sessions.
/// @param reply_json Receives the reply: `outcome` "swept" and `count`, the number of removed entries, or the failure. May be
/// NULL. Free it with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// `sessions` is NULL or sessions that are not freed during the call; `reply_json` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_sessions_sweep(
    sessions: *const SessionsHandle,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.verb(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("sessions", sessions) }?;
        Ok(wire::sweep(&handle.sessions))
    })
}

/// Runs a verb.
///
/// # Safety
/// Those of `jwtauth_sessions_login`.
unsafe fn answer(
    sessions: *const SessionsHandle,
    request_json: *const c_char,
    reply_json: *mut *mut c_char,
    verb: fn(&Sessions, &str) -> Secret,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.verb(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("sessions", sessions) }?;
        // SAFETY: the caller's promise.
        let request = unsafe { guard::text("request_json", request_json) }?;
        Ok(verb(&handle.sessions, request))
    })
}
