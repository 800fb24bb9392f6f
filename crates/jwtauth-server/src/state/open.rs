//! The store of the state, next to that of the sessions.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Memory, Redis, RedisSettings, Sqlite, Store};
use crate::settings::Invalid;

/// Opens the store that belongs to a store of sessions. Connects when it is used first.
pub(crate) fn open(store: &Map<String, Value>) -> Result<Arc<dyn Store>, Invalid> {
    let invalid = |why: &dyn std::fmt::Display| Invalid::new(format!("`store`: {why}"));
    // The sessions have read the same object, and refused what is invalid in it.
    let one = |name: &str| store.get(name);
    match (one("memory"), one("sqlite"), one("redis")) {
        (Some(_), None, None) => Ok(Arc::new(Memory::default())),
        (None, Some(value), None) => {
            let file = SqliteFile::deserialize(value).map_err(|why| invalid(&why))?;
            Ok(Arc::new(Sqlite::new(
                file.path.with_extension("state.db"),
                timeout(file.timeout.as_deref()),
            )))
        }
        (None, None, Some(value)) => {
            let server = RedisServer::deserialize(value).map_err(|why| invalid(&why))?;
            let settings = server.settings().map_err(|why| invalid(&why))?;
            Redis::new(settings)
                .map(|store| Arc::new(store) as Arc<dyn Store>)
                .map_err(|why| invalid(&why))
        }
        _ => Err(invalid(&"must have exactly one of `memory`, `sqlite`, `redis`")),
    }
}

#[derive(Deserialize)]
struct SqliteFile {
    path: PathBuf,
    timeout: Option<String>,
}

#[derive(Deserialize)]
struct RedisServer {
    url: Option<String>,
    socket: Option<PathBuf>,
    username: Option<String>,
    password: Option<String>,
    password_file: Option<PathBuf>,
    database: Option<i64>,
    prefix: Option<String>,
    timeout: Option<String>,
    ca_file: Option<PathBuf>,
    cluster: Option<Value>,
    sentinels: Option<Value>,
}

impl RedisServer {
    fn settings(self) -> Result<RedisSettings, String> {
        let text = |path: &PathBuf| {
            let text = std::fs::read_to_string(path);
            text.map_err(|why| format!("cannot read {}: {why}", path.display()))
        };
        if self.cluster.is_some() || self.sentinels.is_some() {
            return Err(
                "`redis`: the APIs of Vault and Consul keep their state in one server; use `url` or `socket`"
                    .to_owned(),
            );
        }
        let address = self.url.as_deref().map(address).transpose()?;
        let from_file = self.password_file.as_ref().map(text).transpose()?;
        let from_file = from_file.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
        Ok(RedisSettings {
            is_tls: self.url.is_some_and(|url| url.starts_with("rediss:")),
            address,
            socket: self.socket,
            username: self.username,
            password: self.password.or(from_file),
            database: self.database.unwrap_or_default(),
            prefix: self.prefix.unwrap_or_else(|| "jwtauth".to_owned()),
            timeout: timeout(self.timeout.as_deref()),
            ca_pem: self.ca_file.as_ref().map(text).transpose()?,
        })
    }
}

/// Reads host and port of `redis://host:port`.
fn address(url: &str) -> Result<(String, u16), String> {
    let rest = url
        .strip_prefix("redis://")
        .or_else(|| url.strip_prefix("rediss://"));
    let rest = rest.ok_or("`redis.url`: must begin with `redis://` or `rediss://`")?;
    let rest = rest.trim_end_matches('/');
    let port = |text: &str| {
        text.parse::<u16>()
            .map_err(|_| "`redis.url`: the port is not a number")
    };
    match rest.rsplit_once(':') {
        // The colons of an IPv6 address are in brackets.
        Some((host, text)) if !text.ends_with(']') => {
            Ok((host.trim_matches(['[', ']']).to_owned(), port(text)?))
        }
        _ => Ok((rest.trim_matches(['[', ']']).to_owned(), 6379)),
    }
}

fn timeout(text: Option<&str>) -> Duration {
    let read = text.and_then(jwtauth_core::internals::parse_go);
    read.map_or(Duration::from_secs(5), |(_, duration)| duration)
}
