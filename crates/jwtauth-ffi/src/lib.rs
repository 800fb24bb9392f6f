//! `libjwtauth`: who sent this token, and what may they do?
//!
//! A verifier is built once from a configuration and then decides requests. Everything goes in and comes out as
//! JSON text; `docs/wire-format.md` has the members, `docs/c-api.md` this interface at length.
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
//! The rules, the same for every function:
//!
//! - Only JWTAUTH_STATUS_OK means yes. Compare with it, by name. Everything else is a refusal; the reply says why.
//! - Inputs are NUL-terminated UTF-8 and are borrowed for the call only. NULL or other bytes where text is required
//!   give JWTAUTH_STATUS_ARGUMENT, never a crash.
//! - Outputs are always written, whatever the status: a verifier is valid or NULL, a reply is JSON text. What an
//!   output held before is overwritten, not freed. Pass NULL for `reply_json` if only the status matters.
//! - What a call hands out is the caller's: free it once, with jwtauth_verifier_free or jwtauth_string_free, never
//!   with free(). Both accept NULL.
//! - A token goes in by jwtauth_verifier_authenticate_token, as it came. Never paste it into JSON: a token could
//!   bring members of its own.
//! - Any number of threads may use one verifier at once. Only jwtauth_verifier_free needs it to be unused. The
//!   library keeps no "last error", and starts no threads; where its own client fetches keys, the lookup of a name
//!   is the exception.
//! - An internal mistake gives JWTAUTH_STATUS_INTERNAL; it does not unwind into the caller, and the verifier stays
//!   usable.
//! - Messages never carry the token, the values of its claims, or keys. Replies to granted requests carry the claims.

pub mod fetch;
pub mod reply;
pub mod status;
pub mod verifier;

mod guard;

pub use crate::fetch::{Answer, Callbacks, jwtauth_fetch_fail, jwtauth_fetch_respond};
pub use crate::reply::{jwtauth_json_get, jwtauth_string_free};
pub use crate::status::{Number, Status, jwtauth_status_name, jwtauth_version};
pub use crate::verifier::{
    Handle, jwtauth_verifier_authenticate, jwtauth_verifier_authenticate_token, jwtauth_verifier_free,
    jwtauth_verifier_new, jwtauth_verifier_new_with, jwtauth_verifier_policy, jwtauth_verifier_refresh_keys,
};
