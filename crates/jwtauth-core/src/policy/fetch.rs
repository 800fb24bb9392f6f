//! The settings of fetched key sets.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::secret::Secret;
use crate::duration;

/// The settings of a fetched key set (`docs/keys-over-http.md`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FetchSettings {
    /// The certificates of the authorities that are trusted instead of the system's, as PEM text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
    /// A file with these certificates. It is read again before each fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The client's certificate and the intermediate certificates, as PEM text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cert_pem: Option<String>,
    /// The private key of the client's certificate, as PEM text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key_pem: Option<Secret>,
    /// A file with the client's certificate. It is read again before each fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cert_file: Option<PathBuf>,
    /// A file with the private key. It is read again before each fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key_file: Option<PathBuf>,
    /// A file with a bearer token to send. It is read again before each fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token_file: Option<PathBuf>,
    /// The maximum lifetime of a set. Zero: it is fetched for every request.
    #[serde(serialize_with = "duration::serialize")]
    pub cache_ttl: Duration,
    /// The least time between two fetches for an unknown `kid` or a bad signature.
    #[serde(serialize_with = "duration::serialize")]
    pub cool_down: Duration,
    /// How long an expired set is used while fetching fails.
    #[serde(serialize_with = "duration::serialize")]
    pub max_stale: Duration,
    /// The time limit of one fetch, from the name lookup to the last byte.
    #[serde(serialize_with = "duration::serialize")]
    pub timeout: Duration,
    /// The largest key set, in bytes.
    pub max_bytes: u64,
    /// The number of redirects to follow. They must stay on the same scheme and host.
    #[serde(skip_serializing_if = "is_zero")]
    pub redirects: u32,
    /// Whether the key set of a discovered issuer must be on the issuer's host.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub same_host: bool,
    /// Whether the proxies of the environment are used.
    #[serde(rename = "proxy", skip_serializing_if = "ProxyRule::is_environment")]
    pub proxy: ProxyRule,
    /// Whether plain http is allowed for hosts other than loopback.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub insecure_http: bool,
    /// Whether the server's certificate is not checked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub insecure_skip_verify: bool,
    /// Whether shared secrets in the fetched set are used.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub insecure_symmetric_keys: bool,
}

impl Default for FetchSettings {
    fn default() -> FetchSettings {
        FetchSettings {
            ca_pem: None,
            ca_file: None,
            client_cert_pem: None,
            client_key_pem: None,
            client_cert_file: None,
            client_key_file: None,
            bearer_token_file: None,
            cache_ttl: Duration::from_secs(15 * 60),
            cool_down: Duration::from_secs(30),
            max_stale: Duration::from_secs(24 * 3600),
            timeout: Duration::from_secs(5),
            max_bytes: 1024 * 1024,
            redirects: 0,
            same_host: false,
            proxy: ProxyRule::Environment,
            insecure_http: false,
            insecure_skip_verify: false,
            insecure_symmetric_keys: false,
        }
    }
}

impl FetchSettings {
    /// The settings that differ from the default and that only the library's own client uses.
    pub(crate) fn for_the_built_in_client(&self) -> Vec<&'static str> {
        let FetchSettings {
            ca_pem,
            ca_file,
            client_cert_pem,
            client_key_pem,
            client_cert_file,
            client_key_file,
            bearer_token_file,
            redirects,
            proxy,
            insecure_skip_verify,
            // Every client is bound by these, or the loading of a set is.
            cache_ttl: _,
            cool_down: _,
            max_stale: _,
            timeout: _,
            max_bytes: _,
            same_host: _,
            insecure_http: _,
            insecure_symmetric_keys: _,
        } = self;
        [
            ("ca_pem", ca_pem.is_some()),
            ("ca_file", ca_file.is_some()),
            ("client_cert_pem", client_cert_pem.is_some()),
            ("client_key_pem", client_key_pem.is_some()),
            ("client_cert_file", client_cert_file.is_some()),
            ("client_key_file", client_key_file.is_some()),
            ("bearer_token_file", bearer_token_file.is_some()),
            ("redirects", *redirects != 0),
            ("proxy", *proxy != ProxyRule::default()),
            ("insecure_skip_verify", *insecure_skip_verify),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }
}

/// The proxy of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProxyRule {
    /// The proxy that `HTTPS_PROXY` and `NO_PROXY` specify.
    #[default]
    Environment,
    /// No proxy.
    None,
}

impl ProxyRule {
    fn is_environment(&self) -> bool {
        *self == ProxyRule::Environment
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}
