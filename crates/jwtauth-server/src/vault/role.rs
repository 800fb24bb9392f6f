//! `auth/<mount>/role/…`.

use std::collections::BTreeMap;
use std::time::Duration;

use jwtauth_core::Verifier;
use jwtauth_core::internals::print_go;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::fields::unset;
use super::mounts::{Mount, SYSTEM_TTL, check, placeholder, role_key};
use super::reply::{absent, bad, data, done, warned};
use super::role_body::{ALIASES, FIELDS, merged};
use crate::call::Reply;
use crate::document::Members;
use crate::state::Change;
use crate::words::words;

pub(super) fn read(mount: &Mount, name: &str) -> Reply {
    let Some(role) = mount.roles.get(&name.to_lowercase()) else {
        return absent();
    };
    let set = |name: &str| role.get(name).cloned();
    let is_set =
        |name: &str| set(name).is_some_and(|value| !matches!(&value, Value::String(text) if text.is_empty()));
    let mut shown: Map<String, Value> = FIELDS
        .iter()
        .map(|(name, kind, null)| {
            let unset = || if *null { Value::Null } else { unset(*kind) };
            ((*name).to_owned(), set(name).unwrap_or_else(unset))
        })
        .collect();
    let has_uris =
        set("allowed_redirect_uris").is_some_and(|uris| uris.as_array().is_some_and(|uris| !uris.is_empty()));
    for (name, default) in [
        ("role_type", if has_uris { "oidc" } else { "jwt" }),
        ("bound_claims_type", "string"),
        ("token_type", "default"),
    ] {
        if !is_set(name) {
            shown.insert(name.to_owned(), default.into());
        }
    }
    for (old, _, kind) in ALIASES {
        shown.extend(
            set(old)
                .filter(|value| *value != unset(kind))
                .map(|value| (old.to_owned(), value)),
        );
    }
    data(&shown.into())
}

pub(super) fn list(mount: &Mount) -> Reply {
    if mount.roles.is_empty() {
        return absent();
    }
    data(&json!({ "keys": mount.roles.keys().collect::<Vec<_>>() }))
}

/// Creates or changes a role.
pub(super) fn write(
    context: &Context,
    mount: &Mount,
    name: &str,
    body: &Map<String, Value>,
) -> Result<(Vec<Change>, Reply), Reply> {
    let name = name.to_lowercase();
    let empty = Map::new();
    let mut role = merged(mount.roles.get(&name).unwrap_or(&empty), body).map_err(bad)?;
    // The dialect reads a role without a type by its other fields. Vault's API takes it for one of browsers.
    let is_typed = role.get("role_type").is_some_and(|kind| kind != "");
    if !is_typed {
        role.insert("role_type".to_owned(), "oidc".into());
    }
    let limit = Some(mount.entry.max_lease_ttl)
        .filter(|limit| *limit > 0)
        .unwrap_or(SYSTEM_TTL);
    let period = role
        .get("token_period")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    if period > limit {
        return Err(bad(format!(
            "'period' of '\"{}\"' is greater than the backend's maximum lease TTL of '\"{}\"'",
            print_go(Duration::from_secs(period)),
            print_go(Duration::from_secs(limit))
        )));
    }
    let warnings = compiled(mount, &name, &role)?;
    let mut roles = mount.roles.clone();
    roles.insert(name.clone(), role.clone());
    check(context, &mount.path, &mount.entry, mount.config.as_ref(), &roles)?;
    let change = Change::set(role_key(&mount.path, &name), Value::Object(role).to_string());
    Ok((vec![change], warned(&warnings)))
}

/// Compiles the role alone. The library checks it in Vault's order, and with its words.
fn compiled(mount: &Mount, name: &str, role: &Map<String, Value>) -> Result<Vec<String>, Reply> {
    let mut config = mount.config.clone().unwrap_or_else(placeholder);
    let roles = BTreeMap::from([(name, role)]);
    config.insert("roles".to_owned(), json!(roles));
    let lease = json!({ "path": mount.path, "max_lease_ttl": mount.entry.max_lease_ttl });
    config.insert("mount".to_owned(), lease);
    let mut members = Members::default();
    members.push("dialect", &json!("vault"));
    members.push("config", &config.into());
    let verifier = Verifier::from_json(&members.text()).map_err(|why| {
        let why = jwtauth_sessions::Error::from(why);
        bad(words(&why))
    })?;
    let mut warnings: Vec<String> = verifier
        .warnings()
        .iter()
        .filter(|warning| warning.message.starts_with("token max ttl is greater"))
        .map(|warning| warning.message.clone())
        .collect();
    if role.get("verbose_oidc_logging") == Some(&Value::Bool(true)) {
        warnings.push("verbose_oidc_logging has no effect on logins with a token".to_owned());
    }
    Ok(warnings)
}

/// Deletes a role, also one that does not exist.
pub(super) fn delete(mount: &Mount, name: &str) -> (Vec<Change>, Reply) {
    let name = name.to_lowercase();
    let known = mount.roles.contains_key(&name);
    let changes = known.then(|| Change::remove(role_key(&mount.path, &name)));
    (changes.into_iter().collect(), done())
}
