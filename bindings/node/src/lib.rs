//! The addon under the `jwtauth` package: strings in, strings out.
//!
//! JavaScript sees none of this. `index.js` turns values into JSON text, calls here, and turns what comes back into
//! a `Grant`. What is returned is a success; every failure is thrown, with the wire's failure text as its message.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jwtauth_core::{Code, Error, wire};
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;

/// A verifier. Each of Node's threads makes its own.
#[napi]
#[derive(Debug)]
pub struct Verifier(Arc<jwtauth_core::Verifier>);

#[napi]
impl Verifier {
    /// Builds a verifier from the text of a configuration.
    #[napi(constructor)]
    pub fn new(config: String) -> napi::Result<Verifier> {
        guarded(|| wire::verifier(&config)).map(|verifier| Verifier(Arc::new(verifier)))
    }

    /// Decides on a thread of Node's pool; resolves to the reply.
    #[napi]
    pub fn authenticate(&self, request: String) -> AsyncTask<Authenticate> {
        AsyncTask::new(Authenticate {
            verifier: Arc::clone(&self.0),
            request,
        })
    }

    /// Decides on the calling thread; returns the reply.
    #[napi]
    pub fn authenticate_sync(&self, request: String) -> napi::Result<String> {
        decided(&self.0, &request)
    }

    /// The policy reply.
    #[napi]
    pub fn policy(&self) -> napi::Result<String> {
        guarded(|| Ok(wire::policy(&self.0)))
    }

    /// Asks every key source for its keys, on a thread of Node's pool.
    #[napi]
    pub fn refresh_keys(&self) -> AsyncTask<RefreshKeys> {
        AsyncTask::new(RefreshKeys(Arc::clone(&self.0)))
    }
}

/// Throws the failure for a string that has no UTF-8 form.
///
/// The conversion to Rust would replace a lone surrogate without a word, so `index.js` looks for them and calls this.
#[napi]
pub fn refuse_not_utf8(what: String) -> napi::Result<()> {
    guarded(|| Err(Error::new(Code::ArgumentNotUtf8).with_detail(format!("`{what}` has a lone surrogate"))))
}

/// The library's version.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// One decision, away from the event loop.
#[derive(Debug)]
pub struct Authenticate {
    verifier: Arc<jwtauth_core::Verifier>,
    request: String,
}

impl Task for Authenticate {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<String> {
        decided(&self.verifier, &self.request)
    }

    fn resolve(&mut self, _: Env, reply: String) -> napi::Result<String> {
        Ok(reply)
    }
}

/// One refresh of the keys, away from the event loop.
#[derive(Debug)]
pub struct RefreshKeys(Arc<jwtauth_core::Verifier>);

impl Task for RefreshKeys {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<()> {
        guarded(|| self.0.refresh_keys())
    }

    fn resolve(&mut self, _: Env, (): ()) -> napi::Result<()> {
        Ok(())
    }
}

fn decided(verifier: &jwtauth_core::Verifier, request: &str) -> napi::Result<String> {
    guarded(|| wire::authenticate(verifier, request).map(|grant| wire::granted(&grant)))
}

/// Runs a call so that neither a failure nor a panic gets past it as anything but a failure text.
fn guarded<T>(call: impl FnOnce() -> Result<T, Error>) -> napi::Result<T> {
    // A verifier stays usable after a panic: it is immutable but for its key cache, which is swapped whole.
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|_| Err(Error::new(Code::InternalError)))
        .map_err(|error| napi::Error::from_reason(wire::failed(&error)))
}

#[cfg(test)]
mod tests {
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
