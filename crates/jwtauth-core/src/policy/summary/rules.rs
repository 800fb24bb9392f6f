//! Single rules on one line.

use super::lines::{flat, joined};
use crate::expr::Selection;
use crate::policy::{AudienceRule, ClaimRule, ClaimTest, ListRule, MetadataRule, ValueRule};

pub(super) fn audience(rule: &AudienceRule) -> String {
    match rule {
        AudienceRule::OneOf(audiences) => joined(audiences),
        AudienceRule::Absent => "a token that names an audience is denied".to_owned(),
        AudienceRule::AbsentOrEmpty => {
            "a token that names an audience other than the empty one is denied".to_owned()
        }
        AudienceRule::Any => "not checked".to_owned(),
    }
}

/// The name of the claim, and its test.
pub(super) fn claim(rule: &ClaimRule) -> (String, String) {
    let ClaimRule {
        // For messages; the selected claim says enough here.
        place: _,
        select,
        test,
        // A detail of how numbers are compared.
        list_numbers: _,
        split,
    } = rule;
    let mut text = match test {
        ClaimTest::Equals(value) => format!("is {}", json(value)),
        ClaimTest::AnyOf(values) => format!("is one of {}", json(values)),
        ClaimTest::Glob(patterns) => {
            let patterns: Vec<&str> = patterns.iter().map(|pattern| pattern.as_str()).collect();
            format!("matches one of {}", json(&patterns))
        }
        ClaimTest::IsTrue {} => "is true".to_owned(),
    };
    if let Some(at) = split {
        text = format!("{text}, split at `{at}`");
    }
    (selection(select), text)
}

pub(super) fn selection(select: &Selection) -> String {
    match select {
        Selection::Claim(name) if name.is_empty() => "(empty name)".to_owned(),
        Selection::Claim(name) => name.clone(),
        Selection::Pointer(pointer) if pointer.as_str().is_empty() => "all claims".to_owned(),
        Selection::Pointer(pointer) => pointer.as_str().to_owned(),
        Selection::JmesPath(expression) => expression.as_str().to_owned(),
    }
}

/// A value, with the settings that are not the usual ones.
pub(super) fn value(rule: &ValueRule) -> String {
    let ValueRule {
        // As for a claim rule.
        place: _,
        select,
        text,
        absent,
        other,
    } = rule;
    settings(
        select,
        [
            (*text != Default::default()).then(|| flat(text)),
            (*absent != Default::default()).then(|| "required".to_owned()),
            (*other != Default::default()).then(|| "other types are ignored".to_owned()),
            None,
            None,
        ],
    )
}

/// A list, with the settings that are not the usual ones.
pub(super) fn list(rule: &ListRule) -> String {
    let ListRule {
        select,
        text,
        absent,
        other,
        drop_empty,
        split,
    } = rule;
    settings(
        select,
        [
            (*text != Default::default()).then(|| flat(text)),
            (*absent != Default::default()).then(|| "required".to_owned()),
            (*other != Default::default()).then(|| "other types are ignored".to_owned()),
            drop_empty.then(|| "without empty texts".to_owned()),
            split.as_ref().map(|at| format!("split at `{at}`")),
        ],
    )
}

pub(super) fn metadata(rule: &MetadataRule) -> String {
    match rule {
        MetadataRule::Fixed { fixed } => format!("the text {}", json(fixed)),
        MetadataRule::Value(rule) => value(rule),
    }
}

fn settings(select: &Selection, settings: [Option<String>; 5]) -> String {
    let settings: Vec<String> = settings.into_iter().flatten().collect();
    if settings.is_empty() {
        selection(select)
    } else {
        format!("{} ({})", selection(select), settings.join(", "))
    }
}

/// Values that may have any type, so that `"1"` and `1` differ.
fn json(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    match text.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
        Some(list) => list.replace("\",\"", "\", \""),
        None => text,
    }
}
