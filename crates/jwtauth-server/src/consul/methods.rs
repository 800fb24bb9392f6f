//! `acl/auth-method` and `acl/binding-rule`.

use axum::http::StatusCode;
use jwtauth_core::Verifier;
use serde_json::{Map, Value, json};

use super::body::{METHOD, RULE, members, normalise_ttl, stamp, text};
use super::catalog::{self, Catalog, Context, MARK, Method, Object, config, engine};
use super::reply::{invalid, refuse};
use crate::call::Reply;
use crate::random::uuid;
use crate::state::Change;
use crate::words::words;

/// What an endpoint answers: changes that must be made before, and the reply.
pub(super) type Outcome = Result<(Vec<Change>, Reply), Reply>;

pub(super) fn shown(object: &Object) -> Reply {
    Reply::json(StatusCode::OK, &object.clone().into())
}

pub(super) fn all<'a>(objects: impl Iterator<Item = &'a Object>) -> Reply {
    Reply::json(StatusCode::OK, &json!(objects.collect::<Vec<_>>()))
}

/// All methods, without their `Config`, as in Consul.
pub(super) fn list(catalog: &Catalog) -> Reply {
    let short = catalog.methods.values().map(|method| {
        let mut object = method.object.clone();
        object.remove("Config");
        Value::from(object)
    });
    Reply::json(StatusCode::OK, &short.collect::<Vec<_>>().into())
}

/// Creates or replaces a method. `path` is the name in the path, if there is one.
pub(super) fn write_method(
    catalog: &Catalog,
    context: &Context,
    path: Option<&str>,
    body: &Map<String, Value>,
) -> Outcome {
    let mut object = members(body, &METHOD);
    if let Some(name) = path {
        let own = text(&object, "Name");
        if !own.is_empty() && own != name {
            return Err(refuse(
                StatusCode::BAD_REQUEST,
                "Auth Method Name in URL and payload do not match",
            ));
        }
        object.insert("Name".to_owned(), name.into());
    }
    // Absent members are empty ones.
    for (member, empty) in [("Name", json!("")), ("Config", json!({}))] {
        object.entry(member).or_insert(empty);
    }
    let name = text(&object, "Name").to_owned();
    let before = catalog.methods.get(&name);
    check_not_fixed(before.is_some_and(|method| method.fixed))?;
    check_type(&object, before.map(|method| &method.object))?;
    normalise_ttl(&mut object);
    let rules: Vec<&Object> = catalog.rules_of(&name).collect();
    let configuration = config(&object, &rules, catalog, context);
    let sessions = engine(&configuration, context).map_err(|why| {
        // Some texts of Consul have the prefix already.
        let prefix = if why.contains("Auth Method") || why.starts_with("MaxTokenTTL") {
            ""
        } else {
            "Invalid Auth Method: "
        };
        invalid(format!("{prefix}{why}"))
    })?;
    let fetches = sessions
        .verifier()
        .key_status()
        .iter()
        .any(|source| source.fetching.is_some());
    if context.fetch_keys
        && fetches
        && let Err(why) = sessions.verifier().refresh_keys()
    {
        crate::notes::note_once(&format_args!("the keys of an auth method: {why}"));
        let of_config = object.get("Config").and_then(Value::as_object);
        let discovers = of_config.is_some_and(|config| !text(config, "OIDCDiscoveryURL").is_empty());
        let member = if discovers { "OIDCDiscoveryURL" } else { "JWKSURL" };
        return Err(invalid(format!(
            "Invalid Auth Method: error checking {member}: {}",
            why.code().message()
        )));
    }
    stamp(&mut object, before.map(|method| &method.object), catalog.revision);
    let mark = match before {
        Some(method) => method.mark.clone(),
        None => uuid().map_err(invalid)?,
    };
    let mut stored = object.clone();
    stored.insert(MARK.to_owned(), mark.into());
    let change = Change::set(
        format!("{}{name}", catalog::METHOD),
        Value::from(stored).to_string(),
    );
    Ok((vec![change], shown(&object)))
}

