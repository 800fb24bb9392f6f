//! A report of the pipeline as a step of an explanation.

use super::plan::Planned;
use super::step::{Explanation, Step};
use super::text;
use crate::error::Error;
use crate::pipeline::watch::{Check, Event, Part, Seen};

/// The step of a report.
pub(super) fn step(event: &Event, planned: Option<&Planned>, show_values: bool) -> Step {
    // The only place that decides whether a value is shown.
    let shown = |seen: Seen| Seen {
        value: seen.value.filter(|_| show_values),
        ..seen
    };
    let part = |part: Part| Part {
        seen: part.seen.map(shown),
        ..part
    };
    Step {
        stage: event.error.as_ref().map_or(event.check.stage(), Error::stage),
        check: event.check,
        outcome: event.outcome,
        informative: false,
        unverified: false,
        place: planned.and_then(|planned| planned.place.clone()),
        configured: planned.and_then(|planned| planned.configured.clone()),
        seen: event.seen.clone().map(shown),
        parts: event.parts.iter().cloned().map(part).collect(),
        text: text::sentence(event, planned),
    }
}

/// The explanation of a request that cannot be read.
pub(crate) fn unreadable(why: Error) -> Explanation {
    let step = step(&Event::failed(Check::Request, &why), None, false);
    Explanation::new(Err(why), vec![step], Vec::new())
}
