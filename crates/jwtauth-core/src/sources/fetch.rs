//! The interface for fetching documents over HTTP.
//!
//! The library's own client implements [`Fetch`], and applications may implement it too.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::error::Result;
use crate::policy::url::without_query;

/// Fetches documents. It is called on the authenticating threads, and never concurrently for one key source.
pub trait Fetch: Send + Sync + fmt::Debug {
    /// Fetches one document. A redirect is a response like any other; an implementation that follows redirects does
    /// so here.
    ///
    /// # Errors
    /// [`FetchFailed`], with the phase and the reason.
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed>;
}

/// A document to fetch.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct FetchRequest<'a> {
    /// The URL.
    pub url: &'a str,
    /// The media types to ask for (RFC 9110 §12.5.1).
    pub accept: &'a str,
    /// The deadline for the response, as a duration from now. The library does not wait longer.
    pub timeout: Duration,
    /// The largest body, in bytes. A larger one is refused, so reading more is unnecessary.
    pub max_bytes: u64,
    /// The `ETag` of the cached document (RFC 9110 §13.1.2).
    pub if_none_match: Option<&'a str>,
    /// The `Last-Modified` of the cached document (RFC 9110 §13.1.3).
    pub if_modified_since: Option<&'a str>,
}

impl<'a> FetchRequest<'a> {
    /// A request for a key set, without conditions.
    pub fn new(url: &'a str, timeout: Duration, max_bytes: u64) -> FetchRequest<'a> {
        FetchRequest {
            url,
            accept: KEY_SET,
            timeout,
            max_bytes,
            if_none_match: None,
            if_modified_since: None,
        }
    }

    /// The headers to send.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        [
            ("Accept", Some(self.accept)),
            ("If-None-Match", self.if_none_match),
            ("If-Modified-Since", self.if_modified_since),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// What a request for a key set accepts. Kubernetes answers 406 to a request for its keys that does not name the first
/// type. Everything is accepted, because many servers send a set under another type.
pub(super) const KEY_SET: &str = "application/jwk-set+json, application/json;q=0.9, */*;q=0.1";

/// What a request for an issuer's metadata accepts.
pub(super) const METADATA: &str = "application/json, */*;q=0.1";

/// The response of a server.
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
    /// `Content-Encoding`. It explains a body that cannot be read.
    pub content_encoding: Option<String>,
}

impl Fetched {
    /// A response without headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Fetched {
        Fetched {
            status,
            body: body.into(),
            ..Fetched::default()
        }
    }

    /// Adds a header. Headers that are not about freshness or the encoding are ignored. Values that are not allowed in
    /// a header are ignored too, because some are sent back in a later request. Lines of `Cache-Control` and
    /// `Content-Encoding` are joined (RFC 9110 §5.3).
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
            ("content-encoding", &mut self.content_encoding),
        ];
        for (known, place) in headers {
            if name.eq_ignore_ascii_case(known) {
                *place = match place.take() {
                    Some(before) if matches!(known, "cache-control" | "content-encoding") => {
                        Some(format!("{before}, {value}"))
                    }
                    _ => Some(value.to_owned()),
                };
            }
        }
        self
    }

    /// The encodings of the body, if it has any (RFC 9110 §8.4). A server chooses this text, so it is cut, and reduced to
    /// the characters of names.
    pub(super) fn encodings(&self) -> Option<String> {
        let named = self.content_encoding.as_deref()?.trim();
        if named.is_empty() || named.eq_ignore_ascii_case("identity") {
            return None;
        }
        let is_of_name =
            |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | ',' | ' ');
        Some(named.chars().filter(is_of_name).take(MAX_ENCODINGS).collect())
    }
}

impl fmt::Debug for FetchRequest<'_> {
    /// Prints the URL without its query.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("FetchRequest")
            .field("url", &without_query(self.url))
            .field("timeout", &self.timeout)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Fetched {
    /// Prints nothing that the server sent.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Fetched")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A failed fetch. It contains nothing that a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchFailed {
    /// The phase in which the fetch failed.
    pub phase: Phase,
    /// What went wrong, as the application, the client or the operating system describes it. Never a text of the
    /// server.
    pub reason: String,
    /// The HTTP status, if the server sent one.
    pub status: Option<u16>,
    /// The number of bytes of the body that were read.
    pub bytes_read: u64,
}

/// The phases of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name is the phase")]
#[non_exhaustive]
pub enum Phase {
    Dns,
    Connect,
    Tls,
    Http,
    Parse,
}

impl Phase {
    /// Every phase, in the order of a fetch.
    pub const ALL: [Phase; 5] = [Phase::Dns, Phase::Connect, Phase::Tls, Phase::Http, Phase::Parse];

    /// The name of the phase.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Dns => "dns",
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::Http => "http",
            Phase::Parse => "parse",
        }
    }

    /// The phase with this name.
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
    /// A failure in this phase. The reason is reduced to one line and to a limited length.
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

/// The largest length of the encodings in a reason, in characters.
const MAX_ENCODINGS: usize = 40;

/// The largest length of a reason, in characters.
const MAX_REASON: usize = 300;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn only_headers_about_freshness_and_encoding_are_kept() {
        let fetched = Fetched::new(200, "{}")
            .header("CACHE-CONTROL", "public")
            .header("Cache-Control", "max-age=60")
            .header("ETag", "\"a\"")
            .header("ETag", "\"b\"")
            .header("Last-Modified", "today\r\nX-Admin: yes")
            .header("Expires", "m\u{f6}rgen")
            .header("Content-Encoding", "gzip")
            .header("content-encoding", "br")
            .header("X-Other", "x");
        assert_eq!(fetched.content_encoding.as_deref(), Some("gzip, br"));
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
    fn settings_that_have_no_effect_cause_a_warning() {
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
