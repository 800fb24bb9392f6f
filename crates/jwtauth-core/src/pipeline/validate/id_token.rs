//! The types of the claims that an ID token has in addition to the registered ones.

use crate::claims::{Claims, fold};
use crate::error::{Code, Error, Result};
use crate::json::{Object, Value};

/// Checks `nonce` and `at_hash`, and the claims of other sources (OpenID Connect Core 1.0 §2, §3.1.3.6, §5.6.2). Clients
/// ignore the case of these names, so it is ignored here.
///
/// # Errors
/// [`Code::ClaimInvalid`].
pub(super) fn check(claims: &Claims<'_>) -> Result<()> {
    for name in [NONCE, AT_HASH] {
        text_or_null(find(claims.members(), name)?).map_err(|problem| invalid(name, problem))?;
    }
    let sources = object(claims, SOURCES)?;
    for (_, source) in sources.iter().flat_map(|sources| sources.members()) {
        check_source(source).map_err(|problem| invalid(SOURCES, problem))?;
    }
    for (_, source) in object(claims, NAMES)?.iter().flat_map(|names| names.members()) {
        let source = source.as_str().filter(|source| !source.is_empty());
        let source = source.ok_or_else(|| invalid(NAMES, "must give the name of a source for each claim"))?;
        if sources.is_none_or(|sources| sources.get(source).is_none()) {
            return Err(invalid(
                NAMES,
                "refers to a source that is not in `_claim_sources`",
            ));
        }
    }
    Ok(())
}

const NONCE: &str = "nonce";
const AT_HASH: &str = "at_hash";
const NAMES: &str = "_claim_names";
const SOURCES: &str = "_claim_sources";

fn check_source(source: &Value<'_>) -> Result<(), &'static str> {
    let members = match source {
        Value::Null => return Ok(()),
        Value::Object(members) => members,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err("must contain an object for each source");
        }
    };
    for name in ["endpoint", "access_token"] {
        text_or_null(find(members, name).map_err(|_| REPEATED)?)?;
    }
    Ok(())
}

fn text_or_null(value: Option<&Value<'_>>) -> Result<(), &'static str> {
    match value {
        None | Some(Value::Null | Value::String(_)) => Ok(()),
        Some(_) => Err("must be a string"),
    }
}

/// Returns a claim that must be an object. `None` if it is absent or `null`.
fn object<'c, 't>(claims: &'c Claims<'t>, name: &'static str) -> Result<Option<&'c Object<'t>>> {
    match find(claims.members(), name)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(invalid(name, "must be an object")),
    }
}

/// Returns the member with this name, ignoring the case.
fn find<'c, 't>(members: &'c Object<'t>, name: &'static str) -> Result<Option<&'c Value<'t>>> {
    let mut found = members
        .members()
        .filter(|(given, _)| given.chars().map(fold).eq(name.chars()))
        .map(|(_, value)| value);
    match (found.next(), found.next()) {
        (one, None) => Ok(one),
        (_, Some(_)) => Err(invalid(name, REPEATED)),
    }
}

const REPEATED: &str = "is repeated in different cases";

fn invalid(claim: &'static str, problem: &str) -> Error {
    Error::new(Code::ClaimInvalid)
        .with_claim(claim)
        .with_detail(problem)
        .malformed_shape()
}
