//! One fetch of a key set: its documents become keys with a lifetime.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use super::{discovery, fetch, freshness};
use crate::clock::Monotonic;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::keys::prepare::{self, Secrets};
use crate::keys::{Algorithms, KeySet};
use crate::policy::FetchSettings;
use crate::policy::url::without_query;
use crate::warning::Warning;

/// Loads a key set from a URL.
pub(crate) struct Loader {
    /// The path of the source in the configuration.
    pub(crate) place: String,
    pub(crate) url: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) settings: FetchSettings,
    pub(crate) allowed: Algorithms,
    /// Whether a set without a usable key is accepted if its keys have names.
    pub(crate) names_alone: bool,
    /// The common form of the issuers, if the source has many. Metadata names it instead of the URL, and a key that
    /// names an issuer signs only for that issuer.
    pub(crate) issuer_template: Option<String>,
    pub(crate) fetch: Arc<dyn Fetch>,
    /// The clock that measures the age of the keys.
    pub(crate) clock: Monotonic,
    /// The instant from which all times are counted.
    pub(crate) started: Instant,
}

/// The kind of document at the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// The key set itself.
    Jwks,
    /// An issuer, whose metadata names the URL of the key set (OIDC Discovery 1.0 §4). With `advertised`, keys are
    /// used only with the algorithms that the metadata names, or RS256 if it names none.
    Discovery { advertised: bool },
}

/// A fetched set. Times are counted from the loader's start.
pub(super) struct Loaded {
    /// The URL of the set, and the algorithms that its keys were prepared for.
    pub(super) url: String,
    pub(super) allowed: Algorithms,
    pub(super) keys: Arc<KeySet>,
    /// The warnings about the keys.
    pub(super) warnings: Arc<[Warning]>,
    /// The metadata of the issuer. `None` if the set does not come from an issuer.
    metadata: Option<(discovery::Metadata, Version)>,
    version: Version,
    pub(super) at: Duration,
    /// The time from which the first caller fetches a newer set.
    pub(super) refresh_at: Duration,
    pub(super) fresh_until: Duration,
    /// The time until which the set is used while fetching fails.
    pub(super) usable_until: Duration,
}

/// The headers of a document that a later fetch needs.
#[derive(Clone)]
struct Version {
    etag: Option<String>,
    last_modified: Option<String>,
    /// The lifetime of the document.
    ttl: Duration,
}

/// A failed fetch.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: Code,
    /// The URL of the document, without its query.
    pub(super) url: String,
    pub(super) failed: FetchFailed,
    pub(super) at: Duration,
}

