//! Failures and their names.
//!
//! One table is the source of every failure: the [`Code`] enum, the name on the wire, the [`Class`], the [`Stage`],
//! the text, `docs/error-codes.md` and the lists of codes in the Python and Node type stubs.

use std::fmt;

/// The result of every function that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($( $variant:ident $wire:literal $class:ident $stage:ident $text:literal $advice:literal; )*) => {
        /// The stable name of a failure. Codes are never renamed and never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $( #[doc = $text] $variant, )* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[ $( Code::$variant, )* ];

            /// The name of this code on the wire, in every language.
            pub const fn as_str(self) -> &'static str {
                match self { $( Code::$variant => $wire, )* }
            }

            /// The class of this code: what the application should do about the failure.
            pub const fn class(self) -> Class {
                match self { $( Code::$variant => Class::$class, )* }
            }

            /// The stage of the pipeline in which the failure happens.
            pub const fn stage(self) -> Stage {
                match self { $( Code::$variant => Stage::$stage, )* }
            }

            /// The text for people: lower case, one line, and nothing from the token.
            pub const fn message(self) -> &'static str {
                match self { $( Code::$variant => $text, )* }
            }

            /// Where to look, and what to do about the failure.
            pub const fn advice(self) -> &'static str {
                match self { $( Code::$variant => $advice, )* }
            }
        }
    };
}

