//! What a named caller receives, and for how long.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::layers::Layers;
use super::{claims, identity};
use crate::error::Result;
use crate::expr::{Selector, Template};
use crate::grant::Session;
use crate::json::{Number, Value};
use crate::members::Field;
use crate::policy::{
    BindingRule, Bindings, Directory, OrgMapping, OrgRoleRule, OrgTarget, RoleRule, Rules, SessionRule,
};

pub(super) fn read(layers: &mut Layers<'_, '_, '_>) -> Result<Rules> {
    Ok(Rules {
        requirements: layers
            .get_non_null("requirements")
            .map_or(Ok(Vec::new()), |field| claims::rules(&field))?,
        policies: layers
            .get_non_null("policies")
            .map_or(Ok(Vec::new()), |field| names(&field))?,
        forbidden_policies: forbidden(layers.get_non_null("forbidden_policies"))?,
        roles: layers
            .get_non_null("roles")
            .map(|field| roles(&field))
            .transpose()?,
        org_roles: layers
            .get_non_null("org_roles")
            .map(|field| org_roles(&field))
            .transpose()?,
        bindings: layers
            .get_non_null("bindings")
            .map(|field| bindings(&field))
            .transpose()?,
    })
}

pub(super) fn session(field: Option<Field<'_, '_>>) -> Result<SessionRule> {
    let Some(field) = field else {
        return Ok(SessionRule::default());
    };
    let mut members = field.members()?;
    let ttl = members
        .get_non_null("ttl")
        .map(|field| session_length(&field))
        .transpose()?;
    let max_ttl = members.get_non_null("max_ttl");
    let boolean = |field: Option<Field<'_, '_>>| field.map(|field| field.boolean()).transpose();
    let text = |field: Option<Field<'_, '_>>| field.map(|field| field.text().map(str::to_owned)).transpose();
    let terms = Session {
        ttl,
        max_ttl: max_ttl.as_ref().map(|field| field.seconds()).transpose()?,
        explicit_max_ttl: members
            .get_non_null("explicit_max_ttl")
            .map(|field| field.seconds())
            .transpose()?,
        // A period of zero is no period.
        period: members
            .get_non_null("period")
            .map(|field| field.seconds())
            .transpose()?
            .filter(|period| *period > 0),
        num_uses: members
            .get_non_null("num_uses")
            .map(|field| field.unsigned())
            .transpose()?,
        token_type: text(members.get_non_null("token_type"))?,
        renewable: boolean(members.get_non_null("renewable"))?,
        bound_cidrs: members
            .get_non_null("bound_cidrs")
            .map_or(Ok(Vec::new()), |field| field.strings())?,
        display_name: text(members.get_non_null("display_name"))?,
        local: boolean(members.get_non_null("local"))?,
        auth_method: text(members.get_non_null("auth_method"))?,
        allow_sign_up: boolean(members.get_non_null("allow_sign_up"))?,
        sync_org_roles: boolean(members.get_non_null("sync_org_roles"))?,
        sync_teams: boolean(members.get_non_null("sync_teams"))?,
    };
    if let (Some(field), true) = (&max_ttl, terms.max_ttl < terms.ttl) {
        return Err(field.error("must not be shorter than `ttl`"));
    }
    let rule = SessionRule {
        terms,
        display_name_prefix: members
            .get_non_null("display_name_prefix")
            .map(|field| field.string().map(str::to_owned))
            .transpose()?,
    };
    members.finish()?;
    Ok(rule)
}

fn session_length(field: &Field<'_, '_>) -> Result<u64> {
    match field.seconds()? {
        0 => Err(field.error("must be longer than zero; leave it out for a session without an end")),
        seconds => Ok(seconds),
    }
}

pub(super) fn networks(field: Option<Field<'_, '_>>) -> Result<Vec<IpNet>> {
    let Some(field) = field else { return Ok(Vec::new()) };
    let network = |item: &Field<'_, '_>| {
        let text = item.string()?;
        text.parse().map_err(|_| match text.parse::<IpAddr>() {
            Ok(address) => {
                let network = IpNet::from(address);
                item.error(format!(
                    "`{text}` is one address; write `{network}` if you mean it alone"
                ))
            }
            Err(_) => item.error(format!(
                "`{text}` is not a network; write for example `10.0.0.0/8`"
            )),
        })
    };
    field.items()?.iter().map(network).collect()
}

fn forbidden(field: Option<Field<'_, '_>>) -> Result<BTreeMap<String, String>> {
    let Some(field) = field else {
        return Ok(BTreeMap::new());
    };
    let entries = field.entries()?;
    entries
        .iter()
        .map(|(name, why)| Ok(((*name).to_owned(), why.string()?.to_owned())))
        .collect()
}

