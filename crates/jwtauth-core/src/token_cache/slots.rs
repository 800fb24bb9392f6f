//! A table of entries that is bounded by bytes and has no locks.
//!
//! Each hash has a row of [`WAYS`] slots. A look-up reads the slots of one row and writes nothing to shared memory, except
//! once for each entry that it finds. An insertion replaces one slot of the row, and empties some others if the table is
//! over its limit. All state is atomic, so that it survives a fork.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;

/// The table.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Box<[Slot<T>]>,
    /// The limit for the sum of the sizes of the entries.
    most: usize,
    bytes: AtomicUsize,
    entries: AtomicUsize,
    /// The next slot that is emptied if the table is over its limit.
    hand: AtomicUsize,
}

/// A place for one entry.
#[derive(Debug)]
struct Slot<T> {
    /// The hash of the entry, so that other entries are not touched. It is only a hint: the entry has it too.
    hint: AtomicU64,
    /// Whether the entry was found since an insertion last passed by.
    found: AtomicBool,
    entry: ArcSwapOption<Stored<T>>,
}

#[derive(Debug)]
struct Stored<T> {
    hash: u64,
    size: usize,
    value: T,
}

impl<T> Slots<T> {
    /// Creates an empty table for entries of `most` bytes together.
    pub(super) fn new(most: usize) -> Slots<T> {
        let rows = (most / (WAYS * USUAL_SIZE)).max(1).next_power_of_two();
        let slots = (0..rows * WAYS).map(|_| Slot::empty()).collect();
        Slots {
            slots,
            most,
            bytes: AtomicUsize::new(0),
            entries: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
        }
    }

    /// Returns what `read` makes of the entry with this hash that is the `wanted` one.
    #[inline]
    pub(super) fn find<R>(
        &self,
        hash: u64,
        wanted: impl Fn(&T) -> bool,
        read: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        for slot in self.row(hash) {
            if slot.hint.load(Ordering::Relaxed) != hash {
                continue;
            }
            let entry = slot.entry.load();
            let is_wanted = |stored: &&Arc<Stored<T>>| stored.hash == hash && wanted(&stored.value);
            if let Some(stored) = entry.as_ref().filter(is_wanted) {
                // Threads that find the same entry do not write to the same memory each time.
                if !slot.found.load(Ordering::Relaxed) {
                    slot.found.store(true, Ordering::Relaxed);
                }
                return Some(read(&stored.value));
            }
        }
        None
    }

    /// Stores an entry of this size. It replaces an entry that is the `same`, or one that was not found for some time. An
    /// entry that is too large for the table is not stored.
    pub(super) fn insert(&self, hash: u64, size: usize, value: T, same: impl Fn(&T) -> bool) {
        let row = self.row(hash);
        if size > self.most {
            return;
        }
        let is_same = |slot: &&Slot<T>| {
            let entry = slot.entry.load();
            entry
                .as_ref()
                .is_some_and(|stored| stored.hash == hash && same(&stored.value))
        };
        let is_free = |slot: &&Slot<T>| slot.entry.load().is_none();
        let is_unused = |slot: &&Slot<T>| !slot.found.swap(false, Ordering::Relaxed);
        let chosen = row.iter().find(is_same);
        let chosen = chosen.or_else(|| row.iter().find(is_free));
        let chosen = chosen.or_else(|| row.iter().find(is_unused));
        let Some(slot) = chosen.or_else(|| row.first()) else {
            return;
        };
        self.put(slot, Some(Arc::new(Stored { hash, size, value })));
        slot.hint.store(hash, Ordering::Relaxed);
        slot.found.store(false, Ordering::Relaxed);
        self.shrink(slot);
    }

    /// The sum of the sizes of the entries.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The number of entries.
    pub(super) fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    /// Empties slots while the table is over its limit. If these are not enough, empties the slot of the new entry.
    fn shrink(&self, new: &Slot<T>) {
        for _ in 0..MOST_STEPS {
            if self.bytes() <= self.most {
                return;
            }
            let place = self.hand.fetch_add(1, Ordering::Relaxed) % self.slots.len().max(1);
            let Some(slot) = self.slots.get(place).filter(|slot| !std::ptr::eq(*slot, new)) else {
                continue;
            };
            if !slot.found.swap(false, Ordering::Relaxed) {
                self.put(slot, None);
            }
        }
        if self.bytes() > self.most {
            self.put(new, None);
        }
    }

