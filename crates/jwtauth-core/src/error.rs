//! Failures and their names.
//!
//! One table is the source of every failure: the [`Code`] enum, the name on the wire, the [`Class`], the [`Stage`],
//! the text, `docs/error-codes.md` and the lists of codes in the Python and Node type stubs.

use std::borrow::Cow;
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
        "the request contains no token"
        "Send the token where the configuration expects it; the detail names the header, the query parameter or the cookie.";
    TokenAmbiguous "token_ambiguous" Denied Extract
        "the request contains more than one token"
        "Send exactly one token. With two, another service could read a different one from the same request.";
    AuthenticatorDisabled "authenticator_disabled" Denied Extract
        "token login is disabled in the configuration"
        "The token is not the cause. Enable token login in the configuration if tokens must be accepted.";
    ProfileUnknown "profile_unknown" Denied Extract
        "the requested profile does not exist"
        "Compare the profile in the request with the names in the configuration.";
    ProfileMissing "profile_missing" Denied Extract
        "the request names no profile and there is no default profile"
        "Name a profile in the request, or set a default profile in the configuration.";
    ProfileClosed "profile_closed" Denied Extract
        "the requested profile accepts no tokens"
        "Check the profile in the configuration; the detail gives the reason.";
    AddressNotAllowed "address_not_allowed" Denied Extract
        "the caller's address is outside the allowed networks"
        "Check the allowed networks and the address that the application passes; behind a proxy it may be the proxy's address.";
    TokenMalformed "token_malformed" Denied Decode
        "the token is not a compact JWS"
        "Check what was sent. A compact JWS has three base64url parts separated by dots, and nothing before or after them.";
    TokenTooLarge "token_too_large" Denied Decode
        "the token is larger than the limit"
        "Ask the issuer for fewer claims, or raise `max_token_bytes`.";
    HeaderInvalid "header_invalid" Denied Decode
        "the token's header is invalid"
        "Check the token's header with `jwtauth inspect`; the issuer must create a valid header.";
    HeaderUnsupported "header_unsupported" Denied Decode
        "the token's header uses an unsupported feature"
        "The issuer uses `crit`, `b64` or encryption. Configure it to issue plain signed tokens.";
    AlgorithmNotAllowed "algorithm_not_allowed" Denied SelectKey
        "the token's algorithm is not allowed"
        "Compare the header's `alg` with the allowed algorithms. Allow another algorithm only if the issuer uses it on purpose.";
    KeyNotFound "key_not_found" Denied SelectKey
        "no matching key for this token"
        "Compare the header's `kid` and `alg` with the configured keys; the issuer may have rotated its keys.";
    SignatureInvalid "signature_invalid" Denied VerifySignature
        "the signature is invalid"
        "The token was forged or altered, or the configured key is not the issuer's.";
    ClaimsMalformed "claims_malformed" Denied ValidateClaims
        "the payload is not a valid claims set"
        "The issuer signed a payload that is not a claims set: invalid JSON, not an object, or a duplicate member name.";
    ClaimMissing "claim_missing" Denied ValidateClaims
        "a required claim is missing"
        "Ask the issuer to add the claim, or stop requiring it.";
    ClaimInvalid "claim_invalid" Denied ValidateClaims
        "a claim has the wrong type or an invalid value"
        "Check how the issuer writes the claim; a time must be a number, for example.";
    ClaimMismatch "claim_mismatch" Denied ValidateClaims
        "a claim does not have the required value"
        "Compare the claim with the value that the rule requires; the rule may exclude this caller on purpose.";
    IssuerMismatch "issuer_mismatch" Denied ValidateClaims
        "the token's issuer does not match the configuration"
        "Compare the token's `iss` with the configured issuer character by character, including a trailing slash. If several issuers are configured, also check that the key belongs to this one.";
    SubjectMismatch "subject_mismatch" Denied ValidateClaims
        "the token's subject does not match the configuration"
        "The configuration allows only one subject. Compare it with the token's `sub`.";
    AudienceMismatch "audience_mismatch" Denied ValidateClaims
        "the token's audience does not match the configuration"
        "Request a token for the audience of this service, or correct the configured audiences.";
    AudienceUnexpected "audience_unexpected" Denied ValidateClaims
        "the token has an audience but the configuration has none"
        "Configure the audiences of this service, or configure that any audience is accepted.";
    TokenNotYetValid "token_not_yet_valid" Denied ValidateClaims
        "the token is not valid yet"
        "Compare the clocks of the issuer and this machine; the leeway allows a small difference.";
    TokenExpired "token_expired" Denied ValidateClaims
        "the token has expired"
        "Get a new token. If the token is new, compare the clocks of the issuer and this machine.";
    TokenIssuedInFuture "token_issued_in_future" Denied ValidateClaims
        "the token was issued in the future"
        "Compare the clocks of the issuer and this machine; the leeway allows a small difference.";
    TokenTooOld "token_too_old" Denied ValidateClaims
        "the token is older than the maximum age"
        "Get a new token; `max_age` counts from `iat`, even if the token has not expired.";
    LifetimeMissing "lifetime_missing" Denied ValidateClaims
        "the token has no time claim"
        "Ask the issuer to add `exp`; at least one of `exp`, `nbf`, `iat` is required.";
    IdentityMissing "identity_missing" Denied MapIdentity
        "the token does not name a caller"
        "Check which claim is configured as the caller's name, and whether the issuer sends it.";
    IdentityInvalid "identity_invalid" Denied MapIdentity
        "the claim that names the caller cannot be used as a name"
        "Configure a claim whose value is a string.";
    GroupsInvalid "groups_invalid" Denied MapIdentity
        "the groups claim cannot be used"
        "Configure a claim whose value is a list of strings.";
    MappingFailed "mapping_failed" Denied MapIdentity
        "a claim mapping failed"
        "Check the mapping and the claim that it reads: the claim is required and missing, or it has the wrong type.";
    RoleUnresolved "role_unresolved" Denied Decide
        "no role could be determined"
        "Check the role expression: it returns no string for this caller, and strict mode requires one.";
    RoleInvalid "role_invalid" Denied Decide
        "the role is not one of the valid roles"
        "Compare the result of the role expression with the valid roles; it is case-sensitive.";
    BindingInvalid "binding_invalid" Denied Decide
        "a binding rule computes an invalid name"
        "Check the bind name: with this caller's values it becomes an invalid name.";
    BindingUnmatched "binding_unmatched" Denied Decide
        "no binding rule applies to this identity"
        "No binding rule matches this caller, or the roles and policies that the rules bind do not exist.";
    PolicyForbidden "policy_forbidden" Denied Decide
        "a configured policy must not be granted"
        "Remove the policy from the configuration; the detail says why it cannot be granted.";
    ConfigInvalid "config_invalid" Config Configure
        "the configuration is invalid"
        "Correct the configuration at the place that the detail names.";
    KeySourceMissing "key_source_missing" Config Configure
        "no key source is configured"
        "Add a key source: a PEM, JWK, JWK set or secret (as text or in a file), the URL of a JWK set, or an issuer whose keys are discovered.";
    KeySourceConflict "key_source_conflict" Config Configure
        "more than one key source is configured"
        "Keep one of the sources that the detail names.";
    KeyInvalid "key_invalid" Config Configure
        "a key cannot be used"
        "Check the key that the detail names: it cannot be read, is too weak, or cannot be used with any allowed algorithm.";
    AlgorithmUnsupported "algorithm_unsupported" Config Configure
        "an algorithm is not supported"
        "Use one of the algorithms that the detail lists.";
    ExpressionInvalid "expression_invalid" Config Configure
        "an expression is invalid"
        "Correct the expression at the position that the detail names.";
    KeySourceUnavailable "key_source_unavailable" Unavailable SelectKey
        "the keys are currently unavailable"
        "Try again later; check the network and the key server.";
    KeySetInvalid "key_set_invalid" Unavailable SelectKey
        "the key source did not return a valid key set"
        "Check what the key server returns; it may be an error page.";
    DiscoveryFailed "discovery_failed" Unavailable SelectKey
        "the OIDC discovery document is unavailable or invalid"
        "Try again later; check the network and the issuer's discovery document.";
    DiscoveryIssuerMismatch "discovery_issuer_mismatch" Unavailable SelectKey
        "the discovery document names a different issuer"
        "Correct the discovery URL: it must be equal to the `issuer` of the discovery document. If that contains `{tenantid}`, write it as the `issuer` of the native key source.";
    ArgumentNull "argument_null" Argument Configure
        "a required argument is NULL"
        "Check the call: a required pointer is NULL.";
    ArgumentNotUtf8 "argument_not_utf8" Argument Configure
        "an argument is not valid UTF-8"
        "Check the call: text must be UTF-8.";
    RequestInvalid "request_invalid" Argument Extract
        "the request is invalid"
        "Correct the request that the application builds, at the place that the detail names.";
    InternalError "internal_error" Internal Configure
        "internal error"
        "Report it with the version and the call that caused it. Access was not granted.";
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
    stricter: bool,
    absent: bool,
    http_status: Option<u16>,
}

