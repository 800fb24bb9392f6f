//! Connections that are kept for later use.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Idle connections of this process.
///
/// A child that was forked must not use the connections of its parent: both would read the other's replies. Nor may it close
/// them: in SQLite, that is more than to close a file. So it leaves them alone. It also must not wait for a lock
/// that a thread of the parent held during the fork, so nothing here waits.
#[derive(Debug)]
pub(super) struct Pool<C> {
    idle: Mutex<Vec<Idle<C>>>,
    most: usize,
}

#[derive(Debug)]
struct Idle<C> {
    connection: C,
    process: u32,
}

impl<C> Pool<C> {
    /// A pool that keeps at most so many connections.
    pub(super) fn new(most: usize) -> Pool<C> {
        Pool {
            idle: Mutex::default(),
            most,
        }
    }

    /// Takes the connection that was used last.
    pub(super) fn take(&self) -> Option<C> {
        let mut idle = self.idle()?;
        while let Some(last) = idle.pop() {
            if last.process == std::process::id() {
                return Some(last.connection);
            }
            std::mem::forget(last);
        }
        None
    }

    /// Keeps a connection for later use, or closes it if there are enough.
    pub(super) fn keep(&self, connection: C) {
        let process = std::process::id();
        if let Some(mut idle) = self.idle()
            && idle.len() < self.most
        {
            idle.push(Idle { connection, process });
        }
    }

    /// Closes all idle connections of this process.
    #[cfg(feature = "redis")]
    pub(super) fn clear(&self) {
        while let Some(connection) = self.take() {
            drop(connection);
        }
    }

    fn idle(&self) -> Option<MutexGuard<'_, Vec<Idle<C>>>> {
        for _ in 0..ATTEMPTS {
            match self.idle.try_lock() {
                Ok(idle) => return Some(idle),
                Err(TryLockError::Poisoned(poisoned)) => return Some(PoisonError::into_inner(poisoned)),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
        None
    }
}

impl<C> Drop for Pool<C> {
    /// Closes the connections of this process. A child also drops its copy of the pool, at the latest when it ends.
    fn drop(&mut self) {
        // Only this thread has the pool. So if the lock is held, a thread of the parent held it during the fork, and the list may
        // be half changed.
        let is_whole = !matches!(self.idle.try_lock(), Err(TryLockError::WouldBlock));
        let idle = std::mem::take(self.idle.get_mut().unwrap_or_else(PoisonError::into_inner));
        if is_whole {
            let (own, inherited): (Vec<_>, Vec<_>) = idle
                .into_iter()
                .partition(|one| one.process == std::process::id());
            drop(own);
            std::mem::forget(inherited);
        } else {
            std::mem::forget(idle);
        }
    }
}

/// The lock is held for some instructions only. After so many attempts, its owner is a thread of the parent, or has been
/// suspended; then a new connection is opened.
const ATTEMPTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_that_was_used_last_is_taken_first() {
        let pool = Pool::new(2);
        [1, 2, 3].into_iter().for_each(|connection| pool.keep(connection));
        assert_eq!([pool.take(), pool.take(), pool.take()], [Some(2), Some(1), None]);
    }

    #[test]
    fn a_pool_that_another_thread_holds_lends_nothing() {
        let pool = Pool::new(2);
        pool.keep(1);
        let held = pool.idle.lock().unwrap();
        assert_eq!(pool.take(), None);
        pool.keep(2);
        drop(held);
        assert_eq!([pool.take(), pool.take()], [Some(1), None]);
    }

    #[test]
    fn a_connection_of_another_process_is_left_alone() {
        struct Loud;
        impl Drop for Loud {
            fn drop(&mut self) {
                panic!("the connection was closed");
            }
        }
        let pool = Pool::new(2);
        pool.idle.lock().unwrap().push(Idle {
            connection: Loud,
            process: 0,
        });
        assert!(pool.take().is_none());
        pool.idle.lock().unwrap().push(Idle {
            connection: Loud,
            process: 0,
        });
        drop(pool);
    }

    #[test]
    fn the_connections_of_this_process_are_closed_with_the_pool() {
        let pool = Pool::new(2);
        let connection = std::sync::Arc::new(());
        pool.keep(std::sync::Arc::clone(&connection));
        drop(pool);
        assert_eq!(std::sync::Arc::strong_count(&connection), 1);
    }
}
