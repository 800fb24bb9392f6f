//! Decides about JSON Web Tokens (JWTs): who the caller of a request is, and what the caller may do.
//!
//! A [`Verifier`] is built once from a configuration, and then decides requests. The configuration is that of Grafana's
//! `[auth.jwt]`, of a Consul auth method with binding rules, of a Vault JWT mount with roles, or the library's native
//! one. Only a returned [`Grant`] gives access. Every other result is an [`Error`] with a stable [`Code`].
//!
//! # A first decision
//!
//! ```
//! use jwtauth_core::{Code, Request, Verifier};
//!
//! // The key is part of this configuration; `jwks_file` and `pem_file` name files instead. The option `now` stops the
//! // clock, so that the token of this example does not expire.
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
//! // In a server, the token is the text after `Bearer `. `Request::headers` takes the headers themselves.
//! let grant = verifier.authenticate(&Request::bearer(token))?;
//! assert_eq!(grant.identity.name.as_deref(), Some("alice@example.com"));
//! assert_eq!(grant.identity.groups, ["eng"]);
//! assert_eq!(grant.entitlements[0].name, "editor");
//!
//! // A token with a changed payload (`"role":"admin"`) is denied. The error contains the reason, but no part of the
//! // token.
//! let forged = token.replace("ZWRpdG9yIn0", "YWRtaW4ifQ");
//! let denied = verifier.authenticate(&Request::bearer(&forged)).unwrap_err();
//! assert_eq!(denied.code(), Code::SignatureInvalid);
//! # Ok::<(), jwtauth_core::Error>(())
//! ```
//!
//! # Profiles
//!
//! One configuration may contain several sets of rules. A request chooses one by its name. A profile inherits the
//! members of the top level that it does not replace. (Vault calls a profile a role.)
//!
//! ```
//! use jwtauth_core::{Code, Request, Verifier};
//!
//! let verifier = Verifier::from_json(r#"{
//!     "dialect": "native",
//!     "config": {
//!         "keys": [{ "jwk": { "kty": "OKP", "crv": "Ed25519", "x": "h6PMmVk3fIlFE_ifMFEFqditr59MHbh8meXjWewsA4g" } }],
//!         "algorithms": ["EdDSA"],
//!         "issuer": "https://issuer.example",
//!         "audiences": ["api"],
//!         "profile_required": true,
//!         "profiles": {
//!             "read": { "policies": ["reports-read"] },
//!             "write": {
//!                 "claims": [{ "claim": "groups", "any_of": ["admins"] }],
//!                 "policies": ["reports-read", "reports-write"]
//!             }
//!         }
//!     },
//!     "options": { "now": 1700000000 }
//! }"#)?;
//!
//! # let token = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6InRlc3QtMSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoidS0xNyIsImF1ZCI6ImFwaSIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUuY29tIiwiZ3JvdXBzIjpbImVuZyJdLCJyb2xlIjoiZWRpdG9yIn0.8rlrdYG6OUCcwnE8u3Z7xCj3Vg8nuthOOxe6PrHzx6WVblSlFmf0QtJYfji5gF7_jYAUiXrnEdFOepDLJ4RrBg";
//! let grant = verifier.authenticate(&Request::bearer(token).profile("read"))?;
//! assert_eq!(grant.profile.as_deref(), Some("read"));
//! assert_eq!(grant.entitlements[0].name, "reports-read");
//!
//! // The token's `groups` are `["eng"]`, so the claim rule of `write` denies it.
//! let denied = verifier.authenticate(&Request::bearer(token).profile("write")).unwrap_err();
//! assert_eq!((denied.code(), denied.claim()), (Code::ClaimMismatch, Some("groups")));
//!
//! // A profile is required here.
//! let denied = verifier.authenticate(&Request::bearer(token)).unwrap_err();
//! assert_eq!(denied.code(), Code::ProfileMissing);
//! # Ok::<(), jwtauth_core::Error>(())
//! ```
//!
//! [`Verifier::authenticate_many`] decides many tokens on all cores, for audits of logs and for queues. Each outcome is that
//! of its request alone:
//!
//! ```
//! # use jwtauth_core::{Request, Verifier};
//! # let verifier = Verifier::from_json(r#"{"dialect":"native","config":{"keys":[{"secret":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}],"algorithms":["HS256"],"audiences":["api"]}}"#)?;
//! # let tokens = ["a.b.c", ""];
//! let requests: Vec<_> = tokens.iter().map(|token| Request::bearer(token)).collect();
//! for outcome in verifier.authenticate_many(&requests, None) {
//!     match outcome {
//!         Ok(grant) => println!("granted: {:?}", grant.identity.name),
//!         Err(error) => println!("refused: {}", error.code()),
//!     }
//! }
//! # Ok::<(), jwtauth_core::Error>(())
//! ```
//!
//! # Keys that are fetched
//!
//! The key sources `jwks_url` and `oidc_discovery_url` fetch their keys. With the feature `http`, which is on by
//! default, the library has its own client. An application can supply another client: it implements
//! [`Fetch`](fetch::Fetch) and passes it to [`VerifierBuilder::fetch`]. The library still caches the keys, refreshes
//! them before they expire, and uses stale keys while the key server is unreachable.
//!
//! ```
//! use std::sync::Arc;
//!
//! use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
//! use jwtauth_core::{Code, Request, Verifier};
//!
//! /// A client of the application. A real one sends a GET request with `request.headers()`, and obeys
//! /// `request.timeout` and `request.max_bytes`.
//! #[derive(Debug)]
//! struct Client;
//!
//! impl Fetch for Client {
//!     fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
//!         if request.url != "https://issuer.example/keys" {
//!             return Err(FetchFailed::new(Phase::Connect, "connection refused"));
//!         }
//!         let keys = r#"{ "keys": [
//!             { "kty": "OKP", "crv": "Ed25519", "x": "h6PMmVk3fIlFE_ifMFEFqditr59MHbh8meXjWewsA4g" }
//!         ] }"#;
//!         Ok(Fetched::new(200, keys).header("Cache-Control", "max-age=300"))
//!     }
//! }
//!
//! let config = r#"{
//!     "dialect": "native",
//!     "config": {
//!         "keys": [{ "jwks_url": "https://issuer.example/keys" }],
//!         "algorithms": ["EdDSA"],
//!         "issuer": "https://issuer.example",
//!         "audiences": ["api"]
//!     },
//!     "options": { "now": 1700000000 }
//! }"#;
//! let fetch: Arc<dyn Fetch> = Arc::new(Client);
//! let verifier = Verifier::builder(config)?.fetch(fetch).build()?;
//!
//! # let token = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6InRlc3QtMSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoidS0xNyIsImF1ZCI6ImFwaSIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUuY29tIiwiZ3JvdXBzIjpbImVuZyJdLCJyb2xlIjoiZWRpdG9yIn0.8rlrdYG6OUCcwnE8u3Z7xCj3Vg8nuthOOxe6PrHzx6WVblSlFmf0QtJYfji5gF7_jYAUiXrnEdFOepDLJ4RrBg";
//! // `cached_only` decides with the cached keys only. The verifier has not fetched any yet.
//! let cached_only = Request::bearer(token).cached_only(true);
//! let unavailable = verifier.authenticate(&cached_only).unwrap_err();
//! assert_eq!(unavailable.code(), Code::KeySourceUnavailable);
//!
//! // This request fetches the keys. Later ones use the cached keys.
//! verifier.authenticate(&Request::bearer(token))?;
//! assert_eq!(verifier.authenticate(&cached_only)?.identity.name.as_deref(), Some("u-17"));
//! assert_eq!(verifier.key_status()[0].keys, 1);
//! # Ok::<(), jwtauth_core::Error>(())
//! ```
//!
//! Programs with an event loop call [`Verifier::step`], which never fetches and never waits. It returns the fetches
//! that a decision lacks as an [`Errand`], and the program runs them where they block no other work.
//!
//! # How it works
//!
//! When a verifier is built, the configuration is compiled to one native policy, and everything that can be parsed is
//! parsed: keys, expressions, durations, networks. After that, a decision does not depend on which system the
//! configuration came from.
//!
//! A decision has eight stages: extract the token, decode it, select the keys, verify the signature, validate the
//! claims, map the identity, decide the entitlements, issue the grant. The type of a stage's input can only be made by
//! the stage before it, so claims of an unverified token cannot reach the later stages. The first failure is reported,
//! with the [`Stage`] in which it happened. JSON is read strictly: for example, duplicate member names are refused.
//!
//! The module [`wire`] reads and writes the JSON that all languages share. The C, Python and Node bindings use it.
//!
//! # Promises
//!
//! * Building a verifier reads files and opens no connection. Deciding reads memory only, unless keys must be fetched.
//!   Then one calling thread fetches from a source. A request that is [`cached_only`](Request::cached_only) never
//!   fetches.
//! * A verifier is immutable, except for its cached keys. Any number of threads may use one verifier concurrently.
//! * No input causes a panic. Every failure is an [`Error`] and never a grant.
//! * An error contains neither the token nor the value of a claim.

