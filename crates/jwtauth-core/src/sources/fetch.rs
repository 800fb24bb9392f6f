//! How is a document fetched over HTTP?
//!
//! [`Fetch`] is the door: the library's own client stands behind it, or the host's.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::error::Result;
use crate::policy::url::without_query;

/// Fetches documents. Called on the threads that authenticate, one call at a time for each key source.
pub trait Fetch: Send + Sync + fmt::Debug {
    /// Fetches one document. A redirect is an answer like another; whoever wants to follow it does so here.
    ///
    /// # Errors
    /// [`FetchFailed`]: in which phase, and why.
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed>;
}

/// What is to be fetched.
#[derive(Clone, Copy)]
#[non_exhaustive]
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
    /// A request without conditions.
    pub fn new(url: &'a str, timeout: Duration, max_bytes: u64) -> FetchRequest<'a> {
        FetchRequest {
            url,
            timeout,
            max_bytes,
            if_none_match: None,
            if_modified_since: None,
        }
    }

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
#[derive(Clone, Default)]
#[non_exhaustive]
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

    /// The same with one more header. Those that say nothing about freshness are dropped, and so are values that no
    /// header may have, because some go back into a request. Lines of `Cache-Control` add up (RFC 9110 §5.3).
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Fetched {
        if !value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
            return self;
        }
        let headers = [
            ("cache-control", &mut self.cache_control),
            ("expires", &mut self.expires),
            ("etag", &mut self.etag),
            ("last-modified", &mut self.last_modified),
        ];
        for (known, place) in headers {
            if name.eq_ignore_ascii_case(known) {
                *place = match place.take() {
                    Some(before) if known == "cache-control" => Some(format!("{before}, {value}")),
                    _ => Some(value.to_owned()),
                };
            }
        }
        self
    }
}

impl fmt::Debug for FetchRequest<'_> {
    /// Without the query of the URL.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("FetchRequest")
            .field("url", &without_query(self.url))
            .field("timeout", &self.timeout)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Fetched {
    /// Nothing of what the server sent.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Fetched")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why nothing was fetched; holds nothing of what a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn only_headers_that_tell_how_fresh_it_is_are_kept() {
        let fetched = Fetched::new(200, "{}")
            .header("CACHE-CONTROL", "public")
            .header("Cache-Control", "max-age=60")
            .header("ETag", "\"a\"")
            .header("ETag", "\"b\"")
            .header("Last-Modified", "today\r\nX-Admin: yes")
            .header("Expires", "m\u{f6}rgen")
            .header("X-Other", "x");
        assert_eq!(fetched.cache_control.as_deref(), Some("public, max-age=60"));
        assert_eq!(fetched.etag.as_deref(), Some("\"b\""));
        assert_eq!((fetched.last_modified, fetched.expires), (None, None));
    }

    #[derive(Debug)]
    struct Unreachable;

    impl Fetch for Unreachable {
        fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
            Err(FetchFailed::new(Phase::Connect, "connection refused"))
        }
    }

    #[test]
    fn settings_that_a_host_may_not_heed_are_warned_of() {
        let policy = |settings: &str| {
            let config = format!(
                r#"{{"dialect":"native","config":{{"keys":[{{"jwks_url":"https://issuer.example/keys"{settings}}}],"algorithms":["RS256"],"issuer":null}}}}"#
            );
            let fetch: Arc<dyn Fetch> = Arc::new(Unreachable);
            let verifier = crate::Verifier::builder(&config).unwrap().fetch(fetch).build();
            crate::wire::policy(&verifier.unwrap())
        };
        let text = policy(r#","ca_file":"nowhere.pem","proxy":"none","redirects":1"#);
        assert!(
            text.contains("keys are fetched by the application's function; this has no effect: `ca_file`, `redirects`, `proxy`"),
            "{text}"
        );
        let text = policy(r#","timeout":"1s","insecure_http":true"#);
        assert!(!text.contains("the host fetches"), "{text}");
    }
}
