//! The verbs, as the cases name them.

use jwtauth_sessions::{Sessions, wire};

/// A verb of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "docs/sessions.md describes the verbs")]
pub enum Verb {
    Login,
    Lookup,
    LookupAccessor,
    Renew,
    Revoke,
    RevokeAccessor,
    RevokeAll,
    Authorize,
    Sweep,
    Reload,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Verb; 10] = [
        Verb::Login,
        Verb::Lookup,
        Verb::LookupAccessor,
        Verb::Renew,
        Verb::Revoke,
        Verb::RevokeAccessor,
        Verb::RevokeAll,
        Verb::Authorize,
        Verb::Sweep,
        Verb::Reload,
    ];

    /// The name in cases and in `steps.txt`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verb::Login => "login",
            Verb::Lookup => "lookup",
            Verb::LookupAccessor => "lookup_accessor",
            Verb::Renew => "renew",
            Verb::Revoke => "revoke",
            Verb::RevokeAccessor => "revoke_accessor",
            Verb::RevokeAll => "revoke_all",
            Verb::Authorize => "authorize",
            Verb::Sweep => "sweep",
            Verb::Reload => "reload",
        }
    }

    /// The verb with this name.
    pub fn named(name: &str) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| verb.as_str() == name)
    }

    /// The `outcome` of a reply that is not a failure.
    pub const fn outcome(self) -> &'static str {
        match self {
            Verb::Login => "login",
            Verb::Lookup | Verb::LookupAccessor => "session",
            Verb::Renew => "renewed",
            Verb::Revoke | Verb::RevokeAccessor | Verb::RevokeAll => "revoked",
            Verb::Authorize => "authorized",
            Verb::Sweep => "swept",
            Verb::Reload => "reloaded",
        }
    }

    /// Does the verb, and returns the reply. After a reload that works, the sessions are the reloaded ones.
    pub fn perform(self, sessions: &mut Sessions, request: &str) -> String {
        let reply = match self {
            Verb::Login => wire::login(sessions, request),
            Verb::Lookup => wire::lookup(sessions, request),
            Verb::LookupAccessor => wire::lookup_accessor(sessions, request),
            Verb::Renew => wire::renew(sessions, request),
            Verb::Revoke => wire::revoke(sessions, request),
            Verb::RevokeAccessor => wire::revoke_accessor(sessions, request),
            Verb::RevokeAll => wire::revoke_all(sessions, request),
            Verb::Authorize => wire::authorize(sessions, request),
            Verb::Sweep => wire::sweep(sessions),
            Verb::Reload => {
                return match sessions.reload(request) {
                    Ok(reloaded) => {
                        *sessions = reloaded;
                        RELOADED.to_owned()
                    }
                    Err(error) => wire::failed(&error),
                };
            }
        };
        reply.expose().to_owned()
    }
}

/// What runners write for a reload that works. The libraries return the sessions.
const RELOADED: &str = r#"{"outcome":"reloaded"}"#;
