//! Sessions: the verbs as JSON, on threads where they wait for a store.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jwtauth_core::Step;
use jwtauth_core::fetch::Fetch;
use jwtauth_sessions::{Code, Error, Result, Sessions as Core, SessionsBuilder, wire};
use napi::bindgen_prelude::{ClassInstance, Either, FnArgs, Function, ToNapiValue};
use napi::threadsafe_function::{ThreadsafeCallContext, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::Verifier;
use crate::errand::{Errand, HostFetch, without_function};
use crate::events::Events;
use crate::shared::Shared;
use crate::workers::Workers;

/// The reply to a verb, or the fetches that a login lacks.
type Answer = Either<String, Errand>;
/// Other sessions, or the failure reply.
type Reloaded = Either<Sessions, String>;

/// Sessions. Each of Node's threads creates separate ones, which may have the same store.
#[napi]
#[derive(Debug)]
pub struct Sessions {
    core: Arc<Core>,
    setting: Setting,
    /// The events that JavaScript has not taken yet.
    events: Events,
    /// Sessions with the same store share them.
    workers: Workers,
}

/// Which functions the application has set.
#[derive(Debug, Clone, Copy)]
struct Setting {
    host_fetches: bool,
    observes: bool,
}

impl Setting {
    fn new(host_fetches: bool, observes: bool) -> Setting {
        Setting {
            host_fetches,
            observes,
        }
    }

    fn build(self, read: impl FnOnce() -> Result<SessionsBuilder>) -> napi::Result<Sessions> {
        build(self, Workers::default(), read, SessionsBuilder::build).map_err(napi::Error::from_reason)
    }
}

#[napi]
impl Sessions {
    /// Builds sessions from the text of a configuration.
    #[napi(constructor)]
    pub fn new(config: String, host_fetches: bool, observes: bool) -> napi::Result<Sessions> {
        Setting::new(host_fetches, observes).build(|| Core::builder(&config))
    }

    /// Builds sessions from a file.
    #[napi(factory)]
    pub fn from_file(path: String, host_fetches: bool, observes: bool) -> napi::Result<Sessions> {
        Setting::new(host_fetches, observes).build(|| Core::builder_from_file(&path))
    }

    /// The verifier that decides logins.
    #[napi]
    pub fn verifier(&self) -> Verifier {
        Verifier {
            core: Shared::OfSessions(Arc::clone(&self.core)),
            host_fetches: self.setting.host_fetches,
            events: self.events.clone(),
        }
    }

    /// Whether the sessions are in the memory of this process.
    #[napi(getter)]
    pub fn is_in_memory(&self) -> bool {
        self.core.is_in_memory()
    }

    /// Does a verb on a thread, and calls `on_end` with the reply. A login may lack fetches first.
    #[napi]
    pub fn call(
        &self,
        verb: String,
        request: String,
        after: Option<ClassInstance<'_, Errand>>,
        on_end: Function<'_, FnArgs<(Answer,)>, ()>,
    ) -> napi::Result<()> {
        let core = Arc::clone(&self.core);
        let after = after.map(|after| after.0.clone());
        self.start(on_end, Either::A, move || {
            if verb != LOGIN {
                return Either::A(answer(&core, &verb, &request));
            }
            let reply = wire::login_decided(&core, &request, |request| {
                match core.verifier().step(&request, after.as_ref()) {
                    Step::Decided(outcome) => Ok(outcome),
                    Step::Fetch(errand) => Err(errand),
                }
            });
            match reply {
                Ok(reply) => Either::A(reply.expose().to_owned()),
                Err(errand) => Either::B(Errand(errand)),
            }
        })
    }

    /// Does a verb on the calling thread, and fetches on it; returns the reply.
    #[napi]
    pub fn call_sync(&self, verb: String, request: String) -> String {
        if verb != LOGIN {
            return answer(&self.core, &verb, &request);
        }
        let Setting { host_fetches, .. } = self.setting;
        let reply = wire::login_decided(&self.core, &request, |request| {
            // The function runs on the event loop, and the event loop is waiting for this call.
            let request = if host_fetches {
                request.cached_only(true)
            } else {
                request
            };
            let outcome = self.core.verifier().authenticate(&request);
            let without = |error| without_function(error, host_fetches, "loginSync");
            Ok::<_, Infallible>(outcome.map_err(without))
        });
        let Ok(reply) = reply;
        reply.expose().to_owned()
    }

    /// Builds sessions with the same store on a thread, and calls `on_end` with them.
    #[napi]
    pub fn reload(&self, config: String, on_end: Function<'_, FnArgs<(Reloaded,)>, ()>) -> napi::Result<()> {
        let (core, setting, workers) = (Arc::clone(&self.core), self.setting, self.workers.clone());
        self.start(on_end, Either::B, move || {
            match reload(&core, setting, workers, &config) {
                Ok(sessions) => Either::A(sessions),
                Err(reply) => Either::B(reply),
            }
        })
    }

    /// Builds sessions with the same store on the calling thread.
    #[napi]
    pub fn reload_sync(&self, config: String) -> napi::Result<Sessions> {
        reload(&self.core, self.setting, self.workers.clone(), &config).map_err(napi::Error::from_reason)
    }

    /// Does `job` on a thread, and then calls `on_end` on the event loop, which stays alive until then. If no thread can do it,
    /// `on_end` gets the failure reply.
    fn start<T: ToNapiValue + 'static>(
        &self,
        on_end: Function<'_, FnArgs<(T,)>, ()>,
        failed: impl FnOnce(String) -> T,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> napi::Result<()> {
        let on_end = on_end
            .build_threadsafe_function()
            .build_callback(|end: ThreadsafeCallContext<FnArgs<(T,)>>| Ok(end.value))?;
        let on_end = Arc::new(on_end);
        let later = Arc::clone(&on_end);
        // An environment that has ended receives nothing.
        let job = move || {
            let _ = later.call((job(),).into(), ThreadsafeFunctionCallMode::NonBlocking);
        };
        if let Err(why) = self.workers.start(job) {
            let reply = wire::failed(&Error::with(Code::StoreUnavailable, why));
            let _ = on_end.call((failed(reply),).into(), ThreadsafeFunctionCallMode::NonBlocking);
        }
        Ok(())
    }
}

/// Does a verb that fetches nothing.
fn answer(sessions: &Core, verb: &str, request: &str) -> String {
    let reply = match verb {
        "lookup" => wire::lookup(sessions, request),
        "lookup_accessor" => wire::lookup_accessor(sessions, request),
        "renew" => wire::renew(sessions, request),
        "revoke" => wire::revoke(sessions, request),
        "revoke_accessor" => wire::revoke_accessor(sessions, request),
        "revoke_all" => wire::revoke_all(sessions, request),
        "authorize" => wire::authorize(sessions, request),
        "sweep" => wire::sweep(sessions),
        _ => {
            let error = Error::with(Code::SessionRequestInvalid, "sessions have no such verb");
            return wire::failed(&error);
        }
    };
    reply.expose().to_owned()
}

fn reload(
    core: &Core,
    setting: Setting,
    workers: Workers,
    config: &str,
) -> std::result::Result<Sessions, String> {
    let finish = |builder| core.reload_with(builder);
    build(setting, workers, || core.changed(config), finish)
}

/// Builds sessions. A failure and a panic become the failure reply.
fn build(
    setting: Setting,
    workers: Workers,
    read: impl FnOnce() -> Result<SessionsBuilder>,
    finish: impl FnOnce(SessionsBuilder) -> Result<Core>,
) -> std::result::Result<Sessions, String> {
    let events = Events::default();
    let core = || {
        let fetch = setting
            .host_fetches
            .then(|| Arc::new(HostFetch) as Arc<dyn Fetch>);
        let mut builder = read()?.fetch(fetch);
        if setting.observes {
            let events = events.clone();
            builder = builder.on_event(move |event| events.add(event));
        }
        finish(builder)
    };
    let core = catch_unwind(AssertUnwindSafe(core));
    let core = core.unwrap_or_else(|_| Err(Code::SessionInternalError.into()));
    Ok(Sessions {
        core: Arc::new(core.map_err(|error| wire::failed(&error))?),
        setting,
        events,
        workers,
    })
}

/// The verb that may fetch keys.
const LOGIN: &str = "login";