impl Error {
    /// A failure that has only a code.
    // Failures are made in hundreds of places, so what makes them is not inlined.
    #[cold]
    #[inline(never)]
    pub fn new(code: Code) -> Error {
        Error(Box::new(Inner {
            code,
            claim: None,
            detail: None,
            applicable: true,
            malformed_shape: false,
            stricter: false,
            absent: false,
            http_status: None,
        }))
    }

    /// Sets the name of the claim that the failure is about.
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn with_claim(mut self, claim: &str) -> Error {
        self.0.claim = Some(claim.into());
        self
    }

    /// Sets the detail: the place in the configuration, the file, or what the operating system reported.
    #[must_use]
    pub fn with_detail(self, detail: impl fmt::Display) -> Error {
        self.detailed(&detail)
    }

    #[cold]
    #[inline(never)]
    fn detailed(mut self, detail: &dyn fmt::Display) -> Error {
        // The detail may contain a configuration value with a line break. A failure must be one line in every log.
        let detail = detail.to_string();
        self.0.detail = Some(on_one_line(&detail).into());
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

    /// Marks a token that only this library cannot read: the configured systems read it, and then verify it.
    #[must_use]
    pub(crate) fn stricter(mut self) -> Error {
        self.0.stricter = true;
        self
    }

    /// Whether only this library cannot read the token.
    pub(crate) fn is_stricter(&self) -> bool {
        self.0.stricter
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

/// Replaces control characters and the line breaks of Unicode.
fn on_one_line(text: &str) -> Cow<'_, str> {
    // Most texts have only printable ASCII characters. This loop handles many bytes at a time.
    if text
        .bytes()
        .fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
    {
        return Cow::Borrowed(text);
    }
    let is_break = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    Cow::Owned(text.replace(is_break, " "))
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0.code.message())?;
        if let Some(claim) = self.claim() {
            write!(out, " (claim \"{}\")", on_one_line(claim))?;
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
