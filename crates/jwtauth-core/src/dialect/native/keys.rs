//! The members `keys`, `algorithms` and `kid`.

use std::path::PathBuf;

use base64_simd::URL_SAFE_NO_PAD;

use super::issuers;
use crate::error::{Code, Error, Result};
use crate::json::Value;
use crate::keys::{Algorithm, Algorithms};
use crate::members::{self, Field, Members};
use crate::policy::url;
use crate::policy::{
    DiscoveredAlgorithms, FetchSettings, Issuer, IssuerClaims, JwksUrl, KeyIssuers, KeyRule, KeySpec,
    OidcDiscoveryUrl, Origin, Secret,
};

/// Reads the key sources. A policy that accepts no tokens needs none.
pub(super) fn read(
    members: &mut Members<'_, '_>,
    issuer_claims: &IssuerClaims,
    disabled: bool,
) -> Result<KeyRule> {
    let keys = members
        .require("keys")
        .map_err(|error| recoded(&error, Code::KeySourceMissing))?;
    let sources = keys.list_of(|field| source(field, issuer_claims))?;
    if sources.is_empty() && !disabled {
        return Err(keys.error_of(Code::KeySourceMissing, "must not be empty"));
    }
    Ok(KeyRule {
        place: keys.path().to_owned(),
        sources,
        algorithms: algorithms(&members.require("algorithms")?)?,
        kid: members.read("kid", Field::choice)?.unwrap_or_default(),
    })
}

/// Returns the issuer whose metadata names the key set, if there is one.
fn discovered(origin: &Origin) -> Option<&str> {
    match origin {
        Origin::OidcDiscoveryUrl(url) => Some(&url.issuer),
        Origin::Pem(_)
        | Origin::PemFile(_)
        | Origin::Jwk(_)
        | Origin::Jwks(_)
        | Origin::JwksFile(_)
        | Origin::Secret(_)
        | Origin::SecretFile(_)
        | Origin::JwksUrl(_) => None,
    }
}

fn source(field: &Field<'_, '_>, issuer_claims: &IssuerClaims) -> Result<KeySpec> {
    let mut members = field.members()?;
    let settings = fetch_settings(&mut members)?;
    // All members that were read until here are only for keys over HTTP.
    let setting = members.first_present();
    let advertised = members.get_non_null("discovered_algorithms");
    let mut given = Vec::new();
    for kind in &KINDS {
        given.extend(members.get_non_null(kind.name).map(|value| (kind, value)));
    }
    let kid = members.get_non_null("kid");
    let narrower = members.read("algorithms", algorithms)?;
    let issuers = members.read("issuer", |field| issuers::of_keys(field, issuer_claims))?;
    members.finish()?;

    let (kind, value) = only(&given, field)?;
    let origin = match kind.read {
        Reader::Local(read) => match setting {
            None => read(value)?,
            Some(setting) => {
                return Err(setting.error(format!(
                    "is not allowed with `{}`; it is only for keys over HTTP",
                    kind.name
                )));
            }
        },
        Reader::Fetched(read) => {
            let algorithms = advertised.as_ref().map(Field::choice).transpose()?;
            read(value, settings, algorithms.unwrap_or_default())?
        }
    };
    let discovered = discovered(&origin);
    if let (Some(stray), None) = (&advertised, discovered) {
        return Err(stray.error(format!(
            "is not allowed with `{}`; it is only for `oidc_discovery_url`",
            kind.name
        )));
    }
    // Without `issuer`, a discovered issuer signs for itself alone (RFC 8725 §3.8).
    let own = discovered.map(|issuer| KeyIssuers::OneOf(vec![Issuer::Text(issuer.to_owned())]));
    let issuers = issuers.or(own).unwrap_or_default();
    if let (Some(kid), Kid::OfEachKey) = (&kid, kind.kid) {
        return Err(kid.error(format!(
            "is not allowed with `{}`; a JWK has its own `kid`",
            kind.name
        )));
    }
    Ok(KeySpec {
        place: value.path().to_owned(),
        origin,
        kid: kid.as_ref().map(Field::owned_text).transpose()?,
        algorithms: narrower,
        issuers,
    })
}

/// Returns the given kind of source. There must be exactly one.
fn only<'g, V>(given: &'g [(&'static Kind, V)], field: &Field<'_, '_>) -> Result<(&'static Kind, &'g V)> {
    match given {
        [(kind, value)] => Ok((kind, value)),
        [] => Err(field.error_of(
            Code::KeySourceMissing,
            format!("must have one of {}", KINDS.map(|kind| kind.name).join(", ")),
        )),
        [(first, _), (second, _), ..] => Err(field.error_of(
            Code::KeySourceConflict,
            format!(
                "has both `{}` and `{}`; make each a separate item of `keys`",
                first.name, second.name
            ),
        )),
    }
}

/// A kind of source: the member that names it, how its value is read, and where its `kid` comes from.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    read: Reader,
    kid: Kid,
}

