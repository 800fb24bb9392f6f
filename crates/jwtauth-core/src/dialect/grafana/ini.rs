//! A parser for `grafana.ini` with the rules of Grafana's parser (go-ini with its defaults).

use std::collections::BTreeMap;

/// The values of a file, by section and key. Keys before the first section are in `DEFAULT`.
#[derive(Debug, Default)]
pub struct Ini {
    sections: BTreeMap<String, BTreeMap<String, Entry>>,
    /// The line of the first header of each section.
    headers: BTreeMap<String, usize>,
}

/// The value of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: String,
    /// Whether an unquoted value was cut at a `#` or `;`.
    pub(super) cut: bool,
    /// Whether the key has other values before this one.
    pub(super) repeated: bool,
    /// The line on which it begins, counted from 1.
    line: usize,
}

impl Entry {
    fn of(value: String) -> Entry {
        Entry {
            value,
            cut: false,
            repeated: false,
            line: 0,
        }
    }
}

/// A line that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

pub(super) const DEFAULT: &str = "DEFAULT";

impl Ini {
    /// Parses a file. If a key is repeated, the last value is used. Repeated sections are merged.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse(text: &str) -> Result<Ini, Unreadable> {
        let mut ini = Ini::default();
        let mut section = DEFAULT.to_owned();
        // A carriage return before a line feed is white space, except inside a quoted value.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.split('\n').enumerate();
        while let Some((index, line)) = lines.next() {
            let fail = |problem| Unreadable {
                line: index + 1,
                problem,
            };
            let line = line.trim_start();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let (name, _) = rest
                    .rsplit_once(']')
                    .ok_or_else(|| fail("the section name has no closing bracket"))?;
                if name.is_empty() {
                    return Err(fail("the section name is empty"));
                }
                section = name.to_owned();
                ini.headers.entry(section.clone()).or_insert(index + 1);
                continue;
            }
            let (key, rest) =
                key(line).ok_or_else(|| fail("the line is neither a section nor `key = value`"))?;
            if key.is_empty() {
                return Err(fail("the key is empty"));
            }
            let entry = value(rest, &mut lines.by_ref().map(|(_, line)| line)).map_err(fail)?;
            let keys = ini.sections.entry(section.clone()).or_default();
            let repeated = keys.contains_key(key);
            let line = index + 1;
            keys.insert(
                key.to_owned(),
                Entry {
                    repeated,
                    line,
                    ..entry
                },
            );
        }
        Ok(ini)
    }

    /// Returns the name of a section below this one (`[name.x]`) that has keys. Grafana reads its keys as keys of the
    /// section above it, if the latter has keys of these names.
    pub(super) fn below(&self, name: &str) -> Option<&str> {
        let mut names = self.sections.keys().map(String::as_str);
        names.find(|below| below.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Returns the line of the first header of a section, counted from 1.
    pub fn line_of_section(&self, section: &str) -> Option<usize> {
        self.headers.get(section).copied()
    }

    /// Returns the line on which the last value of a key begins, counted from 1. Keys before the first header are in the
    /// section `DEFAULT`.
    pub fn line_of_key(&self, section: &str, key: &str) -> Option<usize> {
        Some(self.sections.get(section)?.get(key)?.line)
    }

    /// Returns the keys and values of a section.
    pub(super) fn section(&self, name: &str) -> impl Iterator<Item = (&str, &Entry)> {
        self.sections
            .get(name)
            .into_iter()
            .flatten()
            .map(|(key, entry)| (key.as_str(), entry))
    }
}

/// Splits a line into its key and the text after the delimiter.
fn key(line: &str) -> Option<(&str, &str)> {
    for quote in ["\"\"\"", "\"", "`"] {
        if let Some(rest) = line.strip_prefix(quote) {
            let (key, rest) = rest.split_once(quote)?;
            let (_, rest) = rest.split_once(['=', ':'])?;
            return Some((key.trim(), rest));
        }
    }
    let (key, rest) = line.split_once(['=', ':'])?;
    Some((key.trim(), rest))
}

/// Reads a value, which may continue on the following lines.
fn value(rest: &str, following: &mut dyn Iterator<Item = &str>) -> Result<Entry, &'static str> {
    let rest = rest.trim_start();
    for quote in ["\"\"\"", "`"] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            return quoted_value(quoted, quote, following).map(Entry::of);
        }
    }
    let text = rest.trim();
    if let Some(first) = text.strip_suffix('\\') {
        return Ok(Entry::of(continued(first, following)));
    }
    let kept = text
        .find(['#', ';'])
        .map_or(text, |at| text.split_at(at).0)
        .trim();
    let cut = kept.len() < text.len();
    Ok(Entry {
        cut,
        ..Entry::of(without_quotes(kept).to_owned())
    })
}

/// Reads a value whose lines end in a backslash. Comments and quotes in it are part of the value.
fn continued(first: &str, following: &mut dyn Iterator<Item = &str>) -> String {
    let mut value = first.to_owned();
    for line in following {
        let line = line.trim();
        let more = line.strip_suffix('\\');
        value.push_str(more.unwrap_or(line));
        if more.is_none() {
            break;
        }
    }
    value
}

fn quoted_value(
    first: &str,
    quote: &str,
    following: &mut dyn Iterator<Item = &str>,
) -> Result<String, &'static str> {
    if let Some((value, _)) = first.rsplit_once(quote) {
        return Ok(value.to_owned());
    }
    let mut value = first.to_owned();
    for line in following {
        value.push('\n');
        if let Some((last, after)) = line.rsplit_once(quote) {
            // Recent releases of the parser continue the value, which then contains the quote and the backslash.
            if after.trim_end().ends_with('\\') {
                return Err("a backslash follows the closing quote of the value; remove it");
            }
            value.push_str(last);
            return Ok(value);
        }
        value.push_str(line);
    }
    Err("the quoted value has no closing quote")
}

/// Removes quotes around the whole value. If the value also contains this quote inside, all quotes are kept.
fn without_quotes(text: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| {
            text.strip_prefix(quote)?
                .strip_suffix(quote)
                .filter(|inner| !inner.contains(quote))
        })
        .unwrap_or(text)
}

#[cfg(test)]
mod tests;
