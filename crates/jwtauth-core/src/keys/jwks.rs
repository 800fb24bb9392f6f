//! Reads keys from JWKs and JWK sets (RFC 7517).
//!
//! A set may contain keys for other uses. An entry that cannot be used here is therefore skipped with a reason. An
//! error in the document itself is an error of the whole set.
//!
//! A member that is `null`, an empty text or an empty list counts as absent: several servers write every member that
//! their own type has.

use base64_simd::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::key::unusable;
use super::public::{Kind, PublicKey};
use super::{Algorithm, Algorithms};
use crate::error::{Error, Result};
use crate::json::{self, Object, Value};

/// A usable key: its name, its material, and the algorithms that it names for itself.
pub(super) struct Jwk {
    pub(super) kid: Option<String>,
    pub(super) material: Material,
    pub(super) algorithms: Option<Algorithms>,
    /// The issuer that the key names. Microsoft Entra's sets contain the keys of several issuers.
    pub(super) issuer: Result<Option<String>>,
}

/// An entry of a set that cannot be used. It has its name all the same.
pub(super) struct Unusable {
    pub(super) kid: Option<String>,
    pub(super) why: Error,
}

/// The material of a key.
pub(super) enum Material {
    Public(PublicKey),
    Secret(Zeroizing<Vec<u8>>),
}

/// Reads one JWK.
///
/// # Errors
/// The text is not a JWK, or the key cannot check tokens.
pub(super) fn one(text: &str) -> Result<Jwk> {
    let document = json::parse(text).map_err(|why| unusable(format!("the JWK is invalid: {why}")))?;
    read(&document)
}

/// Reads a JWK set, entry by entry.
///
/// # Errors
/// The text is not a JWK set: it must be one JSON document with unique names and a list of at most 1,000 `keys`.
pub(super) fn set(text: &str) -> Result<Vec<Result<Jwk, Unusable>>> {
    let document = json::parse(text).map_err(|why| unusable(format!("the JWK set is invalid: {why}")))?;
    let keys = document.as_object().and_then(|object| object.get("keys"));
    let keys = keys
        .and_then(Value::as_array)
        .ok_or_else(|| unusable("a JWK set must be an object with a list `keys` (RFC 7517 §5)"))?;
    // Counted before they are read: an unusable entry costs an error text.
    if keys.len() > MAX_KEYS {
        return Err(unusable(format!("the JWK set has more than {MAX_KEYS} keys")));
    }
    let entry = |value: &Value<'_>| {
        let kid = |jwk| member(jwk, "kid")?.as_str().map(str::to_owned);
        read(value).map_err(|why| Unusable {
            kid: value.as_object().and_then(kid),
            why,
        })
    };
    Ok(keys.iter().map(entry).collect())
}

/// Whether a value is the JWK of a public key that can be used.
pub(crate) fn is_public_jwk(value: &Value<'_>) -> bool {
    let jwk = value.as_object();
    jwk.is_some_and(|jwk| matches!(material(jwk, None), Ok(Material::Public(_))))
}

fn read(value: &Value<'_>) -> Result<Jwk> {
    let jwk = value
        .as_object()
        .ok_or_else(|| unusable("a JWK must be an object"))?;
    if string(jwk, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(unusable("`use` is not `sig`"));
    }
    if let Some(operations) = member(jwk, "key_ops") {
        let operations = operations
            .as_array()
            .ok_or_else(|| unusable("`key_ops` is not a list"))?;
        if !operations.iter().any(|one| one.as_str() == Some("verify")) {
            return Err(unusable("`key_ops` does not contain `verify`"));
        }
    }
    let algorithms = match string(jwk, "alg")?.map(Algorithm::parse) {
        None => None,
        // Both names mean the same for the key. Which of them a token may have is for the policy to allow.
        Some(Some(Algorithm::EdDSA | Algorithm::Ed25519)) => Some(
            Algorithms::default()
                .with(Algorithm::EdDSA)
                .with(Algorithm::Ed25519),
        ),
        Some(Some(algorithm)) => Some(Algorithms::default().with(algorithm)),
        Some(None) => return Err(unusable("`alg` is not a supported signature algorithm")),
    };
    Ok(Jwk {
        kid: string(jwk, "kid")?.map(str::to_owned),
        material: material(jwk, algorithms)?,
        algorithms,
        issuer: issuer(jwk),
    })
}

