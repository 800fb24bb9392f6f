//! The key sources of a policy, opened.

use std::path::Path;

use zeroize::Zeroizing;

use super::jwks::{Jwk, Material};
use super::{Algorithm, Algorithms, Key, KeySet, PreparedKey, file, jwks, pem, secret, unusable};
use crate::error::{Error, Result};
use crate::policy::{KeyRule, KeySpec, KidRule, Origin, Warning};

/// The opened key sources of a verifier.
#[derive(Debug)]
pub(crate) struct KeyStore {
    sets: Vec<KeySet>,
    rule: KidRule,
}

/// The keys that answer to a `kid`, or why there are none.
#[derive(Debug)]
pub(crate) enum Selection {
    /// Each was handed to the visitor.
    Answered,
    /// No key answers.
    Unknown,
    /// The token must name a key and does not.
    Unnamed,
}

impl KeyStore {
    /// Reads and prepares every key of a policy.
    ///
    /// # Errors
    /// [`Code::KeyInvalid`](crate::Code::KeyInvalid): which source, which file, and what is wrong with it.
    pub(crate) fn open(rule: &KeyRule, base_dir: &Path, warnings: &mut Vec<Warning>) -> Result<KeyStore> {
        let mut sets = Vec::with_capacity(rule.sources.len());
        for (index, spec) in rule.sources.iter().enumerate() {
            let mut source = Source {
                path: format!("keys[{index}]"),
                spec,
                allowed: spec
                    .algorithms
                    .map_or(rule.algorithms, |own| own.intersection(rule.algorithms)),
                warnings,
            };
            sets.push(source.open(base_dir)?);
        }
        Ok(KeyStore { sets, rule: rule.kid })
    }

    /// Hands over the keys that answer to a token's `kid`, in order. An empty `kid` counts as none.
    pub(crate) fn select<'k>(&'k self, kid: Option<&str>, mut visit: impl FnMut(&'k Key)) -> Selection {
        let kid = kid.filter(|kid| !kid.is_empty());
        let mut answered = false;
        let mut visit = |key| {
            answered = true;
            visit(key);
        };
        for set in &self.sets {
            match (self.rule, kid) {
                (KidRule::Ignore, _) | (KidRule::Hint | KidRule::Match, None) => {
                    set.all().for_each(&mut visit)
                }
                (KidRule::Hint, Some(kid)) => set.named(kid).chain(set.unnamed()).for_each(&mut visit),
                (KidRule::Match | KidRule::Exact | KidRule::ExactOrOnly, Some(kid)) => {
                    set.named(kid).for_each(&mut visit)
                }
                (KidRule::ExactOrOnly, None) if set.len() == 1 => set.all().for_each(&mut visit),
                (KidRule::Exact | KidRule::ExactOrOnly, None) => set.unnamed().for_each(&mut visit),
                (KidRule::Required, None) => return Selection::Unnamed,
                (KidRule::Required, Some(kid)) => {
                    let mut named = set.named(kid).peekable();
                    if named.peek().is_some() {
                        named.for_each(&mut visit);
                        break;
                    }
                }
            }
        }
        if answered {
            Selection::Answered
        } else {
            Selection::Unknown
        }
    }
}

/// One source while it is being opened.
struct Source<'a> {
    path: String,
    spec: &'a KeySpec,
    allowed: Algorithms,
    warnings: &'a mut Vec<Warning>,
}

