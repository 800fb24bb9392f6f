//! The part of the model that `select_key` reads, and from which key sources are opened.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::keys::{Algorithm, Algorithms};

/// Where keys come from and how one is chosen.
#[derive(Debug, Clone, Serialize)]
pub struct KeyRule {
    /// The sources, in order.
    #[serde(rename = "keys")]
    pub sources: Vec<KeySpec>,
    /// The algorithms that are allowed at all; a source may allow fewer.
    pub algorithms: Algorithms,
    /// How a token's `kid` chooses.
    pub kid: KidRule,
}

impl KeyRule {
    /// No keys, for a policy that takes no tokens.
    pub fn empty() -> KeyRule {
        KeyRule {
            sources: Vec::new(),
            algorithms: Algorithm::ALL.into_iter().collect(),
            kid: KidRule::Exact,
        }
    }
}

/// One source of keys.
#[derive(Debug, Clone, Serialize)]
pub struct KeySpec {
    /// Where the keys are.
    #[serde(flatten)]
    pub origin: Origin,
    /// The `kid` of a key that brings none of its own (PEM, secret).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The algorithms these keys may be used with; `None`: all that the policy allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithms: Option<Algorithms>,
}

/// Where keys are.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// One public key or certificate as PEM text.
    Pem(String),
    /// A file with one.
    PemFile(PathBuf),
    /// One JWK (RFC 7517), as JSON text.
    #[serde(serialize_with = "raw_json")]
    Jwk(String),
    /// A JWK set, as JSON text.
    #[serde(serialize_with = "raw_json")]
    Jwks(String),
    /// A file with a JWK set.
    JwksFile(PathBuf),
    /// A shared secret for HMAC.
    Secret(Secret),
    /// A file with a shared secret: its bytes as they are, but for one final newline.
    SecretFile(PathBuf),
}

/// The bytes of a shared secret; zeroed when dropped, never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Secret {
        Secret(Zeroizing::new(bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(..)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(Secret::REDACTED)
    }
}

impl Secret {
    /// What a printed policy says in place of a secret; it is refused when read back.
    pub const REDACTED: &'static str = "(redacted)";
}

/// How a token's `kid` chooses among the keys (RFC 7515 §4.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KidRule {
    /// Absent: every key is tried. Present: keys with that `kid`, and keys without any.
    #[default]
    Hint,
    /// Absent: every key is tried. Present: only keys with that `kid`.
    Match,
    /// Only keys with exactly that `kid`; a token without one is answered by keys without one.
    Exact,
    /// As `exact`; besides, a source's only key answers to a token without a `kid`.
    ExactOrOnly,
    /// Not looked at: every key is tried.
    Ignore,
    /// It must be there; the first source that knows it answers alone.
    Required,
}

fn raw_json<S: Serializer>(text: &str, out: S) -> Result<S::Ok, S::Error> {
    let raw: &serde_json::value::RawValue = serde_json::from_str(text).map_err(serde::ser::Error::custom)?;
    raw.serialize(out)
}
