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
