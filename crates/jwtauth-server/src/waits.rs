//! Work that waits: calls of stores, and fetches of keys. It must not keep the threads that serve connections.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::Semaphore;

/// Runs work on threads of its own, so much at the same time. Stores and key servers have separate limits: if one kind hangs,
/// the other goes on.
#[derive(Debug)]
pub(crate) struct Waits {
    stores: Semaphore,
    fetches: Semaphore,
    /// Whether the stores are in memory, and answer at once.
    in_memory: bool,
}

/// The work has panicked. The panic was printed.
#[derive(Debug)]
pub(crate) struct Panicked;

impl Waits {
    pub(crate) fn new(most: usize, in_memory: bool) -> Waits {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Waits {
            stores: Semaphore::new(most),
            fetches: Semaphore::new(most),
            in_memory,
        }
    }

    /// Does work with a store. `is_quick`: it waits for nothing else.
    pub(crate) async fn store<T: Send + 'static>(
        &self,
        is_quick: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        if is_quick && self.in_memory {
            return catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked);
        }
        elsewhere(&self.stores, work).await
    }

    /// Fetches keys, or waits for a fetch.
    pub(crate) async fn fetch(&self, work: impl FnOnce() + Send + 'static) -> Result<(), Panicked> {
        elsewhere(&self.fetches, work).await
    }
}

async fn elsewhere<T: Send + 'static>(
    limit: &Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    // The semaphore is never closed.
    let permit = limit.acquire().await.map_err(|_| Panicked)?;
    let done = tokio::task::spawn_blocking(work).await;
    drop(permit);
    done.map_err(|_| Panicked)
}