impl Loader {
    /// The time since the start.
    pub(super) fn now(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.started)
    }

    /// Fetches a set. `before` is the cached set; the server may report that it is unchanged.
    ///
    /// # Errors
    /// The document that could not be fetched or read, and the reason.
    pub(super) fn load(&self, before: Option<&Loaded>) -> Result<Loaded, Failure> {
        // One deadline for all requests of a fetch.
        let deadline = self.clock.now() + self.settings.timeout;
        let (url, allowed, metadata) = match self.endpoint {
            Endpoint::Jwks => (self.url.clone(), self.allowed, None),
            Endpoint::Discovery { advertised } => {
                let before = before.and_then(|before| before.metadata.as_ref());
                let (metadata, version) = self.metadata(before, deadline)?;
                let named = if advertised {
                    metadata.algorithms
                } else {
                    self.allowed
                };
                let allowed = named.intersection(self.allowed);
                (metadata.jwks_uri.clone(), allowed, Some((metadata, version)))
            }
        };
        // The headers of one document are not valid for another.
        let before = before.filter(|before| before.url == url && before.allowed == allowed);
        let document = Document {
            url: &url,
            accept: fetch::KEY_SET,
            max_bytes: self.settings.max_bytes,
            before: before.map(|before| &before.version),
            deadline,
            code: Code::KeySourceUnavailable,
        };
        let fetched = self.get(&document)?;
        let (keys, warnings) = match (fetched.status, before) {
            (304, Some(before)) => (Arc::clone(&before.keys), Arc::clone(&before.warnings)),
            _ => {
                let text = std::str::from_utf8(&fetched.body)
                    .map_err(|_| Error::new(Code::KeySetInvalid).with_detail("the response is not UTF-8"));
                let keys = text.and_then(|text| self.key_set(text, allowed));
                let (keys, warnings) = keys.map_err(|why| self.unreadable(&url, &why, &fetched))?;
                (Arc::new(keys), warnings.into())
            }
        };
        let version = self.version(fetched, document.before);
        let ttl = metadata
            .as_ref()
            .map_or(version.ttl, |(_, of)| of.ttl.min(version.ttl));
        let now = self.now();
        Ok(Loaded {
            url,
            allowed,
            keys,
            warnings,
            metadata,
            version,
            at: now,
            refresh_at: now + freshness::refresh_after(ttl),
            fresh_until: now + ttl,
            usable_until: now + ttl + self.settings.max_stale,
        })
    }

    fn key_set(&self, text: &str, allowed: Algorithms) -> Result<(KeySet, Vec<Warning>)> {
        let secrets = if self.settings.insecure_symmetric_keys {
            Secrets::UsedWithWarning
        } else {
            Secrets::Skipped
        };
        let key_issuers = self.issuer_template.is_some();
        prepare::fetched_set(text, allowed, self.names_alone, secrets, key_issuers)
    }

    /// Fetches the metadata of an issuer, or keeps the cached metadata if it is unchanged.
    fn metadata(
        &self,
        before: Option<&(discovery::Metadata, Version)>,
        deadline: Instant,
    ) -> Result<(discovery::Metadata, Version), Failure> {
        let place = discovery::metadata_url(&self.url);
        let document = Document {
            url: &place,
            accept: fetch::METADATA,
            max_bytes: discovery::MAX_BYTES,
            before: before.map(|(_, version)| version),
            deadline,
            code: Code::DiscoveryFailed,
        };
        let fetched = self.get(&document)?;
        let metadata = match (fetched.status, before) {
            (304, Some((metadata, _))) => metadata.clone(),
            _ => {
                let issuer = self.issuer_template.as_deref().unwrap_or(&self.url);
                discovery::Metadata::read(&fetched.body, issuer, &self.url, &self.settings)
                    .map_err(|why| self.unreadable(&place, &why, &fetched))?
            }
        };
        Ok((metadata, self.version(fetched, document.before)))
    }

    /// The headers of a document. A response that reports "unchanged" may omit headers; the earlier ones then stay
    /// valid (RFC 9111 §4.3.4).
    fn version(&self, fetched: Fetched, before: Option<&Version>) -> Version {
        let before = before.filter(|_| fetched.status == 304);
        let ttl = match before {
            Some(before) if fetched.cache_control.is_none() && fetched.expires.is_none() => before.ttl,
            _ => freshness::ttl(&fetched, self.settings.cache_ttl),
        };
        Version {
            etag: fetched.etag.or_else(|| before?.etag.clone()),
            last_modified: fetched.last_modified.or_else(|| before?.last_modified.clone()),
            ttl,
        }
    }

    fn get(&self, document: &Document<'_>) -> Result<Fetched, Failure> {
        let Document { url, max_bytes, .. } = *document;
        let timeout = document.deadline.saturating_duration_since(self.clock.now());
        // Some clients treat a timeout of zero as no timeout.
        if timeout < Duration::from_millis(1) {
            let failed = FetchFailed::new(Phase::Http, "the timeout elapsed before the request was sent");
            return Err(self.failure(document.code, url, failed));
        }
        let before = document.before;
        let request = FetchRequest {
            url,
            accept: document.accept,
            timeout,
            max_bytes,
            if_none_match: before.and_then(|before| before.etag.as_deref()),
            if_modified_since: before.and_then(|before| before.last_modified.as_deref()),
        };
        // A 304 is valid only for a conditional request.
        let may_be_unchanged = request.if_none_match.is_some() || request.if_modified_since.is_some();
        let failed = match self.fetch.get(&request) {
            // A client of the application may not have checked the limit.
            Ok(fetched) if byte_count(&fetched) > max_bytes => FetchFailed {
                status: Some(fetched.status),
                bytes_read: byte_count(&fetched),
                ..FetchFailed::new(
                    Phase::Http,
                    format!("the response body is larger than {max_bytes} bytes"),
                )
            },
            Ok(fetched) if fetched.status == 200 || (fetched.status == 304 && may_be_unchanged) => {
                return Ok(fetched);
            }
            Ok(fetched) => FetchFailed {
                status: Some(fetched.status),
                bytes_read: byte_count(&fetched),
                ..FetchFailed::new(Phase::Http, format!("status {}", fetched.status))
            },
            Err(failed) => failed,
        };
        Err(self.failure(document.code, url, failed))
    }

    fn unreadable(&self, url: &str, why: &Error, fetched: &Fetched) -> Failure {
        let code = match why.code() {
            Code::KeyInvalid => Code::KeySetInvalid,
            code => code,
        };
        // A client of the application may decompress the body and keep the header. So only a body that is not even JSON
        // is explained by it.
        let reason = match fetched.encodings() {
            Some(encodings) if !is_json(&fetched.body) => format!(
                "the response has `Content-Encoding: {encodings}`, which was not requested and is not decoded; the server must send the document without compression"
            ),
            _ => why.reason().to_owned(),
        };
        let failed = FetchFailed {
            status: Some(fetched.status),
            bytes_read: byte_count(fetched),
            ..FetchFailed::new(Phase::Parse, reason)
        };
        self.failure(code, url, failed)
    }

    /// The failure of a fetch that ended in a panic.
    pub(super) fn aborted(&self) -> Failure {
        let failed = FetchFailed::new(Phase::Http, "the fetch was aborted by a panic in the client");
        self.failure(Code::KeySourceUnavailable, &self.url, failed)
    }

    fn failure(&self, code: Code, url: &str, failed: FetchFailed) -> Failure {
        Failure {
            code,
            url: without_query(url).to_owned(),
            failed,
            at: self.now(),
        }
    }
}

/// A document to fetch.
struct Document<'a> {
    url: &'a str,
    accept: &'a str,
    max_bytes: u64,
    before: Option<&'a Version>,
    deadline: Instant,
    /// The code of a failure to fetch it.
    code: Code,
}

impl fmt::Debug for Loader {
    /// Prints the URL without its query.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Loader")
            .field("url", &without_query(&self.url))
            .field("endpoint", &self.endpoint)
            .field("settings", &self.settings)
            .field("fetch", &self.fetch)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Loaded {
    /// Prints the URL without its query.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Loaded")
            .field("url", &without_query(&self.url))
            .field("keys", &self.keys)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl Failure {
    /// The error for callers. `place` is the path of the source in the configuration.
    pub(super) fn error(&self, place: &str) -> Error {
        let Failure { url, failed, .. } = self;
        Error::new(self.code).with_detail(format!("`{place}`: {url}: {failed}"))
    }
}

fn is_json(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| json::parse(text).is_ok())
}

fn byte_count(fetched: &Fetched) -> u64 {
    u64::try_from(fetched.body.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
