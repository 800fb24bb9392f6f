//! A line of an operator's file with a part of it underlined.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::files::{File, Place};
use crate::redact;
use crate::screen::{is_unprintable, printable};

/// What is shown about a place.
pub(crate) struct Report<'r> {
    pub(crate) level: Level<'r>,
    /// The name of the rule.
    pub(crate) id: Option<&'r str>,
    pub(crate) title: String,
    pub(crate) file: &'r File,
    pub(crate) place: Place,
    /// The secrets of the file.
    pub(crate) secrets: &'r [Place],
    /// A line below the snippet.
    pub(crate) help: Option<String>,
}

impl Report<'_> {
    /// The text for a terminal, with colours.
    pub(crate) fn render(&self) -> String {
        let position = self.file.position(self.place.start);
        let (start, content) = self.file.line(position.line).unwrap_or_default();
        let content = content.trim_end_matches('\r');
        let end = start + content.len();
        // A line of a minified file is long. Only the part around the place is shown, and read.
        let at = self.place.start.clamp(start, end);
        let from = boundary(&self.file.text, at.saturating_sub(BEFORE).max(start));
        let to = boundary(&self.file.text, (at + AFTER).min(end));
        let name = printable(&self.file.name);
        let (shown, mark) = redact::line(self.file, self.secrets, (from, to), self.place);
        let (shown, begin, finish) = visible(&shown, mark.start, mark.end);
        let snippet = Snippet::source(shown.as_str())
            .line_start(position.line)
            .path(&name)
            .fold(false)
            .annotation(AnnotationKind::Primary.span(begin..finish));
        let title = self.level.clone().primary_title(printable(&self.title));
        let title = match self.id {
            Some(id) => title.id(id),
            None => title,
        };
        let group: Group<'_> = title.element(snippet);
        let group = match &self.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        };
        let text = Renderer::styled().render(&[group]);
        // The renderer counts columns in what is shown, and not in the file.
        let counted = shown.get(..begin).unwrap_or_default().chars().count() + 1;
        let place = |column: usize| format!("{name}:{}:{column}", position.line);
        let text = text.replacen(&place(counted), &place(position.column), 1);
        format!("{text}\n")
    }
}

/// Replaces characters that could change how a terminal shows the line, and moves the two offsets with them.
fn visible(line: &str, begin: usize, finish: usize) -> (String, usize, usize) {
    let mut shown = String::with_capacity(line.len());
    let (mut from, mut to) = (line.len(), line.len());
    for (at, character) in line.char_indices() {
        if at == begin {
            from = shown.len();
        }
        if at == finish {
            to = shown.len();
        }
        shown.push(if character != '\t' && is_unprintable(character) {
            char::REPLACEMENT_CHARACTER
        } else {
            character
        });
    }
    let end = shown.len();
    if begin >= line.len() {
        from = end;
    }
    if finish >= line.len() {
        to = end;
    }
    (shown, from.min(end), to.clamp(from.min(end), end))
}

/// The nearest boundary of a character at or before an offset.
fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default()
}

/// How much of a long line is shown before and after the beginning of the place, in bytes.
const BEFORE: usize = 120;
const AFTER: usize = 240;
