//! The panic boundary, without an interpreter: the module is compiled into this test by itself.

use jwtauth_core::{Code, Error};

#[path = "../src/guard.rs"]
mod guard;

#[test]
fn a_panic_is_an_internal_error() {
    let outcome: Result<(), Error> = guard::caught(|| panic!("on purpose"));
    assert_eq!(outcome.unwrap_err().code(), Code::InternalError);
}

#[test]
fn what_the_work_says_passes_through() {
    assert_eq!(guard::caught(|| Ok(7)).unwrap(), 7);
    let outcome: Result<(), Error> = guard::caught(|| Err(Code::TokenExpired.into()));
    assert_eq!(outcome.unwrap_err().code(), Code::TokenExpired);
}
