//! The verbs as JSON: a request in, a reply of one line out. The bindings use it.
//!
//! No function fails: a failure is a reply whose `outcome` is `failed`, and an outcome that could not be written reads as a
//! failure, too. `docs/sessions.md` describes requests and replies.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jwtauth_core::internals::json::parse;
use jwtauth_core::{Class, Entitlement, EntitlementKind, Grant, Request};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Code, Error, Result};
use crate::info::SessionInfo;
use crate::member::{self, Field, Members};
use crate::network;
use crate::reply::on_one_line;
use crate::secret::Secret;
use crate::sessions::{Group, Login, Sessions};

/// Decides a login: a request as for a decision, with a member `meta` if the session must keep texts (Consul).
pub fn login(sessions: &Sessions, request: &str) -> Secret {
    let decide = |request: Request<'_>| Ok::<_, Infallible>(sessions.verifier().authenticate(&request));
    let Ok(reply) = login_decided(sessions, request, decide);
    reply
}

/// Does what [`login`] does with the decision of `decide`, which must be one of the verifier of these sessions. It is for
/// programs with an event loop, whose decisions have several steps.
///
/// # Errors
/// Those of `decide`: there is no decision yet.
#[doc(hidden)]
pub fn login_decided<E>(
    sessions: &Sessions,
    request: &str,
    decide: impl FnOnce(Request<'_>) -> Result<jwtauth_core::Result<Grant>, E>,
) -> Result<Secret, E> {
    let mut undecided = None;
    let reply = answer(|| {
        // What is too large is not read: the core denies it.
        let is_small = request.len() <= MAX_REQUEST;
        let split = is_small.then(|| member::split(request, "meta")).flatten();
        let (request, meta) = match &split {
            Some(split) => (split.rest.as_str(), split.taken),
            // The core reports what is wrong with the text.
            None => (request, None),
        };
        let meta = meta.map(read_meta).transpose()?.unwrap_or_default();
        let mut outcome = None;
        let decided = jwtauth_core::wire::request(request, |request| {
            match decide(request) {
                Ok(decided) => outcome = Some(decided),
                Err(why) => undecided = Some(why),
            }
            Ok(())
        });
        match outcome {
            Some(outcome) => issued("login", &sessions.login_granted(&outcome?, &meta)?),
            None => {
                decided?;
                Err(Code::SessionInternalError.into())
            }
        }
    });
    undecided.map_or(Ok(reply), Err)
}

/// Decides a login whose token is not in JSON. `meta` is an object of texts, as the member of [`login`].
pub fn login_token(sessions: &Sessions, request: &Request<'_>, meta: Option<&str>) -> Secret {
    answer(|| {
        let meta = meta.map(read_meta).transpose()?.unwrap_or_default();
        issued("login", &sessions.login(request, &meta)?)
    })
}

/// Returns a session: `token`.
pub fn lookup(sessions: &Sessions, request: &str) -> Secret {
    read(request, |mut members| {
        let token = required(&mut members, "token")?;
        members.finish()?;
        found("session", &sessions.lookup(token)?)
    })
}

/// Returns the session of a token that is not in JSON.
pub fn lookup_token(sessions: &Sessions, token: &str) -> Secret {
    answer(|| found("session", &sessions.lookup(token)?))
}

/// Returns a session: `accessor`.
pub fn lookup_accessor(sessions: &Sessions, request: &str) -> Secret {
    read(request, |mut members| {
        let accessor = required(&mut members, "accessor")?;
        members.finish()?;
        found("session", &sessions.lookup_accessor(accessor)?)
    })
}

/// Renews a session: `token`, and optionally `increment` in seconds.
pub fn renew(sessions: &Sessions, request: &str) -> Secret {
    read(request, |mut members| {
        let token = required(&mut members, "token")?;
        let increment = members.read("increment", |field| field.between(0, u64::MAX))?;
        members.finish()?;
        issued("renewed", &sessions.renew(token, increment.unwrap_or_default())?)
    })
}

/// Renews the session of a token that is not in JSON.
pub fn renew_token(sessions: &Sessions, token: &str, increment: u64) -> Secret {
    answer(|| issued("renewed", &sessions.renew(token, increment)?))
}

/// Ends a session: `token`.
pub fn revoke(sessions: &Sessions, request: &str) -> Secret {
    read(request, |mut members| {
        let token = required(&mut members, "token")?;
        members.finish()?;
        sessions.revoke(token)?;
        counted("revoked", 1)
    })
}

/// Ends the session of a token that is not in JSON.
pub fn revoke_token(sessions: &Sessions, token: &str) -> Secret {
    answer(|| sessions.revoke(token).and_then(|()| counted("revoked", 1)))
}

/// Ends a session: `accessor`.
pub fn revoke_accessor(sessions: &Sessions, request: &str) -> Secret {
    read(request, |mut members| {
        let accessor = required(&mut members, "accessor")?;
        members.finish()?;
        sessions.revoke_accessor(accessor)?;
        counted("revoked", 1)
    })
}

/// Ends the sessions of a group: `profile` or `subject`.
pub fn revoke_all(sessions: &Sessions, request: &str) -> Secret {
    read(request, |mut members| {
        let profile = members.read("profile", Field::string)?;
        let subject = members.read("subject", Field::string)?;
        members.finish()?;
        let group = match (profile, subject) {
            (Some(name), None) => Group::Profile(name),
            (None, Some(name)) => Group::Subject(name),
            _ => {
                return Err(Error::with(
                    Code::SessionRequestInvalid,
                    "must have one of `profile`, `subject`",
                ));
            }
        };
        counted("revoked", sessions.revoke_all(group)?)
    })
}

/// Checks the token of a later request: `token`, and `remote_addr` where sessions are bound to networks.
pub fn authorize(sessions: &Sessions, request: &str) -> Secret {
    read(request, |mut members| {
        let token = required(&mut members, "token")?;
        let remote_addr = members
            .read("remote_addr", Field::string)?
            .and_then(network::address);
        members.finish()?;
        found(AUTHORIZED, &sessions.authorize(token, remote_addr)?)
    })
}

/// Checks the token of a later request, which is not in JSON. The address has the forms of `remote_addr` in [`authorize`].
pub fn authorize_token(sessions: &Sessions, token: &str, remote_addr: Option<&str>) -> Secret {
    answer(|| {
        let remote_addr = remote_addr.and_then(network::address);
        found(AUTHORIZED, &sessions.authorize(token, remote_addr)?)
    })
}

/// Removes what has ended.
pub fn sweep(sessions: &Sessions) -> Secret {
    answer(|| sessions.sweep().and_then(|count| counted("swept", count)))
}

/// The class of the failure that a reply reports; `None` if the verb had its effect. A text that is not a reply counts as an
/// internal error.
pub fn class(reply: &str) -> Option<Class> {
    let classes = [
        Class::Denied,
        Class::Config,
        Class::Unavailable,
        Class::Argument,
        Class::Internal,
    ];
    // The order of the members is that of `Failed`.
    let outcome = reply.strip_prefix(r#"{"outcome":""#).unwrap_or(FAILED);
    let rest = outcome.strip_prefix(FAILED)?;
    let name = rest
        .strip_prefix(r#"","class":""#)
        .and_then(|rest| rest.split('"').next());
    let known = classes.into_iter().find(|class| Some(class.as_str()) == name);
    Some(known.unwrap_or(Class::Internal))
}

/// Whether a reply to [`authorize`] has an entitlement of this kind with this name in exactly this scope, without variables.
///
/// The reply to any other verb has none: a look-up checks no networks and counts no use.
pub fn authorized_has(reply: &str, kind: EntitlementKind, name: &str, scope: Option<&str>) -> bool {
    #[derive(Deserialize)]
    struct Reply {
        outcome: String,
        session: Session,
    }
    #[derive(Deserialize)]
    struct Session {
        entitlements: Vec<Entitlement>,
    }
    let Ok(reply) = serde_json::from_str::<Reply>(reply) else {
        return false;
    };
    let mut held = reply.session.entitlements.iter();
    reply.outcome == AUTHORIZED
        && held.any(|one| {
            one.kind == kind && one.name == name && one.scope.as_deref() == scope && one.variables.is_empty()
        })
}

/// A failure, as one line of JSON.
pub fn failed(error: &Error) -> String {
    let decision = match error {
        Error::Decision(error) => Some(error),
        Error::Session(_) => None,
    };
    let failed = Failed {
        outcome: FAILED,
        class: error.class().as_str(),
        code: error.code(),
        stage: error.stage(),
        claim: decision.and_then(jwtauth_core::Error::claim),
        message: error.message(),
        detail: error.detail(),
        applicable: decision
            .filter(|error| error.class() == jwtauth_core::Class::Denied)
            .map(jwtauth_core::Error::applicable),
        http_status: decision.and_then(jwtauth_core::Error::http_status),
    };
    line(&failed).unwrap_or_else(|_| INTERNAL_ERROR.to_owned())
}

/// Reads a request whose members a verb knows, and answers.
fn read(request: &str, verb: impl FnOnce(Members<'_, '_>) -> Result<String>) -> Secret {
    answer(|| {
        let invalid = |why: &dyn std::fmt::Display| Error::with(Code::SessionRequestInvalid, why);
        if request.len() > MAX_REQUEST {
            return Err(invalid(&"the request is larger than 4 MiB"));
        }
        let document = parse(request).map_err(|why| invalid(&why))?;
        verb(Field::new(&document, "", Code::SessionRequestInvalid).members()?)
    })
}

fn required<'a>(members: &mut Members<'a, '_>, name: &'static str) -> Result<&'a str> {
    members.require(name)?.string()
}

fn read_meta(text: &str) -> Result<BTreeMap<String, String>> {
    let invalid = |_| Error::with(Code::SessionRequestInvalid, "`meta`: is not valid JSON");
    let document = parse(text).map_err(invalid)?;
    if document.is_null() {
        return Ok(BTreeMap::new());
    }
    let entries = Field::new(&document, "meta", Code::SessionRequestInvalid).entries()?;
    let mut meta = BTreeMap::new();
    for (name, field) in entries {
        meta.insert(name.to_owned(), field.string()?.to_owned());
    }
    Ok(meta)
}

/// Does the work. A panic is an internal error.
fn answer(work: impl FnOnce() -> Result<String>) -> Secret {
    let outcome = catch_unwind(AssertUnwindSafe(work));
    let outcome = outcome.unwrap_or_else(|_| Err(Code::SessionInternalError.into()));
    Secret::new(outcome.unwrap_or_else(|error| failed(&error)))
}

fn issued(outcome: &'static str, login: &Login) -> Result<String> {
    let response = RawValue::from_string(login.response.expose().to_owned());
    line(&Issued {
        outcome,
        token: login.token.expose(),
        accessor: login.accessor.as_ref().map(Secret::expose),
        session: &login.session,
        response: response.map_err(|_| Error::from(Code::SessionInternalError))?,
    })
}

fn found(outcome: &'static str, session: &SessionInfo) -> Result<String> {
    line(&Found { outcome, session })
}

fn counted(outcome: &'static str, count: u64) -> Result<String> {
    line(&Counted { outcome, count })
}

fn line(reply: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(reply).map_err(|_| Error::from(Code::SessionInternalError))?;
    Ok(on_one_line(text))
}

#[derive(Serialize)]
struct Issued<'a> {
    outcome: &'static str,
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    accessor: Option<&'a str>,
    session: &'a SessionInfo,
    response: Box<RawValue>,
}

