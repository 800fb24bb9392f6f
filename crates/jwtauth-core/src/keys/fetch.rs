//! How is a document fetched over HTTP?
//!
//! [`Fetch`] is the door: the library's own client stands behind it, or the host's.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use ureq::http::Uri;

/// Fetches documents. Called on the threads that authenticate, one call at a time for each key source.
pub trait Fetch: Send + Sync + fmt::Debug {
    /// Fetches one document. A redirect is an answer like another; whoever wants to follow it does so here.
    ///
    /// # Errors
    /// [`FetchFailed`]: in which phase, and why.
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed>;
}

/// What is to be fetched.
#[derive(Debug, Clone, Copy)]
pub struct FetchRequest<'a> {
    /// The URL.
    pub url: &'a str,
    /// Until then there must be an answer; nobody waits longer.
    pub timeout: Duration,
    /// A body beyond this many bytes is refused, so there is no use in reading more.
    pub max_bytes: u64,
    /// The `ETag` of what is already there (RFC 9110 §13.1.2).
    pub if_none_match: Option<&'a str>,
    /// The `Last-Modified` of what is already there (RFC 9110 §13.1.3).
    pub if_modified_since: Option<&'a str>,
}

impl<'a> FetchRequest<'a> {
    /// The headers to send.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        [
            ("Accept", Some("application/json")),
            ("If-None-Match", self.if_none_match),
            ("If-Modified-Since", self.if_modified_since),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// What a server answered.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Expires`.
    pub expires: Option<String>,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

impl Fetched {
    /// An answer without headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Fetched {
        Fetched {
            status,
            body: body.into(),
            ..Fetched::default()
        }
    }

    /// The same with one more header. Those that say nothing about freshness are dropped.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Fetched {
        let headers = [
            ("cache-control", &mut self.cache_control),
            ("expires", &mut self.expires),
            ("etag", &mut self.etag),
            ("last-modified", &mut self.last_modified),
        ];
        for (known, place) in headers {
            if name.eq_ignore_ascii_case(known) {
                *place = Some(value.to_owned());
            }
        }
        self
    }
}

/// Why nothing was fetched; holds nothing of what a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFailed {
    /// How far it came.
    pub phase: Phase,
    /// What went wrong, in words of the host, the client or the system, never of the server.
    pub reason: String,
    /// The status, if there was one.
    pub status: Option<u16>,
    /// How much of the body there was.
    pub bytes_read: u64,
}

/// The phases of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the phase's own name")]
pub enum Phase {
    Dns,
    Connect,
    Tls,
    Http,
    Parse,
}

impl Phase {
    /// All of them, in the order of a fetch.
    pub const ALL: [Phase; 5] = [Phase::Dns, Phase::Connect, Phase::Tls, Phase::Http, Phase::Parse];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Dns => "dns",
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::Http => "http",
            Phase::Parse => "parse",
        }
    }

    /// The phase of this name.
    pub fn parse(name: &str) -> Option<Phase> {
        Phase::ALL.into_iter().find(|phase| phase.as_str() == name)
    }
}

impl fmt::Display for FetchFailed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.phase.as_str(), self.reason)
    }
}

impl FetchFailed {
    /// A failure in this phase. Of a long reason the beginning is kept, and in one line.
    pub fn new(phase: Phase, reason: impl fmt::Display) -> FetchFailed {
        let reason = reason.to_string();
        FetchFailed {
            phase,
            reason: reason
                .replace(char::is_control, " ")
                .chars()
                .take(MAX_REASON)
                .collect(),
            status: None,
            bytes_read: 0,
        }
    }
}

/// How much of a reason is worth its place in a log, in characters.
const MAX_REASON: usize = 300;

/// Checks a URL that keys are to be fetched from.
///
/// # Errors
/// What is wrong with it, without its query, which may hold a secret.
pub(crate) fn check_url(url: &str, insecure_http: bool) -> Result<(), String> {
    if url.contains('#') {
        return Err("a fragment has no meaning in it".to_owned());
    }
    let uri: Uri = url.parse().map_err(|_| "it is no URL".to_owned())?;
    let authority = uri.authority().ok_or("it names no host")?;
    if authority.as_str().contains('@') {
        return Err("it must not carry a user's name or password".to_owned());
    }
    if authority.host().is_empty() {
        return Err("it names no host".to_owned());
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if insecure_http || is_loopback(authority.host()) => Ok(()),
        Some("http") => {
            Err("it must be https (plain http is for loopback, or with `insecure_http`)".to_owned())
        }
        _ => Err("it must be https".to_owned()),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        let failed = FetchFailed::new(
            Phase::Tls,
            format!("first\r\nsecond\u{1b}[31m{}", "ä".repeat(1000)),
        );
        assert!(
            failed.reason.starts_with("first  second [31mää"),
            "{}",
            failed.reason
        );
        assert_eq!(failed.reason.chars().count(), MAX_REASON);
    }
}
