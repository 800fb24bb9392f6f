//! The endpoints of Vault: a jwt auth method, and the tokens that it gives.
//!
//! [`Vault::answer`] finds out what is asked for and whether the caller may, and the other files answer.

mod acl;
mod config;
mod config_body;
mod context;
mod fields;
mod login;
mod mounts;
mod reply;
mod role;
mod role_body;
mod sys;
mod token;

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use jwtauth_core::Verifier;
use jwtauth_core::internals::Dialect;
use jwtauth_sessions::{SessionInfo, Sessions};
use serde_json::{Map, Value};

use self::acl::Acl;
use self::context::Context;
use self::mounts::{Mount, Mounts};
use self::reply::{absent, bad, conflict, denied, failed, refuse, unavailable, unsupported};
use crate::call::{Call, Reply};
use crate::config::{Config, with_store};
use crate::random::equal;
use crate::settings::{Capability, Invalid};
use crate::state::{Change, Revision, Snapshot, Store, Tracked, Unavailable};
use crate::waits::Wait;

/// The endpoints, by one configuration.
#[derive(Debug)]
pub(crate) struct Vault {
    context: Context,
    acl: Acl,
    administrator: Option<String>,
    fixed: Option<Arc<Mount>>,
    mounts: Tracked<Mounts>,
}

/// Who asks.
enum Caller {
    Administrator,
    Session {
        token: String,
        accessor: String,
        session: SessionInfo,
    },
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Read,
    List,
    Write,
    Delete,
}

/// What an endpoint answers: changes that must be made before, and the reply.
type Outcome = Result<(Vec<Change>, Reply), Reply>;

impl Vault {
    /// Builds the endpoints. `before` keeps the store of the sessions.
    ///
    /// # Errors
    /// The configuration is invalid.
    pub(crate) fn new(
        config: &Config,
        state: &Arc<dyn Store>,
        before: Option<&Vault>,
    ) -> Result<Vault, Invalid> {
        let settings = config.settings.vault.clone().unwrap_or_default();
        let file = config.of(Dialect::Vault);
        let sessions = match file {
            Some(file) => file.sessions(&config.store),
            None => with_store("{}".to_owned(), &config.store),
        };
        let text = match file {
            Some(file) => file.with_sessions(&sessions),
            None => mounts::unconfigured(&sessions),
        };
        let base = match before {
            Some(before) => before.context.base.reload(&text),
            None => Sessions::from_json(&text),
        };
        let name = file.map_or("the server", |file| &file.name);
        let base = Arc::new(base.map_err(|why| Invalid::new(format!("{name}: {why}")))?);
        let fixed = file
            .map(|file| Mounts::fixed(file, Arc::clone(&base)))
            .transpose()?;
        Ok(Vault {
            context: Context {
                base,
                sessions,
                fetch_keys: settings.fetch_keys,
            },
            acl: Acl::new(&settings.policies),
            administrator: settings
                .token_file
                .as_deref()
                .map(crate::files::secret)
                .transpose()?,
            fixed: fixed.map(Arc::new),
            mounts: Tracked::after(before.map(|before| &before.mounts), state),
        })
    }

    /// What a request may wait for. Logins and configurations may fetch keys.
    pub(crate) fn wait(&self, call: &Call) -> Wait {
        let writes = call.method == Method::POST || call.method == Method::PUT;
        if !writes || call.path.starts_with("/v1/auth/token/") {
            return Wait::Store;
        }
        Wait::Long
    }

    /// Whether the stores answer.
    pub(crate) fn is_ready(&self) -> bool {
        self.current().is_ok()
            && !self
                .context
                .base
                .lookup("")
                .is_err_and(|why| why.class() == jwtauth_core::Class::Unavailable)
    }

    /// The counters of the verifiers that decide logins, with the paths of their mounts.
    pub(crate) fn verifiers(&self) -> Vec<(String, Arc<Sessions>)> {
        let Ok((_, mounts)) = self.current() else {
            return Vec::new();
        };
        let ready = mounts.0.values().filter_map(|mount| match &mount.engine {
            mounts::Engine::Ready(sessions) => Some((format!("auth/{}", mount.path), Arc::clone(sessions))),
            mounts::Engine::Unconfigured | mounts::Engine::Broken(_) => None,
        });
        ready.collect()
    }

    /// The verifier of the configuration file, if there is one.
    pub(crate) fn verifier_of_file(&self) -> Option<&Verifier> {
        self.fixed.as_ref().map(|_| self.context.base.verifier())
    }

