//! The members of an auth method around its `Config`.

use std::time::Duration;

use crate::duration;
use crate::error::Result;
use crate::json::{Number, Value};
use crate::members::Field;

/// An auth method. Its `Config` is not read yet.
pub(super) struct Method<'a, 't> {
    pub(super) name: String,
    pub(super) oidc: bool,
    pub(super) max_token_ttl: Option<Duration>,
    pub(super) local: bool,
    pub(super) config: Field<'a, 't>,
}

impl<'a, 't> Method<'a, 't> {
    /// Reads the members around `Config`. Other modules read `Config` itself.
    pub(super) fn read(field: &Field<'a, 't>) -> Result<Method<'a, 't>> {
        let mut members = field.members()?;
        let name = members.require("Name")?;
        let kind = members.require("Type")?;
        let ttl = members.get_non_null("MaxTokenTTL");
        let locality = members.get("TokenLocality");
        let config = members.require("Config")?;
        // Checked and ignored: other members that a server prints, for example for its bookkeeping or Enterprise edition.
        for ignored in ["DisplayName", "Description", "Namespace", "Partition", "Hash"] {
            members.read(ignored, Field::string)?;
        }
        for ignored in ["CreateIndex", "ModifyIndex"] {
            members.read(ignored, Field::unsigned)?;
        }
        if let Some(rules) = members.get_non_null("NamespaceRules")
            && !rules.value().as_array().is_some_and(<[_]>::is_empty)
        {
            return Err(rules.error("namespaces (Consul Enterprise) are not supported"));
        }
        members.finish()?;
        Ok(Method {
            name: method_name(&name)?,
            oidc: is_oidc(&kind)?,
            max_token_ttl: match ttl {
                Some(ttl) => max_token_ttl(&ttl)?,
                None => None,
            },
            local: match locality {
                Some(locality) => is_local(&locality)?,
                None => true,
            },
            config,
        })
    }
}

fn method_name(field: &Field<'_, '_>) -> Result<String> {
    let text = field.string()?;
    if text.is_empty() {
        return Err(field.error("Invalid Auth Method: no Name is set"));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if text.len() > 128 || !text.bytes().all(allowed) {
        return Err(field.error(
            "Invalid Auth Method: invalid Name. Only alphanumeric characters, '-' and '_' are allowed",
        ));
    }
    Ok(text.to_owned())
}

fn is_oidc(field: &Field<'_, '_>) -> Result<bool> {
    match field.string()? {
        "jwt" => Ok(false),
        "oidc" => Ok(true),
        other => Err(field.error(format!(
            "`{other}` is not supported; the types are jwt, and oidc with a discovery URL"
        ))),
    }
}

fn is_local(field: &Field<'_, '_>) -> Result<bool> {
    match field.string()? {
        "" | "local" => Ok(true),
        "global" => Ok(false),
        _ => Err(field.error("Invalid Auth Method: TokenLocality should be one of 'local' or 'global'")),
    }
}

/// Reads the lifetime of Consul's tokens: Go's syntax, or a number of nanoseconds. Zero means that none is set.
fn max_token_ttl(field: &Field<'_, '_>) -> Result<Option<Duration>> {
    let ttl = match field.value() {
        Value::Number(Number::Unsigned(nanoseconds)) => Duration::from_nanos(*nanoseconds),
        _ => field.duration()?,
    };
    let (least, most) = (Duration::from_secs(60), Duration::from_secs(24 * 3600));
    if ttl.is_zero() {
        return Ok(None);
    }
    let printed = duration::to_go(ttl);
    if ttl < least {
        return Err(field.error(format!("MaxTokenTTL {printed} cannot be less than 1m0s")));
    }
    if ttl > most {
        return Err(field.error(format!("MaxTokenTTL {printed} cannot be more than 24h0m0s")));
    }
    Ok(Some(ttl))
}
