//! The exported functions of a verifier. Each one wraps one function of the core.

#![expect(unsafe_code, reason = "exported functions")]

use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

use jwtauth_core::fetch::Fetch;
use jwtauth_core::{Request, Verifier, VerifierBuilder, wire};
use jwtauth_sessions::Sessions;

use crate::fetch::{Callbacks, HostCallbacks};
use crate::guard;
use crate::object::{self, Failed};
use crate::options::{self, Options};
use crate::reply::ReplySlot;
use crate::status::Status;

/// Decides requests by one configuration. Created by jwtauth_verifier_new, freed by jwtauth_verifier_free.
#[derive(Debug)]
pub struct Handle {
    decider: Decider,
    /// The application's callbacks. They are kept here, also without a fetch callback, so that `user` is released
    /// after the verifier is dropped.
    _host: Option<Arc<HostCallbacks>>,
}

/// Where the verifier of a handle is.
#[derive(Debug)]
enum Decider {
    Own(Box<Verifier>),
    /// In sessions, which may be freed before the handle.
    OfSessions(Arc<Sessions>),
}

impl Handle {
    /// A handle for the verifier that decides the logins of sessions.
    pub(crate) fn of_sessions(sessions: Arc<Sessions>, host: Option<Arc<HostCallbacks>>) -> Handle {
        Handle {
            decider: Decider::OfSessions(sessions),
            _host: host,
        }
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        match &self.decider {
            Decider::Own(verifier) => verifier,
            Decider::OfSessions(sessions) => sessions.verifier(),
        }
    }
}

/// Builds a verifier from a configuration.
///
/// Reads the files that the configuration names and opens no connection. `config_json` is not needed afterwards.
///
/// @param config_json The configuration: an object with `dialect`, `config` and optionally `options`.
/// @param verifier Receives the verifier, or NULL on any failure. Free it with jwtauth_verifier_free.
/// @param reply_json Receives the reply: `outcome` "built" and `warnings`, or the failure. May be NULL. Free it with
/// jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// `config_json` is NULL or a NUL-terminated string; the others are NULL or may be written.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_new(
    config_json: *const c_char,
    verifier: *mut *mut Handle,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { jwtauth_verifier_new_with(config_json, ptr::null(), verifier, reply_json) }
}

/// Builds a verifier from a file.
///
/// The file contains a configuration as JSON, or is a grafana.ini if its name ends in ".ini". Relative paths in it start
/// in the folder of the file, unless it sets `base_dir`. An error names the file.
///
/// @param path The path of the file. A relative path starts in the current folder.
/// @param verifier As for jwtauth_verifier_new.
/// @param reply_json As for jwtauth_verifier_new.
/// @return JWTAUTH_STATUS_OK; _CONFIG, also if the file cannot be read; _ARGUMENT or _INTERNAL.
///
/// # Safety
/// As for `jwtauth_verifier_new`, with `path` instead of `config_json`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_new_from_file(
    path: *const c_char,
    verifier: *mut *mut Handle,
    reply_json: *mut *mut c_char,
) -> Status {
    let make = || {
        object::output("verifier", verifier)?;
        // SAFETY: the caller's promise.
        let path = unsafe { guard::text("path", path) }?;
        finish(Verifier::builder_from_file(path)?, None)
    };
    // SAFETY: the caller's promise.
    unsafe { object::build(verifier, reply_json, make) }
}

/// Builds a verifier that uses functions of the application: to fetch keys with its HTTP client, or to get events.
///
/// @param config_json As for jwtauth_verifier_new.
/// @param callbacks The functions; with NULL this is jwtauth_verifier_new. The structure is copied. The verifier takes
/// ownership of `user`: `release(user)` is called exactly once, even if this function fails. Exception: if `size` is
/// smaller than a pointer or larger than 4096, the structure is ignored and nothing is called.
/// @param verifier As for jwtauth_verifier_new.
/// @param reply_json As for jwtauth_verifier_new.
/// @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// As for `jwtauth_verifier_new`. `callbacks` is NULL or has as many bytes as its `size` specifies. Its functions may
/// be called as declared, from any thread, with `user`, until `user` is released.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_new_with(
    config_json: *const c_char,
    callbacks: *const Callbacks,
    verifier: *mut *mut Handle,
    reply_json: *mut *mut c_char,
) -> Status {
    let make = || {
        // This comes first, so that `user` is released on every failure.
        // SAFETY: the caller's promise.
        let host = unsafe { HostCallbacks::take(callbacks) }?;
        object::output("verifier", verifier)?;
        // SAFETY: the caller's promise.
        let config = unsafe { guard::text("config_json", config_json) }?;
        finish(Verifier::builder(config)?, host)
    };
    // SAFETY: the caller's promise.
    unsafe { object::build(verifier, reply_json, make) }
}

/// Builds the verifier, and keeps the callbacks.
// Inlined, it would add its locals to the stack below the parsing of expressions.
#[inline(never)]
fn finish(
    builder: VerifierBuilder,
    host: Option<Arc<HostCallbacks>>,
) -> Result<(Box<Handle>, String), Failed> {
    let fetch = host.clone().filter(|host| host.fetches());
    let mut builder = builder.fetch(fetch.map(|host| host as Arc<dyn Fetch>));
    if let Some(observer) = host.clone().filter(|host| host.observes()) {
        builder = builder.on_event(move |event| observer.report(event));
    }
    let verifier = Box::new(builder.build()?);
    let reply = wire::built(&verifier);
    let handle = Handle {
        decider: Decider::Own(verifier),
        _host: host,
    };
    Ok((Box::new(handle), reply))
}

