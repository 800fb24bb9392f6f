//! Throughput of several threads that share one verifier, relative to one thread.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jwtauth_core::Verifier;

use crate::decide;
use crate::timed::{Turns, marked};

/// The numbers of threads. The first one is the unit.
const THREADS: [usize; 3] = [1, 2, 8];

/// The minimum throughput per thread, relative to a single thread. With more threads than cores, it is per core.
const GOAL: f64 = 0.925;

/// The time before a turn in which the threads decide, but nothing is counted. The kernel may start both of two threads on one core,
/// and moves one of them some milliseconds later. The threads of a server run for longer.
const WARM_UP: Duration = Duration::from_millis(20);

/// The length of one turn. It is long enough for its start and its end to be negligible.
const TURN: Duration = Duration::from_millis(10);

pub(crate) fn head() {
    println!(
        "\n| decisions in a second on {} cores | 1 thread | 2 / 1 | best | at least | 8 / 1 | best | at least |\n|---|---|---|---|---|---|---|---|",
        cores()
    );
}

pub(crate) fn compare(name: &str, passes: usize, verifier: &Verifier, token: &str) {
    let mut rates = THREADS.map(|_| Turns::default());
    for _ in 0..passes.div_ceil(8) {
        for (count, turns) in THREADS.iter().zip(&mut rates) {
            turns.push(rate(*count, verifier, token));
        }
    }
    let [[one, one_best], [two, two_best], [eight, eight_best]] =
        rates.each_mut().map(|turns| [turns.at(0.5), turns.at(1.0)]);
    let goal = |threads: usize| GOAL * threads.min(cores()) as f64;
    let ratio = |rate: f64, threads| marked(rate / one, rate / one >= goal(threads));
    println!(
        "| {name} | {one:.0} | {} | {:.2} | {:.2} | {} | {:.2} | {:.2} |",
        ratio(two, 2),
        two_best / one_best,
        goal(2),
        ratio(eight, 8),
        eight_best / one_best,
        goal(8)
    );
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The number of decisions per second with this number of threads.
fn rate(threads: usize, verifier: &Verifier, token: &str) -> f64 {
    let (start, counted, stop) = (
        Barrier::new(threads + 1),
        AtomicBool::new(false),
        AtomicBool::new(false),
    );
    let work = || {
        start.wait();
        while !counted.load(Ordering::Relaxed) {
            decide(verifier, token);
        }
        let (begun, mut done) = (Instant::now(), 0_u32);
        while !stop.load(Ordering::Relaxed) {
            decide(verifier, token);
            done += 1;
        }
        (begun, Instant::now(), done)
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
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