fn roles(field: &Field<'_, '_>) -> Result<RoleRule> {
    let mut members = field.members()?;
    let rule = RoleRule {
        jmespath: identity::jmespath(&members.require("jmespath")?)?,
        allowed: members
            .get_non_null("allowed")
            .map(|field| names(&field))
            .transpose()?,
        default: members
            .get_non_null("default")
            .map(|field| field.text().map(str::to_owned))
            .transpose()?,
        strict: members
            .get_non_null("strict")
            .map_or(Ok(false), |field| field.boolean())?,
    };
    members.finish()?;
    if let (true, Some(default)) = (rule.strict, &rule.default) {
        return Err(field.error(format!(
            "`strict` refuses callers without a role, so the default `{default}` would never be given"
        )));
    }
    match (&rule.allowed, &rule.default) {
        (Some(allowed), Some(default)) if !allowed.contains(default) => {
            Err(field.error(format!("the default `{default}` is not one of the allowed roles")))
        }
        _ => Ok(rule),
    }
}

fn org_roles(field: &Field<'_, '_>) -> Result<OrgRoleRule> {
    let mut members = field.members()?;
    let boolean = |field: Option<Field<'_, '_>>| field.map_or(Ok(false), |field| field.boolean());
    let rule = OrgRoleRule {
        role: members
            .get_non_null("role")
            .map(|field| identity::jmespath(&field))
            .transpose()?,
        external_orgs: members
            .get_non_null("external_orgs")
            .map(|field| identity::list(&field))
            .transpose()?,
        mapping: members.get_non_null("mapping").map_or(Ok(Vec::new()), |field| {
            field.items()?.iter().map(org_mapping).collect()
        })?,
        default_org: org_id(&members.require("default_org")?)?,
        default_role: members.require("default_role")?.choice()?,
        strict: boolean(members.get_non_null("strict"))?,
        assign_server_admin: boolean(members.get_non_null("assign_server_admin"))?,
        org_from_request: boolean(members.get_non_null("org_from_request"))?,
        directory: members
            .get_non_null("directory")
            .map_or(Ok(BTreeSet::new()), |field| {
                field.items()?.iter().map(org_id).collect()
            })?,
    };
    members.finish()?;
    Ok(rule)
}

fn org_mapping(field: &Field<'_, '_>) -> Result<OrgMapping> {
    let mut members = field.members()?;
    let org = members.require("org")?;
    let mapping = OrgMapping {
        external: members.require("external")?.string()?.to_owned(),
        org: match org.value() {
            Value::String(all) if all == OrgTarget::ALL => OrgTarget::All,
            Value::String(_) => return Err(org.error("must be the id of an organisation, or `all`")),
            _ => OrgTarget::Id(org_id(&org)?),
        },
        role: members.require("role")?.choice()?,
    };
    members.finish()?;
    Ok(mapping)
}

fn org_id(field: &Field<'_, '_>) -> Result<i64> {
    match field.number()? {
        Number::Unsigned(id) => i64::try_from(id).ok(),
        Number::Signed(id) => Some(id),
        Number::Float(_) => None,
    }
    .ok_or_else(|| field.error("must be an integer of 64 bits"))
}

fn bindings(field: &Field<'_, '_>) -> Result<Bindings> {
    let mut members = field.members()?;
    let bindings = Bindings {
        rules: members
            .require("rules")?
            .items()?
            .iter()
            .map(binding)
            .collect::<Result<_>>()?,
        directory: members
            .get_non_null("directory")
            .map_or(Ok(Directory::default()), |field| directory(&field))?,
        variables: members
            .get_non_null("variables")
            .map_or(Ok(BTreeSet::new()), |field| set(&field))?,
    };
    members.finish()?;
    Ok(bindings)
}

fn binding(field: &Field<'_, '_>) -> Result<BindingRule> {
    let template =
        |field: &Field<'_, '_>| Template::parse(field.string()?).map_err(|error| field.within(error));
    let mut members = field.members()?;
    let rule = BindingRule {
        selector: members
            .get_non_null("selector")
            .map(|field| Selector::parse(field.string()?).map_err(|error| field.within(error)))
            .transpose()?,
        bind: members.require("bind")?.choice()?,
        name: template(&members.require("name")?)?,
        variables: match members.get_non_null("variables") {
            None => BTreeMap::new(),
            Some(field) => {
                let entries = field.entries()?;
                entries
                    .iter()
                    .map(|(name, field)| Ok(((*name).to_owned(), template(field)?)))
                    .collect::<Result<_>>()?
            }
        },
    };
    members.finish()?;
    Ok(rule)
}

fn directory(field: &Field<'_, '_>) -> Result<Directory> {
    let mut members = field.members()?;
    let directory = Directory {
        roles: members
            .get_non_null("roles")
            .map(|field| set(&field))
            .transpose()?,
        policies: members
            .get_non_null("policies")
            .map(|field| set(&field))
            .transpose()?,
        datacenter: members
            .get_non_null("datacenter")
            .map(|field| field.text().map(str::to_owned))
            .transpose()?,
    };
    members.finish()?;
    Ok(directory)
}

fn set(field: &Field<'_, '_>) -> Result<BTreeSet<String>> {
    Ok(field.strings()?.into_iter().collect())
}

/// A list with something in it, of strings with something in them.
fn names(field: &Field<'_, '_>) -> Result<Vec<String>> {
    let items = field.items()?;
    if items.is_empty() {
        return Err(field.error("must not be empty"));
    }
    items.iter().map(|item| item.text().map(str::to_owned)).collect()
}
