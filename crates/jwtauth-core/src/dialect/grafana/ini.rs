//! A parser for `grafana.ini` with the rules of Grafana's parser (go-ini with its defaults).

use std::collections::BTreeMap;

/// The values of a file, by section and key. Keys before the first section are in `DEFAULT`.
#[derive(Debug, Default)]
pub(super) struct Ini {
    sections: BTreeMap<String, BTreeMap<String, Entry>>,
}

/// The value of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: String,
    /// Whether an unquoted value was cut at a `#` or `;`.
    pub(super) cut: bool,
}

/// A line that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) problem: &'static str,
}

pub(super) const DEFAULT: &str = "DEFAULT";

impl Ini {
    /// Parses a file. If a key is repeated, the last value is used. Repeated sections are merged.
    pub(super) fn parse(text: &str) -> Result<Ini, Unreadable> {
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
                continue;
            }
            let (key, rest) =
                key(line).ok_or_else(|| fail("the line is neither a section nor `key = value`"))?;
            if key.is_empty() {
                return Err(fail("the key is empty"));
            }
            let entry = value(rest, &mut lines.by_ref().map(|(_, line)| line)).map_err(fail)?;
            ini.sections
                .entry(section.clone())
                .or_default()
                .insert(key.to_owned(), entry);
        }
        Ok(ini)
    }

    /// Returns the name of a section below this one (`[name.x]`) that has keys. Grafana reads its keys as keys of the
    /// section above it, if the latter has keys of these names.
    pub(super) fn below(&self, name: &str) -> Option<&str> {
        let mut names = self.sections.keys().map(String::as_str);
        names.find(|below| below.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
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
            return quoted_value(quoted, quote, following).map(|value| Entry { value, cut: false });
        }
    }
    let text = rest.trim();
    if let Some(first) = text.strip_suffix('\\') {
        return Ok(Entry {
            value: continued(first, following),
            cut: false,
        });
    }
    let kept = text
        .find(['#', ';'])
        .map_or(text, |at| text.split_at(at).0)
        .trim();
    let cut = kept.len() < text.len();
    Ok(Entry {
        value: without_quotes(kept).to_owned(),
        cut,
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
