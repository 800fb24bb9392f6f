//! The status that every function returns, and its names.

#![expect(unsafe_code, reason = "exported functions")]

use std::ffi::{CStr, c_char, c_uint};

use jwtauth_core::Class;

/// The result of a call. Only JWTAUTH_STATUS_OK is a success. Numbers are never changed or reused.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Granted, or done.
    Ok = 0,
    /// The request is denied.
    Denied = 1,
    /// The configuration is invalid.
    Config = 2,
    /// There is no decision, because keys or the store of the sessions could not be reached. A retry can help only here.
    Unavailable = 3,
    /// The calling program passed an invalid argument.
    Argument = 4,
    /// An internal error of the library.
    Internal = 5,
}

/// A status as C passes it. It may be any number, which a Rust enum must never hold.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(pub c_uint);

impl Status {
    /// The name: "ok", or the class of failures with this status.
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
            // A class without a number in this interface must not become a success.
            _ => Status::Internal,
        }
    }
}

/// The name of a status: "ok", or the `class` in replies with this status. "unknown" for any other number.
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

/// The version of this header. A program that runs with another library can compare it with jwtauth_version.
pub const JWTAUTH_VERSION_MAJOR: u32 = 0;
/// The second number of the version.
pub const JWTAUTH_VERSION_MINOR: u32 = 1;
/// The third number of the version.
pub const JWTAUTH_VERSION_PATCH: u32 = 0;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_the_name_of_its_class() {
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
