//! Hints about the issuer, the audience and the subject.

use super::facts::Facts;
use super::values;
use crate::error::Code;
use crate::expr::Selection;
use crate::json::Value;
use crate::pipeline::watch::Check;
use crate::policy::{AudienceRule, near};

/// The token's `iss` differs only slightly from an accepted one.
pub(super) fn issuer(facts: &Facts<'_>) -> Option<String> {
    let iss = mismatched_issuer(facts)?;
    let accepted = &facts.profile?.claims.issuers;
    let (expected, how) = accepted.iter().find_map(|issuer| {
        let text = issuer.text();
        let how = difference(&text, &iss)?;
        Some((text, how))
    })?;
    Some(format!(
        "the token's `iss` differs from `{expected}` {how}: if it is the same issuer, write it exactly as the token does, character by \
         character"
    ))
}

/// Microsoft Entra has two versions of tokens, with different issuers.
pub(super) fn issuer_version(facts: &Facts<'_>) -> Option<String> {
    let iss = mismatched_issuer(facts)?;
    let is_accepted = |version: fn(&str) -> bool| {
        let issuers = &facts.profile.map(|profile| &profile.claims.issuers);
        issuers.is_some_and(|issuers| issuers.iter().any(|issuer| version(&issuer.text())))
    };
    if is_v1(&iss) && is_accepted(is_v2) {
        Some(
            "the token is a v1.0 token of Microsoft Entra, and the v2.0 issuer is configured: set `requestedAccessTokenVersion` to \
             2 in the manifest of the app registration, or accept the issuer `https://sts.windows.net/TENANT-ID/`"
                .to_owned(),
        )
    } else if is_v2(&iss) && is_accepted(is_v1) {
        Some(
            "the token is a v2.0 token of Microsoft Entra, and the v1.0 issuer is configured: accept the issuer \
             `https://login.microsoftonline.com/TENANT-ID/v2.0`"
                .to_owned(),
        )
    } else {
        None
    }
}

fn is_v1(issuer: &str) -> bool {
    issuer.starts_with("https://sts.windows.net/")
}

fn is_v2(issuer: &str) -> bool {
    issuer.starts_with("https://login.microsoftonline.com/")
        && issuer.trim_end_matches('/').ends_with("/v2.0")
}

/// The issuer is accepted, and the key that signed the token is not for it.
pub(super) fn issuer_of_key(facts: &Facts<'_>) -> Option<String> {
    let iss = mismatched_issuer(facts)?;
    let claims = facts.claims()?;
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
    let accepted = &facts.profile?.claims.issuers;
    let is_accepted = accepted.is_empty() || accepted.iter().any(|issuer| issuer.is(&iss, text));
    let mut sources = facts.policy.keys.sources.iter();
    (is_accepted && sources.any(|source| !source.issuers.are_any())).then(|| {
        "a key of another issuer signed the token: name the token's issuer in `issuer` of the key source that has this key, if it \
         may sign for this issuer"
            .to_owned()
    })
}

/// An audience of the token differs only slightly from an accepted one.
pub(super) fn audience(facts: &Facts<'_>) -> Option<String> {
    facts.failed_at(Check::Audience)?;
    let AudienceRule::OneOf(accepted) = audiences(facts)? else {
        return None;
    };
    let claims = facts.claims()?;
    let named = texts(claims.get("aud")?);
    if !facts.may_compare(accepted.len(), named.len()) {
        return None;
    }
    let differs = |expected: &String| {
        named
            .iter()
            .find_map(|named| Some((expected.clone(), difference(expected, named)?)))
    };
    let (expected, how) = accepted.iter().find_map(differs)?;
    Some(format!(
        "an audience of the token differs from `{expected}` {how}: if it is this service, write the audience exactly as the token does"
    ))
}

