//! The endpoints of Consul: auth methods of type `jwt`, binding rules, and the tokens that logins give.
//!
//! [`Consul::answer`] finds out what is asked for and whether the caller may, and the other files answer.

mod body;
mod catalog;
mod links;
mod login;
mod methods;
mod reply;

use std::sync::Arc;

use axum::http::{Method as Verb, StatusCode};
use jwtauth_core::Verifier;
use jwtauth_core::internals::Dialect;
use jwtauth_sessions::{Group, Sessions};
use serde_json::{Map, Value};

use self::body::text;
use self::catalog::{Catalog, Context};
use self::links::Kind;
use self::methods::Outcome;
use self::reply::{conflict, failed, refuse, unavailable, unknown_token};
use crate::call::{Call, JSON, Reply};
use crate::config::{Config, with_store};
use crate::random::equal;
use crate::settings::Invalid;
use crate::state::{Revision, Snapshot, Store, Tracked, Unavailable};
use crate::waits::Wait;

/// The endpoints, by one configuration.
#[derive(Debug)]
pub(crate) struct Consul {
    context: Context,
    administrator: Option<String>,
    catalog: Tracked<Catalog>,
}

impl Consul {
    /// Builds the endpoints. `before` keeps the store of the sessions.
    ///
    /// # Errors
    /// The configuration is invalid.
    pub(crate) fn new(
        config: &Config,
        state: &Arc<dyn Store>,
        before: Option<&Consul>,
    ) -> Result<Consul, Invalid> {
        let settings = config.settings.consul.clone().unwrap_or_default();
        let file = config.of(Dialect::Consul);
        let sessions = match file {
            Some(file) => file.sessions(&config.store),
            None => with_store("{}".to_owned(), &config.store),
        };
        let text = match file {
            Some(file) => file.with_sessions(&sessions),
            None => catalog::unconfigured(&sessions),
        };
        let base = match before {
            Some(before) => before.context.base.reload(&text),
            None => Sessions::from_json(&text),
        };
        let name = file.map_or("the server", |file| &file.name);
        let base = Arc::new(base.map_err(|why| Invalid::new(format!("{name}: {why}")))?);
        let fixed = file.map(|file| catalog::Method::fixed(file, Arc::clone(&base)));
        let (fixed, fixed_rules) = fixed.map_or((None, Vec::new()), |(method, rules)| {
            (Some(Arc::new(method)), rules)
        });
        Ok(Consul {
            context: Context {
                base,
                sessions,
                datacenter: settings.datacenter,
                fetch_keys: settings.fetch_keys,
                fixed,
                fixed_rules,
            },
            administrator: settings
                .token_file
                .as_deref()
                .map(crate::files::secret)
                .transpose()?,
            catalog: Tracked::after(before.map(|before| &before.catalog), state),
        })
    }

    /// What a request may wait for. Logins and auth methods may fetch keys.
    pub(crate) fn wait(&self, call: &Call) -> Wait {
        let writes = call.method == Verb::POST || call.method == Verb::PUT;
        if !writes || call.path == "/v1/acl/logout" {
            return Wait::Store;
        }
        Wait::Long
    }

    /// Whether the stores answer.
    pub(crate) fn is_ready(&self) -> bool {
        let unavailable = |why: jwtauth_sessions::Error| why.class() == jwtauth_core::Class::Unavailable;
        self.current().is_ok() && !self.context.base.lookup("").is_err_and(unavailable)
    }

    /// The verifiers that decide logins, with the names of their methods.
    pub(crate) fn verifiers(&self) -> Vec<(String, Arc<Sessions>)> {
        let Ok((_, catalog)) = self.current() else {
            return Vec::new();
        };
        let ready = catalog.methods.iter().filter_map(|(name, method)| {
            let sessions = method.engine.as_ref().ok()?;
            Some((format!("auth-method/{name}"), Arc::clone(sessions)))
        });
        ready.collect()
    }

    /// The verifier of the configuration file, if there is one.
    pub(crate) fn verifier_of_file(&self) -> Option<&Verifier> {
        self.context.fixed.as_ref().map(|_| self.context.base.verifier())
    }

    /// The sessions of all methods.
    pub(crate) fn sessions(&self) -> &Arc<Sessions> {
        &self.context.base
    }

