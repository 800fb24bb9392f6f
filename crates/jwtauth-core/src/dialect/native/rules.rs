//! The entitlements and the session that a caller receives.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::layers::Layers;
use super::{claims, identity};
use crate::error::Result;
use crate::expr::{Placed, Selection, Selector, Template};
use crate::grant::Session;
use crate::json::{Number, Value};
use crate::members::Field;
use crate::network::{self, unmapped};
use crate::ordered;
use crate::policy::{
    BindingRule, Bindings, Directory, OrgMapping, OrgRoleRule, OrgTarget, RoleRule, Rules, SessionRule,
    SplitClaim,
};

pub(super) fn read(layers: &mut Layers<'_, '_, '_>) -> Result<Rules> {
    Ok(Rules {
        requirements: layers.read("requirements", claims::rules)?.unwrap_or_default(),
        requirements_split: layers.read("requirements_split", split_claim)?,
        policies: layers.read("policies", Field::some_texts)?.unwrap_or_default(),
        forbidden_policies: layers
            .read("forbidden_policies", |field| field.map_of(Field::owned_string))?
            .unwrap_or_default(),
        roles: layers.read("roles", roles)?,
        org_roles: layers.read("org_roles", org_roles)?,
        bindings: layers.read("bindings", bindings)?,
    })
}

fn split_claim(field: &Field<'_, '_>) -> Result<SplitClaim> {
    let mut members = field.members()?;
    let select = identity::selection(&mut members, field)?;
    let rule = match select {
        Selection::Claim(_) | Selection::Pointer(_) => SplitClaim {
            select,
            at: members.require("split")?.owned_text()?,
        },
        Selection::JmesPath(_) => return Err(field.error("must have a claim or a pointer, not jmespath")),
    };
    members.finish()?;
    Ok(rule)
}

pub(super) fn session(field: &Field<'_, '_>) -> Result<SessionRule> {
    let mut members = field.members()?;
    let ttl = members.read("ttl", session_length)?;
    let max_ttl = members.get_non_null("max_ttl");
    let terms = Session {
        ttl,
        max_ttl: max_ttl.as_ref().map(Field::seconds).transpose()?,
        explicit_max_ttl: members.read("explicit_max_ttl", Field::seconds)?,
        // A period of zero means none.
        period: members
            .read("period", Field::seconds)?
            .filter(|period| *period > 0),
        num_uses: members.read("num_uses", Field::unsigned)?,
        token_type: members.read("token_type", Field::owned_text)?,
        renewable: members.read("renewable", Field::boolean)?,
        bound_cidrs: members
            .read("bound_cidrs", |field| field.list_of(Field::owned_text))?
            .unwrap_or_default(),
        display_name: members.read("display_name", Field::owned_text)?,
        local: members.read("local", Field::boolean)?,
        auth_method: members.read("auth_method", Field::owned_text)?,
        allow_sign_up: members.read("allow_sign_up", Field::boolean)?,
        sync_org_roles: members.read("sync_org_roles", Field::boolean)?,
        sync_teams: members.read("sync_teams", Field::boolean)?,
    };
    if let (Some(field), true) = (&max_ttl, terms.max_ttl < terms.ttl) {
        return Err(field.error("must not be shorter than `ttl`"));
    }
    let rule = SessionRule {
        terms,
        display_name_prefix: members.read("display_name_prefix", Field::owned_string)?,
        computed: Vec::new(),
    };
    members.finish()?;
    Ok(rule)
}

fn session_length(field: &Field<'_, '_>) -> Result<u64> {
    match field.seconds()? {
        0 => Err(field.error("must be greater than zero; remove it for a session without an end")),
        seconds => Ok(seconds),
    }
}

pub(super) fn networks(field: &Field<'_, '_>) -> Result<Vec<IpNet>> {
    let network = |item: &Field<'_, '_>| {
        let text = item.string()?;
        if let Some(network) = network::parse(text) {
            return unmapped(network).ok_or_else(|| {
                item.error(format!(
                    "`{text}` does not match any IPv4 address; write for example `10.0.0.0/8`"
                ))
            });
        }
        Err(match text.parse::<IpAddr>() {
            Ok(address) => {
                let network = IpNet::from(address.to_canonical());
                item.error(format!(
                    "`{text}` is a single address; write `{network}` to allow only this address"
                ))
            }
            Err(_) => item.error(format!(
                "`{text}` is not a network; write for example `10.0.0.0/8`"
            )),
        })
    };
    field.list_of(network)
}

fn roles(field: &Field<'_, '_>) -> Result<RoleRule> {
    let mut members = field.members()?;
    let rule = RoleRule {
        jmespath: identity::jmespath(&members.require("jmespath")?)?,
        allowed: members.read("allowed", Field::some_texts)?,
        default: members.read("default", Field::owned_text)?,
        strict: members.read("strict", Field::boolean)?.unwrap_or_default(),
    };
    members.finish()?;
    if let (true, Some(default)) = (rule.strict, &rule.default) {
        return Err(field.error(format!(
            "`strict` denies callers without a role, so the default `{default}` would never be used"
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
    let rule = OrgRoleRule {
        role: members.read("role", identity::jmespath)?,
        external_orgs: members.read("external_orgs", identity::list)?,
        mapping: members
            .read("mapping", |field| field.list_of(org_mapping))?
            .unwrap_or_default(),
        default_org: org_id(&members.require("default_org")?)?,
        default_role: members.require("default_role")?.choice()?,
        strict: members.read("strict", Field::boolean)?.unwrap_or_default(),
        assign_server_admin: members
            .read("assign_server_admin", Field::boolean)?
            .unwrap_or_default(),
        org_from_request: members
            .read("org_from_request", Field::boolean)?
            .unwrap_or_default(),
        directory: ordered::collect(
            members
                .read("directory", |field| field.list_of(org_id))?
                .unwrap_or_default(),
        ),
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
    .ok_or_else(|| field.error("must be a 64-bit integer"))
}

fn bindings(field: &Field<'_, '_>) -> Result<Bindings> {
    let mut members = field.members()?;
    let bindings = Bindings {
        rules: members.require("rules")?.list_of(binding)?,
        directory: members.read("directory", directory)?.unwrap_or_default(),
        variables: members.read("variables", set)?.unwrap_or_default(),
    };
    members.finish()?;
    Ok(bindings)
}

fn binding(field: &Field<'_, '_>) -> Result<BindingRule> {
    let mut members = field.members()?;
    let rule = BindingRule {
        selector: members.read("selector", selector)?,
        bind: members.require("bind")?.choice()?,
        name: template(&members.require("name")?)?,
        variables: members
            .read("variables", |field| field.map_of(template))?
            .unwrap_or_default(),
    };
    members.finish()?;
    Ok(rule)
}

fn selector(field: &Field<'_, '_>) -> Result<Placed<Selector>> {
    let selector = Selector::parse(field.string()?).map_err(|error| field.within(error))?;
    Ok(Placed::new(selector, field.path()))
}

fn template(field: &Field<'_, '_>) -> Result<Placed<Template>> {
    let template = Template::parse(field.string()?).map_err(|error| field.within(error))?;
    Ok(Placed::new(template, field.path()))
}

fn directory(field: &Field<'_, '_>) -> Result<Directory> {
    let mut members = field.members()?;
    let directory = Directory {
        roles: members.read("roles", set)?,
        policies: members.read("policies", set)?,
        datacenter: members.read("datacenter", Field::owned_text)?,
    };
    members.finish()?;
    Ok(directory)
}

fn set(field: &Field<'_, '_>) -> Result<BTreeSet<String>> {
    Ok(ordered::collect(field.strings()?))
}