#[derive(Clone, Copy)]
enum Reader {
    Local(fn(&Field<'_, '_>) -> Result<Origin>),
    Fetched(fn(&Field<'_, '_>, FetchSettings, DiscoveredAlgorithms) -> Result<Origin>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kid {
    /// The source sets it, optionally.
    OfSource,
    /// Each key contains its own.
    OfEachKey,
}

/// Every kind of source. `name` is the [`Origin::member`].
const KINDS: [Kind; 9] = [
    Kind {
        name: "pem",
        read: Reader::Local(pem),
        kid: Kid::OfSource,
    },
    Kind {
        name: "pem_file",
        read: Reader::Local(|field| path(field).map(Origin::PemFile)),
        kid: Kid::OfSource,
    },
    Kind {
        name: "jwk",
        read: Reader::Local(|field| Ok(Origin::Jwk(jwk(field)?.into()))),
        kid: Kid::OfEachKey,
    },
    Kind {
        name: "jwks",
        read: Reader::Local(|field| Ok(Origin::Jwks(jwks(field)?.into()))),
        kid: Kid::OfEachKey,
    },
    Kind {
        name: "jwks_file",
        read: Reader::Local(|field| path(field).map(Origin::JwksFile)),
        kid: Kid::OfEachKey,
    },
    Kind {
        name: "secret",
        read: Reader::Local(|field| secret(field).map(Origin::Secret)),
        kid: Kid::OfSource,
    },
    Kind {
        name: "secret_file",
        read: Reader::Local(|field| path(field).map(Origin::SecretFile)),
        kid: Kid::OfSource,
    },
    Kind {
        name: "jwks_url",
        read: Reader::Fetched(jwks_url),
        kid: Kid::OfEachKey,
    },
    Kind {
        name: "oidc_discovery_url",
        read: Reader::Fetched(oidc_discovery_url),
        kid: Kid::OfEachKey,
    },
];

fn pem(field: &Field<'_, '_>) -> Result<Origin> {
    let text = unredacted(field, field.text()?)?;
    Ok(Origin::Pem(text.to_owned()))
}

fn path(field: &Field<'_, '_>) -> Result<PathBuf> {
    field.text().map(PathBuf::from)
}

fn jwks_url(field: &Field<'_, '_>, settings: FetchSettings, _: DiscoveredAlgorithms) -> Result<Origin> {
    let url = field.owned_text()?;
    url::check(&url, settings.insecure_http).map_err(|why| field.error(why))?;
    if settings.same_host {
        return Err(field.error("has no `jwks_uri`; `same_host` is only for `oidc_discovery_url`"));
    }
    Ok(Origin::JwksUrl(JwksUrl { url, settings }))
}

fn oidc_discovery_url(
    field: &Field<'_, '_>,
    settings: FetchSettings,
    algorithms: DiscoveredAlgorithms,
) -> Result<Origin> {
    let issuer = field.owned_text()?;
    url::check_issuer(&issuer, settings.insecure_http).map_err(|why| field.error(why))?;
    Ok(Origin::OidcDiscoveryUrl(OidcDiscoveryUrl {
        issuer,
        algorithms,
        settings,
    }))
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
        // RFC 8725 §3.2 advises against unsigned tokens. This library never accepts them.
        let problem = if name.eq_ignore_ascii_case("none") {
            "`none` is not allowed: it would accept unsigned tokens".to_owned()
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
    // The text is a secret: an error contains its place, but nothing of its content.
    URL_SAFE_NO_PAD.decode_to_vec(text).map(Secret::new).map_err(|_| {
        field.error_of(
            Code::KeyInvalid,
            "must be base64url without padding (RFC 4648 §5)",
        )
    })
}

fn jwk(field: &Field<'_, '_>) -> Result<String> {
    refuse_redacted(field)?;
    json_text(field)
}

fn jwks(field: &Field<'_, '_>) -> Result<String> {
    let set = field.value().as_object();
    let set = set.ok_or_else(|| field.error("must be a JWK set: an object with `keys`"))?;
    // A set may contain keys that cannot be used. But a redacted key is from a printed policy and must be an error.
    if let Some(Value::Array(keys)) = set.get("keys")
        && keys.iter().any(is_redacted)
    {
        for key in field.members()?.require("keys")?.items()? {
            if is_redacted(key.value()) {
                refuse_redacted(&key)?;
            }
        }
    }
    json_text(field)
}

/// Whether a member of a JWK is redacted. It needs no paths: those of the members of a thousand keys take as long as
/// reading the keys.
fn is_redacted(jwk: &Value<'_>) -> bool {
    let redacted = |(_, value): (&str, &Value<'_>)| value.as_str() == Some(Secret::REDACTED);
    jwk.as_object().is_some_and(|jwk| jwk.members().any(redacted))
}

fn refuse_redacted(jwk: &Field<'_, '_>) -> Result<()> {
    for (_, member) in jwk.entries()? {
        if let Some(text) = member.value().as_str() {
            unredacted(&member, text)?;
        }
    }
    Ok(())
}

fn json_text(field: &Field<'_, '_>) -> Result<String> {
    serde_json::to_string(field.value()).map_err(|_| field.error("cannot be written as JSON"))
}

fn unredacted<'v>(field: &Field<'_, '_>, text: &'v str) -> Result<&'v str> {
    if text == Secret::REDACTED {
        return Err(field.error_of(
            Code::KeyInvalid,
            "the secret is redacted in a printed policy; write the secret here, or use a file that contains it",
        ));
    }
    Ok(text)
}

fn recoded(error: &Error, code: Code) -> Error {
    Error::new(code).with_detail(error.detail().unwrap_or_default())
}

/// Reads the settings of a source that is fetched. Absent settings have their defaults.
fn fetch_settings(members: &mut Members<'_, '_>) -> Result<FetchSettings> {
    let mut settings = FetchSettings {
        ca_pem: members.read("ca_pem", Field::owned_text)?,
        client_cert_pem: members.read("client_cert_pem", Field::owned_text)?,
        client_key_pem: members.read("client_key_pem", secret_pem)?,
        ca_file: members.read("ca_file", path)?,
        client_cert_file: members.read("client_cert_file", path)?,
        client_key_file: members.read("client_key_file", path)?,
        bearer_token_file: members.read("bearer_token_file", path)?,
        ..FetchSettings::default()
    };
    for (name, setting) in [
        ("cache_ttl", &mut settings.cache_ttl),
        ("cool_down", &mut settings.cool_down),
        ("max_stale", &mut settings.max_stale),
        ("timeout", &mut settings.timeout),
    ] {
        if let Some(field) = members.get_non_null(name) {
            *setting = field.duration()?;
            if name == "timeout" && setting.is_zero() {
                return Err(field.error("must be greater than zero"));
            }
        }
    }
    if let Some(bytes) = members.read("max_bytes", Field::unsigned)? {
        settings.max_bytes = bytes;
    }
    if let Some(allowed) = members.read("redirects", redirects)? {
        settings.redirects = allowed;
    }
    if let Some(proxy) = members.read("proxy", Field::choice)? {
        settings.proxy = proxy;
    }
    for (name, setting) in [
        ("same_host", &mut settings.same_host),
        ("insecure_http", &mut settings.insecure_http),
        ("insecure_skip_verify", &mut settings.insecure_skip_verify),
        ("insecure_symmetric_keys", &mut settings.insecure_symmetric_keys),
    ] {
        if let Some(value) = members.read(name, Field::boolean)? {
            *setting = value;
        }
    }
    Ok(settings)
}

fn secret_pem(field: &Field<'_, '_>) -> Result<Secret> {
    let pem = unredacted(field, field.text()?)?;
    Ok(Secret::new(pem.into()))
}

fn redirects(field: &Field<'_, '_>) -> Result<u32> {
    u32::try_from(field.unsigned()?)
        .ok()
        .filter(|redirects| *redirects <= MAX_REDIRECTS)
        .ok_or_else(|| field.error(format!("must be at most {MAX_REDIRECTS}")))
}

const MAX_REDIRECTS: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn every_kind_of_source_creates_the_origin_with_its_name() {
        for kind in KINDS {
            let text = match kind.name {
                "jwk" => "{}",
                "jwks" => r#"{"keys":[]}"#,
                "secret" => r#""c2VjcmV0""#,
                "jwks_url" | "oidc_discovery_url" => r#""https://issuer.example""#,
                _ => r#""text""#,
            };
            let value = json::parse(text).unwrap();
            let field = Field::root(&value, Code::ConfigInvalid);
            let origin = match kind.read {
                Reader::Local(read) => read(&field),
                Reader::Fetched(read) => read(&field, FetchSettings::default(), DiscoveredAlgorithms::Any),
            };
            assert_eq!(origin.unwrap().member(), kind.name);
        }
    }
}
