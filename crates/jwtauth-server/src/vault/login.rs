//! `auth/<mount>/login`.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use jwtauth_core::{Code, Request};

use super::mounts::{MARK, Mount};
use super::reply::{bad, failed, refuse};
use crate::call::{Call, JSON, Reply};
use crate::words::words;

/// Decides a login, and makes a session for it. A token of the caller, perhaps a stale one, does not matter.
pub(super) fn login(mount: &Mount, call: &Call) -> Result<Reply, Reply> {
    let body = call
        .members()
        .map_err(|why| bad(format!("failed to parse JSON input: {why}")))?;
    let text = |name: &str| {
        let value = body.get(name).unwrap_or(&serde_json::Value::Null);
        let text = super::fields::convert(super::fields::Kind::Text, value);
        let text = text.map_err(|why| bad(super::fields::field_error(name, &why)))?;
        Ok(text
            .as_ref()
            .and_then(|text| text.as_str())
            .unwrap_or_default()
            .to_owned())
    };
    let role = text("role")?.to_lowercase();
    let token = text("jwt")?;
    let sessions = mount.ready()?;
    let mut request = Request::bearer(&token);
    if !role.is_empty() {
        request = request.profile(&role);
    }
    if let Some(client) = call.client {
        request = request.remote_addr(client);
    }
    let mut grant = sessions
        .verifier()
        .authenticate(&request)
        .map_err(|why| refused(mount, &role, why))?;
    grant.identity.lists.insert(MARK.to_owned(), mount.mark());
    let login = sessions
        .login_granted(&grant, &BTreeMap::new())
        .map_err(|why| failed(&why, bad("unknown token")))?;
    Ok(Reply::new(StatusCode::OK, JSON, login.response.expose()))
}

fn refused(mount: &Mount, role: &str, why: jwtauth_core::Error) -> Reply {
    let code = why.code();
    let status = why
        .http_status()
        .and_then(|status| StatusCode::from_u16(status).ok());
    let default = mount
        .config
        .as_ref()
        .and_then(|config| config.get("default_role")?.as_str());
    let text = match code {
        Code::ProfileUnknown => {
            let role = if role.is_empty() {
                default.unwrap_or_default()
            } else {
                role
            };
            format!("role \"{role}\" could not be found")
        }
        _ => words(&why.into()).to_owned(),
    };
    refuse(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), text).because(code.as_str())
}
