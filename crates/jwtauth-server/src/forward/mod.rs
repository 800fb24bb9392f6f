//! Forward-auth: a proxy asks about each request, and passes on who the caller is.

mod cookie;
mod headers;
mod refuse;

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::{HeaderName, Method, StatusCode, header};
use jwtauth_core::internals::Dialect;
use jwtauth_core::{Class, Code, Errand, Error, Grant, Request, Step, Verifier};
use jwtauth_sessions::{SessionInfo, Sessions};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use self::cookie::CookieSessions;
use self::headers::{Caller, Headers};
use self::refuse::Refusals;
use crate::call::{Call, Reply};
use crate::config::Config;
use crate::keys::has_keys;
use crate::settings::{Auth, Invalid};
use crate::trust::Trust;
use crate::waits::{Wait, Waits};

/// Forward-auth by one configuration.
#[derive(Debug)]
pub(crate) struct Forward {
    verifier: Verifier,
    /// Whether the dialect is one whose logins carry the token in their body. Then it is read from `Authorization`.
    reads_authorization: bool,
    settings: Auth,
    headers: Headers,
    cleaned_url: Option<HeaderName>,
    refusals: Refusals,
    cookie: Option<CookieSessions>,
}

impl Forward {
    /// Builds forward-auth from the first configuration of a verifier. `None`: there is none.
    ///
    /// # Errors
    /// The configuration is invalid.
    pub(crate) fn new(config: &Config, before: Option<&Forward>) -> Result<Option<Forward>, Invalid> {
        let Some(file) = config.verifiers.first() else {
            return Ok(None);
        };
        let settings = &config.settings.auth;
        let reads_authorization = matches!(file.dialect, Dialect::Vault | Dialect::Consul);
        if settings.token_cookie.is_some() && !reads_authorization {
            return Err(Invalid::new(
                "`server.auth.token_cookie`: is for the dialects vault and consul; the others name the places of tokens themselves",
            ));
        }
        let verifier = Verifier::from_json(&file.text());
        let verifier = verifier.map_err(|why| Invalid::new(format!("{}: {why}", file.name)))?;
        let cookie = settings.cookie.as_ref().map(|cookie| {
            let before = before.and_then(|before| before.cookie.as_ref());
            CookieSessions::new(cookie, &config.store, Trust::of(&verifier), before)
        });
        let cleaned_url = Some(&settings.cleaned_url_header).filter(|name| !name.is_empty());
        let cleaned_url = cleaned_url.map(|name| headers::header_name(name)).transpose()?;
        let headers = Headers::read(&settings.headers)?;
        if let Some(name) = cleaned_url.as_ref().filter(|name| headers.has(name)) {
            return Err(Invalid::new(format!(
                "`server.auth.cleaned_url_header`: `{name}` is in `headers`, too"
            )));
        }
        Ok(Some(Forward {
            verifier,
            reads_authorization,
            headers,
            cleaned_url,
            refusals: Refusals {
                realm: settings.realm.clone(),
                retry_after: settings.retry_after.as_secs().max(1),
            },
            cookie: cookie.transpose()?,
            settings: settings.clone(),
        }))
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The sessions of cookies.
    pub(crate) fn sessions(&self) -> Option<&Arc<Sessions>> {
        self.cookie.as_ref().map(CookieSessions::sessions)
    }

    /// Whether the keys were fetched, if they must be, and can be used.
    pub(crate) fn is_ready(&self) -> bool {
        has_keys(&self.verifier)
    }

    /// The fetches of keys, if there are no keys that can be used.
    pub(crate) fn missing_keys(&self) -> Option<Errand> {
        (!self.is_ready()).then(|| self.verifier.refresh())
    }

    /// Answers a request of a proxy.
    pub(crate) async fn answer(&self, call: &Call, waits: &Waits) -> Reply {
        let asked = if self.settings.original_url_in_path {
            Asked::in_path(call)
        } else {
            match Asked::about(call) {
                Some(asked) => asked,
                None if call.path == "/auth/logout" => {
                    return self.logout(call, waits).await.about("logout");
                }
                None => return Reply::text(StatusCode::NOT_FOUND, "not found\n").about("auth"),
            }
        };
        let answer = self.decide(call, asked, waits).await;
        answer.unwrap_or_else(|refused| refused).about("auth")
    }

    async fn decide(&self, call: &Call, asked: Asked, waits: &Waits) -> Result<Reply, Reply> {
        let profile = asked.profile.or_else(|| self.settings.profile.clone());
        let url = match asked.url {
            Some(url) => Some(url),
            None => self.original_url(call)?,
        };
        // A header that is not UTF-8 stays a header, so that a repeated one is still noticed.
        let headers: Vec<(&str, Cow<'_, str>)> = call
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
            .collect();
        let mut request = Request::headers(headers.iter().map(|(name, value)| (*name, value.as_ref())));
        if self.reads_authorization {
            // An empty token is a missing one.
            let token = self.token(call).map_err(|why| self.refusals.of(&why))?;
            request = request.token(token);
        }
        if let Some(url) = &url {
            request = request.url(url);
        }
        if let Some(profile) = &profile {
            request = request.profile(profile);
        }
        if let Some(client) = call.client {
            request = request.remote_addr(client);
        }
        let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let is_slow = bytes + url.as_ref().map_or(0, |url| url.len()) >= self.verifier.slow_from();
        let profile = profile.as_deref().unwrap_or_default();
        match self.verify(&request, is_slow, waits).await? {
            Ok(grant) => self.granted(grant, profile, waits).await,
            Err(why) => {
                // Another authenticator may know the caller: that of the cookie.
                let is_other = why.code() == Code::TokenMissing || !why.applicable();
                let session = if is_other {
                    self.session(call, profile, waits).await?
                } else {
                    None
                };
                match session {
                    Some(session) => {
                        let caller = Caller {
                            profile: session.profile(),
                            identity: session.identity(),
                            entitlements: session.entitlements(),
                        };
                        self.allowed(&caller, "")
                    }
                    None => Err(self.refusals.of(&why)),
                }
            }
        }
    }

    /// The token in the header `Authorization`, or in a cookie. More than one is ambiguous.
    fn token<'c>(&self, call: &'c Call) -> Result<&'c str, Error> {
        let mut headers = call.headers.get_all(header::AUTHORIZATION).iter();
        let header = headers.next();
        if headers.next().is_some() {
            return Err(Error::new(Code::TokenAmbiguous));
        }
        let token = header.map_or("", |value| value.to_str().map_or("", bearer));
        let Some(name) = &self.settings.token_cookie else {
            return Ok(token);
        };
        match (token, cookie::values(&call.headers, name).as_slice()) {
            (token, []) => Ok(token),
            ("", [cookie]) => Ok(*cookie),
            _ => Err(Error::new(Code::TokenAmbiguous)),
        }
    }

