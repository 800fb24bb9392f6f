//! Handing a new object to C, and freeing it.

#![expect(unsafe_code, reason = "objects are handed over as pointers")]

use std::ffi::c_char;
use std::ptr;

use jwtauth_core::{Error, wire};

use crate::guard;
use crate::reply::ReplySlot;
use crate::status::Status;

/// A failure as C gets it: the status, and the reply.
#[derive(Debug)]
pub(crate) struct Failed {
    status: Status,
    reply: String,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed {
            status: Status::of(error.class()),
            reply: wire::failed(&error),
        }
    }
}

impl From<jwtauth_sessions::Error> for Failed {
    fn from(error: jwtauth_sessions::Error) -> Failed {
        Failed {
            status: Status::of(error.class()),
            reply: jwtauth_sessions::wire::failed(&error),
        }
    }
}

/// Checks that there is an output for the object.
///
/// # Errors
/// [`ArgumentNull`](jwtauth_core::Code::ArgumentNull).
pub(crate) fn output<T>(name: &str, slot: *mut *mut T) -> Result<(), Error> {
    if slot.is_null() {
        Err(guard::null(name))
    } else {
        Ok(())
    }
}

/// Writes the object that `make` returns, and the reply. `make` refuses a `slot` that is NULL.
///
/// # Safety
/// `slot` and `reply_json` are NULL or may be written.
pub(crate) unsafe fn build<T>(
    slot: *mut *mut T,
    reply_json: *mut *mut c_char,
    make: impl FnOnce() -> Result<(Box<T>, String), Failed>,
) -> Status {
    // SAFETY: the caller's promise.
    let reply = unsafe { ReplySlot::new(reply_json) };
    if !slot.is_null() {
        // SAFETY: the caller's promise.
        unsafe { slot.write(ptr::null_mut()) };
    }
    let mut built = None;
    let status = reply.answer_either(|| {
        Ok(match make() {
            Ok((object, reply)) => {
                built = Some(object);
                (Status::Ok, reply)
            }
            Err(failed) => (failed.status, failed.reply),
        })
    });
    if let (Status::Ok, Some(object)) = (status, built) {
        // SAFETY: the caller's promise; `make` refused NULL.
        unsafe { slot.write(Box::into_raw(object)) };
    }
    status
}

/// Frees an object that [`build`] handed over.
///
/// # Safety
/// `object` is NULL, or came from [`build`], has not been freed, and is in no other call.
pub(crate) unsafe fn free<T>(object: *mut T) {
    if object.is_null() {
        return;
    }
    // A panic cannot be reported from here, and the object is not used again.
    let _ = wire::guarded(|| {
        // SAFETY: the caller's promise; all objects come from `Box::into_raw`.
        drop(unsafe { Box::from_raw(object) });
        Ok(())
    });
}
