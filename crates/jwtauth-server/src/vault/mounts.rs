//! Mounts of the jwt auth method, built from the state and from the configuration file.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use jwtauth_sessions::{SessionInfo, Sessions};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::Reply;
use crate::config::VerifierFile;
use crate::document::Members;
use crate::settings::Invalid;
use crate::state::Snapshot;
use crate::trust::Trust;
use crate::words::words;

use super::context::Context;
use super::reply::{bad, refuse};
use super::{config_body, role_body};

/// What `sys/auth` knows about a mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) description: String,
    /// It names the mount in sessions: those of a mount that was disabled are worth nothing, also if another mount has its
    /// path later.
    pub(super) accessor: String,
    pub(super) uuid: String,
    pub(super) local: bool,
    pub(super) seal_wrap: bool,
    /// Seconds; zero is the system's.
    pub(super) default_lease_ttl: u64,
    pub(super) max_lease_ttl: u64,
    pub(super) token_type: String,
}

/// A mount with its configuration and its roles.
#[derive(Debug)]
pub(super) struct Mount {
    pub(super) path: String,
    pub(super) entry: Entry,
    pub(super) config: Option<Map<String, Value>>,
    pub(super) roles: BTreeMap<String, Map<String, Value>>,
    pub(super) engine: Engine,
    /// Whether the mount is in the configuration file. The API does not change it.
    pub(super) fixed: bool,
    trust: Trust,
    text: String,
}

/// What decides the logins of a mount.
#[derive(Debug, Clone)]
pub(super) enum Engine {
    Unconfigured,
    Ready(Arc<Sessions>),
    /// The text is for the log.
    Broken(String),
}

impl Engine {
    /// Whether a decision may have to fetch keys.
    pub(super) fn fetches(&self) -> bool {
        let Engine::Ready(sessions) = self else {
            return false;
        };
        sessions
            .verifier()
            .key_status()
            .iter()
            .any(|source| source.fetching.is_some())
    }

    /// Whether the batch tokens of its logins can be opened by these sessions. A reload may have read other keys from files.
    fn seals_as(&self, base: &Sessions) -> bool {
        match self {
            Engine::Ready(sessions) => sessions.has_batch_keys_of(base),
            Engine::Unconfigured | Engine::Broken(_) => true,
        }
    }
}

impl Mount {
    /// What its sessions carry.
    pub(super) fn mark(&self) -> Vec<String> {
        self.trust.list(&self.entry.accessor)
    }

    /// The sessions of a mount, for a login or a renewal.
    pub(super) fn ready(&self) -> Result<&Sessions, Reply> {
        match &self.engine {
            Engine::Ready(sessions) => Ok(sessions),
            Engine::Unconfigured => Err(bad("could not load configuration")),
            Engine::Broken(why) => {
                crate::notes::note_once(&format_args!("the mount {} cannot be used: {why}", self.path));
                Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal error"))
            }
        }
    }
}

/// All mounts, by path.
#[derive(Debug, Default)]
pub(super) struct Mounts(pub(super) BTreeMap<String, Arc<Mount>>);

impl Mounts {
    /// The mount whose sessions have this mark.
    pub(super) fn of(&self, session: &SessionInfo) -> Option<&Arc<Mount>> {
        let mark = session.identity().lists.get(MARK);
        let mut mounts = self.0.values();
        mounts.find(|mount| mount.trust.covers(&mount.entry.accessor, mark))
    }

    /// Builds the mounts that are in the state. Those that have not changed are taken from `before`.
    pub(super) fn build(
        snapshot: &Snapshot,
        before: Option<&Mounts>,
        fixed: Option<&Arc<Mount>>,
        base: &Sessions,
        sessions: &str,
    ) -> Mounts {
        let read = |text: &String| serde_json::from_str(text).ok();
        let mut mounts = BTreeMap::new();
        for (path, entry) in below(snapshot, MOUNT) {
            let Ok(entry) = serde_json::from_str::<Entry>(entry) else {
                continue;
            };
            let config = snapshot.entries.get(&config_key(path)).and_then(read);
            let prefix = format!("{ROLE}{path}/");
            let roles = below(snapshot, &prefix)
                .filter_map(|(name, role)| Some((name.to_owned(), serde_json::from_str(role).ok()?)))
                .collect();
            let text = text(path, &entry, config.as_ref(), &roles, sessions);
            let same = before
                .and_then(|before| before.0.get(path))
                .filter(|mount| mount.text == text);
            let mount = match same {
                Some(mount) if mount.entry == entry && mount.engine.seals_as(base) => Arc::clone(mount),
                _ => Arc::new(Mount {
                    path: path.to_owned(),
                    engine: engine(config.is_some(), &text, base),
                    entry,
                    config,
                    roles,
                    fixed: false,
                    trust: Trust::default(),
                    text,
                }),
            };
            mounts.insert(path.to_owned(), mount);
        }
        if let Some(fixed) = fixed {
            mounts.insert(fixed.path.clone(), Arc::clone(fixed));
        }
        Mounts(mounts)
    }

