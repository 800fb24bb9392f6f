//! What stands between a C caller and the core?
//!
//! Every pointer that comes in is checked here, and no panic gets past here.

#![expect(unsafe_code, reason = "pointers from C are read here")]

use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use jwtauth_core::{Code, Error, Result};

/// Runs the body of a function; a panic in it is the error that says so.
///
/// Nothing a body works on can be left half-changed: a verifier changes nothing but its key cache, which keeps
/// itself whole, and everything else a body touches is its own.
pub(crate) fn caught<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(Error::new(Code::InternalError)))
}

/// The text that a caller lent.
///
/// # Errors
/// [`Code::ArgumentNull`], [`Code::ArgumentNotUtf8`].
///
/// # Safety
/// `pointer` is NULL, or a NUL-terminated string that stays as it is for `'a`.
pub(crate) unsafe fn text<'a>(name: &str, pointer: *const c_char) -> Result<&'a str> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: not NULL, and the caller promised the rest.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str()
        .map_err(|_| Error::new(Code::ArgumentNotUtf8).with_detail(format!("`{name}`")))
}

/// The object that a caller lent.
///
/// # Errors
/// [`Code::ArgumentNull`].
///
/// # Safety
/// `pointer` is NULL, or came from this library and is not freed during `'a`.
pub(crate) unsafe fn borrowed<'a, T>(name: &str, pointer: *const T) -> Result<&'a T> {
    // SAFETY: the caller promised as much.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// What to say about an argument that must not be NULL.
pub(crate) fn null(name: &str) -> Error {
    Error::new(Code::ArgumentNull).with_detail(format!("`{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_internal_error() {
        let outcome: Result<()> = caught(|| panic!("a mistake of ours"));
        assert_eq!(outcome.unwrap_err().code(), Code::InternalError);
    }

    #[test]
    fn null_and_other_encodings_are_told_apart() {
        // SAFETY: NULL, and literals that end in NUL.
        let (absent, latin1, fine) = unsafe {
            (
                text("token", std::ptr::null()),
                text("token", c"caf\xe9".as_ptr()),
                text("token", c"café".as_ptr()),
            )
        };
        assert_eq!(absent.unwrap_err().code(), Code::ArgumentNull);
        assert_eq!(latin1.unwrap_err().code(), Code::ArgumentNotUtf8);
        assert_eq!(fine.unwrap(), "café");
    }
}
