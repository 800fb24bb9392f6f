//! The state of key sources, for operators.

use serde::Serialize;

use super::fetch::{FetchFailed, Phase};
use crate::keys::KeySet;
use crate::warning::Warning;

/// The current state of a key source.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The path of the source in the configuration.
    pub source: String,
    /// Whether its keys can be used.
    pub state: SourceState,
    /// The number of usable keys.
    pub keys: usize,
    /// The names of the usable keys that have one.
    pub kids: Vec<String>,
    /// The first 16 keys that cannot be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedKey>,
    /// The number of keys that cannot be used.
    #[serde(skip_serializing_if = "is_zero")]
    pub skipped_count: usize,
    /// The state of fetching. `None` if the source does not fetch its keys.
    #[serde(flatten)]
    pub fetching: Option<FetchStatus>,
}

/// A key that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SkippedKey {
    /// Its position in the key set, from 0.
    pub index: usize,
    /// Its name, if it has one: at most 200 characters of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Why it cannot be used.
    pub reason: String,
}

/// Whether the keys of a source can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// They are in the configuration or in a file, and were read when the verifier was built.
    Fixed,
    /// They were never fetched.
    Unfetched,
    /// They were fetched and are within their lifetime.
    Fresh,
    /// They are older than their lifetime, but are used until newer ones can be fetched.
    Stale,
    /// They are too old to be used.
    Expired,
}

/// The state of fetching. Times are in whole seconds.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FetchStatus {
    /// The URL of the key set or of the issuer, without its query.
    pub url: String,
    /// The URL of the key set, as the issuer's metadata names it, without its query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The time since the server last confirmed the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
    /// The time until a request fetches newer keys. Zero: the next request does.
    pub next_refresh: u64,
    /// Whether the last fetch failed.
    pub failing: bool,
    /// The last failure, even if a later fetch succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// The number of fetches.
    pub fetches: u64,
    /// The number of failed fetches.
    pub failures: u64,
    /// The number of requests that were decided with stale keys.
    pub served_stale: u64,
    /// The number of requests with a `kid` that the source does not have.
    pub unknown_kid: u64,
    /// The warnings about the fetched keys that are used. The place of a warning is in the key set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// The last failure of a fetch.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LastFailure {
    /// The phase in which the fetch failed.
    pub phase: Phase,
    /// The HTTP status, if the server sent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong.
    pub reason: String,
    /// The number of bytes of the body that were read.
    pub bytes_read: u64,
    /// The time since the failure.
    pub age: u64,
}

/// The state of the keys of a source.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) count: usize,
    pub(super) kids: Vec<String>,
    pub(super) skipped: Vec<SkippedKey>,
    pub(super) skipped_count: usize,
}

impl Keys {
    /// A server chooses how many keys it sends and how long their names are, so the skipped ones are cut.
    pub(super) fn of(set: &KeySet) -> Keys {
        let (count, kids) = set.count_and_kids();
        let skipped = set.skipped().take(MAX_SKIPPED);
        let skipped = skipped.map(|(index, kid, why)| SkippedKey {
            index,
            kid: kid.map(|kid| kid.chars().take(MAX_KID).collect()),
            reason: why.to_owned(),
        });
        Keys {
            count,
            kids,
            skipped: skipped.collect(),
            skipped_count: set.skipped().count(),
        }
    }
}

impl LastFailure {
    pub(super) fn new(failed: &FetchFailed, age: u64) -> LastFailure {
        LastFailure {
            phase: failed.phase,
            status: failed.status,
            reason: failed.reason.clone(),
            bytes_read: failed.bytes_read,
            age,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

/// The most skipped keys in a status.
const MAX_SKIPPED: usize = 16;

/// The most characters of the name of a skipped key.
const MAX_KID: usize = 200;
