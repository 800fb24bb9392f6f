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
    /// How many characters begin before each block of [`BLOCK`] bytes, so that columns of a long line are counted quickly.
    characters: Vec<usize>,
}

impl Files {
    /// Adds a file, and returns its text.
    pub(crate) fn add(&mut self, name: String, text: Zeroizing<String>, is_ini: bool) -> Zeroizing<String> {
        let copy = text.clone();
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = [0].into_iter().chain(ends).collect();
        let mut count = 0;
        let characters = text.as_bytes().chunks(BLOCK).map(|block| {
            let before = count;
            count += characters_in(block);
            before
        });
        let characters = characters.collect();
        self.0.push(File {
            name,
            text,
            is_ini,
            lines,
            characters,
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
        let start = start.copied().unwrap_or_default();
        // A byte order mark is not part of the first column.
        let rest = self.text.get(start..).unwrap_or_default();
        let mark = usize::from(rest.starts_with('\u{feff}') && offset > start);
        let before = self.characters_before(offset) - self.characters_before(start);
        Position {
            line,
            column: before - mark + 1,
        }
    }

    /// How many characters begin before an offset.
    fn characters_before(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        let block = offset / BLOCK;
        let Some(before) = self.characters.get(block) else {
            // The offset is the end of the text, and of its last block.
            let last = self.characters.last().copied().unwrap_or_default();
            let start = self.characters.len().saturating_sub(1) * BLOCK;
            return last + characters_in(self.text.as_bytes().get(start..).unwrap_or_default());
        };
        let part = self.text.as_bytes().get(block * BLOCK..offset);
        before + characters_in(part.unwrap_or_default())
    }
}

/// How many characters begin in a part of a text.
fn characters_in(bytes: &[u8]) -> usize {
    // The other bytes of a character are 10xxxxxx.
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

const BLOCK: usize = 1024;

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
    fn columns_of_long_lines_are_counted_in_characters() {
        for line in ["é🙂a", "a", "é"] {
            for repeated in [1, 300, BLOCK, 3 * BLOCK] {
                let text = format!("\u{feff}{0}\n{0}", line.repeat(repeated));
                let mut files = Files::default();
                files.add("a".to_owned(), text.clone().into(), false);
                let (mut row, mut column) = (1, 1);
                for (offset, letter) in text.char_indices() {
                    let expected = Position { line: row, column };
                    assert_eq!(files.all()[0].position(offset), expected, "{offset}");
                    match letter {
                        '\u{feff}' => {}
                        '\n' => (row, column) = (row + 1, 1),
                        _ => column += 1,
                    }
                }
                let end = Position { line: row, column };
                assert_eq!(files.all()[0].position(text.len()), end);
            }
        }
    }

    /// Counting from the beginning of the line for each place took hours.
    #[test]
    fn places_of_a_file_on_one_line_are_found_quickly() {
        let mut files = Files::default();
        files.add("a".to_owned(), "a".repeat(4 * 1024 * 1024).into(), false);
        let file = &files.all()[0];
        let columns = (0..file.text.len())
            .step_by(16)
            .map(|at| file.position(at).column);
        assert!(columns.is_sorted());
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
