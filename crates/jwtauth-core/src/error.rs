//! What can go wrong, and what is it called?
//!
//! One table is the source of every failure: the [`Code`] enum, the wire string, the [`Class`], the
//! [`Stage`], the text, `docs/error-codes.md` and the lists of codes in the Python and Node type stubs.

use std::fmt;

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($( $variant:ident $wire:literal $class:ident $stage:ident $text:literal; )*) => {
        /// The stable name of a failure; never renamed, never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $( #[doc = $text] $variant, )* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[ $( Code::$variant, )* ];

            /// The string that stands for this code in every language.
            pub const fn as_str(self) -> &'static str {
                match self { $( Code::$variant => $wire, )* }
            }

            /// What a caller should do about it.
            pub const fn class(self) -> Class {
                match self { $( Code::$variant => Class::$class, )* }
            }

            /// Where in the pipeline it happens.
            pub const fn stage(self) -> Stage {
                match self { $( Code::$variant => Stage::$stage, )* }
            }

            /// The sentence a person reads: lower case, one line, nothing from the token.
            pub const fn message(self) -> &'static str {
                match self { $( Code::$variant => $text, )* }
            }
        }
    };
}

codes! {
    TokenMissing           "token_missing"            Denied      Extract         "the request carries no token";
    TokenAmbiguous         "token_ambiguous"          Denied      Extract         "the request carries more than one token";
    AuthenticatorDisabled  "authenticator_disabled"   Denied      Extract         "the configuration takes no tokens";
    ProfileUnknown         "profile_unknown"          Denied      Extract         "the requested profile does not exist";
    ProfileMissing         "profile_missing"          Denied      Extract         "the request names no profile and none is the default";
    ProfileClosed          "profile_closed"           Denied      Extract         "the requested profile accepts no tokens";
    AddressNotAllowed      "address_not_allowed"      Denied      Extract         "the caller's address is outside the allowed networks";
    TokenMalformed         "token_malformed"          Denied      Decode          "the token is not a compact JWS";
    TokenTooLarge          "token_too_large"          Denied      Decode          "the token is larger than the limit";
    HeaderInvalid          "header_invalid"           Denied      Decode          "the token's header is not valid";
    HeaderUnsupported      "header_unsupported"       Denied      Decode          "the token's header asks for something that is not supported";
    AlgorithmNotAllowed    "algorithm_not_allowed"    Denied      SelectKey       "the token's algorithm is not allowed";
    KeyNotFound            "key_not_found"            Denied      SelectKey       "no key answers to this token";
    SignatureInvalid       "signature_invalid"        Denied      VerifySignature "the signature does not verify";
    ClaimsMalformed        "claims_malformed"         Denied      ValidateClaims  "the payload is not a valid claims set";
    ClaimMissing           "claim_missing"            Denied      ValidateClaims  "a required claim is missing";
    ClaimInvalid           "claim_invalid"            Denied      ValidateClaims  "a claim has the wrong type or an impossible value";
    ClaimMismatch          "claim_mismatch"           Denied      ValidateClaims  "a claim does not have a required value";
    IssuerMismatch         "issuer_mismatch"          Denied      ValidateClaims  "the token comes from another issuer";
    SubjectMismatch        "subject_mismatch"         Denied      ValidateClaims  "the token is about another subject";
    AudienceMismatch       "audience_mismatch"        Denied      ValidateClaims  "the token is meant for another audience";
    AudienceUnexpected     "audience_unexpected"      Denied      ValidateClaims  "the token names an audience but none is configured";
    TokenNotYetValid       "token_not_yet_valid"      Denied      ValidateClaims  "the token is not valid yet";
    TokenExpired           "token_expired"            Denied      ValidateClaims  "the token has expired";
    TokenIssuedInFuture    "token_issued_in_future"   Denied      ValidateClaims  "the token was issued in the future";
    TokenTooOld            "token_too_old"            Denied      ValidateClaims  "the token is older than the maximum age";
    LifetimeMissing        "lifetime_missing"         Denied      ValidateClaims  "the token carries no time claim at all";
    IdentityMissing        "identity_missing"         Denied      MapIdentity     "the token names nobody";
    IdentityInvalid        "identity_invalid"         Denied      MapIdentity     "the claim that names the caller cannot be used as a name";
    GroupsInvalid          "groups_invalid"           Denied      MapIdentity     "the groups claim cannot be used";
    MappingFailed          "mapping_failed"           Denied      MapIdentity     "a claim mapping cannot be carried out";
    RoleUnresolved         "role_unresolved"          Denied      Decide          "no role could be determined";
    RoleInvalid            "role_invalid"             Denied      Decide          "the role is not one of the valid roles";
    BindingInvalid         "binding_invalid"          Denied      Decide          "a binding rule computes a name that cannot be one";
    BindingUnmatched       "binding_unmatched"        Denied      Decide          "nothing is bound to this identity";
    PolicyForbidden        "policy_forbidden"         Denied      Decide          "a configured policy may never be granted";
    ConfigInvalid          "config_invalid"           Config      Configure       "the configuration is not valid";
    KeySourceMissing       "key_source_missing"       Config      Configure       "no key source is configured";
    KeySourceConflict      "key_source_conflict"      Config      Configure       "more than one key source is configured";
    KeyInvalid             "key_invalid"              Config      Configure       "a key cannot be used";
    AlgorithmUnsupported   "algorithm_unsupported"    Config      Configure       "an algorithm is not supported";
    ExpressionInvalid      "expression_invalid"       Config      Configure       "an expression cannot be used";
    KeySourceUnavailable   "key_source_unavailable"   Unavailable SelectKey       "the keys cannot be obtained at the moment";
    KeySetInvalid          "key_set_invalid"          Unavailable SelectKey       "the key source answers with something that is not a key set";
    DiscoveryFailed        "discovery_failed"         Unavailable SelectKey       "the issuer's metadata cannot be obtained";
    DiscoveryIssuerMismatch "discovery_issuer_mismatch" Unavailable SelectKey     "the issuer's metadata names another issuer";
    ArgumentNull           "argument_null"            Argument    Configure       "a required argument is NULL";
    ArgumentNotUtf8        "argument_not_utf8"        Argument    Configure       "an argument is not UTF-8";
    RequestInvalid         "request_invalid"          Argument    Extract         "the request is not valid";
    InternalError          "internal_error"           Internal    Configure       "the library made a mistake";
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// What a caller should do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The answer is no.
    Denied,
    /// The operator must mend the configuration.
    Config,
    /// The answer is not known: keys could not be obtained. Worth a retry.
    Unavailable,
    /// The calling program made a mistake.
    Argument,
    /// This library made a mistake.
    Internal,
}