codes! {
    TokenMissing "token_missing" Denied Extract
        "the request carries no token"
        "Send the token where the configuration expects it; the detail names the header or the query parameter.";
    TokenAmbiguous "token_ambiguous" Denied Extract
        "the request carries more than one token"
        "Send one token. Two readers of one request must not see two callers.";
    AuthenticatorDisabled "authenticator_disabled" Denied Extract
        "the configuration takes no tokens"
        "Nothing is wrong with the token: the configuration switches token login off.";
    ProfileUnknown "profile_unknown" Denied Extract
        "the requested profile does not exist"
        "Compare the profile in the request with the names in the configuration.";
    ProfileMissing "profile_missing" Denied Extract
        "the request names no profile and none is the default"
        "Name a profile in the request, or set a default profile in the configuration.";
    ProfileClosed "profile_closed" Denied Extract
        "the requested profile accepts no tokens"
        "Look at the profile in the configuration: the detail says why it takes no tokens.";
    AddressNotAllowed "address_not_allowed" Denied Extract
        "the caller's address is outside the allowed networks"
        "Look at the bound networks, and at the address the host passes; behind a proxy it may be the proxy's.";
    TokenMalformed "token_malformed" Denied Decode
        "the token is not a compact JWS"
        "Look at what was sent: a compact JWS is three base64url parts with two dots, and nothing around it.";
    TokenTooLarge "token_too_large" Denied Decode
        "the token is larger than the limit"
        "Ask the issuer for fewer claims, or raise `max_token_bytes`.";
    HeaderInvalid "header_invalid" Denied Decode
        "the token's header is not valid"
        "Look at the token's header with `jwtauth inspect`; the issuer made it wrong.";
    HeaderUnsupported "header_unsupported" Denied Decode
        "the token's header asks for something that is not supported"
        "The issuer uses `crit`, `b64` or encryption. Ask it for a plain signed token.";
    AlgorithmNotAllowed "algorithm_not_allowed" Denied SelectKey
        "the token's algorithm is not allowed"
        "Compare the header's `alg` with the allowed algorithms. Allow another one only if the issuer means it.";
    KeyNotFound "key_not_found" Denied SelectKey
        "no key answers to this token"
        "Compare the header's `kid` with the configured keys; the issuer may have changed its keys.";
    SignatureInvalid "signature_invalid" Denied VerifySignature
        "the signature does not verify"
        "The token was forged or altered, or the configured key is not the issuer's.";
    ClaimsMalformed "claims_malformed" Denied ValidateClaims
        "the payload is not a valid claims set"
        "The issuer signed something that is no claims set: not JSON, no object, or a name that stands twice.";
    ClaimMissing "claim_missing" Denied ValidateClaims
        "a required claim is missing"
        "Ask the issuer to add the claim, or stop requiring it.";
    ClaimInvalid "claim_invalid" Denied ValidateClaims
        "a claim has the wrong type or an impossible value"
        "The issuer gives the claim a wrong type; a time must be a number, for example.";
    ClaimMismatch "claim_mismatch" Denied ValidateClaims
        "a claim does not have a required value"
        "The caller is not one of those the rule is for, or the rule expects another value.";
    IssuerMismatch "issuer_mismatch" Denied ValidateClaims
        "the token comes from another issuer"
        "Compare the token's `iss` with the configured issuer letter by letter, a final slash included.";
    SubjectMismatch "subject_mismatch" Denied ValidateClaims
        "the token is about another subject"
        "Only one subject is allowed, and the token is about another.";
    AudienceMismatch "audience_mismatch" Denied ValidateClaims
        "the token is meant for another audience"
        "Ask the issuer for a token with this service among its audiences, or correct the audiences configured here.";
    AudienceUnexpected "audience_unexpected" Denied ValidateClaims
        "the token names an audience but none is configured"
        "Configure the audiences that this service answers to, or say that any will do.";
    TokenNotYetValid "token_not_yet_valid" Denied ValidateClaims
        "the token is not valid yet"
        "Compare the clocks of issuer and host; a small difference is what the leeway is for.";
    TokenExpired "token_expired" Denied ValidateClaims
        "the token has expired"
        "Get a new token. If it is new, compare the clocks of issuer and host.";
    TokenIssuedInFuture "token_issued_in_future" Denied ValidateClaims
        "the token was issued in the future"
        "Compare the clocks of issuer and host; a small difference is what the leeway is for.";
    TokenTooOld "token_too_old" Denied ValidateClaims
        "the token is older than the maximum age"
        "Get a new token; `max_age` counts from `iat` even while the token has not expired.";
    LifetimeMissing "lifetime_missing" Denied ValidateClaims
        "the token carries no time claim at all"
        "Ask the issuer to add `exp`; at least one of `exp`, `nbf`, `iat` must be there.";
    IdentityMissing "identity_missing" Denied MapIdentity
        "the token names nobody"
        "Look at which claim names the caller, and whether this issuer sends it.";
    IdentityInvalid "identity_invalid" Denied MapIdentity
        "the claim that names the caller cannot be used as a name"
        "Name the caller by a claim that holds a text.";
    GroupsInvalid "groups_invalid" Denied MapIdentity
        "the groups claim cannot be used"
        "Point to a claim that holds a list of texts.";
    MappingFailed "mapping_failed" Denied MapIdentity
        "a claim mapping cannot be carried out"
        "Look at the mapping and at the claim it reads: it is absent where it must not be, or has a wrong type.";
    RoleUnresolved "role_unresolved" Denied Decide
        "no role could be determined"
        "Look at the role expression: it gives no text for this caller, and strict mode asks for one.";
    RoleInvalid "role_invalid" Denied Decide
        "the role is not one of the valid roles"
        "Compare what the role expression gives with the roles that exist; case counts.";
    BindingInvalid "binding_invalid" Denied Decide
        "a binding rule computes a name that cannot be one"
        "Look at the bind name: with this caller's values it becomes something that cannot be a name.";
    BindingUnmatched "binding_unmatched" Denied Decide
        "nothing is bound to this identity"
        "No binding rule selects this caller, or what the rules bind does not exist.";
    PolicyForbidden "policy_forbidden" Denied Decide
        "a configured policy may never be granted"
        "Take the policy out of the configuration; the detail says why it cannot be granted.";
    ConfigInvalid "config_invalid" Config Configure
        "the configuration is not valid"
        "Correct the configuration at the place that the detail names.";
    KeySourceMissing "key_source_missing" Config Configure
        "no key source is configured"
        "Add a key: PEM, JWK, JWK set, secret, or a file with one.";
    KeySourceConflict "key_source_conflict" Config Configure
        "more than one key source is configured"
        "Keep one of the sources that the detail names.";
    KeyInvalid "key_invalid" Config Configure
        "a key cannot be used"
        "Look at the key that the detail names: it does not read, is too weak, or fits none of the allowed algorithms.";
    AlgorithmUnsupported "algorithm_unsupported" Config Configure
        "an algorithm is not supported"
        "Choose among the algorithms that the detail lists.";
    ExpressionInvalid "expression_invalid" Config Configure
        "an expression cannot be used"
        "Correct the expression at the position that the detail names.";
    KeySourceUnavailable "key_source_unavailable" Unavailable SelectKey
        "the keys cannot be obtained at the moment"
        "Try again later; look at the network and at the key server.";
    KeySetInvalid "key_set_invalid" Unavailable SelectKey
        "the key source answers with something that is not a key set"
        "Look at what the key server answers; it may be an error page.";
    DiscoveryFailed "discovery_failed" Unavailable SelectKey
        "the issuer's metadata cannot be obtained"
        "Try again later; look at the network and at the issuer's discovery document.";
    DiscoveryIssuerMismatch "discovery_issuer_mismatch" Unavailable SelectKey
        "the issuer's metadata names another issuer"
        "Correct the discovery URL: the issuer there calls itself by another name.";
    ArgumentNull "argument_null" Argument Configure
        "a required argument is NULL"
        "Look at the call: a pointer that must not be NULL is.";
    ArgumentNotUtf8 "argument_not_utf8" Argument Configure
        "an argument is not UTF-8"
        "Look at the call: text must be UTF-8.";
    RequestInvalid "request_invalid" Argument Extract
        "the request is not valid"
        "Correct the request that the host builds, at the place that the detail names.";
    InternalError "internal_error" Internal Configure
        "the library made a mistake"
        "Report it, with the version and what was asked; nobody was let in.";
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// What the application should do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The token or the request is denied.
    Denied,
    /// The configuration is invalid; the operator must fix it.
    Config,
    /// The outcome is unknown, because keys could not be obtained. A retry may help.
    Unavailable,
    /// The calling program passed an invalid argument or request.
    Argument,
    /// An internal error of the library.
    Internal,
}

