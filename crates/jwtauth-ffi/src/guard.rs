//! The guard between C callers and the core: it checks every incoming pointer.

#![expect(unsafe_code, reason = "pointers from C are read here")]

use std::ffi::{CStr, c_char};

use jwtauth_core::{Code, Error, Result};

/// A caller's string, borrowed.
///
/// # Errors
/// [`Code::ArgumentNull`], [`Code::ArgumentNotUtf8`].
///
/// # Safety
/// `pointer` is NULL, or a NUL-terminated string that does not change during `'a`.
pub(crate) unsafe fn text<'a>(name: &str, pointer: *const c_char) -> Result<&'a str> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: not NULL, and the caller promised the rest.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str()
        .map_err(|_| Error::new(Code::ArgumentNotUtf8).with_detail(format!("`{name}`")))
}

/// A caller's object, borrowed.
///
/// # Errors
/// [`Code::ArgumentNull`].
///
/// # Safety
/// `pointer` is NULL, or came from this library and is not freed during `'a`.
pub(crate) unsafe fn borrowed<'a, T>(name: &str, pointer: *const T) -> Result<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// The error for an argument that must not be NULL.
pub(crate) fn null(name: &str) -> Error {
    Error::new(Code::ArgumentNull).with_detail(format!("`{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_invalid_utf8_have_different_codes() {
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
