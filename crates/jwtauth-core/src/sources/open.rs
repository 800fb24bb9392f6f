//! Opens a key source of the policy: reads its keys, or prepares what is needed to fetch them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fetch::Fetch;
use super::load::{Endpoint, Loader};
use super::remote::RemoteSource;
use crate::clock::Monotonic;
use crate::error::{Code, Error, Result};
use crate::events::Observer;
use crate::file::{self, Files};
use crate::keys::KeySet;
use crate::keys::prepare::Preparation;
use crate::policy::{
    DiscoveredAlgorithms, FetchSettings, IssuerTemplate, KeyIssuers, KeySpec, KidRule, Origin, url,
};
use crate::warning::{Rule, Warning, beside};

/// An opened key source.
#[derive(Debug)]
pub(super) enum KeySource {
    /// A source with keys in the configuration or in a file. They were read when the verifier was built.
    Fixed(KeySet),
    /// A source that fetches its keys.
    Fetched(Arc<RemoteSource>),
}

/// What the application supplies when it builds a verifier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Environment<'e> {
    /// Where the files are that the policy names.
    pub(crate) files: &'e Files,
    /// The application's client for fetching keys, instead of the library's own client.
    pub(crate) fetch: Option<&'e Arc<dyn Fetch>>,
    /// The clock that measures the age of fetched keys.
    pub(crate) clock: &'e Monotonic,
    /// What reports the fetches.
    pub(crate) observer: Option<&'e Observer>,
}

/// Opens one source. Reads files and fetches nothing.
///
/// # Errors
/// [`Code::KeyInvalid`], [`Code::ConfigInvalid`].
pub(super) fn open(
    spec: &KeySpec,
    kid: KidRule,
    preparation: &mut Preparation<'_>,
    environment: Environment<'_>,
) -> Result<KeySource> {
    read(spec, kid, preparation, environment)
        .map_err(|error| within(&format!("`{}`", preparation.place), &error))
}

fn read(
    spec: &KeySpec,
    kid: KidRule,
    preparation: &mut Preparation<'_>,
    environment: Environment<'_>,
) -> Result<KeySource> {
    let path = |path: &PathBuf| environment.files.path(path);
    let keys = match &spec.origin {
        Origin::Pem(text) => preparation.pem(text),
        Origin::Jwk(text) => preparation.jwk(text),
        Origin::Jwks(text) => preparation.jwks(text),
        Origin::Secret(secret) => preparation.secret(secret.as_bytes()),
        Origin::PemFile(file) => {
            let file = path(file)?;
            let text = file::read_text(&file)?;
            preparation.pem(&text).map_err(|error| in_file(&file, &error))
        }
        Origin::JwksFile(file) => {
            let file = path(file)?;
            let text = file::read_text(&file)?;
            preparation.jwks(&text).map_err(|error| in_file(&file, &error))
        }
        Origin::SecretFile(file) => {
            let file = path(file)?;
            let bytes = file::read(&file)?;
            let secret = preparation.secret(without_newline(&bytes));
            secret.map_err(|error| in_file(&file, &error))
        }
        Origin::JwksUrl(jwks) => {
            return remote(
                &jwks.url,
                Endpoint::Jwks,
                &jwks.settings,
                (kid, &spec.issuers),
                preparation,
                environment,
            );
        }
        Origin::OidcDiscoveryUrl(issuer) => {
            let advertised = issuer.algorithms == DiscoveredAlgorithms::Advertised;
            let endpoint = Endpoint::Discovery { advertised };
            return remote(
                &issuer.issuer,
                endpoint,
                &issuer.settings,
                (kid, &spec.issuers),
                preparation,
                environment,
            );
        }
    };
    keys.map(KeySource::Fixed)
}

