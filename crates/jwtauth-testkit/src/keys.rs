//! The test keys, `tests/conformance/keys/*`, in every form that a configuration accepts.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Mutex;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use serde_json::{Map, Value, json};

use crate::{Context, Result, suite};

/// Every test key by name.
#[derive(Debug)]
pub struct Keyring {
    keys: BTreeMap<String, TestKey>,
    /// Other PEM texts, by file name without `.pem`: certificates, and public keys that must be refused.
    texts: BTreeMap<String, String>,
}

/// A key that can sign.
pub struct TestKey {
    signer: Signer,
    /// The public key as a JWK without `kid`; for a secret, the secret itself.
    jwk: Map<String, Value>,
    /// The public half as SubjectPublicKeyInfo; empty for a secret.
    public_der: Vec<u8>,
    /// The public half as PKCS #1; only for RSA.
    pkcs1_der: Vec<u8>,
    private_pem: String,
    secret: Vec<u8>,
    /// Cached, because most cases of a topic share a token and RSA signatures are slow.
    signed: Mutex<Signatures>,
}

/// Signatures by algorithm and message.
type Signatures = HashMap<(String, Vec<u8>), Vec<u8>>;

enum Signer {
    Jsonwebtoken(EncodingKey),
    /// `jsonwebtoken` does not know ES512.
    P521(Box<EcdsaKeyPair>),
}

impl Keyring {
    /// Reads the keys of the suite.
    ///
    /// # Errors
    /// A key file that cannot be read.
    pub fn load() -> Result<Keyring> {
        Keyring::read(&suite().join("keys"))
    }

    fn read(directory: &Path) -> Result<Keyring> {
        let mut ring = Keyring {
            keys: BTreeMap::new(),
            texts: BTreeMap::new(),
        };
        for entry in std::fs::read_dir(directory).context(directory.display())? {
            let path = entry.context(directory.display())?.path();
            let file = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let text = || std::fs::read_to_string(&path).context(path.display());
            if let Some(name) = file.strip_suffix(".private.pem") {
                let key = TestKey::from_pem(name, text()?).context(file)?;
                ring.keys.insert(name.to_owned(), key);
            } else if let Some(name) = file.strip_suffix(".secret") {
                let key = TestKey::from_secret(text()?.trim()).context(file)?;
                ring.keys.insert(name.to_owned(), key);
            } else if let Some(name) = file.strip_suffix(".pem") {
                ring.texts.insert(name.to_owned(), text()?);
            }
        }
        Ok(ring)
    }

    /// The key with this name.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, name: &str) -> Result<&TestKey> {
        self.keys
            .get(name)
            .context(format_args!("there is no test key `{name}`"))
    }

    /// The public key as PEM text: of a key that can sign, or of one that is stored only as PEM text.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn public_pem(&self, name: &str) -> Result<String> {
        match self.texts.get(&format!("{name}.public")) {
            Some(text) => Ok(text.clone()),
            None => Ok(pem("PUBLIC KEY", &self.get(name)?.public_der)),
        }
    }

    /// The certificate as PEM text.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn certificate_pem(&self, name: &str) -> Result<String> {
        self.texts
            .get(&format!("{name}.certificate"))
            .cloned()
            .context(format_args!("there is no certificate `{name}`"))
    }

    /// Every secret of the ring in the form of configurations; a failure must never contain one.
    pub fn secrets(&self) -> impl Iterator<Item = String> {
        self.keys
            .values()
            .filter(|key| !key.secret.is_empty())
            .map(TestKey::secret_text)
    }
}

impl TestKey {
    fn from_pem(name: &str, private_pem: String) -> Result<TestKey> {
        let pkcs8 = pem_body(&private_pem)?;
        let bytes = private_pem.as_bytes();
        let ec = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8).context("not a private key");
        let mut key = TestKey {
            signer: Signer::Jsonwebtoken(EncodingKey::from_secret(&[])),
            jwk: Map::new(),
            public_der: Vec::new(),
            pkcs1_der: Vec::new(),
            secret: Vec::new(),
            private_pem: String::new(),
            signed: Mutex::default(),
        };
        let family = name.split('-').next().unwrap_or_default();
        match family {
            "rsa" => {
                let pair = RsaKeyPair::from_pkcs8(&pkcs8).context("not a private key")?;
                let public = pair.public_key();
                let modulus = public.modulus().big_endian_without_leading_zero();
                let exponent = public.exponent().big_endian_without_leading_zero();
                key.signer = Signer::Jsonwebtoken(EncodingKey::from_rsa_pem(bytes).context("not RSA")?);
                key.jwk = object(json!({ "kty": "RSA", "n": base64url(modulus), "e": base64url(exponent) }));
                key.public_der = der(public)?;
                key.pkcs1_der = public.as_ref().to_vec();
            }
            "ec256" | "ec384" | "ec521" => {
                let (pair, curve) = match family {
                    "ec256" => (ec(&ECDSA_P256_SHA256_FIXED_SIGNING)?, "P-256"),
                    "ec384" => (ec(&ECDSA_P384_SHA384_FIXED_SIGNING)?, "P-384"),
                    _ => (ec(&ECDSA_P521_SHA512_FIXED_SIGNING)?, "P-521"),
                };
                let point = pair.public_key().as_ref();
                let coordinates = point.get(1..).context("an empty point")?;
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                key.jwk = object(json!({ "kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y) }));
                key.public_der = der(pair.public_key())?;
                key.signer = if curve == "P-521" {
                    Signer::P521(Box::new(pair))
                } else {
                    Signer::Jsonwebtoken(EncodingKey::from_ec_pem(bytes).context("not EC")?)
                };
            }
            "ed25519" => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).context("not a private key")?;
                let x = base64url(pair.public_key().as_ref());
                key.signer = Signer::Jsonwebtoken(EncodingKey::from_ed_pem(bytes).context("not Ed25519")?);
                key.jwk = object(json!({ "kty": "OKP", "crv": "Ed25519", "x": x }));
                key.public_der = der(pair.public_key())?;
            }
            _ => return Err(format!("`{family}` is not a family of keys")),
        }
        key.private_pem = private_pem;
        Ok(key)
    }

