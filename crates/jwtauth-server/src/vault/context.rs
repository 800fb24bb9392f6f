//! What the endpoints of Vault share.

use std::sync::Arc;

use jwtauth_sessions::Sessions;

/// What mounts are built from.
#[derive(Debug)]
pub(super) struct Context {
    /// Sessions with the store that all mounts use. Any of them finds the sessions of every mount.
    pub(super) base: Arc<Sessions>,
    /// The member `sessions` of the configuration of each mount.
    pub(super) sessions: String,
    /// Whether a configuration is taken only if its keys can be fetched.
    pub(super) fetch_keys: bool,
}