impl Class {
    /// The string that stands for this class in every language.
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

/// Where a failure happened.
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
    /// The string that stands for this stage in every language.
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
/// Neither the token nor the value of a claim is ever part of it; the *names* of claims are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    code: Code,
    claim: Option<Box<str>>,
    detail: Option<Box<str>>,
    applicable: bool,
    misshapen: bool,
    absent: bool,
    http_status: Option<u16>,
}

impl Error {
    /// A failure with nothing but its code.
    pub fn new(code: Code) -> Error {
        Error(Box::new(Inner {
            code,
            claim: None,
            detail: None,
            applicable: true,
            misshapen: false,
            absent: false,
            http_status: None,
        }))
    }

    /// Names the claim it is about.
    #[must_use]
    pub fn with_claim(mut self, claim: &str) -> Error {
        self.0.claim = Some(claim.into());
        self
    }

    /// Says where in the configuration, which file, what the operating system said.
    #[must_use]
    pub fn with_detail(mut self, detail: impl fmt::Display) -> Error {
        // A configuration value in it may hold a line break; a failure is one line in every log.
        let detail = detail.to_string().replace(char::is_control, " ");
        self.0.detail = Some(detail.into());
        self
    }

    /// Marks a denial that the configured system would hand to its next authenticator.
    #[must_use]
    pub(crate) fn not_applicable(mut self) -> Error {
        self.0.applicable = false;
        self
    }

    /// Marks a payload that is no object with unique names and registered claims of the right types.
    #[must_use]
    pub(crate) fn misshapen(mut self) -> Error {
        self.0.misshapen = true;
        self
    }

    /// Whether it is about a payload of the wrong shape, not about what it says.
    pub(crate) fn is_misshapen(&self) -> bool {
        self.0.misshapen
    }

    /// Marks a failure whose claim is not in the token.
    #[must_use]
    pub(crate) fn absent(mut self) -> Error {
        self.0.absent = true;
        self
    }

    /// Whether it is about a claim that is not in the token, not about what the claim says.
    pub(crate) fn is_absent(&self) -> bool {
        self.0.absent
    }

    /// Sets the status that the configured system would answer over HTTP.
    #[must_use]
    pub(crate) fn with_http_status(mut self, status: u16) -> Error {
        self.0.http_status = Some(status);
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What to do about it.
    pub fn class(&self) -> Class {
        self.0.code.class()
    }

    /// Where it happened.
    pub fn stage(&self) -> Stage {
        self.0.code.stage()
    }

    /// The name of the claim it is about.
    pub fn claim(&self) -> Option<&str> {
        self.0.claim.as_deref()
    }

    /// Where in the configuration, which file or URL, what the operating system said.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// False for a denial that the configured system would hand to its next authenticator.
    pub fn applicable(&self) -> bool {
        self.0.applicable
    }

    /// The status that the configured system would answer over HTTP.
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
