//! `sys/health` and `sys/auth`.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::fields::{Kind, convert, field_error};
use super::mounts::{DEFAULT_TYPE, Entry, Mount, Mounts, SYSTEM_TTL, check, config_key, mount_key, role_key};
use super::reply::{absent, bad, data, done, envelope};
use crate::call::{Call, Reply};
use crate::random::uuid;
use crate::state::Change;

/// `GET` and `HEAD sys/health`. The store takes the place of Vault's seal.
pub(super) fn health(call: &Call, storage_works: bool) -> Reply {
    let code = |name: &str, default: u16| -> Result<StatusCode, Reply> {
        let Some(text) = call.parameter(name) else {
            return StatusCode::from_u16(default).map_err(|_| bad("internal error"));
        };
        // Only statuses that end an exchange.
        let status = text.parse().ok().filter(|code| (200..600).contains(code));
        status
            .and_then(|code| StatusCode::from_u16(code).ok())
            .ok_or_else(|| bad(format!("invalid value for {name}")))
    };
    let status = if storage_works {
        code("activecode", 200)
    } else {
        code("sealedcode", 503)
    };
    let status = match status {
        Ok(status) => status,
        Err(refused) => return refused,
    };
    if call.method == Method::HEAD {
        return Reply::empty(status);
    }
    let body = json!({
        "initialized": true,
        "sealed": !storage_works,
        "standby": false,
        "performance_standby": false,
        "replication_performance_mode": "disabled",
        "replication_dr_mode": "disabled",
        "server_time_utc": Timestamp::now().as_second(),
        "version": concat!("1.20.0+jwtauth.", env!("CARGO_PKG_VERSION")),
        "cluster_name": "jwtauth",
        "enterprise": false,
    });
    Reply::json(status, &body)
}

/// `GET sys/auth`.
pub(super) fn list(mounts: &Mounts) -> Reply {
    let mut all: Map<String, Value> = mounts
        .0
        .values()
        .map(|mount| (format!("{}/", mount.path), shown(&mount.entry)))
        .collect();
    let token = Entry {
        kind: "token".to_owned(),
        description: "token based credentials".to_owned(),
        accessor: "auth_token".to_owned(),
        uuid: String::new(),
        local: false,
        seal_wrap: false,
        default_lease_ttl: 0,
        max_lease_ttl: 0,
        token_type: DEFAULT_TYPE.to_owned(),
    };
    all.insert("token/".to_owned(), shown(&token));
    let mut body = envelope(&all.clone().into(), &Value::Null);
    // Old clients read the mounts next to the other members.
    if let Some(members) = body.as_object_mut() {
        members.extend(all);
    }
    Reply::json(StatusCode::OK, &body)
}

pub(super) fn read(mount: &Mount) -> Reply {
    data(&shown(&mount.entry))
}

fn shown(entry: &Entry) -> Value {
    json!({
        "accessor": entry.accessor,
        "config": {
            "default_lease_ttl": entry.default_lease_ttl,
            "force_no_cache": false,
            "max_lease_ttl": entry.max_lease_ttl,
            "token_type": entry.token_type,
        },
        "deprecation_status": "supported",
        "description": entry.description,
        "external_entropy_access": false,
        "local": entry.local,
        "options": null,
        "plugin_version": "",
        "running_plugin_version": "",
        "running_sha256": "",
        "seal_wrap": entry.seal_wrap,
        "type": entry.kind,
        "uuid": entry.uuid,
    })
}

/// `POST sys/auth/<path>`.
pub(super) fn enable(
    context: &Context,
    mounts: &Mounts,
    path: &str,
    body: &Map<String, Value>,
) -> Result<(Vec<Change>, Reply), Reply> {
    let text = |name: &str| member(body, name, Kind::Text).map(|value| text_of(value.as_ref()));
    let boolean =
        |name: &str| member(body, name, Kind::Boolean).map(|value| value == Some(Value::Bool(true)));
    let kind = match text("type")? {
        kind if kind.is_empty() => return Err(bad("backend type must be specified as a string")),
        // The plugin has two names.
        kind if kind == "jwt" || kind == "oidc" => kind,
        kind => return Err(bad(format!("plugin not found in the catalog: {kind}"))),
    };
    if path == "token" || path.starts_with("token/") {
        return Err(bad("cannot mount under an existing mount: auth/token/"));
    }
    // One mount inside another would hide some of its endpoints.
    let near = |other: &&String| {
        let inside =
            |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
        inside(path, other) || inside(other, path)
    };
    if mounts.0.contains_key(path) {
        return Err(bad(format!("path is already in use at {path}/")));
    }
    if let Some(other) = mounts.0.keys().find(near) {
        return Err(bad(format!("path is already in use at {other}/")));
    }
    let random = || uuid().map_err(|why| super::reply::refuse(StatusCode::INTERNAL_SERVER_ERROR, why));
    let mut entry = Entry {
        accessor: format!("auth_{kind}_{}", random()?),
        uuid: random()?,
        kind,
        description: text("description")?,
        local: boolean("local")?,
        seal_wrap: boolean("seal_wrap")?,
        default_lease_ttl: 0,
        max_lease_ttl: 0,
        token_type: DEFAULT_TYPE.to_owned(),
    };
    if let Some(Value::Object(config)) = body.get("config") {
        tuned(&mut entry, config)?;
        check(context, path, &entry, None, &BTreeMap::new())?;
    }
    Ok((vec![set(path, &entry)], done()))
}

