//! The key source of `[auth.jwt]`. Exactly one of five must be set.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64_simd::STANDARD;
use zeroize::Zeroizing;

use super::place::{self, Place};
use super::settings::{DEFAULT, Settings};
use crate::error::{Code, Error, Result};
use crate::file;
use crate::keys::Algorithm;
use crate::keys::pem::{self, After, Blocks, Form};
use crate::policy::url;
use crate::policy::{FetchSettings, JwksUrl, KeyRule, KeySpec, KidRule, Origin};
use crate::warning::{Rule, Warning};

/// Reads the key source and the rule that selects a key.
pub(super) fn rule(
    settings: &Settings,
    place: &Place<'_, '_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<KeyRule> {
    let source = Source::configured(settings)?;
    let cache_ttl = settings.duration("cache_ttl", Duration::from_secs(3600), warnings);
    warn_of_keys_without_effect(settings, source, warnings);
    let value = settings.text(source.key());
    let origin = match source {
        Source::KeyFile => {
            let text = read_text(value.as_ref(), place);
            let text = text.map_err(|why| located(place, source.key(), &why))?;
            pem(&text, source.key(), place, warnings)?
        }
        Source::KeyValue => {
            let text = decoded(settings, source.key(), place)?;
            pem(&text, source.key(), place, warnings)?
        }
        Source::JwkSetFile => Origin::JwksFile(value.into()),
        Source::JwkSetValue => Origin::Jwks(decoded(settings, source.key(), place)?.into()),
        Source::JwkSetUrl => remote(settings, cache_ttl, place, warnings)?,
    };
    let kid = Some(settings.text("key_id")).filter(|kid| !kid.is_empty() && source.is_pem());
    let path = place::of(source.key());
    Ok(KeyRule {
        place: path.clone(),
        kid: kid_rule(source, kid.is_some(), settings.flag("lenient_kid")),
        sources: vec![KeySpec {
            kid: kid.map(str::to_owned),
            ..KeySpec::of(path, origin)
        }],
        algorithms: SUPPORTED.into_iter().collect(),
    })
}

/// The five key sources, of which exactly one must be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    KeyFile,
    KeyValue,
    JwkSetFile,
    JwkSetValue,
    JwkSetUrl,
}

impl Source {
    const ALL: [Source; 5] = [
        Source::KeyFile,
        Source::KeyValue,
        Source::JwkSetFile,
        Source::JwkSetValue,
        Source::JwkSetUrl,
    ];

    /// The key of this source in `[auth.jwt]`.
    const fn key(self) -> &'static str {
        match self {
            Source::KeyFile => "key_file",
            Source::KeyValue => "key_value",
            Source::JwkSetFile => "jwk_set_file",
            Source::JwkSetValue => "jwk_set_value",
            Source::JwkSetUrl => "jwk_set_url",
        }
    }

    /// Whether the source is one PEM key, which contains no `kid`.
    const fn is_pem(self) -> bool {
        match self {
            Source::KeyFile | Source::KeyValue => true,
            Source::JwkSetFile | Source::JwkSetValue | Source::JwkSetUrl => false,
        }
    }

    fn configured(settings: &Settings) -> Result<Source> {
        let is_set = |source: &Source| settings.is_set(source.key());
        let given: Vec<Source> = Source::ALL.into_iter().filter(is_set).collect();
        match given.as_slice() {
            [one] => Ok(*one),
            [] => Err(Error::new(Code::KeySourceMissing)
                .with_detail("key set for jwt verification is not configured: set one of key_file, key_value, jwk_set_file, jwk_set_value or jwk_set_url")),
            several => {
                let keys: Vec<&str> = several.iter().map(|source| source.key()).collect();
                Err(Error::new(Code::KeySourceConflict).with_detail(format!(
                    "key set configuration is ambiguous: you should set only one of key_file, key_value, jwk_set_file, jwk_set_value or jwk_set_url; set are {}",
                    keys.join(", ")
                )))
            }
        }
    }
}

/// Warns of settings that have no effect with this key source.
fn warn_of_keys_without_effect(settings: &Settings, source: Source, warnings: &mut Vec<Warning>) {
    let skips_verification = settings.flag("tls_skip_verify_insecure");
    for (key, is_set) in [
        (
            "jwk_set_bearer_token_file",
            settings.is_set("jwk_set_bearer_token_file"),
        ),
        ("tls_client_ca", settings.is_set("tls_client_ca")),
        ("tls_skip_verify_insecure", skips_verification),
        ("cache_ttl", settings.is_set("cache_ttl")),
    ] {
        if is_set && source != Source::JwkSetUrl {
            warnings.push(Warning::new(
                Rule::NoEffect,
                place::of(key),
                format!("has no effect with `{}`, only with `jwk_set_url`", source.key()),
            ));
        }
    }
    if settings.is_set("key_id") && !source.is_pem() {
        warnings.push(Warning::new(
            Rule::NoEffect,
            place::of("key_id"),
            format!("has no effect with `{}`", source.key()),
        ));
    }
}

fn pem(text: &str, key: &str, place: &Place<'_, '_, '_>, warnings: &mut Vec<Warning>) -> Result<Origin> {
    let found = pem::public_key(text, FORM).map_err(|why| located(place, key, &why))?;
    if found.from_private_key {
        warnings.push(Warning::new(Rule::PrivateKey, place::of(key),
            "a private key is configured, and only its public part is used; deploy only the public key where tokens are verified",
        ));
    }
    let pem = pem::write(&found.key).map_err(|why| located(place, key, &why))?;
    Ok(Origin::Pem(pem))
}

