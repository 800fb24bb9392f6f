//! Connections: listening, TLS, the limits of each phase, and the end of them all.

mod connection;
mod listen;
mod stall;
mod tls;

pub(crate) use self::connection::{Network, Peer};
pub(crate) use self::listen::{Listener, activated, bind};
pub(crate) use self::tls::load as load_tls;
