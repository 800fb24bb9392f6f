//! Sessions in an SQLite database, for several processes on one machine.
//!
//! The database is in WAL mode: readers do not wait for a writer. A commit is on the disk before a token is given out.
//!
//! SQLite keeps a list of the files that its process has opened, with their locks. A forked child has a copy of the list, but not
//! the locks, which belong to the process. It would write without them, also with a connection of its own: if the parent then
//! closed the file, its log would be removed while the child writes to it, and what the child wrote would be lost. So after
//! the first use of any database, children cannot use one.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use crate::error::{Code, Error, Result};
use crate::record::State;
use crate::secret::{Id, Salt};
use crate::time::Micros;

use super::owner::Owner;
use super::pool::Pool;
use super::records::Records;
use super::{Entry, Groups, Renewed, SEEN_EVERY, Shared, Store};

/// The store. Each thread that uses it at the same time has its own connection.
#[derive(Debug)]
pub(crate) struct Sqlite {
    path: PathBuf,
    timeout: Duration,
    idle: Pool<Connection>,
    records: Records,
    /// Held by the thread of the process that writes.
    writing: Mutex<()>,
}

impl Sqlite {
    /// A store in this file. The file is made when the store is used first.
    pub(crate) fn new(path: PathBuf, timeout: Duration) -> Sqlite {
        Sqlite {
            path,
            timeout,
            idle: Pool::new(MOST_IDLE),
            records: Records::new(),
            writing: Mutex::default(),
        }
    }

    /// Checks that SQLite can be used in this process.
    fn own(owner: &Owner) -> Result<()> {
        match owner.other() {
            None => Ok(()),
            Some(owner) => {
                let why = format!(
                    "the process {owner} used SQLite before it forked this one; fork before the first use, or use Redis"
                );
                Err(Error::with(Code::StoreUnavailable, why))
            }
        }
    }

    /// Does some work with a connection. After a failure, the connection is not used again.
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, Failure>) -> Result<T> {
        Sqlite::own(&USER)?;
        let connection = self.idle.take().map_or_else(|| self.open(), Ok);
        let done = connection.and_then(|mut connection| Ok((work(&mut connection)?, connection)));
        let (value, connection) = done.map_err(|failure| self.explain(failure))?;
        self.idle.keep(connection);
        Ok(value)
    }

    /// Does some work in a transaction that writes.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>) -> Result<T> {
        // First, because a lock that a thread of the parent held stays locked.
        Sqlite::own(&USER)?;
        let _turn = self.turn();
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    /// Waits until no other thread of this process writes. SQLite would let a thread sleep for up to a tenth of a second, while a
    /// commit takes a fraction of a millisecond.
    fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        let start = Instant::now();
        loop {
            match self.writing.try_lock() {
                Ok(turn) => return Some(turn),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if start.elapsed() >= self.timeout => return None,
                Err(TryLockError::WouldBlock) => std::thread::sleep(TURN),
            }
        }
    }

    fn open(&self) -> Result<Connection, Failure> {
        let path = place(&self.path)?;
        create(&path);
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(self.timeout)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // A database that exists is opened without its lock, so that readers do not wait for a writer.
        if version(&connection)? != SCHEMA_VERSION {
            let made = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let tables: i64 = made.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            match (version(&made)?, tables) {
                // Another process was faster.
                (SCHEMA_VERSION, _) => {}
                (0, 0) => {
                    made.execute_batch(SCHEMA)?;
                    made.pragma_update(None, "user_version", SCHEMA_VERSION)?;
                }
                (0, _) => return Err(Failure::Other("has tables of another program".to_owned())),
                (version, _) => {
                    let detail =
                        format!("has the version {version}; this library uses version {SCHEMA_VERSION}");
                    return Err(Failure::Other(detail));
                }
            }
            made.commit()?;
        }
        Ok(connection)
    }

    fn explain(&self, failure: Failure) -> Error {
        let path = self.path.display();
        let error = match failure {
            Failure::Error(error) => return error,
            Failure::Other(detail) => return Error::with(Code::StoreVersion, format!("{path}: {detail}")),
            Failure::Sqlite(error) => error,
        };
        let code = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Code::StoreFull,
            Some(ErrorCode::NotADatabase) => Code::StoreVersion,
            Some(
                ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::AuthorizationForStatementDenied,
            ) => Code::StoreRefused,
            _ => Code::StoreUnavailable,
        };
        Error::with(code, format!("{path}: {error}"))
    }
}