fn material(jwk: &Object<'_>, named: Option<Algorithms>) -> Result<Material> {
    let kty = string(jwk, "kty")?.ok_or_else(|| missing("kty"))?;
    if kty == "oct" {
        return Ok(Material::Secret(bytes(jwk, "k")?));
    }
    if PRIVATE_MEMBERS.iter().any(|name| member(jwk, name).is_some()) {
        return Err(unusable("a private key is not allowed in a JWK"));
    }
    let key = match kty {
        "RSA" => PublicKey::rsa(&bytes(jwk, "n")?, &bytes(jwk, "e")?, named),
        "EC" => match curve(jwk)? {
            Kind::Ed25519 => Err(unusable("`crv` does not match `kty`")),
            kind => PublicKey::ec(kind, &point(kind, &bytes(jwk, "x")?, &bytes(jwk, "y")?)?),
        },
        "OKP" => match curve(jwk)? {
            Kind::Ed25519 => PublicKey::ed25519(&bytes(jwk, "x")?),
            _ => Err(unusable("`crv` does not match `kty`")),
        },
        _ => Err(unusable("`kty` is not supported; it must be RSA, EC, OKP or oct")),
    }?;
    Ok(Material::Public(key))
}

fn curve(jwk: &Object<'_>) -> Result<Kind> {
    let name = string(jwk, "crv")?.ok_or_else(|| missing("crv"))?;
    Kind::of_curve(name)
        .ok_or_else(|| unusable("`crv` is not supported; it must be P-256, P-384, P-521 or Ed25519"))
}

/// Joins the coordinates of a point. They must have their full length, including leading zeros (RFC 7518 §6.2.1.2).
fn point(kind: Kind, x: &[u8], y: &[u8]) -> Result<Vec<u8>> {
    if x.len() != kind.coordinate() || y.len() != kind.coordinate() {
        return Err(unusable(format!(
            "`x` and `y` must have {} bytes each",
            kind.coordinate()
        )));
    }
    Ok([&[4], x, y].concat())
}

fn bytes(jwk: &Object<'_>, name: &str) -> Result<Zeroizing<Vec<u8>>> {
    let text = string(jwk, name)?.ok_or_else(|| missing(name))?;
    // Some servers add padding, which RFC 7515 §2 forbids. In a key it is harmless.
    match URL_SAFE_NO_PAD.decode_to_vec(text.trim_end_matches('=')) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(_) => Err(unusable(format!("`{name}` is not base64url"))),
    }
}

fn string<'v>(jwk: &'v Object<'_>, name: &str) -> Result<Option<&'v str>> {
    match member(jwk, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(unusable(format!("`{name}` is not a string"))),
    }
}

/// The value of a member, if it has one.
fn member<'v, 'o>(jwk: &'v Object<'o>, name: &str) -> Option<&'v Value<'o>> {
    jwk.get(name).filter(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    })
}

/// Reads the issuer that a key names. `null` counts as absent.
fn issuer(jwk: &Object<'_>) -> Result<Option<String>> {
    match jwk.get("issuer") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone().into_owned())),
        Some(_) => Err(unusable("`issuer` is not the name of an issuer")),
    }
}

fn missing(name: &str) -> Error {
    unusable(format!("`{name}` is missing"))
}

/// The most entries of a set.
const MAX_KEYS: usize = 1000;

/// The members that only private keys have (RFC 7518 §6.2.2, §6.3.2; RFC 8037 §2).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

#[cfg(test)]
mod tests;
