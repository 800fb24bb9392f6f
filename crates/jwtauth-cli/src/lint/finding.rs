//! The findings with their places in the files.

use jwtauth_core::Rule;
use jwtauth_core::internals::{self, Origins};

use super::allow::{Allowed, Entry};
use crate::config::VARIABLE;
use crate::files::{File, Files, Place};
use crate::locate::Map;

/// A finding, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) rule: Rule,
    /// The path of the setting in its file.
    pub(super) place: String,
    pub(super) message: String,
    /// The file by its number, and the place in it. `None`: it is about no file.
    pub(super) at: Option<(usize, Place)>,
    /// The reason for which the operator accepts it, which may be empty. `None`: it is not accepted.
    pub(super) accepted: Option<Accepted>,
}

impl Finding {
    /// The place and the message, on one line.
    pub(super) fn title(&self) -> String {
        // Such a text names the place itself.
        if self.place.is_empty() || self.message.starts_with(&format!("`{}`", self.place)) {
            self.message.clone()
        } else {
            format!("`{}`: {}", self.place, self.message)
        }
    }
}

/// Where a finding is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) reason: String,
    /// Whether it is accepted in the file itself.
    pub(super) in_source: bool,
}

/// All findings, in the order of the files.
#[derive(Debug)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// Places the findings of the library. A file that is broken is one finding, with the line at which it is broken.
    pub(super) fn new(found: Vec<internals::Finding>, origins: Option<&Origins>, files: &Files) -> Findings {
        if let Some((file, place)) = files.broken() {
            return Findings(vec![broken(files, file, place, &found)]);
        }
        let maps: Vec<Map<'_>> = files.all().iter().map(Map::new).collect();
        let mut placed: Vec<Finding> = found
            .into_iter()
            .map(|found| {
                let origin = origins.and_then(|origins| origins.find(&found.place));
                let (file, place) = match origin {
                    Some((name, place)) => (files.all().iter().position(|file| file.name == name), place),
                    None => (None, found.place.as_str()),
                };
                let place = match origin.and_then(|(name, _)| name.strip_prefix(VARIABLE)) {
                    Some(variable) => &of_variable(variable, place),
                    None => place,
                };
                let at = file.and_then(|index| {
                    // The settings of the whole file of Grafana are in one section.
                    let is_ini = files.all().get(index)?.is_ini;
                    let place = if is_ini && place.is_empty() {
                        "auth.jwt"
                    } else {
                        place
                    };
                    Some((index, maps.get(index)?.setting(place)))
                });
                Finding {
                    rule: found.rule,
                    place: place.to_owned(),
                    message: found.message,
                    at,
                    accepted: None,
                }
            })
            .collect();
        placed.sort_by_key(|finding| (finding.at, finding.rule));
        Findings(placed)
    }

    /// Accepts what the operator allows, and adds a finding for each entry that allows nothing.
    pub(super) fn accept(&mut self, allowed: &Allowed, files: &Files) {
        for entry in allowed.all() {
            let mut is_used = false;
            for finding in self
                .0
                .iter_mut()
                .filter(|finding| entry.covers(finding.rule, &finding.place, finding.at, files))
            {
                is_used = true;
                finding.accepted.get_or_insert_with(|| Accepted {
                    reason: entry.reason.clone(),
                    in_source: entry.is_in_source(),
                });
            }
            if !is_used {
                self.0.push(unused(entry));
            }
        }
        self.0.sort_by_key(|finding| (finding.at, finding.rule));
    }

    /// Those that are not accepted.
    pub(super) fn open(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.accepted.is_none())
    }

    /// Those that are accepted, each with its reason.
    pub(super) fn accepted(&self) -> impl Iterator<Item = (&Finding, &Accepted)> {
        self.0
            .iter()
            .filter_map(|finding| Some((finding, finding.accepted.as_ref()?)))
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }
}

/// The place of a setting that a variable of the environment sets: as in the member `env`.
fn of_variable(name: &str, inside: &str) -> String {
    match inside {
        "" => format!("env.{name}"),
        inside => format!("env.{name}.{inside}"),
    }
}

fn broken(files: &Files, file: &File, place: Place, found: &[internals::Finding]) -> Finding {
    let index = files.all().iter().position(|other| std::ptr::eq(other, file));
    // The library's text names the line too. Without it, the reader has one.
    let text = found
        .iter()
        .find(|finding| finding.rule == Rule::InvalidConfiguration);
    Finding {
        rule: Rule::InvalidConfiguration,
        place: String::new(),
        message: text.map_or_else(
            || file.problem().unwrap_or_default(),
            |finding| finding.message.clone(),
        ),
        at: index.map(|index| (index, place)),
        accepted: None,
    }
}

fn unused(entry: &Entry) -> Finding {
    let message = if Rule::parse(&entry.rule).is_none() {
        format!("there is no rule `{}`", entry.rule)
    } else if entry.rule == Rule::InvalidConfiguration.as_str() {
        "an invalid configuration cannot be accepted".to_owned()
    } else if entry.lacks_reason() {
        format!("a reason is missing; write it after `{}`", entry.rule)
    } else {
        format!("`{}` finds nothing here; remove it", entry.rule)
    };
    Finding {
        rule: Rule::UnusedAllow,
        place: entry.place.clone(),
        message,
        at: entry.at,
        accepted: None,
    }
}
