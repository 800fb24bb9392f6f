//! Lines about the server itself, on standard error.
//!
//! A thread writes them. If their reader is too slow, lines are lost; requests never wait for it.

use std::collections::HashMap;
use std::fmt::Display;
use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::log::write_lines;

/// A line, and whether requests can cause it again and again.
#[derive(Debug)]
struct Note {
    text: String,
    repeats: bool,
    /// Is dropped when the line was written.
    _written: Option<SyncSender<()>>,
}

/// Writes a line about the life of the server.
pub(crate) fn note(text: &dyn Display) {
    send(text, false, None);
}

/// Writes the last line of the server, and waits until it is written, for a second at most.
pub(crate) fn last_note(text: &dyn Display) {
    let (sender, written) = sync_channel(1);
    send(text, false, Some(sender));
    let _ = written.recv_timeout(Duration::from_secs(1));
}

/// Writes a line that requests can cause. The same text is written once a minute, with the number of times that it was not.
pub(crate) fn note_once(text: &dyn Display) {
    send(text, true, None);
}

fn send(text: &dyn Display, repeats: bool, written: Option<SyncSender<()>>) {
    static NOTES: OnceLock<Option<SyncSender<Note>>> = OnceLock::new();
    let notes = NOTES.get_or_init(|| {
        let mut written = Written::default();
        let line = move |note: &Note| written.line(&note.text, note.repeats, Instant::now());
        write_lines("notes", Box::new(io::stderr()), QUEUE, line).ok()
    });
    if let Some(notes) = notes {
        let _ = notes.try_send(Note {
            text: text.to_string(),
            repeats,
            _written: written,
        });
    }
}

/// The texts that were written in the last minute, when, and how often they came again.
#[derive(Debug, Default)]
struct Written(HashMap<String, (Instant, u64)>);

impl Written {
    /// The line for a note. `None`: it was written a short time ago.
    fn line(&mut self, text: &str, repeats: bool, now: Instant) -> Option<String> {
        let is_recent = |at: Instant| now.saturating_duration_since(at) < AGAIN;
        let mut count = String::new();
        if repeats {
            match self.0.get_mut(text) {
                Some((at, more)) if is_recent(*at) => {
                    *more += 1;
                    return None;
                }
                Some((_, more)) if *more > 0 => count = format!(" ({more} more of these before)"),
                Some(_) | None => {}
            }
            if self.0.len() >= TEXTS {
                self.0.retain(|_, (at, _)| is_recent(*at));
            }
            if self.0.len() < TEXTS {
                self.0.insert(text.to_owned(), (now, 0));
            }
        }
        Some(format!("jwtauth serve: {text}{count}\n"))
    }
}

/// After this time, the same text is written again.
const AGAIN: Duration = Duration::from_secs(60);
const TEXTS: usize = 256;
const QUEUE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_requests_repeat_is_written_once_a_minute_with_a_count() {
        let mut written = Written::default();
        let start = Instant::now();
        let mut after = |seconds: u64, text: &str, repeats| {
            written.line(text, repeats, start + Duration::from_secs(seconds))
        };
        let line = |text: &str| Some(format!("jwtauth serve: {text}\n"));
        assert_eq!(after(0, "a", true), line("a"));
        assert_eq!(after(1, "a", true), None);
        assert_eq!(after(59, "a", true), None);
        assert_eq!(after(59, "b", true), line("b"));
        assert_eq!(after(60, "a", true), line("a (2 more of these before)"));
        assert_eq!(after(120, "a", true), line("a"));
        // A reload is told each time.
        assert_eq!(after(121, "read again", false), line("read again"));
        assert_eq!(after(121, "read again", false), line("read again"));
    }

    #[test]
    fn texts_that_are_never_the_same_take_no_more_memory() {
        let mut written = Written::default();
        let now = Instant::now();
        for number in 0..2 * TEXTS {
            assert!(written.line(&number.to_string(), true, now).is_some());
        }
        assert_eq!(written.0.len(), TEXTS);
    }
}
