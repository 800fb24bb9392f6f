//! The state of one process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Change, Revision, Snapshot, Store, Unavailable};

#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Snapshot>);

impl Memory {
    fn state(&self) -> MutexGuard<'_, Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn revision(&self) -> Result<Revision, Unavailable> {
        Ok(self.state().revision.clone())
    }

    fn read(&self) -> Result<Snapshot, Unavailable> {
        Ok(self.state().clone())
    }

    fn write(&self, based_on: &Revision, changes: &[Change]) -> Result<bool, Unavailable> {
        let mut state = self.state();
        if state.revision != *based_on {
            return Ok(false);
        }
        let next = based_on.next()?;
        for Change { key, value } in changes {
            match value {
                Some(value) => state.entries.insert(key.clone(), value.clone()),
                None => state.entries.remove(key),
            };
        }
        state.revision = next;
        Ok(true)
    }
}
