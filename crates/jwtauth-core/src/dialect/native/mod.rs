//! Compiles the JSON form of the policy model to a [`Policy`].
//!
//! `docs/dialects/native.md` describes every member. The defaults are those of the RFCs, and every looser rule must be
//! written explicitly. The printed policy of any dialect can be read here and gives an equal policy.

mod claims;
mod identity;
mod issuer_rules;
mod issuers;
mod keys;
mod layers;
mod profiles;
mod rules;
mod signers;
#[cfg(test)]
mod tests;

use crate::error::{Code, Result};
use crate::keys::Algorithm;
use crate::members::{self, Field, Members};
use crate::policy::{
    DecodeRule, ExtractRule, HeaderRule, KeyRule, MemberNames, NotApplicable, Origin, Policy, RequestedOrg,
    Response, Responses,
};
use crate::warning::{Rule, Warning};

/// Compiles a configuration to a policy.
pub(super) fn compile(config: &Field<'_, '_>, warnings: &mut Vec<Warning>) -> Result<Policy> {
    let mut members = config.members()?;
    let extract = members.read("token", extract)?.unwrap_or_else(by_header);
    let issuer_claims = issuers::claims(&mut members)?;
    let keys = keys::read(&mut members, &issuer_claims, extract.disabled)?;
    let issuers = issuer_rules::read(&mut members, &issuer_claims)?;
    let known = issuers::Known::new(&issuer_claims, &keys, &issuers);
    let profiles = profiles::read(&mut members, &known, warnings)?;
    let policy = Policy {
        keys,
        extract,
        decode: DecodeRule {
            typ: members.read("typ", Field::some_texts)?,
            unused_headers: members.read("unused_headers", Field::choice)?.unwrap_or_default(),
            ..DecodeRule::default()
        },
        not_applicable: members
            .read("not_applicable", not_applicable)?
            .unwrap_or_default(),
        responses: members.read("responses", responses)?.unwrap_or_default(),
        issuer_claims,
        issuers,
        profiles,
        warnings: Vec::new(),
        names: MemberNames::default(),
    };
    members.finish()?;
    signers::check(&policy, warnings)?;
    warnings.extend(policy.profiles.doubts());
    warn_of_secrets(&policy.keys, warnings);
    Ok(policy)
}

/// Warns of fetched keys that are never used: a shared secret in a fetched set is skipped, and no other key is allowed.
fn warn_of_secrets(keys: &KeyRule, warnings: &mut Vec<Warning>) {
    for source in &keys.sources {
        let settings = match &source.origin {
            Origin::JwksUrl(fetched) => &fetched.settings,
            Origin::OidcDiscoveryUrl(discovered) => &discovered.settings,
            _ => continue,
        };
        let mut allowed = source.algorithms.unwrap_or(keys.algorithms).iter();
        if !settings.insecure_symmetric_keys && allowed.all(Algorithm::is_symmetric) {
            warnings.push(Warning::new(Rule::FetchedSecret, source.place.clone(),
                "only HMAC algorithms are allowed, and shared secrets in a fetched key set are skipped, so none of its keys is used; allow the algorithm of its keys, such as RS256",
            ));
        }
    }
}

/// Returns the default rule for the token's place in a request.
fn by_header() -> ExtractRule {
    ExtractRule {
        header: Some(HeaderRule::authorization()),
        ..ExtractRule::default()
    }
}

fn extract(field: &Field<'_, '_>) -> Result<ExtractRule> {
    let mut members = field.members()?;
    let rule = ExtractRule {
        header: header(&mut members)?,
        query: members.read("query", Field::owned_text)?,
        cookie: members.read("cookie", cookie)?,
        padding: members.read("padding", Field::choice)?.unwrap_or_default(),
        disabled: members.read("disabled", Field::boolean)?.unwrap_or_default(),
        requested_org: members.read("requested_org", requested_org)?,
    };
    members.finish()?;
    Ok(rule)
}

/// Reads the name of a cookie (RFC 6265 §4.1.1).
fn cookie(field: &Field<'_, '_>) -> Result<String> {
    let name = field.text()?;
    if name.contains(|letter: char| !letter.is_ascii_graphic() || matches!(letter, '=' | ';' | ',' | '"')) {
        return Err(field.error("is not the name of a cookie"));
    }
    Ok(name.to_owned())
}

/// Reads the header that carries the token. `null` means none.
fn header(members: &mut Members<'_, '_>) -> Result<Option<HeaderRule>> {
    let header = members.get("header");
    let prefix = members.get("prefix");
    let prefix_rule = members.get_non_null("prefix_rule");
    if header.as_ref().is_some_and(Field::is_null) {
        return match prefix.filter(|prefix| !prefix.is_null()).or(prefix_rule) {
            Some(stray) => Err(stray.error("is allowed only with `header`")),
            None => Ok(None),
        };
    }
    let name = header.as_ref().map(Field::text).transpose()?;
    let name = name.unwrap_or(HeaderRule::AUTHORIZATION);
    let prefix = match prefix {
        // Only `Authorization` has a scheme by definition (RFC 9110 §11.6.2).
        None => name
            .eq_ignore_ascii_case(HeaderRule::AUTHORIZATION)
            .then(|| HeaderRule::BEARER.to_owned()),
        Some(field) if field.is_null() => None,
        Some(field) => Some(field.owned_text()?),
    };
    let prefix_rule = prefix_rule.as_ref().map(Field::choice).transpose()?;
    Ok(Some(HeaderRule {
        name: name.to_owned(),
        prefix,
        prefix_rule: prefix_rule.unwrap_or_default(),
    }))
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

fn not_applicable(field: &Field<'_, '_>) -> Result<NotApplicable> {
    let mut members = field.members()?;
    let mut read = |name| -> Result<bool> { Ok(members.read(name, Field::boolean)?.unwrap_or_default()) };
    let rule = NotApplicable {
        missing: read("missing")?,
        structure: read("structure")?,
        algorithm: read("algorithm")?,
        claims_shape: read("claims_shape")?,
        subject: read("subject")?,
    };
    members.finish()?;
    Ok(rule)
}

fn responses(field: &Field<'_, '_>) -> Result<Responses> {
    let mut members = field.members()?;
    let responses = Responses {
        default_status: members.read("default_status", status)?,
        entries: members
            .read("entries", |field| field.list_of(response))?
            .unwrap_or_default(),
    };
    members.finish()?;
    Ok(responses)
}

fn response(field: &Field<'_, '_>) -> Result<Response> {
    let mut members = field.members()?;
    let response = Response {
        code: error_code(&members.require("code")?)?,
        claim: members.read("claim", Field::owned_string)?,
        absent: members.read("absent", Field::boolean)?.unwrap_or_default(),
        http_status: members.read("http_status", status)?,
        detail: members.read("detail", Field::owned_string)?,
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
            "`{name}` is not an error code{}",
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
