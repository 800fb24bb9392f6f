//! Makes a [`KeySet`] from key texts. Its keys are prepared for the algorithms that they may be used with.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::jwks::{Jwk, Material};
use super::key::{Key, PreparedKey, unusable};
use super::{Algorithm, Algorithms, KeySet, jwks, pem, public, secret};
use crate::error::{Error, Result};
use crate::warning::{Rule, Warning};

/// How the keys of one source are prepared.
#[derive(Debug)]
pub(crate) struct Preparation<'a> {
    /// The path of the source in the configuration, for warnings.
    pub(crate) place: &'a str,
    /// The `kid` of a key that has none.
    pub(crate) kid: Option<&'a str>,
    /// The algorithms that the keys may be used with.
    pub(crate) allowed: Algorithms,
    /// Whether a set without a usable key is accepted if its keys have names.
    pub(crate) names_alone: bool,
    /// Whether shared secrets are used.
    pub(crate) secrets: Secrets,
    /// Whether a key that names an issuer signs only for that issuer.
    pub(crate) key_issuers: bool,
    /// The warnings about the keys.
    pub(crate) warnings: &'a mut Vec<Warning>,
}

/// Whether the shared secrets of a source are used. Everybody who can read a fetched set could sign tokens with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrets {
    Used,
    UsedWithWarning,
    Skipped,
}

impl Preparation<'_> {
    /// Prepares one public key or certificate from PEM text.
    ///
    /// # Errors
    /// [`Code::KeyInvalid`](crate::Code::KeyInvalid). The functions below fail with the same code.
    pub(crate) fn pem(&mut self, text: &str) -> Result<KeySet> {
        let key = pem::public_key(text, pem::Form::NATIVE)?.key;
        self.single(&Jwk::of(Material::Public(key)))
    }

    /// Prepares one JWK.
    pub(crate) fn jwk(&mut self, text: &str) -> Result<KeySet> {
        self.single(&jwks::one(text)?)
    }

    /// Prepares one shared secret.
    pub(crate) fn secret(&mut self, bytes: &[u8]) -> Result<KeySet> {
        self.single(&Jwk::of(Material::Secret(Zeroizing::new(bytes.to_vec()))))
    }

    /// Prepares a JWK set, with a warning about each skipped key.
    pub(crate) fn jwks(&mut self, text: &str) -> Result<KeySet> {
        let set = self.set(text)?;
        for (index, _, why) in set.skipped() {
            let place = format!("{}.keys[{index}]", self.place);
            self.warnings.push(Warning::new(
                of_skipped(why),
                place,
                format!("this key is skipped: {why}"),
            ));
        }
        Ok(set)
    }

    /// Prepares a JWK set. A key that cannot be used is skipped, because a set may have keys for other uses.
    fn set(&mut self, text: &str) -> Result<KeySet> {
        let mut keys = Vec::new();
        for (index, entry) in jwks::set(text)?.into_iter().enumerate() {
            let key = match &entry {
                Ok(jwk) => {
                    let key = jwk.fitting().and_then(|fitting| self.key(jwk, fitting));
                    key.unwrap_or_else(|why| Key::skipped(jwk.kid.as_deref(), why.reason()))
                }
                Err(unusable) => Key::skipped(unusable.kid.as_deref(), unusable.why.reason()),
            };
            if self.secrets == Secrets::UsedWithWarning && key.is_secret() {
                let place = format!("{}.keys[{index}]", self.place);
                self.warnings
                    .push(Warning::new(Rule::FetchedSecret, place, FETCHED_SECRET));
            }
            keys.push(key);
        }
        let set = KeySet::from_iter(keys);
        if set.is_usable() || self.names_alone && set.has_names() {
            return Ok(set);
        }
        if set.all().next().is_none() {
            return Err(unusable("the JWK set has no usable key: `keys` is empty"));
        }
        let skipped = set.skipped();
        let why = skipped.map(|(index, _, why)| (format!("keys[{index}]"), why.to_owned()));
        Err(unusable(format!("the JWK set has no usable key{}", reasons(why))))
    }

    /// Prepares the only key of a source. An error in the key is an error of the source.
    fn single(&mut self, jwk: &Jwk) -> Result<KeySet> {
        let own = jwk.fitting()?;
        if let Material::Secret(bytes) = &jwk.material {
            let named = jwk.algorithms.unwrap_or(self.allowed).intersection(self.allowed);
            let missing = named.intersection(secret::all()).without(own);
            if !missing.is_empty() && !own.intersection(self.allowed).is_empty() {
                let (bytes, missing) = (bytes.len(), list(missing));
                self.warn(
                    Rule::KeyTooSmall,
                    format!("a secret of {bytes} bytes is too short for {missing}"),
                );
            }
        }
        let key = self.key(jwk, own)?;
        if let Some(why) = &key.skipped {
            self.warn(Rule::KeySkipped, why.to_string());
        }
        Ok(KeySet::from_iter([key]))
    }

    /// Prepares a key for every algorithm that the key, its source and the policy have in common. If there is none, the
    /// key is skipped.
    fn key(&self, jwk: &Jwk, fitting: Algorithms) -> Result<Key> {
        if self.secrets == Secrets::Skipped && matches!(jwk.material, Material::Secret(_)) {
            return Err(unusable(
                "a fetched shared secret is not used; publish public keys",
            ));
        }
        let kid = jwk.kid.as_deref().or(self.kid);
        let prepared = fitting
            .intersection(self.allowed)
            .iter()
            .map(|algorithm| prepare(&jwk.material, algorithm))
            .collect::<Result<Vec<PreparedKey>>>()?;
        let key = if prepared.is_empty() {
            Key::skipped(kid, &jwk.without_allowed(fitting, self.allowed))
        } else {
            Key::new(kid, prepared)
        };
        Ok(Key {
            issuer: self.issuer(jwk)?,
            ..key
        })
    }

    fn issuer(&self, jwk: &Jwk) -> Result<Option<Arc<str>>> {
        if !self.key_issuers {
            return Ok(None);
        }
        let issuer = jwk.issuer.as_ref().map_err(Error::clone)?;
        Ok(issuer.as_deref().map(Arc::from))
    }

    fn warn(&mut self, rule: Rule, message: String) {
        self.warnings.push(Warning::new(rule, self.place, message));
    }
}

