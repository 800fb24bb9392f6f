//! Signing keys.

use std::path::Path;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
};
use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use jwtauth_core::internals::Algorithm;
use jwtauth_core::internals::json::{self, Object, Value};
use zeroize::Zeroizing;

use crate::ending::Misuse;
use crate::screen;

/// A private key or a shared secret.
pub(super) struct SigningKey {
    kid: Option<String>,
    material: Material,
}

enum Material {
    Secret(Zeroizing<Vec<u8>>),
    /// PEM with PKCS #8 or, for RSA, PKCS #1: the forms that `jsonwebtoken` reads.
    Private(Zeroizing<String>),
}

impl SigningKey {
    /// Reads a key file. PEM is recognised by its first line, a JWK by its brace; any other content is a shared secret.
    ///
    /// # Errors
    /// The error of the operating system, or the problem with the key; never any of its content.
    pub(super) fn read(path: &Path) -> Result<SigningKey, Misuse> {
        let content = screen::whole_file(path)?;
        SigningKey::parse(&content).map_err(|why| {
            Misuse::new(format!(
                "{} does not contain a signing key: {why}",
                path.display()
            ))
        })
    }

    /// The `kid` of a JWK.
    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The signature of the message, as base64url.
    ///
    /// # Errors
    /// The key does not fit the algorithm.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<String, Misuse> {
        self.material.sign(algorithm, message).ok_or_else(|| {
            let made_with = match self.material {
                Material::Secret(_) => "a shared secret can make only HS256, HS384 and HS512 signatures",
                Material::Private(_) => "it has another type or size",
            };
            Misuse::new(format!("the key cannot make {algorithm} signatures: {made_with}"))
        })
    }

    fn parse(content: &[u8]) -> Result<SigningKey, String> {
        let text = std::str::from_utf8(content)
            .map(str::trim_ascii)
            .unwrap_or_default();
        if text.contains("-----BEGIN ") {
            Ok(SigningKey {
                kid: None,
                material: Material::from_pem(text)?,
            })
        } else if text.starts_with('{') {
            SigningKey::from_jwk(text)
        } else {
            // A final newline is not part of a secret, as in the library's `secret_file`.
            let secret = content.strip_suffix(b"\n").unwrap_or(content);
            if secret.is_empty() {
                return Err("it is empty".to_owned());
            }
            Ok(SigningKey {
                kid: None,
                material: Material::secret(secret),
            })
        }
    }

    fn from_jwk(text: &str) -> Result<SigningKey, String> {
        let document = json::parse(text).map_err(|why| why.to_string())?;
        let members = document.as_object().ok_or("it is not a JSON object")?;
        let jwk = Jwk(members);
        let material = match jwk.text("kty")? {
            "oct" => Ok(Material::secret(&jwk.bytes("k")?)),
            "RSA" => jwk.rsa(),
            "EC" => jwk.ec(),
            "OKP" => jwk.ed25519(),
            other => Err(format!("`kty` {other:?} is not known")),
        }?;
        let kid = members.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(SigningKey { kid, material })
    }
}

impl Material {
    fn secret(bytes: &[u8]) -> Material {
        Material::Secret(Zeroizing::new(bytes.to_vec()))
    }

    fn pkcs8(document: &[u8]) -> Material {
        Material::Private(Zeroizing::new(pem::encode(&pem::Pem::new(
            "PRIVATE KEY",
            document,
        ))))
    }

