//! How does text get out, and back to be freed?

#![expect(
    unsafe_code,
    reason = "exported functions; replies are written through pointers from C"
)]

use std::ffi::c_char;
use std::ptr;

use jwtauth_core::{Code, Error, Result, wire};

use crate::guard;
use crate::status::Status;

/// Where a caller wants the reply: `char **reply_json`, or nowhere.
pub(crate) struct ReplySlot(*mut *mut c_char);

impl ReplySlot {
    /// Takes the caller's pointer and makes sure that it holds NULL until there is a reply.
    ///
    /// # Safety
    /// `reply_json` is NULL, or may be written until the reply is.
    pub(crate) unsafe fn new(reply_json: *mut *mut c_char) -> ReplySlot {
        if !reply_json.is_null() {
            // SAFETY: the caller promised as much.
            unsafe { reply_json.write(ptr::null_mut()) };
        }
        ReplySlot(reply_json)
    }

    /// Runs the body of a function, and hands its reply or its failure to the caller.
    pub(crate) fn answer(self, body: impl FnOnce() -> Result<String>) -> Status {
        self.answer_either(|| Ok((Status::Ok, body()?)))
    }

    /// The same for a function whose reply has more to say about a failure than the failure itself.
    pub(crate) fn answer_either(self, body: impl FnOnce() -> Result<(Status, String)>) -> Status {
        let outcome = wire::guarded(|| {
            let (status, reply) = body()?;
            self.hand_over(&reply)?;
            Ok(status)
        });
        match outcome {
            Ok(status) => status,
            Err(error) => {
                // Should even this fail, the slot holds NULL, and the status still says no.
                let _ = wire::guarded(|| self.hand_over(&wire::failed(&error)));
                Status::of(error.class())
            }
        }
    }

    fn hand_over(&self, reply: &str) -> Result<()> {
        if !self.0.is_null() {
            let text = hand_out(reply)?;
            // SAFETY: `new` was promised that this may be written.
            unsafe { self.0.write(text) };
        }
        Ok(())
    }
}

/// The value at a JSON pointer (RFC 6901) in a reply, such as "/identity/name" or "/identity/groups/0".
///
/// A string comes as its plain text, anything else as JSON text.
///
/// @param json A reply, or any other JSON text.
/// @param pointer Where to look; the empty string is the whole document.
/// @return New text, to be freed with jwtauth_string_free. NULL if there is nothing at that place, if an argument is
/// NULL, not UTF-8, not JSON or not a pointer, and if the text has a NUL character in it, which a C string would cut
/// short: a name that comes back is the whole name.
///
/// # Safety
/// Both arguments are NULL, or NUL-terminated strings that stay as they are during the call.
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

/// Frees text that this library handed out.
///
/// @param string A reply or the result of jwtauth_json_get, once; or NULL, which does nothing.
///
/// # Safety
/// `string` is NULL, or was handed out by this library and has not been freed since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn jwtauth_string_free(string: *mut c_char) {
    // SAFETY: the caller's promise; all text is handed out by `hand_out`, and NULL is fine.
    unsafe { libc::free(string.cast()) };
}

/// Copies text to where C can own it.
///
/// The copy comes from `malloc` and not from a `CString`, because a C program may well cut up a string that it owns,
/// and a `CString` is lost when its length changes.
fn hand_out(text: &str) -> Result<*mut c_char> {
    // JSON has no NUL in it, but the text of a claim may, and must not be cut short.
    if text.as_bytes().contains(&0) {
        return Err(Error::new(Code::InternalError));
    }
    // SAFETY: `malloc` takes any size; text is never so long that one byte more overflows.
    let copy = unsafe { libc::malloc(text.len() + 1) }.cast::<u8>();
    if copy.is_null() {
        return Err(Error::new(Code::InternalError));
    }
    // SAFETY: the copy is new, and has room for the text and the NUL behind it.
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
    fn a_panic_is_answered_like_any_other_failure() {
        let (status, reply) = answered(|| panic!("a mistake of ours"));
        assert_eq!(status, Status::Internal);
        assert_eq!(
            wire::get(&reply, "/code").as_deref(),
            Some(Code::InternalError.as_str())
        );
    }

    #[test]
    fn a_reply_that_would_be_cut_short_is_none() {
        let (status, reply) = answered(|| Ok("half\0whole".to_owned()));
        assert_eq!(status, Status::Internal);
        assert_eq!(wire::get(&reply, "/outcome").as_deref(), Some("failed"));
    }

    #[test]
    fn without_a_slot_there_is_still_a_status() {
        // SAFETY: NULL is allowed.
        let status = unsafe { ReplySlot::new(ptr::null_mut()) }.answer(|| Err(guard::null("token")));
        assert_eq!(status, Status::Argument);
    }

    fn answered(body: impl FnOnce() -> Result<String>) -> (Status, String) {
        let mut slot = ptr::null_mut();
        // SAFETY: the slot outlives the call, and what is in it afterwards came from the library.
        unsafe {
            let status = ReplySlot::new(&raw mut slot).answer(body);
            let reply = std::ffi::CStr::from_ptr(slot).to_str().unwrap().to_owned();
            jwtauth_string_free(slot);
            (status, reply)
        }
    }
}
