//! Threads for calls that may wait for a store of sessions.
//!
//! The threads of Node's pool would not do: a store that does not respond would keep all four of them, and every lookup of
//! a file or of a host name goes through the pool.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The threads of one store. They start when there is work, and end some time after the last.
#[derive(Clone, Default)]
pub(crate) struct Workers(Arc<Shared>);

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Wakes a thread that waits for a job.
    has_job: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// The threads that work or wait.
    threads: usize,
    /// Those that wait, with those that were woken and have no job yet.
    waiting: usize,
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Workers")
    }
}

impl Workers {
    /// Does a job on one of the threads, in the order of the calls.
    ///
    /// # Errors
    /// Why the job was dropped: too many jobs wait, or there is no thread and the system starts none.
    pub(crate) fn start(&self, job: impl FnOnce() + Send + 'static) -> Result<(), String> {
        let mut state = self.0.state();
        if state.jobs.len() >= MOST_WAITING {
            return Err(format!("{MOST_WAITING} calls wait for the store already"));
        }
        state.jobs.push_back(Box::new(job));
        // Each waiting thread takes one of the jobs.
        if state.jobs.len() <= state.waiting || state.threads == MOST {
            self.0.has_job.notify_one();
            return Ok(());
        }
        let shared = Arc::clone(&self.0);
        let thread = thread::Builder::new().name("jwtauth-store".to_owned());
        match thread.spawn(move || shared.work()) {
            Ok(_) => state.threads += 1,
            // Another thread does the job later.
            Err(_) if state.threads > 0 => {}
            Err(why) => {
                state.jobs.pop_back();
                return Err(format!("no thread to work on: {why}"));
            }
        }
        Ok(())
    }
}

impl Shared {
    fn work(&self) {
        while let Some(job) = self.next() {
            // A job reports its own panics.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// Waits for a job. `None` if there is none for some time; the thread is then not counted any more.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        state.waiting += 1;
        let (mut state, _) = self
            .has_job
            .wait_timeout_while(state, IDLE, |state| state.jobs.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        let job = state.jobs.pop_front();
        if job.is_none() {
            state.threads -= 1;
        }
        job
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The most threads. Redis has as many connections by default.
const MOST: usize = 16;
/// The most jobs that wait for a thread. A store that does not respond would otherwise let them fill the memory.
const MOST_WAITING: usize = 10_000;
/// How long a thread waits for another job.
const IDLE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn as_many_jobs_as_there_are_threads_run_at_the_same_time() {
        let workers = Workers::default();
        for _ in 0..3 {
            // None of these would end if fewer threads worked.
            let all = Arc::new(Barrier::new(MOST));
            let (sender, ended) = channel();
            for _ in 0..MOST {
                let (all, sender) = (Arc::clone(&all), sender.clone());
                workers
                    .start(move || {
                        all.wait();
                        sender.send(()).unwrap();
                    })
                    .unwrap();
            }
            assert_eq!(ended.iter().take(MOST).count(), MOST);
            assert!(workers.0.state().threads <= MOST);
        }
    }

    #[test]
    fn more_jobs_than_threads_wait_for_a_thread() {
        let workers = Workers::default();
        let (sender, ended) = channel();
        for number in 0..10 * MOST {
            let sender = sender.clone();
            workers.start(move || sender.send(number).unwrap()).unwrap();
        }
        let mut numbers: Vec<_> = ended.iter().take(10 * MOST).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..10 * MOST).collect::<Vec<_>>());
    }

    #[test]
    fn a_job_is_refused_while_too_many_wait() {
        let workers = Workers::default();
        let (begun, ready) = channel();
        let all = Arc::new(Barrier::new(MOST + 1));
        for _ in 0..MOST {
            let (all, begun) = (Arc::clone(&all), begun.clone());
            let job = move || {
                begun.send(()).unwrap();
                all.wait();
            };
            workers.start(job).unwrap();
        }
        assert_eq!(ready.iter().take(MOST).count(), MOST);
        let (sender, ended) = channel();
        for _ in 0..MOST_WAITING {
            let sender = sender.clone();
            workers.start(move || sender.send(()).unwrap()).unwrap();
        }
        let why = workers.start(|| {}).unwrap_err();
        assert_eq!(why, "10000 calls wait for the store already");
        all.wait();
        assert_eq!(ended.iter().take(MOST_WAITING).count(), MOST_WAITING);
        workers.start(move || sender.send(()).unwrap()).unwrap();
        assert_eq!(ended.iter().count(), 1);
    }

    #[test]
    fn a_panic_of_a_job_ends_no_thread() {
        let workers = Workers::default();
        let (sender, ended) = channel();
        for number in 0..3 * MOST {
            let sender = sender.clone();
            let job = move || {
                sender.send(number).unwrap();
                panic!("made by a test");
            };
            workers.start(job).unwrap();
        }
        assert_eq!(ended.iter().take(3 * MOST).count(), 3 * MOST);
    }
}
