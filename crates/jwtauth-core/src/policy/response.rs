//! What a denial contains in addition to its code.

use serde::Serialize;

use crate::error::{Class, Code, Error, Stage};

/// The responses to denials, by code: the HTTP status, and the wording that operators search for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Responses {
    /// The status of a denial without an entry that sets one. If absent, it is 401, or 403 if the token is valid but
    /// does not allow this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_status: Option<u16>,
    /// The entries. The first matching entry is used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Response>,
}

/// The response to one kind of denial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Response {
    /// The code that it applies to.
    #[serde(serialize_with = "by_name")]
    pub code: Code,
    /// The claim that it applies to. `None`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Whether it applies only to a claim that is absent or `null`. Otherwise it applies to any value and to an absent claim.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub absent: bool,
    /// The HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The wording. `{claim}` is replaced by the name of the claim. A detail of the library follows it in
    /// parentheses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Responses {
    pub(super) fn is_empty(&self) -> bool {
        *self == Responses::default()
    }

    /// Adds the configured system's status and wording to a failure.
    pub(crate) fn with_response(&self, error: Error) -> Error {
        match error.class() {
            Class::Denied => {}
            Class::Unavailable => return error.with_http_status(503),
            _ => return error,
        }
        let entry = self.entries.iter().find(|entry| {
            entry.code == error.code()
                && (!entry.absent || error.is_absent())
                && entry
                    .claim
                    .as_deref()
                    .is_none_or(|claim| error.claim() == Some(claim))
        });
        let status = entry
            .and_then(|entry| entry.http_status)
            .or(self.default_status)
            .unwrap_or_else(|| usual_status(error.code()));
        let wording = entry.and_then(|entry| entry.detail.as_deref());
        let error = error.with_http_status(status);
        match wording {
            None => error,
            Some(wording) => {
                let wording = wording.replace("{claim}", error.claim().unwrap_or_default());
                let detail = match error.detail() {
                    Some(detail) => format!("{wording} ({detail})"),
                    None => wording,
                };
                error.with_detail(detail)
            }
        }
    }
}

/// 401: another token may help. 403: the token is valid but does not allow this (RFC 6750 §3.1).
fn usual_status(code: Code) -> u16 {
    match code {
        Code::AddressNotAllowed | Code::ProfileClosed | Code::ClaimMismatch | Code::SubjectMismatch => 403,
        code if code.stage() == Stage::Decide => 403,
        _ => 401,
    }
}

fn by_name<S: serde::Serializer>(code: &Code, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(code.as_str())
}
