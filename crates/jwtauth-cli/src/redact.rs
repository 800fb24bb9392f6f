//! Lines of an operator's file without their secrets.

use crate::files::{File, Place};
use crate::locate::{self, Secrecy};

/// The secrets of a file, as parts of its text, in ascending order.
pub(crate) fn secrets(file: &File) -> Vec<Place> {
    let mut found = if file.is_ini {
        of_ini(&file.text)
    } else {
        locate::secrets(&file.text, SECRECY).unwrap_or_else(|| of_text(&file.text))
    };
    found.extend(urls(&file.text));
    found.sort();
    found
}

/// The parts of URLs that may be secrets: the query, and all of a URL with a user name.
fn urls(text: &str) -> Vec<Place> {
    let ends =
        |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '`' | '<' | '>' | ',' | ')');
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://") {
        let rest = text.get(at + 3..).unwrap_or_default();
        let url = rest.split(ends).next().unwrap_or_default();
        let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
        let from = if authority.contains('@') {
            Some(0)
        } else {
            url.find('?')
        };
        found.extend(from.map(|from| Place {
            start: at + 3 + from,
            end: at + 3 + url.len(),
        }));
    }
    found
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
    for secret in secrets
        .iter()
        .filter(|secret| secret.end > start && secret.start < end)
    {
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
fn of_ini(text: &str) -> Vec<Place> {
    let mut found = of_text(text);
    let mut start = 0;
    // A quoted value may continue on the following lines, also in a file that cannot be read.
    let mut open: Option<(&str, usize)> = None;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        if let Some((quote, _)) = open {
            found.push(Place { start, end });
            if line.contains(quote) {
                open = None;
            }
        } else if let Some(at) = line.find(['=', ':'])
            && line
                .split_at(at)
                .0
                .trim()
                .trim_matches(['"', '`'])
                .to_lowercase()
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
            open = ["\"\"\"", "`"]
                .into_iter()
                .find(|quote| {
                    value
                        .strip_prefix(quote)
                        .is_some_and(|rest| !rest.contains(quote))
                })
                .map(|quote| (quote, start));
        }
        start += line.len();
    }
    found
}

/// Parts of a text that may be secrets, if nothing is known about its structure: what follows the name of a secret on its line,
/// the lines of a PEM block, and long runs of letters and digits.
fn of_text(text: &str) -> Vec<Place> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut in_pem = false;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        let begins =
            line.contains("-----BEGIN") && !line.contains("PUBLIC KEY") && !line.contains("CERTIFICATE");
        if in_pem || begins {
            let from = line
                .find("-----BEGIN")
                .filter(|_| begins && !in_pem)
                .unwrap_or_default();
            found.push(Place {
                start: start + from,
                end,
            });
            in_pem = !line.contains("-----END");
        } else if let Some(at) = after_secret_name(line) {
            found.push(Place {
                start: (start + at).min(end),
                end,
            });
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

/// Returns where the value begins that follows the name of a secret in double quotes.
fn after_secret_name(line: &str) -> Option<usize> {
    let mut offset = 0;
    for (index, part) in line.split('"').enumerate() {
        if index % 2 == 1 && is_secret_name(part) {
            let rest = line.get(offset + part.len() + 1..)?;
            let colon = rest.find(':')?;
            return Some(offset + part.len() + 1 + colon + 1);
        }
        offset += part.len() + 1;
    }
    None
}

/// The long runs of letters and digits that have both: keys in base64 or hexadecimal, and not names.
fn runs(line: &str) -> impl Iterator<Item = (usize, usize)> {
    let is_part =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '=' | '_' | '-');
    let mut offset = 0;
    line.split(move |letter| !is_part(letter)).filter_map(move |run| {
        // Every separator is found again in the line, because it may be longer than a byte.
        let start = offset;
        offset = start
            + run.len()
            + line
                .get(start + run.len()..)?
                .chars()
                .next()
                .map_or(0, char::len_utf8);
        let has = |kind: fn(&char) -> bool| run.chars().any(|letter| kind(&letter));
        let looks_like_a_key =
            run.len() >= SHORTEST_RUN && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
        looks_like_a_key.then_some((start, start + run.len()))
    })
}

/// Whether the value of a member with this name is a secret.
fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.contains(&name.as_str())
        || name.ends_with("_secret")
        || name.ends_with("clientsecret")
        || name.ends_with("password")
        || name.ends_with("_value")
}

/// Whether a text contains a private key, or keys in JSON.
fn is_secret_text(text: &str) -> bool {
    text.contains("PRIVATE KEY") || text.contains("\"kty\"")
}