impl Source<'_> {
    fn open(&mut self, base_dir: &Path) -> Result<KeySet> {
        let member = self.member();
        let within = |error: Error| at(&member, &error);
        match &self.spec.origin {
            Origin::Pem(text) => self.pem(text).map_err(within),
            Origin::PemFile(path) => {
                let path = base_dir.join(path);
                let text = file::read_text(&path).map_err(within)?;
                self.pem(&text)
                    .map_err(|error| at(&member, &in_file(&path, &error)))
            }
            Origin::Jwk(text) => jwks::one(text)
                .and_then(|jwk| self.key(&jwk))
                .map(|key| KeySet::from_iter([key]))
                .map_err(within),
            Origin::Jwks(text) => self.jwks(text).map_err(within),
            Origin::JwksFile(path) => {
                let path = base_dir.join(path);
                let text = file::read_text(&path).map_err(within)?;
                self.jwks(&text)
                    .map_err(|error| at(&member, &in_file(&path, &error)))
            }
            Origin::Secret(secret) => self.secret(secret.as_bytes()).map_err(within),
            Origin::SecretFile(path) => {
                let path = base_dir.join(path);
                let mut bytes = file::read(&path).map_err(within)?;
                without_newline(&mut bytes);
                self.secret(&bytes)
                    .map_err(|error| at(&member, &in_file(&path, &error)))
            }
        }
    }

    fn pem(&mut self, text: &str) -> Result<KeySet> {
        let key = pem::public_key(text, pem::Form::NATIVE)?.key;
        let key = self.key(&Jwk::of(Material::Public(key)))?;
        Ok(KeySet::from_iter([key]))
    }

    fn secret(&mut self, bytes: &[u8]) -> Result<KeySet> {
        let key = self.key(&Jwk::of(Material::Secret(Zeroizing::new(bytes.to_vec()))))?;
        Ok(KeySet::from_iter([key]))
    }

    fn jwks(&mut self, text: &str) -> Result<KeySet> {
        let mut keys = Vec::new();
        for (index, jwk) in jwks::set(text)?.into_iter().enumerate() {
            match jwk.and_then(|jwk| self.key(&jwk)) {
                Ok(key) => keys.push(key),
                Err(error) => self.warnings.push(Warning::new(
                    format!("{}.keys[{index}]", self.member()),
                    format!("this key is skipped: {}", reason(&error)),
                )),
            }
        }
        if keys.is_empty() {
            return Err(unusable("no key of the set can be used"));
        }
        Ok(KeySet::from_iter(keys))
    }

    /// Prepares a key for every algorithm that it, its source and the policy have in common.
    fn key(&mut self, jwk: &Jwk) -> Result<Key> {
        let fitting = match &jwk.material {
            Material::Public(key) => key.algorithms(),
            Material::Secret(bytes) => secret::algorithms(bytes)?,
        };
        let own = jwk.algorithms.map_or(fitting, |own| own.intersection(fitting));
        let wanted = own.intersection(self.allowed);
        if wanted.is_empty() {
            return Err(unusable(format!(
                "the key can be used with {}, and what is allowed is {}",
                list(own),
                list(self.allowed)
            )));
        }
        let prepared = wanted
            .iter()
            .map(|algorithm| prepare(&jwk.material, algorithm))
            .collect::<Result<Vec<PreparedKey>>>()?;
        let kid = jwk.kid.as_deref().or(self.spec.kid.as_deref());
        Ok(Key::new(kid, prepared))
    }

    /// Where the source stands in the configuration.
    fn member(&self) -> String {
        let name = match &self.spec.origin {
            Origin::Pem(_) => "pem",
            Origin::PemFile(_) => "pem_file",
            Origin::Jwk(_) => "jwk",
            Origin::Jwks(_) => "jwks",
            Origin::JwksFile(_) => "jwks_file",
            Origin::Secret(_) => "secret",
            Origin::SecretFile(_) => "secret_file",
        };
        format!("{}.{name}", self.path)
    }
}

impl Jwk {
    /// A key that says nothing about itself.
    fn of(material: Material) -> Jwk {
        Jwk {
            kid: None,
            material,
            algorithms: None,
        }
    }
}

fn prepare(material: &Material, algorithm: Algorithm) -> Result<PreparedKey> {
    match material {
        Material::Public(key) => Ok(PreparedKey::Public(algorithm, key.prepare(algorithm)?)),
        Material::Secret(bytes) => {
            secret::prepare(bytes, algorithm).ok_or_else(|| unusable("a secret is for HMAC only"))
        }
    }
}

fn without_newline(bytes: &mut Vec<u8>) {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
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

fn in_file(path: &Path, error: &Error) -> Error {
    Error::new(error.code()).with_detail(format!("`{}`: {}", path.display(), reason(error)))
}

fn at(member: &str, error: &Error) -> Error {
    Error::new(error.code()).with_detail(format!("`{member}`: {}", reason(error)))
}

fn reason(error: &Error) -> &str {
    error.detail().unwrap_or_else(|| error.code().message())
}
