//! Failures and panics → errors for JavaScript.

use jwtauth_core::{Error, wire};

/// Runs a call. A failure and a panic become an error whose message is the failure reply.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T, Error>) -> napi::Result<T> {
    wire::guarded(call).map_err(|error| napi::Error::from_reason(wire::failed(&error)))
}

#[cfg(test)]
mod tests {
    use jwtauth_core::Code;

    use super::*;

    #[test]
    fn a_panic_becomes_an_internal_error() {
        let caught = guarded(|| -> Result<(), Error> { panic!("made by a test") }).unwrap_err();
        assert!(
            caught.reason.contains(r#""code":"internal_error""#),
            "{}",
            caught.reason
        );
        assert!(!caught.reason.contains("made by a test"), "{}", caught.reason);
    }

    #[test]
    fn a_failure_keeps_its_code() {
        let failed = guarded(|| -> Result<(), Error> { Err(Code::TokenExpired.into()) }).unwrap_err();
        assert!(
            failed
                .reason
                .starts_with(r#"{"outcome":"failed","class":"denied","code":"token_expired""#)
        );
    }
}
