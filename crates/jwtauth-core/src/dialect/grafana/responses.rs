//! Grafana's message id, text and status for each denial.

use crate::error::Code;
use crate::policy::{Response, Responses};

/// Returns the wording of every denial.
pub(super) fn all() -> Responses {
    let invalid = |code, cause: &str| {
        entry(
            code,
            None,
            401,
            &format!("[jwt.invalid] failed to verify JWT: {cause}"),
        )
    };
    let skipped = |code| entry(code, None, 401, "[auth.unauthorized] cannot authenticate request");
    let search = |code| {
        entry(
            code,
            None,
            400,
            "[json-failed-to-search] failed to search user info JSON response with provided path",
        )
    };
    Responses {
        default_status: Some(401),
        entries: vec![
            skipped(Code::TokenMissing),
            skipped(Code::AuthenticatorDisabled),
            skipped(Code::TokenMalformed),
            skipped(Code::HeaderInvalid),
            skipped(Code::AlgorithmNotAllowed),
            entry(
                Code::ClaimMissing,
                Some("sub"),
                401,
                "[jwt.missing_claim] missing mandatory 'sub' claim in JWT",
            ),
            invalid(
                Code::HeaderUnsupported,
                "go-jose/go-jose: unsupported critical header",
            ),
            invalid(Code::KeyNotFound, "no keys found"),
            invalid(
                Code::SignatureInvalid,
                "go-jose/go-jose: error in cryptographic primitive",
            ),
            Response {
                absent: true,
                ..entry(
                    Code::ClaimInvalid,
                    Some("iss"),
                    401,
                    "[jwt.invalid] failed to verify JWT: \"iss\" claim has invalid type <nil>, string expected",
                )
            },
            invalid(
                Code::IssuerMismatch,
                "go-jose/go-jose/jwt: validation failed, invalid issuer claim (iss)",
            ),
            invalid(
                Code::SubjectMismatch,
                "go-jose/go-jose/jwt: validation failed, invalid subject claim (sub)",
            ),
            invalid(
                Code::AudienceMismatch,
                "go-jose/go-jose/jwt: validation failed, invalid audience claim (aud)",
            ),
            invalid(
                Code::TokenNotYetValid,
                "go-jose/go-jose/jwt: validation failed, token not valid yet (nbf)",
            ),
            invalid(
                Code::TokenExpired,
                "go-jose/go-jose/jwt: validation failed, token is expired (exp)",
            ),
            // The upstream text is "field", not "failed". It is kept: operators search for what they saw.
            invalid(
                Code::TokenIssuedInFuture,
                "go-jose/go-jose/jwt: validation field, token issued in the future (iat)",
            ),
            invalid(Code::ClaimMissing, "\"{claim}\" claim is missing"),
            invalid(Code::ClaimMismatch, "\"{claim}\" claim mismatch"),
            search(Code::IdentityInvalid),
            search(Code::GroupsInvalid),
            search(Code::MappingFailed),
            entry(
                Code::RoleUnresolved,
                None,
                403,
                "[jwt.invalid_role] could not evaluate any valid roles using IdP provided data",
            ),
            entry(
                Code::IdentityMissing,
                None,
                401,
                "[jwt.missing_claim] missing login and email claim in JWT",
            ),
        ],
    }
}

fn entry(code: Code, claim: Option<&str>, status: u16, wording: &str) -> Response {
    Response {
        code,
        claim: claim.map(str::to_owned),
        absent: false,
        http_status: Some(status),
        detail: Some(wording.to_owned()),
    }
}
