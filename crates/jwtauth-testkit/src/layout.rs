//! What all cases have in common: files, envelopes, and the place of a token in a request.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::case::{Place, Text, merge};
use crate::reference::References;
use crate::{Context, Result};

/// Writes the files of a case into its directory.
pub(crate) fn files(
    files: &BTreeMap<String, Value>,
    directory: &Path,
    references: &References<'_>,
) -> Result<()> {
    for (name, content) in files {
        let mut content = content.clone();
        references.replace(&mut content)?;
        let text = match content {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let path = directory.join(name);
        fs::write(&path, text).context(path.display())?;
    }
    Ok(())
}

/// The text of an envelope: a patched one, or the exact text instead.
pub(crate) fn envelope(
    base: &Value,
    patch: Option<&Value>,
    raw: Option<&Text>,
    references: &References<'_>,
) -> Result<String> {
    if let Some(raw) = raw {
        return references.replace_in_text(&raw.to_text());
    }
    let mut envelope = base.clone();
    if let Some(patch) = patch {
        merge(&mut envelope, patch);
    }
    references.replace(&mut envelope)?;
    Ok(envelope.to_string())
}

/// Puts the token into every string of the request that contains the placeholder; returns the number of strings.
pub(crate) fn put(request: &mut Value, token: &str) -> usize {
    match request {
        Value::String(text) if text.contains(TOKEN) => {
            *text = text.replace(TOKEN, token);
            1
        }
        Value::Array(items) => items.iter_mut().map(|item| put(item, token)).sum(),
        Value::Object(members) => members.values_mut().map(|value| put(value, token)).sum(),
        _ => 0,
    }
}

/// Puts the token where its description says.
pub(crate) fn place(request: &mut Value, token: &str, place: &Place) -> Result<()> {
    let members = request.as_object_mut().context("a request is an object")?;
    match (&place.header, &place.query) {
        (Some(header), _) => {
            let headers = members.entry("headers").or_insert_with(|| json!({}));
            let headers = headers.as_object_mut().context("`headers` is an object")?;
            headers.insert(header.clone(), format!("{}{token}", place.prefix).into());
        }
        (None, Some(parameter)) => {
            let url = members.get("url").and_then(Value::as_str).unwrap_or("/");
            let joint = if url.contains('?') { '&' } else { '?' };
            let url = format!("{url}{joint}{parameter}={token}");
            members.insert("url".to_owned(), url.into());
        }
        (None, None) => {
            members.insert("token".to_owned(), token.into());
        }
    }
    Ok(())
}

/// Writes a text that every language can read.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err("a text for C cannot hold a NUL; the tests of the crate can".to_owned());
    }
    fs::write(path, text).context(path.display())
}

/// The placeholder of the token in a request.
pub(crate) const TOKEN: &str = "@token";
