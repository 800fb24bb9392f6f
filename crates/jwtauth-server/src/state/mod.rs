//! What the APIs of Vault and Consul write: mounts, roles, auth methods and binding rules.
//!
//! It is kept as texts by name, with one number that each change increases. A change names the number that it is based on,
//! so that two instances do not overwrite each other's changes.

mod memory;
mod open;
mod redis;
mod sqlite;
mod tracked;

use std::collections::BTreeMap;
use std::fmt;

pub(crate) use self::memory::Memory;
pub(crate) use self::open::open;
pub(crate) use self::redis::{Redis, RedisSettings};
pub(crate) use self::sqlite::Sqlite;
pub(crate) use self::tracked::{Conflict, Tracked};

/// Everything that is kept, at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Snapshot {
    pub(crate) revision: u64,
    pub(crate) entries: BTreeMap<String, String>,
}

/// One entry that is set, or removed (`None`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) key: String,
    pub(crate) value: Option<String>,
}

impl Change {
    pub(crate) fn set(key: String, value: String) -> Change {
        Change {
            key,
            value: Some(value),
        }
    }

    pub(crate) fn remove(key: String) -> Change {
        Change { key, value: None }
    }
}

/// A store that cannot be used now. The text is for logs.
#[derive(Debug, Clone)]
pub(crate) struct Unavailable(String);

impl Unavailable {
    pub(crate) fn new(why: impl fmt::Display) -> Unavailable {
        Unavailable(why.to_string().replace(char::is_control, " "))
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A place for the state. All instances of the server with the same place see the same state.
pub(crate) trait Store: Send + Sync + fmt::Debug {
    /// The number of the newest state.
    fn revision(&self) -> Result<u64, Unavailable>;

    /// The newest state.
    fn read(&self) -> Result<Snapshot, Unavailable>;

    /// Makes all changes, or none if the state has another number. Returns whether they were made.
    fn write(&self, based_on: u64, changes: &[Change]) -> Result<bool, Unavailable>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obeys_the_contract(store: &dyn Store) {
        assert_eq!(store.read().unwrap(), Snapshot::default());
        let set = |key: &str, value: &str| Change::set(key.to_owned(), value.to_owned());
        assert!(store.write(0, &[set("a", "1"), set("b", "2")]).unwrap());
        assert!(!store.write(0, &[set("a", "lost")]).unwrap());
        assert_eq!(store.revision().unwrap(), 1);
        let changes = [Change::remove("b".to_owned()), set("c", "3")];
        assert!(store.write(1, &changes).unwrap());
        let read = store.read().unwrap();
        let entries: Vec<_> = read
            .entries
            .iter()
            .map(|(key, value)| (&**key, &**value))
            .collect();
        assert_eq!((read.revision, entries), (2, vec![("a", "1"), ("c", "3")]));
    }

    #[test]
    fn the_memory_obeys_the_contract() {
        obeys_the_contract(&Memory::default());
    }

    #[test]
    fn sqlite_obeys_the_contract_and_keeps_the_state() {
        let path = std::env::temp_dir().join(format!("jwtauth-state-{}.db", std::process::id()));
        let remove = || {
            for end in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{end}", path.display()));
            }
        };
        remove();
        let open = || Sqlite::new(path.clone(), std::time::Duration::from_secs(5));
        obeys_the_contract(&open());
        assert_eq!(open().revision().unwrap(), 2);
        remove();
    }
}