    /// The sessions of all mounts.
    pub(crate) fn sessions(&self) -> &Arc<Sessions> {
        &self.context.base
    }

    /// Answers a request below `/v1/`.
    pub(crate) fn answer(&self, call: &Call) -> Reply {
        let Some(segments) = call.segments("/v1/") else {
            return bad("invalid path").about("unknown");
        };
        if wraps(call) {
            let why = "the header X-Vault-Wrap-TTL asks for a wrapped answer, which this server does not support; remove it";
            return bad(why).about("unknown");
        }
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (action, answer) = self.routed(call, &parts);
        answer.unwrap_or_else(|refused| refused).about(action)
    }

    fn current(&self) -> Result<(Revision, Arc<Mounts>), Unavailable> {
        self.mounts
            .current(|snapshot, before| self.build(snapshot, before))
    }

    fn build(&self, snapshot: &Snapshot, before: Option<&Mounts>) -> Mounts {
        let context = &self.context;
        Mounts::build(
            snapshot,
            before,
            self.fixed.as_ref(),
            &context.base,
            &context.sessions,
        )
    }

    /// The endpoints that need no token, and then the others.
    fn routed(&self, call: &Call, parts: &[&str]) -> (&'static str, Result<Reply, Reply>) {
        if let ["sys", "health"] = parts {
            let answer = match call.method {
                Method::GET | Method::HEAD => Ok(sys::health(call, self.is_ready())),
                _ => Err(unsupported()),
            };
            return ("health", answer);
        }
        let Some(verb) = verb(call) else {
            return ("unknown", Err(unsupported()));
        };
        let mounts = match self.current() {
            Ok((_, mounts)) => mounts,
            Err(why) => return ("unknown", Err(unavailable(&why))),
        };
        if let ["auth", path @ .., "login"] = parts
            && verb == Verb::Write
            && let Some(mount) = mounts.0.get(&path.join("/"))
        {
            return ("login", login::login(mount, call));
        }
        let route = Route::of(verb, parts, &mounts);
        (
            route.action(),
            self.authorized(call, verb, &route, parts, &mounts),
        )
    }

    /// Checks the caller, and then answers.
    fn authorized(
        &self,
        call: &Call,
        verb: Verb,
        route: &Route<'_>,
        parts: &[&str],
        mounts: &Mounts,
    ) -> Result<Reply, Reply> {
        let caller = self.caller(call, &parts.join("/"), &route.needs(verb))?;
        match (route, &caller) {
            (Route::Unknown, _) => Err(refuse(
                StatusCode::NOT_FOUND,
                "no handler for this route. route entry not found.",
            )),
            (Route::Unsupported, _) => Err(unsupported()),
            (Route::Mounts, _) => Ok(sys::list(mounts)),
            (Route::Token(action), _) => self.token(call, action, &caller, mounts),
            (Route::Role(mount, None), _) => Ok(role::list(mount)),
            (Route::Role(mount, Some(name)), _) if verb == Verb::Read => Ok(role::read(mount, name)),
            (Route::Config(mount), _) if verb == Verb::Read => Ok(config::read(mount)),
            (Route::Tune(path), _) if verb == Verb::Read => Ok(sys::tuning(mounts, path)),
            (Route::Mount(path), _) if verb == Verb::Read => mounts.0.get(path).map_or_else(
                || Err(bad(format!("No auth engine at {path}/"))),
                |mount| Ok(sys::read(mount)),
            ),
            (Route::Tune(_) | Route::Mount(_) | Route::Config(_) | Route::Role(_, Some(_)), _) => {
                let body = members(call)?;
                self.change(|mounts| self.changed(verb, Route::of(verb, parts, mounts), &body, mounts))
            }
        }
    }

