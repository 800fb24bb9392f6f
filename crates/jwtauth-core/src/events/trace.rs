//! Events for the crate `tracing`.

use tracing::{debug, error, info, warn};

use super::{Event, FetchFailure, Level};
use crate::error::Code;

/// The macro of a level: `tracing` must know the level when it is compiled.
macro_rules! at {
    ($level:expr, $($field:tt)*) => {
        match $level {
            Level::Debug => debug!(target: "jwtauth", $($field)*),
            Level::Info => info!(target: "jwtauth", $($field)*),
            Level::Warning => warn!(target: "jwtauth", $($field)*),
            Level::Error => error!(target: "jwtauth", $($field)*),
        }
    };
}

/// Records an event with the crate `tracing`, under the target `jwtauth`. Pass it to
/// [`VerifierBuilder::on_event`](crate::VerifierBuilder::on_event).
pub fn trace(event: &Event<'_>) {
    let level = event.level();
    match event {
        Event::Decision(decision) => at!(
            level,
            outcome = decision.outcome(),
            code = decision.code.map(Code::as_str),
            stage = decision.code.map(|code| code.stage().as_str()),
            profile = decision.profile,
            kid = decision.kid,
            source = decision.source,
            from_cache = decision.from_cache,
            explained = decision.explained,
            duration_ns = decision.nanoseconds(),
            "decision"
        ),
        Event::Fetch(ended) => {
            let failure = ended.outcome.err();
            at!(
                level,
                outcome = ended.outcome_name(),
                source = ended.source,
                code = failure.map(|failure| failure.code.as_str()),
                phase = failure.map(|failure| failure.phase),
                status = failure.and_then(|failure: FetchFailure| failure.status),
                keys = ended.outcome.ok(),
                duration_ns = ended.nanoseconds(),
                "fetch"
            );
        }
    }
}