/// Why some work failed.
enum Failure {
    Sqlite(rusqlite::Error),
    /// The database is not one of this library's.
    Other(String),
    Error(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

/// The full path of a database. SQLite keeps a database in the memory if its name is empty or `:memory:`, and reads one that begins
/// with `file:` as a URL; a full path is always a file.
///
/// # Errors
/// [`Code::StoreUnavailable`]: the path is empty, or the current folder is unknown.
fn place(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| {
        let detail = format!("{}: {error}", path.display());
        Error::with(Code::StoreUnavailable, detail)
    })
}

/// Creates the file of a database, unless it exists, so that only its owner can read and write it: it has the names and claims
/// of users. SQLite gives the other files the same mode. It reports the failures.
fn create(path: &Path) {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.open(path);
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// A row: the text of the record, and the state.
type Stored = (Vec<u8>, State);

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    // A blob and a text are both bytes here; anything else is read as a damaged entry.
    let record = row.get_ref(0)?.as_bytes().unwrap_or_default().to_vec();
    Ok((
        record,
        State {
            expires_at: row.get(1)?,
            uses_left: row.get::<_, Option<i64>>(2)?.map(number),
            revision: number(row.get(3)?),
        },
    ))
}

/// Reads the entry of a session that has not ended.
fn find(connection: &Connection, id: &Id, now: Micros) -> Result<Option<Stored>, Failure> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT record, expires_at, uses_left, revision FROM sessions WHERE id = ?1 AND {LIVES}"
    ))?;
    Ok(select.query_row(params![id.0, now], stored).optional()?)
}

impl Store for Sqlite {
    fn shared(&self, offered: &Salt, now: Micros) -> Result<Shared> {
        let read = |row: &Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Micros>(1)?));
        let known = self.with(|connection| {
            let mut select = connection.prepare_cached("SELECT salt, seen FROM shared")?;
            Ok(select.query_row([], read).optional()?)
        })?;
        let (salt, seen) = match known.filter(|(_, seen)| seen.saturating_add(SEEN_EVERY) >= now) {
            Some(known) => known,
            None => self.write(|transaction| {
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO shared (one, salt, seen) VALUES (1, ?1, ?2)
                     ON CONFLICT (one) DO UPDATE SET seen = max(seen, excluded.seen) RETURNING salt, seen",
                )?;
                Ok(insert.query_row(params![offered, now], read)?)
            })?,
        };
        let damaged = |_| Error::with(Code::SessionEntryInvalid, "the salt of the store is damaged");
        Ok(Shared {
            salt: salt.try_into().map_err(damaged)?,
            seen,
        })
    }

    fn insert(&self, id: &Id, entry: &Entry, groups: &Groups, _: Micros) -> Result<()> {
        let text = entry.record.to_text()?;
        let State {
            expires_at,
            uses_left,
            ..
        } = entry.state;
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO sessions (id, record, expires_at, uses_left, revision, profile, subject)
                     VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)",
                )?
                .execute(params![
                    id.0,
                    text,
                    expires_at,
                    uses_left.map(|uses| i64::try_from(uses).unwrap_or(i64::MAX)),
                    groups.profile.0,
                    groups.subject.0
                ])?;
            Ok(())
        })
    }

    fn get(&self, id: &Id, now: Micros) -> Result<Option<Entry>> {
        let Some((text, state)) = self.with(|connection| find(connection, id, now))? else {
            return Ok(None);
        };
        let record = self.records.read(id, &text)?;
        Ok(Some(Entry { record, state }))
    }

    fn spend(&self, id: &Id, now: Micros) -> Result<Option<u64>> {
        self.write(|transaction| {
            let left: Option<i64> = transaction
                .prepare_cached(&format!(
                    "UPDATE sessions SET uses_left = uses_left - 1
                     WHERE id = ?1 AND uses_left IS NOT NULL AND {LIVES} RETURNING uses_left"
                ))?
                .query_row(params![id.0, now], |row| row.get(0))
                .optional()?;
            if left == Some(0) {
                transaction
                    .prepare_cached("DELETE FROM sessions WHERE id = ?1")?
                    .execute(params![id.0])?;
            }
            Ok(left.and_then(|left| u64::try_from(left).ok()))
        })
    }

    fn renew(
        &self,
        id: &Id,
        entry: &Entry,
        _: &Groups,
        expires_at: Option<Micros>,
        now: Micros,
    ) -> Result<Renewed> {
        let revision = i64::try_from(entry.state.revision).unwrap_or(i64::MAX);
        self.write(|transaction| {
            let changed = transaction
                .prepare_cached(&format!(
                    "UPDATE sessions SET expires_at = ?3, revision = revision + 1
                     WHERE id = ?1 AND {LIVES} AND revision = ?4"
                ))?
                .execute(params![id.0, now, expires_at, revision])?;
            let renewed = match changed {
                0 if find(transaction, id, now)?.is_some() => Renewed::Changed,
                0 => Renewed::Unknown,
                _ => Renewed::Done,
            };
            Ok(renewed)
        })
    }

    fn remove(&self, id: &Id, now: Micros) -> Result<bool> {
        let removed = self.remove_by("id", id, now)?;
        Ok(removed > 0)
    }

    fn remove_group(&self, group: &Id, now: Micros) -> Result<u64> {
        Ok(self.remove_by("profile", group, now)? + self.remove_by("subject", group, now)?)
    }

    fn sweep(&self, now: Micros) -> Result<u64> {
        let mut removed = 0;
        loop {
            let part = self.write(|transaction| {
                // A part at a time, so that other writers do not wait long.
                let part = transaction
                    .prepare_cached(
                        "DELETE FROM sessions WHERE rowid IN
                         (SELECT rowid FROM sessions WHERE expires_at <= ?1 LIMIT 1000)",
                    )?
                    .execute(params![now])?;
                Ok(part)
            })?;
            if part == 0 {
                return Ok(removed);
            }
            removed += part as u64;
        }
    }
}