    /// The mount of a configuration file.
    ///
    /// # Errors
    /// A value cannot be converted.
    pub(super) fn fixed(file: &VerifierFile, sessions: Arc<Sessions>) -> Result<Mount, Invalid> {
        let config: Map<String, Value> = file
            .part("config")
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let mount = config.get("mount").and_then(Value::as_object);
        let member = |name: &str| mount.and_then(|mount| mount.get(name));
        let path = member("path")
            .and_then(Value::as_str)
            .unwrap_or("jwt")
            .trim_matches('/');
        let path = path.strip_prefix("auth/").unwrap_or(path).to_owned();
        let seconds = |name: &str| {
            let value = super::fields::convert(
                super::fields::Kind::Duration,
                member(name).unwrap_or(&Value::Null),
            );
            let value = value.ok().flatten();
            value.as_ref().and_then(Value::as_u64).unwrap_or_default()
        };
        let invalid = |why: &dyn std::fmt::Display| Invalid::new(format!("{}: {why}", file.name));
        let roles = config
            .get("roles")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let roles = roles.map(|(name, body)| {
            let body = body.as_object().cloned().unwrap_or_default();
            let role = role_body::merged(&Map::new(), &body).map_err(|why| invalid(&why))?;
            Ok((name.to_lowercase(), role))
        });
        Ok(Mount {
            entry: Entry {
                kind: "jwt".to_owned(),
                description: "from the configuration file".to_owned(),
                // The same in all processes, and after a restart: it is part of sessions.
                accessor: format!("auth_jwt_file_{path}"),
                uuid: String::new(),
                local: false,
                seal_wrap: false,
                default_lease_ttl: seconds("default_lease_ttl"),
                max_lease_ttl: seconds("max_lease_ttl"),
                token_type: member("token_type")
                    .and_then(Value::as_str)
                    .unwrap_or(DEFAULT_TYPE)
                    .to_owned(),
            },
            path,
            roles: roles.collect::<Result<_, Invalid>>()?,
            config: Some(config_body::converted(&config).map_err(|why| invalid(&why))?),
            trust: Trust::of(sessions.verifier()),
            engine: Engine::Ready(sessions),
            fixed: true,
            text: String::new(),
        })
    }
}

/// The entries of the state whose names begin with a prefix, without it.
fn below<'a>(snapshot: &'a Snapshot, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a String)> {
    snapshot
        .entries
        .range(prefix.to_owned()..)
        .map_while(move |(key, value)| Some((key.strip_prefix(prefix)?, value)))
}

/// The configuration of the sessions of a mount.
pub(super) fn text(
    path: &str,
    entry: &Entry,
    config: Option<&Map<String, Value>>,
    roles: &BTreeMap<String, Map<String, Value>>,
    sessions: &str,
) -> String {
    let mut body = config.cloned().unwrap_or_else(placeholder);
    body.insert("roles".to_owned(), json!(roles));
    body.insert(
        "mount".to_owned(),
        json!({
            "path": path,
            "default_lease_ttl": entry.default_lease_ttl,
            "max_lease_ttl": entry.max_lease_ttl,
            "token_type": entry.token_type,
        }),
    );
    let mut members = Members::default();
    members.push("dialect", &json!("vault"));
    members.push("config", &body.into());
    members.push_text("sessions", sessions.to_owned());
    members.text()
}

/// Builds a mount as a write would leave it. What the library refuses would end every login with 500.
pub(super) fn check(
    context: &Context,
    path: &str,
    entry: &Entry,
    config: Option<&Map<String, Value>>,
    roles: &BTreeMap<String, Map<String, Value>>,
) -> Result<Sessions, Reply> {
    let text = text(path, entry, config, roles, &context.sessions);
    context.base.reload(&text).map_err(|why| bad(words(&why)))
}

/// The configuration of sessions without a mount. They find every session, and no login succeeds.
pub(super) fn unconfigured(sessions: &str) -> String {
    let mut members = Members::default();
    members.push("dialect", &json!("vault"));
    members.push("config", &placeholder().into());
    members.push_text("sessions", sessions.to_owned());
    members.text()
}

/// A configuration without a key. It grants nothing.
pub(super) fn placeholder() -> Map<String, Value> {
    Map::from_iter([("jwks_url".to_owned(), json!("https://unconfigured.invalid/"))])
}

pub(super) fn engine(configured: bool, text: &str, base: &Sessions) -> Engine {
    if !configured {
        return Engine::Unconfigured;
    }
    match base.reload(text) {
        Ok(sessions) => Engine::Ready(Arc::new(sessions)),
        Err(why) => Engine::Broken(why.to_string()),
    }
}

pub(super) fn mount_key(path: &str) -> String {
    format!("{MOUNT}{path}")
}

pub(super) fn config_key(path: &str) -> String {
    format!("vault/config/{path}")
}

pub(super) fn role_key(path: &str, role: &str) -> String {
    format!("{ROLE}{path}/{role}")
}

const MOUNT: &str = "vault/mount/";
const ROLE: &str = "vault/role/";
pub(super) const DEFAULT_TYPE: &str = "default-service";
/// The list of an identity that has the accessor of the mount, and what its file trusts. Identities of this dialect do not have
/// their own lists.
pub(super) const MARK: &str = "mount";
/// The lease of a system: 768 hours.
pub(super) const SYSTEM_TTL: u64 = 768 * 3600;
