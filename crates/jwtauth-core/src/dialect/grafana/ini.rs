//! The text of a `grafana.ini`, read as Grafana's own reader (go-ini with its defaults) reads it.

use std::collections::BTreeMap;

/// The values of a file, by section and key; the text before the first section is `DEFAULT`.
#[derive(Debug, Default)]
pub(super) struct Ini {
    sections: BTreeMap<String, BTreeMap<String, Entry>>,
}

/// One value.
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
    /// Reads a file. Of two equal keys the later one counts, and equal sections are one.
    pub(super) fn parse(text: &str) -> Result<Ini, Unreadable> {
        let mut ini = Ini::default();
        let mut section = DEFAULT.to_owned();
        let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate();
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
                    .ok_or_else(|| fail("a section's name has no closing bracket"))?;
                section = name.to_owned();
                continue;
            }
            let (key, rest) =
                key(line).ok_or_else(|| fail("a line is neither a section nor `key = value`"))?;
            let entry = value(rest, &mut lines.by_ref().map(|(_, line)| line))
                .ok_or_else(|| fail("a quoted value has no closing quote"))?;
            ini.sections
                .entry(section.clone())
                .or_default()
                .insert(key.to_owned(), entry);
        }
        Ok(ini)
    }

    /// The keys and values of a section.
    pub(super) fn section(&self, name: &str) -> impl Iterator<Item = (&str, &Entry)> {
        self.sections
            .get(name)
            .into_iter()
            .flatten()
            .map(|(key, entry)| (key.as_str(), entry))
    }
}

/// The key of a line and what stands after its delimiter.
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

/// A value, which may go on over the following lines.
fn value(rest: &str, following: &mut dyn Iterator<Item = &str>) -> Option<Entry> {
    let rest = rest.trim_start();
    for quote in ["\"\"\"", "`"] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            return quoted_value(quoted, quote, following).map(|value| Entry { value, cut: false });
        }
    }
    let mut text = rest.trim().to_owned();
    while text.ends_with('\\') {
        text.pop();
        text.push_str(following.next().unwrap_or_default().trim());
    }
    let whole = text.len();
    let kept = text
        .find(['#', ';'])
        .map_or(text.as_str(), |at| text.split_at(at).0)
        .trim();
    let cut = kept.len() < whole;
    Some(Entry {
        value: without_quotes(kept).to_owned(),
        cut,
    })
}

fn quoted_value(first: &str, quote: &str, following: &mut dyn Iterator<Item = &str>) -> Option<String> {
    if let Some((value, _)) = first.rsplit_once(quote) {
        return Some(value.to_owned());
    }
    let mut value = first.to_owned();
    for line in following {
        value.push('\n');
        if let Some((last, _)) = line.rsplit_once(quote) {
            value.push_str(last);
            return Some(value);
        }
        value.push_str(line);
    }
    None
}

fn without_quotes(text: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, section: &str, key: &str) -> Option<String> {
        let ini = Ini::parse(text).unwrap();
        ini.section(section)
            .find(|(name, _)| *name == key)
            .map(|(_, entry)| entry.value.clone())
    }

    #[test]
    fn values_lose_comments_and_surrounding_quotes() {
        let text = "a = 1 ; one\nb: \"x # y\"\nc='q'\nd = `x # ; y`\ne = \"\"\"x\n# y\"\"\"\nf=\n  g   =  \"a\" == \"b\"  \n";
        for (key, value) in [
            ("a", "1"),
            ("b", "\"x"),
            ("c", "q"),
            ("d", "x # ; y"),
            ("e", "x\n# y"),
            ("f", ""),
            ("g", "a\" == \"b"),
        ] {
            assert_eq!(read(text, DEFAULT, key).as_deref(), Some(value), "{key}");
        }
    }

    #[test]
    fn sections_merge_and_the_later_key_counts() {
        let text = "x=0\n[s]\nx=1\n[t]\nx=2\n[s]\nx=3\n; y=4\n#y=5\n";
        assert_eq!(read(text, "s", "x").as_deref(), Some("3"));
        assert_eq!(read(text, "t", "x").as_deref(), Some("2"));
        assert_eq!(read(text, DEFAULT, "x").as_deref(), Some("0"));
        assert_eq!(read(text, "s", "y"), None);
    }

    #[test]
    fn a_backslash_at_the_end_goes_on_in_the_next_line() {
        assert_eq!(
            read("a = one \\\n  two\nb = 2", DEFAULT, "a").as_deref(),
            Some("one two")
        );
        assert_eq!(
            read("a = one \\\n  two\nb = 2", DEFAULT, "b").as_deref(),
            Some("2")
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_line() {
        assert_eq!(Ini::parse("a=1\n[x\n").unwrap_err().line, 2);
        assert_eq!(Ini::parse("\n\nnonsense\n").unwrap_err().line, 3);
        assert_eq!(Ini::parse("a = `x\ny\n").unwrap_err().line, 1);
    }
}
