//! The key sources of a policy, opened.

use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::client::Client;
use super::fetch::{self, Fetch};
use super::jwks::{Jwk, Material};
use super::remote::{Kind, Refetched, RemoteSource};
use super::{Algorithm, Algorithms, Key, KeySet, PreparedKey, file, jwks, pem, secret, unusable};
use crate::clock::Monotonic;
use crate::error::{Code, Error, Result};
use crate::policy::{DiscoveredAlgorithms, KeyRule, KidRule, Origin, Remote, Warning};

/// The opened key sources of a verifier.
#[derive(Debug)]
pub(crate) struct KeyStore {
    sources: Vec<Opened>,
    rule: KidRule,
}

/// What a verifier runs in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Host<'h> {
    /// What relative paths are relative to.
    pub(crate) base_dir: &'h Path,
    /// What fetches in place of the library's own client.
    pub(crate) fetch: Option<&'h Arc<dyn Fetch>>,
    /// By which clock fetched keys age.
    pub(crate) clock: &'h Monotonic,
}

#[derive(Debug)]
enum Opened {
    Fixed(KeySet),
    Fetched(Box<RemoteSource>),
}

/// The keys of every source at one moment.
#[derive(Debug)]
pub(crate) struct Current<'k> {
    sources: &'k [Opened],
    /// The sets of the fetched sources, in their order; `None` where there is none. Empty when all are fixed.
    fetched: Vec<Option<Arc<KeySet>>>,
    rule: KidRule,
    /// Why a source has no keys at this moment.
    missing: Option<Error>,
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
    /// Reads and prepares every key of a policy, and opens the sources that fetch theirs. Nothing is fetched.
    ///
    /// # Errors
    /// [`Code::KeyInvalid`](crate::Code::KeyInvalid), [`Code::ConfigInvalid`](crate::Code::ConfigInvalid): which
    /// source, which file, and what is wrong with it.
    pub(crate) fn open(rule: &KeyRule, host: Host<'_>, warnings: &mut Vec<Warning>) -> Result<KeyStore> {
        let mut sources = Vec::with_capacity(rule.sources.len());
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
            sources.push(source.open(&spec.origin, host)?);
        }
        let usable = |source: &Opened| match source {
            Opened::Fixed(set) => set.is_usable(),
            Opened::Fetched(_) => true,
        };
        // A policy without any source, as one that takes no tokens has it, knows no key and finds none.
        if !sources.is_empty() && !sources.iter().any(usable) {
            let why = remarks
                .first()
                .map(|first| format!(": `{}`: {}", first.key, first.message));
            return Err(unusable(format!("no key can be used{}", why.unwrap_or_default())));
        }
        warnings.append(&mut remarks);
        Ok(KeyStore {
            sources,
            rule: rule.kid,
        })
    }

    /// Whether no source fetches its keys.
    pub(crate) fn is_fixed(&self) -> bool {
        self.fetching().next().is_none()
    }

    /// Makes an attempt with the keys of this moment. When it fails for want of a key or for a bad signature, and a
    /// source may be asked for newer keys, one more with those.
    ///
    /// # Errors
    /// Those of the attempt; the codes of class [`Unavailable`](crate::Class::Unavailable) when it found no key and a
    /// source has none at all.
    pub(crate) fn attempt<T>(&self, mut attempt: impl FnMut(&Current<'_>) -> Result<T>) -> Result<T> {
        let current = self.current();
        let why = match attempt(&current) {
            Err(why) if matches!(why.code(), Code::KeyNotFound | Code::SignatureInvalid) => why,
            outcome => return outcome,
        };
        let (mut newer, mut failure) = (false, None);
        for (source, tried) in self.fetching().zip(&current.fetched) {
            match tried.as_ref().map(|tried| source.refetch(tried)) {
                Some(Refetched::Newer) => newer = true,
                Some(Refetched::Failed(why)) => failure = Some(why),
                Some(Refetched::NotNow) | None => {}
            }
        }
        if newer {
            return attempt(&self.current());
        }
        // Nobody knows whether a source without keys would have known this token's.
        if let Some(missing) = current.missing {
            return Err(missing);
        }
        // A warm source must not turn a forged token into an outage: the answer stays no.
        Err(match failure {
            Some(failure) => {
                let own = why.detail().map(|own| format!("{own}; ")).unwrap_or_default();
                let failure = failure
                    .detail()
                    .unwrap_or_else(|| failure.code().message())
                    .to_owned();
                why.with_detail(format!("{own}newer keys could not be fetched: {failure}"))
            }
            None => why,
        })
    }

    /// Fetches the keys of every source that fetches.
    ///
    /// # Errors
    /// The first failure, after every source was asked.
    pub(crate) fn refresh(&self) -> Result<()> {
        let failures: Vec<Error> = self
            .fetching()
            .filter_map(|source| source.refresh().err())
            .collect();
        failures.into_iter().next().map_or(Ok(()), Err)
    }

    fn fetching(&self) -> impl Iterator<Item = &RemoteSource> {
        self.sources.iter().filter_map(|source| match source {
            Opened::Fixed(_) => None,
            Opened::Fetched(source) => Some(source.as_ref()),
        })
    }

    fn current(&self) -> Current<'_> {
        let mut missing = None;
        let fetched = self
            .fetching()
            .map(|source| source.current().map_err(|why| missing = Some(why)).ok())
            .collect();
        Current {
            sources: &self.sources,
            fetched,
            rule: self.rule,
            missing,
        }
    }
}

