//! The exported functions that build, reload and free sessions. The verbs are in the modules below.

#![expect(unsafe_code, reason = "exported functions")]

pub mod request;
pub mod token;

use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

use jwtauth_core::fetch::Fetch;
use jwtauth_core::wire;
use jwtauth_sessions::{Sessions, SessionsBuilder};

use crate::fetch::{Callbacks, HostCallbacks};
use crate::guard;
use crate::object::{self, Failed};
use crate::status::Status;
use crate::verifier::Handle;

/// Makes sessions from logins that are granted, and checks them. Created by jwtauth_sessions_new and
/// jwtauth_sessions_reload, freed by jwtauth_sessions_free.
#[derive(Debug)]
pub struct SessionsHandle {
    pub(crate) sessions: Arc<Sessions>,
    /// The application's callbacks, as in a verifier.
    host: Option<Arc<HostCallbacks>>,
}

/// Builds sessions from a configuration.
///
/// Reads the files that the configuration names and opens no connection. A store in another process is first used when a
/// session needs it.
///
/// @param config_json The configuration of a verifier, which may have a member `sessions`.
/// @param sessions Receives the sessions, or NULL on any failure. Free them with jwtauth_sessions_free.
/// @param reply_json Receives the reply: `outcome` "built" and `warnings`, or the failure. May be NULL. Free it with
/// jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// `config_json` is NULL or a NUL-terminated string; the others are NULL or may be written.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_new(
    config_json: *const c_char,
    sessions: *mut *mut SessionsHandle,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { jwtauth_sessions_new_with(config_json, ptr::null(), sessions, reply_json) }
}

/// Builds sessions whose verifier uses functions of the application: to fetch keys with its HTTP client, or to get events.
///
/// @param config_json As for jwtauth_sessions_new.
/// @param callbacks As for jwtauth_verifier_new_with. `user` is released when the last of these objects is freed: the
/// sessions, sessions that were reloaded from them, and their verifiers.
/// @param sessions As for jwtauth_sessions_new.
/// @param reply_json As for jwtauth_sessions_new.
/// @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// As for `jwtauth_sessions_new`, and for `callbacks` as for `jwtauth_verifier_new_with`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_new_with(
    config_json: *const c_char,
    callbacks: *const Callbacks,
    sessions: *mut *mut SessionsHandle,
    reply_json: *mut *mut c_char,
) -> Status {
    let make = || {
        // This comes first, so that `user` is released on every failure.
        // SAFETY: the caller's promise.
        let host = unsafe { HostCallbacks::take(callbacks) }?;
        object::output("sessions", sessions)?;
        // SAFETY: the caller's promise.
        let config = unsafe { guard::text("config_json", config_json) }?;
        built(Sessions::builder(config)?, host)
    };
    // SAFETY: the caller's promise.
    unsafe { object::build(sessions, reply_json, make) }
}

/// Builds sessions from a file with a configuration as JSON.
///
/// Relative paths in it start in the folder of the file, unless it sets `base_dir`. An error names the file.
///
/// @param path The path of the file. A relative path starts in the current folder.
/// @param sessions As for jwtauth_sessions_new.
/// @param reply_json As for jwtauth_sessions_new.
/// @return JWTAUTH_STATUS_OK; _CONFIG, also if the file cannot be read; _ARGUMENT or _INTERNAL.
///
/// # Safety
/// As for `jwtauth_sessions_new`, with `path` instead of `config_json`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_new_from_file(
    path: *const c_char,
    sessions: *mut *mut SessionsHandle,
    reply_json: *mut *mut c_char,
) -> Status {
    let make = || {
        object::output("sessions", sessions)?;
        // SAFETY: the caller's promise.
        let path = unsafe { guard::text("path", path) }?;
        built(Sessions::builder_from_file(path)?, None)
    };
    // SAFETY: the caller's promise.
    unsafe { object::build(sessions, reply_json, make) }
}

