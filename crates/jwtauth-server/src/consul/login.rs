//! `acl/login`, `acl/logout` and `acl/token/self`.

use std::collections::BTreeMap;

use axum::http::{Method as Verb, StatusCode, header};
use jwtauth_core::Request;
use jwtauth_sessions::{Secret, Sessions};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::text;
use super::catalog::{Catalog, MANAGEMENT, MANAGEMENT_ID, MARK};
use super::reply::{failed, invalid, refuse, unknown_token};
use crate::call::{Call, JSON, Reply, strict};
use crate::words::words;

/// The body of a login.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Body {
    #[serde(default)]
    auth_method: Option<String>,
    #[serde(default)]
    bearer_token: Option<String>,
    #[serde(default)]
    meta: Option<BTreeMap<String, String>>,
    // Members of Consul Enterprise, which clients may send empty.
    #[serde(default, rename = "Namespace")]
    _namespace: Option<String>,
    #[serde(default, rename = "Partition")]
    _partition: Option<String>,
}

/// Decides a login, and makes a session for it.
pub(super) fn login(catalog: &Catalog, call: &Call) -> Result<Reply, Reply> {
    posted(call)?;
    let text = std::str::from_utf8(&call.body).map_err(|_| "the body is not UTF-8".to_owned());
    let body: Body = text.and_then(strict).map_err(|why| {
        refuse(
            StatusCode::BAD_REQUEST,
            format!("Failed to decode request body: {why}"),
        )
    })?;
    let name = body.auth_method.as_deref().unwrap_or_default();
    let unknown = || {
        refuse(
            StatusCode::FORBIDDEN,
            format!("ACL not found: auth method \"{name}\" not found"),
        )
    };
    let method = catalog.methods.get(name).ok_or_else(unknown)?;
    let sessions = method.engine.as_ref().map_err(|why| {
        invalid(format!(
            "auth method validator for \"{name}\" could not be initialized: {why}"
        ))
    })?;
    let mut request = Request::bearer(body.bearer_token.as_deref().unwrap_or_default());
    if let Some(client) = call.client {
        request = request.remote_addr(client);
    }
    let mut grant = sessions.verifier().authenticate(&request).map_err(|why| {
        let (code, status) = (why.code(), why.http_status());
        let status = match status {
            // Consul answers 500 if it cannot fetch keys, too.
            Some(503) | None => StatusCode::INTERNAL_SERVER_ERROR,
            Some(status) => StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        };
        refuse(status, words(&why.into())).because(code.as_str())
    })?;
    grant.identity.lists.insert(MARK.to_owned(), method.mark());
    let login = sessions.login_granted(&grant, &body.meta.unwrap_or_default());
    let login = login.map_err(|why| failed(&why))?;
    Ok(token(catalog, &login.response))
}

/// Ends the session of the token that the request carries.
pub(super) fn logout(catalog: &Catalog, base: &Sessions, call: &Call, token: &str) -> Result<Reply, Reply> {
    posted(call)?;
    let session = base.lookup(token).map_err(|why| failed(&why))?;
    catalog.of(&session).ok_or_else(unknown_token)?;
    base.revoke(token).map_err(|why| failed(&why))?;
    Ok(Reply::new(StatusCode::OK, JSON, "true"))
}

/// Returns the token that the request carries.
pub(super) fn this(catalog: &Catalog, base: &Sessions, call: &Call, own: &str) -> Result<Reply, Reply> {
    let session = base.authorize(own, call.client).map_err(|why| failed(&why))?;
    catalog.of(&session).ok_or_else(unknown_token)?;
    let response = base.response(own).map_err(|why| failed(&why))?;
    Ok(token(catalog, &response))
}

/// The token of the administrator.
pub(super) fn management(secret: &str) -> Reply {
    let token = json!({
        "AccessorID": "00000000-0000-0000-0000-000000000003",
        "SecretID": secret,
        "Description": "the management token of the server",
        "Policies": [{ "ID": MANAGEMENT_ID, "Name": MANAGEMENT }],
        "Local": false,
        "CreateTime": "1970-01-01T00:00:00Z",
        "Hash": "",
        "CreateIndex": 1,
        "ModifyIndex": 1,
    });
    Reply::json(StatusCode::OK, &token)
}

/// A token, with the ids that roles and policies have here.
fn token(catalog: &Catalog, response: &Secret) -> Reply {
    let Ok(mut token) = serde_json::from_str::<Value>(response.expose()) else {
        return invalid("internal error");
    };
    for (member, objects) in [("Policies", &catalog.policies), ("Roles", &catalog.roles)] {
        let links = token.get_mut(member).and_then(Value::as_array_mut);
        for link in links.into_iter().flatten().filter_map(Value::as_object_mut) {
            let name = text(link, "Name");
            let known = objects.values().find(|object| text(object, "Name") == name);
            let id = match known {
                Some(object) => text(object, "ID").to_owned(),
                None if name == MANAGEMENT && member == "Policies" => MANAGEMENT_ID.to_owned(),
                None => continue,
            };
            link.insert("ID".to_owned(), id.into());
        }
    }
    Reply::json(StatusCode::OK, &token)
}

fn posted(call: &Call) -> Result<(), Reply> {
    if call.method == Verb::POST {
        return Ok(());
    }
    Err(not_allowed(call))
}

pub(super) fn not_allowed(call: &Call) -> Reply {
    // A method is text of the client, so only known ones are repeated.
    let method = match call.method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" | "OPTIONS") => known,
        _ => "of this request",
    };
    let reply = refuse(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("method {method} not allowed"),
    );
    reply.with(header::ALLOW, "GET, POST, PUT, DELETE")
}
