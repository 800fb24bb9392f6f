//! Findings about a configuration: the warnings of the verifier, and rules that only `jwtauth lint` applies.
//!
//! A configuration that cannot be used is a finding too, so this never fails. Each rule fires only when it is right: where that
//! depends on a token, tokens are made up and evaluated with the code that decides.

mod bindings;
mod bounds;
mod claims;
mod keys;
mod roles;
mod subject;

use std::collections::BTreeSet;

use self::subject::Subject;
use crate::config_file::ConfigFile;
use crate::envelope::{self, Envelope};
use crate::error::Error;
use crate::json;
use crate::sources::{Environment, KeyStore};
use crate::warning::{self, Rule, Severity, Warning};

/// A finding of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The path of the setting in the configuration. It may be absent there; then the finding is about its absence.
    pub place: String,
    /// What is probably wrong, and what to do about it.
    pub message: String,
}

impl Finding {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.rule.severity()
    }
}

/// Applies every rule to a configuration. Opens no connection, but reads the files that the configuration names.
pub fn lint(config: &ConfigFile) -> Vec<Finding> {
    let mut found = Vec::new();
    let envelope = envelope::read_noting(config.text(), config.files(), &mut found);
    let built = envelope.and_then(|envelope| {
        if let Ok(document) = json::parse(config.text())
            && let Some(subject) = Subject::new(&document, &envelope.policy)
        {
            check(&subject, &mut found);
        }
        open(&envelope, &mut found)
    });
    if let Err(error) = built {
        found.push(invalid(&error));
    }
    let mut seen = BTreeSet::new();
    let is_new = found
        .iter()
        .map(|warning| seen.insert((warning.rule, &warning.key, &warning.message)));
    let is_new: Vec<bool> = is_new.collect();
    let unique = found.into_iter().zip(is_new).filter(|(_, is_new)| *is_new);
    unique
        .map(|(Warning { rule, key, message }, _)| Finding {
            rule,
            place: key,
            message,
        })
        .collect()
}

/// Reads the keys, as a verifier does.
fn open(envelope: &Envelope, found: &mut Vec<Warning>) -> Result<(), Error> {
    let environment = Environment {
        files: &envelope.files,
        fetch: None,
        clock: &crate::clock::Monotonic::default(),
        observer: None,
    };
    let opened = KeyStore::open(&envelope.policy.keys, environment, found);
    opened.map(|_| ()).map_err(|why| warning::explain(why, found))
}

/// The finding for a configuration that cannot be used.
fn invalid(error: &Error) -> Warning {
    let reason = error.reason();
    let (mut place, mut problem) = place_of(reason);
    if place == "ini" {
        // The text of the file is read as one value, and the problem names the key in it.
        let (inner, rest) = place_of(problem);
        if inner.contains('.') {
            (place, problem) = (inner, rest);
        }
    }
    Warning::new(Rule::InvalidConfiguration, place, problem)
}

/// Splits the text of an error into the place that it is about, which may be empty, and the problem.
fn place_of(reason: &str) -> (&str, &str) {
    let place = warning::place(reason).unwrap_or_default();
    let problem = reason
        .get(place.len() + 2..)
        .and_then(|rest| rest.strip_prefix(": "))
        .filter(|_| !place.is_empty());
    (place, problem.unwrap_or(reason))
}

fn check(subject: &Subject<'_>, found: &mut Vec<Warning>) {
    keys::check(subject, found);
    bounds::check(subject, found);
    let mut leeways = claims::LargeLeeways::default();
    let profiles = subject.policy.profiles.all();
    for profile in profiles.filter(|profile| profile.closed.is_none()) {
        claims::check(subject, profile, &mut leeways, found);
        roles::check(profile, found);
        bindings::check(subject, profile, found);
    }
    claims::check_names(subject, found);
}

#[cfg(test)]
mod tests;
