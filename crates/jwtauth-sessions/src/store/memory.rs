//! Sessions in the memory of the process.
//!
//! The entries are spread over shards, each with a lock that is held for a look-up only, so threads rarely wait. Nothing is
//! made or freed under a lock except a small table and its slots.
//!
//! The entries belong to the process of the first use. A child that was forked later has a copy that no revocation reaches and
//! that counts its own uses, so there every operation fails.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::error::{Code, Error, Result};
use crate::record::{Record, State};
use crate::secret::{Id, Salt};
use crate::time::Micros;

use super::owner::Owner;
use super::{Entry, Groups, Renewed, Shared, Store};

/// The store.
#[derive(Debug)]
pub(crate) struct Memory {
    salt: OnceLock<Salt>,
    owner: Owner,
    shards: Box<[Mutex<Shard>]>,
    max_sessions: usize,
    max_bytes: usize,
    sessions: AtomicUsize,
    bytes: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shard {
    slots: HashMap<Id, Slot, BuildHasherDefault<FirstBytes>>,
    /// No session of the shard ends before this instant.
    next_end: Option<Micros>,
}

#[derive(Debug)]
struct Slot {
    record: Arc<Record>,
    state: State,
    groups: Groups,
    weight: u32,
}

/// Names are hashes already, so their first bytes are as good as another hash.
#[derive(Debug, Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length of a name, which is always the same.
    fn write_usize(&mut self, _: usize) {}
}

impl Memory {
    pub(crate) fn new(max_sessions: usize, max_bytes: usize) -> Memory {
        Memory {
            salt: OnceLock::new(),
            owner: Owner::new(),
            shards: (0..shards(max_sessions)).map(|_| Mutex::default()).collect(),
            max_sessions,
            max_bytes,
            sessions: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        }
    }

    /// Checks that this is the process that has the sessions.
    fn own(&self) -> Result<()> {
        match self.owner.other() {
            None => Ok(()),
            Some(owner) => {
                let why = format!(
                    "the memory of the process {owner} has the sessions; make them after the fork, or use another store"
                );
                Err(Error::with(Code::StoreUnavailable, why))
            }
        }
    }

    /// The shard of a name, by other bytes than the table inside uses.
    fn shard(&self, id: &Id) -> Result<MutexGuard<'_, Shard>> {
        self.own()?;
        let [.., high, low] = id.0;
        // Their number is a power of two.
        let index = usize::from(u16::from_be_bytes([high, low])) & (self.shards.len() - 1);
        let shard = self.shards.get(index);
        let shard = shard.ok_or_else(|| Error::with(Code::SessionInternalError, "a shard is missing"))?;
        Ok(locked(shard))
    }

    /// Reserves room for one entry. The sums never exceed the limits, whatever other threads do.
    fn reserve(&self, weight: usize) -> bool {
        let add = |sum: &AtomicUsize, more: usize, most: usize| {
            let added = |sum: usize| sum.checked_add(more).filter(|sum| *sum <= most);
            sum.fetch_update(Ordering::AcqRel, Ordering::Acquire, added)
                .is_ok()
        };
        if !add(&self.sessions, 1, self.max_sessions) {
            return false;
        }
        if !add(&self.bytes, weight, self.max_bytes) {
            self.sessions.fetch_sub(1, Ordering::AcqRel);
            return false;
        }
        true
    }

    /// Gives back the room of a slot, and frees it.
    fn release(&self, slot: Slot) {
        self.sessions.fetch_sub(1, Ordering::AcqRel);
        self.bytes.fetch_sub(slot.weight as usize, Ordering::AcqRel);
        drop(slot);
    }

    /// Removes slots. Returns how many, and how many of them had not ended.
    fn remove_where(
        &self,
        now: Micros,
        is_worth_a_look: impl Fn(&Shard) -> bool,
        goes: impl Fn(&Slot) -> bool,
    ) -> Result<(u64, u64)> {
        self.own()?;
        let (mut removed, mut live) = (0, 0);
        for shard in &self.shards {
            let gone: Vec<Slot> = {
                let mut shard = locked(shard);
                if !is_worth_a_look(&shard) {
                    continue;
                }
                let gone = shard.slots.extract_if(|_, slot| goes(slot)).map(|(_, slot)| slot);
                let gone = gone.collect();
                shard.next_end = shard
                    .slots
                    .values()
                    .filter_map(|slot| slot.state.expires_at)
                    .min();
                gone
            };
            for slot in gone {
                removed += 1;
                live += u64::from(!slot.state.has_ended(now));
                self.release(slot);
            }
        }
        Ok((removed, live))
    }
}

impl Store for Memory {
    fn shared(&self, offered: &Salt, now: Micros) -> Result<Shared> {
        self.own()?;
        Ok(Shared {
            salt: *self.salt.get_or_init(|| *offered),
            seen: now,
        })
    }

