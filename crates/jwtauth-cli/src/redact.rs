//! Lines of an operator's file without their secrets.

use crate::files::{File, Place};
use crate::locate::{self, Secrecy};

/// The secrets of a file, as parts of its text, in ascending order. They do not overlap.
pub(crate) fn secrets(file: &File) -> Vec<Place> {
    let (mut found, is_json) = if file.is_ini {
        (of_ini(&file.text, file.problem().is_some()), false)
    } else {
        match locate::secrets(&file.text, SECRECY) {
            Some(found) => (found, true),
            None => (of_text(&file.text, Names::Anywhere), false),
        }
    };
    found.extend(urls(&file.text, is_json));
    found.sort();
    let mut apart: Vec<Place> = Vec::with_capacity(found.len());
    for place in found {
        match apart.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => apart.push(place),
        }
    }
    apart
}

/// The parts of URLs that may be secrets: the query, and all of a URL with a user name. A password may contain any character, so a
/// URL ends only with the quotation marks around it, with a space if there are none, or with the line.
fn urls(text: &str, is_json: bool) -> Vec<Place> {
    let mut found = Vec::new();
    let mut done = 0;
    while let Some((scheme, at)) = next_url(text, done) {
        let before = text.get(done..scheme).unwrap_or_default();
        let quote = before.chars().next_back().filter(|mark| QUOTES.contains(mark));
        let is_escaped = quote.is_some_and(|mark| before.trim_end_matches(mark).ends_with('\\'));
        let rest = text.get(at..).unwrap_or_default();
        // The marks around the whole value of a file that is not JSON may be in it, too.
        let marks = before.trim_end_matches(QUOTES);
        let is_whole = !is_json && !is_escaped && marks.trim_end().ends_with(['=', ':']);
        let length = match quote {
            Some(mark) if is_whole => {
                let line = rest.lines().next().unwrap_or_default();
                line.rfind(mark).unwrap_or(line.len())
            }
            Some(mark) => end_of(rest, |letter| letter == mark, !is_escaped),
            None if is_json => end_of(rest, |letter| letter == '"' || letter.is_whitespace(), true),
            None => end_of(rest, char::is_whitespace, false),
        };
        let url = rest.get(..length).unwrap_or_default();
        let from = if url.contains('@') { Some(0) } else { url.find('?') };
        found.extend(from.map(|from| Place {
            start: at + from,
            end: at + length,
        }));
        done = at + length;
    }
    found
}

/// Returns where the scheme of the next URL begins, and what follows its `://`. JSON may write a slash as `\/`.
fn next_url(text: &str, from: usize) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    let slash = |rest: &str| -> Option<usize> {
        let plain = rest.strip_prefix('\\').unwrap_or(rest).strip_prefix('/')?;
        Some(rest.len() - plain.len())
    };
    rest.match_indices(':').find_map(|(colon, _)| {
        let first = slash(rest.get(colon + 1..)?)?;
        let second = slash(rest.get(colon + 1 + first..)?)?;
        let scheme = rest
            .get(..colon)?
            .trim_end_matches(|letter: char| letter.is_ascii_alphanumeric() || "+.-".contains(letter));
        Some((from + scheme.len(), from + colon + 1 + first + second))
    })
}

/// The length of a text up to an end: a letter, which may be escaped, or the end of the line.
fn end_of(text: &str, is_end: impl Fn(char) -> bool, may_be_escaped: bool) -> usize {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices() {
        if letter == '\n' || is_end(letter) && !is_escaped {
            return at;
        }
        is_escaped = may_be_escaped && letter == '\\' && !is_escaped;
    }
    text.len()
}

/// Returns a part of a line with each secret replaced, and the place of what is marked in it.
pub(crate) fn line(
    file: &File,
    secrets: &[Place],
    (start, end): (usize, usize),
    mark: Place,
) -> (String, Place) {
    let mut pieces = Vec::new();
    let mut at = start;
    let first = secrets.partition_point(|secret| secret.end <= start);
    for secret in secrets.iter().skip(first).take_while(|secret| secret.start < end) {
        let (from, to) = (secret.start.max(at), secret.end.min(end));
        if from < to {
            pieces.push((at, from, false));
            pieces.push((from, to, true));
            at = to;
        }
    }
    pieces.push((at, end, false));
    let mut shown = String::new();
    let mut marked = Place { start: 0, end: 0 };
    for (from, to, is_secret) in pieces {
        let begin = shown.len();
        shown.push_str(if is_secret {
            REDACTED
        } else {
            file.text.get(from..to).unwrap_or_default()
        });
        if (from..to).contains(&mark.start) || mark.start == to && to == end {
            marked.start = if is_secret {
                begin
            } else {
                begin + (mark.start - from)
            };
        }
        if from < mark.end && mark.end <= to {
            marked.end = if is_secret {
                shown.len()
            } else {
                begin + (mark.end - from)
            };
        }
    }
    if mark.end > end {
        marked.end = shown.len();
    }
    marked.end = marked.end.max(marked.start);
    (shown, marked)
}

