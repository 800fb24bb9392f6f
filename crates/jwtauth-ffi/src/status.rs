//! What does a function return?

#![expect(unsafe_code, reason = "exported functions")]

use std::ffi::{CStr, c_char, c_uint};

use jwtauth_core::Class;

/// What a call came to. Only JWTAUTH_STATUS_OK means yes. Numbers are never changed or reused.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Granted, or done.
    Ok = 0,
    /// The answer is no.
    Denied = 1,
    /// The configuration must be mended by the operator.
    Config = 2,
    /// The answer is not known, because keys could not be obtained. The only failure worth a retry.
    Unavailable = 3,
    /// The calling program made a mistake.
    Argument = 4,
    /// The library made a mistake.
    Internal = 5,
}

/// A status as C may pass it: any number at all, which a Rust enum must never hold.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(pub c_uint);

impl Status {
    /// Its name: the class of the failures it stands for.
    pub const fn name(self) -> &'static CStr {
        match self {
            Status::Ok => c"ok",
            Status::Denied => c"denied",
            Status::Config => c"config",
            Status::Unavailable => c"unavailable",
            Status::Argument => c"argument",
            Status::Internal => c"internal",
        }
    }

    pub(crate) fn of(class: Class) -> Status {
        match class {
            Class::Denied => Status::Denied,
            Class::Config => Status::Config,
            Class::Unavailable => Status::Unavailable,
            Class::Argument => Status::Argument,
            // A class that this interface has no number for is at least not a yes.
            _ => Status::Internal,
        }
    }
}

/// The name of a status: "ok", or the `class` that replies with this status carry. "unknown" for any other number.
///
/// @param status Any number.
/// @return A static string, never NULL. Not to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn jwtauth_status_name(status: Number) -> *const c_char {
    const ALL: [Status; 6] = [
        Status::Ok,
        Status::Denied,
        Status::Config,
        Status::Unavailable,
        Status::Argument,
        Status::Internal,
    ];
    ALL.into_iter()
        .find(|known| *known as c_uint == status.0)
        .map_or(c"unknown", Status::name)
        .as_ptr()
}

/// The version of the library in use, such as "0.1.0".
///
/// @return A static string, never NULL. Not to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn jwtauth_version() -> *const c_char {
    VERSION.as_ptr().cast()
}

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_named_like_its_class() {
        let classes = [
            Class::Denied,
            Class::Config,
            Class::Unavailable,
            Class::Argument,
            Class::Internal,
        ];
        for class in classes {
            assert_eq!(Status::of(class).name().to_str().unwrap(), class.as_str());
        }
    }
}