    /// Answers a request below `/v1/acl/`.
    pub(crate) fn answer(&self, call: &Call) -> Reply {
        let Some(segments) = call.segments("/v1/acl/") else {
            return refuse(StatusCode::BAD_REQUEST, "invalid path").about("unknown");
        };
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (action, answer) = self.routed(call, &parts);
        answer.unwrap_or_else(|refused| refused).about(action)
    }

    fn current(&self) -> Result<(Revision, Arc<Catalog>), Unavailable> {
        self.catalog
            .current(|snapshot, before| self.build(snapshot, before))
    }

    fn build(&self, snapshot: &Snapshot, before: Option<&Catalog>) -> Catalog {
        Catalog::build(snapshot, before, &self.context)
    }

    fn routed(&self, call: &Call, parts: &[&str]) -> (&'static str, Result<Reply, Reply>) {
        let catalog = match self.current() {
            Ok((_, catalog)) => catalog,
            Err(why) => return ("unknown", Err(unavailable(&why))),
        };
        let base = &self.context.base;
        match parts {
            ["login"] => ("login", login::login(&catalog, call)),
            ["logout"] => {
                let answer = self.own(call).and_then(|(token, is_administrator)| {
                    if is_administrator {
                        return Err(refuse(
                            StatusCode::FORBIDDEN,
                            "Permission denied: token wasn't created via login",
                        ));
                    }
                    login::logout(&catalog, base, call, &token)
                });
                ("logout", answer)
            }
            ["token", "self"] => {
                let answer = self.own(call).and_then(|(token, is_administrator)| {
                    if call.method != Verb::GET {
                        return Err(login::not_allowed(call));
                    }
                    if is_administrator {
                        return Ok(login::management(&token));
                    }
                    login::this(&catalog, base, call, &token)
                });
                ("token-self", answer)
            }
            _ => match Route::of(parts) {
                Some(route) => (route.action(), self.authorized(call, &route, &catalog)),
                None => (
                    "unknown",
                    Err(refuse(
                        StatusCode::NOT_FOUND,
                        "Invalid URL path: not a recognized HTTP API endpoint",
                    )),
                ),
            },
        }
    }

    /// The token that a request carries, and whether it is the administrator's.
    fn own(&self, call: &Call) -> Result<(String, bool), Reply> {
        let bearer = || call.header("authorization")?.strip_prefix("Bearer ");
        let token = call.header("x-consul-token").or_else(bearer).map(str::to_owned);
        let token = token
            .filter(|token| !token.is_empty())
            .or_else(|| call.parameter("token"));
        let token = token
            .filter(|token| !token.is_empty())
            .ok_or_else(unknown_token)?;
        let is_administrator = self
            .administrator
            .as_deref()
            .is_some_and(|own| equal(own, &token));
        Ok((token, is_administrator))
    }

