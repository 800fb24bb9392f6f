//! Consul's status and wording for each denial.
//!
//! Consul answers every failed verification with 500. Only a login to which nothing is bound gets a 403.

use crate::error::Code;
use crate::policy::{Response, Responses};

/// Returns the wording of every denial.
///
/// `lists` names the claims that become lists. Consul has a separate text for such a claim that is not a list.
pub(super) fn all<'s>(lists: impl IntoIterator<Item = &'s str>) -> Responses {
    let claims = |code, text: &str| entry(code, 500, &format!("error validating claims: {text}"));
    let validation = |code, text: &str| {
        entry(
            code,
            500,
            &format!("error validating claims: go-jose/go-jose/jwt: validation {text}"),
        )
    };
    let parsing = |code| entry(code, 500, "error parsing token");
    let signature = |code| {
        entry(
            code,
            500,
            "no known key successfully validated the token signature",
        )
    };
    let list = |source: &str| Response {
        claim: Some(source.to_owned()),
        ..entry(
            Code::MappingFailed,
            500,
            "\"{claim}\" list claim could not be converted to string list",
        )
    };
    Responses {
        default_status: Some(500),
        // The first matching entry is used.
        entries: lists
            .into_iter()
            .map(list)
            .chain([
                entry(Code::TokenMissing, 500, "missing jwt"),
                parsing(Code::TokenMalformed),
                parsing(Code::HeaderInvalid),
                signature(Code::HeaderUnsupported),
                signature(Code::AlgorithmNotAllowed),
                signature(Code::KeyNotFound),
                signature(Code::SignatureInvalid),
                signature(Code::ClaimsMalformed),
                signature(Code::ClaimInvalid),
                entry(
                    Code::LifetimeMissing,
                    500,
                    "no issue time, notbefore, or expiration time encoded in token",
                ),
                validation(Code::IssuerMismatch, "failed, invalid issuer claim (iss)"),
                validation(Code::TokenNotYetValid, "failed, token not valid yet (nbf)"),
                validation(Code::TokenExpired, "failed, token is expired (exp)"),
                // The upstream text is "field", not "failed". It is kept: operators search for what they saw.
                validation(
                    Code::TokenIssuedInFuture,
                    "field, token issued in the future (iat)",
                ),
                claims(
                    Code::AudienceMismatch,
                    "aud claim does not match any bound audience",
                ),
                claims(
                    Code::AudienceUnexpected,
                    "audience claim found in JWT but no audiences are bound",
                ),
                entry(
                    Code::MappingFailed,
                    500,
                    "error converting claim '{claim}' to string from unknown type",
                ),
                entry(Code::BindingInvalid, 500, "invalid bind name"),
                entry(Code::BindingUnmatched, 403, "Permission denied"),
            ])
            .collect(),
    }
}

fn entry(code: Code, status: u16, wording: &str) -> Response {
    Response {
        code,
        claim: None,
        absent: false,
        http_status: Some(status),
        detail: Some(wording.to_owned()),
    }
}
