//! How does a described token become a real one?

use base64_simd::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::case::{OneOrMany, Text};
use crate::keys::{self, Keyring, base64url};
use crate::mutate::Mutation;
use crate::reference::References;
use crate::{Context, Result};

/// A token as the cases describe it. `tests/conformance/README.md` explains the members.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The test key that signs.
    pub key: Option<String>,
    /// A reference whose text signs as an HMAC secret, in place of a key.
    pub secret: Option<String>,
    /// The `alg` of the header.
    pub alg: Option<String>,
    /// The algorithm that really signs, when it is another than `alg`.
    pub sign: Option<String>,
    /// The `kid` of the header; `@` stands for the one under which the suite publishes the key.
    pub kid: Option<String>,
    /// Further members of the header; `null` takes one out.
    #[serde(default)]
    pub header: Map<String, Value>,
    /// The header's text as it is, in place of `alg`, `kid` and `header`.
    pub header_text: Option<Text>,
    /// The header's bytes in base64url, in place of all of those.
    pub header_base64url: Option<String>,
    /// The payload, signed as it is written here.
    pub claims: Option<Box<RawValue>>,
    /// The payload's text, when it is no JSON.
    pub payload: Option<Text>,
    /// The payload's bytes in base64url, when they are no text.
    pub payload_base64url: Option<String>,
    /// The whole token, in place of everything above.
    pub raw: Option<Text>,
    /// What happens to the token once it is signed.
    pub mutate: Option<OneOrMany<Mutation>>,
    /// Where in the request the token is put.
    pub place: Option<Place>,
}

impl Description {
    /// This description, with what it leaves open taken from another.
    #[must_use]
    pub fn over(&self, base: &Description) -> Description {
        let mut all = self.clone();
        if all.key.is_none() && all.secret.is_none() {
            all.key.clone_from(&base.key);
            all.secret.clone_from(&base.secret);
        }
        if all.claims.is_none() && all.payload.is_none() && all.payload_base64url.is_none() {
            all.claims.clone_from(&base.claims);
            all.payload.clone_from(&base.payload);
            all.payload_base64url.clone_from(&base.payload_base64url);
        }
        all.alg = all.alg.or_else(|| base.alg.clone());
        all.sign = all.sign.or_else(|| base.sign.clone());
        all.kid = all.kid.or_else(|| base.kid.clone());
        all.place = all.place.or_else(|| base.place.clone());
        for (name, value) in &base.header {
            all.header.entry(name.clone()).or_insert_with(|| value.clone());
        }
        all
    }
}

/// Where in a request a token is put; `token` if nothing is said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// In this header.
    pub header: Option<String>,
    /// Behind this text in the header.
    #[serde(default)]
    pub prefix: String,
    /// In this query parameter of the request's `url`.
    pub query: Option<String>,
}

/// Signs a described token, and does to it what the description says.
///
/// # Errors
/// The description makes no token.
pub fn token(description: &Description, ring: &Keyring) -> Result<String> {
    let mut token = match &description.raw {
        Some(raw) => raw.to_text(),
        None => sign(description, ring)?,
    };
    for mutation in description.mutate.iter().flat_map(OneOrMany::iter) {
        token = mutation.apply(&token, ring)?;
    }
    Ok(token)
}

fn sign(description: &Description, ring: &Keyring) -> Result<String> {
    let payload = match (
        &description.claims,
        &description.payload,
        &description.payload_base64url,
    ) {
        (Some(claims), None, None) => base64url(compact(claims.get()).as_bytes()),
        (None, Some(text), None) => base64url(text.to_text().as_bytes()),
        (None, None, Some(encoded)) => encoded.clone(),
        _ => return Err("a token has one of `claims`, `payload`, `payload_base64url`".to_owned()),
    };
    let message = format!("{}.{payload}", header(description, ring)?);
    let algorithm = description
        .sign
        .as_ref()
        .or(description.alg.as_ref())
        .context("a token has `alg` or `sign`")?;
    let signature = match (&description.key, &description.secret) {
        (Some(key), None) => ring.get(key)?.sign(algorithm, message.as_bytes())?,
        (None, Some(secret)) => {
            let secret = References::new(ring, None).bytes(secret)?;
            keys::sign_with_secret(&secret, algorithm, message.as_bytes())?
        }
        _ => return Err("a token has one of `key`, `secret`, `raw`".to_owned()),
    };
    Ok(format!("{message}.{}", base64url(&signature)))
}

fn header(description: &Description, ring: &Keyring) -> Result<String> {
    if let Some(encoded) = &description.header_base64url {
        URL_SAFE_NO_PAD
            .decode_to_vec(encoded)
            .context("`header_base64url`")?;
        return Ok(encoded.clone());
    }
    if let Some(text) = &description.header_text {
        return Ok(base64url(text.to_text().as_bytes()));
    }
    let mut header = Map::new();
    if let Some(alg) = &description.alg {
        header.insert("alg".to_owned(), alg.as_str().into());
    }
    match (description.kid.as_deref(), &description.key) {
        (None, _) => {}
        (Some("@"), Some(key)) => {
            header.insert("kid".to_owned(), keys::kid(key).into());
        }
        (Some(kid), _) => {
            header.insert("kid".to_owned(), kid.into());
        }
    }
    header.insert("typ".to_owned(), "JWT".into());
    for (name, value) in &description.header {
        match value {
            Value::Null => header.remove(name),
            value => header.insert(name.clone(), value.clone()),
        };
    }
    let mut header = Value::Object(header);
    References::new(ring, None).replace(&mut header)?;
    Ok(base64url(header.to_string().as_bytes()))
}

/// The claims without the line breaks that make a topic file readable; everything else stays as it is written.
fn compact(text: &str) -> String {
    text.lines().map(str::trim).collect()
}
