//! The state in an SQLite database, for several processes on one machine.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{Change, Revision, Snapshot, Store, Unavailable};

#[derive(Debug)]
pub(crate) struct Sqlite {
    path: PathBuf,
    timeout: Duration,
    idle: Mutex<Vec<Connection>>,
}

impl Sqlite {
    /// A store in this file. The file is made when the store is used first.
    pub(crate) fn new(path: PathBuf, timeout: Duration) -> Sqlite {
        Sqlite {
            path,
            timeout,
            idle: Mutex::default(),
        }
    }

    /// Does some work with a connection. After a failure, the connection is not used again.
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T, Unavailable> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let done = idle.map_or_else(|| self.open(), Ok);
        let done = done.and_then(|mut connection| Ok((work(&mut connection)?, connection)));
        let (value, connection) =
            done.map_err(|why| Unavailable::new(format!("{}: {why}", self.path.display())))?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(connection);
        }
        Ok(value)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        // Configurations can contain secrets. If this fails, the next line tells why.
        let private = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path);
        drop(private);
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(self.timeout)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(connection)
    }
}

fn revision(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT revision FROM revisions")?
        .query_row([], |row| row.get(0))
        .optional()
}

impl Store for Sqlite {
    fn revision(&self) -> Result<Revision, Unavailable> {
        let text = self.with(|connection| revision(connection))?;
        Revision::read(text.as_deref())
    }

    fn read(&self) -> Result<Snapshot, Unavailable> {
        let (text, entries) = self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let text = revision(&transaction)?;
            let entries = transaction
                .prepare_cached("SELECT key, value FROM entries")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            Ok((text, entries))
        })?;
        Ok(Snapshot {
            revision: Revision::read(text.as_deref())?,
            entries,
        })
    }

    fn write(&self, based_on: &Revision, changes: &[Change]) -> Result<bool, Unavailable> {
        let next = based_on.next()?.to_string();
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if revision(&transaction)?.unwrap_or_default() != based_on.to_string() {
                return Ok(false);
            }
            for Change { key, value } in changes {
                match value {
                    Some(value) => transaction
                        .prepare_cached("INSERT OR REPLACE INTO entries (key, value) VALUES (?1, ?2)")?
                        .execute(params![key, value])?,
                    None => transaction
                        .prepare_cached("DELETE FROM entries WHERE key = ?1")?
                        .execute(params![key])?,
                };
            }
            transaction
                .prepare_cached("INSERT OR REPLACE INTO revisions (one, revision) VALUES (1, ?1)")?
                .execute(params![next])?;
            transaction.commit()?;
            Ok(true)
        })
    }
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS revisions (one INTEGER PRIMARY KEY CHECK (one = 1), revision TEXT NOT NULL) STRICT;
";
const MOST_IDLE: usize = 16;