/// The rule about a key that is skipped for this reason.
fn of_skipped(why: &str) -> Rule {
    if [public::WRONG_SIZE, secret::WRONG_SIZE]
        .iter()
        .any(|size| why.starts_with(size))
    {
        Rule::KeyTooSmall
    } else {
        Rule::KeySkipped
    }
}

/// Reads a fetched JWK set, with warnings about its keys; the set itself has the skipped ones. With `names_alone`, a set without a usable key is accepted if
/// its keys have names. With `key_issuers`, a key that names an issuer signs only for that issuer.
///
/// # Errors
/// The text is not a JWK set, has too many keys, or has no usable key.
pub(crate) fn fetched_set(
    text: &str,
    allowed: Algorithms,
    names_alone: bool,
    secrets: Secrets,
    key_issuers: bool,
) -> Result<(KeySet, Vec<Warning>)> {
    let mut warnings = Vec::new();
    let mut preparation = Preparation {
        place: "",
        kid: None,
        allowed,
        names_alone,
        secrets,
        key_issuers,
        warnings: &mut warnings,
    };
    let set = preparation.set(text)?;
    for warning in &mut warnings {
        warning.key = warning.key.trim_start_matches('.').to_owned();
    }
    Ok((set, warnings))
}

/// Returns the first of these reasons, each with its place, and the number of the others.
pub(crate) fn reasons(reasons: impl Iterator<Item = (String, String)>) -> String {
    let mut text = String::new();
    let mut others = 0;
    for (index, (place, why)) in reasons.enumerate() {
        if index < MAX_REASONS {
            let before = if index == 0 { ": " } else { "; " };
            text.push_str(&format!("{before}`{place}`: {why}"));
        } else {
            others += 1;
        }
    }
    if others > 0 {
        text.push_str(&format!("; and {others} more"));
    }
    text
}

impl Jwk {
    /// A key without parameters (`kid`, `alg`).
    fn of(material: Material) -> Jwk {
        Jwk {
            kid: None,
            material,
            algorithms: None,
            issuer: Ok(None),
        }
    }

    /// The algorithms that the key fits, by its material and its parameters.
    fn fitting(&self) -> Result<Algorithms> {
        let fitting = self.of_material()?;
        Ok(self.algorithms.map_or(fitting, |own| own.intersection(fitting)))
    }

    fn of_material(&self) -> Result<Algorithms> {
        match &self.material {
            Material::Public(key) => Ok(key.algorithms()),
            Material::Secret(bytes) => secret::algorithms(bytes),
        }
    }

    /// The reason why none of its `fitting` algorithms is allowed.
    fn without_allowed(&self, fitting: Algorithms, allowed: Algorithms) -> String {
        match (self.algorithms, self.of_material()) {
            (Some(named), Ok(of_material)) if fitting.is_empty() => format!(
                "`alg` is {}, but the key can be used only with {}",
                list(named),
                list(of_material)
            ),
            _ => format!(
                "the key can be used only with {}; allowed: {}",
                list(fitting),
                list(allowed)
            ),
        }
    }
}

fn prepare(material: &Material, algorithm: Algorithm) -> Result<PreparedKey> {
    match material {
        Material::Public(key) => Ok(PreparedKey::Public(algorithm, key.prepare(algorithm)?)),
        Material::Secret(bytes) => {
            secret::prepare(bytes, algorithm).ok_or_else(|| unusable("a secret can be used only with HMAC"))
        }
    }
}

fn list(algorithms: Algorithms) -> String {
    let names: Vec<&str> = algorithms.iter().map(Algorithm::as_str).collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

/// How many reasons an error repeats.
const MAX_REASONS: usize = 3;

const FETCHED_SECRET: &str =
    "this key is a shared secret: everybody who can read the key set can sign tokens; publish public keys";
