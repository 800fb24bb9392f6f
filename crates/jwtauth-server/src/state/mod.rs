//! What the APIs of Vault and Consul write: mounts, roles, auth methods and binding rules.
//!
//! It is kept as texts by name, with one revision that each change replaces. A change names the revision that it is based
//! on, so that two instances do not overwrite each other's changes.

mod memory;
mod open;
mod redis;
mod revision;
mod sqlite;
mod tracked;
mod unavailable;

use std::collections::BTreeMap;
use std::fmt;

pub(crate) use self::memory::Memory;
pub(crate) use self::open::open;
pub(crate) use self::redis::{Redis, RedisSettings};
pub(crate) use self::revision::Revision;
pub(crate) use self::sqlite::Sqlite;
pub(crate) use self::tracked::{Conflict, Tracked};
pub(crate) use self::unavailable::Unavailable;

/// Everything that is kept, at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Snapshot {
    pub(crate) revision: Revision,
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

/// A place for the state. All instances of the server with the same place see the same state.
pub(crate) trait Store: Send + Sync + fmt::Debug {
    /// Which state is the newest.
    fn revision(&self) -> Result<Revision, Unavailable>;

    /// The newest state.
    fn read(&self) -> Result<Snapshot, Unavailable>;

    /// Makes all changes, or none if the state has another revision. Returns whether they were made.
    fn write(&self, based_on: &Revision, changes: &[Change]) -> Result<bool, Unavailable>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obeys_the_contract(store: &dyn Store) {
        assert_eq!(store.read().unwrap(), Snapshot::default());
        let set = |key: &str, value: &str| Change::set(key.to_owned(), value.to_owned());
        let none = Revision::default();
        assert!(store.write(&none, &[set("a", "1"), set("b", "2")]).unwrap());
        assert!(!store.write(&none, &[set("a", "lost")]).unwrap());
        let first = store.revision().unwrap();
        assert_eq!(first.number(), 1);
        // A revision with the same number that another store counted to is another one.
        assert!(!store.write(&none.next().unwrap(), &[set("a", "lost")]).unwrap());
        let changes = [Change::remove("b".to_owned()), set("c", "3")];
        assert!(store.write(&first, &changes).unwrap());
        let read = store.read().unwrap();
        assert_eq!(read.revision, store.revision().unwrap());
        let entries: Vec<_> = read
            .entries
            .iter()
            .map(|(key, value)| (&**key, &**value))
            .collect();
        assert_eq!(
            (read.revision.number(), entries),
            (2, vec![("a", "1"), ("c", "3")])
        );
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
        assert_eq!(open().revision().unwrap().number(), 2);
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        remove();
    }
}
