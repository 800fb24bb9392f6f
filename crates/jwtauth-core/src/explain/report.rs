//! A report of the pipeline as a step of an explanation.

use super::plan::Planned;
use super::step::{Explanation, Step};
use super::text;
use crate::error::Error;
use crate::pipeline::watch::{Check, Event, Seen};

/// The step of a report.
pub(super) fn step(event: &Event, planned: Option<&Planned>, show_values: bool) -> Step {
    Step {
        stage: event.error.as_ref().map_or(event.check.stage(), Error::stage),
        check: event.check,
        outcome: event.outcome,
        informative: false,
        unverified: false,
        place: planned.and_then(|planned| planned.place.clone()),
        configured: planned.and_then(|planned| planned.configured.clone()),
        // The only place that decides whether a value is shown.
        seen: event.seen.clone().map(|seen| Seen {
            value: seen.value.filter(|_| show_values),
            ..seen
        }),
        text: text::sentence(event, planned),
    }
}

/// The explanation of a request that cannot be read.
pub(crate) fn unreadable(why: Error) -> Explanation {
    let step = step(&Event::failed(Check::Request, &why), None, false);
    Explanation::new(Err(why), vec![step])
}
