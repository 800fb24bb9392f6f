//! The session of a login through the URL, and its cookie.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::HeaderMap;
use jwtauth_core::{Grant, Session};
use jwtauth_sessions::{Result, SessionInfo, Sessions};
use serde_json::{Map, Value, json};

use crate::document::Members;
use crate::settings::{Cookie, Invalid, SameSite};
use crate::trust::Trust;

/// Sessions of callers whose token came with the URL of a page. The requests that the page makes carry the cookie.
#[derive(Debug)]
pub(super) struct CookieSessions {
    sessions: Arc<Sessions>,
    settings: Cookie,
    trust: Trust,
}

impl CookieSessions {
    /// `before` keeps the store.
    ///
    /// # Errors
    /// A setting is invalid.
    pub(super) fn new(
        settings: &Cookie,
        store: &Map<String, Value>,
        trust: Trust,
        before: Option<&CookieSessions>,
    ) -> std::result::Result<CookieSessions, Invalid> {
        let invalid = |why: &dyn std::fmt::Display| Invalid::new(format!("`server.auth.cookie`: {why}"));
        let token = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if settings.name.is_empty() || !settings.name.chars().all(token) {
            return Err(invalid(&"`name`: must have letters, digits, `-` and `_` only"));
        }
        let plain = |text: &str| {
            text.chars()
                .all(|letter| matches!(letter, '!'..='~') && letter != ';')
        };
        if !settings.path.starts_with('/') || !plain(&settings.path) {
            return Err(invalid(&"`path`: must begin with `/`, and have no `;`"));
        }
        if settings
            .domain
            .as_deref()
            .is_some_and(|domain| domain.is_empty() || !plain(domain))
        {
            return Err(invalid(&"`domain`: is not the name of a host"));
        }
        if settings.same_site == SameSite::None && !settings.secure {
            return Err(invalid(&"`same_site`: with `none`, browsers require `secure`"));
        }
        let ttl = format!("{}s", settings.ttl.as_secs().max(1));
        let mut members = Members::default();
        members.push("dialect", &json!("native"));
        // These sessions are made from grants of another verifier. This one grants nothing.
        members.push(
            "config",
            &json!({ "keys": [{ "jwks_url": "https://unconfigured.invalid/" }], "algorithms": ["EdDSA"] }),
        );
        members.push(
            "sessions",
            &json!({ "store": store, "default_ttl": ttl, "max_ttl": ttl, "end_with_token": true }),
        );
        let text = members.text();
        let sessions = match before {
            Some(before) => before.sessions.reload(&text),
            None => Sessions::from_json(&text),
        };
        Ok(CookieSessions {
            sessions: Arc::new(
                sessions
                    .map_err(|why| invalid(&why))?
                    .apart("cookie of forward-auth"),
            ),
            settings: settings.clone(),
            trust,
        })
    }

    pub(super) fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    pub(super) fn redirects(&self) -> bool {
        self.settings.redirect
    }

    /// The token in the cookie of a request, if there is exactly one.
    pub(super) fn token<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let values = values(headers, &self.settings.name);
        match values.as_slice() {
            [value] => Some(*value).filter(|value| !value.is_empty()),
            _ => None,
        }
    }

    /// What the sessions of a profile carry.
    pub(super) fn mark(&self, profile: &str) -> Vec<String> {
        self.trust.list(profile)
    }

    /// Whether a session was started for this profile, and by a server that trusted nothing that this one does not.
    pub(super) fn is_for(&self, session: &SessionInfo, profile: &str) -> bool {
        self.trust.covers(profile, session.identity().lists.get(MARK))
    }

    /// The value of `Set-Cookie` for a new session.
    pub(super) fn set(&self, token: &str, seconds: u64) -> String {
        let Cookie {
            name,
            path,
            domain,
            secure,
            same_site,
            ..
        } = &self.settings;
        let domain = domain
            .as_ref()
            .map(|domain| format!("; Domain={domain}"))
            .unwrap_or_default();
        let secure = if *secure { "; Secure" } else { "" };
        let same_site = match same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
            SameSite::None => "None",
        };
        format!(
            "{name}={token}; Path={path}{domain}; Max-Age={seconds}; HttpOnly{secure}; SameSite={same_site}"
        )
    }

    /// The value of `Set-Cookie` that removes the cookie.
    pub(super) fn unset(&self) -> String {
        self.set("", 0)
    }
}

/// The values of all cookies with a name.
pub(super) fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    let lines = headers
        .get_all("cookie")
        .iter()
        .filter_map(|line| line.to_str().ok());
    let pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(own, _)| own.trim() == name)
        .map(|(_, value)| value.trim())
        .collect()
}

/// Makes a session for a caller that was granted. It is used only where its mark counts.
pub(super) fn start(sessions: &Sessions, mut grant: Grant, mark: Vec<String>) -> Result<(String, u64)> {
    // The terms of the configured system are about its own tokens.
    let mut terms = Session::default();
    terms.bound_cidrs = std::mem::take(&mut grant.session.bound_cidrs);
    grant.session = terms;
    grant.identity.lists.insert(MARK.to_owned(), mark);
    let login = sessions.login_granted(&grant, &BTreeMap::new())?;
    Ok((
        login.token.expose().to_owned(),
        login.session.ttl().unwrap_or_default(),
    ))
}

/// The list of an identity that has the profile which was asked for, and what the configuration file trusts.
const MARK: &str = "jwtauth:profile";
