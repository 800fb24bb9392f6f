//! Hints about the form of a token, and where it is.

use super::facts::Facts;
use crate::error::Code;

/// The token has `Bearer `, quotes or white space around it.
pub(super) fn surrounded(facts: &Facts<'_>) -> Option<String> {
    let token = facts
        .token
        .filter(|_| facts.code() == Some(Code::TokenMalformed))?;
    let start = token.get(..BEARER.len()).unwrap_or_default();
    let what = if start.eq_ignore_ascii_case(BEARER) {
        "begins with `Bearer `: in the application, pass only the part after it"
    } else if token.starts_with(['"', '\'']) || token.ends_with(['"', '\'']) {
        "has quotation marks around it: in the application, pass only the part between them"
    } else if token.trim() != token {
        "has white space or a line break around it: in the application, remove it"
    } else {
        return None;
    };
    Some(format!("the token {what}"))
}

/// The token is a JWE, which has five parts (RFC 7516 §3).
pub(super) fn encrypted(facts: &Facts<'_>) -> Option<String> {
    let denied = matches!(facts.code()?, Code::TokenMalformed | Code::HeaderUnsupported);
    let token = facts.token.filter(|_| denied)?;
    (token.split('.').count() == 5).then(|| {
        "the token is encrypted (JWE, five parts): in the identity provider, switch off the encryption of access tokens for \
         this application, so that it issues signed tokens"
            .to_owned()
    })
}

/// The token is no JWT at all.
pub(super) fn opaque(facts: &Facts<'_>) -> Option<String> {
    let token = facts
        .token
        .filter(|_| facts.code() == Some(Code::TokenMalformed))?;
    let is_opaque = !token.contains(['.', '"', '\'']) && token.trim() == token;
    is_opaque.then(|| {
        "the token is opaque (it has no dots, so it is no JWT): ask the identity provider for a JWT, for example by naming \
         the audience of this API in the request for the token"
            .to_owned()
    })
}

/// A token is in a place that the configuration does not read.
pub(super) fn in_another_place(facts: &Facts<'_>) -> Option<String> {
    let request = facts
        .request
        .filter(|_| facts.code() == Some(Code::TokenMissing))?;
    let rule = &facts.policy.extract;
    let looks_like_token = |value: &str| {
        let token = value.trim().rsplit(' ').next().unwrap_or_default();
        token.starts_with("ey") && token.split('.').count() == 3
    };
    let (name, _) = request
        .headers
        .iter()
        .find(|(_, value)| looks_like_token(value))?;
    let configured = match &rule.header {
        Some(header) if header.name.eq_ignore_ascii_case(name) => {
            let prefix = header.prefix.as_deref().unwrap_or_default();
            return Some(format!(
                "the header `{}` has a token, but not after `{prefix}`: send it with this prefix, or configure the prefix that is sent",
                header.name
            ));
        }
        Some(header) => format!("reads the header `{}`", header.name),
        None => "reads no header".to_owned(),
    };
    Some(format!(
        "another header of the request has a token, but the configuration {configured}: configure the header that is sent, or send \
         the token in the configured place"
    ))
}

const BEARER: &str = "Bearer ";