impl Class {
    /// The name of this class on the wire, in every language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Denied => "denied",
            Class::Config => "config",
            Class::Unavailable => "unavailable",
            Class::Argument => "argument",
            Class::Internal => "internal",
        }
    }
}

/// The stage of the pipeline in which a failure happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Outside the pipeline: while a verifier is built or called.
    Configure,
    /// Request → raw token.
    Extract,
    /// Raw token → header and opaque payload.
    Decode,
    /// Header → candidate keys.
    SelectKey,
    /// Candidate keys → verified token.
    VerifySignature,
    /// Verified token → valid claims.
    ValidateClaims,
    /// Valid claims → identity.
    MapIdentity,
    /// Identity → entitlements.
    Decide,
}

impl Stage {
    /// The name of this stage on the wire, in every language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Configure => "configure",
            Stage::Extract => "extract",
            Stage::Decode => "decode",
            Stage::SelectKey => "select_key",
            Stage::VerifySignature => "verify_signature",
            Stage::ValidateClaims => "validate_claims",
            Stage::MapIdentity => "map_identity",
            Stage::Decide => "decide",
        }
    }
}

/// A failure: a [`Code`], and where to look.
///
/// It never contains the token or the value of a claim. It may contain the *names* of claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    code: Code,
    claim: Option<Box<str>>,
    detail: Option<Box<str>>,
    applicable: bool,
    malformed_shape: bool,
    absent: bool,
    http_status: Option<u16>,
}

impl Error {
    /// A failure that has only a code.
    pub fn new(code: Code) -> Error {
        Error(Box::new(Inner {
            code,
            claim: None,
            detail: None,
            applicable: true,
            malformed_shape: false,
            absent: false,
            http_status: None,
        }))
    }

    /// Sets the name of the claim that the failure is about.
    #[must_use]
    pub fn with_claim(mut self, claim: &str) -> Error {
        self.0.claim = Some(claim.into());
        self
    }

    /// Sets the detail: the place in the configuration, the file, or what the operating system reported.
    #[must_use]
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Error {
        // The detail may contain a configuration value with a line break. A failure must be one line in every log.
        let detail = detail.to_string().replace(char::is_control, " ");
        self.0.detail = Some(detail.into());
        self
    }

    /// The detail, or the text of the code if there is no detail.
    pub(crate) fn reason(&self) -> &str {
        self.detail().unwrap_or_else(|| self.code().message())
    }

    /// Marks a denial that the configured system would pass to its next authenticator.
    #[must_use]
    pub(crate) fn not_applicable(mut self) -> Error {
        self.0.applicable = false;
        self
    }

    /// Marks a payload that is not an object with unique names and registered claims of the right types.
    #[must_use]
    pub(crate) fn malformed_shape(mut self) -> Error {
        self.0.malformed_shape = true;
        self
    }

    /// Whether the failure is about the shape of the payload, not about its content.
    pub(crate) fn is_malformed_shape(&self) -> bool {
        self.0.malformed_shape
    }

    /// Marks a failure about a claim that is absent from the token.
    #[must_use]
    pub(crate) fn absent(mut self) -> Error {
        self.0.absent = true;
        self
    }

    /// Whether the claim is absent from the token, as opposed to having a wrong value.
    pub(crate) fn is_absent(&self) -> bool {
        self.0.absent
    }

    /// Sets the HTTP status that the configured system would send.
    #[must_use]
    pub(crate) fn with_http_status(mut self, status: u16) -> Error {
        self.0.http_status = Some(status);
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The class of the code: what to do about the failure.
    pub fn class(&self) -> Class {
        self.0.code.class()
    }

    /// The stage in which it happened.
    pub fn stage(&self) -> Stage {
        self.0.code.stage()
    }

    /// The name of the claim that the failure is about.
    pub fn claim(&self) -> Option<&str> {
        self.0.claim.as_deref()
    }

    /// The place in the configuration, the file or URL, or what the operating system reported.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// False for a denial that the configured system would pass to its next authenticator.
    pub fn applicable(&self) -> bool {
        self.0.applicable
    }

    /// The HTTP status that the configured system would send.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0.code.message())?;
        if let Some(claim) = self.claim() {
            write!(out, " (claim \"{claim}\")")?;
        }
        if let Some(detail) = self.detail() {
            write!(out, ": {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<Code> for Error {
    fn from(code: Code) -> Error {
        Error::new(code)
    }
}