/// Builds sessions from a changed configuration that keep the store of the old ones, and so every session.
///
/// The old sessions stay usable, until they are freed with jwtauth_sessions_free. The new ones have the same callbacks.
///
/// @param sessions The old sessions.
/// @param config_json The configuration. Its `dialect` and `sessions.store` must not change. Relative paths in it start where
/// those of the old configuration start.
/// @param reloaded Receives the new sessions, or NULL on any failure. Free them with jwtauth_sessions_free.
/// @param reply_json Receives the reply: `outcome` "reloaded", or the failure. May be NULL. Free it with
/// jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// `sessions` is NULL or sessions that are not freed during the call; `config_json` is NULL or a NUL-terminated string; the
/// others are NULL or may be written.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_reload(
    sessions: *const SessionsHandle,
    config_json: *const c_char,
    reloaded: *mut *mut SessionsHandle,
    reply_json: *mut *mut c_char,
) -> Status {
    let make = || {
        // SAFETY: the caller's promise.
        let old = unsafe { guard::borrowed("sessions", sessions) }?;
        object::output("reloaded", reloaded)?;
        // SAFETY: the caller's promise.
        let config = unsafe { guard::text("config_json", config_json) }?;
        let builder = with_host(old.sessions.changed(config)?, old.host.as_ref());
        let handle = SessionsHandle {
            sessions: Arc::new(old.sessions.reload_with(builder)?),
            host: old.host.clone(),
        };
        Ok((Box::new(handle), RELOADED.to_owned()))
    };
    // SAFETY: the caller's promise.
    unsafe { object::build(reloaded, reply_json, make) }
}

/// The verifier that decides the logins, for jwtauth_verifier_policy, jwtauth_verifier_refresh_keys and others.
///
/// It is not built again: it has the same keys and counters. It stays usable after the sessions are freed.
///
/// @param sessions The sessions.
/// @param verifier Receives the verifier, or NULL on any failure. Free it with jwtauth_verifier_free.
/// @param reply_json Receives the reply of jwtauth_verifier_new, or the failure. May be NULL. Free it with
/// jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// `sessions` is NULL or sessions that are not freed during the call; the others are NULL or may be written.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_sessions_verifier(
    sessions: *const SessionsHandle,
    verifier: *mut *mut Handle,
    reply_json: *mut *mut c_char,
) -> Status {
    let make = || {
        // SAFETY: the caller's promise.
        let of = unsafe { guard::borrowed("sessions", sessions) }?;
        object::output("verifier", verifier)?;
        let handle = Handle::of_sessions(Arc::clone(&of.sessions), of.host.clone());
        let reply = wire::built(handle.verifier());
        Ok((Box::new(handle), reply))
    };
    // SAFETY: the caller's promise.
    unsafe { object::build(verifier, reply_json, make) }
}

/// Frees sessions. Other threads must not use them now or later.
///
/// With the store `memory`, the sessions end when the last of these objects is freed: the sessions, sessions that were
/// reloaded from them, and their verifiers.
///
/// @param sessions Sessions from this library; free them once. NULL has no effect.
///
/// # Safety
/// `sessions` is NULL, or came from this library, has not been freed, and is in no other call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_sessions_free(sessions: *mut SessionsHandle) {
    // SAFETY: the caller's promise.
    unsafe { object::free(sessions) };
}

/// Builds the sessions, and keeps the callbacks.
// Inlined, it would add its locals to the stack below the parsing of expressions.
#[inline(never)]
fn built(
    builder: SessionsBuilder,
    host: Option<Arc<HostCallbacks>>,
) -> Result<(Box<SessionsHandle>, String), Failed> {
    let sessions = Arc::new(with_host(builder, host.as_ref()).build()?);
    let reply = wire::built(sessions.verifier());
    Ok((Box::new(SessionsHandle { sessions, host }), reply))
}

/// Sets the functions of the application that there are.
fn with_host(builder: SessionsBuilder, host: Option<&Arc<HostCallbacks>>) -> SessionsBuilder {
    let fetch = host.filter(|host| host.fetches());
    let builder = builder.fetch(fetch.map(|host| Arc::clone(host) as Arc<dyn Fetch>));
    match host.filter(|host| host.observes()).map(Arc::clone) {
        Some(observer) => builder.on_event(move |event| observer.report(event)),
        None => builder,
    }
}

/// The reply to a reload.
const RELOADED: &str = r#"{"outcome":"reloaded"}"#;
