//! Tokens, accessors and the names of entries. This is the only door to cryptography and randomness.
//!
//! A token is random. Everything else is computed from it under the salt of the store: the accessor from the token, the
//! name of the entry from the accessor. So one entry is found by both, and the store contains neither.

use std::fmt;
use std::sync::Mutex;

#[cfg(feature = "redis")]
use aws_lc_rs::digest;
use aws_lc_rs::{aead, hmac, rand};
use base64_simd::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

/// A text that `Debug` does not show, and that is erased when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(redacted)")
    }
}

/// How the tokens and accessors of a dialect are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A prefix and 24 random bytes; accessors have 24 bytes.
    Prefixed(&'static str),
    /// 16 random bytes as a UUID, as Consul writes them.
    Uuid,
}

/// Where random bytes come from.
pub(crate) enum Random {
    System,
    /// Bytes that a test can predict: a key, and how many blocks were made.
    Seeded(Box<hmac::Key>, Mutex<u64>),
}

impl fmt::Debug for Random {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Random")
    }
}

impl Random {
    pub(crate) fn seeded(seed: u64) -> Random {
        Random::Seeded(
            Box::new(hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes())),
            Mutex::new(0),
        )
    }

    pub(crate) fn is_seeded(&self) -> bool {
        matches!(self, Random::Seeded(..))
    }

    /// Returns random bytes.
    pub(crate) fn bytes<const N: usize>(&self) -> Result<Zeroizing<[u8; N]>> {
        let mut bytes = Zeroizing::new([0; N]);
        match self {
            Random::System => rand::fill(&mut *bytes).map_err(|_| {
                Error::with(Code::SessionInternalError, "the system returned no random bytes")
            })?,
            Random::Seeded(key, made) => {
                for chunk in bytes.chunks_mut(32) {
                    let mut made = made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    *made += 1;
                    let block = hmac::sign(key, &made.to_be_bytes());
                    chunk
                        .iter_mut()
                        .zip(block.as_ref())
                        .for_each(|(to, from)| *to = *from);
                }
            }
        }
        Ok(bytes)
    }

    /// Makes a token of at least 192 random bits; a UUID has 128.
    pub(crate) fn token(&self, form: Form) -> Result<Secret> {
        Ok(Secret::new(match form {
            Form::Prefixed(prefix) => {
                let random = self.bytes::<24>()?;
                let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode_to_string(&random[..]));
                [prefix, &encoded].concat()
            }
            Form::Uuid => uuid(*self.bytes::<16>()?),
        }))
    }
}

/// The salt of a store: 32 random bytes that are made with the store.
pub(crate) type Salt = [u8; 32];

/// The name of an entry or of a group of entries in the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(pub(crate) [u8; 32]);

impl fmt::Debug for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Id({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// Computes accessors and the names of entries under one salt.
pub(crate) struct Namer {
    salt: Zeroizing<Salt>,
    key: hmac::Key,
    /// Part of every name: the sessions of another dialect, or space, in the same store are others.
    dialect: &'static str,
}

impl fmt::Debug for Namer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Namer")
    }
}

impl Namer {
    pub(crate) fn new(salt: Salt, dialect: &'static str) -> Namer {
        Namer {
            dialect,
            key: hmac::Key::new(hmac::HMAC_SHA256, &salt),
            salt: Zeroizing::new(salt),
        }
    }

    pub(crate) fn has_salt(&self, salt: &Salt) -> bool {
        *self.salt == *salt
    }

    /// The accessor of a token.
    pub(crate) fn accessor(&self, form: Form, token: &str) -> String {
        let hash = Zeroizing::new(self.hash("accessor", token));
        match form {
            Form::Prefixed(_) => URL_SAFE_NO_PAD.encode_to_string(first::<24>(&*hash)),
            Form::Uuid => uuid(first(&*hash)),
        }
    }

    /// The name of the entry of the session with this accessor.
    pub(crate) fn entry(&self, accessor: &str) -> Id {
        Id(self.hash("session", accessor))
    }

