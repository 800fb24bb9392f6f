//! Failures of sessions and their names.
//!
//! One table is the source of the [`Code`] enum, the names on the wire, the classes, the texts and
//! `docs/session-codes.md`. A login can also fail as a decision does; its failure is then that of the core.

use std::fmt;

use jwtauth_core::Class;

/// The result of every function that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($( $variant:ident $wire:literal $class:ident $text:literal $advice:literal; )*) => {
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

            /// The text for people: lower case, one line, and nothing from the session.
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
    SessionUnknown "session_unknown" Denied
        "no session has this token or accessor"
        "Log in again: the session has ended, was revoked, has no use left, or never existed.";
    SessionAddressNotAllowed "session_address_not_allowed" Denied
        "the caller's address is outside the networks of the session"
        "Check the networks of the session and the address that the application passes; behind a proxy it may be the proxy's address.";
    SessionNotRenewable "session_not_renewable" Denied
        "the session cannot be renewed"
        "Log in again. The configuration makes sessions of this kind without renewal.";
    SessionPastMaxTtl "session_past_max_ttl" Denied
        "the session has reached the end of its longest lifetime"
        "Log in again. The limits are `max_ttl`, `explicit_max_ttl` and the `sessions` options.";
    SessionProfileUnknown "session_profile_unknown" Denied
        "the profile of the session does not exist any more"
        "Log in again under another profile, or restore the profile in the configuration.";
    BatchTokenLimited "batch_token_limited" Denied
        "a batch token has no entry in the store"
        "Wait until it expires: a batch token cannot be renewed or revoked. Use service tokens if this is needed.";
    SessionsInvalid "sessions_invalid" Config
        "the configuration of the sessions is invalid"
        "Correct the configuration at the place that the detail names.";
    SessionsUnsupported "sessions_unsupported" Config
        "the dialect makes no sessions from tokens"
        "Grafana checks the token of each request. Use `Verifier`, or another dialect.";
    BatchKeyMissing "batch_key_missing" Config
        "batch tokens are configured, and there is no key for them"
        "Add a key to `sessions.batch_keys`, or configure service tokens.";
    StoreVersion "store_version" Config
        "the session store has a schema of another version"
        "Use the version of the library that made the store, or a new store.";
    StoreUnavailable "store_unavailable" Unavailable
        "the session store is unavailable"
        "Try again later; check the store and the connection to it. The detail has the reason.";
    StoreRefused "store_refused" Unavailable
        "the session store refused the connection or a command"
        "Check the user, the password and the rights in the `sessions` configuration; the store does not accept them.";
    StoreFull "store_full" Unavailable
        "the session store is full"
        "Raise the limits of the store, shorten the sessions, or revoke some. Sessions that have not ended are never removed to make room.";
    SessionRequestInvalid "session_request_invalid" Argument
        "the request about a session is invalid"
        "Correct the request that the application builds, at the place that the detail names.";
    SessionEntryInvalid "session_entry_invalid" Internal
        "a stored session cannot be read"
        "Check who writes to the store: the entry is damaged, or another program or version wrote it. Other sessions are not affected.";
    SessionInternalError "session_internal_error" Internal
        "internal error"
        "Report it with the version and the call that caused it. Access was not granted.";
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A failure: of the login's decision, or of the session.
///
/// It never contains a token, an accessor or the value of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The token of a login was not granted, or the core refused the configuration.
    Decision(jwtauth_core::Error),
    /// The session failed.
    Session(SessionError),
}

/// A failure of a session: a [`Code`], and where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionError {
    code: Code,
    detail: Option<Box<str>>,
}

impl SessionError {
    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The place in the configuration, or what the store reported.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

impl Error {
    /// A failure of a session that has only a code.
    pub fn new(code: Code) -> Error {
        Error::Session(SessionError { code, detail: None })
    }

    /// A failure of a session with its detail, on one line.
    pub fn with(code: Code, detail: impl fmt::Display) -> Error {
        let detail = detail.to_string().replace(char::is_control, " ");
        Error::Session(SessionError {
            code,
            detail: Some(detail.into()),
        })
    }

    /// The name of the code on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Decision(error) => error.code().as_str(),
            Error::Session(error) => error.code.as_str(),
        }
    }

    /// The code, if this is a failure of a session.
    pub fn session_code(&self) -> Option<Code> {
        match self {
            Error::Decision(_) => None,
            Error::Session(error) => Some(error.code),
        }
    }

    /// What to do about the failure.
    pub fn class(&self) -> Class {
        match self {
            Error::Decision(error) => error.class(),
            Error::Session(error) => error.code.class(),
        }
    }

    /// The stage in which it happened: one of the pipeline, or `session`.
    pub fn stage(&self) -> &'static str {
        match self {
            Error::Decision(error) => error.stage().as_str(),
            Error::Session(_) => STAGE,
        }
    }

    /// The text of the code.
    pub fn message(&self) -> &'static str {
        match self {
            Error::Decision(error) => error.code().message(),
            Error::Session(error) => error.code.message(),
        }
    }

    /// The place in the configuration, or what the store reported.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Error::Decision(error) => error.detail(),
            Error::Session(error) => error.detail(),
        }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code.message())?;
        self.detail
            .iter()
            .try_for_each(|detail| write!(out, ": {detail}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Decision(error) => error.fmt(out),
            Error::Session(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for Error {}

impl From<jwtauth_core::Error> for Error {
    fn from(error: jwtauth_core::Error) -> Error {
        Error::Decision(error)
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Error {
        Error::new(code)
    }
}

/// The stage of every failure of a session.
const STAGE: &str = "session";
