//! The exported functions: each a few lines over one function of the core.

#![expect(unsafe_code, reason = "exported functions")]

use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

use jwtauth_core::fetch::Fetch;
use jwtauth_core::{Request, Verifier, wire};

use crate::fetch::{Callbacks, Host};
use crate::guard;
use crate::reply::ReplySlot;
use crate::status::Status;

/// Decides requests by one configuration. Made by jwtauth_verifier_new, freed by jwtauth_verifier_free.
#[derive(Debug)]
pub struct Handle {
    verifier: Verifier,
    /// What the verifier's host gave; released after the verifier is gone, whether or not it fetches anything.
    _host: Option<Arc<Host>>,
}

/// Builds a verifier from a configuration.
///
/// Reads the files that the configuration names and opens no connection. Nothing of `config_json` is needed
/// afterwards.
///
/// @param config_json The configuration: an object with `dialect`, `config` and perhaps `options`.
/// @param verifier Gets the verifier, or NULL on any failure. Free it with jwtauth_verifier_free.
/// @param reply_json Gets the reply: `outcome` "built" and `warnings`, or what is wrong. May be NULL. Free it with
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

/// Builds a verifier that uses functions of the host, for example to fetch keys with the host's HTTP client.
///
/// @param config_json As for jwtauth_verifier_new.
/// @param callbacks The functions; NULL does the same as jwtauth_verifier_new. The structure is copied. `user` belongs
/// to the verifier from now on, and `release` is called for it once, whatever this returns; only when `size` cannot be
/// right (none, or thousands of bytes) is nothing of it believed, and nothing called.
/// @param verifier As for jwtauth_verifier_new.
/// @param reply_json As for jwtauth_verifier_new.
/// @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
///
/// # Safety
/// As for `jwtauth_verifier_new`; `callbacks` is NULL or has as many bytes as its `size` says, its functions may be
/// called as they are declared, from any thread, and `user` is for them to be used so until it is released.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_new_with(
    config_json: *const c_char,
    callbacks: *const Callbacks,
    verifier: *mut *mut Handle,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    if !verifier.is_null() {
        // SAFETY: the caller's promise.
        unsafe { verifier.write(ptr::null_mut()) };
    }
    let mut built = None;
    let status = reply.answer(|| {
        // First of all, so that what the host handed over is released whatever happens.
        let host = if callbacks.is_null() {
            None
        } else {
            // SAFETY: the caller's promise.
            Some(Arc::new(unsafe { Host::take(callbacks) }?))
        };
        if verifier.is_null() {
            return Err(guard::null("verifier"));
        }
        // SAFETY: the caller's promise.
        let config = unsafe { guard::text("config_json", config_json) }?;
        let fetch = host.clone().filter(|host| host.fetches());
        let handle = Handle {
            verifier: Verifier::builder(config)?
                .fetch(fetch.map(|host| host as Arc<dyn Fetch>))
                .build()?,
            _host: host,
        };
        let reply = wire::built(&handle.verifier);
        built = Some(Box::new(handle));
        Ok(reply)
    });
    if let (Status::Ok, Some(handle)) = (status, built) {
        // SAFETY: the caller's promise; NULL was refused above.
        unsafe { verifier.write(Box::into_raw(handle)) };
    }
    status
}

/// Decides a request that the host describes as JSON.
///
/// The request is the host's own word: `profile` and `remote_addr` are believed. Never forward a client's body as
/// the request, and never paste a token into one; jwtauth_verifier_authenticate_token is for that.
///
/// @param verifier The verifier.
/// @param request_json The request: `token`, or `headers` and `url`; `profile`, `remote_addr`; `cached_only`.
/// @param reply_json Gets the reply: the grant, or why there is none. May be NULL. Free it with jwtauth_string_free.
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
    reply.answer(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        // SAFETY: the caller's promise.
        let request = unsafe { guard::text("request_json", request_json) }?;
        Ok(wire::granted(&wire::authenticate(&handle.verifier, request)?))
    })
}

/// Decides about one token, taken as it came from wherever the host found it.
///
/// @param verifier The verifier.
/// @param token The token alone, without "Bearer ". Any text is safe here.
/// @param profile The profile to decide under, chosen by the host; NULL or "" for none.
/// @param reply_json Gets the reply: the grant, or why there is none. May be NULL. Free it with jwtauth_string_free.
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
    reply.answer(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        // SAFETY: the caller's promise.
        let mut request = Request::bearer(unsafe { guard::text("token", token) }?);
        if !profile.is_null() {
            // SAFETY: the caller's promise.
            request = request.profile(unsafe { guard::text("profile", profile) }?);
        }
        Ok(wire::granted(&handle.verifier.authenticate(&request)?))
    })
}

/// Asks every key source for its keys now, for example at start-up. May open connections.
///
/// @param verifier The verifier.
/// @param reply_json Gets the reply: `outcome` "refreshed", or what failed; in either case `sources`, an entry for each.
/// May be NULL. Free it with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK if every source answered; else _UNAVAILABLE, _ARGUMENT or _INTERNAL.
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
        let outcome = handle.verifier.refresh_keys();
        let reply = wire::refreshed(&handle.verifier, &outcome);
        let status = outcome.map_or_else(|why| Status::of(why.class()), |()| Status::Ok);
        Ok((status, reply))
    })
}

/// The configuration in its native form, whatever the dialect it was written in, warnings about it, and how its key
/// sources are.
///
/// The reply can be given to jwtauth_verifier_new, once the secrets are put back: they are left out.
///
/// @param verifier The verifier.
/// @param reply_json Gets the reply: `dialect` "native", `config`, `warnings` and `key_status`. May be NULL.
/// Free it with jwtauth_string_free.
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
        Ok(wire::policy(&handle.verifier))
    })
}

/// Frees a verifier. No other thread may be using it, or use it afterwards.
///
/// @param verifier What jwtauth_verifier_new gave, once; or NULL, which does nothing.
///
/// # Safety
/// `verifier` is NULL, or came from jwtauth_verifier_new, has not been freed, and is in no other call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_verifier_free(verifier: *mut Handle) {
    if verifier.is_null() {
        return;
    }
    // There is nobody to tell about a panic here, and nothing of the verifier is used again.
    let _ = wire::guarded(|| {
        // SAFETY: the caller's promise; all verifiers are handed out by `Box::into_raw`.
        drop(unsafe { Box::from_raw(verifier) });
        Ok(())
    });
}
