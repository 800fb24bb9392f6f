//! The part of the model that `extract` and `decode` read.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::error::{Code, Error};

/// Where requests carry the token. A token given apart always counts, whatever stands here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ExtractRule {
    /// The header.
    pub header: Option<HeaderRule>,
    /// The query parameter, looked at when the header gives nothing.
    pub query: Option<String>,
    /// Whether nothing is taken at all: every request is denied, with or without a token.
    pub disabled: bool,
    /// Where a request may name the organisation it wants to act in.
    pub requested_org: Option<RequestedOrg>,
    /// Whether `=` is dropped from the token before it is read.
    pub padding: Padding,
}

/// Where a request may name the organisation it wants to act in; only a positive integer is a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RequestedOrg {
    /// The query parameters; the first that is there counts.
    pub query: Vec<String>,
    /// The header, when no parameter names one.
    pub header: String,
}

/// A header that carries the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderRule {
    /// Its name, compared without regard to case.
    pub name: String,
    /// What stands before the token.
    pub prefix: Option<String>,
    /// How the prefix is treated.
    pub prefix_rule: PrefixRule,
}

impl HeaderRule {
    /// The header of RFC 6750 §2.1, in which requests carry the token if nothing else is said.
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
    /// No header and no prefix are printed as `null`: left out, they would read back as the default.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let ExtractRule {
            header,
            query,
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

/// How the text before a token is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PrefixRule {
    /// It is an authentication scheme: it must be there, in any case (RFC 9110 §11.1).
    #[default]
    Scheme,
    /// It is removed once if it is there exactly, from a header and from a query parameter alike.
    Optional,
}

impl PrefixRule {
    fn is_scheme(&self) -> bool {
        *self == PrefixRule::Scheme
    }
}

/// What becomes of `=` in a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Padding {
    /// The token is refused (RFC 7515 §2).
    #[default]
    Refuse,
    /// It is dropped first; some load balancers pad the segments.
    Drop,
}

impl Padding {
    fn is_refused(&self) -> bool {
        *self == Padding::Refuse
    }
}

/// What the header of a token may be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct DecodeRule {
    /// The acceptable `typ` headers, compared as media types; `None`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typ: Option<Vec<String>>,
    /// What becomes of header members that are never used.
    #[serde(skip_serializing_if = "UnusedHeaders::is_ignored")]
    pub unused_headers: UnusedHeaders,
    /// Sizes beyond which nothing is read. An option of the verifier, not of the policy text.
    #[serde(skip)]
    pub limits: Limits,
}

/// What becomes of header members that are never used: keys and certificates that a token brings along (`jwk`,
/// `x5c`), and a `nonce`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UnusedHeaders {
    /// They are not looked at.
    #[default]
    Ignored,
    /// They must be what they claim to be: a public key, a list of certificates, a text. They are no more trusted
    /// for it.
    WellFormed,
}

impl UnusedHeaders {
    fn is_ignored(&self) -> bool {
        *self == UnusedHeaders::Ignored
    }
}

/// Which denials mean "this request was not for us": the configured system would ask its next authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct NotApplicable {
    /// The request carries no token.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
    /// The token is no compact JWS, or its header does not read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub structure: bool,
    /// Its algorithm is not allowed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub algorithm: bool,
    /// A registered claim has the wrong type, or the payload is no object with unique names at its top level.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub claims_shape: bool,
    /// There is no `sub`, or an empty one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub subject: bool,
}

impl NotApplicable {
    /// Whether this denial is one of them.
    pub(crate) fn covers(&self, error: &Error) -> bool {
        match error.code() {
            Code::TokenMissing | Code::AuthenticatorDisabled => self.missing,
            Code::TokenMalformed | Code::HeaderInvalid => self.structure,
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

/// Sizes beyond which nothing is read.
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
