//! The parameters of a URL's query.
//!
//! They are read as by Go's `net/url`, which the configured systems use: a pair with invalid percent-encoding or with a
//! `;` is ignored.

use std::borrow::Cow;

use crate::ordered;

/// Returns the first value of a parameter.
pub(crate) fn first<'u>(url: &'u str, parameter: &str) -> Option<Cow<'u, str>> {
    let (_, query, _) = split(url);
    pairs(query)
        .find(|(name, _)| name == parameter)
        .map(|(_, value)| value)
}

/// Returns the URL without a parameter, and with its other parameters sorted by name. Returns `None` if the URL
/// does not have the parameter.
///
/// A URL that does not begin with `http://` or `https://` becomes a path that begins with exactly one `/`.
pub(crate) fn without(url: &str, parameter: &str) -> Option<String> {
    first(url, parameter)?;
    let (path, query, fragment) = split(url);
    let kept = pairs(query).filter(|(name, _)| name != parameter).collect();
    let kept: Vec<_> = ordered::sorted_by(kept, |(left, _), (right, _)| left.cmp(right));
    let encoded = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .finish();
    // Go keeps `~` and escapes `*`. The form encoding of browsers does the opposite.
    let encoded = encoded.replace("%7E", "~").replace('*', "%2A");
    let mark = if encoded.is_empty() { "" } else { "?" };
    Some(format!("{}{mark}{encoded}{fragment}", of_this_host(path)))
}

/// Returns a path that a browser does not read as another host, as it does with `//host` and `/\host`, also with control
/// characters between. An application may redirect to it.
fn of_this_host(path: &str) -> Cow<'_, str> {
    let begins = |scheme: &str| {
        let start = path.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    if begins("http://") || begins("https://") {
        return Cow::Borrowed(path);
    }
    let is_skipped = |letter: char| matches!(letter, '/' | '\\' | ' ') || letter.is_ascii_control();
    let rest = path.trim_start_matches(is_skipped);
    match path.strip_suffix(rest) {
        Some("/") => Cow::Borrowed(path),
        _ => Cow::Owned(format!("/{rest}")),
    }
}

/// Splits a URL into path, query and fragment. The fragment keeps its `#`.
fn split(url: &str) -> (&str, &str, &str) {
    let (rest, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    (path, query, fragment)
}

fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.contains(';') && well_encoded(pair))
        .flat_map(|pair| form_urlencoded::parse(pair.as_bytes()))
}

fn well_encoded(pair: &str) -> bool {
    let mut pieces = pair.split('%');
    pieces.next();
    pieces.all(|piece| {
        let mut digits = piece.bytes();
        let mut hex = || digits.next().is_some_and(|digit| digit.is_ascii_hexdigit());
        hex() && hex()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_like_form_data() {
        assert_eq!(first("/x?a=1&t=a%2Eb+c&t=2#t=3", "t").as_deref(), Some("a.b c"));
        assert_eq!(first("/x?t", "t").as_deref(), Some(""));
        assert_eq!(first("/x", "t"), None);
        assert_eq!(first("/x#?t=1", "t"), None);
    }

    #[test]
    fn invalid_pairs_are_ignored() {
        for url in ["/x?t=%", "/x?t=%4", "/x?t=%zz", "/x?t=a;b", "/x?;t=a"] {
            assert_eq!(first(url, "t"), None, "{url}");
        }
    }

    #[test]
    fn the_other_parameters_are_sorted_and_encoded_as_in_go() {
        assert_eq!(without("/d/abc?t=x", "t").as_deref(), Some("/d/abc"));
        assert_eq!(
            without("/d?z=1&t=x&b=~*%20&b=2#f", "t").as_deref(),
            Some("/d?b=~%2A+&b=2&z=1#f")
        );
        assert_eq!(without("/d?z=1", "t"), None);
    }

    #[test]
    fn a_url_of_this_host_stays_on_this_host() {
        for (url, cleaned) in [
            ("/?t=x", "/"),
            ("?t=x", "/"),
            ("?t=x&a=1", "/?a=1"),
            ("d?t=x", "/d"),
            ("//evil.example/d?t=x", "/evil.example/d"),
            ("///evil.example?t=x", "/evil.example"),
            ("/\\evil.example?t=x", "/evil.example"),
            ("\\/evil.example?t=x", "/evil.example"),
            ("/\t/evil.example?t=x", "/evil.example"),
            (" //evil.example?t=x", "/evil.example"),
            ("javascript:alert(1)?t=x", "/javascript:alert(1)"),
            ("https:evil.example?t=x", "/https:evil.example"),
            ("/d//e?t=x", "/d//e"),
            ("HTTPS://this.example?t=x", "HTTPS://this.example"),
            ("http://this.example//d?t=x#f", "http://this.example//d#f"),
        ] {
            assert_eq!(without(url, "t").as_deref(), Some(cleaned), "{url}");
        }
    }
}