const SECRECY: Secrecy = Secrecy {
    name: is_secret_name,
    text: is_secret_text,
};

/// Members with secrets: of keys (RFC 7518 §6), of the native configuration, of Grafana.
const SECRETS: [&str; 12] = [
    "k",
    "d",
    "p",
    "q",
    "dp",
    "dq",
    "qi",
    "oth",
    "secret",
    "client_key_pem",
    "key_value",
    "jwk_set_value",
];

const SHORTEST_RUN: usize = 20;

/// What is shown instead of a secret, as in a printed policy.
pub(crate) const REDACTED: &str = "(redacted)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;

    /// Every line of a file, as it is shown.
    fn shown(text: &str, is_ini: bool) -> String {
        let mut files = Files::default();
        files.add("a".to_owned(), text.to_owned().into(), is_ini);
        let file = &files.all()[0];
        let secrets = secrets(file);
        let mut lines = Vec::new();
        for number in 1.. {
            let Some((start, content)) = file.line(number) else {
                break;
            };
            let all = (start, start + content.len());
            let mark = Place {
                start: all.0,
                end: all.1,
            };
            lines.push(line(file, &secrets, all, mark).0);
        }
        lines.join("\n")
    }

    #[test]
    fn no_secret_of_a_json_file_is_shown() {
        let hidden = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
        for text in [
            format!("{{\"keys\": [{{\"secret\": \"{hidden}\"}}]}}"),
            format!("{{\"jwk\": {{\"kty\": \"oct\", \"k\": \"{hidden}\"}}}}"),
            format!("{{\"oidc_client_secret\": \"{hidden}\", \"OIDCClientSecret\": \"{hidden}\"}}"),
            format!("{{\"env\": {{\"GF_AUTH_JWT_KEY_VALUE\": \"{hidden}\"}}}}"),
            format!("{{\"pem\": \"-----BEGIN PRIVATE KEY-----\\n{hidden}\\n\"}}"),
            format!("{{\"proxy\": \"http://user:{hidden}@proxy.example\"}}"),
            format!("{{\"jwks_url\": \"https://a.example/keys?key={hidden}\"}}"),
            format!("{{\"ini\": \"[auth.jwt]\\nkey_value = {hidden}\"}}"),
            // Broken files, in which the structure is not known.
            format!("{{\"secret\": \"{hidden}"),
            format!("{{\"secret\": \"a b c\",, \"x\": \"{hidden}1\"}}"),
            format!("{{\"pem\": \"-----BEGIN EC PRIVATE KEY-----\n{hidden}\nAB==\n"),
        ] {
            let shown = shown(&text, false);
            assert!(!shown.contains(hidden) && !shown.contains("a b c"), "{shown}");
            assert!(shown.contains(REDACTED), "{shown}");
            assert!(!shown.contains("AB=="), "{shown}");
        }
    }

    #[test]
    fn no_secret_of_an_ini_file_is_shown() {
        for text in [
            "[auth.jwt]\nkey_value = hidden\n",
            "[auth.jwt]\nkey_value = \"\"\"hidden\nhidden\n\"\"\"\nenabled = true",
            "[auth.jwt]\nkey_value = -----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----\n",
            "[auth.jwt]\njwk_set_url = https://a.example/keys?token=hidden\n",
            "[security]\nadmin_password = hidden\n[database]\npassword = `hidden`\n",
        ] {
            let shown = shown(text, true);
            assert!(!shown.contains("hidden"), "{shown}");
            assert!(shown.contains(REDACTED), "{shown}");
        }
        let usual = "[auth.jwt]\nenabled = true\nrole_attribute_path = contains(groups, 'a') && 'Admin'\n";
        assert_eq!(shown(usual, true), usual);
    }

    #[test]
    fn the_mark_stays_where_it_is() {
        let mut files = Files::default();
        let text = "{\"secret\": \"abc\", \"leeway\": 1}";
        files.add("a".to_owned(), text.to_owned().into(), false);
        let file = &files.all()[0];
        let found = secrets(file);
        let all = (0, text.len());
        for marked in ["leeway", "secret", "\"abc\"", "1"] {
            let start = text.find(marked).unwrap();
            let mark = Place {
                start,
                end: start + marked.len(),
            };
            let (shown, place) = line(file, &found, all, mark);
            let expected = if marked == "\"abc\"" { REDACTED } else { marked };
            assert_eq!(
                shown.get(place.start..place.end).unwrap().trim_matches('"'),
                expected.trim_matches('"'),
                "{shown}"
            );
        }
    }
}
