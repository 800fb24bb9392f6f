//! The verbs about a token that a client sent. The token is passed unchanged, and not in JSON.

#![expect(unsafe_code, reason = "exported functions")]

use std::ffi::{c_char, c_ulonglong};

use jwtauth_core::Result;
use jwtauth_sessions::{Secret, Sessions, wire};

use super::SessionsHandle;
use crate::guard;
use crate::options::{self, Options};
use crate::reply::ReplySlot;
use crate::status::Status;

/// Decides a login with one token of an issuer, and makes a session for what is granted. The caller passes the token
/// unchanged.
///
/// @param sessions The sessions.
/// @param token The token only, without "Bearer ". Any text is safe here.
/// @param options The options; NULL for none.
/// @param meta_json Texts that are kept with the session, as a JSON object (Consul's `Meta`); NULL for none. They are trusted.
/// @param reply_json As for jwtauth_sessions_login. Required.
/// @return As for jwtauth_sessions_login. _ARGUMENT if the `size` of the options is not that of a known version.
///
/// # Safety
/// As for `jwtauth_sessions_login`. `token` and `meta_json` are NULL or NUL-terminated strings. `options` is NULL or has as
/// many bytes as its `size` specifies, and its texts are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_login_token(
    sessions: *const SessionsHandle,
    token: *const c_char,
    options: *const Options,
    meta_json: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.verb(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("sessions", sessions) }?;
        // SAFETY: the caller's promise.
        let token = unsafe { guard::text("token", token) }?;
        // SAFETY: the caller's promise.
        let request = unsafe { options::request(options) }?.token(token);
        // SAFETY: the caller's promise.
        let meta = unsafe { optional("meta_json", meta_json) }?;
        reply.required()?;
        Ok(wire::login_token(&handle.sessions, &request, meta))
    })
}

/// Returns the session of a token, as jwtauth_sessions_lookup does. The caller passes the token unchanged.
///
/// @param sessions The sessions.
/// @param token The token of the session. Any text is safe here.
/// @param reply_json As for jwtauth_sessions_lookup.
/// @return As for jwtauth_sessions_lookup.
///
/// # Safety
/// As for `jwtauth_sessions_login`, with `token` instead of `request_json`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_lookup_token(
    sessions: *const SessionsHandle,
    token: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { answer(sessions, token, reply_json, wire::lookup_token) }
}

/// Makes a session last longer, as jwtauth_sessions_renew does. The caller passes the token unchanged.
///
/// @param sessions The sessions.
/// @param token The token of the session. Any text is safe here.
/// @param increment The wish for the new lease in seconds; 0 leaves it to the configuration.
/// @param reply_json As for jwtauth_sessions_renew.
/// @return As for jwtauth_sessions_renew.
///
/// # Safety
/// As for `jwtauth_sessions_lookup_token`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_renew_token(
    sessions: *const SessionsHandle,
    token: *const c_char,
    increment: c_ulonglong,
    reply_json: *mut *mut c_char,
) -> Status {
    let verb = |sessions: &Sessions, token: &str| wire::renew_token(sessions, token, increment);
    // SAFETY: the caller's promise.
    unsafe { answer(sessions, token, reply_json, verb) }
}

/// Ends the session of a token, as jwtauth_sessions_revoke does. The caller passes the token unchanged.
///
/// @param sessions The sessions.
/// @param token The token of the session. Any text is safe here.
/// @param reply_json As for jwtauth_sessions_revoke.
/// @return As for jwtauth_sessions_revoke.
///
/// # Safety
/// As for `jwtauth_sessions_lookup_token`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_revoke_token(
    sessions: *const SessionsHandle,
    token: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { answer(sessions, token, reply_json, wire::revoke_token) }
}

/// Checks the token of a later request, as jwtauth_sessions_authorize does. The caller passes the token unchanged.
///
/// @param sessions The sessions.
/// @param token The token of the session. Any text is safe here.
/// @param remote_addr The caller's address, as in jwtauth_options; NULL or "" if it is unknown.
/// @param reply_json As for jwtauth_sessions_authorize.
/// @return As for jwtauth_sessions_authorize.
///
/// # Safety
/// As for `jwtauth_sessions_lookup_token`; `remote_addr` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_authorize_token(
    sessions: *const SessionsHandle,
    token: *const c_char,
    remote_addr: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.verb(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("sessions", sessions) }?;
        // SAFETY: the caller's promise.
        let token = unsafe { guard::text("token", token) }?;
        // SAFETY: the caller's promise.
        let address = unsafe { optional("remote_addr", remote_addr) }?;
        Ok(wire::authorize_token(&handle.sessions, token, address))
    })
}

/// Runs a verb about a token.
///
/// # Safety
/// Those of `jwtauth_sessions_lookup_token`.
unsafe fn answer(
    sessions: *const SessionsHandle,
    token: *const c_char,
    reply_json: *mut *mut c_char,
    verb: impl FnOnce(&Sessions, &str) -> Secret,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.verb(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("sessions", sessions) }?;
        // SAFETY: the caller's promise.
        let token = unsafe { guard::text("token", token) }?;
        Ok(verb(&handle.sessions, token))
    })
}

/// A text that may be NULL.
///
/// # Errors
/// [`ArgumentNotUtf8`](jwtauth_core::Code::ArgumentNotUtf8).
///
/// # Safety
/// As for [`guard::text`].
unsafe fn optional<'a>(name: &str, pointer: *const c_char) -> Result<Option<&'a str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { guard::text(name, pointer) }.map(Some)
}
