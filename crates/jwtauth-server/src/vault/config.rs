//! `auth/<mount>/config`.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::config_body::{FIELDS, SECRET, converted};
use super::context::Context;
use super::fields::unset;
use super::mounts::{Engine, Mount, check, config_key};
use super::reply::{absent, bad, data, done, refuse};
use crate::call::Reply;
use crate::state::Change;

pub(super) fn read(mount: &Mount) -> Reply {
    let Some(config) = &mount.config else {
        return absent();
    };
    let shown = FIELDS
        .iter()
        .filter(|field| **field != SECRET)
        .map(|(name, kind)| {
            let value = config.get(*name).cloned().unwrap_or_else(|| unset(*kind));
            let value = match *name {
                "provider_config" => without_secrets(value),
                "namespace_in_state" => config.get(*name).cloned().unwrap_or(true.into()),
                "jwt_validation_pubkeys" => trimmed(value),
                _ => value,
            };
            ((*name).to_owned(), value)
        });
    data(&shown.collect::<Map<_, _>>().into())
}

fn without_secrets(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.remove("gsuite_service_account");
        members.remove("api_token");
    }
    value
}

fn trimmed(value: Value) -> Value {
    let Value::Array(items) = value else { return value };
    let items = items.into_iter().map(|item| match item {
        Value::String(text) => text.trim().into(),
        other => other,
    });
    items.collect()
}

/// Replaces the configuration.
pub(super) fn write(
    context: &Context,
    mount: &Mount,
    body: &Map<String, Value>,
) -> Result<(Vec<Change>, Reply), Reply> {
    let mut config = converted(body).map_err(bad)?;
    if !config.contains_key("namespace_in_state") {
        let before = mount
            .config
            .as_ref()
            .and_then(|config| config.get("namespace_in_state"));
        config.insert(
            "namespace_in_state".to_owned(),
            before.cloned().unwrap_or(true.into()),
        );
    }
    let sessions = check(context, &mount.path, &mount.entry, Some(&config), &mount.roles)?;
    let engine = Engine::Ready(Arc::new(sessions));
    try_keys(context, &engine, &config)?;
    let value = Value::Object(config).to_string();
    Ok((vec![Change::set(config_key(&mount.path), value)], done()))
}

/// Fetches the keys, as Vault does before it takes a configuration.
fn try_keys(context: &Context, engine: &Engine, config: &Map<String, Value>) -> Result<(), Reply> {
    let Engine::Ready(sessions) = engine else {
        return Ok(());
    };
    let set = |name: &str| {
        config
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    if !context.fetch_keys || set("oidc_client_id").is_some() || !engine.fetches() {
        return Ok(());
    }
    let Err(why) = sessions.verifier().refresh_keys() else {
        return Ok(());
    };
    crate::notes::note_once(&format_args!("the keys of a configuration: {why}"));
    Err(bad(match set("jwks_url") {
        Some(url) => format!("error checking jwks URL {url}"),
        None if set("oidc_discovery_url").is_some() => "error checking oidc discovery URL".to_owned(),
        None => "error checking jwks URL".to_owned(),
    }))
}

/// Refuses to change what the configuration file sets.
pub(super) fn check_not_fixed(mount: &Mount) -> Result<(), Reply> {
    if mount.fixed {
        return Err(refuse(
            StatusCode::BAD_REQUEST,
            "the mount is set by the configuration file of the server; change it there",
        ));
    }
    Ok(())
}
