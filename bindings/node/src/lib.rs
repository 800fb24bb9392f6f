//! The addon under the `jwtauth` package: strings in, strings out.
//!
//! JavaScript callers do not use it directly. `index.js` passes a token or a request as JSON text to this addon, and
//! turns the result into a `Grant`. A returned value is a success; a failure is thrown, with the failure reply as its
//! message.

mod batch;
mod errand;
mod events;
mod explain;
mod guard;
mod request;
mod sessions;
mod shared;
mod step;
mod workers;

use std::sync::Arc;

use jwtauth_core::fetch::Fetch;
use jwtauth_core::{Code, Error, Explain, VerifierBuilder, wire};
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Either, Utf16String};
use napi_derive::napi;

use batch::Batch;
use errand::{Errand, HostFetch, without_function};
use events::Events;
use explain::Explaining;
use guard::guarded;
use request::Asked;
use shared::Shared;
use step::{Lines, StepTask, fast, lines, returned, step};

fn build(
    host_fetches: bool,
    observes: bool,
    read: impl FnOnce() -> jwtauth_core::Result<VerifierBuilder>,
) -> napi::Result<Verifier> {
    let fetch = || Arc::new(HostFetch) as Arc<dyn Fetch>;
    let events = Events::default();
    let core = guarded(|| {
        let mut builder = read()?.fetch(host_fetches.then(fetch));
        if observes {
            let events = events.clone();
            builder = builder.on_event(move |event| events.add(event));
        }
        builder.build()
    })?;
    Ok(Verifier {
        core: Shared::Own(Arc::new(core)),
        host_fetches,
        events,
    })
}

/// A verifier. Each of Node's threads creates a separate one.
#[napi]
#[derive(Debug)]
pub struct Verifier {
    core: Shared,
    /// Whether the application's function fetches keys.
    host_fetches: bool,
    /// The events that JavaScript has not taken yet.
    events: Events,
}

#[napi]
impl Verifier {
    /// Builds a verifier from the text of a configuration.
    #[napi(constructor)]
    pub fn new(config: String, host_fetches: bool, observes: bool) -> napi::Result<Verifier> {
        build(host_fetches, observes, || {
            jwtauth_core::Verifier::builder(&config)
        })
    }

    /// Builds a verifier from a file.
    #[napi(factory)]
    pub fn from_file(path: String, host_fetches: bool, observes: bool) -> napi::Result<Verifier> {
        build(host_fetches, observes, || {
            jwtauth_core::Verifier::builder_from_file(&path)
        })
    }

    /// Takes the events since the last call, in their order.
    #[napi]
    pub fn take_events(&self) -> Vec<String> {
        self.events.take()
    }

    /// The counters.
    #[napi]
    pub fn counters(&self) -> napi::Result<String> {
        guarded(|| Ok(wire::counters(&self.core)))
    }

    /// Takes one step of a decision, on the calling thread: returns the lines of a grant, or the fetches that it lacks.
    #[napi]
    pub fn step(
        &self,
        text: Utf16String,
        is_json: bool,
        profile: Option<Utf16String>,
        remote_addr: Option<Utf16String>,
        cached_only: bool,
        after: Option<ClassInstance<'_, Errand>>,
    ) -> napi::Result<Either<Lines, Errand>> {
        let after = after.as_deref().map(|after| &after.0);
        guarded(|| {
            let asked = Asked::read(
                &text,
                is_json,
                profile.as_ref(),
                remote_addr.as_ref(),
                cached_only,
            )?;
            step(&self.core, &asked, after)
        })
        .map(returned)
    }

