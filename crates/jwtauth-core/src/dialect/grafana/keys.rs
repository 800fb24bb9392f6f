//! The key source of `[auth.jwt]`: exactly one of five.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64_simd::STANDARD;

use super::place::Place;
use super::settings::{DEFAULT, Settings};
use crate::error::{Code, Error, Result};
use crate::file;
use crate::keys::pem::{self, After, Blocks, Form};
use crate::keys::{Algorithm, Algorithms};
use crate::policy::url;
use crate::policy::{FetchSettings, JwksUrl, KeyRule, KeySpec, KidRule, Origin};
use crate::warning::Warning;

const SOURCES: [&str; 5] = [
    "key_file",
    "key_value",
    "jwk_set_file",
    "jwk_set_value",
    "jwk_set_url",
];

/// Only the first block is read, and its label counts. A private key, which Grafana's documentation names, is used
/// for its public half.
const FORM: Form = Form {
    after: After::Anything,
    blocks: Blocks::PublicOrPrivate,
};

/// Where keys come from and how one is chosen.
pub(super) fn rule(
    settings: &Settings,
    place: &Place<'_, '_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<KeyRule> {
    let given: Vec<&str> = SOURCES.into_iter().filter(|key| settings.is_set(key)).collect();
    let source = match given.as_slice() {
        [one] => *one,
        [] => {
            return Err(Error::new(Code::KeySourceMissing)
                .with_detail("key set for jwt verification is not configured: set one of key_file, key_value, jwk_set_file, jwk_set_value or jwk_set_url"));
        }
        several => {
            return Err(Error::new(Code::KeySourceConflict).with_detail(format!(
                "key set configuration is ambiguous: you should set only one of key_file, key_value, jwk_set_file, jwk_set_value or jwk_set_url; set are {}",
                several.join(", ")
            )));
        }
    };
    let lenient = settings.flag("lenient_kid");
    let value = settings.text(source);
    let cache_ttl = settings.duration("cache_ttl", Duration::from_secs(3600), warnings);
    for (key, is_set) in [
        (
            "jwk_set_bearer_token_file",
            settings.is_set("jwk_set_bearer_token_file"),
        ),
        ("tls_client_ca", settings.is_set("tls_client_ca")),
        (
            "tls_skip_verify_insecure",
            settings.flag("tls_skip_verify_insecure"),
        ),
        ("cache_ttl", settings.is_set("cache_ttl")),
    ] {
        if is_set && source != "jwk_set_url" {
            warnings.push(Warning::new(
                key,
                format!("it has no effect with `{source}`, only with `jwk_set_url`"),
            ));
        }
    }
    if settings.is_set("key_id") && !source.starts_with("key_") {
        warnings.push(Warning::new(
            "key_id",
            format!("it has no effect with `{source}`"),
        ));
    }
    let (origin, kid_rule) = match source {
        "key_file" | "key_value" => {
            let text = if source == "key_file" {
                let path = place.base_dir.join(value);
                file::read_text(&path)
                    .map_err(|why| located(place, source, &why))?
                    .to_string()
            } else {
                decoded(settings, source, place)?
            };
            let found = pem::public_key(&text, FORM).map_err(|why| located(place, source, &why))?;
            if found.from_private_key {
                warnings.push(Warning::new(
                    source,
                    "this is a private key, used for its public half; deploy only the public key where tokens are verified",
                ));
            }
            let pem = pem::write(&found.key).map_err(|why| located(place, source, &why))?;
            let without_kid = !settings.is_set("key_id");
            (
                Origin::Pem(pem),
                if lenient && without_kid {
                    KidRule::Ignore
                } else {
                    KidRule::Exact
                },
            )
        }
        "jwk_set_file" => (Origin::JwksFile(value.into()), set_rule(lenient)),
        "jwk_set_value" => (
            Origin::Jwks(decoded(settings, source, place)?.into()),
            set_rule(lenient),
        ),
        _ => (remote(settings, cache_ttl, place, warnings)?, set_rule(lenient)),
    };
    let kid = Some(settings.text("key_id")).filter(|kid| !kid.is_empty() && source.starts_with("key_"));
    Ok(KeyRule {
        sources: vec![KeySpec {
            origin,
            kid: kid.map(str::to_owned),
            algorithms: None,
        }],
        algorithms: Algorithm::ALL.into_iter().collect::<Algorithms>(),
        kid: kid_rule,
    })
}

/// The key set behind `jwk_set_url`.
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
            "jwt_set_url must have https scheme",
        ));
    }
    url::check(url, insecure_http).map_err(|why| place.error(Code::ConfigInvalid, "jwk_set_url", why))?;
    let file = |key: &str| settings.is_set(key).then(|| PathBuf::from(settings.text(key)));
    let read = |key: &str, name: &str, path: &Path| {
        file::read_text(&place.base_dir.join(path)).map_err(|why| {
            let why = why.detail().unwrap_or_default();
            place.error(Code::ConfigInvalid, key, format!("failed to read {name}: {why}"))
        })
    };
    let authorities = file("tls_client_ca");
    if let Some(path) = &authorities
        && !pem::has_certificate(&read("tls_client_ca", "TlsClientCa", path)?)
    {
        return Err(place.error(
            Code::ConfigInvalid,
            "tls_client_ca",
            "failed to decode provided PEM certs file from TlsClientCa",
        ));
    }
    let bearer = file("jwk_set_bearer_token_file");
    if let Some(path) = &bearer
        && read("jwk_set_bearer_token_file", "JWKSetBearerTokenFile", path)?
            .trim()
            .is_empty()
    {
        return Err(place.error(
            Code::ConfigInvalid,
            "jwk_set_bearer_token_file",
            "empty file configured for JWKSetBearerTokenFile",
        ));
    }
    if settings.flag("tls_skip_verify_insecure") {
        warnings.push(Warning::new(
            "tls_skip_verify_insecure",
            "anybody between here and the server can replace the keys; name the authority in `tls_client_ca` instead",
        ));
    }
    Ok(Origin::JwksUrl(JwksUrl {
        url: url.to_owned(),
        settings: FetchSettings {
            ca_file: authorities,
            bearer_token_file: bearer,
            cache_ttl: if negative { Duration::ZERO } else { cache_ttl },
            insecure_http,
            insecure_skip_verify: settings.flag("tls_skip_verify_insecure"),
            ..FetchSettings::default()
        },
    }))
}

fn set_rule(lenient: bool) -> KidRule {
    if lenient {
        KidRule::ExactOrOnly
    } else {
        KidRule::Exact
    }
}

/// The text inside standard base64, which may go over several lines, as the usual tools write it.
fn decoded(settings: &Settings, key: &str, place: &Place<'_, '_, '_>) -> Result<String> {
    let text = settings.text(key).trim().replace(['\r', '\n'], "");
    STANDARD
        .decode_to_vec(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| place.error(Code::KeyInvalid, key, "is not standard base64 of a text"))
}

fn located(place: &Place<'_, '_, '_>, key: &str, why: &Error) -> Error {
    place.error(
        why.code(),
        key,
        why.detail().unwrap_or_else(|| why.code().message()),
    )
}
