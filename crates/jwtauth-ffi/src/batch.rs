//! The decision of many tokens in one call.

#![expect(
    unsafe_code,
    reason = "an exported function; arrays from C are read and written here"
)]

use std::ffi::c_char;
use std::num::NonZeroUsize;
use std::{iter, slice};

use jwtauth_core::{Code, Error, Granted, Request, Result, Verifier, wire};

use crate::guard;
use crate::options::{self, Options};
use crate::reply::{Make, Reply, ReplySlot, Text};
use crate::status::Status;
use crate::verifier::Handle;

/// Decides about many tokens on several threads, with the same options for all of them.
///
/// Each token gets the status and the reply of jwtauth_verifier_authenticate_with, also a token that is NULL or not UTF-8.
/// Keys that the tokens lack are fetched once for all of them. The threads end before the function returns.
///
/// @param verifier The verifier.
/// @param tokens The tokens, each without "Bearer ". Any text is safe here.
/// @param count The number of tokens.
/// @param options The options; NULL for none.
/// @param threads The number of threads at most, the calling one included; 0 for the number of cores.
/// @param statuses An array of `count` statuses: receives the status of each token. Required.
/// @param replies An array of `count` texts: receives the reply of each token: the grant, or the failure. May be NULL.
/// Free each reply with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK only if every token is granted; else the status of the first token that is not. _ARGUMENT if
/// `statuses` is NULL. _ARGUMENT if `count` is 0, because an empty batch grants nothing, or larger than an array can be;
/// then nothing is written.
///
/// # Safety
/// As for `jwtauth_verifier_authenticate_with`. `tokens` is NULL or has `count` elements, each NULL or a NUL-terminated
/// string. `statuses` and `replies` are NULL or have `count` elements that may be written.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_authenticate_many(
    verifier: *const Handle,
    tokens: *const *const c_char,
    count: usize,
    options: *const Options,
    threads: usize,
    statuses: *mut Status,
    replies: *mut *mut c_char,
) -> Status {
    if count == 0 || count > MAX_COUNT {
        return Status::Argument;
    }
    // SAFETY: the caller's promise.
    let outputs = unsafe { Outputs::new(count, statuses, replies) };
    let outcomes = wire::guarded(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        if statuses.is_null() {
            return Err(guard::null("statuses"));
        }
        // SAFETY: the caller's promise.
        let requests = unsafe { requests(tokens, count, options) }?;
        let wanted = !replies.is_null();
        let make = |granted: Granted<'_>| Text::of(&wire::line(granted), wanted);
        decide(handle.verifier(), &requests, threads, &make)
    });
    match outcomes {
        Ok(outcomes) => outputs.write(outcomes),
        // Without an output, `count` may be a mistake too.
        Err(error) if outputs.are_null() => Status::of(error.class()),
        Err(error) => outputs.write(iter::repeat(error).map(Err)),
    }
}

/// Decides about many tokens, as jwtauth_verifier_authenticate_many does, and returns the replies as one JSON array.
///
/// Use it to pass the replies to a JSON library or to another program. jwtauth_json_get reads an array from its start each
/// time, so to read many replies in C, use jwtauth_verifier_authenticate_many.
///
/// @param verifier The verifier.
/// @param tokens As for jwtauth_verifier_authenticate_many.
/// @param count As for jwtauth_verifier_authenticate_many.
/// @param options As for jwtauth_verifier_authenticate_many.
/// @param threads As for jwtauth_verifier_authenticate_many.
/// @param reply_json Receives the array, with the reply to each token in their order; or the failure of the whole call, which
/// is an object. May be NULL. Free it with jwtauth_string_free.
/// @return JWTAUTH_STATUS_OK only if every token is granted; else the status of the first token that is not, or of the failure
/// of the whole call: _ARGUMENT if an argument is invalid or `count` is 0, because an empty batch grants nothing.
///
/// # Safety
/// As for `jwtauth_verifier_authenticate_with`. `tokens` is NULL or has `count` elements, each NULL or a NUL-terminated
/// string.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_verifier_authenticate_many_json(
    verifier: *const Handle,
    tokens: *const *const c_char,
    count: usize,
    options: *const Options,
    threads: usize,
    reply_json: *mut *mut c_char,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    reply.answer_either(|| {
        // SAFETY: the caller's promise.
        let handle = unsafe { guard::borrowed("verifier", verifier) }?;
        if count == 0 || count > MAX_COUNT {
            return Err(
                Error::new(Code::RequestInvalid).with_detail("`count` is 0, or larger than an array can be")
            );
        }
        // SAFETY: the caller's promise.
        let requests = unsafe { requests(tokens, count, options) }?;
        let make = |granted: Granted<'_>| Text::of(&wire::line(granted), true);
        let outcomes = decide(handle.verifier(), &requests, threads, &make)?;
        let failed = outcomes.iter().find_map(|outcome| outcome.as_ref().err());
        let status = failed.map_or(Status::Ok, |error| Status::of(error.class()));
        let replies: Vec<String> = outcomes.into_iter().map(text_of).collect();
        Ok((status, format!("[{}]", replies.join(","))))
    })
}