    /// Replaces the content of a slot. What is added is counted first, so that the counts are never too small.
    fn put(&self, slot: &Slot<T>, entry: Option<Arc<Stored<T>>>) {
        if let Some(new) = &entry {
            self.bytes.fetch_add(new.size, Ordering::Relaxed);
            self.entries.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(old) = slot.entry.swap(entry) {
            self.bytes.fetch_sub(old.size, Ordering::Relaxed);
            self.entries.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn row(&self, hash: u64) -> &[Slot<T>] {
        // The number of rows is a power of two.
        let mask = (self.slots.len() / WAYS).saturating_sub(1);
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits select the row")]
        let first = (hash as usize & mask) * WAYS;
        self.slots.get(first..first + WAYS).unwrap_or_default()
    }
}

impl<T> Slot<T> {
    fn empty() -> Slot<T> {
        Slot {
            hint: AtomicU64::new(0),
            found: AtomicBool::new(false),
            entry: ArcSwapOption::empty(),
        }
    }
}

/// The number of slots in a row.
const WAYS: usize = 8;
/// The size of an entry for which the number of slots is computed. Most entries are larger, so there are enough slots.
const USUAL_SIZE: usize = 2048;
/// The number of slots that one insertion looks at if the table is over its limit.
const MOST_STEPS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn find(slots: &Slots<&'static str>, hash: u64, wanted: &str) -> bool {
        slots.find(hash, |value| *value == wanted, |_| ()).is_some()
    }

    #[test]
    fn an_entry_is_found_by_its_hash_and_its_value() {
        let slots = Slots::new(100_000);
        slots.insert(7, 10, "a", |_| false);
        slots.insert(7, 20, "b", |_| false);
        assert!(find(&slots, 7, "a") && find(&slots, 7, "b"));
        assert!(!find(&slots, 7, "c") && !find(&slots, 8, "a"));
        assert_eq!((slots.bytes(), slots.entries()), (30, 2));
    }

    #[test]
    fn an_entry_replaces_the_same_entry() {
        let slots = Slots::new(100_000);
        slots.insert(7, 10, "a", |_| false);
        slots.insert(7, 30, "a", |value| *value == "a");
        assert_eq!((slots.bytes(), slots.entries()), (30, 1));
    }

    #[test]
    fn an_entry_larger_than_the_table_is_not_stored() {
        let slots = Slots::new(100);
        slots.insert(7, 101, "a", |_| false);
        assert!(!find(&slots, 7, "a"));
        assert_eq!((slots.bytes(), slots.entries()), (0, 0));
    }

    #[test]
    fn entries_that_are_found_stay_longer_than_others() {
        let slots = Slots::new(1_000_000);
        slots.insert(7, 10, "used", |_| false);
        for _ in 0..100 {
            slots.insert(7, 10, "other", |_| false);
            assert!(find(&slots, 7, "used"));
        }
        assert_eq!(slots.entries(), WAYS);
    }

    #[test]
    fn the_table_never_exceeds_its_limit_and_its_counts_are_exact() {
        for size in [1, 999, 5_000, 60_000] {
            let slots = Slots::new(65_536);
            for number in 0..5_000_u64 {
                let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                slots.insert(hash, size, "x", |_| false);
                assert!(slots.bytes() <= 65_536);
            }
            let stored = slots
                .slots
                .iter()
                .filter(|slot| slot.entry.load().is_some())
                .count();
            assert_eq!((slots.entries(), slots.bytes()), (stored, stored * size));
            assert!(stored > 0);
        }
    }

    #[test]
    fn the_counts_are_exact_after_insertions_of_several_threads() {
        let slots = Slots::new(65_536);
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let slots = &slots;
                scope.spawn(move || {
                    for number in 0..2_000_u64 {
                        let hash = (number * 4 + thread).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                        slots.insert(hash, 1_000, "x", |_| false);
                        find(slots, hash, "x");
                    }
                });
            }
        });
        let stored = slots
            .slots
            .iter()
            .filter(|slot| slot.entry.load().is_some())
            .count();
        assert_eq!((slots.entries(), slots.bytes()), (stored, stored * 1_000));
        assert!(slots.bytes() <= 65_536);
    }
}
