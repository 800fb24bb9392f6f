//! The rules that stage select key uses, and the key sources to open.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::fetch::FetchSettings;
use super::issuers::KeyIssuers;
use super::secret::Secret;
use super::url::without_query;
use crate::json::{self, Object, Value};
use crate::keys::{Algorithm, Algorithms};

/// The key sources, and how a key is selected.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct KeyRule {
    /// The path of the sources in the operator's configuration, for messages. A printed policy has its own paths.
    #[serde(skip)]
    pub place: String,
    /// The key sources, in order.
    #[serde(rename = "keys")]
    pub sources: Vec<KeySpec>,
    /// The allowed algorithms. A source may allow fewer.
    pub algorithms: Algorithms,
    /// How a token's `kid` selects keys.
    pub kid: KidRule,
}

impl KeyRule {
    /// A rule without keys, for a policy that accepts no tokens.
    pub(crate) fn empty() -> KeyRule {
        KeyRule {
            place: String::new(),
            sources: Vec::new(),
            algorithms: Algorithm::ALL.into_iter().collect(),
            kid: KidRule::Exact,
        }
    }
}

/// A key source.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct KeySpec {
    /// The path of the source in the operator's configuration, for messages.
    #[serde(skip)]
    pub place: String,
    /// Where the keys are.
    #[serde(flatten)]
    pub origin: Origin,
    /// The `kid` of a key that has none (PEM, secret).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The algorithms that these keys may be used with. `None`: all that the policy allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithms: Option<Algorithms>,
    /// The issuers whose tokens these keys may sign.
    #[serde(rename = "issuer", skip_serializing_if = "KeyIssuers::is_unnamed")]
    pub issuers: KeyIssuers,
}

impl KeySpec {
    /// A source with this origin, without a `kid`, for any issuer, and with every algorithm that the policy allows.
    /// `place` is its path in the operator's configuration.
    pub(crate) fn of(place: impl Into<String>, origin: Origin) -> KeySpec {
        KeySpec {
            place: place.into(),
            origin,
            kid: None,
            algorithms: None,
            issuers: KeyIssuers::default(),
        }
    }
}

/// The origin of keys.
#[derive(Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// One public key or certificate as PEM text.
    Pem(String),
    /// A file that contains one public key or certificate as PEM text.
    PemFile(PathBuf),
    /// One JWK (RFC 7517), as JSON text. It may be a secret.
    #[serde(serialize_with = "without_secrets")]
    Jwk(Zeroizing<String>),
    /// A JWK set, as JSON text. It may contain secrets.
    #[serde(serialize_with = "without_secrets")]
    Jwks(Zeroizing<String>),
    /// A file that contains a JWK set.
    JwksFile(PathBuf),
    /// A shared secret for HMAC.
    Secret(Secret),
    /// A file that contains a shared secret: its bytes, without one final newline.
    SecretFile(PathBuf),
    /// The URL of a JWK set.
    #[serde(untagged)]
    JwksUrl(JwksUrl),
    /// An OpenID Connect issuer, whose metadata names its JWK set.
    #[serde(untagged)]
    OidcDiscoveryUrl(OidcDiscoveryUrl),
}

/// The URL of a JWK set.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub(crate) struct JwksUrl {
    /// The URL.
    #[serde(rename = "jwks_url")]
    pub url: String,
    /// How it is fetched.
    #[serde(flatten)]
    pub settings: FetchSettings,
}

/// An OpenID Connect issuer, whose metadata names its JWK set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OidcDiscoveryUrl {
    /// The issuer.
    #[serde(rename = "oidc_discovery_url")]
    pub issuer: String,
    /// The algorithms that its keys may be used with.
    #[serde(
        rename = "discovered_algorithms",
        skip_serializing_if = "DiscoveredAlgorithms::is_any"
    )]
    pub algorithms: DiscoveredAlgorithms,
    /// How it is fetched.
    #[serde(flatten)]
    pub settings: FetchSettings,
}

/// The algorithms that the keys of a discovered issuer may be used with, among those that the policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DiscoveredAlgorithms {
    /// All of them.
    #[default]
    Any,
    /// Those that the metadata names, or RS256 if it names none.
    Advertised,
}

impl Origin {
    /// The name of this origin's member in the native configuration.
    #[cfg(test)]
    pub(crate) fn member(&self) -> &'static str {
        match self {
            Origin::Pem(_) => "pem",
            Origin::PemFile(_) => "pem_file",
            Origin::Jwk(_) => "jwk",
            Origin::Jwks(_) => "jwks",
            Origin::JwksFile(_) => "jwks_file",
            Origin::Secret(_) => "secret",
            Origin::SecretFile(_) => "secret_file",
            Origin::JwksUrl(_) => "jwks_url",
            Origin::OidcDiscoveryUrl(_) => "oidc_discovery_url",
        }
    }
}

