//! What is built from the state, kept until the state changes.

use std::sync::{Arc, PoisonError, RwLock};

use super::{Change, Revision, Snapshot, Store, Unavailable};

/// A value that is built from the newest state.
#[derive(Debug)]
pub(crate) struct Tracked<T> {
    store: Arc<dyn Store>,
    /// The value, and for which state it was built. `None`: it is from before a reload, and only its parts can be used.
    built: RwLock<Option<(Option<Revision>, Arc<T>)>>,
}

/// Why a change was not made.
#[derive(Debug)]
pub(crate) enum Conflict<E> {
    /// The change itself refused.
    Refused(E),
    Unavailable(Unavailable),
    /// Changes of others came first each time.
    TooMany,
}

impl<T> Tracked<T> {
    /// `before` is what was tracked before a reload. What it has built can become a part of new values.
    pub(crate) fn after(before: Option<&Tracked<T>>, store: &Arc<dyn Store>) -> Tracked<T> {
        let known = before.and_then(Tracked::known);
        Tracked {
            store: Arc::clone(store),
            built: RwLock::new(known.map(|(_, value)| (None, value))),
        }
    }

    fn known(&self) -> Option<(Option<Revision>, Arc<T>)> {
        self.built.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The value for the newest state. `build` gets the value before, and takes from it what has not changed.
    pub(crate) fn current(
        &self,
        build: impl FnOnce(&Snapshot, Option<&T>) -> T,
    ) -> Result<(Revision, Arc<T>), Unavailable> {
        let revision = self.store.revision()?;
        let known = self.known();
        if let Some((Some(at), value)) = &known
            && *at == revision
        {
            return Ok((revision, Arc::clone(value)));
        }
        let snapshot = self.store.read()?;
        let value = Arc::new(build(&snapshot, known.as_ref().map(|(_, value)| &**value)));
        // If another thread has read a newer state meanwhile, the next request finds another revision, and builds again.
        let now = Some((Some(snapshot.revision.clone()), Arc::clone(&value)));
        *self.built.write().unwrap_or_else(PoisonError::into_inner) = now;
        Ok((snapshot.revision, value))
    }

    /// Makes the changes that `work` wants for the newest state. If another change comes first, `work` is asked again.
    pub(crate) fn change<V, E>(
        &self,
        build: impl Fn(&Snapshot, Option<&T>) -> T,
        work: impl Fn(&T) -> Result<(Vec<Change>, V), E>,
    ) -> Result<V, Conflict<E>> {
        for _ in 0..ATTEMPTS {
            let (revision, current) = self.current(&build).map_err(Conflict::Unavailable)?;
            let (changes, value) = work(&current).map_err(Conflict::Refused)?;
            if changes.is_empty()
                || self
                    .store
                    .write(&revision, &changes)
                    .map_err(Conflict::Unavailable)?
            {
                return Ok(value);
            }
        }
        Err(Conflict::TooMany)
    }
}

const ATTEMPTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::*;

    /// A store that loses everything when it is replaced.
    #[derive(Debug, Default)]
    struct Replaced(RwLock<Memory>);

    impl Store for Replaced {
        fn revision(&self) -> Result<Revision, Unavailable> {
            self.0.read().unwrap().revision()
        }

        fn read(&self) -> Result<Snapshot, Unavailable> {
            self.0.read().unwrap().read()
        }

        fn write(&self, based_on: &Revision, changes: &[Change]) -> Result<bool, Unavailable> {
            self.0.read().unwrap().write(based_on, changes)
        }
    }

    fn write(tracked: &Tracked<Vec<String>>, key: &str) {
        let change = Change::set(key.to_owned(), String::new());
        let done: Result<(), Conflict<()>> = tracked.change(keys, |_| Ok((vec![change.clone()], ())));
        done.unwrap();
    }

    fn keys(snapshot: &Snapshot, _: Option<&Vec<String>>) -> Vec<String> {
        snapshot.entries.keys().cloned().collect()
    }

    #[test]
    fn a_state_that_counts_up_to_the_same_number_again_is_another_one() {
        let store = Arc::new(Replaced::default());
        let shared: Arc<dyn Store> = store.clone();
        let (one, other) = (Tracked::after(None, &shared), Tracked::after(None, &shared));
        write(&one, "lost");
        assert_eq!(*one.current(keys).unwrap().1, ["lost"]);
        *store.0.write().unwrap() = Memory::default();
        write(&other, "new");
        let (revision, seen) = one.current(keys).unwrap();
        assert_eq!((revision.number(), seen.as_slice()), (1, &["new".to_owned()][..]));
    }
}
