//! Explaining a decision.

#![expect(unsafe_code, reason = "exported functions")]

use std::ffi::{c_char, c_int};

use jwtauth_core::{Explain, Explanation, Result, wire};

use crate::guard;
use crate::options::{self, Options};
use crate::reply::ReplySlot;
use crate::status::Status;
use crate::verifier::Handle;

/// Decides a request as jwtauth_verifier_authenticate does, and explains the decision.
///
/// The reply is an object with `decision`, which is the reply of jwtauth_verifier_authenticate, and `steps`: every check, in
/// order, with what was configured, what was seen, and the outcome. It has this form for every failure, also for an invalid
/// argument. It is for people and logs: to decide, use the status, or jwtauth_verifier_authenticate.
///
/// @param verifier The verifier.
/// @param request_json As for jwtauth_verifier_authenticate.
/// @param show_values 1: the steps contain values of the token and of the request, never its signature. 0: only their types
/// and lengths. The decision of a granted request contains the claims in both cases.
/// @param reply_json Receives the explanation. May be NULL. Free it with jwtauth_string_free.
/// @return The status of the decision: JWTAUTH_STATUS_OK only if the request is granted; else _DENIED, _UNAVAILABLE,
/// _ARGUMENT or _INTERNAL.
///
/// # Safety
/// As for `jwtauth_verifier_authenticate`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_explain(
    verifier: *const Handle,
    request_json: *const c_char,
    show_values: c_int,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    answer(reply, || {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        // SAFETY: the caller's promise.
        let request = unsafe { guard::text("request_json", request_json) }?;
        wire::request(request, |request| {
            Ok(handle.verifier().explain(&request, explain(show_values)))
        })
    })
}

/// Decides about one token as jwtauth_verifier_authenticate_with does, and explains the decision. The caller passes the
/// token unchanged.
///
/// @param verifier The verifier.
/// @param token The token only, without "Bearer ". Any text is safe here.
/// @param options The options; NULL for none.
/// @param show_values As for jwtauth_verifier_explain.
/// @param reply_json Receives the explanation. May be NULL. Free it with jwtauth_string_free.
/// @return As for jwtauth_verifier_explain.
///
/// # Safety
/// As for `jwtauth_verifier_authenticate_with`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_explain_with(
    verifier: *const Handle,
    token: *const c_char,
    options: *const Options,
    show_values: c_int,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    answer(reply, || {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        // SAFETY: the caller's promise.
        let token = unsafe { guard::text("token", token) }?;
        // SAFETY: the caller's promise.
        let request = unsafe { options::request(options) }?.token(token);
        Ok(handle.verifier().explain(&request, explain(show_values)))
    })
}

fn explain(show_values: c_int) -> Explain {
    Explain {
        show_values: show_values != 0,
    }
}

/// Writes the explanation. The status is that of the decision, so that an explained denial is not taken for a grant.
fn answer(reply: ReplySlot, make: impl FnOnce() -> Result<Explanation>) -> Status {
    reply.answer_either(|| {
        let explanation = wire::guarded(make).unwrap_or_else(wire::undecided);
        let decision = explanation.decision.as_ref();
        let status = decision.map_or_else(|why| Status::of(why.class()), |_| Status::Ok);
        Ok((status, wire::explained(&explanation)))
    })
}
