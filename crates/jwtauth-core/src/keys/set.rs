//! Sets of keys.

use std::collections::HashMap;

use super::key::Key;

/// Keys in the order they were given. They are found by `kid`.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
    by_kid: HashMap<Box<str>, Vec<usize>>,
    without_kid: Vec<usize>,
}

impl KeySet {
    /// All keys, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// Whether at least one key can check tokens.
    pub(crate) fn is_usable(&self) -> bool {
        self.keys.iter().any(Key::is_usable)
    }

    /// Whether at least one key has a name.
    pub(crate) fn has_names(&self) -> bool {
        !self.by_kid.is_empty()
    }

    /// The largest number of keys with the same name.
    pub(crate) fn most_with_one_name(&self) -> usize {
        self.by_kid.values().map(Vec::len).max().unwrap_or_default()
    }

    /// The number of keys that can check tokens, and the names of those that have one.
    pub(crate) fn count_and_kids(&self) -> (usize, Vec<String>) {
        let usable = || self.keys.iter().filter(|key| key.is_usable());
        let kids = usable().filter_map(|key| key.kid.as_deref());
        (usable().count(), kids.map(str::to_owned).collect())
    }

    /// The keys that cannot be used: the position of each in the set, its name, and the reason.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = (usize, Option<&str>, &str)> {
        let keys = self.keys.iter().enumerate();
        keys.filter_map(|(index, key)| Some((index, key.kid.as_deref(), key.skipped.as_deref()?)))
    }

    /// The key that can check tokens, if there is exactly one.
    pub(crate) fn only(&self) -> Option<&Key> {
        let mut usable = self.keys.iter().filter(|key| key.is_usable());
        usable.next().filter(|_| usable.next().is_none())
    }

    /// The keys with this `kid`, in order.
    pub(crate) fn named(&self, kid: &str) -> impl Iterator<Item = &Key> {
        self.by_kid
            .get(kid)
            .into_iter()
            .flatten()
            .filter_map(|index| self.keys.get(*index))
    }

    /// The keys without a `kid`, in order.
    pub(crate) fn unnamed(&self) -> impl Iterator<Item = &Key> {
        self.without_kid.iter().filter_map(|index| self.keys.get(*index))
    }
}

impl FromIterator<Key> for KeySet {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> KeySet {
        let mut set = KeySet::default();
        for key in keys {
            let index = set.keys.len();
            match &key.kid {
                Some(kid) => set.by_kid.entry(kid.clone()).or_default().push(index),
                None => set.without_kid.push(index),
            }
            set.keys.push(key);
        }
        set
    }
}