    fn insert(&self, id: &Id, entry: &Entry, groups: &Groups, now: Micros) -> Result<()> {
        let weight = entry.record.weight() + SLOT;
        if !self.reserve(weight) {
            self.sweep(now)?;
            if !self.reserve(weight) {
                return Err(Error::with(
                    Code::StoreFull,
                    format!(
                        "the memory has room for {} sessions and {} bytes",
                        self.max_sessions, self.max_bytes
                    ),
                ));
            }
        }
        let slot = Slot {
            record: Arc::clone(&entry.record),
            state: entry.state,
            groups: *groups,
            weight: u32::try_from(weight).unwrap_or(u32::MAX),
        };
        let mut shard = self.shard(id)?;
        let end = slot.state.expires_at;
        shard.next_end = [shard.next_end, end].into_iter().flatten().min();
        let replaced = shard.slots.insert(*id, slot);
        drop(shard);
        if let Some(replaced) = replaced {
            self.release(replaced);
            return Err(Error::with(
                Code::SessionInternalError,
                "two sessions have one name",
            ));
        }
        Ok(())
    }

    fn get(&self, id: &Id, now: Micros) -> Result<Option<Entry>> {
        let shard = self.shard(id)?;
        let slot = shard.slots.get(id).filter(|slot| !slot.state.has_ended(now));
        Ok(slot.map(Slot::entry))
    }

    fn spend(&self, id: &Id, now: Micros) -> Result<Option<u64>> {
        let mut shard = self.shard(id)?;
        let slot = shard.slots.get_mut(id).filter(|slot| !slot.state.has_ended(now));
        let Some(uses) = slot.and_then(|slot| slot.state.uses_left.as_mut()) else {
            return Ok(None);
        };
        *uses = uses.saturating_sub(1);
        let left = *uses;
        if left == 0 {
            let slot = shard.slots.remove(id);
            drop(shard);
            slot.into_iter().for_each(|slot| self.release(slot));
        }
        Ok(Some(left))
    }

    fn renew(
        &self,
        id: &Id,
        entry: &Entry,
        _: &Groups,
        expires_at: Option<Micros>,
        now: Micros,
    ) -> Result<Renewed> {
        let mut shard = self.shard(id)?;
        let Some(slot) = shard.slots.get_mut(id).filter(|slot| !slot.state.has_ended(now)) else {
            return Ok(Renewed::Unknown);
        };
        if slot.state.revision != entry.state.revision {
            return Ok(Renewed::Changed);
        }
        slot.state.revision += 1;
        slot.state.expires_at = expires_at;
        shard.next_end = [shard.next_end, expires_at].into_iter().flatten().min();
        Ok(Renewed::Done)
    }

    fn remove(&self, id: &Id, now: Micros) -> Result<bool> {
        let slot = self.shard(id)?.slots.remove(id);
        let was_live = slot.as_ref().is_some_and(|slot| !slot.state.has_ended(now));
        slot.into_iter().for_each(|slot| self.release(slot));
        Ok(was_live)
    }

    fn remove_group(&self, group: &Id, now: Micros) -> Result<u64> {
        let (_, live) = self.remove_where(now, |_| true, |slot| slot.groups.all().contains(group))?;
        Ok(live)
    }

    fn sweep(&self, now: Micros) -> Result<u64> {
        let has_ended = |shard: &Shard| shard.next_end.is_some_and(|end| end <= now);
        let (removed, _) = self.remove_where(now, has_ended, |slot| slot.state.has_ended(now))?;
        Ok(removed)
    }
}

impl Slot {
    fn entry(&self) -> Entry {
        Entry {
            record: Arc::clone(&self.record),
            state: self.state,
        }
    }
}

/// A thread that panics does not leave a table half changed, so the table is still used.
fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many shards there are. Full, each has about [`EACH`] sessions, so that a lock is held for microseconds also while a table
/// grows or is swept.
fn shards(max_sessions: usize) -> usize {
    let least = (max_sessions / EACH).clamp(FEWEST, MOST);
    least.next_power_of_two()
}

const EACH: usize = 256;
const FEWEST: usize = 16;
/// As many as two bytes of a name distinguish.
const MOST: usize = 1 << 16;

/// What a slot of the table takes next to the record, with the free slots of the table.
const SLOT: usize = 2 * (size_of::<Id>() + size_of::<Slot>());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_shards_is_a_power_of_two_and_grows_with_the_limit() {
        let counts = [1, 10_000, 1_000_000, usize::MAX].map(shards);
        assert_eq!(counts, [16, 64, 4096, 1 << 16]);
    }

    #[test]
    fn the_sessions_of_another_process_are_out_of_reach() {
        let memory = Memory {
            owner: Owner::stranger(),
            ..Memory::new(10, 1 << 20)
        };
        let id = Id([1; 32]);
        let errors = [
            memory.shared(&[0; 32], 0).unwrap_err(),
            memory.get(&id, 0).unwrap_err(),
            memory.spend(&id, 0).unwrap_err(),
            memory.remove(&id, 0).unwrap_err(),
            memory.remove_group(&id, 0).unwrap_err(),
            memory.sweep(0).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.code(), "store_unavailable");
        }
    }
}
