//! How does a call fetch keys without keeping Node waiting?
//!
//! On a thread of its own, which lives as long as the call. A thread of Node's pool would not do: every look-up of a
//! file or a name goes through the pool, also the look-ups of the `fetch` function that such a thread would wait for.
//! `index.js` makes these calls one at a time, so there are two of these threads with a verifier at most: one for a
//! decision and one for a refresh.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::{Code, Error, wire};
use napi::Status;
use napi::bindgen_prelude::{FnArgs, Function, Uint8Array};
use napi::threadsafe_function::{ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

/// What JavaScript is told: `reply`, `failure` or `fetch`; its text; and for a fetch, where its outcome goes.
pub(crate) type Told = FnArgs<(&'static str, String, Option<Exchange>)>;

/// Makes a call on a thread of its own. JavaScript is told of every fetch that the call needs, and at last of its
/// outcome; until then, the event loop does not end.
pub(crate) fn call(
    tell: &Function<'_, Told, ()>,
    call: impl FnOnce() -> napi::Result<String> + Send + 'static,
) -> napi::Result<()> {
    let host = tell
        .build_threadsafe_function()
        .build_callback(|told: ThreadsafeCallContext<Told>| Ok(told.value))?;
    let host = Arc::new(host);
    let run = move || {
        HOST.set(Some(Arc::clone(&host)));
        let told = match call() {
            Ok(reply) => ("reply", reply, None),
            Err(failure) => ("failure", failure.reason.clone(), None),
        };
        // An environment that has ended wants to hear no more.
        let _ = host.call(told.into(), ThreadsafeFunctionCallMode::NonBlocking);
    };
    let thread = thread::Builder::new().name("jwtauth-fetch".to_owned()).spawn(run);
    thread.map(drop).map_err(|why| {
        let error =
            Error::new(Code::KeySourceUnavailable).with_detail(format!("no thread to fetch on: {why}"));
        napi::Error::from_reason(wire::failed(&error))
    })
}

/// The host's `fetch` function. It runs on the event loop, while the thread of the call waits for it.
#[derive(Debug)]
pub(crate) struct HostFetch;

impl Fetch for HostFetch {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let failed = |why: &str| FetchFailed::new(Phase::Http, format!("the `fetch` function {why}"));
        let host = HOST
            .with_borrow(Option::clone)
            .ok_or_else(|| failed("cannot be called from here"))?;
        let (sender, outcome) = sync_channel(1);
        let told = (
            "fetch",
            wire::fetch::request(request),
            Some(Exchange(Some(sender))),
        );
        // Where there is nobody left to tell, the sender is dropped with what was to be told.
        let _ = host.call(told.into(), ThreadsafeFunctionCallMode::NonBlocking);
        outcome.recv_timeout(request.timeout).unwrap_or_else(|why| {
            Err(failed(match why {
                RecvTimeoutError::Timeout => "gave no answer in time",
                RecvTimeoutError::Disconnected => "will never answer",
            }))
        })
    }
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
            // Nobody waits for an answer that comes too late.
            let _ = sender.send(outcome);
        }
    }
}

type Host = ThreadsafeFunction<Told, (), Told, Status, false>;

thread_local! {
    /// Whom the call on this thread tells.
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
    fn an_outcome_that_nobody_waits_for_is_dropped() {
        let (mut exchange, outcome) = exchange();
        drop(outcome);
        exchange.fail("http".to_owned(), "too late".to_owned());
    }

    #[test]
    fn a_thread_that_belongs_to_no_call_cannot_fetch() {
        let failed = HostFetch
            .get(&FetchRequest {
                url: "https://issuer.test/keys",
                timeout: Duration::from_secs(60),
                max_bytes: 1,
                if_none_match: None,
                if_modified_since: None,
            })
            .unwrap_err();
        assert!(failed.reason.contains("cannot be called from here"), "{failed}");
    }
}
