//! What is built from the state, kept until the state changes.

use std::sync::{Arc, PoisonError, RwLock};

use super::{Change, Snapshot, Store, Unavailable};

/// A value that is built from the newest state.
#[derive(Debug)]
pub(crate) struct Tracked<T> {
    store: Arc<dyn Store>,
    built: RwLock<Option<(u64, Arc<T>)>>,
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
    pub(crate) fn new(store: Arc<dyn Store>) -> Tracked<T> {
        Tracked {
            store,
            built: RwLock::new(None),
        }
    }

    /// The value for the newest state. `build` gets the value before, and takes from it what has not changed.
    pub(crate) fn current(
        &self,
        build: impl FnOnce(&Snapshot, Option<&T>) -> T,
    ) -> Result<(u64, Arc<T>), Unavailable> {
        let revision = self.store.revision()?;
        let known = self.built.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, value)) = &known
            && *at == revision
        {
            return Ok((revision, Arc::clone(value)));
        }
        let snapshot = self.store.read()?;
        let value = Arc::new(build(&snapshot, known.as_ref().map(|(_, value)| &**value)));
        let mut built = self.built.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have read a newer state.
        if built.as_ref().is_none_or(|(at, _)| *at < snapshot.revision) {
            *built = Some((snapshot.revision, Arc::clone(&value)));
        }
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
                    .write(revision, &changes)
                    .map_err(Conflict::Unavailable)?
            {
                return Ok(value);
            }
        }
        Err(Conflict::TooMany)
    }
}

const ATTEMPTS: usize = 16;