/// The secrets of an ini file: the values of keys whose names say so, and whatever looks like a key.
fn of_ini(text: &str, is_broken: bool) -> Vec<Place> {
    // In a file that cannot be read, the `=` behind a name may be missing.
    let names = if is_broken { Names::Anywhere } else { Names::Quoted };
    let mut found = of_text(text, names);
    let mut start = 0;
    // A quoted value may continue on the following lines, also in a file that cannot be read.
    let mut open: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        if let Some(quote) = open {
            found.push(Place { start, end });
            if line.contains(quote) {
                open = None;
            }
        } else if let Some(at) = line.find(['=', ':'])
            && line
                .split_at(at)
                .0
                .trim_matches([' ', '\t', ';', '#', '"', '`'])
                .split('.')
                .any(is_secret_name)
        {
            let value = line.split_at(at + 1).1;
            let from = start + at + 1 + (value.len() - value.trim_start().len());
            found.push(Place {
                start: from.min(end),
                end,
            });
            let value = value.trim();
            open = ["\"\"\"", "`"].into_iter().find(|quote| {
                value
                    .strip_prefix(quote)
                    .is_some_and(|rest| !rest.contains(quote))
            });
        }
        start += line.len();
    }
    found
}

/// Where the name of a secret can be in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// In quotation marks, with a colon behind them: the file is valid, and a value in it may be JSON.
    Quoted,
    /// Anywhere: the file is broken, in whatever way.
    Anywhere,
}

/// What follows a line with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// The value is still to come. The line of its name is indented so far.
    Value(usize),
    /// The value goes on until a line that is indented no further.
    Block(usize),
    /// The value goes on until this quotation mark.
    Quote(char),
}

/// Parts of a text that may be secrets, if nothing is known about its structure: what follows the name of a secret, the lines of a
/// PEM block, and long runs of letters and digits.
fn of_text(text: &str, names: Names) -> Vec<Place> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut in_pem = false;
    let mut open = None;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        let begins =
            line.contains("-----BEGIN") && !line.contains("PUBLIC KEY") && !line.contains("CERTIFICATE");
        let indent = line.len() - line.trim_start().len();
        let is_blank = line.trim().is_empty();
        if matches!(open, Some(Open::Block(outer)) if !is_blank && indent <= outer) {
            open = None;
        }
        if in_pem || begins {
            let from = line
                .find("-----BEGIN")
                .filter(|_| begins && !in_pem && open.is_none())
                .unwrap_or_default();
            found.push(Place {
                start: start + from,
                end,
            });
            in_pem = !line.contains("-----END");
        } else if let Some(what) = open {
            found.push(Place { start, end });
            open = match what {
                Open::Value(_) if is_blank => Some(what),
                Open::Value(outer) => left_open(line, outer),
                Open::Block(_) => Some(what),
                Open::Quote(mark) => Some(what).filter(|_| !line.contains(mark)),
            };
        } else if let Some(at) = after_secret_name(line, names) {
            found.push(Place {
                start: (start + at).min(end),
                end,
            });
            open = line
                .get(at..)
                .filter(|_| names == Names::Anywhere)
                .and_then(|value| left_open(value, indent));
        } else {
            found.extend(runs(line).map(|(from, to)| Place {
                start: start + from,
                end: start + to,
            }));
        }
        start += line.len();
    }
    found
}

/// Returns how a value goes on after its line.
fn left_open(value: &str, indent: usize) -> Option<Open> {
    let value = value.trim().trim_matches([':', '=', ' ', '\t']);
    let first = value.chars().next();
    match first.filter(|mark| QUOTES.contains(mark)) {
        _ if value.is_empty() => Some(Open::Value(indent)),
        Some(mark) if value.matches(mark).count() % 2 == 1 => Some(Open::Quote(mark)),
        Some(_) => None,
        None if value.starts_with(['|', '>', '[', '{']) => Some(Open::Block(indent)),
        None => None,
    }
}

