//! `libjwtauth`: who sent this token, and what may they do?
//!
//! A verifier is built once from a configuration and then decides requests. Sessions (`docs/sessions.md`) answer a granted
//! login with a token of their own, which later requests carry. Configurations, requests and replies are
//! JSON text. `docs/wire-format.md` lists the members; `docs/c-api.md` describes this interface in full.
//!
//! ```c
//! jwtauth_verifier *verifier = NULL;
//! char *reply = NULL;
//! if (jwtauth_verifier_new(config_json, &verifier, &reply) == JWTAUTH_STATUS_OK) {
//!     jwtauth_string_free(reply);
//!     if (jwtauth_verifier_authenticate_token(verifier, token, NULL, &reply) == JWTAUTH_STATUS_OK) {
//!         char *name = jwtauth_json_get(reply, "/identity/name");
//!         ...
//!         jwtauth_string_free(name);
//!     }
//! }
//! jwtauth_string_free(reply);
//! jwtauth_verifier_free(verifier);
//! ```
//!
//! Rules for every function:
//!
//! - Only JWTAUTH_STATUS_OK is a success. Compare with it by name. Every other status is a failure; the reply gives the
//!   reason.
//! - Inputs are NUL-terminated UTF-8 and are borrowed for the duration of the call. NULL or invalid UTF-8 where text is
//!   required returns JWTAUTH_STATUS_ARGUMENT, never a crash.
//! - Outputs are always written, also on failure: a verifier is valid or NULL, a reply is JSON text. The previous value
//!   of an output is overwritten, not freed. Pass NULL for `reply_json` if only the status matters; only a login of
//!   sessions needs it, for the token.
//! - The caller owns what a call returns. Free it once, with jwtauth_verifier_free, jwtauth_sessions_free or
//!   jwtauth_string_free, never with free(). All of them accept NULL.
//! - Pass a token unchanged to jwtauth_verifier_authenticate_token or jwtauth_sessions_login_token, and the token of a
//!   session to jwtauth_sessions_authorize_token. Never paste it into JSON: a crafted token could add members to the
//!   request.
//! - Any number of threads may use one verifier or sessions concurrently. Only freeing them requires that no other call
//!   uses them. The library keeps no "last error". It starts threads only to decide many tokens in one call, and to fetch
//!   keys: for each further key source that one call fetches, and for the name lookups of its own HTTP client.
//! - An internal error returns JWTAUTH_STATUS_INTERNAL. It does not unwind into the caller, and the verifier stays
//!   usable.
//! - Messages never contain the token, the values of its claims, or keys. Replies to granted requests contain the
//!   claims. Replies to logins and renewals contain the token of the session.

pub mod batch;
pub mod explain;
pub mod fetch;
pub mod options;
pub mod reply;
pub mod sessions;
pub mod status;
pub mod verifier;

mod guard;
mod object;

pub use crate::batch::{jwtauth_verifier_authenticate_many, jwtauth_verifier_authenticate_many_json};
pub use crate::explain::{jwtauth_verifier_explain, jwtauth_verifier_explain_with};
pub use crate::fetch::{Callbacks, FetchSlot, jwtauth_fetch_fail, jwtauth_fetch_respond};
pub use crate::options::Options;
pub use crate::reply::{
    Json, jwtauth_grant_has, jwtauth_json_count, jwtauth_json_get, jwtauth_json_type, jwtauth_string_free,
};
pub use crate::sessions::request::{
    jwtauth_sessions_authorize, jwtauth_sessions_login, jwtauth_sessions_lookup,
    jwtauth_sessions_lookup_accessor, jwtauth_sessions_renew, jwtauth_sessions_revoke,
    jwtauth_sessions_revoke_accessor, jwtauth_sessions_revoke_all, jwtauth_sessions_sweep,
};
pub use crate::sessions::token::{
    jwtauth_sessions_authorize_token, jwtauth_sessions_login_token, jwtauth_sessions_lookup_token,
    jwtauth_sessions_renew_token, jwtauth_sessions_revoke_token,
};
pub use crate::sessions::{
    SessionsHandle, jwtauth_sessions_free, jwtauth_sessions_new, jwtauth_sessions_new_from_file,
    jwtauth_sessions_new_with, jwtauth_sessions_reload, jwtauth_sessions_verifier,
};
pub use crate::status::{
    JWTAUTH_VERSION_MAJOR, JWTAUTH_VERSION_MINOR, JWTAUTH_VERSION_PATCH, Number, Status, jwtauth_status_name,
    jwtauth_version,
};
pub use crate::verifier::{
    Handle, jwtauth_verifier_authenticate, jwtauth_verifier_authenticate_token,
    jwtauth_verifier_authenticate_with, jwtauth_verifier_counters, jwtauth_verifier_free,
    jwtauth_verifier_new, jwtauth_verifier_new_from_file, jwtauth_verifier_new_with, jwtauth_verifier_policy,
    jwtauth_verifier_refresh_keys,
};
