//! The fetches that a decision lacks, each made on a thread of its own.
//!
//! The thread ends with the fetch. A thread of Node's pool would not do: every lookup of a file or of a host name goes
//! through the pool, also those of the application's `fetch` function, which such a thread would wait for. `index.js`
//! shares equal fetches, so there is at most one such thread for each key source, and one for each refresh.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::{Code, Error, wire};
use napi::Status;
use napi::bindgen_prelude::{ClassInstance, FnArgs, Function, Uint8Array};
use napi::threadsafe_function::{ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::guard::guarded;

/// What JavaScript is called with: `fetch` and its request as JSON, with the place for its outcome; or `done`.
type Event = FnArgs<(&'static str, String, Option<Exchange>)>;

/// The fetches that a decision lacks.
#[napi]
#[derive(Debug)]
pub struct Errand(pub(crate) jwtauth_core::Errand);

#[napi]
impl Errand {
    /// One for each key source.
    #[napi]
    pub fn fetches(&self) -> Vec<KeyFetch> {
        self.0.fetches().iter().cloned().map(KeyFetch).collect()
    }
}

/// The fetch of the keys of one source.
#[napi]
#[derive(Debug)]
pub struct KeyFetch(jwtauth_core::KeyFetch);

#[napi]
impl KeyFetch {
    /// Whether the decision must wait for it, also where another call makes it.
    #[napi(getter)]
    pub fn is_needed(&self) -> bool {
        self.0.is_needed()
    }

    /// Whether one fetch serves both.
    #[napi]
    pub fn equals(&self, other: ClassInstance<'_, KeyFetch>) -> bool {
        self.0 == other.0
    }

    /// Makes the fetch on a thread of its own. Calls `on_event` with `fetch` where the application's function is to
    /// fetch, and with `done` at the end; until then, the event loop stays alive.
    #[napi]
    pub fn run(&self, on_event: Function<'_, Event, ()>) -> napi::Result<()> {
        let host = on_event
            .build_threadsafe_function()
            .build_callback(|event: ThreadsafeCallContext<Event>| Ok(event.value))?;
        let host = Arc::new(host);
        let fetch = self.0.clone();
        let work = move || {
            HOST.set(Some(Arc::clone(&host)));
            // A panic is part of the outcome, which the next step of the decision sees.
            let _ = guarded(|| {
                fetch.run();
                Ok(())
            });
            // An environment that has ended receives nothing.
            let _ = host.call(
                ("done", String::new(), None).into(),
                ThreadsafeFunctionCallMode::NonBlocking,
            );
        };
        let thread = thread::Builder::new()
            .name("jwtauth-fetch".to_owned())
            .spawn(work);
        thread.map(drop).map_err(|why| {
            let error =
                Error::new(Code::KeySourceUnavailable).with_detail(format!("no thread to fetch on: {why}"));
            napi::Error::from_reason(wire::failed(&error))
        })
    }
}

/// The application's `fetch` function. It runs on the event loop, while the thread of the fetch waits for it.
#[derive(Debug)]
pub(crate) struct HostFetch;

impl Fetch for HostFetch {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let failed = |why: &str| FetchFailed::new(Phase::Http, format!("the `fetch` function {why}"));
        let host = HOST
            .with_borrow(Option::clone)
            .ok_or_else(|| failed("cannot be called from here"))?;
        let (sender, outcome) = sync_channel(1);
        let event = (
            "fetch",
            wire::fetch::request(request),
            Some(Exchange(Some(sender))),
        );
        // An environment that has ended receives nothing; the sender is then dropped with the event.
        let _ = host.call(event.into(), ThreadsafeFunctionCallMode::NonBlocking);
        outcome.recv_timeout(request.timeout).unwrap_or_else(|why| {
            Err(failed(match why {
                RecvTimeoutError::Timeout => "gave no answer in time",
                RecvTimeoutError::Disconnected => "will never answer",
            }))
        })
    }
}

/// The failure of a call on the event loop, which could not wait for the application's function.
pub(crate) fn without_function(error: Error, host_fetches: bool, call: &str) -> Error {
    if !host_fetches || error.code() != Code::KeySourceUnavailable {
        return error;
    }
    let why = error.detail().unwrap_or_default();
    let detail = format!("{why} (`{call}` cannot wait for a `fetch` function)");
    error.with_detail(detail)
}

/// Where the outcome of one fetch goes. The first one counts, if it is not too late.
#[napi]
#[derive(Debug)]
pub struct Exchange(Option<SyncSender<Result<Fetched, FetchFailed>>>);

#[napi]
impl Exchange {
    /// A server answered. The headers are a JSON object.
    #[napi]
    pub fn respond(&mut self, status: i64, headers: String, body: Uint8Array) {
        let status = u16::try_from(status).unwrap_or_default();
        let answer = wire::fetch::answer(status, Some(&headers), body.to_vec());
        self.settle(answer.map_err(|why| {
            let why = why.detail().unwrap_or_default();
            FetchFailed::new(Phase::Http, format!("the `fetch` function's response: {why}"))
        }));
    }

    /// Nothing was fetched: in which phase, and why.
    #[napi]
    pub fn fail(&mut self, phase: String, reason: String) {
        let phase = Phase::parse(&phase).unwrap_or(Phase::Http);
        self.settle(Err(FetchFailed::new(phase, reason)));
    }

    fn settle(&mut self, outcome: Result<Fetched, FetchFailed>) {
        if let Some(sender) = self.0.take() {
            // The receiver is gone when the outcome comes after the deadline.
            let _ = sender.send(outcome);
        }
    }
}

type Host = ThreadsafeFunction<Event, (), Event, Status, false>;

thread_local! {
    /// The function of the fetch on this thread.
    static HOST: RefCell<Option<Arc<Host>>> = const { RefCell::new(None) };
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn exchange() -> (Exchange, std::sync::mpsc::Receiver<Result<Fetched, FetchFailed>>) {
        let (sender, outcome) = sync_channel(1);
        (Exchange(Some(sender)), outcome)
    }

    #[test]
    fn the_first_outcome_counts() {
        let (mut exchange, outcome) = exchange();
        exchange.fail("dns".to_owned(), "no such host".to_owned());
        exchange.fail("tls".to_owned(), "expired".to_owned());
        let failed = outcome.recv().unwrap().unwrap_err();
        assert_eq!(failed, FetchFailed::new(Phase::Dns, "no such host"));
        assert!(outcome.recv().is_err());
    }

    #[test]
    fn an_outcome_after_the_deadline_is_dropped() {
        let (mut exchange, outcome) = exchange();
        drop(outcome);
        exchange.fail("http".to_owned(), "too late".to_owned());
    }

    #[test]
    fn a_thread_without_a_fetch_cannot_call_the_function() {
        let failed = HostFetch
            .get(&FetchRequest::new(
                "https://issuer.test/keys",
                Duration::from_secs(60),
                1,
            ))
            .unwrap_err();
        assert!(failed.reason.contains("cannot be called from here"), "{failed}");
    }
}
