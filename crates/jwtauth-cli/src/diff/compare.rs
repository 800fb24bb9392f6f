//! What differs between two outcomes.

use jwtauth_core::{Code, Error, Grant, Result};
use serde::Serialize;
use serde_json::Value;

/// How a decision changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    /// It does not.
    Equal,
    /// The new configuration grants what the old one did not.
    NewlyGranted,
    /// The new configuration does not grant what the old one did.
    NoLongerGranted,
    /// Both grant, but not the same.
    GrantedDifferently,
    /// Neither grants, with different failures.
    DeniedDifferently,
}

/// The difference of two outcomes.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    pub(super) change: Change,
    /// Whether the new configuration grants.
    #[serde(skip)]
    pub(super) granted: bool,
    /// Whether both deny because of a time.
    #[serde(skip)]
    pub(super) by_time: bool,
    /// Whether both deny before they read the claims.
    #[serde(skip)]
    pub(super) by_request: bool,
    #[serde(rename = "differences", skip_serializing_if = "Vec::is_empty")]
    pub(super) members: Vec<Member>,
}

/// A member that differs. What is absent has no value.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Member {
    pub(super) member: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) old: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new: Option<Value>,
}

impl Difference {
    pub(super) fn between(old: &Result<Grant>, new: &Result<Grant>) -> Difference {
        let members = differences(&members(old), &members(new));
        let change = match (old, new) {
            (Err(_), Ok(_)) => Change::NewlyGranted,
            (Ok(_), Err(_)) => Change::NoLongerGranted,
            _ if members.is_empty() => Change::Equal,
            (Ok(_), Ok(_)) => Change::GrantedDifferently,
            (Err(_), Err(_)) => Change::DeniedDifferently,
        };
        Difference {
            change,
            granted: new.is_ok(),
            by_time: is_about_time(old) && is_about_time(new),
            by_request: is_about_request(old) && is_about_request(new),
            members,
        }
    }
}

fn is_about_time(outcome: &Result<Grant>) -> bool {
    let code = outcome.as_ref().err().map(Error::code);
    matches!(
        code,
        Some(Code::TokenExpired | Code::TokenNotYetValid | Code::TokenIssuedInFuture | Code::TokenTooOld)
    )
}

/// Whether the arguments about the request are the reason of a denial, whatever the claims are.
fn is_about_request(outcome: &Result<Grant>) -> bool {
    let code = outcome.as_ref().err().map(Error::code);
    matches!(
        code,
        Some(Code::ProfileUnknown | Code::ProfileMissing | Code::AddressNotAllowed | Code::RequestInvalid)
    )
}

/// The members of an outcome that a program acts on. A member may be repeated, as each entitlement is a member.
type Members = Vec<(String, Value)>;

fn members(outcome: &Result<Grant>) -> Members {
    match outcome {
        Ok(grant) => of_grant(grant),
        Err(error) => of_failure(error),
    }
}

/// The details of failures are the words of a dialect, and are not compared.
fn of_failure(error: &Error) -> Members {
    let mut members = vec![
        ("class".to_owned(), error.class().as_str().into()),
        ("code".to_owned(), error.code().as_str().into()),
    ];
    if !error.applicable() {
        members.push(("applicable".to_owned(), false.into()));
    }
    members
}

fn of_grant(grant: &Grant) -> Members {
    let mut members = Vec::new();
    // INVARIANT: the parts of a grant are plain data with names as keys, so they can be written.
    let json = |part: serde_json::Result<Value>| part.unwrap_or_default();
    flatten(
        "identity",
        json(serde_json::to_value(&grant.identity)),
        &mut members,
    );
    for (name, entitlements) in [
        ("entitlements", &grant.entitlements),
        ("revocations", &grant.revocations),
    ] {
        let each = entitlements
            .iter()
            .map(|one| (name.to_owned(), json(serde_json::to_value(one))));
        members.extend(each);
    }
    flatten(
        "session",
        json(serde_json::to_value(&grant.session)),
        &mut members,
    );
    members
}

/// Adds the members of an object, with its path in front. Empty lists count as absent.
fn flatten(path: &str, value: Value, members: &mut Members) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                flatten(&format!("{path}.{name}"), value, members);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        other => members.push((path.to_owned(), other)),
    }
}

