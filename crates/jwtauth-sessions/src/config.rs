//! The member `sessions` of a configuration (`docs/sessions.md`).

use std::path::Path;
use std::sync::Arc;

use jwtauth_core::internals::json::{Value, parse};
use jwtauth_core::internals::{ConfigFile, Dialect, read_text};
use jwtauth_core::{Verifier, VerifierBuilder};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::lease::System;
use crate::member::{self, Field};
use crate::secret::{BatchKey, Secret};
use crate::store::{Memory, Store};

/// A configuration, read.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) verifier: VerifierBuilder,
    pub(crate) dialect: Dialect,
    pub(crate) settings: Settings,
}

/// What `sessions` sets.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) system: System,
    /// Whether a session ends with the token of its login.
    pub(crate) end_with_token: bool,
    pub(crate) batch_keys: Vec<BatchKey>,
    pub(crate) store: Arc<dyn Store>,
    /// The text of `store`, by which another configuration is compared.
    pub(crate) store_text: String,
    /// Makes tokens that a test can predict.
    pub(crate) seed: Option<u64>,
}

/// Reads the configuration of a verifier, with or without a member `sessions`. Relative paths start in `folder`, unless it sets
/// a `base_dir`.
pub(crate) fn read(file: ConfigFile, folder: &Path) -> Result<Config> {
    // What the core refuses is not read further: it is too large, or not an object.
    let split = if file.text().len() > MAX_DOCUMENT {
        None
    } else {
        member::split(file.text(), "sessions")
    };
    let Some(split) = split else {
        Verifier::builder_of(&file)?;
        return Err(Error::with(
            Code::SessionsInvalid,
            "the configuration is not an object",
        ));
    };
    let taken = Zeroizing::new(split.taken.unwrap_or("{}").to_owned());
    let rest = Zeroizing::new(split.rest);
    let file = file.with_text(rest);
    let verifier = Verifier::builder_of(&file)?;
    let invalid = |_| Error::with(Code::SessionsInvalid, "the configuration is not valid JSON");
    let envelope = parse(file.text()).map_err(invalid)?;
    let member = |object: &Value<'_>, name: &str| -> Option<String> {
        object.as_object()?.get(name)?.as_str().map(str::to_owned)
    };
    let dialect = member(&envelope, "dialect").and_then(|name| Dialect::parse(&name));
    let dialect = dialect.ok_or_else(|| Error::with(Code::SessionsInvalid, "`dialect` is missing"))?;
    let options = envelope.as_object().and_then(|envelope| envelope.get("options"));
    let base_dir = options.and_then(|options| member(options, "base_dir"));
    let now = options.and_then(|options| options.as_object()?.get("now"));
    let is_stopped = now.is_some_and(|now| !now.is_null());
    let settings = parse(&taken).map_err(invalid)?;
    let field = Field::new(&settings, "sessions", Code::SessionsInvalid);
    Ok(Config {
        verifier,
        dialect,
        settings: Settings::read(&field, base_dir.as_deref().map_or(folder, Path::new), is_stopped)?,
    })
}

impl Settings {
    fn read(field: &Field<'_, '_>, base_dir: &Path, is_stopped: bool) -> Result<Settings> {
        let mut members = field.members()?;
        let system = System {
            default_ttl: members.read("default_ttl", Field::seconds)?,
            max_ttl: members.read("max_ttl", Field::seconds)?,
        };
        let end_with_token = members.read("end_with_token", Field::boolean)?.unwrap_or(false);
        let batch_keys = members.read("batch_keys", |field| batch_keys(field, base_dir))?;
        let store = members.get("store");
        let seed = members.read("seed", |field| {
            if store.as_ref().is_some_and(|store| !store.has("memory")) || !is_stopped {
                let problem =
                    "makes tokens that everybody can predict; it needs `options.now` and the store `memory`";
                return Err(field.error(problem));
            }
            field.between(0, u64::MAX)
        })?;
        members.finish()?;
        Ok(Settings {
            system,
            end_with_token,
            batch_keys: batch_keys.unwrap_or_default(),
            seed,
            store_text: store.as_ref().map(Field::as_text).unwrap_or_default(),
            store: match store {
                Some(field) => open(&field, base_dir)?,
                None => Arc::new(Memory::new(MEMORY_SESSIONS, MEMORY_BYTES)),
            },
        })
    }
}

