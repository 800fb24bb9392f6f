//! Measurement on a machine that runs other programs too.

use std::time::{Duration, Instant};

/// The length of one batch. It is shorter than the time slice of a thread on a busy machine.
pub(crate) const BATCH: Duration = Duration::from_micros(250);

/// A function that is measured in batches.
pub(crate) struct Timed {
    run: Box<dyn FnMut()>,
    batch: u32,
    turns: Turns,
}

impl Timed {
    pub(crate) fn new(mut run: Box<dyn FnMut()>) -> Timed {
        let start = Instant::now();
        let mut batch = 0;
        while start.elapsed() < BATCH {
            run();
            batch += 1;
        }
        let turns = Turns::default();
        Timed { run, batch, turns }
    }

    pub(crate) fn turn(&mut self) {
        let start = Instant::now();
        (0..self.batch).for_each(|_| (self.run)());
        self.turns
            .push(start.elapsed().as_nanos() as f64 / f64::from(self.batch));
    }

    /// The nanoseconds of one call, for each batch.
    pub(crate) fn cost(&mut self) -> &mut Turns {
        &mut self.turns
    }
}

/// The number of turns: `usual`, if the program runs as a benchmark and not as a test. One turn shows that it runs.
pub(crate) fn passes(arguments: &[String], usual: usize) -> usize {
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    if is_bench && std::env::var_os("QUICK").is_none() {
        usual
    } else {
        1
    }
}

/// Prints the head of a table in Markdown. The second side is compared with the first one.
pub(crate) fn head([unit, other]: [&str; 2]) {
    println!("\n| | {unit}, ns | {other}, ns | ratio | best | at most |\n|---|---|---|---|---|---|");
}

/// Measures both sides, and prints the cost of the second one in units of the first one. Above the goal, it is bold.
pub(crate) fn compare(name: &str, goal: f64, passes: usize, [mut unit, mut other]: [Timed; 2]) {
    for _ in 0..passes {
        unit.turn();
        other.turn();
    }
    let (unit, other) = (unit.cost(), other.cost());
    let best = other.at(0.0) / unit.at(0.0);
    let (unit, other) = (unit.at(0.5), other.at(0.5));
    let ratio = marked(other / unit, other / unit <= goal);
    println!("| {name} | {unit:.0} | {other:.0} | {ratio} | {best:.2} | {goal} |");
}

/// A ratio in Markdown: bold if it misses its goal.
pub(crate) fn marked(ratio: f64, is_met: bool) -> String {
    // Small differences matter near 1.
    let digits = if ratio < 1.5 { 3 } else { 2 };
    let mark = if is_met { "" } else { "**" };
    format!("{mark}{ratio:.digits$}{mark}")
}

/// The measured values.
#[derive(Debug, Default)]
pub(crate) struct Turns(Vec<f64>);

impl Turns {
    pub(crate) fn push(&mut self, turn: f64) {
        self.0.push(turn);
    }

    /// The value at a quantile: 0.5 is the median, 0.0 the minimum, 1.0 the maximum.
    pub(crate) fn at(&mut self, quantile: f64) -> f64 {
        self.0.sort_by(f64::total_cmp);
        let last = self.0.len().saturating_sub(1);
        let index = (last as f64 * quantile) as usize;
        self.0.get(index).copied().unwrap_or(f64::NAN)
    }
}
