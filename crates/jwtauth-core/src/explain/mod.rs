//! Explanations: every check of one decision, in order, with what was configured and what was seen.
//!
//! An explanation watches the pipeline itself: `Recorder` is its watcher. `plan` has the checks that a policy requires,
//! so that those which a denial did not reach are listed too.

mod hint;
mod hints;
mod keys;
mod plan;
mod recorder;
mod report;
mod step;
mod text;

pub use self::hint::Hint;
pub(crate) use self::keys::Sources;
pub(crate) use self::recorder::Recorder;
pub(crate) use self::report::unreadable;
pub use self::step::{DryRun, Explain, Explanation, Step};
pub use crate::pipeline::watch::{Check, Outcome, Part, PartOutcome, Seen};
