//! References to test keys in configurations.
//!
//! A string `@key:rsa-1` in a topic file is replaced by the public PEM text of that key. References may be nested
//! (`@base64:@key:rsa-1`). An object with the member `@jwk` is the JWK of that key with the other members changed.

use std::path::Path;

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::keys::{Keyring, pem_body};
use crate::{Context, Result};

/// Replaces references.
#[derive(Debug, Clone, Copy)]
pub struct References<'r> {
    ring: &'r Keyring,
    directory: Option<&'r Path>,
}

impl<'r> References<'r> {
    /// References to the keys of this ring; `@dir` is the directory of the case.
    pub fn new(ring: &'r Keyring, directory: Option<&'r Path>) -> References<'r> {
        References { ring, directory }
    }

    /// Replaces every reference in a document.
    ///
    /// # Errors
    /// A reference to something that is not there.
    pub fn replace(&self, document: &mut Value) -> Result<()> {
        match document {
            Value::String(text) => {
                if let Some(value) = self.resolve(text)? {
                    *document = value;
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.replace(item)?;
                }
            }
            Value::Object(members) => {
                for value in members.values_mut() {
                    self.replace(value)?;
                }
                if let Some(name) = members.remove("@jwk") {
                    let name = name.as_str().context("`@jwk` names a key")?;
                    *members = self.patched_jwk(name, members)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Replaces every reference in a JSON text, `"@key:rsa-1"` with its quotes; the rest of the text stays unchanged.
    ///
    /// # Errors
    /// A reference to something that is not there.
    pub fn replace_in_text(&self, text: &str) -> Result<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("\"@") {
            let (name, after) = after.split_once('"').context("a string that does not end")?;
            out.push_str(before);
            match self.resolve(&format!("@{name}"))? {
                Some(value) => out.push_str(&value.to_string()),
                None => out.push_str(&format!("\"@{name}\"")),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The bytes of a text, or of the reference in it.
    ///
    /// # Errors
    /// A reference to something that is not there.
    pub fn bytes(&self, text: &str) -> Result<Vec<u8>> {
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "@der" => Ok(self.ring.get(name)?.public_der().to_vec()),
            "@trimmed" => Ok(self.bytes(name)?.trim_ascii().to_vec()),
            "@newline" => Ok([b"\n".to_vec(), self.bytes(name)?].concat()),
            "@join" => {
                let parts: Result<Vec<Vec<u8>>> = name.split('|').map(|part| self.bytes(part)).collect();
                Ok(parts?.concat())
            }
            "@certificate_der" => pem_body(&self.ring.certificate_pem(name)?),
            "@modulus" => {
                let jwk = self.ring.get(name)?.jwk(name);
                let modulus = jwk.get("n").and_then(Value::as_str).context("not an RSA key")?;
                URL_SAFE_NO_PAD.decode_to_vec(modulus).context("modulus")
            }
            _ => match self.resolve(text)? {
                None => Ok(text.as_bytes().to_vec()),
                Some(Value::String(text)) => Ok(text.into_bytes()),
                Some(value) => Ok(value.to_string().into_bytes()),
            },
        }
    }

    /// The value of a reference; `None` for a text that is not a reference.
    fn resolve(&self, text: &str) -> Result<Option<Value>> {
        let Some(reference) = text.strip_prefix('@') else {
            return Ok(None);
        };
        let (kind, name) = reference.split_once(':').unwrap_or((reference, ""));
        let value = match kind {
            "key" => self.ring.public_pem(name)?.into(),
            "pkcs1" => self.ring.get(name)?.pkcs1_pem().into(),
            "cert" => self.ring.certificate_pem(name)?.into(),
            "private" => self.ring.get(name)?.private_pem().into(),
            "secret" => self.ring.get(name)?.secret_text().into(),
            "jwk" => Value::Object(self.ring.get(name)?.jwk(name)),
            "jwks" => {
                let keys: Result<Vec<Value>> = name
                    .split(',')
                    .map(|name| Ok(Value::Object(self.ring.get(name)?.jwk(name))))
                    .collect();
                json!({ "keys": keys? })
            }
            "copies" => {
                let (number, name) = name.split_once(':').context("`@copies` has a number and a key")?;
                self.copies(number.parse().context(number)?, name)?
            }
            "base64" => STANDARD.encode_to_string(self.bytes(name)?).into(),
            "base64url" => URL_SAFE_NO_PAD.encode_to_string(self.bytes(name)?).into(),
            "text" => String::from_utf8(self.bytes(name)?).context(text)?.into(),
            "dir" => {
                let directory = self.directory.context("`@dir` has no value here")?;
                directory.display().to_string().into()
            }
            // Other texts that start with `@` are reported, because they are probably a mistake.
            _ => return Err(format!("`{text}` is not a reference")),
        };
        Ok(Some(value))
    }

    /// A set of this many keys: a test key, and copies of it with other kids.
    fn copies(&self, number: usize, name: &str) -> Result<Value> {
        let jwk = self.ring.get(name)?.jwk(name);
        let copy = |index: usize| {
            let mut copy = jwk.clone();
            if index > 0 {
                copy.insert("kid".to_owned(), format!("copy-{index}").into());
            }
            Value::Object(copy)
        };
        Ok(json!({ "keys": (0..number).map(copy).collect::<Vec<Value>>() }))
    }

    fn patched_jwk(&self, name: &str, patch: &Map<String, Value>) -> Result<Map<String, Value>> {
        let mut jwk = self.ring.get(name)?.jwk(name);
        for (member, value) in patch {
            match value {
                Value::Null => jwk.remove(member),
                value => jwk.insert(member.clone(), value.clone()),
            };
        }
        Ok(jwk)
    }
}
