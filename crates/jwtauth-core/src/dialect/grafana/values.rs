//! How Grafana points into the claims.

use super::place::Place;
use super::settings::Settings;
use crate::error::Result;
use crate::expr::{JmesPath, Selection};
use crate::policy::{ListRule, OtherRule, ValueRule};

/// The expression of a key. Grafana finds out that one does not parse when somebody logs in; here it is an error
/// at once.
pub(super) fn path(settings: &Settings, key: &str, place: &Place<'_, '_, '_>) -> Result<Option<JmesPath>> {
    if !settings.is_set(key) {
        return Ok(None);
    }
    JmesPath::parse(settings.text(key)).map(Some).map_err(|error| {
        let problem = error.reason();
        place.error(error.code(), key, problem)
    })
}

/// A text, or nothing when the value is anything else.
pub(super) fn text_or_nothing(select: Selection) -> ValueRule {
    ValueRule {
        other: OtherRule::Omit,
        ..ValueRule::new(select)
    }
}

/// The texts among a list's elements; nothing when it is no list.
pub(super) fn strings_or_nothing(expression: JmesPath) -> ListRule {
    ListRule {
        other: OtherRule::Omit,
        ..ListRule::new(Selection::JmesPath(expression))
    }
}
