//! Negative answers (RFC 6750).

use axum::http::{StatusCode, header};
use jwtauth_core::{Class, Code, Error, Stage};
use serde_json::json;

use crate::call::Reply;

/// What a negative answer needs from the settings.
#[derive(Debug, Clone)]
pub(super) struct Refusals {
    pub(super) realm: String,
    pub(super) retry_after: u64,
}

impl Refusals {
    /// The answer to a request that was not granted.
    pub(super) fn of(&self, why: &Error) -> Reply {
        let status = match why.class() {
            Class::Denied => denied(why.code()),
            Class::Unavailable => return self.unavailable(why.code().as_str()),
            Class::Argument => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let code = why.code();
        let body = json!({ "code": code.as_str(), "message": code.message() });
        let reply = Reply::json(status, &body).because(code.as_str());
        let error = match (status, code) {
            // A request without a token gets no reason (RFC 6750 §3.1).
            (StatusCode::UNAUTHORIZED, Code::TokenMissing) => String::new(),
            (StatusCode::UNAUTHORIZED, _) => self.error("invalid_token", code.message()),
            (StatusCode::FORBIDDEN, _) => self.error("insufficient_scope", code.message()),
            (StatusCode::BAD_REQUEST, _) => self.error("invalid_request", code.message()),
            _ => return reply,
        };
        let realm = quoted(&self.realm);
        reply.with(
            header::WWW_AUTHENTICATE,
            &format!("Bearer realm=\"{realm}\"{error}"),
        )
    }

    /// There is no decision now.
    pub(super) fn unavailable(&self, code: &'static str) -> Reply {
        let body = json!({ "code": code, "message": "try again later" });
        Reply::json(StatusCode::SERVICE_UNAVAILABLE, &body)
            .with(header::RETRY_AFTER, &self.retry_after.to_string())
            .because(code)
    }

    fn error(&self, name: &str, description: &str) -> String {
        format!(
            ", error=\"{name}\", error_description=\"{}\"",
            quoted(description)
        )
    }
}

/// 401: another token may help. 403: the token is valid, but does not allow this; or no token would.
fn denied(code: Code) -> StatusCode {
    match code {
        Code::AddressNotAllowed
        | Code::AuthenticatorDisabled
        | Code::ClaimMismatch
        | Code::ProfileClosed
        | Code::ProfileMissing
        | Code::ProfileUnknown
        | Code::SubjectMismatch => StatusCode::FORBIDDEN,
        code if code.stage() == Stage::Decide => StatusCode::FORBIDDEN,
        _ => StatusCode::UNAUTHORIZED,
    }
}

/// The letters that a quoted parameter may have.
fn quoted(text: &str) -> String {
    let allowed = |letter: &char| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\');
    text.chars().filter(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: Code) -> (u16, String) {
        let refusals = Refusals {
            realm: "a\"b".to_owned(),
            retry_after: 7,
        };
        let reply = refusals.of(&Error::new(code));
        let header = reply
            .headers
            .first()
            .map(|(_, value)| value.to_str().unwrap().to_owned());
        (reply.status.as_u16(), header.unwrap_or_default())
    }

    #[test]
    fn refusals_are_those_of_rfc_6750() {
        assert_eq!(
            refusal(Code::TokenMissing),
            (401, "Bearer realm=\"ab\"".to_owned())
        );
        let (status, header) = refusal(Code::TokenExpired);
        assert_eq!(status, 401);
        assert!(
            header.starts_with("Bearer realm=\"ab\", error=\"invalid_token\", error_description=\""),
            "{header}"
        );
        assert!(refusal(Code::RoleInvalid).1.contains("insufficient_scope"));
        for (code, status) in [
            (Code::ClaimMismatch, 403),
            (Code::AddressNotAllowed, 403),
            (Code::KeySourceUnavailable, 503),
            (Code::RequestInvalid, 400),
            (Code::InternalError, 500),
        ] {
            assert_eq!(refusal(code).0, status, "{code:?}");
        }
        assert_eq!(refusal(Code::KeySourceUnavailable).1, "7");
    }
}
