//! The files of a configuration as they were read, so that an error or a finding can show its line.

use std::path::Path;

use jwtauth_core::Result;
use jwtauth_core::internals::ConfigFile;
use jwtauth_core::internals::Ini;
use jwtauth_core::internals::json;
use zeroize::Zeroizing;

/// The files that a configuration was read from.
#[derive(Debug, Default)]
pub(crate) struct Files(Vec<File>);

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    /// The name, as in error texts.
    pub(crate) name: String,
    pub(crate) text: Zeroizing<String>,
    pub(crate) is_ini: bool,
    /// The offset of each line.
    lines: Vec<usize>,
}

impl Files {
    /// Adds a file, and returns its text.
    pub(crate) fn add(&mut self, name: String, text: Zeroizing<String>, is_ini: bool) -> Zeroizing<String> {
        let copy = text.clone();
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = [0].into_iter().chain(ends).collect();
        self.0.push(File {
            name,
            text,
            is_ini,
            lines,
        });
        copy
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Those of [`ConfigFile::text_of`].
    pub(crate) fn read(&mut self, path: &Path, is_ini: bool) -> Result<Zeroizing<String>> {
        let text = ConfigFile::text_of(path)?;
        Ok(self.add(path.display().to_string(), text, is_ini))
    }

    /// The files, in the order in which they were read.
    pub(crate) fn all(&self) -> &[File] {
        &self.0
    }

    /// The first file that is neither JSON nor an ini file, where it says it is, and the place in it.
    pub(crate) fn broken(&self) -> Option<(&File, Place)> {
        self.0.iter().find_map(|file| Some((file, file.broken()?)))
    }
}

impl File {
    /// Why the file cannot be read, if it is broken.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.is_ini {
            let why = Ini::parse(&self.text).err()?;
            Some(format!("line {}: {}", why.line, why.problem))
        } else {
            json::parse(&self.text).err().map(|why| why.to_string())
        }
    }

    /// Where the file cannot be read, if there is such a place.
    fn broken(&self) -> Option<Place> {
        if self.is_ini {
            let why = Ini::parse(&self.text).err()?;
            let (start, line) = self.line(why.line)?;
            let trimmed = start + (line.len() - line.trim_start().len());
            return Some(Place {
                start: trimmed,
                end: start + line.trim_end().len().max(line.len() - line.trim_start().len()),
            });
        }
        let (number, column) = json::parse(&self.text).err()?.position();
        let (start, line) = self.line(number)?;
        // The reader stops behind what it does not expect, also in the middle of a character.
        let mut at = column.saturating_sub(1).min(line.len());
        while !line.is_char_boundary(at) {
            at -= 1;
        }
        let width = line
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
        Some(Place {
            start: start + at,
            end: start + at + width,
        })
    }

    /// Returns a line, counted from 1, with the offset at which it begins.
    pub(crate) fn line(&self, number: usize) -> Option<(usize, &str)> {
        let start = *self.lines.get(number.checked_sub(1)?)?;
        let end = self.lines.get(number).map_or(self.text.len(), |next| next - 1);
        Some((start, self.text.get(start..end)?))
    }

    /// Returns the line and the column of an offset, counted from 1. Columns are counted in characters.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|index| self.lines.get(index));
        let before = start
            .and_then(|start| self.text.get(*start..offset))
            .unwrap_or_default();
        // A byte order mark is not part of the first column.
        let before = before.strip_prefix('\u{feff}').unwrap_or(before);
        Position {
            line,
            column: before.chars().count() + 1,
        }
    }
}

/// A part of a file, as offsets in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A line and a column, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str, is_ini: bool) -> Option<(usize, usize)> {
        let mut files = Files::default();
        files.add("a".to_owned(), text.to_owned().into(), is_ini);
        let (file, place) = files.broken()?;
        assert!(file.text.get(place.start..place.end).is_some(), "{text}");
        let Position { line, column } = file.position(place.start);
        Some((line, column))
    }

    #[test]
    fn the_place_where_a_file_is_broken_is_found() {
        for (text, place) in [
            ("{\n  \"a\": 1,\n}", Some((3, 1))),
            ("{\"a\": é}", Some((1, 7))),
            ("{", Some((1, 1))),
            ("", Some((1, 1))),
            ("{\"a\":1,\n\"a\":2}", Some((2, 6))),
            ("{}", None),
        ] {
            assert_eq!(broken(text, false), place, "{text}");
        }
        for (text, place) in [
            ("[auth.jwt]\n  enabled\n", Some((2, 3))),
            ("[auth.jwt\n", Some((1, 1))),
            ("[a]\nb = 1", None),
        ] {
            assert_eq!(broken(text, true), place, "{text}");
        }
    }
}
