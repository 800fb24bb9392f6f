//! What stands between a C caller and the core?
//!
//! Every pointer that comes in is checked here, and no panic gets past here.

#![expect(unsafe_code, reason = "pointers from C are read here")]

use std::ffi::{CStr, c_char};

use jwtauth_core::{Code, Error, Result};

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
