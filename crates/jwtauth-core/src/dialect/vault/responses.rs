//! Vault's status and wording for each denial, because operators search for its texts.

use crate::error::Code;
use crate::policy::{Response, Responses};

/// Returns Vault's status and wording for each denial. Vault repeats values of the token in some texts; these are
/// omitted.
pub(super) fn responses() -> Responses {
    let entry = |(code, claim, detail): &(Code, &str, &str), absent| Response {
        code: *code,
        claim: (!claim.is_empty()).then(|| (*claim).to_owned()),
        absent,
        http_status: (*code == Code::AddressNotAllowed).then_some(403),
        detail: Some((*detail).to_owned()),
    };
    let absent = ABSENT.iter().map(|wording| entry(wording, true));
    let entries = absent.chain(WORDINGS.iter().map(|wording| entry(wording, false)));
    Responses {
        default_status: Some(400),
        entries: entries.collect(),
    }
}

/// Wordings for absent claims, in the form of [`WORDINGS`]. They come before the others.
const ABSENT: &[(Code, &str, &str)] = &[
    (Code::IdentityMissing, "", "claim \"{claim}\" not found in token"),
    (
        Code::GroupsInvalid,
        "",
        "failed to fetch groups: \"{claim}\" claim not found in token",
    ),
];

/// Code, claim (empty: any) and wording. The first matching entry is used.
const WORDINGS: &[(Code, &str, &str)] = &[
    (Code::ProfileMissing, "", "missing role"),
    (Code::ProfileUnknown, "", "role could not be found"),
    (
        Code::AuthenticatorDisabled,
        "",
        "error configuring token validator: unsupported config type",
    ),
    (Code::TokenMissing, "", "missing token"),
    (Code::AddressNotAllowed, "", "permission denied"),
    (
        Code::TokenMalformed,
        "",
        "error validating token: error verifying token signature",
    ),
    (
        Code::TokenTooLarge,
        "",
        "error validating token: error verifying token signature",
    ),
    (
        Code::HeaderInvalid,
        "",
        "error validating token: error verifying token signature",
    ),
    (
        Code::HeaderUnsupported,
        "",
        "error validating token: error verifying token signature",
    ),
    (
        Code::AlgorithmNotAllowed,
        "",
        "error validating token: invalid algorithm (alg) header parameter: token signed with unexpected algorithm",
    ),
    (Code::KeyNotFound, "", NO_KEY),
    (Code::SignatureInvalid, "", NO_KEY),
    (Code::ClaimsMalformed, "iss", AMBIGUOUS),
    (Code::ClaimsMalformed, "sub", AMBIGUOUS),
    (Code::ClaimsMalformed, "aud", AMBIGUOUS),
    (Code::ClaimsMalformed, "exp", AMBIGUOUS),
    (Code::ClaimsMalformed, "nbf", AMBIGUOUS),
    (Code::ClaimsMalformed, "iat", AMBIGUOUS),
    (Code::ClaimsMalformed, "jti", AMBIGUOUS),
    (Code::ClaimsMalformed, "", NO_KEY),
    (Code::ClaimInvalid, "iss", NOT_A_STRING),
    (Code::ClaimInvalid, "sub", NOT_A_STRING),
    (Code::ClaimInvalid, "jti", NOT_A_STRING),
    (
        Code::ClaimInvalid,
        "aud",
        "error validating token: go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience",
    ),
    (Code::ClaimInvalid, "exp", NOT_A_DATE),
    (Code::ClaimInvalid, "nbf", NOT_A_DATE),
    (Code::ClaimInvalid, "iat", NOT_A_DATE),
    (
        Code::ClaimInvalid,
        "",
        "error validating claims: received claim is not a string, bool, int or list",
    ),
    (
        Code::IssuerMismatch,
        "",
        "error validating token: invalid issuer (iss) claim",
    ),
    (
        Code::SubjectMismatch,
        "",
        "error validating token: invalid subject (sub) claim",
    ),
    (
        Code::AudienceMismatch,
        "",
        "error validating token: invalid audience (aud) claim: audience claim does not match any expected audience",
    ),
    (
        Code::LifetimeMissing,
        "",
        "error validating token: no issued at (iat), not before (nbf), or expiration time (exp) claims in token",
    ),
    (
        Code::TokenNotYetValid,
        "",
        "error validating token: invalid not before (nbf) claim: token not yet valid",
    ),
    (
        Code::TokenExpired,
        "",
        "error validating token: invalid expiration time (exp) claim: token is expired",
    ),
    (
        Code::TokenIssuedInFuture,
        "",
        "error validating token: invalid issued at (iat) claim: token issued in the future",
    ),
    (
        Code::AudienceUnexpected,
        "",
        "audience claim found in JWT but no audiences bound to the role",
    ),
    (Code::IdentityMissing, "", "missing name in alias"),
    (
        Code::IdentityInvalid,
        "",
        "claim \"{claim}\" could not be converted to string",
    ),
    (
        Code::MappingFailed,
        "",
        "error converting claim '{claim}' to string",
    ),
    (
        Code::GroupsInvalid,
        "",
        "\"{claim}\" claim could not be converted to string list",
    ),
    (
        Code::ClaimMissing,
        "",
        "error validating claims: claim \"{claim}\" is missing",
    ),
    (
        Code::ClaimMismatch,
        "",
        "error validating claims: claim \"{claim}\" does not match any associated bound claim values",
    ),
];

const NO_KEY: &str = "error validating token: error verifying token signature: no known key successfully validated the token signature";
const AMBIGUOUS: &str = "error validating token: ambiguous claim: a name collides with registered claim \"{claim}\" under case folding";
const NOT_A_STRING: &str =
    "error validating token: json: cannot unmarshal into Go struct field Claims.{claim} of type string";
const NOT_A_DATE: &str =
    "error validating token: go-jose/go-jose/jwt: expected number value to unmarshal NumericDate";