#![forbid(unsafe_code)]

mod batch;
mod claims;
mod clock;
mod config_file;
mod counters;
mod dialect;
mod duration;
mod envelope;
mod error;
pub mod events;
pub mod explain;
mod expr;
mod file;
mod grant;
mod hidden;
mod json;
mod keys;
mod lint;
mod members;
mod network;
mod ordered;
mod pipeline;
mod policy;
mod query;
mod request;
mod sources;
mod stripe;
mod token_cache;
mod verifier;
mod warning;
pub mod wire;

#[doc(hidden)]
pub use crate::batch::{Batch, Round};
pub use crate::claims::NumericDate;
pub use crate::clock::Clock;
#[doc(hidden)]
pub use crate::clock::Monotonic;
pub use crate::counters::{Counters, SourceCounters};
pub use crate::error::{Class, Code, Error, Result, Stage};
pub use crate::explain::{DryRun, Explain, Explanation, Hint};
pub use crate::grant::{Entitlement, EntitlementKind, Grant, Identity, Payload, Session};
pub use crate::request::Request;
pub use crate::sources::errand::{Errand, KeyFetch};
pub use crate::sources::{fetch, status};
pub use crate::token_cache::TokenCacheStatus;
#[doc(hidden)]
pub use crate::token_cache::{Granted, Kept};
pub use crate::verifier::{Step, Verifier, VerifierBuilder};
pub use crate::warning::{Rule, Severity, Warning};

/// Private items for fuzzing, the test kit and the program. Any release may change or remove them.
#[doc(hidden)]
pub mod internals {
    pub use crate::claims::Claims;
    pub use crate::config_file::{ConfigFile, Origins, folder};
    pub use crate::dialect::{Dialect, Ini, Unreadable};
    pub use crate::duration::{parse_go, print_go};
    pub use crate::file::read_text;
    pub use crate::keys::{Algorithm, Checker};
    pub use crate::lint::{Finding, lint};
    pub use crate::members::unknown_member;
    pub use crate::policy::Section;

    /// Expressions.
    pub mod expr {
        pub use crate::expr::{Document, Glob, IndexRule, JmesPath, Pointer, Selector, Template};
    }

    /// Stages of the pipeline.
    pub mod parts {
        pub use crate::pipeline::parts::{decode, registered};
    }

    /// JSON texts.
    pub mod json {
        pub use crate::json::{Malformed, Number, Object, Value, parse};
    }
}