#[derive(Serialize)]
struct Found<'a> {
    outcome: &'static str,
    session: &'a SessionInfo,
}

#[derive(Serialize)]
struct Counted {
    outcome: &'static str,
    count: u64,
}

#[derive(Serialize)]
struct Failed<'a> {
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

/// The outcome of a failure.
const FAILED: &str = "failed";
/// The outcome of a check that passed.
const AUTHORIZED: &str = "authorized";

/// The largest request, in bytes. It is that of the core.
const MAX_REQUEST: usize = 4 * 1024 * 1024;

const INTERNAL_ERROR: &str = r#"{"outcome":"failed","class":"internal","code":"session_internal_error","stage":"session","message":"internal error"}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_class_of_its_code() {
        for code in Code::ALL {
            assert_eq!(class(&failed(&Error::new(*code))), Some(code.class()));
        }
        for code in jwtauth_core::Code::ALL {
            let error = Error::from(jwtauth_core::Error::new(*code));
            assert_eq!(class(&failed(&error)), Some(code.class()));
        }
        assert_eq!(class(INTERNAL_ERROR), Some(Class::Internal));
    }

    #[test]
    fn only_the_reply_of_a_success_has_no_class() {
        assert_eq!(class(r#"{"outcome":"authorized","session":{}}"#), None);
        for text in [
            "",
            "{}",
            "null",
            r#" {"outcome":"authorized"}"#,
            r#"{"outcome":"failed"}"#,
            r#"{"outcome":"failed","code":"x","class":"denied"}"#,
            r#"{"outcome":"failed","class":"other"}"#,
        ] {
            assert_eq!(class(text), Some(Class::Internal), "{text}");
        }
    }

    #[test]
    fn only_an_authorized_session_has_entitlements() {
        let has = |outcome: &str, scope: &str| {
            let held = r#"{"kind":"policy","name":"read"},{"kind":"role","scope":"dc1","name":"web"}"#;
            let reply = format!(r#"{{"outcome":"{outcome}","session":{{"ttl":5,"entitlements":[{held}]}}}}"#);
            let scope = Some(scope).filter(|scope| !scope.is_empty());
            let kind = scope.map_or(EntitlementKind::Policy, |_| EntitlementKind::Role);
            authorized_has(&reply, kind, if scope.is_some() { "web" } else { "read" }, scope)
        };
        assert!(has("authorized", "") && has("authorized", "dc1"));
        assert!(!has("authorized", "dc2"));
        for outcome in ["session", "login", "renewed", "failed", "granted", ""] {
            assert!(!has(outcome, ""), "{outcome}");
        }
        assert!(!authorized_has("", EntitlementKind::Policy, "read", None));
    }
}
