//! Throughput of several threads that share one verifier, relative to one thread.

use std::thread;

use jwtauth_core::Verifier;

use crate::decide;
use crate::throughput::{THREADS, rate};
use crate::timed::{Turns, marked};

/// The minimum throughput per thread, relative to a single thread. With more threads than cores, it is per core.
const GOAL: f64 = 0.925;

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
            turns.push(rate(*count, &|_| decide(verifier, token)));
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
