//! Sections of lines, and values on one line.

use serde::Serialize;
use serde_json::Value;

/// A part of a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub title: String,
    /// Names and texts, in order. Neither is safe on a terminal: they may contain any character of a configuration.
    pub lines: Vec<(String, String)>,
}

#[derive(Debug, Default)]
pub(super) struct Lines(Vec<(String, String)>);

impl Lines {
    pub(super) fn add(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.0.push((name.into(), text.into()));
    }

    pub(super) fn maybe(&mut self, name: impl Into<String>, text: Option<impl Into<String>>) {
        if let Some(text) = text {
            self.add(name, text);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn section(self, title: impl Into<String>) -> Section {
        Section {
            title: title.into(),
            lines: self.0,
        }
    }
}

/// Names, separated by commas.
pub(super) fn joined<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    names.join(", ")
}

/// A value of the printed policy on one line: texts without quotes, members as `name=value`.
pub(super) fn flat(value: &impl Serialize) -> String {
    line(&serde_json::to_value(value).unwrap_or_default())
}

/// The members of a printed object that differ from those of another one.
pub(super) fn differences(value: &impl Serialize, usual: &impl Serialize) -> String {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    let usual = serde_json::to_value(usual).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, value| usual.get(name) != Some(value));
    }
    line(&value)
}

/// The members of a printed object.
pub(super) fn members(value: &impl Serialize) -> Vec<(String, String)> {
    match serde_json::to_value(value) {
        Ok(Value::Object(members)) => {
            let members = members.into_iter();
            members.map(|(name, value)| (name, line(&value))).collect()
        }
        _ => Vec::new(),
    }
}

fn line(value: &Value) -> String {
    let list = |texts: Vec<String>| texts.join(", ");
    match value {
        Value::String(text) if text.contains("-----BEGIN") => "(PEM)".to_owned(),
        Value::String(text) if text.is_empty() => "``".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => list(items.iter().map(line).collect()),
        Value::Object(members) => list(
            members
                .iter()
                .map(|(name, value)| format!("{name}={}", line(value)))
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