    /// The URL of the original request, in a header.
    fn original_url(&self, call: &Call) -> Result<Option<String>, Reply> {
        let name = self.settings.original_url_header.as_str();
        if name.is_empty() {
            return Ok(None);
        }
        let mut values = call.headers.get_all(name).iter();
        let url = values
            .next()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        if values.next().is_some() {
            // One of them may be from the client.
            let error = Error::new(Code::RequestInvalid);
            return Err(self.refusals.of(&error));
        }
        Ok(url)
    }

    /// Decides, and fetches keys where this needs them.
    async fn verify(
        &self,
        request: &Request<'_>,
        is_slow: bool,
        waits: &Waits,
    ) -> Result<Result<Grant, Error>, Reply> {
        let mut errand = None;
        loop {
            let step = || self.verifier.step(request, errand.as_ref());
            // A long decision must not delay the other connections of this thread.
            let step = if is_slow {
                tokio::task::block_in_place(step)
            } else {
                step()
            };
            let lacks = match step {
                Step::Decided(outcome) => return Ok(outcome),
                Step::Fetch(errand) => errand,
            };
            let running = lacks.clone();
            let ran = waits.run(Wait::Long, move || running.run()).await;
            ran.map_err(|_| self.refusals.of(&Error::new(Code::InternalError)))?;
            errand = Some(lacks);
        }
    }

    async fn granted(&self, grant: Grant, profile: &str, waits: &Waits) -> Result<Reply, Reply> {
        let cleaned = grant.cleaned_url.as_deref();
        let cleaned = cleaned.map(|url| utf8_percent_encode(url, URL).to_string());
        let caller = Caller {
            profile: grant.profile.as_deref(),
            identity: &grant.identity,
            entitlements: &grant.entitlements,
        };
        let mut reply = self.allowed(&caller, cleaned.as_deref().unwrap_or_default())?;
        let (Some(cleaned), Some(cookie)) = (cleaned, &self.cookie) else {
            return Ok(reply);
        };
        let (sessions, mark) = (Arc::clone(cookie.sessions()), cookie.mark(profile));
        let started = waits.run(Wait::Store, move || cookie::start(&sessions, grant, mark));
        let (token, seconds) = match started.await {
            // The token is granted, but has no time left for a session: it has expired within the leeway.
            Ok(Err(why)) if why.class() == Class::Denied => return Ok(reply),
            other => self.of_store(other)?,
        };
        if cookie.redirects() && is_own_path(&cleaned) {
            reply = Reply::empty(StatusCode::SEE_OTHER).with(header::LOCATION, &cleaned);
        }
        Ok(reply.with(header::SET_COOKIE, &cookie.set(&token, seconds)))
    }

