//! Counts that many threads increase.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of parts that a count has. Threads with different parts do not write to the same memory.
pub(crate) const STRIPES: usize = 16;

/// The part of the calling thread.
#[inline]
pub(crate) fn of_this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
    }
    // A thread that ends has no part of its own any more.
    MINE.try_with(|mine| *mine).unwrap_or_default()
}
