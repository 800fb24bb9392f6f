//! The replies to many requests.

use std::num::NonZeroUsize;

use super::guarded;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::grant::Grant;
use crate::request::Request;
use crate::sources::errand::Errand;
use crate::token_cache::Granted;
use crate::verifier::Verifier;

/// Decides several requests on several threads, as [`Verifier::authenticate_many`] does, and makes a reply to each on
/// the same threads. The replies are in the order of the requests.
///
/// An `Err` among the requests is one that the caller could not read; it is the outcome of that request alone. So is
/// [`Code::InternalError`](crate::Code::InternalError), if a decision panics.
pub fn authenticate_many<T: Send>(
    verifier: &Verifier,
    requests: &[Result<Request<'_>>],
    threads: Option<NonZeroUsize>,
    reply: impl Fn(Result<Grant>) -> T + Sync,
) -> Vec<T> {
    Batch::new(requests).run(threads, |request, after| {
        step(verifier, request.as_ref(), after, Grant::of).map(&reply)
    })
}

/// Decides as [`authenticate_many`] does. The results of grants are what `make` makes from them.
#[doc(hidden)]
pub fn answer_many<T: Send>(
    verifier: &Verifier,
    requests: &[Result<Request<'_>>],
    threads: Option<NonZeroUsize>,
    make: impl Fn(Granted<'_>) -> T + Sync,
) -> Vec<Result<T>> {
    Batch::new(requests).run(threads, |request, after| {
        step(verifier, request.as_ref(), after, &make)
    })
}

/// Takes a step of one decision of a batch. A panic becomes a failure of this request.
///
/// # Errors
/// The fetches that the decision lacks.
#[doc(hidden)]
pub fn step<T>(
    verifier: &Verifier,
    request: Result<&Request<'_>, &Error>,
    after: Option<&Errand>,
    make: impl Fn(Granted<'_>) -> T,
) -> Result<Result<T>, Errand> {
    let step = guarded(|| match request {
        Ok(request) => Ok(verifier.answer_step(request, after, make)),
        Err(unreadable) => Err(unreadable.clone()),
    });
    step.unwrap_or_else(|error| Ok(Err(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::wire;

    const CONFIG: &str = r#"{"dialect":"native","config":{"keys":[{"secret":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}],"algorithms":["HS256"],"issuer":"joe","identity":{"name":"iss"}},"options":{"now":1300819379}}"#;
    /// The example of RFC 7515, appendix A.1.
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn replies_are_those_of_the_requests_one_by_one_in_their_order() {
        let verifier = Verifier::from_json(CONFIG).unwrap();
        let unreadable = Error::new(Code::ArgumentNull).with_detail("`token`");
        let texts = ["", TOKEN, "a.b.c", "eyJ9.e30.", TOKEN];
        let mut requests: Vec<Result<Request<'_>>> = texts
            .iter()
            .cycle()
            .take(99)
            .map(|text| Ok(Request::bearer(text)))
            .collect();
        requests.insert(50, Err(unreadable.clone()));
        let one_by_one: Vec<String> = requests
            .iter()
            .map(|request| match request {
                Ok(request) => wire::reply(&verifier.authenticate(request)),
                Err(error) => wire::failed(error),
            })
            .collect();
        for threads in [None, NonZeroUsize::new(1), NonZeroUsize::new(5)] {
            let replies = authenticate_many(&verifier, &requests, threads, |outcome| wire::reply(&outcome));
            assert_eq!(replies, one_by_one);
        }
        let outcomes = authenticate_many(&verifier, &requests, None, |outcome| outcome.is_ok());
        assert_eq!(outcomes.iter().filter(|granted| **granted).count(), 39);
    }
}
