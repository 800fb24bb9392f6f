//! What does an operator want to know about a key source?

use serde::Serialize;

use super::fetch::{FetchFailed, Phase};

/// A key source as it is now.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SourceStatus {
    /// Where it stands in the policy.
    pub source: String,
    /// Whether its keys can be used.
    pub state: SourceState,
    /// How many keys can be used.
    pub keys: usize,
    /// The names of those that have one.
    pub kids: Vec<String>,
    /// What there is to say about a source that fetches its keys.
    #[serde(flatten)]
    pub fetching: Option<FetchStatus>,
}

/// Whether the keys of a source can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// They stand in the configuration or in a file, and were read when the verifier was built.
    Fixed,
    /// They were never fetched.
    Unfetched,
    /// They were fetched, and their time is not over.
    Fresh,
    /// Their time is over, and they are used until newer ones can be had.
    Stale,
    /// They are too old to be used.
    Expired,
}

/// How fetching goes. Times are in whole seconds.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FetchStatus {
    /// The URL of the key set or of the issuer, without its query.
    pub url: String,
    /// Where the issuer said that its key set is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// How long ago the server last said what its keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
    /// In how long the next request looks for newer keys; zero: the next one that comes.
    pub next_refresh: u64,
    /// Whether the last fetch failed.
    pub failing: bool,
    /// The last failure, also after it was overcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// How often the source was asked.
    pub fetches: u64,
    /// How often that failed.
    pub failures: u64,
    /// How many requests were decided with keys whose time was over.
    pub served_stale: u64,
    /// How many requests named a key that the source does not have.
    pub unknown_kid: u64,
}

/// The last failure of a fetch.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LastFailure {
    /// How far it came.
    pub phase: Phase,
    /// The status, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong.
    pub reason: String,
    /// How much of the body there was.
    pub bytes_read: u64,
    /// How long ago it was.
    pub age: u64,
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
