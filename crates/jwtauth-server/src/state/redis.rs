//! The state in Redis, for several machines: one hash, whose field `#` has the revision of the state.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::{Client, Connection, ConnectionAddr, IntoConnectionInfo as _, TlsCertificates};

use super::{Change, Revision, Snapshot, Store, Unavailable};

/// Where the server is, and how to log in.
#[derive(Clone, Default)]
pub(crate) struct RedisSettings {
    pub(crate) address: Option<(String, u16)>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
    pub(crate) prefix: String,
    pub(crate) timeout: Duration,
    pub(crate) is_tls: bool,
    /// The certificates to check the server's with, instead of the system's.
    pub(crate) ca_pem: Option<String>,
}

impl std::fmt::Debug for RedisSettings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RedisSettings")
            .field("address", &self.address)
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(crate) struct Redis {
    client: Client,
    key: String,
    timeout: Duration,
    idle: Mutex<Vec<Idle>>,
}

/// A connection. Its `Debug` prints nothing.
struct Idle(Connection);

impl std::fmt::Debug for Idle {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Connection")
    }
}

impl Redis {
    /// A store that connects when it is used first.
    pub(crate) fn new(settings: RedisSettings) -> Result<Redis, Unavailable> {
        let address = match (settings.socket, settings.address) {
            (Some(path), _) => ConnectionAddr::Unix(path),
            (None, Some((host, port))) if settings.is_tls => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            },
            (None, Some((host, port))) => ConnectionAddr::Tcp(host, port),
            (None, None) => return Err(Unavailable::new("no address of a Redis server")),
        };
        let mut login = redis::RedisConnectionInfo::default().set_db(settings.database);
        if let Some(username) = settings.username {
            login = login.set_username(username);
        }
        if let Some(password) = settings.password {
            login = login.set_password(password);
        }
        let info = address.into_connection_info().map_err(Unavailable::new)?;
        let info = info.set_redis_settings(login);
        let client = if settings.is_tls {
            let certificates = TlsCertificates {
                client_tls: None,
                root_cert: settings.ca_pem.map(String::into_bytes),
            };
            Client::build_with_tls(info, certificates)
        } else {
            Client::open(info)
        };
        Ok(Redis {
            client: client.map_err(Unavailable::new)?,
            key: format!("{}:server", settings.prefix),
            timeout: settings.timeout,
            idle: Mutex::default(),
        })
    }

    /// Does some work with a connection. After a failure, the connection is not used again, and once a new one is tried: the
    /// server may have closed idle ones.
    fn with<T>(&self, work: impl Fn(&mut Connection) -> redis::RedisResult<T>) -> Result<T, Unavailable> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(Idle(mut connection)) = idle
            && let Ok(value) = work(&mut connection)
        {
            self.keep(connection);
            return Ok(value);
        }
        let open = || {
            let connection = self.client.get_connection_with_timeout(self.timeout)?;
            connection.set_read_timeout(Some(self.timeout))?;
            connection.set_write_timeout(Some(self.timeout))?;
            Ok(connection)
        };
        let mut connection = open().map_err(|why: redis::RedisError| Unavailable::new(why))?;
        let value = work(&mut connection).map_err(Unavailable::new)?;
        self.keep(connection);
        Ok(value)
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(Idle(connection));
        }
    }
}

impl Store for Redis {
    fn revision(&self) -> Result<Revision, Unavailable> {
        let text = self.with(|connection| {
            redis::cmd("HGET")
                .arg(&self.key)
                .arg(REVISION)
                .query::<Option<String>>(connection)
        })?;
        Revision::read(text.as_deref())
    }

    fn read(&self) -> Result<Snapshot, Unavailable> {
        let mut entries: BTreeMap<String, String> =
            self.with(|connection| redis::cmd("HGETALL").arg(&self.key).query(connection))?;
        let revision = entries.remove(REVISION);
        Ok(Snapshot {
            revision: Revision::read(revision.as_deref())?,
            entries,
        })
    }

    fn write(&self, based_on: &Revision, changes: &[Change]) -> Result<bool, Unavailable> {
        let mut command = redis::cmd("EVAL");
        command.arg(WRITE).arg(1).arg(&self.key);
        command
            .arg(based_on.to_string())
            .arg(based_on.next()?.to_string());
        for Change { key, value } in changes {
            let (verb, value) = value.as_ref().map_or(("-", ""), |value| ("+", value));
            command.arg(verb).arg(key).arg(value);
        }
        // Sent again after a lost reply, the script finds the revision that it has written.
        let written: i64 = self.with(|connection| command.query(connection))?;
        Ok(written == 1)
    }
}

const REVISION: &str = "#";
const WRITE: &str = "
    local now = redis.call('HGET', KEYS[1], '#') or ''
    if now == ARGV[2] then return 1 end
    if now ~= ARGV[1] then return 0 end
    for at = 3, #ARGV, 3 do
        if ARGV[at] == '+' then redis.call('HSET', KEYS[1], ARGV[at + 1], ARGV[at + 2])
        else redis.call('HDEL', KEYS[1], ARGV[at + 1]) end
    end
    redis.call('HSET', KEYS[1], '#', ARGV[2])
    return 1
";
const MOST_IDLE: usize = 16;
