//! `keys`, `algorithms`, `kid`.

use std::path::PathBuf;

use base64_simd::URL_SAFE_NO_PAD;

use crate::error::{Code, Error, Result};
use crate::json::Value;
use crate::keys::{Algorithm, Algorithms};
use crate::members::{self, Field, Members};
use crate::policy::url;
use crate::policy::{FetchSettings, JwksUrl, KeyRule, KeySpec, OidcDiscoveryUrl, Origin, Secret};

/// Reads where keys come from; a policy that takes no tokens needs none.
pub(super) fn read(members: &mut Members<'_, '_>, disabled: bool) -> Result<KeyRule> {
    let keys = members
        .require("keys")
        .map_err(|error| recoded(&error, Code::KeySourceMissing))?;
    let sources = keys.items()?.iter().map(source).collect::<Result<Vec<_>>>()?;
    if sources.is_empty() && !disabled {
        return Err(keys.error_of(Code::KeySourceMissing, "must not be empty"));
    }
    let discovered = |source: &&KeySpec| matches!(source.origin, Origin::OidcDiscoveryUrl(_));
    if sources.iter().filter(discovered).count() > 1 {
        // The keys of one issuer must not vouch for another's tokens (RFC 8725 §3.8).
        return Err(keys.error("holds two issuers; each needs a verifier of its own"));
    }
    Ok(KeyRule {
        sources,
        algorithms: algorithms(&members.require("algorithms")?)?,
        kid: members
            .get_non_null("kid")
            .map(|field| field.choice())
            .transpose()?
            .unwrap_or_default(),
    })
}

/// The issuer whose metadata says where the keys are, if there is one.
pub(super) fn discovered(rule: &KeyRule) -> Option<&str> {
    rule.sources.iter().find_map(|source| match &source.origin {
        Origin::OidcDiscoveryUrl(discovered) => Some(discovered.issuer.as_str()),
        _ => None,
    })
}

fn source(field: &Field<'_, '_>) -> Result<KeySpec> {
    let mut members = field.members()?;
    let setting = FETCH_SETTINGS.iter().find_map(|name| members.peek(name));
    let settings = fetch_settings(&mut members)?;
    let mut origins = Vec::new();
    for name in ORIGINS {
        origins.extend(members.get_non_null(name).map(|value| (name, value)));
    }
    let kid = members.get_non_null("kid");
    let discovered = members
        .get_non_null("discovered_algorithms")
        .map(|field| field.choice())
        .transpose()?
        .unwrap_or_default();
    let narrower = members
        .get_non_null("algorithms")
        .map(|field| algorithms(&field))
        .transpose()?;
    members.finish()?;

    let (name, value) = match origins.as_slice() {
        [one] => one,
        [] => {
            return Err(field.error_of(
                Code::KeySourceMissing,
                format!("must have one of {}", ORIGINS.join(", ")),
            ));
        }
        [(first, _), (second, _), ..] => {
            return Err(field.error_of(
                Code::KeySourceConflict,
                format!("has both `{first}` and `{second}`; give each a place of its own in `keys`"),
            ));
        }
    };
    if let Some(setting) = setting.filter(|_| !FETCHED.contains(name)) {
        return Err(setting.error(format!("does not go with `{name}`; it is for keys over HTTP")));
    }
    let origin = match *name {
        "pem" => Origin::Pem(unredacted(value, value.text()?)?.to_owned()),
        "pem_file" => Origin::PemFile(PathBuf::from(value.text()?)),
        "jwk" => Origin::Jwk(jwk(value)?.into()),
        "jwks" => Origin::Jwks(jwks(value)?.into()),
        "jwks_file" => Origin::JwksFile(PathBuf::from(value.text()?)),
        "secret" => Origin::Secret(secret(value)?),
        "jwks_url" => {
            url::check(value.text()?, settings.insecure_http).map_err(|why| value.error(why))?;
            Origin::JwksUrl(JwksUrl {
                url: value.text()?.to_owned(),
                settings,
            })
        }
        "oidc_discovery_url" => {
            url::check_issuer(value.text()?, settings.insecure_http).map_err(|why| value.error(why))?;
            Origin::OidcDiscoveryUrl(OidcDiscoveryUrl {
                issuer: value.text()?.to_owned(),
                algorithms: discovered,
                settings,
            })
        }
        _ => Origin::SecretFile(PathBuf::from(value.text()?)),
    };
    if let (
        Some(kid),
        Origin::Jwk(_)
        | Origin::Jwks(_)
        | Origin::JwksFile(_)
        | Origin::JwksUrl(_)
        | Origin::OidcDiscoveryUrl(_),
    ) = (&kid, &origin)
    {
        return Err(kid.error(format!("does not go with `{name}`; a JWK brings its own `kid`")));
    }
    Ok(KeySpec {
        origin,
        kid: kid.map(|field| field.text().map(str::to_owned)).transpose()?,
        algorithms: narrower,
    })
}

fn algorithms(field: &Field<'_, '_>) -> Result<Algorithms> {
    let items = field.items()?;
    if items.is_empty() {
        return Err(field.error("must not be empty"));
    }
    items.iter().map(algorithm).collect()
}

fn algorithm(field: &Field<'_, '_>) -> Result<Algorithm> {
    let name = field.string()?;
    Algorithm::parse(name).ok_or_else(|| {
        // RFC 8725 §3.2: there is no reason to accept unsigned tokens.
        let problem = if name.eq_ignore_ascii_case("none") {
            "`none` would accept tokens that nobody signed and cannot be allowed".to_owned()
        } else {
            let all = Algorithm::ALL.map(Algorithm::as_str);
            format!(
                "`{name}` is not one of {}{}",
                all.join(", "),
                members::suggestion(name, &all)
            )
        };
        field.error_of(Code::AlgorithmUnsupported, problem)
    })
}

