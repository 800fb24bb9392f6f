//! Grafana's settings that select values in the claims.

use super::place::{self, Place};
use super::settings::Settings;
use crate::error::Result;
use crate::expr::{JmesPath, Placed, Selection};
use crate::policy::{ListRule, OtherRule, ValueRule};

/// Reads the expression of a key. Grafana reports an expression that does not parse at the first login; here it is
/// an invalid configuration.
pub(super) fn path(
    settings: &Settings,
    key: &str,
    place: &Place<'_, '_, '_>,
) -> Result<Option<Placed<JmesPath>>> {
    if !settings.is_set(key) {
        return Ok(None);
    }
    let expression = JmesPath::parse(settings.text(key)).map_err(|error| {
        let problem = error.reason();
        place.error(error.code(), key, problem)
    })?;
    Ok(Some(Placed::new(expression, place::of(key))))
}

/// Selects a text; any other value is omitted.
pub(super) fn text_or_nothing(select: Selection) -> ValueRule {
    ValueRule {
        other: OtherRule::Omit,
        ..ValueRule::new(select)
    }
}

/// Selects the texts among the elements of a list; any other value is omitted.
pub(super) fn strings_or_nothing(expression: Placed<JmesPath>) -> ListRule {
    ListRule {
        other: OtherRule::Omit,
        ..ListRule::new(Selection::JmesPath(expression))
    }
}
