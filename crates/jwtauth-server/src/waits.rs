//! Work that waits: calls of stores, and fetches of keys. It must not keep the threads that serve connections.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::Semaphore;

/// What some work may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A store, and nothing else.
    Store,
    /// A key server, or much work; perhaps a store, too.
    Long,
}

/// Runs work on threads of its own, so much at the same time. The kinds have separate limits: if key servers hang, work that
/// needs only a store goes on.
#[derive(Debug)]
pub(crate) struct Waits {
    stores: Arc<Semaphore>,
    long: Arc<Semaphore>,
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
            stores: Arc::new(Semaphore::new(most)),
            long: Arc::new(Semaphore::new(most)),
            in_memory,
        }
    }

    /// Does work. It stays on this thread if it only waits for a store that is in memory.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        wait: Wait,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        let limit = match wait {
            Wait::Store if self.in_memory => {
                return catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked);
            }
            Wait::Store => &self.stores,
            Wait::Long => &self.long,
        };
        // The semaphore is never closed.
        let permit = Arc::clone(limit).acquire_owned().await.map_err(|_| Panicked)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // The work may go on after its request was given up, and counts until it ends.
            drop(permit);
            done
        });
        done.await.map_err(|_| Panicked)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn work_that_was_given_up_still_counts() {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        let waits = Arc::new(Waits::new(1, false));
        let (started, has_started) = channel();
        let (release, released) = channel::<()>();
        let first = Arc::clone(&waits);
        let given_up = runtime.spawn(async move {
            let work = move || {
                started.send(()).unwrap();
                released.recv().unwrap();
            };
            first.run(Wait::Store, work).await
        });
        has_started.recv().unwrap();
        given_up.abort();
        assert!(runtime.block_on(given_up).unwrap_err().is_cancelled());
        assert_eq!(waits.stores.available_permits(), 0);
        // The other kind goes on.
        assert_eq!(runtime.block_on(waits.run(Wait::Long, || 7)).unwrap(), 7);
        release.send(()).unwrap();
        assert_eq!(runtime.block_on(waits.run(Wait::Store, || 8)).unwrap(), 8);
    }

    #[test]
    fn a_panic_is_an_error() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for in_memory in [true, false] {
            let waits = Waits::new(1, in_memory);
            let done = runtime.block_on(waits.run(Wait::Store, || std::panic::resume_unwind(Box::new(1))));
            let done: Result<(), Panicked> = done;
            assert!(done.is_err());
        }
    }
}