    /// Only the administrator may read and write.
    fn authorized(&self, call: &Call, route: &Route<'_>, catalog: &Catalog) -> Result<Reply, Reply> {
        let permission = if call.method == Verb::GET {
            "acl:read"
        } else {
            "acl:write"
        };
        let lacks = |who: &str| {
            refuse(
                StatusCode::FORBIDDEN,
                format!("Permission denied: {who} lacks permission '{permission}'"),
            )
        };
        match self.own(call) {
            Ok((_, true)) => {}
            Ok((token, false)) => {
                self.context.base.lookup(&token).map_err(|why| failed(&why))?;
                return Err(lacks("token"));
            }
            Err(_) => return Err(lacks("anonymous token")),
        }
        match (call.method.as_str(), route) {
            ("GET", Route::Methods) => Ok(methods::list(catalog)),
            ("GET", Route::Method(Some(name))) => {
                let method = catalog
                    .methods
                    .get(*name)
                    .map(|method| methods::shown(&method.object));
                method.ok_or_else(|| {
                    refuse(
                        StatusCode::NOT_FOUND,
                        "Requested auth method does not exist: ACL not found",
                    )
                })
            }
            ("GET", Route::Rules) => {
                let wanted = call.parameter("authmethod").filter(|name| !name.is_empty());
                let rules = catalog.rules.values();
                Ok(methods::all(rules.filter(|rule| {
                    wanted
                        .as_deref()
                        .is_none_or(|name| text(rule, "AuthMethod") == name)
                })))
            }
            ("GET", Route::Rule(Some(id))) => {
                let rule = catalog.rules.get(*id).map(methods::shown);
                rule.ok_or_else(|| {
                    refuse(
                        StatusCode::NOT_FOUND,
                        "Requested binding rule does not exist: ACL not found",
                    )
                })
            }
            ("GET", Route::Links(kind)) => Ok(links::list(*kind, catalog)),
            ("GET", Route::Link(kind, Some(id))) => {
                links::read(*kind, catalog, |object| text(object, "ID") == *id)
            }
            ("GET", Route::Named(kind, name)) => {
                links::read(*kind, catalog, |object| text(object, "Name") == *name)
            }
            ("PUT" | "POST", Route::Method(_) | Route::Rule(_) | Route::Link(..)) => {
                let body = call.members();
                let body = body.map_err(|why| {
                    refuse(StatusCode::BAD_REQUEST, format!("Request decode failed: {why}"))
                })?;
                self.change(|catalog| self.written(route, &body, catalog))
            }
            ("DELETE", Route::Method(Some(name))) => {
                let reply = self.change(|catalog| methods::delete_method(catalog, name))?;
                // No session of the method can be used any more. This also frees their places in the store.
                let ended = self.context.base.revoke_all(Group::Profile(name));
                ended.map(|_| reply).map_err(|why| failed(&why))
            }
            ("DELETE", Route::Rule(Some(id))) => self.change(|catalog| methods::delete_rule(catalog, id)),
            ("DELETE", Route::Link(kind, Some(id))) => {
                self.change(|catalog| links::delete(*kind, catalog, id))
            }
            _ => Err(login::not_allowed(call)),
        }
    }

    fn written(&self, route: &Route<'_>, body: &Map<String, Value>, catalog: &Catalog) -> Outcome {
        match route {
            Route::Method(name) => methods::write_method(catalog, &self.context, *name, body),
            Route::Rule(id) => methods::write_rule(catalog, &self.context, *id, body),
            Route::Link(kind, id) => links::write(*kind, catalog, *id, body),
            Route::Methods | Route::Rules | Route::Links(_) | Route::Named(..) => {
                Err(Reply::new(StatusCode::METHOD_NOT_ALLOWED, JSON, ""))
            }
        }
    }

    fn change(&self, work: impl Fn(&Catalog) -> Outcome) -> Result<Reply, Reply> {
        let build = |snapshot: &Snapshot, before: Option<&Catalog>| self.build(snapshot, before);
        self.catalog.change(build, work).map_err(conflict)
    }
}

/// An endpoint for the administrator.
enum Route<'a> {
    Methods,
    Method(Option<&'a str>),
    Rules,
    Rule(Option<&'a str>),
    Links(Kind),
    Link(Kind, Option<&'a str>),
    Named(Kind, &'a str),
}

impl<'a> Route<'a> {
    fn of(parts: &[&'a str]) -> Option<Route<'a>> {
        Some(match parts {
            ["auth-methods"] => Route::Methods,
            ["auth-method"] => Route::Method(None),
            ["auth-method", name] => Route::Method(Some(name)),
            ["binding-rules"] => Route::Rules,
            ["binding-rule"] => Route::Rule(None),
            ["binding-rule", id] => Route::Rule(Some(id)),
            ["roles"] => Route::Links(Kind::Role),
            ["policies"] => Route::Links(Kind::Policy),
            ["role"] => Route::Link(Kind::Role, None),
            ["policy"] => Route::Link(Kind::Policy, None),
            ["role", "name", name] => Route::Named(Kind::Role, name),
            ["policy", "name", name] => Route::Named(Kind::Policy, name),
            ["role", id] => Route::Link(Kind::Role, Some(id)),
            ["policy", id] => Route::Link(Kind::Policy, Some(id)),
            _ => return None,
        })
    }

    fn action(&self) -> &'static str {
        match self {
            Route::Methods | Route::Method(_) => "auth-method",
            Route::Rules | Route::Rule(_) => "binding-rule",
            Route::Links(Kind::Role) | Route::Link(Kind::Role, _) | Route::Named(Kind::Role, _) => "role",
            Route::Links(Kind::Policy) | Route::Link(Kind::Policy, _) | Route::Named(Kind::Policy, _) => {
                "policy"
            }
        }
    }
}
