//! JWT authentication: given this request and this configuration, who is the caller, and what may they have?
//!
//! A [`Verifier`] is built once from a configuration — Grafana's `[auth.jwt]`, a Consul auth method with binding
//! rules, a Vault jwt mount with roles, or the native one — and then decides requests. A returned [`Grant`] is the
//! only way in; everything else is an [`Error`] with a stable [`Code`].
//!
//! ```
//! use jwtauth_core::{Code, Request, Verifier};
//!
//! // The key stands in the configuration here; `jwks_file` and its like name files. `now` stops the clock, so that
//! // this example does not expire.
//! let verifier = Verifier::from_json(r#"{
//!     "dialect": "native",
//!     "config": {
//!         "keys": [{ "jwk": { "kty": "OKP", "crv": "Ed25519", "x": "h6PMmVk3fIlFE_ifMFEFqditr59MHbh8meXjWewsA4g" } }],
//!         "algorithms": ["EdDSA"],
//!         "issuer": "https://issuer.example",
//!         "audiences": ["api"],
//!         "identity": { "name": "email", "groups": "groups" },
//!         "roles": { "jmespath": "role", "allowed": ["viewer", "editor"], "default": "viewer" }
//!     },
//!     "options": { "now": 1700000000 }
//! }"#)?;
//!
//! # let token = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6InRlc3QtMSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoidS0xNyIsImF1ZCI6ImFwaSIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUuY29tIiwiZ3JvdXBzIjpbImVuZyJdLCJyb2xlIjoiZWRpdG9yIn0.8rlrdYG6OUCcwnE8u3Z7xCj3Vg8nuthOOxe6PrHzx6WVblSlFmf0QtJYfji5gF7_jYAUiXrnEdFOepDLJ4RrBg";
//! // In a server: what stood behind `Bearer `, or the headers themselves, with `Request::headers`.
//! let grant = verifier.authenticate(&Request::bearer(token))?;
//! assert_eq!(grant.identity.name.as_deref(), Some("alice@example.com"));
//! assert_eq!(grant.identity.groups, ["eng"]);
//! assert_eq!(grant.entitlements[0].name, "editor");
//!
//! // The same with `"role":"admin"` in the payload: the answer is no. The error says why, and nothing of the token.
//! let forged = token.replace("ZWRpdG9yIn0", "YWRtaW4ifQ");
//! let denied = verifier.authenticate(&Request::bearer(&forged)).unwrap_err();
//! assert_eq!(denied.code(), Code::SignatureInvalid);
//! # Ok::<(), jwtauth_core::Error>(())
//! ```
//!
//! # How it fits together
//!
//! * [`wire`] reads and writes the JSON that all languages share, and is all that the C, Python and Node surfaces use.
//! * A [`dialect`] compiles its configuration to a [`policy`]: plain data, with everything parsed that can be. After
//!   that nothing knows which dialect it was.
//! * [`Verifier::authenticate`] runs the pipeline's stages: extract, decode, select key, verify signature, validate
//!   claims, map identity, decide, issue. Each stage takes what only the one before it can make, so that the claims of
//!   a token nobody has verified cannot reach a check.
//! * On the way it uses the prepared [`keys`], reads [`json`] and [`claims`] strictly, and evaluates the compiled
//!   [`expr`]essions. The [`clock`] is the only place that asks for the time.
//!
//! # What it promises
//!
//! * Building a verifier reads files and opens no connection. Deciding touches nothing but memory, unless keys have to
//!   be fetched; then one calling thread does it, and a request that is [`cached_only`](Request::cached_only) does not.
//! * A verifier never changes but for the keys it fetched; any number of threads may use one at once.
//! * No input panics. Whatever fails, fails closed: as an [`Error`], never as a grant.
//! * Neither tokens nor the values of claims are part of an error.

#![forbid(unsafe_code)]

mod claims;
mod clock;
mod dialect;
mod duration;
mod envelope;
mod error;
mod expr;
mod file;
mod grant;
mod json;
mod keys;
mod members;
mod pipeline;
mod policy;
mod query;
mod request;
mod sources;
mod verifier;
mod warning;
pub mod wire;

pub use crate::claims::NumericDate;
pub use crate::clock::Clock;
#[doc(hidden)]
pub use crate::clock::Monotonic;
pub use crate::error::{Class, Code, Error, Result, Stage};
pub use crate::grant::{Entitlement, EntitlementKind, Grant, Identity, Payload, Session};
pub use crate::request::Request;
pub use crate::sources::errand::{Errand, KeyFetch};
pub use crate::sources::{fetch, status};
pub use crate::verifier::{Step, Verifier, VerifierBuilder};
pub use crate::warning::Warning;

/// Private items for fuzzing, the test kit and the program. They may change or go with any release.
#[doc(hidden)]
pub mod internals {
    pub use crate::claims::Claims;
    pub use crate::dialect::Dialect;
    pub use crate::duration::parse_go;
    pub use crate::keys::Algorithm;

    /// Expressions.
    pub mod expr {
        pub use crate::expr::{Document, Glob, IndexRule, JmesPath, Pointer, Selector, Template};
    }

    /// JSON texts.
    pub mod json {
        pub use crate::json::{Malformed, Number, Object, Value, parse};
    }
}
