//! Sessions through the public interface: what each verb answers, and what every store must do.

#![allow(clippy::expect_used, reason = "only some stores need it")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot continue fails"
)]

mod building;
mod codes;
#[cfg(all(feature = "redis", feature = "sqlite"))]
mod faults;
mod folder;
mod model;
#[cfg(all(feature = "redis", feature = "sqlite"))]
mod network;
mod node_types;
mod page;
#[cfg(feature = "redis")]
#[cfg_attr(
    not(feature = "sqlite"),
    allow(dead_code, reason = "the faults need both stores")
)]
mod redis_server;
#[cfg(all(feature = "redis", feature = "sqlite"))]
mod same;
#[path = "../../../jwtauth-core/tests/codes/texts.rs"]
mod texts;
mod verbs;
mod world;
