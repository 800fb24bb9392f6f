//! Returning text to C, and freeing it.

#![expect(
    unsafe_code,
    reason = "exported functions; replies are written through pointers from C"
)]

use std::ffi::c_char;
use std::ptr;

use jwtauth_core::{Code, Error, Result, wire};

use crate::guard;
use crate::status::Status;

/// The caller's output for the reply: `char **reply_json`, or NULL.
pub(crate) struct ReplySlot(*mut *mut c_char);

impl ReplySlot {
    /// Takes the caller's pointer and sets the output to NULL until there is a reply.
    ///
    /// # Safety
    /// `reply_json` is NULL, or may be written until the reply is.
    pub(crate) unsafe fn new(reply_json: *mut *mut c_char) -> ReplySlot {
        if !reply_json.is_null() {
            // SAFETY: the caller's promise.
            unsafe { reply_json.write(ptr::null_mut()) };
        }
        ReplySlot(reply_json)
    }

    /// Runs the body of a function and writes its reply, or its failure, to the caller's output.
    pub(crate) fn answer(self, body: impl FnOnce() -> Result<String>) -> Status {
        self.answer_either(|| Ok((Status::Ok, body()?)))
    }

    /// Runs a body that chooses both the status and the reply, for failures whose reply has more than the error.
    pub(crate) fn answer_either(self, body: impl FnOnce() -> Result<(Status, String)>) -> Status {
        let outcome = wire::guarded(|| {
            let (status, reply) = body()?;
            self.hand_over(&reply)?;
            Ok(status)
        });
        match outcome {
            Ok(status) => status,
            Err(error) => {
                // If this fails too, the output stays NULL and the status still reports the failure.
                let _ = wire::guarded(|| self.hand_over(&wire::failed(&error)));
                Status::of(error.class())
            }
        }
    }

    fn hand_over(&self, reply: &str) -> Result<()> {
        if !self.0.is_null() {
            let text = hand_out(reply)?;
            // SAFETY: the caller of `new` promised that this may be written.
            unsafe { self.0.write(text) };
        }
        Ok(())
    }
}

/// The value at a JSON pointer (RFC 6901) in a reply, such as "/identity/name" or "/identity/groups/0".
///
/// A string is returned as its plain text, any other value as JSON text.
///
/// @param json A reply, or any other JSON text.
/// @param pointer The JSON pointer; the empty string is the whole document.
/// @return New text; free it with jwtauth_string_free. NULL if the value does not exist, or if an argument is NULL, not
/// UTF-8, not JSON or not a JSON pointer. Also NULL if the string contains a NUL character (U+0000), so that a C
/// program never sees a truncated name. Therefore do not treat NULL as the end of an array.
///
/// # Safety
/// Both arguments are NULL, or NUL-terminated strings that do not change during the call.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn jwtauth_json_get(json: *const c_char, pointer: *const c_char) -> *mut c_char {
    let found = wire::guarded(|| {
        // SAFETY: the caller's promise.
        let (json, pointer) = unsafe { (guard::text("json", json)?, guard::text("pointer", pointer)?) };
        wire::get(json, pointer)
            .as_deref()
            .map_or(Ok(ptr::null_mut()), hand_out)
    });
    found.unwrap_or(ptr::null_mut())
}

/// Frees text that this library returned.
///
/// @param string A reply or a result of jwtauth_json_get; free it once. NULL has no effect.
///
/// # Safety
/// `string` is NULL, or was returned by this library and has not been freed since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_string_free(string: *mut c_char) {
    // SAFETY: the caller's promise; all text comes from `hand_out`, and `free` accepts NULL.
    unsafe { libc::free(string.cast()) };
}

/// Copies text into memory that a C program can own.
///
/// The copy comes from `malloc` and not from a `CString`, because a C program may shorten a string that it owns, and a
/// `CString` cannot be freed after its length has changed.
fn hand_out(text: &str) -> Result<*mut c_char> {
    // JSON text contains no NUL, but the string value of a claim may, and it must not be truncated.
    if text.as_bytes().contains(&0) {
        return Err(Error::new(Code::InternalError));
    }
    // SAFETY: `malloc` accepts any size; the length of a `str` is at most `isize::MAX`, so the sum cannot overflow.
    let copy = unsafe { libc::malloc(text.len() + 1) }.cast::<u8>();
    if copy.is_null() {
        return Err(Error::new(Code::InternalError));
    }
    // SAFETY: the copy is new, and has room for the text and its final NUL.
    unsafe {
        copy.copy_from_nonoverlapping(text.as_ptr(), text.len());
        copy.add(text.len()).write(0);
    }
    Ok(copy.cast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_gives_a_reply_like_any_other_failure() {
        let (status, reply) = answered(|| panic!("a panic in the body"));
        assert_eq!(status, Status::Internal);
        assert_eq!(
            wire::get(&reply, "/code").as_deref(),
            Some(Code::InternalError.as_str())
        );
    }

    #[test]
    fn a_reply_that_would_be_truncated_is_a_failure() {
        let (status, reply) = answered(|| Ok("half\0whole".to_owned()));
        assert_eq!(status, Status::Internal);
        assert_eq!(wire::get(&reply, "/outcome").as_deref(), Some("failed"));
    }

    #[test]
    fn a_null_output_still_gives_a_status() {
        // SAFETY: NULL is allowed.
        let status = unsafe { ReplySlot::new(ptr::null_mut()) }.answer(|| Err(guard::null("token")));
        assert_eq!(status, Status::Argument);
    }

    fn answered(body: impl FnOnce() -> Result<String>) -> (Status, String) {
        let mut slot = ptr::null_mut();
        // SAFETY: the slot outlives the call, and afterwards it holds text from the library.
        unsafe {
            let status = ReplySlot::new(&raw mut slot).answer(body);
            let reply = std::ffi::CStr::from_ptr(slot).to_str().unwrap().to_owned();
            jwtauth_string_free(slot);
            (status, reply)
        }
    }
}