/// The token names an audience, and none is configured.
pub(super) fn no_audience(facts: &Facts<'_>) -> Option<String> {
    (facts.code() == Some(Code::AudienceUnexpected)).then(|| {
        "the token names an audience (`aud`), and the configuration names none: add the audience of this service to the accepted \
         ones (`bound_audiences`, `BoundAudiences`, `audiences`); `jwtauth inspect` shows those of the token"
            .to_owned()
    })
}

/// The accepted subject has a `*`, which is not special there.
pub(super) fn subject_is_no_pattern(facts: &Facts<'_>) -> Option<String> {
    facts.failed_at(Check::Subject)?;
    let subject = facts.profile?.claims.subject.as_deref()?;
    subject.contains('*').then(|| {
        let instead = if facts.is_native() {
            "a rule about the claim `sub` with a glob instead (`claims` with `glob`)"
        } else if facts.has_setting("claims.glob") {
            "a rule about the claim `sub` with a glob instead (`bound_claims` with `bound_claims_type` `glob`, with which a `*` in \
             every rule of `bound_claims` matches any text)"
        } else {
            "the whole subject"
        };
        format!("the accepted subject has a `*`, and it is compared as it is: write {instead}")
    })
}

/// The subject is bound, and a rule about `sub` refuses it, so that no token passes.
pub(super) fn subject_is_bound_twice(facts: &Facts<'_>) -> Option<String> {
    facts.failed_at(Check::Subject)?;
    let subject = facts.profile?.claims.subject.as_deref()?;
    let rules = &facts.profile?.claims.rules;
    let requirements = &facts.profile?.rules.requirements;
    let is_subject = |select: &Selection| matches!(select.name(), "sub" | "/sub");
    let other = rules
        .iter()
        .chain(requirements)
        .find(|rule| is_subject(&rule.select) && values::matching(&rule.test, subject).is_none())?;
    Some(format!(
        "the subject must be the accepted one, which `{}` refuses, so that no token passes: keep only the one that names the callers \
         whom you mean",
        other.place
    ))
}

/// An ID token is used where an access token is expected.
pub(super) fn id_token(facts: &Facts<'_>) -> Option<String> {
    let of_claims = [
        Check::Audience,
        Check::HeaderType,
        Check::Claim,
        Check::RequiredClaim,
        Check::Requirement,
    ];
    let failed = facts.failed()?;
    let is_id_token = ["nonce", "at_hash", "c_hash"]
        .into_iter()
        .any(|name| facts.has(name));
    (of_claims.contains(&failed.check) && is_id_token && !facts.has("scope") && !facts.has("scp")).then(|| {
        "the token is an ID token (it has `nonce` or `at_hash`), which is meant for the application that logs in: send the access \
         token instead"
            .to_owned()
    })
}

fn mismatched_issuer(facts: &Facts<'_>) -> Option<String> {
    facts.failed_at(Check::Issuer)?;
    facts.text("iss")
}

/// The audiences that are accepted from the token's issuer.
fn audiences<'f>(facts: &Facts<'f>) -> Option<&'f AudienceRule> {
    let own = facts.of_issuer.and_then(|rule| rule.audience.as_ref());
    own.or(facts.profile.map(|profile| &profile.claims.audience))
}

/// The texts of a claim that is a text or a list of texts.
fn texts<'v>(value: &'v Value<'_>) -> Vec<&'v str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// How a name differs from the expected one, if the difference is small.
fn difference(expected: &str, given: &str) -> Option<&'static str> {
    let of_scheme = |one: &str, other: &str| {
        let (one, other) = (one.strip_prefix("http://"), other.strip_prefix("https://"));
        one.is_some() && one == other
    };
    near::difference(expected, given).or_else(|| {
        if of_scheme(expected, given) || of_scheme(given, expected) {
            Some("only in `http` and `https`")
        } else if expected.strip_prefix("api://") == Some(given)
            || given.strip_prefix("api://") == Some(expected)
        {
            Some("only in `api://` at the beginning")
        } else {
            None
        }
    })
}
