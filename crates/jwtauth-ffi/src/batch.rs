//! The decision of many tokens in one call.

#![expect(
    unsafe_code,
    reason = "an exported function; arrays from C are read and written here"
)]

use std::ffi::c_char;
use std::num::NonZeroUsize;
use std::{iter, slice};

use jwtauth_core::{Code, Error, Request, Result, wire};

use crate::guard;
use crate::options::{self, Options};
use crate::reply::ReplySlot;
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
        let with_reply = !replies.is_null();
        let reply = |grant| {
            if with_reply {
                wire::granted(&grant)
            } else {
                String::new()
            }
        };
        let threads = NonZeroUsize::new(threads);
        let outcomes =
            wire::authenticate_many(&handle.verifier, &requests, threads, |outcome| outcome.map(reply));
        if outcomes.len() == count {
            Ok(outcomes)
        } else {
            Err(Error::new(Code::InternalError))
        }
    });
    match outcomes {
        Ok(outcomes) => outputs.write(outcomes),
        // Without an output, `count` may be a mistake too.
        Err(error) if outputs.are_null() => Status::of(error.class()),
        Err(error) => outputs.write(iter::repeat_n(Err(error), count)),
    }
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
    fn write(&self, outcomes: impl IntoIterator<Item = Result<String>>) -> Status {
        let mut first = Status::Ok;
        for (index, outcome) in (0..self.count).zip(outcomes) {
            let status = self.reply(index).answer(|| outcome);
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