/// Decides a request that the application describes as JSON.
///
/// `profile` and `remote_addr` in the request are trusted. Never forward a client's body as the request, and never
/// paste a token into one; use jwtauth_verifier_authenticate_with for that.
///
/// @param verifier The verifier.
/// @param request_json The request: `token`, or `headers` and `url`; `profile`, `remote_addr`; `cached_only`.
/// @param reply_json Receives the reply: the grant, or the failure. May be NULL. Free it with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK if the request is granted; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// `verifier` is NULL or a verifier that is not freed during the call; `request_json` is NULL or a NUL-terminated
/// string; `reply_json` is NULL or may be written.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_authenticate(
    verifier: *const Handle,
    request_json: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.decide(|make| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        // SAFETY: the caller's promise.
        let request = unsafe { guard::text("request_json", request_json) }?;
        wire::request(request, |request| handle.verifier().answer(&request, make))
    })
}

/// Decides about one token. The caller passes the token unchanged.
///
/// @param verifier The verifier.
/// @param token The token only, without "Bearer ". Any text is safe here.
/// @param profile The profile to decide under, chosen by the application; NULL or "" for none.
/// @param reply_json Receives the reply: the grant, or the failure. May be NULL. Free it with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK if the request is granted; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// `verifier` is NULL or a verifier that is not freed during the call; `token` and `profile` are NULL or
/// NUL-terminated strings; `reply_json` is NULL or may be written.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_authenticate_token(
    verifier: *const Handle,
    token: *const c_char,
    profile: *const c_char,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.decide(|make| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        // SAFETY: the caller's promise.
        let mut request = Request::bearer(unsafe { guard::text("token", token) }?);
        if !profile.is_null() {
            // SAFETY: the caller's promise.
            request = request.profile(unsafe { guard::text("profile", profile) }?);
        }
        handle.verifier().answer(&request, make)
    })
}

/// Decides about one token, with options. The caller passes the token unchanged.
///
/// @param verifier The verifier.
/// @param token The token only, without "Bearer ". Any text is safe here.
/// @param options The options; NULL for none.
/// @param reply_json Receives the reply: the grant, or the failure. May be NULL. Free it with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK if the request is granted; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL. _ARGUMENT if
/// `size` is not that of a known version.
///
/// # Safety
/// As for `jwtauth_verifier_authenticate_token`. `options` is NULL or has as many bytes as its `size` specifies, and its
/// texts are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_authenticate_with(
    verifier: *const Handle,
    token: *const c_char,
    options: *const Options,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.decide(|make| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        // SAFETY: the caller's promise.
        let token = unsafe { guard::text("token", token) }?;
        // SAFETY: the caller's promise.
        let request = unsafe { options::request(options) }?.token(token);
        handle.verifier().answer(&request, make)
    })
}

/// Fetches the keys of every key source now, for example at start-up. May open connections.
///
/// @param verifier The verifier.
/// @param reply_json Receives the reply: `outcome` "refreshed", or the failure; in both cases `sources`, with one entry
/// per source. May be NULL. Free it with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK if every source delivered keys; else _UNAVAILABLE, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// `verifier` is NULL or a verifier that is not freed during the call; `reply_json` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_verifier_refresh_keys(
    verifier: *const Handle,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.answer_either(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        let outcome = handle.verifier().refresh_keys();
        let reply = wire::refreshed(handle.verifier(), &outcome);
        let status = outcome.map_or_else(|why| Status::of(why.class()), |()| Status::Ok);
        Ok((status, reply))
    })
}

/// The configuration in native form, with warnings about it and the status of its key sources.
///
/// Every dialect is translated to the native form. jwtauth_verifier_new accepts the reply, and the new verifier decides in
/// the same way. Secrets are printed as `(redacted)`, which is refused: put the secrets back first.
///
/// @param verifier The verifier.
/// @param reply_json Receives the reply: `dialect` "native", `config`, `warnings`, `key_status`, and `token_cache` if
/// there is one. May be NULL. Free it with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// `verifier` is NULL or a verifier that is not freed during the call; `reply_json` is NULL or may be written.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_policy(
    verifier: *const Handle,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.answer(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        Ok(wire::policy(handle.verifier()))
    })
}

/// What a verifier has done since it was built: `granted`, `denied` and `unavailable` by code, `token_cache_hits`, and the
/// fetches and failures of each of its `sources`. It is counted also without an `event` callback.
///
/// @param verifier The verifier.
/// @param reply_json Receives the counters. May be NULL. Free it with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// As for `jwtauth_verifier_policy`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_counters(
    verifier: *const Handle,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.answer(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        Ok(wire::counters(handle.verifier()))
    })
}

/// Frees a verifier. Other threads must not use it now or later.
///
/// @param verifier A verifier from this library; free it once. NULL has no effect.
///
/// # Safety
/// `verifier` is NULL, or came from this library, has not been freed, and is in no other call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_verifier_free(verifier: *mut Handle) {
    // SAFETY: the caller's promise.
    unsafe { object::free(verifier) };
}
