//! Sessions: a granted login becomes a token that later requests carry, until it ends or is revoked.
//!
//! [`Sessions`] is built from the configuration of a [`Verifier`](jwtauth_core::Verifier), which may have a member
//! `sessions`. A [`login`](Sessions::login) is decided by the verifier. Its answer is that of the configured system: the `auth`
//! of Vault, the ACL token of Consul, or the library's own form. Each later request is checked with
//! [`authorize`](Sessions::authorize).
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use jwtauth_core::Request;
//! use jwtauth_sessions::{Code, Sessions};
//!
//! // The sessions are kept in memory. `store` can name SQLite or Redis instead.
//! let sessions = Sessions::from_json(r#"{
//!     "dialect": "native",
//!     "config": {
//!         "keys": [{ "jwk": { "kty": "OKP", "crv": "Ed25519", "x": "h6PMmVk3fIlFE_ifMFEFqditr59MHbh8meXjWewsA4g" } }],
//!         "algorithms": ["EdDSA"],
//!         "issuer": "https://issuer.example",
//!         "audiences": ["api"],
//!         "session": { "ttl": "1h", "max_ttl": "8h" }
//!     },
//!     "options": { "now": 1700000000 },
//!     "sessions": { "store": { "memory": { "max_sessions": 10000 } } }
//! }"#)?;
//!
//! # let jwt = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6InRlc3QtMSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoidS0xNyIsImF1ZCI6ImFwaSIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwLCJlbWFpbCI6ImFsaWNlQGV4YW1wbGUuY29tIiwiZ3JvdXBzIjpbImVuZyJdLCJyb2xlIjoiZWRpdG9yIn0.8rlrdYG6OUCcwnE8u3Z7xCj3Vg8nuthOOxe6PrHzx6WVblSlFmf0QtJYfji5gF7_jYAUiXrnEdFOepDLJ4RrBg";
//! let login = sessions.login(&Request::bearer(jwt), &BTreeMap::new())?;
//!
//! // Later requests carry the token of the session.
//! let session = sessions.authorize(login.token.expose(), None)?;
//! assert_eq!(session.subject(), "u-17");
//! assert_eq!(session.ttl(), Some(3600));
//!
//! // After a logout, the token is worth nothing.
//! sessions.revoke(login.token.expose())?;
//! let denied = sessions.authorize(login.token.expose(), None).unwrap_err();
//! assert_eq!(denied.session_code(), Some(Code::SessionUnknown));
//! # Ok::<(), jwtauth_sessions::Error>(())
//! ```
//!
//! # Promises
//!
//! * Stores contain neither tokens nor accessors. An entry is found by a keyed hash.
//! * A token is given out only after the store has the session. If the store fails, there is no token.
//! * Of a session with `num_uses`, exactly so many uses pass, over all threads, processes and machines with the same store.
//! * A clock that is set back lengthens no session.
//! * No token, accessor or value of a claim is in an error, or in what `Debug` prints.

#![forbid(unsafe_code)]

mod blake2b;
mod config;
mod error;
mod info;
#[doc(hidden)]
pub mod internals;
mod issue;
mod lease;
mod member;
mod names;
mod network;
mod record;
mod reply;
mod secret;
mod sessions;
mod store;
mod time;
pub mod wire;

pub use crate::error::{Code, Error, Result, SessionError};
pub use crate::info::SessionInfo;
pub use crate::secret::Secret;
pub use crate::sessions::{Group, Login, Sessions, SessionsBuilder};
