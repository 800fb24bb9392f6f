//! Discovery of an issuer's key set (OpenID Connect Discovery 1.0 §4).

use crate::error::{Code, Error, Result};
use crate::json::{self, Value};
use crate::keys::{Algorithm, Algorithms};
use crate::policy::{FetchSettings, url};

/// The largest metadata document, in bytes.
pub(super) const MAX_BYTES: u64 = 256 * 1024;

/// The members of an issuer's metadata that the library uses.
#[derive(Clone)]
pub(super) struct Metadata {
    pub(super) jwks_uri: String,
    /// The algorithms that the issuer signs with. RS256 if the metadata names none.
    pub(super) algorithms: Algorithms,
}

/// The URL of an issuer's metadata.
pub(super) fn metadata_url(issuer: &str) -> String {
    format!(
        "{}/.well-known/openid-configuration",
        issuer.strip_suffix('/').unwrap_or(issuer)
    )
}

impl Metadata {
    /// Reads the metadata of `issuer`, which was found through `url`.
    ///
    /// # Errors
    /// [`Code::DiscoveryFailed`], [`Code::DiscoveryIssuerMismatch`].
    pub(super) fn read(body: &[u8], issuer: &str, url: &str, settings: &FetchSettings) -> Result<Metadata> {
        let failed = |problem: String| Error::new(Code::DiscoveryFailed).with_detail(problem);
        let text = std::str::from_utf8(body)
            .map_err(|_| failed("the discovery document is not UTF-8".to_owned()))?;
        let document = json::parse(text).map_err(|why| failed(why.to_string()))?;
        let member = |name: &str| document.as_object().and_then(|object| object.get(name));
        let text = |name: &str| {
            member(name)
                .and_then(Value::as_str)
                .ok_or_else(|| failed(format!("the discovery document has no `{name}`")))
        };
        let named = text("issuer")?;
        // The comparison is byte for byte: a trailing slash makes a different issuer (§4.3).
        if named != issuer {
            let named: String = named
                .chars()
                .filter(|letter| !letter.is_control())
                .take(200)
                .collect();
            return Err(Error::new(Code::DiscoveryIssuerMismatch).with_detail(format!(
                "expected `{issuer}`, but the discovery document names `{named}`"
            )));
        }
        let jwks_uri = text("jwks_uri")?;
        url::check(jwks_uri, settings.insecure_http).map_err(|why| failed(format!("`jwks_uri`: {why}")))?;
        if url::is_https(url) && !url::is_https(jwks_uri) && !settings.insecure_http {
            return Err(failed("`jwks_uri` must be https".to_owned()));
        }
        if settings.same_host && !url::have_same_host(url, jwks_uri) {
            return Err(failed(
                "`jwks_uri` has another scheme, host or port than the issuer, which `same_host` does not allow"
                    .to_owned(),
            ));
        }
        let named = member("id_token_signing_alg_values_supported")
            .and_then(Value::as_array)
            .unwrap_or_default();
        let algorithms: Algorithms = named
            .iter()
            .filter_map(Value::as_str)
            .filter_map(Algorithm::parse)
            .filter(|one| !one.is_symmetric())
            .collect();
        let algorithms = if algorithms.is_empty() {
            Algorithms::default().with(Algorithm::RS256)
        } else {
            algorithms
        };
        Ok(Metadata {
            jwks_uri: jwks_uri.to_owned(),
            algorithms,
        })
    }
}