fn remote(
    url: &str,
    endpoint: Endpoint,
    settings: &FetchSettings,
    (kid, issuers): (KidRule, &KeyIssuers),
    preparation: &mut Preparation<'_>,
    environment: Environment<'_>,
) -> Result<KeySource> {
    let check = match endpoint {
        Endpoint::Jwks => url::check,
        Endpoint::Discovery { .. } => url::check_issuer,
    };
    check(url, settings.insecure_http).map_err(|why| Error::new(Code::ConfigInvalid).with_detail(why))?;
    if settings.cool_down < settings.timeout {
        preparation.warnings.push(Warning::new(Rule::CoolDownTooShort, beside(preparation.place, "cool_down"),
            "`cool_down` is shorter than `timeout`: while the server hangs, tokens with an unknown `kid` cause one fetch after the other; set a longer `cool_down`",
        ));
    }
    let is_discovered = matches!(endpoint, Endpoint::Discovery { .. });
    if settings.bearer_token_file.is_some()
        && is_discovered
        && !settings.same_host
        && environment.fetch.is_none()
    {
        preparation.warnings.push(Warning::new(Rule::BearerTokenToAnyHost, beside(preparation.place, "bearer_token_file"),
            "the token of `bearer_token_file` is sent to every host that the issuer's metadata names as `jwks_uri`; set `same_host` if the keys are on the issuer's host",
        ));
    }
    let fetch = match environment.fetch {
        Some(own) => {
            let ignored = settings.for_the_built_in_client();
            if !ignored.is_empty() {
                let ignored = ignored.join("`, `");
                preparation.warnings.push(Warning::new(
                    Rule::NoEffect,
                    preparation.place,
                    format!(
                        "keys are fetched by the application's function; this has no effect: `{ignored}`"
                    ),
                ));
            }
            Arc::clone(own)
        }
        None => built_in(settings, environment.files)?,
    };
    let loader = Loader {
        place: preparation.place.to_owned(),
        url: url.to_owned(),
        endpoint,
        settings: settings.clone(),
        allowed: preparation.allowed,
        // The first set that has a `kid` decides, even if its key cannot be used.
        names_alone: kid == KidRule::Required,
        issuer_template: issuers.template().map(IssuerTemplate::text),
        fetch,
        started: environment.clock.now(),
        clock: environment.clock.clone(),
    };
    let source = RemoteSource::new(loader, environment.observer.cloned());
    Ok(KeySource::Fetched(Arc::new(source)))
}

/// The library's own client for one key source.
#[cfg(feature = "http")]
fn built_in(settings: &FetchSettings, files: &Files) -> Result<Arc<dyn Fetch>> {
    Ok(Arc::new(super::client::Client::open(settings, files)?))
}

#[cfg(not(feature = "http"))]
fn built_in(_: &FetchSettings, _: &Files) -> Result<Arc<dyn Fetch>> {
    Err(Error::new(Code::ConfigInvalid).with_detail(
        "this build has no HTTP client; to use keys from a URL, pass the application's fetch function with the configuration",
    ))
}

/// The bytes of a secret without one final newline, which editors add to files.
fn without_newline(bytes: &[u8]) -> &[u8] {
    let line = bytes
        .strip_suffix(b"\n")
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    line.unwrap_or(bytes)
}

fn in_file(path: &Path, error: &Error) -> Error {
    within(&format!("`{}`", path.display()), error)
}

fn within(place: &str, error: &Error) -> Error {
    Error::new(error.code()).with_detail(format!("{place}: {}", error.reason()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_final_newline_is_not_part_of_a_secret() {
        for (text, secret) in [
            (&b"secret"[..], &b"secret"[..]),
            (b"secret\n", b"secret"),
            (b"secret\r\n", b"secret"),
            (b"secret\n\n", b"secret\n"),
            (b"secret\r", b"secret\r"),
            (b"\n", b""),
            (b"", b""),
        ] {
            assert_eq!(without_newline(text), secret, "{text:?}");
        }
    }

    #[cfg(not(feature = "http"))]
    #[test]
    fn without_the_built_in_client_a_url_needs_a_fetcher() {
        let why = built_in(&FetchSettings::default(), &Files::below("")).unwrap_err();
        assert_eq!(why.code(), Code::ConfigInvalid);
        assert!(why.to_string().contains("no HTTP client"), "{why}");
    }
}
