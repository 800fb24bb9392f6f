//! The addon under the `jwtauth` package: strings in, strings out.
//!
//! JavaScript sees none of this. `index.js` turns values into JSON text, calls here, and turns what comes back into
//! a `Grant`. What is returned is a success; every failure is thrown, with the wire's failure text as its message.

mod apart;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jwtauth_core::fetch::Fetch;
use jwtauth_core::keys::Others;
use jwtauth_core::{Code, Error, Grant, wire};
use napi::bindgen_prelude::{AsyncTask, Function};
use napi::{Env, Task};
use napi_derive::napi;

use apart::{HostFetch, Told};

/// A verifier. Each of Node's threads makes its own.
#[napi]
#[derive(Debug)]
pub struct Verifier {
    core: Arc<jwtauth_core::Verifier>,
    /// Whether keys are fetched by the host's function.
    host_fetches: bool,
}

#[napi]
impl Verifier {
    /// Builds a verifier from the text of a configuration.
    #[napi(constructor)]
    pub fn new(config: String, host_fetches: bool) -> napi::Result<Verifier> {
        let fetch = || Arc::new(HostFetch) as Arc<dyn Fetch>;
        let core = guarded(|| wire::verifier_with(&config, host_fetches.then(fetch)))?;
        Ok(Verifier {
            core: Arc::new(core),
            host_fetches,
        })
    }

    /// Decides at once, on the calling thread; returns the reply, or `null` if keys have to be fetched first.
    #[napi]
    pub fn authenticate_now(
        &self,
        request: String,
        fetching: bool,
        since: Option<i64>,
    ) -> napi::Result<Option<String>> {
        decided_now(&self.core, &request, others(fetching, since))
    }

    /// The same on a thread of Node's pool, for a request that takes its time to be read.
    #[napi]
    pub fn authenticate_in_pool(
        &self,
        request: String,
        fetching: bool,
        since: Option<i64>,
    ) -> AsyncTask<Decision> {
        AsyncTask::new(Decision {
            verifier: Arc::clone(&self.core),
            request,
            others: others(fetching, since),
        })
    }

    /// How many fetches have ended: what `since` is measured by.
    #[napi]
    pub fn fetches_ended(&self) -> i64 {
        i64::try_from(self.core.fetches_ended()).unwrap_or(i64::MAX)
    }

    /// Decides on a thread that may fetch, and tells of it.
    #[napi]
    pub fn authenticate_apart(&self, request: String, tell: Function<'_, Told, ()>) -> napi::Result<()> {
        let verifier = Arc::clone(&self.core);
        apart::call(&tell, move || decided(|| wire::authenticate(&verifier, &request)))
    }

    /// Decides on the calling thread; returns the reply.
    #[napi]
    pub fn authenticate_sync(&self, request: String) -> napi::Result<String> {
        if !self.host_fetches {
            return decided(|| wire::authenticate(&self.core, &request));
        }
        // The function runs on the event loop, and the event loop is waiting for this call.
        decided(|| {
            wire::authenticate_cached(&self.core, &request).map_err(|error| match error.code() {
                Code::KeySourceUnavailable => {
                    let why = error.detail().unwrap_or_default();
                    let detail = format!("{why} (`authenticateSync` cannot wait for a `fetch` function)");
                    error.with_detail(detail)
                }
                _ => error,
            })
        })
    }

    /// The policy reply.
    #[napi]
    pub fn policy(&self) -> napi::Result<String> {
        guarded(|| Ok(wire::policy(&self.core)))
    }

    /// Fetches the keys of every source on a thread that may, and tells of it.
    #[napi]
    pub fn refresh_keys_apart(&self, tell: Function<'_, Told, ()>) -> napi::Result<()> {
        let verifier = Arc::clone(&self.core);
        apart::call(&tell, move || {
            let outcome = guarded(|| Ok(verifier.refresh_keys()))?;
            let reply = wire::refreshed(&verifier, &outcome);
            if outcome.is_ok() {
                Ok(reply)
            } else {
                Err(napi::Error::from_reason(reply))
            }
        })
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

/// One decision with the keys at hand, away from the event loop.
#[derive(Debug)]
pub struct Decision {
    verifier: Arc<jwtauth_core::Verifier>,
    request: String,
    others: Others,
}

impl Task for Decision {
    type Output = Option<String>;
    type JsValue = Option<String>;

    fn compute(&mut self) -> napi::Result<Option<String>> {
        decided_now(&self.verifier, &self.request, self.others)
    }

    fn resolve(&mut self, _: Env, reply: Option<String>) -> napi::Result<Option<String>> {
        Ok(reply)
    }
}

fn decided(decide: impl FnOnce() -> Result<Grant, Error>) -> napi::Result<String> {
    guarded(|| decide().map(|grant| wire::granted(&grant)))
}

/// What `index.js` knows of the other calls to a verifier.
fn others(fetching: bool, since: Option<i64>) -> Others {
    let since = since.and_then(|since| u64::try_from(since).ok());
    Others { fetching, since }
}

fn decided_now(
    verifier: &jwtauth_core::Verifier,
    request: &str,
    others: Others,
) -> napi::Result<Option<String>> {
    guarded(|| {
        let decided = wire::authenticate_beside(verifier, request, others).transpose()?;
        Ok(decided.map(|grant| wire::granted(&grant)))
    })
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
