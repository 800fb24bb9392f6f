//! The state of one process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Change, Snapshot, Store, Unavailable};

#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Snapshot>);

impl Memory {
    fn state(&self) -> MutexGuard<'_, Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn revision(&self) -> Result<u64, Unavailable> {
        Ok(self.state().revision)
    }

    fn read(&self) -> Result<Snapshot, Unavailable> {
        Ok(self.state().clone())
    }

    fn write(&self, based_on: u64, changes: &[Change]) -> Result<bool, Unavailable> {
        let mut state = self.state();
        if state.revision != based_on {
            return Ok(false);
        }
        for Change { key, value } in changes {
            match value {
                Some(value) => state.entries.insert(key.clone(), value.clone()),
                None => state.entries.remove(key),
            };
        }
        state.revision += 1;
        Ok(true)
    }
}