    /// Reads a private key from PEM text; SEC 1 becomes PKCS #8.
    fn from_pem(text: &str) -> Result<Material, String> {
        // The library's texts quote lines of the file, such as what it reads as a header.
        let documents = pem::parse_many(text)
            .map_err(|_| "it is not valid PEM; check its first, its last and its empty lines")?;
        let document = documents
            .iter()
            .find(|document| document.tag().ends_with("PRIVATE KEY"))
            .ok_or("it has no private key")?;
        match document.tag() {
            "EC PRIVATE KEY" => CURVES
                .iter()
                .find_map(|(_, curve)| EcdsaKeyPair::from_private_key_der(curve, document.contents()).ok())
                .and_then(|pair| pair.to_pkcs8v1().ok())
                .map(|document| Material::pkcs8(document.as_ref()))
                .ok_or_else(|| "it is not a private key on P-256, P-384 or P-521".to_owned()),
            "PRIVATE KEY" | "RSA PRIVATE KEY" => Ok(Material::Private(Zeroizing::new(pem::encode(document)))),
            "ENCRYPTED PRIVATE KEY" => Err("it is encrypted; decrypt it first".to_owned()),
            // In a damaged file, the type may be anything.
            _ => Err("its type is none of `PRIVATE KEY`, `RSA PRIVATE KEY` and `EC PRIVATE KEY`".to_owned()),
        }
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<String> {
        // `jsonwebtoken` knows one of the two names.
        let algorithm = match algorithm {
            Algorithm::Ed25519 => Algorithm::EdDSA,
            other => other,
        };
        let key = match (self, algorithm) {
            // `jsonwebtoken` does not know ES512.
            (Material::Private(pem), Algorithm::ES512) => {
                let document = pem::parse(pem.as_bytes()).ok()?;
                let pair =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P521_SHA512_FIXED_SIGNING, document.contents()).ok()?;
                let signature = pair.sign(&SystemRandom::new(), message).ok()?;
                return Some(URL_SAFE_NO_PAD.encode_to_string(signature.as_ref()));
            }
            (Material::Private(pem), Algorithm::ES256 | Algorithm::ES384) => {
                EncodingKey::from_ec_pem(pem.as_bytes())
            }
            (Material::Private(pem), Algorithm::EdDSA | Algorithm::Ed25519) => {
                EncodingKey::from_ed_pem(pem.as_bytes())
            }
            (
                Material::Private(pem),
                Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512,
            ) => EncodingKey::from_rsa_pem(pem.as_bytes()),
            (Material::Private(_), Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) => return None,
            (Material::Secret(secret), _) => Ok(EncodingKey::from_secret(secret)),
        };
        // This refuses a key of another family than the algorithm's.
        jsonwebtoken::crypto::sign(message, &key.ok()?, algorithm.as_str().parse().ok()?).ok()
    }
}

/// The members of a private JWK (RFC 7518 §6, RFC 8037 §2).
struct Jwk<'a>(&'a Object<'a>);

impl Jwk<'_> {
    fn rsa(&self) -> Result<Material, String> {
        let components = rsa::KeyPairComponents {
            public_key: rsa::PublicKeyComponents {
                n: self.bytes("n")?,
                e: self.bytes("e")?,
            },
            d: self.bytes("d")?,
            p: self.bytes("p")?,
            q: self.bytes("q")?,
            dP: self.bytes("dp")?,
            dQ: self.bytes("dq")?,
            qInv: self.bytes("qi")?,
        };
        let pair =
            rsa::KeyPair::from_components(&components).map_err(|_| "its numbers are not a valid RSA key")?;
        let document = pair.as_der().map_err(|_| "its numbers are not a valid RSA key")?;
        Ok(Material::pkcs8(document.as_ref()))
    }

    fn ec(&self) -> Result<Material, String> {
        let name = self.text("crv")?;
        let (_, curve) = CURVES
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| format!("`crv` {name:?} is not known"))?;
        let point = [
            &[UNCOMPRESSED],
            self.bytes("x")?.as_slice(),
            self.bytes("y")?.as_slice(),
        ]
        .concat();
        EcdsaKeyPair::from_private_key_and_public_key(curve, &self.bytes("d")?, &point)
            .ok()
            .and_then(|pair| pair.to_pkcs8v1().ok())
            .map(|document| Material::pkcs8(document.as_ref()))
            .ok_or_else(|| format!("its numbers are not a valid key on {name}"))
    }

    fn ed25519(&self) -> Result<Material, String> {
        match self.text("crv")? {
            "Ed25519" => Ed25519KeyPair::from_seed_and_public_key(&self.bytes("d")?, &self.bytes("x")?)
                .ok()
                .and_then(|pair| pair.to_pkcs8v1().ok())
                .map(|document| Material::pkcs8(document.as_ref()))
                .ok_or_else(|| "its numbers are not a valid Ed25519 key".to_owned()),
            other => Err(format!("`crv` {other:?} is not known")),
        }
    }

    fn text(&self, name: &str) -> Result<&str, String> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("`{name}` is missing or not a string; a private JWK needs it"))
    }

    fn bytes(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, String> {
        URL_SAFE_NO_PAD
            .decode_to_vec(self.text(name)?)
            .map(Zeroizing::new)
            .map_err(|_| format!("`{name}` is not base64url"))
    }
}

const CURVES: [(&str, &EcdsaSigningAlgorithm); 3] = [
    ("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
    ("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
    ("P-521", &ECDSA_P521_SHA512_FIXED_SIGNING),
];

/// The first byte of an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;