/// Returns where the value begins that follows the name of a secret.
fn after_secret_name(line: &str, names: Names) -> Option<usize> {
    let mut end = 0;
    line.split(|letter: char| !is_part_of_name(letter))
        .find_map(|word| {
            let start = end;
            end = start + word.len();
            // Every separator is found again in the line, because it may be longer than a byte.
            let after = end;
            end += line.get(end..)?.chars().next().map_or(0, char::len_utf8);
            let name = word.split('.').find(|name| is_secret_name(name))?;
            let rest = line.get(after..)?;
            let unquoted = rest.trim_start_matches(['\\', '"', '\'', '`']);
            let value = unquoted.trim_start().strip_prefix([':', '=']);
            // In a native configuration, it is the place of the token.
            let is_object = value.is_some_and(|value| value.trim_start().starts_with('{'));
            if name == "token" && is_object {
                return None;
            }
            match (names, value) {
                (Names::Quoted, Some(value)) if unquoted.len() < rest.len() => Some(line.len() - value.len()),
                (Names::Anywhere, Some(value)) => Some(line.len() - value.len()),
                // Short names are words and letters of other texts.
                (Names::Anywhere, None) if name.len() > SHORT => Some(line.len() - unquoted.len()),
                (Names::Anywhere | Names::Quoted, _) => None,
            }
        })
}

fn is_part_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.')
}

/// The long runs of letters and digits that have both: keys in base64 or hexadecimal, and not names.
fn runs(line: &str) -> impl Iterator<Item = (usize, usize)> {
    let is_part = |letter: char| {
        letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '=' | '_' | '-' | '~' | '.')
    };
    let mut offset = 0;
    line.split(move |letter| !is_part(letter)).flat_map(move |run| {
        // Every separator is found again in the line, because it may be longer than a byte.
        let start = offset;
        let rest = line.get(start + run.len()..).unwrap_or_default();
        offset = start + run.len() + rest.chars().next().map_or(0, char::len_utf8);
        let has = |run: &str, kind: fn(&char) -> bool| run.chars().any(|letter| kind(&letter));
        let looks_like_a_key = |run: &str| {
            run.len() >= SHORTEST_RUN && has(run, char::is_ascii_digit) && has(run, char::is_ascii_alphabetic)
        };
        // The names of hosts have dots, too, but they are in lower case.
        let is_mixed = has(run, char::is_ascii_uppercase) && has(run, char::is_ascii_lowercase);
        if looks_like_a_key(run) && is_mixed && !run.contains('/') {
            return vec![(start, start + run.len())];
        }
        let mut from = start;
        let mut found = Vec::new();
        for part in run.split('.') {
            if looks_like_a_key(part) {
                found.push((from, from + part.len()));
            }
            from += part.len() + 1;
        }
        found
    })
}

/// Whether the value of a member with this name is a secret.
fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    SECRETS.contains(&name.as_str()) || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a text contains a private key, or keys in JSON.
fn is_secret_text(text: &str) -> bool {
    text.contains("PRIVATE KEY") || text.contains("\"kty\"")
}

const SECRECY: Secrecy = Secrecy {
    name: is_secret_name,
    text: is_secret_text,
};

/// Members with secrets: of keys (RFC 7518 §6), of the native configuration, of sessions.
const SECRETS: [&str; 15] = [
    "k",
    "d",
    "p",
    "q",
    "dp",
    "dq",
    "qi",
    "oth",
    "key",
    "pass",
    "passwd",
    "token",
    "client_key_pem",
    "key_value",
    "jwk_set_value",
];

/// How other names of secrets end: in each dialect, in the rest of a grafana.ini, and in the files of other programs.
const SECRET_ENDS: [&str; 16] = [
    "secret",
    "password",
    "passphrase",
    "secret_key",
    "secretkey",
    "api_key",
    "apikey",
    "access_key",
    "accesskey",
    "private_key",
    "privatekey",
    "signing_key",
    "encryption_key",
    "_pass",
    "_token",
    "_value",
];

/// The longest name that is also a usual word.
const SHORT: usize = 3;

const QUOTES: [char; 3] = ['"', '\'', '`'];

const SHORTEST_RUN: usize = 20;

/// What is shown instead of a secret, as in a printed policy.
pub(crate) const REDACTED: &str = "(redacted)";

#[cfg(test)]
mod tests;