/// Opens the store. A store that is not in this process is first used when a session needs it.
fn open(field: &Field<'_, '_>, base_dir: &Path) -> Result<Arc<dyn Store>> {
    let mut members = field.members()?;
    let memory = members.get("memory");
    let sqlite = members.get("sqlite");
    let redis = members.get("redis");
    members.finish()?;
    match (memory, sqlite, redis) {
        (Some(field), None, None) => {
            let mut members = field.members()?;
            let most = |field: &Field<'_, '_>, least| {
                let value = field.between(least, MOST)?;
                usize::try_from(value).map_err(|_| field.error("is too large for this machine"))
            };
            let sessions = members.read("max_sessions", |field| most(field, 1))?;
            let bytes = members.read("max_bytes", |field| most(field, 65_536))?;
            members.finish()?;
            Ok(Arc::new(Memory::new(
                sessions.unwrap_or(MEMORY_SESSIONS),
                bytes.unwrap_or(MEMORY_BYTES),
            )))
        }
        (None, Some(field), None) => sqlite_store(&field, base_dir),
        (None, None, Some(field)) => redis_store(&field, base_dir),
        (None, None, None) => Err(field.error("must have one of `memory`, `sqlite`, `redis`")),
        _ => Err(field.error("must have only one of `memory`, `sqlite`, `redis`")),
    }
}

