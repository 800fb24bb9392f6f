//! Stores: where sessions are kept.
//!
//! An entry has one name, which the token and the accessor lead to. Every operation on an entry is atomic, for all threads,
//! processes and machines that use the store.

mod memory;
mod owner;
#[cfg(any(feature = "redis", feature = "sqlite"))]
mod pool;
#[cfg(any(feature = "redis", feature = "sqlite"))]
mod records;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt::Debug;
use std::sync::Arc;

use crate::error::Result;
use crate::record::{Record, State};
use crate::secret::{Id, Salt};
use crate::time::{Micros, SECOND};

pub(crate) use self::memory::Memory;
#[cfg(feature = "redis")]
pub(crate) use self::redis::{Redis, RedisSettings, Where};
#[cfg(feature = "sqlite")]
pub(crate) use self::sqlite::Sqlite;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) record: Arc<Record>,
    pub(crate) state: State,
}

/// The groups that an entry belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Groups {
    pub(crate) profile: Id,
    pub(crate) subject: Id,
}

impl Groups {
    pub(crate) fn all(&self) -> [Id; 2] {
        [self.profile, self.subject]
    }
}

/// What a store knows for all processes that use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) salt: Salt,
    /// The latest instant that a process told the store.
    pub(crate) seen: Micros,
}

/// The result of [`Store::renew`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewed {
    Done,
    /// The entry has another revision: another renewal came first.
    Changed,
    Unknown,
}

/// A place for sessions. Any number of threads use one store at the same time.
///
/// An operation that fails may have had its effect, if the store became unreachable meanwhile. The callers are made for
/// this: a token is only given out after a success.
pub(crate) trait Store: Send + Sync + Debug {
    /// Returns the salt and the latest instant. Stores the offered salt if there is none, and `now` if it is later by
    /// an interval: denied requests ask for the salt, and must not cause a write each.
    fn shared(&self, offered: &Salt, now: Micros) -> Result<Shared>;

    /// Adds an entry under a name that is not taken.
    fn insert(&self, id: &Id, entry: &Entry, groups: &Groups, now: Micros) -> Result<()>;

    /// Returns an entry of a session that has not ended.
    fn get(&self, id: &Id, now: Micros) -> Result<Option<Entry>>;

    /// Counts a use off an entry whose uses are counted. Returns how many are left. The last one removes the entry. `None`:
    /// there is no such entry, or the session has ended.
    fn spend(&self, id: &Id, now: Micros) -> Result<Option<u64>>;

    /// Sets another end, if the entry still has the revision of `entry` and has not ended.
    fn renew(
        &self,
        id: &Id,
        entry: &Entry,
        groups: &Groups,
        expires_at: Option<Micros>,
        now: Micros,
    ) -> Result<Renewed>;

    /// Removes an entry. Returns whether a session had not ended by this.
    fn remove(&self, id: &Id, now: Micros) -> Result<bool>;

    /// Removes the entries of a group. Returns how many had not ended.
    fn remove_group(&self, group: &Id, now: Micros) -> Result<u64>;

    /// Removes what has ended. Returns how many entries were removed; a store that does this on its own returns zero.
    fn sweep(&self, now: Micros) -> Result<u64>;
}

/// The latest instant is stored when it is older than this. A process asks for it as often.
pub(crate) const SEEN_EVERY: Micros = 60 * SECOND;