impl Sqlite {
    /// Removes the entries with this value in a column. Returns how many had not ended.
    fn remove_by(&self, column: &str, id: &Id, now: Micros) -> Result<u64> {
        self.write(|transaction| {
            let live = transaction
                .prepare_cached(&format!("DELETE FROM sessions WHERE {column} = ?1 AND {LIVES}"))?
                .execute(params![id.0, now])?;
            transaction
                .prepare_cached(&format!("DELETE FROM sessions WHERE {column} = ?1"))?
                .execute(params![id.0])?;
            Ok(live as u64)
        })
    }
}

/// The process that uses SQLite. Its list of files is one for all stores.
static USER: Owner = Owner::new();

/// That a session has not ended at the instant `?2`.
const LIVES: &str = "(expires_at IS NULL OR expires_at > ?2) AND (uses_left IS NULL OR uses_left > 0)";

const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = "
CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL,
    record TEXT NOT NULL,
    expires_at INTEGER,
    uses_left INTEGER,
    revision INTEGER NOT NULL,
    profile BLOB NOT NULL,
    subject BLOB NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX sessions_by_profile ON sessions (profile);
CREATE INDEX sessions_by_subject ON sessions (subject);
CREATE TABLE shared (one INTEGER PRIMARY KEY CHECK (one = 1), salt BLOB NOT NULL, seen INTEGER NOT NULL);
";

/// How long a writer waits before it looks again whether it is its turn: a fraction of a commit.
const TURN: Duration = Duration::from_micros(20);

/// More connections than this are closed after their use.
const MOST_IDLE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_always_a_file() {
        for name in [":memory:", "file:sessions.db?mode=memory"] {
            let path = place(Path::new(name)).unwrap();
            assert!(path.is_absolute() && path.ends_with(name), "{path:?}");
        }
        assert_eq!(place(Path::new("")).unwrap_err().code(), "store_unavailable");
    }

    #[test]
    fn after_a_fork_of_a_process_that_used_it_sqlite_is_unavailable() {
        let error = Sqlite::own(&Owner::stranger()).unwrap_err();
        assert_eq!(error.code(), "store_unavailable");
    }
}