impl Current<'_> {
    fn sets(&self) -> impl Iterator<Item = &KeySet> {
        let mut fetched = self.fetched.iter();
        self.sources.iter().filter_map(move |source| match source {
            Opened::Fixed(set) => Some(set),
            Opened::Fetched(_) => fetched.next()?.as_deref(),
        })
    }

    /// Hands over the keys that answer to a token's `kid`, in order. An empty `kid` counts as none.
    pub(crate) fn select<'c>(&'c self, kid: Option<&str>, mut visit: impl FnMut(&'c Key)) -> Selection {
        let kid = kid.filter(|kid| !kid.is_empty());
        let mut answered = false;
        let mut visit = |key| {
            answered = true;
            visit(key);
        };
        for set in self.sets() {
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
    fn open(&mut self, origin: &Origin, host: Host<'_>) -> Result<Opened> {
        let place = format!("`{}`", self.member);
        match origin {
            Origin::Pem(text) => self.pem(text),
            Origin::Jwk(text) => jwks::one(text).and_then(|jwk| self.single(&jwk)),
            Origin::Jwks(text) => self.jwks(text),
            Origin::Secret(secret) => self.secret(secret.as_bytes()),
            Origin::PemFile(path) | Origin::JwksFile(path) | Origin::SecretFile(path) => {
                let path = host.base_dir.join(path);
                self.file(origin, &path)
            }
            Origin::JwksUrl(jwks) => {
                return self
                    .remote(&jwks.url, Kind::Jwks, &jwks.remote, host)
                    .map_err(|error| within(&place, &error));
            }
            Origin::OidcDiscoveryUrl(issuer) => {
                let advertised = issuer.algorithms == DiscoveredAlgorithms::Advertised;
                let kind = Kind::Discovery { advertised };
                return self
                    .remote(&issuer.issuer, kind, &issuer.remote, host)
                    .map_err(|error| within(&place, &error));
            }
        }
        .map(Opened::Fixed)
        .map_err(|error| within(&place, &error))
    }

    fn remote(&self, url: &str, kind: Kind, settings: &Remote, host: Host<'_>) -> Result<Opened> {
        fetch::check_url(url, settings.insecure_http)
            .map_err(|why| Error::new(Code::ConfigInvalid).with_detail(why))?;
        let fetch = match host.fetch {
            Some(own) => Arc::clone(own),
            None => Arc::new(Client::open(settings, host.base_dir)?),
        };
        Ok(Opened::Fetched(Box::new(RemoteSource::new(
            url,
            kind,
            settings.clone(),
            self.allowed,
            fetch,
            host.clock.clone(),
        ))))
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
        let entries = jwks::set(text)?;
        if entries.len() > MAX_KEYS {
            return Err(unusable(format!("the set holds more than {MAX_KEYS} keys")));
        }
        for (index, entry) in entries.into_iter().enumerate() {
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
            Origin::JwksUrl(..) => "jwks_url",
            Origin::OidcDiscoveryUrl(..) => "oidc_discovery_url",
        }
    }
}

/// Reads a set that was fetched.
///
/// # Errors
/// It is no key set, holds too many keys, or none that can be used.
pub(super) fn fetched_set(text: &str, allowed: Algorithms) -> Result<KeySet> {
    let mut remarks = Vec::new();
    let mut source = Source {
        member: String::new(),
        kid: None,
        allowed,
        remarks: &mut remarks,
    };
    source.jwks(text)
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

/// The largest set that is read.
const MAX_KEYS: usize = 1000;

#[cfg(test)]
mod tests;