impl Origin {
    /// Whether it is a set of keys.
    pub(crate) fn is_set(&self) -> bool {
        match self {
            Origin::Jwks(_) | Origin::JwksFile(_) | Origin::JwksUrl(_) | Origin::OidcDiscoveryUrl(_) => true,
            Origin::Pem(_)
            | Origin::PemFile(_)
            | Origin::Jwk(_)
            | Origin::Secret(_)
            | Origin::SecretFile(_) => false,
        }
    }
}

impl DiscoveredAlgorithms {
    fn is_any(&self) -> bool {
        *self == DiscoveredAlgorithms::Any
    }
}

impl fmt::Debug for Origin {
    /// Prints the kind, and the path of a file. Keys do not belong in logs.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Pem(_) => out.write_str("Pem(..)"),
            Origin::PemFile(path) => write!(out, "PemFile({path:?})"),
            Origin::Jwk(_) => out.write_str("Jwk(..)"),
            Origin::Jwks(_) => out.write_str("Jwks(..)"),
            Origin::JwksFile(path) => write!(out, "JwksFile({path:?})"),
            Origin::Secret(_) => out.write_str("Secret(..)"),
            Origin::SecretFile(path) => write!(out, "SecretFile({path:?})"),
            Origin::JwksUrl(_) => out.write_str("JwksUrl(..)"),
            Origin::OidcDiscoveryUrl(_) => out.write_str("OidcDiscoveryUrl(..)"),
        }
    }
}

impl fmt::Debug for JwksUrl {
    /// Prints the URL without its query.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("JwksUrl")
            .field("url", &without_query(&self.url))
            .field("settings", &self.settings)
            .finish()
    }
}

/// How a token's `kid` selects keys (RFC 7515 §4.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KidRule {
    /// If it is absent, every key is tried. If it is present, keys with that `kid` and keys without one are tried.
    #[default]
    Hint,
    /// If it is absent, every key is tried. If it is present, only keys with that `kid` are tried.
    Match,
    /// Only keys with exactly that `kid` are tried; for a token without one, only keys without one.
    Exact,
    /// As `exact`. In addition, the only key of a source is tried for a token without a `kid`.
    ExactOrOnly,
    /// The `kid` is ignored: every key is tried.
    Ignore,
    /// It is required. Only the first source that has the `kid` is used.
    Required,
}

/// Writes a JWK or a JWK set, with secret members as [`Secret::REDACTED`].
fn without_secrets<S: Serializer>(text: &str, out: S) -> Result<S::Ok, S::Error> {
    let document = json::parse(text).map_err(serde::ser::Error::custom)?;
    redacted(&document).serialize(out)
}

fn redacted<'t>(value: &'t Value<'_>) -> Value<'t> {
    let Some(jwk) = value.as_object() else {
        return value.clone();
    };
    let member = |(name, value): (&'t str, &'t Value<'_>)| {
        let value = match value {
            _ if SECRET_MEMBERS.contains(&name) => Value::String(Secret::REDACTED.into()),
            Value::Array(keys) if name == "keys" => Value::Array(keys.iter().map(redacted).collect()),
            other => other.clone(),
        };
        (Cow::Borrowed(name), value)
    };
    Value::Object(Object::from_unique(jwk.members().map(member).collect()))
}

/// The members of private and symmetric keys (RFC 7518 §6).
const SECRET_MEMBERS: [&str; 8] = ["k", "d", "p", "q", "dp", "dq", "qi", "oth"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_keys_contain_no_secrets() {
        let secret = "c2VjcmV0";
        let jwk = format!(r#"{{"kty":"oct","kid":"h","k":"{secret}"}}"#);
        let private = format!(r#"{{"kty":"RSA","n":"AQAB","d":"{secret}","oth":[{{"r":"{secret}"}}]}}"#);
        for origin in [
            Origin::Jwk(jwk.clone().into()),
            Origin::Jwks(format!(r#"{{"keys":[{jwk},{private},7]}}"#).into()),
            Origin::Secret(Secret::new(secret.into())),
        ] {
            assert!(!format!("{origin:?}").contains(secret));
            let printed = serde_json::to_string(&origin).unwrap();
            assert!(!printed.contains(secret), "{printed}");
            assert!(printed.contains(Secret::REDACTED), "{printed}");
        }
        let printed = serde_json::to_string(&Origin::Jwk(jwk.into())).unwrap();
        assert_eq!(printed, r#"{"jwk":{"kty":"oct","kid":"h","k":"(redacted)"}}"#);
    }
}
