//! One key source of a policy: its keys are read and prepared now, or fetched later.

use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::fetch::{self, Fetch};
use super::jwks::{Jwk, Material};
use super::load::{Kind, Loader};
use super::remote::RemoteSource;
use super::{Algorithm, Algorithms, Key, KeySet, PreparedKey, file, jwks, pem, secret, unusable, url};
use crate::clock::Monotonic;
use crate::error::{Code, Error, Result};
use crate::policy::{DiscoveredAlgorithms, Origin, Remote, Warning};

/// A source, opened.
#[derive(Debug)]
pub(super) enum Opened {
    Fixed(KeySet),
    Fetched(Box<RemoteSource>),
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

/// One source while it is being opened.
pub(super) struct Source<'a> {
    /// Where it stands in the configuration.
    pub(super) member: String,
    pub(super) kid: Option<&'a str>,
    pub(super) allowed: Algorithms,
    pub(super) remarks: &'a mut Vec<Warning>,
}

impl Source<'_> {
    pub(super) fn open(&mut self, origin: &Origin, host: Host<'_>) -> Result<Opened> {
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

    fn remote(&mut self, url: &str, kind: Kind, settings: &Remote, host: Host<'_>) -> Result<Opened> {
        let check = match kind {
            Kind::Jwks => url::check,
            Kind::Discovery { .. } => url::check_issuer,
        };
        check(url, settings.insecure_http).map_err(|why| Error::new(Code::ConfigInvalid).with_detail(why))?;
        let fetch = match host.fetch {
            Some(own) => {
                let idle = settings.for_the_built_in_client();
                if !idle.is_empty() {
                    let idle = idle.join("`, `");
                    self.remark(format!("the host fetches, and does as it likes about `{idle}`"));
                }
                Arc::clone(own)
            }
            None => fetch::built_in(settings, host.base_dir)?,
        };
        Ok(Opened::Fetched(Box::new(RemoteSource::new(Loader {
            url: url.to_owned(),
            kind,
            settings: settings.clone(),
            allowed: self.allowed,
            fetch,
            started: host.clock.now(),
            clock: host.clock.clone(),
        }))))
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
    pub(super) fn member(&self) -> &'static str {
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
    let set = source.jwks(text);
    set.map_err(|why| match remarks.first() {
        Some(first) => {
            let entry = first.key.trim_start_matches('.');
            unusable(format!("{}; `{entry}`: {}", reason(&why), first.message))
        }
        None => why,
    })
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

pub(super) fn reason(error: &Error) -> &str {
    error.detail().unwrap_or_else(|| error.code().message())
}

/// The largest set that is read.
const MAX_KEYS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_final_newline_is_no_part_of_a_secret() {
        for (text, secret) in [
            (&b"secret"[..], &b"secret"[..]),
            (b"secret\n", b"secret"),
            (b"secret\r\n", b"secret"),
            (b"secret\n\n", b"secret\n"),
            (b"secret\r", b"secret\r"),
            (b"\n", b""),
            (b"", b""),
        ] {
            let mut bytes = text.to_vec();
            without_newline(&mut bytes);
            assert_eq!(bytes, secret, "{text:?}");
        }
    }
}
