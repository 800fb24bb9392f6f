//! Described tokens → signed tokens.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::case::{Description, OneOrMany};
use crate::keys::{self, Keyring, base64url};
use crate::reference::References;
use crate::{Context, Result, mutate};

/// Signs a described token, and makes the described changes.
///
/// # Errors
/// The description is not a valid token.
pub fn token(description: &Description, ring: &Keyring) -> Result<String> {
    let mut token = match &description.raw {
        Some(raw) => raw.to_text(),
        None => sign(description, ring)?,
    };
    for mutation in description.mutate.iter().flat_map(OneOrMany::iter) {
        token = mutate::apply(mutation, &token, ring)?;
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

/// The claims without the line breaks that make a topic file readable; everything else stays unchanged.
fn compact(text: &str) -> String {
    text.lines().map(str::trim).collect()
}
