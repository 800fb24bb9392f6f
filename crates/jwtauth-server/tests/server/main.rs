//! The server over real connections on loopback.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot continue fails"
)]

mod consul;
mod forward;
mod hostile;
mod life;
mod shared;
mod vault;
mod vault_tokens;
mod world;
