//! Replies made in one call on all cores, relative to the replies one by one on one thread.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

use jwtauth_core::{Request, Verifier, wire};

use crate::timed::{Turns, marked};

/// The minimum throughput, relative to one thread and per core.
const GOAL: f64 = 0.9;

/// The length of one turn with one thread. It is long enough for the start and the end of the threads to be negligible.
const TURN: Duration = Duration::from_millis(40);

pub(crate) fn head() {
    println!(
        "\n| replies in a second on {} cores | one by one | in a batch | ratio | best | at least |\n|---|---|---|---|---|---|",
        cores()
    );
}

pub(crate) fn compare(name: &str, passes: usize, verifier: &Verifier, token: &str) {
    let request = Request::bearer(token);
    let start = Instant::now();
    let mut requests = Vec::new();
    while start.elapsed() < TURN {
        black_box(wire::reply(&verifier.authenticate(&request)));
        requests.push(Ok(request.clone()));
    }
    let rate = |work: &dyn Fn() -> Vec<String>| {
        let start = Instant::now();
        let replies = black_box(work());
        assert!(
            replies
                .iter()
                .all(|reply| reply.starts_with(r#"{"outcome":"granted""#))
        );
        replies.len() as f64 / start.elapsed().as_secs_f64()
    };
    let one_by_one = || {
        requests
            .iter()
            .map(|_| wire::reply(&verifier.authenticate(&request)))
            .collect()
    };
    let batch = || wire::authenticate_many(verifier, &requests, None, |outcome| wire::reply(&outcome));
    let (mut one, mut many) = (Turns::default(), Turns::default());
    for _ in 0..passes.div_ceil(8) {
        one.push(rate(&one_by_one));
        many.push(rate(&batch));
    }
    let best = many.at(1.0) / one.at(1.0);
    let (one, many) = (one.at(0.5), many.at(0.5));
    let goal = GOAL * cores() as f64;
    let ratio = marked(many / one, many / one >= goal);
    println!("| {name} | {one:.0} | {many:.0} | {ratio} | {best:.2} | {goal:.2} |");
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}
