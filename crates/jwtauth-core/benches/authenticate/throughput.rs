//! How often some work is done in a second by several threads.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The numbers of threads. The first one is the unit.
pub(crate) const THREADS: [usize; 3] = [1, 2, 8];

/// The time before a turn in which the threads work, but nothing is counted. The kernel may start both of two threads on one core,
/// and moves one of them some milliseconds later. The threads of a server run for longer.
const WARM_UP: Duration = Duration::from_millis(20);

/// The length of one turn. It is long enough for its start and its end to be negligible.
const TURN: Duration = Duration::from_millis(10);

/// How often the work is done in a second by this number of threads. It gets the number of its thread.
pub(crate) fn rate(threads: usize, work: &(impl Fn(usize) + Sync)) -> f64 {
    let (start, counted, stop) = (
        Barrier::new(threads + 1),
        AtomicBool::new(false),
        AtomicBool::new(false),
    );
    let run = |thread| {
        start.wait();
        while !counted.load(Ordering::Relaxed) {
            work(thread);
        }
        let (begun, mut done) = (Instant::now(), 0_u32);
        while !stop.load(Ordering::Relaxed) {
            work(thread);
            done += 1;
        }
        (begun, Instant::now(), done)
    };
    thread::scope(|scope| {
        let run = &run;
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || run(thread)))
            .collect();
        start.wait();
        thread::sleep(WARM_UP);
        counted.store(true, Ordering::Relaxed);
        thread::sleep(TURN);
        stop.store(true, Ordering::Relaxed);
        // The thread that waits for the others may be the last to wake, so the threads themselves measure the time.
        let each: Vec<_> = running
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect();
        let begun = each.iter().map(|(begun, _, _)| *begun).min();
        let ended = each.iter().map(|(_, ended, _)| *ended).max();
        let took = begun
            .zip(ended)
            .map_or(f64::NAN, |(begun, ended)| (ended - begun).as_secs_f64());
        each.iter().map(|(_, _, done)| f64::from(*done)).sum::<f64>() / took
    })
}
