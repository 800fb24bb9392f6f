//! `auth/token/…`: what a token is, and how it ends.

use axum::http::StatusCode;
use jiff::Timestamp;
use jwtauth_sessions::{SessionInfo, Sessions};
use serde_json::{Map, Value, json};

use super::fields::{Kind, convert, field_error};
use super::mounts::Mounts;
use super::reply::{bad, data, denied, done, failed, refuse};
use crate::call::{JSON, Reply};

/// `lookup`, `lookup-self` and `lookup-accessor`. `id` is the token, or empty.
pub(super) fn looked_up(mounts: &Mounts, session: &SessionInfo, id: &str, accessor: &str) -> Reply {
    // The terms of the login are only in the serialised form.
    let printed = serde_json::to_value(session).unwrap_or_default();
    let number = |name: &str| printed.get(name).and_then(Value::as_u64);
    let issued = session.issued_at().seconds();
    let mut shown = json!({
        "accessor": accessor,
        "creation_time": issued,
        "creation_ttl": number("creation_ttl").unwrap_or_default(),
        "display_name": session.display_name().unwrap_or_default(),
        "entity_id": session.entity_id(),
        "expire_time": session.expires_at().map(|end| date(end.seconds())),
        "explicit_max_ttl": number("explicit_max_ttl").unwrap_or_default(),
        "id": id,
        "issue_time": date(issued),
        "meta": session.identity().metadata,
        "num_uses": session.uses_left().unwrap_or_default(),
        "orphan": true,
        "path": mounts.of(session).map(|mount| format!("auth/{}/login", mount.path)),
        "policies": policies(session).collect::<Vec<_>>(),
        "renewable": session.is_renewable(),
        "ttl": session.ttl().unwrap_or_default(),
        "type": if session.is_batch() { "batch" } else { "service" },
    });
    if let Some(members) = shown.as_object_mut() {
        members.extend(number("period").map(|period| ("period".to_owned(), period.into())));
        let networks = printed.get("bound_cidrs").cloned();
        members.extend(networks.map(|networks| ("bound_cidrs".to_owned(), networks)));
    }
    data(&shown)
}

/// What an administrator's token looks like.
pub(super) fn administrator() -> Reply {
    data(&json!({
        "accessor": "",
        "creation_time": 0,
        "creation_ttl": 0,
        "display_name": "root",
        "entity_id": "",
        "expire_time": null,
        "explicit_max_ttl": 0,
        "id": "",
        "meta": null,
        "num_uses": 0,
        "orphan": true,
        "path": "auth/token/root",
        "policies": ["root"],
        "ttl": 0,
        "type": "service",
    }))
}

/// The names of the policies of a session.
pub(super) fn policies(session: &SessionInfo) -> impl Iterator<Item = &str> {
    let all = session.entitlements().iter();
    let policies = all.filter(|one| one.kind == jwtauth_core::EntitlementKind::Policy);
    policies.map(|one| one.name.as_str())
}

/// Renews a session, by the configuration of its mount.
pub(super) fn renew(
    mounts: &Mounts,
    base: &Sessions,
    token: &str,
    body: &Map<String, Value>,
) -> Result<Reply, Reply> {
    let increment = body.get("increment").map(|value| convert(Kind::Duration, value));
    let increment = increment
        .transpose()
        .map_err(|why| bad(field_error("increment", &why)))?
        .flatten();
    let increment = increment.as_ref().and_then(Value::as_u64).unwrap_or_default();
    let unknown = || bad("token not found");
    let session = base.lookup(token).map_err(|why| failed(&why, unknown()))?;
    let mount = mounts.of(&session).ok_or_else(unknown)?;
    let renewed = mount.ready()?.renew(token, increment);
    let renewed = renewed.map_err(|why| failed(&why, unknown()))?;
    Ok(Reply::new(StatusCode::OK, JSON, renewed.response.expose()))
}

/// Finds the session of a token that another token asks about.
pub(super) fn lookup(mounts: &Mounts, base: &Sessions, token: &str) -> Result<Reply, Reply> {
    let unknown = || refuse(StatusCode::FORBIDDEN, "bad token");
    let session = base.lookup(token).map_err(|why| failed(&why, unknown()))?;
    mounts.of(&session).ok_or_else(unknown)?;
    let accessor = base.accessor(token);
    let accessor = accessor.as_ref().map_or("", jwtauth_sessions::Secret::expose);
    Ok(looked_up(mounts, &session, token, accessor))
}

pub(super) fn lookup_accessor(mounts: &Mounts, base: &Sessions, accessor: &str) -> Result<Reply, Reply> {
    let unknown = || bad("invalid accessor");
    let session = base
        .lookup_accessor(accessor)
        .map_err(|why| failed(&why, unknown()))?;
    mounts.of(&session).ok_or_else(unknown)?;
    Ok(looked_up(mounts, &session, "", accessor))
}

/// Ends a session. A token that has no session is no error, as in Vault.
pub(super) fn revoke(base: &Sessions, token: &str) -> Result<Reply, Reply> {
    match base.revoke(token) {
        Ok(()) => Ok(done()),
        Err(why) if why.session_code() == Some(jwtauth_sessions::Code::SessionUnknown) => Ok(done()),
        Err(why) => Err(failed(&why, denied())),
    }
}

pub(super) fn revoke_accessor(base: &Sessions, accessor: &str) -> Result<Reply, Reply> {
    base.revoke_accessor(accessor)
        .map_err(|why| failed(&why, bad("invalid accessor")))?;
    Ok(done())
}

/// A member of a body that must be there.
pub(super) fn required(body: &Map<String, Value>, name: &'static str) -> Result<String, Reply> {
    let value = body.get(name).unwrap_or(&Value::Null);
    let text = convert(Kind::Text, value).map_err(|why| bad(field_error(name, &why)))?;
    let text = text.as_ref().and_then(Value::as_str).unwrap_or_default();
    if text.is_empty() {
        return Err(bad(format!("missing {name}")));
    }
    Ok(text.to_owned())
}

/// A date as Go prints it. Vault's have fractions of a second.
fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map(|date| date.to_string())
        .unwrap_or_default()
}
