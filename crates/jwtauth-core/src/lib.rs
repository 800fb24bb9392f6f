//! JWT authentication: given this request and this configuration, who is the caller, and what may they have?
//!
//! A [`Verifier`] is built once from a configuration — Grafana's `[auth.jwt]`, a Consul auth method with binding
//! rules, a Vault jwt mount with roles, or the native policy — and then decides requests. A returned [`Grant`] is
//! the only way in; everything else is an [`Error`] with a stable [`Code`].
//!
//! How the modules fit: [`wire`] reads JSON and makes a [`Verifier`] through a [`dialect`], which compiles its
//! configuration to a [`policy`]; [`Verifier::authenticate`] runs the pipeline's stages over [`claims`] with the
//! prepared [`keys`] and the compiled [`expr`]essions.

pub mod claims;
pub mod clock;
pub mod dialect;
pub mod duration;
pub mod error;
pub mod expr;
pub mod grant;
pub mod json;
pub mod keys;
mod members;
mod pipeline;
pub mod policy;
mod query;
mod request;
mod verifier;
pub mod wire;

pub use crate::clock::Clock;
pub use crate::error::{Class, Code, Error, Result, Stage};
pub use crate::grant::{Entitlement, EntitlementKind, Grant, Identity, Payload, Session};
pub use crate::policy::Policy;
pub use crate::request::Request;
pub use crate::verifier::{Verifier, VerifierBuilder};
