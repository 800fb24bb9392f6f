//! The server `jwtauth serve`: the login APIs of Vault and Consul, and forward-auth for proxies.
//!
//! It stands on [`jwtauth_sessions`], which decides and keeps sessions. This crate speaks HTTP, and keeps what the APIs
//! configure. `docs/serve.md` describes it. [`Server`] is the way in: the program starts one and waits, and tests start many.

#![forbid(unsafe_code)]

mod app;
mod call;
mod client;
mod config;
mod consul;
mod document;
mod files;
mod forward;
mod keys;
mod log;
mod metrics;
mod net;
mod notes;
mod notify;
mod random;
mod served;
mod server;
mod settings;
mod state;
mod trust;
mod vault;
mod waits;
mod words;

pub use crate::server::{Options, Server};
pub use crate::settings::Invalid;
