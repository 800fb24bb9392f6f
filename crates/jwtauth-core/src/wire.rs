//! The JSON contract of all languages (`docs/wire-format.md`).
//!
//! A configuration and requests go in, replies come out. The C, Python and Node bindings are thin layers over these
//! functions.

mod batch;
mod event;
mod explain;
pub mod fetch;
mod grant;
mod value;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::dialect::Dialect;
use crate::error::{Code, Error, Result};
use crate::grant::{Entitlement, Grant, Identity, Payload, Session};
use crate::json::{self, Value};
use crate::members::Field;
use crate::request::Request;
use crate::sources::status::SourceStatus;
use crate::token_cache::{Granted, TokenCacheStatus};
use crate::verifier::Verifier;
use crate::warning::Warning;

pub use self::batch::authenticate_many;
#[doc(hidden)]
pub use self::batch::{answer_many, step};
pub use self::event::{counters, event};
#[doc(hidden)]
pub use self::explain::undecided;
pub use self::explain::{dry_run, explain, explained, tried_out};
pub use self::value::{JsonType, count, get, json_type};

/// Runs the work of one call from another language. A panic becomes a failure, never a grant.
///
/// A verifier is immutable except for its cached keys, which are replaced as a whole, so a panic leaves it usable.
///
/// # Errors
/// Those of the work. [`Code::InternalError`] if it panics.
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Code::InternalError.into()))
}

/// Decides a request given as JSON: `token`, `headers`, `url`, `profile`, `remote_addr`, `cached_only`.
///
/// # Errors
/// [`Code::RequestInvalid`], and those of [`Verifier::authenticate`].
pub fn authenticate(verifier: &Verifier, request: &str) -> Result<Grant> {
    self::request(request, |request| verifier.authenticate(&request))
}