    fn from_secret(text: &str) -> Result<TestKey> {
        let secret = URL_SAFE_NO_PAD
            .decode_to_vec(text)
            .context("not a base64url secret")?;
        Ok(TestKey {
            signer: Signer::Jsonwebtoken(EncodingKey::from_secret(&secret)),
            jwk: object(json!({ "kty": "oct", "k": text })),
            public_der: Vec::new(),
            pkcs1_der: Vec::new(),
            private_pem: String::new(),
            secret,
            signed: Mutex::default(),
        })
    }

    /// Signs with this JWS algorithm.
    ///
    /// # Errors
    /// The key cannot be used with that algorithm.
    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Result<Vec<u8>> {
        let mut signed = self.signed.lock().context("signing")?;
        match signed.entry((algorithm.to_owned(), message.to_vec())) {
            Entry::Occupied(known) => Ok(known.get().clone()),
            Entry::Vacant(new) => Ok(new.insert(self.make_signature(algorithm, message)?).clone()),
        }
    }

    fn make_signature(&self, algorithm: &str, message: &[u8]) -> Result<Vec<u8>> {
        match &self.signer {
            Signer::P521(pair) if algorithm == "ES512" => Ok(pair
                .sign(&SystemRandom::new(), message)
                .context("ES512")?
                .as_ref()
                .to_vec()),
            Signer::P521(_) => Err(format!("a P-521 key cannot sign {algorithm}")),
            Signer::Jsonwebtoken(key) => {
                // `jsonwebtoken` knows one of the two names.
                let name = if algorithm == "Ed25519" {
                    "EdDSA"
                } else {
                    algorithm
                };
                let known = name.parse().context(algorithm)?;
                let text = jsonwebtoken::crypto::sign(message, key, known).context(algorithm)?;
                URL_SAFE_NO_PAD.decode_to_vec(text).context(algorithm)
            }
        }
    }

    /// The public half as a JWK with the key's `kid`; a secret with its `k`.
    pub fn jwk(&self, name: &str) -> Map<String, Value> {
        let mut jwk = self.jwk.clone();
        jwk.insert("kid".to_owned(), kid(name).into());
        jwk
    }

    /// The public half as `SubjectPublicKeyInfo`.
    pub fn public_der(&self) -> &[u8] {
        &self.public_der
    }

    /// The public half as PKCS #1 PEM text; only RSA has one.
    pub fn pkcs1_pem(&self) -> String {
        pem("RSA PUBLIC KEY", &self.pkcs1_der)
    }

    /// The private key as PKCS #8 PEM text.
    pub fn private_pem(&self) -> &str {
        &self.private_pem
    }

    /// The secret in base64url; empty for a key pair.
    pub fn secret_text(&self) -> String {
        base64url(&self.secret)
    }
}

impl std::fmt::Debug for TestKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("TestKey(..)")
    }
}

/// The `kid` under which the suite publishes a key; it marks the key as a test key.
pub fn kid(name: &str) -> String {
    format!("test-{name}")
}

/// Signs with a secret outside the ring, like an attacker who uses a public text as an HMAC secret.
///
/// # Errors
/// The algorithm is not an HMAC algorithm.
pub fn sign_with_secret(secret: &[u8], algorithm: &str, message: &[u8]) -> Result<Vec<u8>> {
    let algorithm = algorithm.parse().context(algorithm)?;
    let text = jsonwebtoken::crypto::sign(message, &EncodingKey::from_secret(secret), algorithm)
        .context("signing with a secret")?;
    URL_SAFE_NO_PAD
        .decode_to_vec(text)
        .context("signing with a secret")
}

/// The content of a PEM text.
///
/// # Errors
/// It is not PEM text.
pub fn pem_body(text: &str) -> Result<Vec<u8>> {
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode_to_vec(body).context("not PEM")
}

/// Base64url without padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let body = STANDARD.encode_to_string(der);
    for (index, letter) in body.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

fn der<K: AsDer<PublicKeyX509Der<'static>>>(key: &K) -> Result<Vec<u8>> {
    Ok(key.as_der().context("a public key")?.as_ref().to_vec())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
