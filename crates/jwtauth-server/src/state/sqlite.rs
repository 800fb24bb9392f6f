//! The state in an SQLite database, for several processes on one machine.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{Change, Snapshot, Store, Unavailable};

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
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(self.timeout)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(connection)
    }
}

fn revision(connection: &Connection) -> rusqlite::Result<u64> {
    let found = connection
        .prepare_cached("SELECT revision FROM revisions")?
        .query_row([], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(found.and_then(|number| u64::try_from(number).ok()).unwrap_or(0))
}

impl Store for Sqlite {
    fn revision(&self) -> Result<u64, Unavailable> {
        self.with(|connection| revision(connection))
    }

    fn read(&self) -> Result<Snapshot, Unavailable> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let revision = revision(&transaction)?;
            let entries = transaction
                .prepare_cached("SELECT key, value FROM entries")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Snapshot { revision, entries })
        })
    }

    fn write(&self, based_on: u64, changes: &[Change]) -> Result<bool, Unavailable> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if revision(&transaction)? != based_on {
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
            let next = i64::try_from(based_on.saturating_add(1)).unwrap_or(i64::MAX);
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
    CREATE TABLE IF NOT EXISTS revisions (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL) STRICT;
";
const MOST_IDLE: usize = 16;