    /// What a write changes.
    fn changed(&self, verb: Verb, route: Route<'_>, body: &Map<String, Value>, mounts: &Mounts) -> Outcome {
        match route {
            Route::Mount(path) => {
                if let Some(mount) = mounts.0.get(&path) {
                    config::check_not_fixed(mount)?;
                }
                match verb {
                    Verb::Delete => Ok(sys::disable(mounts, &path)),
                    _ => sys::enable(&self.context, mounts, &path, body),
                }
            }
            Route::Tune(path) => {
                let mount = mounts.0.get(&path).ok_or_else(absent)?;
                config::check_not_fixed(mount)?;
                sys::tune(&self.context, mount, body)
            }
            Route::Config(mount) => {
                config::check_not_fixed(mount)?;
                config::write(&self.context, mount, body)
            }
            Route::Role(mount, Some(name)) => {
                config::check_not_fixed(mount)?;
                match verb {
                    Verb::Delete => Ok(role::delete(mount, name)),
                    _ => role::write(&self.context, mount, name, body),
                }
            }
            // The mount has gone meanwhile.
            Route::Role(_, None) | Route::Mounts | Route::Token(_) | Route::Unknown | Route::Unsupported => {
                Err(absent())
            }
        }
    }

    fn change(&self, work: impl Fn(&Mounts) -> Outcome) -> Result<Reply, Reply> {
        let build = |snapshot: &Snapshot, before: Option<&Mounts>| self.build(snapshot, before);
        self.mounts.change(build, work).map_err(conflict)
    }

    /// Finds out who asks, and checks what they may do. A use of their token is counted.
    fn caller(&self, call: &Call, path: &str, wanted: &[Capability]) -> Result<Caller, Reply> {
        let bearer = || call.header("authorization")?.strip_prefix("Bearer ");
        let token = call.header("x-vault-token").or_else(bearer).unwrap_or_default();
        if token.is_empty() {
            return Err(denied());
        }
        if self.administrator.as_deref().is_some_and(|own| equal(own, token)) {
            return Ok(Caller::Administrator);
        }
        let base = &self.context.base;
        let session = base.lookup(token).map_err(|why| failed(&why, denied()))?;
        let (_, mounts) = self.current().map_err(|why| unavailable(&why))?;
        mounts.of(&session).ok_or_else(denied)?;
        // The last use ends the session, and its accessor with it.
        let accessor = base.accessor(token);
        let accessor = accessor
            .map(|accessor| accessor.expose().to_owned())
            .unwrap_or_default();
        let session = base
            .authorize(token, call.client)
            .map_err(|why| failed(&why, denied()))?;
        // A request that the policies deny is a use, too, as in Vault.
        if !self.acl.allows(token::policies(&session), path, wanted) {
            return Err(denied());
        }
        Ok(Caller::Session {
            token: token.to_owned(),
            accessor,
            session,
        })
    }

    fn token(&self, call: &Call, action: &str, caller: &Caller, mounts: &Mounts) -> Result<Reply, Reply> {
        let base = &self.context.base;
        let body = members(call)?;
        match (action, caller) {
            ("lookup-self", Caller::Administrator) => Ok(token::administrator()),
            (
                "lookup-self",
                Caller::Session {
                    token,
                    accessor,
                    session,
                },
            ) => Ok(token::looked_up(mounts, session, token, accessor)),
            ("renew-self", Caller::Administrator) => Err(bad("lease is not renewable")),
            ("renew-self", Caller::Session { token, .. }) => token::renew(mounts, base, token, &body),
            ("revoke-self", Caller::Administrator) => Err(bad(
                "the administrator's token is set by a file of the server; change it there",
            )),
            ("revoke-self", Caller::Session { token, .. }) => token::revoke(base, token),
            ("lookup", _) => token::lookup(mounts, base, &token::required(&body, "token")?),
            ("renew", _) => token::renew(mounts, base, &token::required(&body, "token")?, &body),
            ("revoke", _) => token::revoke(base, &token::required(&body, "token")?),
            ("lookup-accessor", _) => {
                token::lookup_accessor(mounts, base, &token::required(&body, "accessor")?)
            }
            ("revoke-accessor", _) => token::revoke_accessor(base, &token::required(&body, "accessor")?),
            _ => Err(unsupported()),
        }
    }
}

fn members(call: &Call) -> Result<Map<String, Value>, Reply> {
    call.members()
        .map_err(|why| bad(format!("failed to parse JSON input: {why}")))
}

fn verb(call: &Call) -> Option<Verb> {
    match call.method.as_str() {
        "GET" if lists(call) => Some(Verb::List),
        "GET" => Some(Verb::Read),
        "LIST" => Some(Verb::List),
        "POST" | "PUT" => Some(Verb::Write),
        "DELETE" => Some(Verb::Delete),
        _ => None,
    }
}

/// Whether the answer must be wrapped. A client asks for this if others, who must not see the token, pass the answer on.
fn wraps(call: &Call) -> bool {
    let mut times = call.headers.get_all("x-vault-wrap-ttl").iter();
    times.any(|time| !matches!(time.as_bytes().trim_ascii(), b"" | b"0" | b"0s"))
}