/// Reads a request given as JSON and passes it to `decide`.
///
/// # Errors
/// [`Code::RequestInvalid`], and those of `decide`.
pub fn request<T>(request: &str, decide: impl FnOnce(Request<'_>) -> Result<T>) -> Result<T> {
    let invalid = |why: &dyn std::fmt::Display| Error::new(Code::RequestInvalid).with_detail(why);
    // What is too large comes from a client, so the reply is a denial and not an error of the application.
    if request.len() > Request::MAX_BYTES {
        return decide(Request::oversized());
    }
    let document = json::parse(request).map_err(|why| invalid(&why))?;
    decide(read_request(&document)?)
}

/// The reply to a request, as one line of JSON.
pub fn reply(outcome: &Result<Grant>) -> String {
    match outcome {
        Ok(grant) => granted(grant),
        Err(error) => failed(error),
    }
}

/// A failure, as one line of JSON.
pub fn failed(error: &Error) -> String {
    to_line(&FailedReply::of(error))
}

/// A grant, as one line of JSON. The claims are the text of the payload.
pub fn granted(grant: &Grant) -> String {
    joined(grant, "")
}

/// The reply of [`granted`] with line breaks around the identity and before the claims, and nowhere else. A binding can
/// then parse only what a program reads.
#[doc(hidden)]
pub fn granted_in_lines(grant: &Grant) -> String {
    joined(grant, "\n")
}

/// The reply of [`granted`], copied from the token cache where it is kept there.
#[doc(hidden)]
pub fn line(granted: Granted<'_>) -> Cow<'_, str> {
    kept(granted, "")
}

/// The reply of [`granted_in_lines`], copied from the token cache where it is kept there.
#[doc(hidden)]
pub fn lines(granted: Granted<'_>) -> Cow<'_, str> {
    kept(granted, "\n")
}

/// The reply to a grant, with a text around the identity and before the claims.
fn joined(grant: &Grant, around: &str) -> String {
    // INVARIANT: as for `to_line`.
    self::grant::joined(grant, around).unwrap_or_else(|_| INTERNAL_ERROR.to_owned())
}

fn kept<'k>(granted: Granted<'k>, around: &'static str) -> Cow<'k, str> {
    match granted {
        Granted::New(grant) => Cow::Owned(joined(&grant, around)),
        Granted::Kept(kept) => kept.line(around, |grant| joined(grant, around)),
    }
}

/// Reads back what [`granted`] wrote, for applications that pass grants from one process to another.
///
/// This checks the form only; it cannot detect who wrote the text. Read back only text from a place where no caller
/// can write.
///
/// # Errors
/// [`Code::RequestInvalid`].
pub fn restore(reply: &str) -> Result<Grant> {
    let invalid = || Error::new(Code::RequestInvalid).with_detail("the text is not the reply of a grant");
    let read: RestoredReply = serde_json::from_str(reply).map_err(|_| invalid())?;
    if read.outcome != "granted" {
        return Err(invalid());
    }
    Ok(Grant {
        profile: read.profile,
        identity: read.identity,
        entitlements: read.entitlements,
        revocations: read.revocations,
        session: read.session,
        cleaned_url: read.cleaned_url,
        claims: Payload::read(read.claims.get()).map_err(|_| invalid())?,
    })
}

/// The native form of a verifier's policy, which can be loaded again, and its warnings.
pub fn policy(verifier: &Verifier) -> String {
    let policy = verifier.policy();
    to_line(&PolicyReply {
        dialect: Dialect::Native.as_str(),
        config: policy,
        warnings: &policy.warnings,
        key_status: verifier.key_status(),
        token_cache: verifier.token_cache_status(),
    })
}

/// The reply to a successful construction of a verifier: the warnings about its configuration. It does not contain
/// the policy, so it can be logged.
pub fn built(verifier: &Verifier) -> String {
    to_line(&BuiltReply {
        outcome: "built",
        warnings: &verifier.policy().warnings,
    })
}

/// The reply to a refresh of the keys, as one line of JSON: the outcome, and the state of every source.
pub fn refreshed(verifier: &Verifier, outcome: &Result<()>) -> String {
    let sources = verifier.key_status();
    match outcome {
        Ok(()) => to_line(&RefreshedReply {
            outcome: "refreshed",
            sources,
        }),
        Err(error) => to_line(&RefreshFailedReply {
            failure: FailedReply::of(error),
            sources,
        }),
    }
}

fn read_request<'a>(document: &'a Value<'_>) -> Result<Request<'a>> {
    let mut members = Field::root(document, Code::RequestInvalid).members()?;
    let mut request = Request {
        token: members.get("token").map(|field| field.string()).transpose()?,
        ..Request::default()
    };
    if let Some(headers) = members.get("headers") {
        for (name, field) in headers.entries()? {
            match field.value() {
                Value::Array(_) => {
                    for item in field.items()? {
                        request.headers.push((name, item.string()?));
                    }
                }
                _ => request.headers.push((name, field.string()?)),
            }
        }
    }
    request.url = members.get("url").map(|field| field.string()).transpose()?;
    request.profile = members.get("profile").map(|field| field.string()).transpose()?;
    if let Some(field) = members.get("remote_addr") {
        request = request.remote_addr_text(field.string()?);
    }
    if let Some(field) = members.get("cached_only") {
        request.cached_only = field.boolean()?;
    }
    members.finish()?;
    Ok(request)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RestoredReply<'a> {
    outcome: &'a str,
    profile: Option<String>,
    identity: Identity,
    entitlements: Vec<Entitlement>,
    revocations: Vec<Entitlement>,
    session: Session,
    cleaned_url: Option<String>,
    #[serde(borrow)]
    claims: &'a RawValue,
}

#[derive(Serialize)]
struct FailedReply<'a> {
    outcome: &'static str,
    class: &'static str,
    code: &'static str,
    stage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'a str>,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applicable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
}

impl<'a> FailedReply<'a> {
    fn of(error: &'a Error) -> FailedReply<'a> {
        let denied = error.class() == crate::Class::Denied;
        FailedReply {
            outcome: "failed",
            class: error.class().as_str(),
            code: error.code().as_str(),
            stage: error.stage().as_str(),
            claim: error.claim(),
            message: error.code().message(),
            detail: error.detail(),
            applicable: denied.then(|| error.applicable()),
            http_status: error.http_status(),
        }
    }
}

#[derive(Serialize)]
struct PolicyReply<'a> {
    dialect: &'static str,
    config: &'a crate::policy::Policy,
    warnings: &'a [Warning],
    key_status: Vec<SourceStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_cache: Option<TokenCacheStatus>,
}

#[derive(Serialize)]
struct BuiltReply<'a> {
    outcome: &'static str,
    warnings: &'a [Warning],
}

#[derive(Serialize)]
struct RefreshedReply {
    outcome: &'static str,
    sources: Vec<SourceStatus>,
}

#[derive(Serialize)]
struct RefreshFailedReply<'a> {
    #[serde(flatten)]
    failure: FailedReply<'a>,
    sources: Vec<SourceStatus>,
}

fn to_line(value: &impl Serialize) -> String {
    let mut line = Vec::new();
    // INVARIANT: the reply types have string keys and serialisers that cannot fail, so this does not fail. If it ever did,
    // the whole text must read as a failure.
    append(&mut line, value).map_or_else(|_| INTERNAL_ERROR.to_owned(), |()| text(line))
}

/// Writes a value at the end of a line.
fn append(line: &mut Vec<u8>, value: &impl Serialize) -> serde_json::Result<()> {
    let start = line.len();
    serde_json::to_writer(&mut *line, value)?;
    // `serde_json` escapes the line breaks of ASCII only.
    let written = line.get(start..).filter(|written| !written.is_ascii());
    let written = written.and_then(|written| std::str::from_utf8(written).ok());
    if let Some(on_one_line) = written.and_then(json::on_one_line) {
        line.truncate(start);
        line.extend_from_slice(on_one_line.as_bytes());
    }
    Ok(())
}

fn text(line: Vec<u8>) -> String {
    // INVARIANT: only texts were written.
    String::from_utf8(line).unwrap_or_else(|_| INTERNAL_ERROR.to_owned())
}

const INTERNAL_ERROR: &str = r#"{"outcome":"failed","class":"internal","code":"internal_error","stage":"configure","message":"internal error"}"#;