/// `DELETE sys/auth/<path>`: also if there is no such mount.
pub(super) fn disable(mounts: &Mounts, path: &str) -> (Vec<Change>, Reply) {
    let Some(mount) = mounts.0.get(path) else {
        return (Vec::new(), done());
    };
    let mut changes = vec![Change::remove(mount_key(path)), Change::remove(config_key(path))];
    changes.extend(
        mount
            .roles
            .keys()
            .map(|role| Change::remove(role_key(path, role))),
    );
    (changes, done())
}

/// `GET sys/auth/<path>/tune`.
pub(super) fn tuning(mounts: &Mounts, path: &str) -> Reply {
    let Some(mount) = mounts.0.get(path) else {
        return absent();
    };
    let or_system = |seconds: u64| if seconds == 0 { SYSTEM_TTL } else { seconds };
    data(&json!({
        "default_lease_ttl": or_system(mount.entry.default_lease_ttl),
        "max_lease_ttl": or_system(mount.entry.max_lease_ttl),
        "description": mount.entry.description,
        "force_no_cache": false,
        "token_type": mount.entry.token_type,
    }))
}

/// `POST sys/auth/<path>/tune`.
pub(super) fn tune(
    context: &Context,
    mount: &Mount,
    body: &Map<String, Value>,
) -> Result<(Vec<Change>, Reply), Reply> {
    let mut entry = mount.entry.clone();
    tuned(&mut entry, body)?;
    if let Some(description) = member(body, "description", Kind::Text)? {
        entry.description = text_of(Some(&description));
    }
    check(context, &mount.path, &entry, mount.config.as_ref(), &mount.roles)?;
    Ok((vec![set(&mount.path, &entry)], done()))
}

/// Applies the settings of a mount. `system` is the system's lease.
fn tuned(entry: &mut Entry, config: &Map<String, Value>) -> Result<(), Reply> {
    for (name, slot) in [
        ("default_lease_ttl", &mut entry.default_lease_ttl),
        ("max_lease_ttl", &mut entry.max_lease_ttl),
    ] {
        if config.get(name).and_then(Value::as_str) == Some("system") {
            *slot = 0;
        } else if let Some(seconds) = member(config, name, Kind::Duration)? {
            *slot = seconds.as_u64().unwrap_or_default();
        }
    }
    let or_system = |seconds: u64| if seconds == 0 { SYSTEM_TTL } else { seconds };
    if or_system(entry.default_lease_ttl) > or_system(entry.max_lease_ttl) && entry.default_lease_ttl > 0 {
        return Err(bad(
            "backend default lease TTL greater than the maximum lease TTL",
        ));
    }
    match member(config, "token_type", Kind::Text)?
        .as_ref()
        .and_then(Value::as_str)
    {
        None => {}
        Some("" | "default-service") => entry.token_type = DEFAULT_TYPE.to_owned(),
        Some(kind @ ("default-batch" | "service" | "batch")) => entry.token_type = kind.to_owned(),
        Some(kind) => return Err(bad(format!("invalid value for 'token_type': {kind}"))),
    }
    Ok(())
}

fn member(body: &Map<String, Value>, name: &str, kind: Kind) -> Result<Option<Value>, Reply> {
    let Some(value) = body.get(name) else {
        return Ok(None);
    };
    convert(kind, value).map_err(|why| bad(field_error(name, &why)))
}

fn text_of(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn set(path: &str, entry: &Entry) -> Change {
    let text = serde_json::to_string(entry).unwrap_or_default();
    Change::set(mount_key(path), text)
}