fn differences(old: &Members, new: &Members) -> Vec<Member> {
    let only_in = |some: &Members, other: &Members| -> Members {
        some.iter().filter(|one| !other.contains(one)).cloned().collect()
    };
    let mut added = only_in(new, old);
    let mut found = Vec::new();
    for (member, value) in only_in(old, new) {
        // Entitlements have no names that they could be paired by.
        let pairs = !matches!(member.as_str(), "entitlements" | "revocations");
        let index = added.iter().position(|(name, _)| pairs && *name == member);
        let replaced = index.map(|index| added.remove(index).1);
        found.push(Member {
            member,
            old: Some(value),
            new: replaced,
        });
    }
    found.extend(added.into_iter().map(|(member, value)| Member {
        member,
        old: None,
        new: Some(value),
    }));
    found
}

#[cfg(test)]
mod tests {
    use jwtauth_core::wire;

    use super::*;

    fn grant(identity: &str, entitlements: &str, session: &str) -> Result<Grant> {
        wire::restore(&format!(
            r#"{{"outcome":"granted","identity":{{{identity}"groups":[],"metadata":{{"team":"a"}},"lists":{{}}}},"entitlements":[{entitlements}],"revocations":[],"session":{{{session}}},"claims":{{}}}}"#
        ))
    }

    fn shown(difference: &Difference) -> Vec<String> {
        let value = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
        let member =
            |member: &Member| format!("{} {} {}", member.member, value(&member.old), value(&member.new));
        difference.members.iter().map(member).collect()
    }

    #[test]
    fn equal_outcomes_have_no_difference() {
        let denied = |code: Code| Err(Error::new(code).with_detail(format!("{code} in other words")));
        for outcome in [grant("", "", ""), denied(Code::TokenExpired)] {
            let difference = Difference::between(&outcome, &outcome);
            assert_eq!(difference.change, Change::Equal);
            assert_eq!(shown(&difference), [""; 0]);
        }
        let other_words = Err(Error::new(Code::TokenExpired));
        let difference = Difference::between(&denied(Code::TokenExpired), &other_words);
        assert_eq!(difference.change, Change::Equal);
        assert!(difference.by_time);
    }

    #[test]
    fn every_member_that_changes_is_reported() {
        let old = grant(
            r#""name":"alice","email":"a@old.example","#,
            r#"{"kind":"policy","name":"read"},{"kind":"org_role","scope":"1","name":"Viewer"}"#,
            r#""ttl":60"#,
        );
        let new = grant(
            r#""name":"alice","email":"a@new.example","#,
            r#"{"kind":"policy","name":"read"},{"kind":"org_role","scope":"2","name":"Viewer"}"#,
            r#""max_ttl":60"#,
        );
        let difference = Difference::between(&old, &new);
        assert_eq!(difference.change, Change::GrantedDifferently);
        assert_eq!(
            shown(&difference),
            [
                r#"identity.email "a@old.example" "a@new.example""#,
                r#"entitlements {"kind":"org_role","name":"Viewer","scope":"1"} -"#,
                "session.ttl 60 -",
                r#"entitlements - {"kind":"org_role","name":"Viewer","scope":"2"}"#,
                "session.max_ttl - 60",
            ]
        );
    }

    #[test]
    fn a_denial_that_becomes_a_grant_is_newly_granted() {
        let denied = Err(Error::new(Code::ClaimMismatch));
        let granted = grant("", r#"{"kind":"policy","name":"read"}"#, "");
        let difference = Difference::between(&denied, &granted);
        assert_eq!(difference.change, Change::NewlyGranted);
        assert_eq!(
            shown(&difference),
            [
                r#"class "denied" -"#,
                r#"code "claim_mismatch" -"#,
                r#"identity.metadata.team - "a""#,
                r#"entitlements - {"kind":"policy","name":"read"}"#,
            ]
        );
        let difference = Difference::between(&granted, &denied);
        assert_eq!(difference.change, Change::NoLongerGranted);
        let other = Err(Error::new(Code::AudienceMismatch));
        let difference = Difference::between(&denied, &other);
        assert_eq!(difference.change, Change::DeniedDifferently);
        assert_eq!(
            shown(&difference),
            [r#"code "claim_mismatch" "audience_mismatch""#]
        );
    }
}