    /// The same on a thread of Node's pool, for requests that take long to read.
    #[napi]
    pub fn step_in_pool(
        &self,
        text: Utf16String,
        is_json: bool,
        profile: Option<Utf16String>,
        remote_addr: Option<Utf16String>,
        cached_only: bool,
        after: Option<ClassInstance<'_, Errand>>,
    ) -> napi::Result<AsyncTask<StepTask>> {
        let after = after.map(|after| after.0.clone());
        guarded(|| {
            Ok(AsyncTask::new(StepTask {
                verifier: self.core.clone(),
                asked: Asked::read(
                    &text,
                    is_json,
                    profile.as_ref(),
                    remote_addr.as_ref(),
                    cached_only,
                )?,
                after,
            }))
        })
    }

    /// A batch of these tokens. Nothing is decided yet.
    #[napi]
    pub fn batch(
        &self,
        tokens: Vec<Utf16String>,
        profile: Option<Utf16String>,
        remote_addr: Option<Utf16String>,
        cached_only: bool,
        threads: Option<u32>,
    ) -> napi::Result<Batch> {
        let asked = |token| Asked::read(token, false, profile.as_ref(), remote_addr.as_ref(), cached_only);
        guarded(|| {
            Ok(Batch::new(
                &self.core,
                tokens.iter().map(asked).collect(),
                threads,
            ))
        })
    }

    /// Decides on the calling thread, and fetches on it; returns the lines of a grant.
    #[napi]
    pub fn authenticate_sync(
        &self,
        text: Utf16String,
        is_json: bool,
        profile: Option<Utf16String>,
        remote_addr: Option<Utf16String>,
        cached_only: bool,
    ) -> napi::Result<Lines> {
        // The function runs on the event loop, and the event loop is waiting for this call.
        let is_local = cached_only || self.host_fetches;
        guarded(|| {
            let asked = Asked::read(&text, is_json, profile.as_ref(), remote_addr.as_ref(), is_local)?;
            let outcome = asked.decide(|request| self.core.answer(request, lines));
            outcome.map_err(|error| without_function(error, self.host_fetches, "authenticateSync"))
        })
        .map(fast)
    }

    /// An explanation of a request. Nothing is decided yet.
    #[napi]
    pub fn explaining(
        &self,
        text: Utf16String,
        is_json: bool,
        profile: Option<Utf16String>,
        remote_addr: Option<Utf16String>,
        cached_only: bool,
        show_values: bool,
    ) -> Explaining {
        let asked = Asked::read(
            &text,
            is_json,
            profile.as_ref(),
            remote_addr.as_ref(),
            cached_only,
        );
        Explaining::new(&self.core, self.host_fetches, asked, Explain { show_values })
    }

    /// The length of requests from which a decision must not block the event loop.
    #[napi]
    pub fn slow_from(&self) -> u32 {
        u32::try_from(self.core.slow_from()).unwrap_or(u32::MAX)
    }

    /// The policy reply.
    #[napi]
    pub fn policy(&self) -> napi::Result<String> {
        guarded(|| Ok(wire::policy(&self.core)))
    }

    /// What fetches the keys of every source.
    #[napi]
    pub fn refresh(&self) -> Errand {
        Errand(self.core.refresh())
    }

    /// The reply to a refresh, after its fetches have ended.
    #[napi]
    pub fn refreshed(&self, errand: ClassInstance<'_, Errand>) -> napi::Result<String> {
        let outcome = guarded(|| Ok(errand.0.outcome()))?;
        let reply = wire::refreshed(&self.core, &outcome);
        if outcome.is_ok() {
            Ok(reply)
        } else {
            Err(napi::Error::from_reason(reply))
        }
    }
}

/// Throws the failure for a string that has no UTF-8 form.
///
/// `JSON.stringify` would write a lone surrogate as an escape, so `index.js` looks for them in what it writes.
#[napi]
pub fn refuse_not_utf8(name: String) -> napi::Result<()> {
    guarded(|| Err(request::lone_surrogate(&name)))
}

/// Throws the failure for a request that does not have the form of a request.
#[napi]
pub fn refuse_request(detail: String) -> napi::Result<()> {
    guarded(|| Err(Error::new(Code::RequestInvalid).with_detail(detail)))
}

/// The library's version.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