fn secret(field: &Field<'_, '_>) -> Result<Secret> {
    let text = unredacted(field, field.text()?)?;
    // The text is a secret: an error says where it stands, and nothing of what it says.
    URL_SAFE_NO_PAD.decode_to_vec(text).map(Secret::new).map_err(|_| {
        field.error_of(
            Code::KeyInvalid,
            "must be base64url without padding (RFC 4648 §5)",
        )
    })
}

fn jwk(field: &Field<'_, '_>) -> Result<String> {
    for (_, member) in field.entries()? {
        if let Some(text) = member.value().as_str() {
            unredacted(&member, text)?;
        }
    }
    json_text(field)
}

fn jwks(field: &Field<'_, '_>) -> Result<String> {
    // A set may hold keys that we cannot use, but one that we printed without its secrets is not meant to be read.
    if let Some(Value::Array(_)) = field.value().as_object().and_then(|set| set.get("keys")) {
        let mut members = field.members()?;
        for key in members.require("keys")?.items()? {
            if key.value().as_object().is_some() {
                jwk(&key)?;
            }
        }
    }
    if field.value().as_object().is_none() {
        return Err(field.error("must be a JWK set: an object with `keys`"));
    }
    json_text(field)
}

fn json_text(field: &Field<'_, '_>) -> Result<String> {
    serde_json::to_string(field.value()).map_err(|_| field.error("cannot be written as JSON"))
}

fn unredacted<'v>(field: &Field<'_, '_>, text: &'v str) -> Result<&'v str> {
    if text == Secret::REDACTED {
        return Err(field.error_of(
            Code::KeyInvalid,
            "a printed policy leaves secrets out; put the secret back, or name a file that holds it",
        ));
    }
    Ok(text)
}

fn recoded(error: &Error, code: Code) -> Error {
    Error::new(code).with_detail(error.detail().unwrap_or_default())
}

/// The settings of a source that is fetched; defaults where nothing is said.
fn fetch_settings(members: &mut Members<'_, '_>) -> Result<FetchSettings> {
    let mut settings = FetchSettings::default();
    let path = |field: Option<Field<'_, '_>>| field.map(|field| field.text().map(PathBuf::from)).transpose();
    let text = |field: Option<Field<'_, '_>>| field.map(|field| field.text().map(str::to_owned)).transpose();
    settings.ca_pem = text(members.get_non_null("ca_pem"))?;
    settings.client_cert_pem = text(members.get_non_null("client_cert_pem"))?;
    settings.client_key_pem = members
        .get_non_null("client_key_pem")
        .map(|field| unredacted(&field, field.text()?).map(|pem| Secret::new(pem.into())))
        .transpose()?;
    settings.ca_file = path(members.get_non_null("ca_file"))?;
    settings.client_cert_file = path(members.get_non_null("client_cert_file"))?;
    settings.client_key_file = path(members.get_non_null("client_key_file"))?;
    settings.bearer_token_file = path(members.get_non_null("bearer_token_file"))?;
    for (name, setting) in [
        ("cache_ttl", &mut settings.cache_ttl),
        ("cool_down", &mut settings.cool_down),
        ("max_stale", &mut settings.max_stale),
        ("timeout", &mut settings.timeout),
    ] {
        if let Some(field) = members.get_non_null(name) {
            *setting = field.duration()?;
            if name == "timeout" && setting.is_zero() {
                return Err(field.error("must be more than zero"));
            }
        }
    }
    if let Some(field) = members.get_non_null("max_bytes") {
        settings.max_bytes = field.unsigned()?;
    }
    if let Some(field) = members.get_non_null("redirects") {
        let allowed = u32::try_from(field.unsigned()?)
            .ok()
            .filter(|redirects| *redirects <= MAX_REDIRECTS);
        settings.redirects =
            allowed.ok_or_else(|| field.error(format!("must be at most {MAX_REDIRECTS}")))?;
    }
    if let Some(field) = members.get_non_null("proxy") {
        settings.proxy = field.choice()?;
    }
    for (name, setting) in [
        ("insecure_http", &mut settings.insecure_http),
        ("insecure_skip_verify", &mut settings.insecure_skip_verify),
    ] {
        if let Some(field) = members.get_non_null(name) {
            *setting = field.boolean()?;
        }
    }
    Ok(settings)
}

const MAX_REDIRECTS: u32 = 3;

const ORIGINS: [&str; 9] = [
    "pem",
    "pem_file",
    "jwk",
    "jwks",
    "jwks_file",
    "secret",
    "secret_file",
    "jwks_url",
    "oidc_discovery_url",
];

/// What is fetched, and the settings for that (`docs/dialects/native.md`).
const FETCHED: [&str; 2] = ["jwks_url", "oidc_discovery_url"];
const FETCH_SETTINGS: [&str; 17] = [
    "ca_pem",
    "ca_file",
    "client_cert_pem",
    "client_key_pem",
    "client_cert_file",
    "client_key_file",
    "bearer_token_file",
    "cache_ttl",
    "cool_down",
    "max_stale",
    "timeout",
    "max_bytes",
    "redirects",
    "proxy",
    "insecure_http",
    "insecure_skip_verify",
    "discovered_algorithms",
];
