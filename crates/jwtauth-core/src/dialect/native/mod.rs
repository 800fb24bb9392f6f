//! The policy model's own JSON form → [`Policy`].
//!
//! `docs/dialects/native.md` has every member. Defaults are those of the RFCs; what loosens is written out. What a
//! policy of any dialect prints can be read here, and gives an equal policy.

mod claims;
mod identity;
mod keys;
mod layers;
mod profiles;
mod rules;
#[cfg(test)]
mod tests;

use crate::error::{Code, Result};
use crate::members::{self, Field};
use crate::policy::{
    ExtractRule, HeaderRule, Limits, NotApplicable, Policy, RequestedOrg, Response, Responses,
};

/// Turns a configuration into a policy.
pub(super) fn compile(config: &Field<'_, '_>) -> Result<Policy> {
    let mut warnings = Vec::new();
    let mut members = config.members()?;
    let extract = extract(members.get_non_null("token"))?;
    let keys = keys::read(&mut members, extract.disabled)?;
    let profiles = profiles::read(&mut members, keys::discovered(&keys), &mut warnings)?;
    let policy = Policy {
        keys,
        extract,
        typ: members
            .get_non_null("typ")
            .map(|field| field.some_strings())
            .transpose()?,
        unused_headers: members
            .get_non_null("unused_headers")
            .map(|field| field.choice())
            .transpose()?
            .unwrap_or_default(),
        not_applicable: not_applicable(members.get_non_null("not_applicable"))?,
        responses: responses(members.get_non_null("responses"))?,
        profiles,
        limits: Limits::default(),
        warnings,
    };
    members.finish()?;
    Ok(policy)
}

fn extract(field: Option<Field<'_, '_>>) -> Result<ExtractRule> {
    let mut rule = ExtractRule {
        header: Some(HeaderRule::authorization()),
        ..ExtractRule::default()
    };
    let Some(field) = field else { return Ok(rule) };
    let mut members = field.members()?;
    let header = members.get("header");
    let prefix = members.get("prefix");
    let prefix_rule = members.get_non_null("prefix_rule");
    if header.as_ref().is_some_and(Field::is_null) {
        if let Some(stray) = prefix
            .as_ref()
            .filter(|field| !field.is_null())
            .or(prefix_rule.as_ref())
        {
            return Err(stray.error("needs a `header` beside it"));
        }
        rule.header = None;
    } else {
        let name = header.map(|field| field.text()).transpose()?;
        let name = name.unwrap_or(HeaderRule::AUTHORIZATION);
        let prefix = match prefix {
            // Only `Authorization` has a scheme by definition (RFC 9110 §11.6.2).
            None => name
                .eq_ignore_ascii_case(HeaderRule::AUTHORIZATION)
                .then_some(HeaderRule::BEARER),
            Some(field) if field.is_null() => None,
            Some(field) => Some(field.text()?),
        };
        rule.header = Some(HeaderRule {
            name: name.to_owned(),
            prefix: prefix.map(str::to_owned),
            prefix_rule: prefix_rule
                .map(|field| field.choice())
                .transpose()?
                .unwrap_or_default(),
        });
    }
    rule.query = members
        .get_non_null("query")
        .map(|field| field.text().map(str::to_owned))
        .transpose()?;
    rule.padding = members
        .get_non_null("padding")
        .map(|field| field.choice())
        .transpose()?
        .unwrap_or_default();
    rule.disabled = members
        .get_non_null("disabled")
        .map_or(Ok(false), |field| field.boolean())?;
    rule.requested_org = members
        .get_non_null("requested_org")
        .map(|field| requested_org(&field))
        .transpose()?;
    members.finish()?;
    Ok(rule)
}

fn requested_org(field: &Field<'_, '_>) -> Result<RequestedOrg> {
    let mut members = field.members()?;
    let requested = RequestedOrg {
        query: members.require("query")?.strings()?,
        header: members.require("header")?.text()?.to_owned(),
    };
    members.finish()?;
    Ok(requested)
}

fn not_applicable(field: Option<Field<'_, '_>>) -> Result<NotApplicable> {
    let Some(field) = field else {
        return Ok(NotApplicable::default());
    };
    let mut members = field.members()?;
    let mut given = |name| {
        Ok::<_, crate::Error>(
            members
                .get_non_null(name)
                .map(|field| field.boolean())
                .transpose()?
                .unwrap_or_default(),
        )
    };
    let rule = NotApplicable {
        missing: given("missing")?,
        structure: given("structure")?,
        algorithm: given("algorithm")?,
        claims_shape: given("claims_shape")?,
        subject: given("subject")?,
    };
    members.finish()?;
    Ok(rule)
}

fn responses(field: Option<Field<'_, '_>>) -> Result<Responses> {
    let Some(field) = field else {
        return Ok(Responses::default());
    };
    let mut members = field.members()?;
    let default_status = members
        .get_non_null("default_status")
        .map(|field| status(&field))
        .transpose()?;
    let entries = match members.get_non_null("entries") {
        None => Vec::new(),
        Some(list) => list.items()?.iter().map(response).collect::<Result<_>>()?,
    };
    members.finish()?;
    Ok(Responses {
        default_status,
        entries,
    })
}

fn response(field: &Field<'_, '_>) -> Result<Response> {
    let mut members = field.members()?;
    let code = members.require("code")?;
    let text =
        |field: Option<Field<'_, '_>>| field.map(|field| field.string().map(str::to_owned)).transpose();
    let response = Response {
        code: error_code(&code)?,
        claim: text(members.get_non_null("claim"))?,
        absent: members
            .get_non_null("absent")
            .map(|field| field.boolean())
            .transpose()?
            .unwrap_or_default(),
        http_status: members
            .get_non_null("http_status")
            .map(|field| status(&field))
            .transpose()?,
        detail: text(members.get_non_null("detail"))?,
    };
    members.finish()?;
    Ok(response)
}

fn error_code(field: &Field<'_, '_>) -> Result<Code> {
    let name = field.string()?;
    let known = |code: &&Code| code.as_str() == name;
    Code::ALL.iter().find(known).copied().ok_or_else(|| {
        let all: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        field.error(format!(
            "`{name}` is no error code{}",
            members::suggestion(name, &all)
        ))
    })
}

fn status(field: &Field<'_, '_>) -> Result<u16> {
    u16::try_from(field.unsigned()?)
        .ok()
        .filter(|status| (400..=599).contains(status))
        .ok_or_else(|| field.error("must be an HTTP status of a failure, from 400 to 599"))
}
