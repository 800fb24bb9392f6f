//! The rules that stages extract and decode use.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::error::{Code, Error};

/// Where requests carry the token. A request's explicit `token` is accepted in addition to these.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ExtractRule {
    /// The header.
    pub header: Option<HeaderRule>,
    /// The query parameter. It is read if the header has no token.
    pub query: Option<String>,
    /// The cookie. It is read if header and query have no token.
    pub cookie: Option<String>,
    /// Whether every request is denied, with or without a token.
    pub disabled: bool,
    /// Where a request may name the organisation that it asks for.
    pub requested_org: Option<RequestedOrg>,
    /// Whether `=` is removed from the token before decoding.
    pub padding: Padding,
}

/// Where a request may name the organisation that it asks for. Only a positive integer is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RequestedOrg {
    /// The query parameters. The first one that is present is used.
    pub query: Vec<String>,
    /// The header. It is read if the query names no organisation.
    pub header: String,
}

/// A header that carries the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderRule {
    /// The name, compared without regard to case.
    pub name: String,
    /// The text before the token.
    pub prefix: Option<String>,
    /// How the prefix is handled.
    pub prefix_rule: PrefixRule,
}

impl HeaderRule {
    /// The default header for tokens (RFC 6750 §2.1).
    pub(crate) fn authorization() -> HeaderRule {
        HeaderRule {
            name: HeaderRule::AUTHORIZATION.to_owned(),
            prefix: Some(HeaderRule::BEARER.to_owned()),
            prefix_rule: PrefixRule::Scheme,
        }
    }

    pub(crate) const AUTHORIZATION: &'static str = "Authorization";
    pub(crate) const BEARER: &'static str = "Bearer ";
}

impl Serialize for ExtractRule {
    /// Prints an absent header or prefix as `null`. If it were left out, it would read back as the default.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let ExtractRule {
            header,
            query,
            cookie,
            disabled,
            requested_org,
            padding,
        } = self;
        let mut members = out.serialize_map(None)?;
        members.serialize_entry("header", &header.as_ref().map(|header| &header.name))?;
        if let Some(header) = header {
            members.serialize_entry("prefix", &header.prefix)?;
            if !header.prefix_rule.is_scheme() {
                members.serialize_entry("prefix_rule", &header.prefix_rule)?;
            }
        }
        if let Some(query) = query {
            members.serialize_entry("query", query)?;
        }
        if let Some(cookie) = cookie {
            members.serialize_entry("cookie", cookie)?;
        }
        if *disabled {
            members.serialize_entry("disabled", disabled)?;
        }
        if let Some(requested_org) = requested_org {
            members.serialize_entry("requested_org", requested_org)?;
        }
        if !padding.is_refused() {
            members.serialize_entry("padding", padding)?;
        }
        members.end()
    }
}

/// How the text before a token is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PrefixRule {
    /// It is an authentication scheme: it is required, in any case (RFC 9110 §11.1).
    #[default]
    Scheme,
    /// It is removed once if it matches exactly, both in a header and in a query parameter.
    Optional,
}

impl PrefixRule {
    fn is_scheme(&self) -> bool {
        *self == PrefixRule::Scheme
    }
}

/// How `=` in a token is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Padding {
    /// The token is refused (RFC 7515 §2).
    #[default]
    Refuse,
    /// It is removed first, because some load balancers pad the segments.
    Drop,
}

impl Padding {
    fn is_refused(&self) -> bool {
        *self == Padding::Refuse
    }
}

/// The requirements on the header of a token.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct DecodeRule {
    /// The accepted `typ` headers, compared as media types. `None`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typ: Option<Vec<String>>,
    /// How header members that are never used are handled.
    #[serde(skip_serializing_if = "UnusedHeaders::is_ignored")]
    pub unused_headers: UnusedHeaders,
    /// The size limits. They are an option of the verifier and not part of the printed policy.
    #[serde(skip)]
    pub limits: Limits,
}

/// How header members that are never used are handled: keys and certificates in the token (`jwk`, `x5c`), and a
/// `nonce`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UnusedHeaders {
    /// They are not checked.
    #[default]
    Ignored,
    /// They must have the right form: a public key, a list of certificates, a text. They are still not trusted.
    WellFormed,
}

impl UnusedHeaders {
    fn is_ignored(&self) -> bool {
        *self == UnusedHeaders::Ignored
    }
}

/// The denials that mean "not applicable": the configured system would ask its next authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct NotApplicable {
    /// The request has no token.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
    /// The token is not a compact JWS, or its header is invalid. This does not include tokens that the configured
    /// system reads.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub structure: bool,
    /// The algorithm is not allowed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub algorithm: bool,
    /// A registered claim has the wrong type, or the payload is not an object with unique names at its top level.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub claims_shape: bool,
    /// `sub` is absent or empty.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub subject: bool,
}

impl NotApplicable {
    /// Whether this denial is one of them.
    pub(crate) fn covers(&self, error: &Error) -> bool {
        match error.code() {
            Code::TokenMissing | Code::AuthenticatorDisabled => self.missing,
            Code::TokenMalformed | Code::HeaderInvalid => self.structure && !error.is_stricter(),
            Code::AlgorithmNotAllowed => self.algorithm,
            Code::ClaimsMalformed | Code::ClaimInvalid => self.claims_shape && error.is_malformed_shape(),
            Code::ClaimMissing => self.subject && error.claim() == Some("sub"),
            _ => false,
        }
    }

    pub(super) fn is_none(&self) -> bool {
        *self == NotApplicable::default()
    }
}

/// The size limits of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The whole token, in bytes.
    pub token_bytes: usize,
    /// The decoded header, in bytes.
    pub header_bytes: usize,
    /// A `kid`, in bytes.
    pub kid_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            token_bytes: 64 * 1024,
            header_bytes: 8 * 1024,
            kid_bytes: 1024,
        }
    }
}
