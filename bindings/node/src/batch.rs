//! Many tokens, decided in rounds outside the event loop.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use jwtauth_core::{Code, Result, Round, Verifier, wire};
use napi::bindgen_prelude::{AsyncTask, Either};
use napi::{Env, Task};
use napi_derive::napi;

use crate::errand::Errand;
use crate::guard::guarded;
use crate::request::Asked;
use crate::shared::Shared;
use crate::step;

type Rounds = jwtauth_core::Batch<Result<Asked>, Reply>;

/// Tokens that are decided together. `index.js` calls `round` until it returns the replies, and makes the fetches between
/// two rounds.
#[napi]
#[derive(Debug)]
pub struct Batch {
    verifier: Shared,
    threads: Option<NonZeroUsize>,
    /// `None` while a round is in progress, and after the last one.
    rounds: Arc<Mutex<Option<Rounds>>>,
}

/// The outcome of one token: the lines of a grant, or the failure reply.
#[napi(object)]
#[derive(Debug)]
pub struct Reply {
    pub is_grant: bool,
    pub text: String,
}

#[napi]
impl Batch {
    pub(crate) fn new(verifier: &Shared, asked: Vec<Result<Asked>>, threads: Option<u32>) -> Batch {
        let threads = threads.and_then(|threads| usize::try_from(threads).ok());
        Batch {
            verifier: verifier.clone(),
            threads: threads.and_then(NonZeroUsize::new),
            rounds: Arc::new(Mutex::new(Some(Rounds::new(asked)))),
        }
    }

    /// Takes one step of every token that is not decided yet, on a thread of Node's pool and on further threads, which
    /// end with the round. Returns the replies of all tokens, or the fetches that some lack.
    #[napi]
    pub fn round(&self) -> AsyncTask<RoundTask> {
        AsyncTask::new(RoundTask(Batch {
            verifier: self.verifier.clone(),
            threads: self.threads,
            rounds: Arc::clone(&self.rounds),
        }))
    }
}

/// One round of a batch, outside the event loop.
#[derive(Debug)]
pub struct RoundTask(Batch);

impl Task for RoundTask {
    type Output = Either<Vec<Reply>, Errand>;
    type JsValue = Either<Vec<Reply>, Errand>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let Batch {
            verifier,
            threads,
            rounds,
        } = &self.0;
        let state = || rounds.lock().unwrap_or_else(PoisonError::into_inner);
        guarded(|| {
            let Some(batch) = state().take() else {
                return Err(Code::InternalError.into());
            };
            match batch.round(*threads, |asked, after| reply(verifier, asked, after)) {
                Round::Decided(replies) => Ok(Either::A(replies)),
                Round::Fetch(rest, errand) => {
                    *state() = Some(rest);
                    Ok(Either::B(Errand(errand)))
                }
            }
        })
    }

    fn resolve(&mut self, _: Env, round: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(round)
    }
}

fn reply(
    verifier: &Verifier,
    asked: &Result<Asked>,
    after: Option<&jwtauth_core::Errand>,
) -> std::result::Result<Reply, jwtauth_core::Errand> {
    let step = wire::guarded(|| match asked {
        Ok(asked) => step::step(verifier, asked, after),
        Err(unreadable) => Err(unreadable.clone()),
    });
    match step {
        Ok(Either::A(text)) => Ok(Reply { is_grant: true, text }),
        Ok(Either::B(errand)) => Err(errand.0),
        Err(error) => Ok(Reply {
            is_grant: false,
            text: wire::failed(&error),
        }),
    }
}