    /// A positive answer. The URL without the token is empty if the token did not come with the URL.
    fn allowed(&self, caller: &Caller<'_>, cleaned_url: &str) -> Result<Reply, Reply> {
        let mut reply = Reply::empty(StatusCode::OK);
        reply.headers = self.headers.of(caller).map_err(|_| {
            let body = serde_json::json!({ "code": "identity_too_large", "message": "the identity is too large for headers" });
            Reply::json(StatusCode::INTERNAL_SERVER_ERROR, &body).because("identity_too_large")
        })?;
        Ok(match &self.cleaned_url {
            Some(name) => reply.with(name.clone(), cleaned_url),
            None => reply,
        })
    }

    /// The session of the cookie, if there is one.
    async fn session(&self, call: &Call, profile: &str, waits: &Waits) -> Result<Option<SessionInfo>, Reply> {
        let Some(cookie) = &self.cookie else {
            return Ok(None);
        };
        let Some(token) = cookie.token(&call.headers) else {
            return Ok(None);
        };
        let (sessions, token, client) = (Arc::clone(cookie.sessions()), token.to_owned(), call.client);
        let found = waits.run(Wait::Store, move || sessions.authorize(&token, client));
        match found.await {
            Ok(Err(why)) if why.class() == Class::Denied => Ok(None),
            other => self
                .of_store(other)
                .map(|session| Some(session).filter(|session| cookie.is_for(session, profile))),
        }
    }

    /// Ends the session of the cookie. It must be a POST request: a page of another site can make a browser send others.
    async fn logout(&self, call: &Call, waits: &Waits) -> Reply {
        let Some(cookie) = &self.cookie else {
            return Reply::empty(StatusCode::NOT_FOUND);
        };
        if call.method != Method::POST {
            return Reply::empty(StatusCode::METHOD_NOT_ALLOWED).with(header::ALLOW, "POST");
        }
        if let Some(token) = cookie.token(&call.headers) {
            let (sessions, token) = (Arc::clone(cookie.sessions()), token.to_owned());
            let ended = waits.run(Wait::Store, move || sessions.revoke(&token));
            match ended.await {
                Ok(Err(why)) if why.class() == Class::Denied => {}
                other => {
                    if let Err(refused) = self.of_store(other) {
                        return refused;
                    }
                }
            }
        }
        Reply::empty(StatusCode::NO_CONTENT).with(header::SET_COOKIE, &cookie.unset())
    }

    fn of_store<T>(
        &self,
        done: Result<jwtauth_sessions::Result<T>, crate::waits::Panicked>,
    ) -> Result<T, Reply> {
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(why)) => {
                crate::notes::note_once(&format_args!("the sessions of cookies: {why}"));
                Err(self.refusals.unavailable(why.code()))
            }
            Err(_) => Err(self.refusals.of(&Error::new(Code::InternalError))),
        }
    }
}

/// What a path asks for.
struct Asked {
    /// The URL of the original request, if the path has it.
    url: Option<String>,
    profile: Option<String>,
}

impl Asked {
    /// Reads `/auth` and `/auth/profile/NAME`. The query is not read: some proxies, such as Caddy, append that of the client,
    /// who must not choose the profile.
    fn about(call: &Call) -> Option<Asked> {
        let profile = match call.segments("/auth/").as_deref() {
            Some([word, name]) if word == "profile" => Some(name.clone()),
            _ if call.path == "/auth" => None,
            _ => return None,
        };
        Some(Asked { url: None, profile })
    }

    /// Reads `/auth` and the URL of the original request.
    fn in_path(call: &Call) -> Asked {
        let path = call.path.strip_prefix("/auth").unwrap_or_default();
        let url = match call.query.as_str() {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        };
        Asked {
            url: Some(url),
            profile: None,
        }
    }
}

/// The token of a header `Authorization`. Empty: the header has another scheme.
fn bearer(value: &str) -> &str {
    let (scheme, token) = value.split_once(' ').unwrap_or_default();
    if scheme.eq_ignore_ascii_case("Bearer") {
        token.trim_start_matches(' ')
    } else {
        ""
    }
}

/// Whether a URL is a path of the site that the browser asks. `//host` and `/\host` lead to another one.
fn is_own_path(url: &str) -> bool {
    let rest = url.strip_prefix('/');
    rest.is_some_and(|rest| !rest.starts_with(['/', '\\']))
}

/// What a URL in a header must not contain.
const URL: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_on_the_site() {
        for (url, expected) in [
            ("/d/x?a=1", true),
            ("/", true),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("https://evil.example/", false),
            ("", false),
        ] {
            assert_eq!(is_own_path(url), expected, "{url}");
        }
    }
}