/// The text of a reply.
fn text_of(outcome: Result<Reply>) -> String {
    let text = outcome.and_then(|reply| reply.ok_or_else(|| Error::new(Code::InternalError)));
    text.map_or_else(|error| wire::failed(&error), |text| text.to_string())
}

/// The caller's outputs: an array of statuses, and one of replies. Each is NULL or has `count` elements.
struct Outputs {
    count: usize,
    statuses: *mut Status,
    replies: *mut *mut c_char,
}

impl Outputs {
    /// Takes the caller's pointers. Sets every status to a failure and every reply to NULL until the outcome is written.
    ///
    /// # Safety
    /// Each pointer is NULL, or has `count` elements that may be written.
    unsafe fn new(count: usize, statuses: *mut Status, replies: *mut *mut c_char) -> Outputs {
        let outputs = Outputs {
            count,
            statuses,
            replies,
        };
        if !outputs.are_null() {
            for index in 0..count {
                outputs.set(index, Status::Internal);
                let _ = outputs.reply(index);
            }
        }
        outputs
    }

    fn are_null(&self) -> bool {
        self.statuses.is_null() && self.replies.is_null()
    }

    /// Writes the outcomes. Returns the status of the first that is not a success.
    fn write(&self, outcomes: impl IntoIterator<Item = Result<Reply>>) -> Status {
        let mut first = Status::Ok;
        for (index, outcome) in (0..self.count).zip(outcomes) {
            let status = self.reply(index).write(outcome.map(|reply| (Status::Ok, reply)));
            self.set(index, status);
            if first == Status::Ok {
                first = status;
            }
        }
        first
    }

    fn set(&self, index: usize, status: Status) {
        if !self.statuses.is_null() {
            // SAFETY: `new` was promised that there are `count` elements.
            unsafe { self.statuses.add(index).write(status) };
        }
    }

    /// The output for the reply of one token, which is set to NULL.
    fn reply(&self, index: usize) -> ReplySlot {
        if self.replies.is_null() {
            // SAFETY: NULL is allowed.
            return unsafe { ReplySlot::new(self.replies) };
        }
        // SAFETY: `new` was promised that there are `count` elements.
        unsafe { ReplySlot::new(self.replies.add(index)) }
    }
}

/// Decides all requests, and makes the replies to the grants. The result has as many outcomes.
///
/// # Errors
/// [`Code::InternalError`]. The failures of one token are in its place.
fn decide(
    verifier: &Verifier,
    requests: &[Result<Request<'_>>],
    threads: usize,
    make: Make<'_>,
) -> Result<Vec<Result<Reply>>> {
    let outcomes = wire::answer_many(verifier, requests, NonZeroUsize::new(threads), make);
    if outcomes.len() == requests.len() {
        Ok(outcomes.into_iter().map(|outcome| outcome?).collect())
    } else {
        Err(Error::new(Code::InternalError))
    }
}

/// The requests of a batch.
///
/// # Errors
/// [`Code::ArgumentNull`]. The failures of one token are in its place.
///
/// # Safety
/// Those of `jwtauth_verifier_authenticate_many`.
unsafe fn requests<'a>(
    tokens: *const *const c_char,
    count: usize,
    options: *const Options,
) -> Result<Vec<Result<Request<'a>>>> {
    if tokens.is_null() {
        return Err(guard::null("tokens"));
    }
    // SAFETY: the caller's promise.
    let options = unsafe { options::request(options) };
    // SAFETY: the caller's promise; `count` is not larger than an array can be.
    let tokens = unsafe { slice::from_raw_parts(tokens, count) };
    let request = |token: &*const c_char| {
        // SAFETY: the caller's promise.
        let token = unsafe { guard::text("token", *token) }?;
        Ok(options.clone()?.token(token))
    };
    Ok(tokens.iter().map(request).collect())
}

/// The number of elements that an array of pointers can have.
const MAX_COUNT: usize = isize::MAX as usize / size_of::<*const c_char>();
