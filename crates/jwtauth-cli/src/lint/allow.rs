//! The findings that an operator accepts: on the command line, in a comment of an ini file, or in a file next to the
//! configuration.

use std::path::Path;

use jwtauth_core::Rule;
use jwtauth_core::internals::ConfigFile;
use serde::Deserialize;

use crate::ending::Misuse;
use crate::files::{File, Files, Place};

/// The accepted findings.
#[derive(Debug)]
pub(super) struct Allowed(Vec<Entry>);

/// One accepted finding: a rule at a place.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) rule: String,
    /// The path of the setting. Empty for a comment, which is about the setting on the line below it.
    pub(super) place: String,
    pub(super) reason: String,
    /// The file that it is about. `None`: any.
    file: Option<usize>,
    /// The place of the comment.
    pub(super) at: Option<(usize, Place)>,
    /// The line that a comment is about.
    line: Option<usize>,
}

impl Allowed {
    /// Collects the comments of ini files, the files [`NAME`] next to the configuration, and the arguments.
    ///
    /// # Errors
    /// A file [`NAME`] cannot be read.
    pub(super) fn read(files: &Files, arguments: &[(String, String)]) -> Result<Allowed, Misuse> {
        let mut entries = Vec::new();
        for (index, file) in files.all().iter().enumerate() {
            if file.is_ini {
                comments(index, file, &mut entries);
            }
            beside(index, file, &mut entries)?;
        }
        entries.extend(arguments.iter().map(|(rule, place)| Entry {
            rule: rule.clone(),
            place: place.clone(),
            reason: String::new(),
            file: None,
            at: None,
            line: None,
        }));
        Ok(Allowed(entries))
    }

    /// Collects the comments of ini files, and reads no file.
    pub(super) fn in_comments(files: &Files) -> Allowed {
        let mut entries = Vec::new();
        for (index, file) in files.all().iter().enumerate().filter(|(_, file)| file.is_ini) {
            comments(index, file, &mut entries);
        }
        Allowed(entries)
    }

    pub(super) fn all(&self) -> &[Entry] {
        &self.0
    }
}

impl Entry {
    /// Whether it accepts this finding. An error cannot be accepted.
    pub(super) fn covers(&self, rule: Rule, path: &str, at: Option<(usize, Place)>, files: &Files) -> bool {
        if self.rule != rule.as_str() || rule == Rule::InvalidConfiguration || self.lacks_reason() {
            return false;
        }
        let file = at.map(|(index, _)| index);
        if self.file.is_some() && self.file != file {
            return false;
        }
        match (self.line, at) {
            (Some(line), Some((index, place))) => {
                let file = files.all().get(index);
                file.is_some_and(|file| file.position(place.start).line == line)
            }
            (Some(_), None) => false,
            (None, _) => self.place == path,
        }
    }

    /// Whether it is a comment without the reason that it needs. An argument has none.
    pub(super) fn lacks_reason(&self) -> bool {
        self.at.is_some() && self.reason.is_empty()
    }

    pub(super) fn is_in_source(&self) -> bool {
        self.line.is_some()
    }
}

/// Reads the comments `; jwtauth-lint: allow RULE reason`. Several may follow each other; they are about the next line that is
/// not a comment.
fn comments(index: usize, file: &File, entries: &mut Vec<Entry>) {
    let mut start = 0;
    let mut pending = Vec::new();
    for (number, line) in file.text.split('\n').enumerate() {
        let text = line.trim();
        let comment = text.strip_prefix([';', '#']).map(str::trim);
        if let Some(rest) = comment.and_then(|comment| comment.strip_prefix(MARK)) {
            let rest = rest.trim();
            let (rule, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let from = start + (line.len() - line.trim_start().len());
            pending.push(Entry {
                rule: rule.to_owned(),
                place: String::new(),
                reason: reason.trim().to_owned(),
                file: Some(index),
                at: Some((
                    index,
                    Place {
                        start: from,
                        end: from + text.len(),
                    },
                )),
                line: None,
            });
        } else if comment.is_none() && !text.is_empty() {
            entries.extend(pending.drain(..).map(|entry| Entry {
                line: Some(number + 1),
                ..entry
            }));
        }
        start += line.len() + 1;
    }
    entries.extend(pending.into_iter().map(|entry| Entry {
        line: Some(0),
        ..entry
    }));
}

/// The content of a file [`NAME`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    allow: Vec<ContentEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentEntry {
    rule: String,
    file: String,
    place: String,
    reason: String,
}

/// Reads the entries about one file in the file [`NAME`] of its folder, if there is one.
fn beside(index: usize, file: &File, entries: &mut Vec<Entry>) -> Result<(), Misuse> {
    let path = Path::new(&file.name);
    let own = path.with_file_name(NAME);
    if path.file_name().is_none() || !path.is_file() || !own.is_file() {
        return Ok(());
    }
    let text = ConfigFile::text_of(&own).map_err(|why| Misuse::new(why.to_string()))?;
    let content: Content = serde_json::from_str(&text).map_err(|why| Misuse::file(&own, why))?;
    let name = path.file_name().and_then(|name| name.to_str());
    for entry in content.allow {
        if entry.reason.trim().is_empty() {
            return Err(Misuse::file(&own, "an entry has no reason"));
        }
        if Some(entry.file.as_str()) == name {
            entries.push(Entry {
                rule: entry.rule,
                place: entry.place,
                reason: entry.reason,
                file: Some(index),
                at: None,
                line: None,
            });
        }
    }
    Ok(())
}

/// Reads `RULE@PLACE`.
pub(super) fn argument(text: &str) -> Result<(String, String), String> {
    let (rule, place) = text
        .split_once('@')
        .ok_or("expected RULE@PLACE, such as no-effect@roles.web.max_age")?;
    if Rule::parse(rule).is_none() {
        return Err(format!("there is no rule `{rule}`"));
    }
    Ok((rule.to_owned(), place.to_owned()))
}

const MARK: &str = "jwtauth-lint: allow ";

/// The name of the file with accepted findings, which is next to the configuration.
const NAME: &str = ".jwtauth-lint.json";