/// Whether the parameter `list` asks for a list, in the words that Go reads as true.
fn lists(call: &Call) -> bool {
    let text = call.parameter("list");
    matches!(text.as_deref(), Some("1" | "t" | "T" | "TRUE" | "true" | "True"))
}

/// An endpoint that needs a token.
enum Route<'a> {
    Mounts,
    Mount(String),
    Tune(String),
    Config(&'a Arc<Mount>),
    /// A role, or their list.
    Role(&'a Arc<Mount>, Option<&'a str>),
    Token(&'a str),
    Unknown,
    Unsupported,
}

impl<'a> Route<'a> {
    fn of(verb: Verb, parts: &'a [&'a str], mounts: &'a Mounts) -> Route<'a> {
        match (parts, verb) {
            (["sys", "auth"], Verb::Read) => Route::Mounts,
            (["sys", "auth", path @ .., "tune"] | ["sys", "mounts", "auth", path @ .., "tune"], _)
                if !path.is_empty() =>
            {
                match verb {
                    Verb::Read | Verb::Write => Route::Tune(path.join("/")),
                    Verb::List | Verb::Delete => Route::Unsupported,
                }
            }
            (["sys", "auth", path @ ..], Verb::Read | Verb::Write | Verb::Delete) if !path.is_empty() => {
                Route::Mount(path.join("/"))
            }
            (["auth", "token", action], _) => match (verb, *action) {
                (Verb::Read | Verb::Write, "lookup-self")
                | (
                    Verb::Write,
                    "renew-self" | "revoke-self" | "lookup" | "renew" | "revoke" | "lookup-accessor"
                    | "revoke-accessor",
                ) => Route::Token(action),
                _ => Route::Unsupported,
            },
            (["auth", rest @ ..], _) => Route::in_mount(verb, rest, mounts),
            _ => Route::Unknown,
        }
    }

    fn in_mount(verb: Verb, parts: &'a [&'a str], mounts: &'a Mounts) -> Route<'a> {
        let found = (1..parts.len()).find_map(|length| {
            let (path, rest) = parts.split_at_checked(length)?;
            Some((mounts.0.get(&path.join("/"))?, rest))
        });
        match (found, verb) {
            (Some((mount, ["config"])), Verb::Read | Verb::Write) => Route::Config(mount),
            (Some((mount, ["role"])), Verb::List) => Route::Role(mount, None),
            (Some((mount, ["role", name])), Verb::Read | Verb::Write | Verb::Delete)
                if role_body::is_name(name) =>
            {
                Route::Role(mount, Some(name))
            }
            (Some((_, ["role", name])), _) if !role_body::is_name(name) => Route::Unknown,
            (Some((_, ["config" | "role" | "login"] | ["role", _])), _) => Route::Unsupported,
            (Some(_) | None, _) => Route::Unknown,
        }
    }

    /// What a policy must allow.
    fn needs(&self, verb: Verb) -> Vec<Capability> {
        let exists = match self {
            Route::Role(mount, Some(name)) => mount.roles.contains_key(&name.to_lowercase()),
            _ => true,
        };
        let mut needed = vec![match verb {
            Verb::Read => Capability::Read,
            Verb::List => Capability::List,
            Verb::Write if exists => Capability::Update,
            Verb::Write => Capability::Create,
            Verb::Delete => Capability::Delete,
        }];
        // Vault protects these in addition.
        if matches!(self, Route::Mount(_) | Route::Tune(_)) {
            needed.push(Capability::Sudo);
        }
        needed
    }

    fn action(&self) -> &'static str {
        match self {
            Route::Mounts | Route::Mount(_) => "mounts",
            Route::Tune(_) => "tune",
            Route::Config(_) => "config",
            Route::Role(..) => "role",
            Route::Token("lookup-self") => "lookup-self",
            Route::Token("renew-self") => "renew-self",
            Route::Token("revoke-self") => "revoke-self",
            Route::Token("lookup") => "lookup",
            Route::Token("renew") => "renew",
            Route::Token("revoke") => "revoke",
            Route::Token("lookup-accessor") => "lookup-accessor",
            Route::Token("revoke-accessor") => "revoke-accessor",
            Route::Token(_) | Route::Unknown | Route::Unsupported => "unknown",
        }
    }
}