    /// The name of the group of a profile's sessions.
    pub(crate) fn profile(&self, name: &str) -> Id {
        Id(self.hash("profile", name))
    }

    /// The name of the group of a subject's sessions.
    pub(crate) fn subject(&self, name: &str) -> Id {
        Id(self.hash("subject", name))
    }

    fn hash(&self, use_of_key: &str, text: &str) -> [u8; 32] {
        keyed_hash(&self.key, &[self.dialect, use_of_key, text])
    }
}

/// A UUID that is always the same for these texts, such as the id of an entity.
pub(crate) fn stable_uuid(parts: &[&str]) -> String {
    // The id is not a secret: it only has to be the same everywhere, and different for other texts.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"jwtauth stable id");
    uuid(first(&keyed_hash(&key, parts)))
}

/// A UUID of random bytes. Like Consul and Vault, it does not mark a version.
pub(crate) fn uuid(bytes: [u8; 16]) -> String {
    let mut uuid = String::with_capacity(36);
    for (index, letter) in hex(&bytes).chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(letter);
    }
    uuid
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// The hash of texts; the length of each is hashed too, so that `["a", "b"]` is not `["ab"]`.
fn keyed_hash(key: &hmac::Key, parts: &[&str]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    first(context.sign().as_ref())
}

/// The first bytes of a hash that is at least as long.
fn first<const N: usize>(hash: &[u8]) -> [u8; N] {
    let mut start = [0; N];
    start.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    start
}

/// The name by which a Redis server knows a script. It protects nothing.
#[cfg(feature = "redis")]
pub(crate) fn sha1_hex(text: &str) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    hex(hash.as_ref())
}

/// A key for batch tokens.
pub(crate) struct BatchKey {
    id: String,
    key: aead::LessSafeKey,
    /// By which it is compared with other keys.
    mark: [u8; 32],
}