#[cfg(test)]
mod tests {
    use super::{granted, granted_in_lines, guarded, restore};
    use crate::error::{Code, Result};

    #[test]
    fn a_panic_is_an_internal_error() {
        let outcome: Result<()> = guarded(|| panic!("a panic of this test"));
        assert_eq!(outcome.unwrap_err().code(), Code::InternalError);
        assert_eq!(guarded(|| Ok(7)).unwrap(), 7);
        let outcome: Result<()> = guarded(|| Err(Code::TokenExpired.into()));
        assert_eq!(outcome.unwrap_err().code(), Code::TokenExpired);
    }

    #[test]
    fn a_grant_reads_back_as_it_was_written() {
        let full = r#"{"outcome":"granted","profile":"web","identity":{"name":"alice","groups":["a"],"metadata":{"k":"v"},"lists":{"l":["x"]}},"entitlements":[{"kind":"org_role","scope":"1","name":"Editor"},{"kind":"templated_policy","name":"t","variables":{"a":"b"}}],"revocations":[],"session":{"ttl":60,"renewable":true},"cleaned_url":"/","claims":{"n":1.50,"s":"\u0061"}}"#;
        let bare = r#"{"outcome":"granted","identity":{"groups":[],"metadata":{},"lists":{}},"entitlements":[],"revocations":[],"session":{},"claims":{}}"#;
        for text in [full, bare] {
            let grant = restore(text).unwrap();
            assert_eq!(granted(&grant), text);
            let lines = granted_in_lines(&grant);
            assert_eq!(lines.replace('\n', ""), text);
            let lines: Vec<_> = lines.split('\n').collect();
            assert_eq!(lines.len(), 4);
            assert_eq!(lines[1], serde_json::to_string(&grant.identity).unwrap());
            assert_eq!(lines[3].strip_suffix('}'), Some(grant.claims.as_str()));
        }
    }

    #[test]
    fn a_grant_equals_its_copy_if_the_payload_has_white_space() {
        let text = "{\"outcome\":\"granted\",\"identity\":{\"name\":\"a\u{2028}b\",\"groups\":[],\"metadata\":{},\"lists\":{}},\
            \"entitlements\":[],\"revocations\":[],\"session\":{},\"claims\": {\n\"sub\" : \"a\u{2028}b\"} }";
        let grant = restore(text).unwrap();
        let written = granted(&grant);
        assert!(written.ends_with(r#""claims":{"sub":"a\u2028b"}}"#), "{written}");
        assert!(written.is_ascii(), "{written}");
        assert_eq!(restore(&written).unwrap(), grant);
    }

    #[test]
    fn debug_prints_nothing_from_the_token() {
        let text = r#"{"outcome":"granted","identity":{"name":"hush","subject":"hush","groups":["hush"],"metadata":{"k":"hush"},"lists":{"l":["hush"]}},"entitlements":[{"kind":"role","name":"hush"}],"revocations":[],"session":{"display_name":"hush"},"cleaned_url":"/hush","claims":{"sub":"hush"}}"#;
        let grant = restore(text).unwrap();
        let shown = format!("{grant:?} {:?} {:?}", grant.identity, grant.claims);
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("Payload((14 bytes))"), "{shown}");
    }

    #[test]
    fn a_large_request_is_denied_in_every_interface() {
        let config = r#"{"dialect":"native","config":{"keys":[{"secret":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}],"algorithms":["HS256"]}}"#;
        let verifier = super::Verifier::from_json(config).unwrap();
        let token = "x".repeat(5_000_000);
        let bearer = format!("Bearer {token}");
        let json = format!(r#"{{"headers":{{"Authorization":"{bearer}"}}}}"#);
        for outcome in [
            verifier.authenticate(&super::Request::bearer(&token)),
            verifier.authenticate(&super::Request::headers([("Authorization", bearer.as_str())])),
            super::authenticate(&verifier, &json),
        ] {
            assert_eq!(outcome.unwrap_err().code(), Code::TokenTooLarge);
        }
    }

    #[test]
    fn only_the_reply_of_a_grant_is_read_back() {
        let bare = r#"{"outcome":"granted","identity":{"groups":[],"metadata":{},"lists":{}},"entitlements":[],"revocations":[],"session":{},"claims":{}}"#;
        let table = [
            ("", ""),
            ("granted", "failed"),
            ("\"claims\":{}", "\"claims\":[]"),
            ("\"claims\":{}", "\"claims\":{\"a\":1,\"a\":2}"),
            ("\"session\":{}", "\"session\":{\"sid\":1}"),
            ("\"claims\":{}", "\"claims\":{},\"token\":\"x\""),
            (
                "\"entitlements\":[]",
                "\"entitlements\":[{\"kind\":\"king\",\"name\":\"x\"}]",
            ),
        ];
        for (from, to) in table {
            let text = if from.is_empty() {
                String::new()
            } else {
                bare.replace(from, to)
            };
            assert_eq!(restore(&text).unwrap_err().code(), Code::RequestInvalid, "{text}");
        }
    }
}
