//! The key sources of a policy, opened.

use std::path::Path;

use zeroize::Zeroizing;

use super::jwks::{Jwk, Material};
use super::{Algorithm, Algorithms, Key, KeySet, PreparedKey, file, jwks, pem, secret, unusable};
use crate::error::{Error, Result};
use crate::policy::{KeyRule, KidRule, Origin, Warning};

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
        let mut remarks = Vec::new();
        for (index, spec) in rule.sources.iter().enumerate() {
            let mut source = Source {
                member: format!("keys[{index}].{}", spec.origin.member()),
                kid: spec.kid.as_deref(),
                allowed: spec
                    .algorithms
                    .map_or(rule.algorithms, |own| own.intersection(rule.algorithms)),
                remarks: &mut remarks,
            };
            sets.push(source.open(&spec.origin, base_dir)?);
        }
        // A policy without any source, as one that takes no tokens has it, knows no key and finds none.
        if !sets.is_empty() && !sets.iter().any(KeySet::is_usable) {
            let why = remarks
                .first()
                .map(|first| format!(": `{}`: {}", first.key, first.message));
            return Err(unusable(format!("no key can be used{}", why.unwrap_or_default())));
        }
        warnings.append(&mut remarks);
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
                (KidRule::Exact, None) => set.unnamed().for_each(&mut visit),
                (KidRule::ExactOrOnly, None) => match set.only() {
                    Some(key) => visit(key),
                    None => set.unnamed().for_each(&mut visit),
                },
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
    /// Where it stands in the configuration.
    member: String,
    kid: Option<&'a str>,
    allowed: Algorithms,
    remarks: &'a mut Vec<Warning>,
}

impl Source<'_> {
    fn open(&mut self, origin: &Origin, base_dir: &Path) -> Result<KeySet> {
        let place = format!("`{}`", self.member);
        match origin {
            Origin::Pem(text) => self.pem(text),
            Origin::Jwk(text) => jwks::one(text).and_then(|jwk| self.single(&jwk)),
            Origin::Jwks(text) => self.jwks(text),
            Origin::Secret(secret) => self.secret(secret.as_bytes()),
            Origin::PemFile(path) | Origin::JwksFile(path) | Origin::SecretFile(path) => {
                let path = base_dir.join(path);
                self.file(origin, &path)
            }
        }
        .map_err(|error| within(&place, &error))
    }

    fn file(&mut self, origin: &Origin, path: &Path) -> Result<KeySet> {
        let keys = match origin {
            Origin::PemFile(_) => self.pem(&file::read_text(path)?),
            Origin::SecretFile(_) => {
                let mut bytes = file::read(path)?;
                without_newline(&mut bytes);
                self.secret(&bytes)
            }
            _ => self.jwks(&file::read_text(path)?),
        };
        keys.map_err(|error| within(&format!("`{}`", path.display()), &error))
    }

    fn pem(&mut self, text: &str) -> Result<KeySet> {
        let key = pem::public_key(text, pem::Form::NATIVE)?.key;
        self.single(&Jwk::of(Material::Public(key)))
    }

    fn secret(&mut self, bytes: &[u8]) -> Result<KeySet> {
        self.single(&Jwk::of(Material::Secret(Zeroizing::new(bytes.to_vec()))))
    }

    /// A source of one key: what is wrong with the key is wrong with the source.
    fn single(&mut self, jwk: &Jwk) -> Result<KeySet> {
        let own = jwk.fitting()?;
        if let Material::Secret(bytes) = &jwk.material {
            let named = jwk.algorithms.unwrap_or(self.allowed).intersection(self.allowed);
            let missing = named.intersection(secret::all()).without(own);
            if !missing.is_empty() && !own.intersection(self.allowed).is_empty() {
                let (bytes, missing) = (bytes.len(), list(missing));
                self.remark(format!("a secret of {bytes} bytes is too short for {missing}"));
            }
        }
        let key = self.key(jwk, own)?;
        if !key.is_usable() {
            let (own, allowed) = (list(own), list(self.allowed));
            self.remark(format!("the key fits {own}, and what is allowed is {allowed}"));
        }
        Ok(KeySet::from_iter([key]))
    }

    /// A set of keys, which may hold some that are meant for others.
    fn jwks(&mut self, text: &str) -> Result<KeySet> {
        let mut keys = Vec::new();
        for (index, entry) in jwks::set(text)?.into_iter().enumerate() {
            let key = entry.jwk.and_then(|jwk| self.key(&jwk, jwk.fitting()?));
            let skipped = match &key {
                Ok(key) if key.is_usable() => None,
                Ok(_) => Some("no algorithm that it fits is allowed"),
                Err(error) => Some(reason(error)),
            };
            if let Some(why) = skipped {
                let member = format!("{}.keys[{index}]", self.member);
                self.remarks
                    .push(Warning::new(member, format!("this key is skipped: {why}")));
            }
            // A skipped key still answers to its name, so that no key of another source answers instead.
            keys.push(key.unwrap_or_else(|_| Key::new(entry.kid.as_deref(), Vec::new())));
        }
        let keys = KeySet::from_iter(keys);
        if keys.is_usable() {
            Ok(keys)
        } else {
            Err(unusable("no key of the set can be used"))
        }
    }

    /// Prepares a key for every algorithm that it, its source and the policy have in common.
    fn key(&self, jwk: &Jwk, fitting: Algorithms) -> Result<Key> {
        let prepared = fitting
            .intersection(self.allowed)
            .iter()
            .map(|algorithm| prepare(&jwk.material, algorithm))
            .collect::<Result<Vec<PreparedKey>>>()?;
        Ok(Key::new(jwk.kid.as_deref().or(self.kid), prepared))
    }

    fn remark(&mut self, message: String) {
        self.remarks.push(Warning::new(self.member.clone(), message));
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

    /// The algorithms that the key fits, by its material and by what it says about itself.
    fn fitting(&self) -> Result<Algorithms> {
        let fitting = match &self.material {
            Material::Public(key) => key.algorithms(),
            Material::Secret(bytes) => secret::algorithms(bytes)?,
        };
        Ok(self.algorithms.map_or(fitting, |own| own.intersection(fitting)))
    }
}

impl Origin {
    /// The configuration key that gives it.
    fn member(&self) -> &'static str {
        match self {
            Origin::Pem(_) => "pem",
            Origin::PemFile(_) => "pem_file",
            Origin::Jwk(_) => "jwk",
            Origin::Jwks(_) => "jwks",
            Origin::JwksFile(_) => "jwks_file",
            Origin::Secret(_) => "secret",
            Origin::SecretFile(_) => "secret_file",
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

fn within(place: &str, error: &Error) -> Error {
    Error::new(error.code()).with_detail(format!("{place}: {}", reason(error)))
}

fn reason(error: &Error) -> &str {
    error.detail().unwrap_or_else(|| error.code().message())
}

#[cfg(test)]
mod tests;