/// The type is checked after the name, which the library reports.
fn check_type(object: &Object, before: Option<&Object>) -> Result<(), Reply> {
    let kind = text(object, "Type");
    let is_named = !text(object, "Name").is_empty();
    match before.map(|before| text(before, "Type")) {
        Some(own) if own != kind => Err(invalid(
            "Invalid Auth Method: the Type field of an Auth Method is immutable",
        )),
        _ if is_named && kind != "jwt" => Err(invalid("Invalid Auth Method: Type should be one of: [jwt]")),
        _ => Ok(()),
    }
}

/// Deletes a method and its rules. The caller also ends its sessions.
pub(super) fn delete_method(catalog: &Catalog, name: &str) -> Outcome {
    let reply = Reply::json(StatusCode::OK, &true.into());
    let Some(method) = catalog.methods.get(name) else {
        return Ok((Vec::new(), reply));
    };
    check_not_fixed(method.fixed)?;
    let mut changes = vec![Change::remove(format!("{}{name}", catalog::METHOD))];
    let ids = catalog.rules_of(name).map(|rule| text(rule, "ID"));
    changes.extend(ids.map(|id| Change::remove(format!("{}{id}", catalog::RULE))));
    Ok((changes, reply))
}

/// Creates a rule, or replaces the one whose id the path has.
pub(super) fn write_rule(
    catalog: &Catalog,
    context: &Context,
    path: Option<&str>,
    body: &Map<String, Value>,
) -> Outcome {
    let mut object = members(body, &RULE);
    let before = match path {
        None => None,
        Some(id) => {
            let known = catalog.rules.get(id);
            Some(known.ok_or_else(|| invalid(format!("cannot find binding rule {id}")))?)
        }
    };
    if let Some(before) = before {
        let own = text(&object, "AuthMethod");
        if !own.is_empty() && own != text(before, "AuthMethod") {
            return Err(invalid("the AuthMethod field of an Binding Rule is immutable"));
        }
        object.insert("AuthMethod".to_owned(), text(before, "AuthMethod").into());
    }
    let name = text(&object, "AuthMethod").to_owned();
    if name.is_empty() {
        return Err(invalid("Invalid Binding Rule: no AuthMethod is set"));
    }
    let method = catalog.methods.get(&name);
    let method = method.ok_or_else(|| invalid(format!("cannot find auth method with name \"{name}\"")))?;
    check_not_fixed(method.fixed)?;
    check_rule(&object, method, catalog, context)?;
    let id = match path {
        Some(id) => id.to_owned(),
        None => uuid().map_err(invalid)?,
    };
    object.insert("ID".to_owned(), id.as_str().into());
    stamp(&mut object, before, catalog.revision);
    let change = Change::set(
        format!("{}{id}", catalog::RULE),
        Value::from(object.clone()).to_string(),
    );
    Ok((vec![change], shown(&object)))
}

/// Compiles the rule alone. The library checks it in Consul's order, and with its words.
fn check_rule(rule: &Object, method: &Method, catalog: &Catalog, context: &Context) -> Result<(), Reply> {
    let text = config(&method.object, &[rule], catalog, context);
    let mut members: crate::document::Members = serde_json::from_str(&text).unwrap_or_default();
    members.take("sessions").map_err(invalid)?;
    Verifier::from_json(&members.text())
        .map(drop)
        .map_err(|why| invalid(words(&why.into())))
}

pub(super) fn delete_rule(catalog: &Catalog, id: &str) -> Outcome {
    let reply = Reply::json(StatusCode::OK, &true.into());
    let Some(rule) = catalog.rules.get(id) else {
        return Ok((Vec::new(), reply));
    };
    let method = catalog.methods.get(text(rule, "AuthMethod"));
    check_not_fixed(method.is_some_and(|method| method.fixed))?;
    Ok((vec![Change::remove(format!("{}{id}", catalog::RULE))], reply))
}

/// Refuses to change what the configuration file sets.
fn check_not_fixed(fixed: bool) -> Result<(), Reply> {
    if fixed {
        return Err(refuse(
            StatusCode::BAD_REQUEST,
            "the auth method is set by the configuration file of the server; change it there",
        ));
    }
    Ok(())
}