impl fmt::Debug for BatchKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("BatchKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl BatchKey {
    /// Reads a key of 32 bytes, written in base64url. `None` for any other text.
    pub(crate) fn read(id: &str, text: &str) -> Option<BatchKey> {
        let text = text.trim().trim_end_matches('=');
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode_to_vec(text).ok()?);
        let key = aead::UnboundKey::new(&aead::AES_256_GCM, &bytes).ok()?;
        let comparing = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        Some(BatchKey {
            id: id.to_owned(),
            mark: keyed_hash(&comparing, &["jwtauth batch key"]),
            key: aead::LessSafeKey::new(key),
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// A value that is the same for the same key only.
    pub(crate) fn mark(&self) -> [u8; 32] {
        self.mark
    }

    /// Encrypts a record: prefix, then in base64url a version, the length and text of the key's id, a nonce, the text.
    pub(crate) fn seal(&self, random: &Random, prefix: &str, record: &str) -> Result<Secret> {
        let failed = || Error::with(Code::SessionInternalError, "a batch token could not be encrypted");
        let nonce = *random.bytes::<{ aead::NONCE_LEN }>()?;
        let id_length = u8::try_from(self.id.len()).map_err(|_| failed())?;
        let head = [&[BATCH_VERSION, id_length], self.id.as_bytes()].concat();
        let mut text = Zeroizing::new(record.as_bytes().to_vec());
        let nonce_used = aead::Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(nonce_used, aead::Aad::from(&head), &mut *text)
            .map_err(|_| failed())?;
        let bytes = [&head, &nonce[..], &text].concat();
        Ok(Secret::new(
            [prefix, &URL_SAFE_NO_PAD.encode_to_string(bytes)].concat(),
        ))
    }
}

/// Decrypts what [`BatchKey::seal`] encrypted with one of the keys. `None` for anything else.
pub(crate) fn open_batch(keys: &[BatchKey], prefix: &str, token: &str) -> Option<Zeroizing<Vec<u8>>> {
    let encoded = token
        .strip_prefix(prefix)
        .filter(|text| text.len() <= MAX_BATCH)?;
    let mut bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode_to_vec(encoded).ok()?);
    let (head, _) = bytes.split_first_chunk::<2>()?;
    let [BATCH_VERSION, id_length] = *head else {
        return None;
    };
    let head_length = 2 + usize::from(id_length);
    let (head, rest) = bytes.split_at_mut_checked(head_length)?;
    let key = keys.iter().find(|key| head.get(2..) == Some(key.id.as_bytes()))?;
    let (nonce, text) = rest.split_first_chunk_mut::<{ aead::NONCE_LEN }>()?;
    let nonce = aead::Nonce::assume_unique_for_key(*nonce);
    let text = key.key.open_in_place(nonce, aead::Aad::from(&*head), text).ok()?;
    Some(Zeroizing::new(text.to_vec()))
}

const BATCH_VERSION: u8 = 1;
/// The longest batch token that is decoded.
pub(crate) const MAX_BATCH: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_depend_on_the_salt_and_on_the_use() {
        let namer = |salt, dialect| Namer::new([salt; 32], dialect);
        let (one, other) = (namer(1, "vault"), namer(2, "vault"));
        assert_ne!(one.entry("a"), other.entry("a"));
        assert_ne!(one.entry("a"), namer(1, "native").entry("a"));
        assert_ne!(one.profile("a"), one.subject("a"));
        assert_ne!(one.entry("a"), one.profile("a"));
        assert!(one.has_salt(&[1; 32]) && !one.has_salt(&[2; 32]));
        let token = "hvs.x";
        assert_eq!(one.accessor(Form::Prefixed("hvs."), token).len(), 32);
        assert_eq!(one.accessor(Form::Uuid, token).len(), 36);
    }

    #[test]
    fn a_stable_id_depends_on_where_the_texts_end() {
        assert_ne!(stable_uuid(&["a", "b"]), stable_uuid(&["ab", ""]));
        assert_eq!(stable_uuid(&["a"]), stable_uuid(&["a"]));
        assert_eq!(uuid([0x0f; 16]), "0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f");
    }

    #[test]
    fn a_batch_token_is_opened_by_the_key_that_it_names_only() {
        let key =
            |id: &str, byte: u8| BatchKey::read(id, &URL_SAFE_NO_PAD.encode_to_string([byte; 32])).unwrap();
        let sealed = key("b", 2).seal(&Random::seeded(1), "hvb.", "text").unwrap();
        let open = |keys: &[BatchKey], token: &str| open_batch(keys, "hvb.", token).map(|text| text.to_vec());
        let both = [key("a", 1), key("b", 2)];
        assert_eq!(open(&both, sealed.expose()).as_deref(), Some(&b"text"[..]));
        assert_eq!(open(&[key("a", 2), key("b", 1)], sealed.expose()), None);
        assert_eq!(open(&[], sealed.expose()), None);
        let token = sealed.expose();
        for end in 0..token.len() {
            assert_eq!(open(&both, token.get(..end).unwrap()), None, "{end}");
        }
        for index in 4..token.len() - 1 {
            let mut changed = token.as_bytes().to_vec();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(open(&both, &String::from_utf8(changed).unwrap()), None, "{index}");
        }
    }

    #[test]
    fn keys_have_32_bytes() {
        for length in [0, 16, 31, 33, 64] {
            assert!(BatchKey::read("a", &URL_SAFE_NO_PAD.encode_to_string(vec![1; length])).is_none());
        }
        assert!(BatchKey::read("a", "not base64!").is_none());
    }

    #[test]
    fn debug_shows_no_secret() {
        let random = Random::seeded(1);
        let token = random.token(Form::Prefixed("hvs.")).unwrap();
        let shown = format!("{token:?} {random:?} {:?}", Namer::new([1; 32], "vault"));
        assert_eq!(shown, "(redacted) Random Namer");
        assert_ne!(
            random.token(Form::Uuid).unwrap(),
            random.token(Form::Uuid).unwrap()
        );
    }
}