#[cfg(feature = "sqlite")]
fn sqlite_store(field: &Field<'_, '_>, base_dir: &Path) -> Result<Arc<dyn Store>> {
    let mut members = field.members()?;
    let path = base_dir.join(members.require("path")?.text()?);
    let timeout = members.read("timeout", Field::duration)?.unwrap_or(TIMEOUT);
    members.finish()?;
    Ok(Arc::new(crate::store::Sqlite::new(path, timeout)))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite_store(field: &Field<'_, '_>, _: &Path) -> Result<Arc<dyn Store>> {
    Err(field.error(
        "this build of the library has no SQLite; use a build with the feature `sqlite`, or another store",
    ))
}

#[cfg(feature = "redis")]
fn redis_store(field: &Field<'_, '_>, base_dir: &Path) -> Result<Arc<dyn Store>> {
    use crate::store::{Redis, RedisSettings, Where};

    let mut members = field.members()?;
    let secret = |field: &Field<'_, '_>| field.text().map(|text| Secret::new(text.to_owned()));
    let file = |field: &Field<'_, '_>| read_file(field, base_dir);
    let password = members.read("password", secret)?;
    let password_file = members.read("password_file", file)?;
    let connections = members.read("connections", |field| field.between(1, 1024))?;
    let urls = |field: &Field<'_, '_>| -> Result<Vec<String>> {
        let items = field.items()?.into_iter();
        items.map(|item| item.text().map(str::to_owned)).collect()
    };
    let text = |field: &Field<'_, '_>| field.text().map(str::to_owned);
    let url = members.read("url", text)?;
    let socket = members.read("socket", |field| field.text().map(|path| base_dir.join(path)))?;
    let cluster = members.read("cluster", urls)?;
    let sentinels = members.read("sentinels", urls)?;
    let master = members.read("master", text)?;
    let place = match (url, socket, cluster, sentinels, master) {
        (Some(url), None, None, None, None) => Where::Url(url),
        (None, Some(path), None, None, None) => Where::Socket(path),
        (None, None, Some(urls), None, None) => Where::Cluster(urls),
        (None, None, None, Some(urls), Some(master)) => Where::Sentinels(urls, master),
        (None, None, None, Some(_), None) => {
            return Err(field.error("`sentinels` need `master`, the name by which they know the server"));
        }
        _ => return Err(field.error("must have one of `url`, `socket`, `cluster`, `sentinels`")),
    };
    let settings = RedisSettings {
        place,
        username: members.read("username", text)?,
        password: match (password, password_file) {
            (Some(_), Some(_)) => {
                return Err(field.error("must have only one of `password`, `password_file`"));
            }
            (password, file) => password.or(file),
        },
        database: members
            .read("database", |field| field.between(0, 1_000_000))?
            .unwrap_or(0),
        prefix: members
            .read("prefix", prefix)?
            .unwrap_or_else(|| "jwtauth".to_owned()),
        timeout: members.read("timeout", Field::duration)?.unwrap_or(TIMEOUT),
        connections: connections
            .and_then(|most| usize::try_from(most).ok())
            .unwrap_or(16),
        replicas: members
            .read("replicas", |field| field.between(0, 1000))?
            .unwrap_or(0),
        ca_pem: members.read("ca_file", |field| read_file(field, base_dir))?,
    };
    members.finish()?;
    Redis::new(settings)
        .map(|store| Arc::new(store) as Arc<dyn Store>)
        .map_err(|why| field.error(why))
}

#[cfg(not(feature = "redis"))]
fn redis_store(field: &Field<'_, '_>, _: &Path) -> Result<Arc<dyn Store>> {
    Err(field.error(
        "this build of the library has no Redis; use a build with the feature `redis`, or another store",
    ))
}

/// Reads the start of the names of keys. Braces would choose the slot of a cluster.
#[cfg(feature = "redis")]
fn prefix(field: &Field<'_, '_>) -> Result<String> {
    let text = field.text()?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
    if text.len() > 64 || !text.chars().all(plain) {
        return Err(field.error("must have at most 64 letters, digits, `-`, `_`, `.` and `:`"));
    }
    Ok(text.to_owned())
}

fn batch_keys(field: &Field<'_, '_>, base_dir: &Path) -> Result<Vec<BatchKey>> {
    let mut keys: Vec<BatchKey> = Vec::new();
    for item in field.items()? {
        let mut members = item.members()?;
        let id = members.require("id")?;
        let name = id.text()?;
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.len() > 32 || !name.chars().all(plain) {
            return Err(id.error("must have at most 32 letters, digits, `-`, `_` and `.`"));
        }
        if keys.iter().any(|key| key.id() == name) {
            return Err(id.error("is the id of another key, too"));
        }
        let key = match (members.get("key"), members.get("key_file")) {
            (Some(key), None) => BatchKey::read(name, key.text()?).ok_or_else(|| wrong_key(&key)),
            (None, Some(file)) => {
                let text = read_file(&file, base_dir)?;
                BatchKey::read(name, text.expose()).ok_or_else(|| wrong_key(&file))
            }
            _ => Err(item.error("must have one of `key`, `key_file`")),
        };
        members.finish()?;
        keys.push(key?);
    }
    if keys.is_empty() {
        return Err(field.error("must not be empty"));
    }
    Ok(keys)
}

fn wrong_key(field: &Field<'_, '_>) -> Error {
    field.error("must be 32 random bytes in base64url; make them for example with `openssl rand -base64 32 | tr +/ -_`")
}

/// Reads a file whose path a field has, without line breaks at its end.
fn read_file(field: &Field<'_, '_>, base_dir: &Path) -> Result<Secret> {
    let path = base_dir.join(field.text()?);
    let text = read_text(&path).map_err(|why| field.error(why.detail().unwrap_or(why.code().message())))?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// The largest configuration that the core reads, in bytes.
const MAX_DOCUMENT: usize = 4 * 1024 * 1024;
/// The limits of the memory, unless the configuration sets others.
const MEMORY_SESSIONS: usize = 1_000_000;
const MEMORY_BYTES: usize = 1 << 30;
const MOST: u64 = 1 << 40;
#[cfg(any(feature = "sqlite", feature = "redis"))]
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
