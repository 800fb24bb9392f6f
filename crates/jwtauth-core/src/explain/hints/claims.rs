//! Hints about claims that are not where the configuration looks.

use super::elsewhere::{self, Found};
use super::facts::Facts;
use crate::expr::Selection;
use crate::pipeline::watch::{Event, PartOutcome};

/// A claim is absent at the configured place, and present elsewhere.
pub(super) fn elsewhere(facts: &Facts<'_>) -> Option<String> {
    let claims = facts.claims()?;
    let document = facts.document()?;
    for select in facts.selected() {
        if matches!(select, Selection::JmesPath(_)) {
            continue;
        }
        if select
            .find(&document)
            .is_ok_and(|found| found.is_some_and(|found| !found.is_null()))
        {
            continue;
        }
        let name = select.name();
        if let Some(found) = elsewhere::find(&claims, last(name)) {
            return Some(text(name, &found));
        }
    }
    for name in facts
        .failed()
        .or_else(|| facts.without_role())
        .into_iter()
        .flat_map(nulls)
    {
        if let Some(found) = elsewhere::find(&claims, last(&name)).filter(|found| found.expression() != name)
        {
            return Some(text(&name, &found));
        }
    }
    None
}

/// The name of a claim has dots, and the token has nested objects with these names.
pub(super) fn path(facts: &Facts<'_>) -> Option<String> {
    let claims = facts.claims()?;
    let is_path = |select: &Selection| {
        let Selection::Claim(name) = select else {
            return None;
        };
        let (first, rest) = name.split_once('.')?;
        let mut value = claims.get(first).filter(|_| claims.get(name).is_none())?;
        for part in rest.split('.') {
            value = value.as_object()?.get(part)?;
        }
        Some(name.clone())
    };
    let name = facts.selected().iter().find_map(is_path)?;
    let pointer = name.replace('.', "/");
    Some(format!(
        "`{name}` is read as the name of one claim: write the JSON pointer `/{pointer}` or the expression `{name}` where paths are read"
    ))
}

fn text(name: &str, found: &Found) -> String {
    format!(
        "`{name}` is not in the token, but `{}` is: configure this place (in an expression: `{}`), but only if the issuer alone decides \
         what is in it, and not the user",
        found.pointer(),
        found.expression()
    )
}

/// The last name of a path.
fn last(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit('.').next().unwrap_or(name)
}

/// The names in an expression that gave null.
pub(super) fn nulls(event: &Event) -> Vec<String> {
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
    };
    let is_null = |part: &&crate::pipeline::watch::Part| {
        part.outcome == PartOutcome::False && part.seen.as_ref().is_some_and(|seen| seen.kind == "null")
    };
    let parts = event.parts.iter().filter(is_null).map(|part| part.text.clone());
    parts.filter(|text| is_name(text)).collect()
}
