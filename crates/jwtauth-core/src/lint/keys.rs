//! Rules about key sources, and about where the token is.

use std::collections::BTreeSet;

use super::subject::Subject;
use crate::dialect::Dialect;
use crate::json::{self, Value};
use crate::policy::url::{Scheme, Url, without_query};
use crate::policy::{FetchSettings, KeySpec, Origin};
use crate::warning::{Rule, Warning, beside};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Warning>) {
    let profiles = subject.policy.profiles.all();
    let issuers = profiles.flat_map(|profile| &profile.claims.issuers);
    let issuers: BTreeSet<String> = issuers.map(|issuer| bare(&issuer.text())).collect();
    for source in &subject.policy.keys.sources {
        match &source.origin {
            Origin::JwksUrl(fetched) => {
                key_set(subject, source, &fetched.url, &issuers, found);
                fetch(subject, source, (&fetched.url, &fetched.settings), found);
            }
            Origin::OidcDiscoveryUrl(discovered) => {
                fetch(subject, source, (&discovered.issuer, &discovered.settings), found);
            }
            Origin::Secret(_) => secret(source, "set `secret_file`", found),
            Origin::Jwk(text) | Origin::Jwks(text) if has_secret(text) => {
                let advice = match subject.dialect {
                    Dialect::Grafana => "set `jwk_set_file`",
                    Dialect::Native | Dialect::Consul | Dialect::Vault => "set `jwks_file`",
                };
                secret(source, advice, found);
            }
            Origin::Jwk(_)
            | Origin::Jwks(_)
            | Origin::Pem(_)
            | Origin::PemFile(_)
            | Origin::JwksFile(_)
            | Origin::SecretFile(_) => {}
        }
    }
    if subject.dialect == Dialect::Native && subject.policy.extract.query.is_some() {
        found.push(Warning::new(
            Rule::TokenInUrl,
            "token.query",
            "a token in a URL is exposed in logs, browser histories and links; use a header or a cookie",
        ));
    }
}

/// Finds the URL of a key set that is probably that of an issuer.
fn key_set(
    subject: &Subject<'_>,
    source: &KeySpec,
    url: &str,
    issuers: &BTreeSet<String>,
    found: &mut Vec<Warning>,
) {
    let place = without_query(url);
    let path = place.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let has_path = path.is_some_and(|(_, path)| !path.is_empty());
    let what = if METADATA.iter().any(|name| bare(place).ends_with(name)) {
        "is the metadata of an issuer, and not a key set"
    } else if issuers.contains(&bare(place)) {
        "is the accepted issuer, and not its key set"
    } else if !has_path {
        "has no path, so it is probably an issuer and not its key set"
    } else {
        return;
    };
    let discovery = match subject.dialect {
        Dialect::Native | Dialect::Vault => ", or set `oidc_discovery_url` to the issuer instead",
        Dialect::Consul => ", or set `OIDCDiscoveryURL` to the issuer instead",
        Dialect::Grafana => "",
    };
    found.push(Warning::new(
        Rule::IssuerAsKeySet,
        &source.place,
        format!("{what}; write the `jwks_uri` of the issuer's metadata{discovery}"),
    ));
}

/// A URL without slashes at its end.
fn bare(text: &str) -> String {
    text.trim_end_matches('/').to_owned()
}

/// Applies the rules about a fetch.
fn fetch(
    subject: &Subject<'_>,
    source: &KeySpec,
    (url, settings): (&str, &FetchSettings),
    found: &mut Vec<Warning>,
) {
    if Url::parse(url).is_ok_and(|url| url.scheme == Scheme::Http && !url.is_loopback()) {
        found.push(Warning::new(
            Rule::HttpUrl,
            &source.place,
            "the keys are fetched without TLS, so an attacker on the network can replace them and sign any token; use https",
        ));
    }
    // Grafana reports its own settings.
    if subject.dialect != Dialect::Native {
        return;
    }
    if settings.insecure_skip_verify {
        found.push(Warning::new(
            Rule::TlsNotVerified,
            beside(&source.place, "insecure_skip_verify"),
            "without certificate verification an attacker on the network can replace the keys; configure the certificate authority in `ca_file` instead",
        ));
    }
    if settings.cache_ttl.is_zero() {
        found.push(Warning::new(
            Rule::CacheOff,
            beside(&source.place, "cache_ttl"),
            "the keys are not cached, so every token causes a fetch, and no token is accepted while the key server is unreachable; write for example `15m`",
        ));
    }
    if settings.client_key_pem.is_some() {
        found.push(Warning::new(
            Rule::SecretInConfiguration,
            beside(&source.place, "client_key_pem"),
            "the private key is part of the configuration; write it into a file of its own, and set `client_key_file`",
        ));
    }
}

fn secret(source: &KeySpec, advice: &str, found: &mut Vec<Warning>) {
    found.push(Warning::new(
        Rule::SecretInConfiguration,
        &source.place,
        format!(
            "everybody who can read the configuration can sign tokens; write the secret into a separate file, and {advice}"
        ),
    ));
}

/// Whether a JWK or a set contains a shared secret.
fn has_secret(text: &str) -> bool {
    fn is_secret(jwk: &Value<'_>) -> bool {
        let members = jwk.as_object();
        members.is_some_and(|members| members.get("kty").and_then(Value::as_str) == Some("oct"))
    }
    json::parse(text).is_ok_and(|document| {
        let keys = document.as_object().and_then(|members| members.get("keys"));
        let keys = keys.and_then(Value::as_array).unwrap_or_default();
        is_secret(&document) || keys.iter().any(is_secret)
    })
}

/// The ends of the URLs of metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).
const METADATA: [&str; 2] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];
