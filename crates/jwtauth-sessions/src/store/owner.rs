//! Which process has something that a forked child must not use.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// The process of the first use. It is read and set without a lock, because a lock could stay locked in a forked child.
#[derive(Debug)]
pub(super) struct Owner(AtomicU32);

impl Owner {
    /// Nothing has been used yet.
    pub(super) const fn new() -> Owner {
        Owner(AtomicU32::new(NONE))
    }

    /// Uses it in this process. Returns the id of the owner if that is another process.
    pub(super) fn other(&self) -> Option<u32> {
        let current = process::id();
        // The owner never changes, so most uses only read.
        let owner = match self.0.load(Ordering::Acquire) {
            NONE => {
                let set = self
                    .0
                    .compare_exchange(NONE, current, Ordering::AcqRel, Ordering::Acquire);
                set.err().unwrap_or(current)
            }
            owner => owner,
        };
        (owner != current).then_some(owner)
    }

    /// Something that another process has.
    #[cfg(test)]
    pub(super) fn stranger() -> Owner {
        Owner(AtomicU32::new(u32::MAX))
    }
}

/// No process has this id.
const NONE: u32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_process_is_the_owner() {
        let owner = Owner::new();
        assert_eq!([owner.other(), owner.other()], [None, None]);
        let stranger = Owner::stranger();
        assert_eq!([stranger.other(), stranger.other()], [Some(u32::MAX); 2]);
    }
}
