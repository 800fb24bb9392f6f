//! What does one fetch of a key set give?

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use super::{Algorithms, KeySet, discovery, freshness, source};
use crate::clock::Monotonic;
use crate::error::{Code, Error, Result};
use crate::policy::Remote;

/// How to get at a key set behind a URL.
#[derive(Debug)]
pub(crate) struct Loader {
    pub(crate) url: String,
    pub(crate) kind: Kind,
    pub(crate) settings: Remote,
    pub(crate) allowed: Algorithms,
    pub(crate) fetch: Arc<dyn Fetch>,
    /// By which the keys age.
    pub(crate) clock: Monotonic,
    /// All times are counted from then.
    pub(crate) started: Instant,
}

/// What the URL leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The key set itself.
    Jwks,
    /// An issuer, whose metadata says where the key set is (OIDC Discovery 1.0 §4). With `advertised`, keys are used
    /// with the algorithms that the metadata names, RS256 if it names none.
    Discovery { advertised: bool },
}

/// A set that was fetched. Times are counted from the loader's start.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Where the set was, and with which algorithms its keys were prepared.
    pub(super) url: String,
    pub(super) allowed: Algorithms,
    pub(super) keys: Arc<KeySet>,
    pub(super) at: Duration,
    /// From then on the first caller looks for a newer set.
    pub(super) refresh_at: Duration,
    pub(super) fresh_until: Duration,
    /// Until then it is used while fetching fails.
    pub(super) usable_until: Duration,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

/// A fetch that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: Code,
    /// The URL of the document, without its query.
    pub(super) place: String,
    pub(super) failed: FetchFailed,
    pub(super) at: Duration,
}

impl Loader {
    /// The time since the start.
    pub(super) fn now(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.started)
    }

    /// Fetches a set; `before` is the one that is there, for a server that says that nothing has changed.
    ///
    /// # Errors
    /// Which document could not be had, or read, and why.
    pub(super) fn load(&self, before: Option<&Loaded>) -> Result<Loaded, Failure> {
        // One deadline for all that a fetch takes.
        let deadline = Instant::now() + self.settings.timeout;
        let (url, allowed) = match self.kind {
            Kind::Jwks => (self.url.clone(), self.allowed),
            Kind::Discovery { advertised } => {
                let place = discovery::metadata_url(&self.url);
                let document = self.get(
                    &place,
                    discovery::MAX_BYTES,
                    None,
                    deadline,
                    Code::DiscoveryFailed,
                )?;
                let metadata =
                    discovery::Metadata::read(&document.body, &self.url, self.settings.insecure_http)
                        .map_err(|why| self.unreadable(&place, &why, &document))?;
                let named = if advertised {
                    metadata.algorithms
                } else {
                    self.allowed
                };
                (metadata.jwks_uri, named.intersection(self.allowed))
            }
        };
        // What a server said about one document says nothing about another.
        let before = before.filter(|before| before.url == url && before.allowed == allowed);
        let fetched = self.get(
            &url,
            self.settings.max_bytes,
            before,
            deadline,
            Code::KeySourceUnavailable,
        )?;
        let keys = match (fetched.status, before) {
            (304, Some(before)) => Arc::clone(&before.keys),
            _ => {
                let text = std::str::from_utf8(&fetched.body)
                    .map_err(|_| Error::new(Code::KeySetInvalid).with_detail("it is not UTF-8"));
                let keys = text.and_then(|text| source::fetched_set(text, allowed));
                Arc::new(keys.map_err(|why| self.unreadable(&url, &why, &fetched))?)
            }
        };
        let now = self.now();
        let ttl = freshness::ttl(&fetched, self.settings.cache_ttl);
        let (etag, last_modified) = match before {
            Some(before) if fetched.status == 304 => (before.etag.clone(), before.last_modified.clone()),
            _ => (None, None),
        };
        Ok(Loaded {
            url,
            allowed,
            keys,
            at: now,
            refresh_at: now + freshness::refresh_after(ttl),
            fresh_until: now + ttl,
            usable_until: now + ttl + self.settings.max_stale,
            etag: fetched.etag.or(etag),
            last_modified: fetched.last_modified.or(last_modified),
        })
    }

    fn get(
        &self,
        url: &str,
        max_bytes: u64,
        before: Option<&Loaded>,
        deadline: Instant,
        code: Code,
    ) -> Result<Fetched, Failure> {
        let fetched = self.fetch.get(&FetchRequest {
            url,
            timeout: deadline.saturating_duration_since(Instant::now()),
            max_bytes,
            if_none_match: before.and_then(|before| before.etag.as_deref()),
            if_modified_since: before.and_then(|before| before.last_modified.as_deref()),
        });
        let failed = match fetched {
            // The host's own client may not have looked.
            Ok(fetched) if byte_count(&fetched) > max_bytes => FetchFailed {
                status: Some(fetched.status),
                bytes_read: byte_count(&fetched),
                ..FetchFailed::new(Phase::Http, format!("the body is larger than {max_bytes} bytes"))
            },
            Ok(fetched) if fetched.status == 200 || (fetched.status == 304 && before.is_some()) => {
                return Ok(fetched);
            }
            Ok(fetched) => FetchFailed {
                status: Some(fetched.status),
                bytes_read: byte_count(&fetched),
                ..FetchFailed::new(Phase::Http, format!("status {}", fetched.status))
            },
            Err(failed) => failed,
        };
        Err(self.failure(code, url, failed))
    }

    fn unreadable(&self, url: &str, why: &Error, fetched: &Fetched) -> Failure {
        let code = match why.code() {
            Code::KeyInvalid => Code::KeySetInvalid,
            code => code,
        };
        let reason = why.detail().unwrap_or_else(|| why.code().message());
        let failed = FetchFailed {
            status: Some(fetched.status),
            bytes_read: byte_count(fetched),
            ..FetchFailed::new(Phase::Parse, reason)
        };
        self.failure(code, url, failed)
    }

    /// What became of a fetch that did not come back.
    pub(super) fn broken_off(&self) -> Failure {
        let failed = FetchFailed::new(Phase::Http, "the fetch broke off by a mistake of the client");
        self.failure(Code::KeySourceUnavailable, &self.url, failed)
    }

    fn failure(&self, code: Code, url: &str, failed: FetchFailed) -> Failure {
        Failure {
            code,
            place: place(url).to_owned(),
            failed,
            at: self.now(),
        }
    }
}

impl Failure {
    pub(super) fn error(&self) -> Error {
        Error::new(self.code).with_detail(format!("{}: {}", self.place, self.failed))
    }
}

/// A URL without its query, which may hold a secret.
pub(super) fn place(url: &str) -> &str {
    url.split_once('?').map_or(url, |(place, _)| place)
}

fn byte_count(fetched: &Fetched) -> u64 {
    u64::try_from(fetched.body.len()).unwrap_or(u64::MAX)
}