/// Returns how a token's `kid` selects a key. `lenient` allows any `kid` for a PEM key without `key_id`, and allows a
/// token without `kid` if the key set has only one key.
fn kid_rule(source: Source, is_named: bool, lenient: bool) -> KidRule {
    match (lenient, source.is_pem()) {
        (true, true) if !is_named => KidRule::Ignore,
        (true, false) => KidRule::ExactOrOnly,
        (true, true) | (false, _) => KidRule::Exact,
    }
}

/// Reads the key set at `jwk_set_url`.
fn remote(
    settings: &Settings,
    (negative, cache_ttl): (bool, Duration),
    place: &Place<'_, '_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<Origin> {
    let url = settings.text("jwk_set_url");
    let insecure_http = settings.text_in(DEFAULT, "app_mode") == "development";
    if !insecure_http && !url.to_ascii_lowercase().starts_with("https:") {
        return Err(place.error(
            Code::ConfigInvalid,
            "jwk_set_url",
            "jwt_set_url must have https scheme; Grafana allows http only with `app_mode = development`",
        ));
    }
    url::check(url, insecure_http).map_err(|why| place.error(Code::ConfigInvalid, "jwk_set_url", why))?;
    let authorities = authorities(settings, place)?;
    let bearer = bearer(settings, place)?;
    let skips_verification = settings.flag("tls_skip_verify_insecure");
    if skips_verification {
        warnings.push(Warning::new(Rule::TlsNotVerified, place::of("tls_skip_verify_insecure"),
            "without certificate verification an attacker on the network can replace the keys; configure the certificate authority in `tls_client_ca` instead",
        ));
    }
    if negative || cache_ttl.is_zero() {
        warnings.push(Warning::new(
            Rule::CacheOff,
            place::of("cache_ttl"),
            "the keys are not cached, so every token causes a fetch, and no token is accepted while the key server is unreachable; write for example `60m`",
        ));
    }
    Ok(Origin::JwksUrl(JwksUrl {
        url: url.to_owned(),
        settings: FetchSettings {
            ca_file: authorities,
            bearer_token_file: bearer,
            cache_ttl: if negative { Duration::ZERO } else { cache_ttl },
            insecure_http,
            insecure_skip_verify: skips_verification,
            insecure_symmetric_keys: true,
            ..FetchSettings::default()
        },
    }))
}

fn authorities(settings: &Settings, place: &Place<'_, '_, '_>) -> Result<Option<PathBuf>> {
    let key = "tls_client_ca";
    let file = named_file(settings, place, key, "TlsClientCa")?;
    if file.as_ref().is_some_and(|(_, text)| !pem::has_certificate(text)) {
        return Err(place.error(
            Code::ConfigInvalid,
            key,
            "failed to decode provided PEM certs file from TlsClientCa",
        ));
    }
    Ok(file.map(|(path, _)| path))
}

fn bearer(settings: &Settings, place: &Place<'_, '_, '_>) -> Result<Option<PathBuf>> {
    let key = "jwk_set_bearer_token_file";
    let file = named_file(settings, place, key, "JWKSetBearerTokenFile")?;
    if file.as_ref().is_some_and(|(_, text)| text.trim().is_empty()) {
        return Err(place.error(
            Code::ConfigInvalid,
            key,
            "empty file configured for JWKSetBearerTokenFile",
        ));
    }
    Ok(file.map(|(path, _)| path))
}

/// Returns the path and the text of a file that is read before each fetch. It is read now to report an unreadable file.
fn named_file(
    settings: &Settings,
    place: &Place<'_, '_, '_>,
    key: &str,
    name: &str,
) -> Result<Option<(PathBuf, Zeroizing<String>)>> {
    if !settings.is_set(key) {
        return Ok(None);
    }
    let path = PathBuf::from(settings.text(key));
    match read_text(&path, place) {
        Ok(text) => Ok(Some((path, text))),
        Err(why) => {
            let why = why.reason();
            Err(place.error(Code::ConfigInvalid, key, format!("failed to read {name}: {why}")))
        }
    }
}

fn read_text(path: &Path, place: &Place<'_, '_, '_>) -> Result<Zeroizing<String>> {
    file::read_text(&place.files.path(path)?)
}

/// Decodes a text in standard base64, which may contain line breaks, as the usual tools write it.
fn decoded(settings: &Settings, key: &str, place: &Place<'_, '_, '_>) -> Result<String> {
    let text = settings.text(key).trim().replace(['\r', '\n'], "");
    STANDARD
        .decode_to_vec(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| place.error(Code::KeyInvalid, key, "is not standard base64 of UTF-8 text"))
}

fn located(place: &Place<'_, '_, '_>, key: &str, why: &Error) -> Error {
    place.error(why.code(), key, why.reason())
}

/// Grafana reads only the first PEM block and checks its label. Its documentation also mentions private keys; only
/// their public half is used.
const FORM: Form = Form {
    after: After::Anything,
    blocks: Blocks::PublicOrPrivate,
};

/// The algorithms that Grafana verifies.
const SUPPORTED: [Algorithm; 13] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::ES512,
    Algorithm::EdDSA,
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
];
