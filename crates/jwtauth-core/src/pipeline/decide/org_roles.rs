//! Entitlements from roles in organisations.

use std::collections::BTreeMap;

use super::decision::Decision;
use crate::error::{Code, Error, Result};
use crate::expr::{Document, JmesPath, Placed};
use crate::grant::{Entitlement, EntitlementKind, Identity};
use crate::json::Value;
use crate::pipeline::identity;
use crate::pipeline::watch::{Check, Event, Part, Seen, Watch};
use crate::policy::{OrgRole, OrgRoleRule, OrgTarget};

/// Gives the caller a role in each organisation.
///
/// # Errors
/// [`Code::RoleUnresolved`] in strict mode, [`Code::MappingFailed`].
pub(super) fn decide(
    rule: &OrgRoleRule,
    identity: &Identity,
    document: &Document<'_>,
    decision: &mut Decision,
    watch: &mut impl Watch,
) -> Result<()> {
    let direct = direct_role(rule, document);
    watch.saw_within(|budget| {
        let gives = matches!(direct, Ok((Some(_), _)));
        let event = Event::of(Check::OrgRole, &direct).if_applicable(gives);
        match &rule.role {
            None => event.seen(Seen::of(None)),
            Some(role) if budget.spend(role.effort().at(document.claims().text().len())) => event
                .seen(Seen::of(role.evaluate(document).ok().as_ref()))
                .parts(Part::all(role.explore(document, budget))),
            Some(_) => event,
        }
    });
    let (direct, server_admin) = direct?;
    let external = match &rule.external_orgs {
        None => Ok(None),
        Some(list) => identity::list(list, document, Code::MappingFailed),
    };
    watch.saw(|| identity::mapped_list(Check::ExternalOrgs, &external));
    let external = external?.unwrap_or_default();
    let mut roles = mapped_roles(rule, &external);
    let is_default = roles.is_empty() && direct.is_none() && rule.role.is_some();
    match (roles.is_empty(), direct) {
        (true, None) if rule.strict => {}
        (true, Some(direct)) => {
            roles.insert(direct_org(rule, identity), direct);
        }
        (true, None) => {
            roles.insert(rule.default_org, rule.default_role);
        }
        (false, Some(direct)) => roles.values_mut().for_each(|role| *role = direct.max(*role)),
        (false, None) => {}
    }
    let resolved = if roles.is_empty() && rule.strict {
        let error = Error::new(Code::RoleUnresolved);
        Err(match &rule.role {
            Some(role) => error.with_detail(role.shown()),
            None => error,
        })
    } else {
        Ok(())
    };
    watch.saw(|| {
        let names = roles
            .iter()
            .map(|(org, role)| format!("{} in {org}", role.as_str()));
        let names: Vec<String> = names.collect();
        let event = Event::of(Check::OrgRoles, &resolved);
        let event = event.seen(Seen::texts(names.iter().map(String::as_str)));
        if is_default && resolved.is_ok() {
            event.note(format!(
                "the expression gives no role, so the caller gets the default role `{}`",
                rule.default_role.as_str()
            ))
        } else {
            event
        }
    });
    resolved?;
    decision
        .entitlements
        .extend(roles.into_iter().map(|(org, role)| Entitlement {
            scope: Some(org.to_string()),
            ..Entitlement::new(EntitlementKind::OrgRole, role.as_str())
        }));
    if rule.assign_server_admin {
        let administration = Entitlement::new(EntitlementKind::ServerAdmin, OrgRoleRule::SERVER_ADMIN);
        if server_admin {
            &mut decision.entitlements
        } else {
            &mut decision.revocations
        }
        .push(administration);
    }
    Ok(())
}

/// The role from the expression, and whether it means server administration. An expression that fails, or whose
/// result is not a valid role, gives no role.
///
/// # Errors
/// [`Code::MappingFailed`] if the evaluation ends the request.
fn direct_role(rule: &OrgRoleRule, document: &Document<'_>) -> Result<(Option<OrgRole>, bool)> {
    let evaluate = |role: &Placed<JmesPath>| {
        let result = role.evaluate(document);
        result.map_err(|why| why.at(role.place()))
    };
    let result = rule.role.as_ref().map(evaluate);
    Ok(match result {
        Some(Err(why)) if why.is_final => return Err(Error::new(Code::MappingFailed).with_detail(why)),
        Some(Ok(Value::String(role))) if role == OrgRoleRule::SERVER_ADMIN => (Some(OrgRole::Admin), true),
        Some(Ok(Value::String(role))) => (OrgRole::parse(&role), false),
        Some(Ok(_) | Err(_)) | None => (None, false),
    })
}

/// The roles from the mapping. In each organisation the highest role is used.
fn mapped_roles(rule: &OrgRoleRule, external: &[String]) -> BTreeMap<i64, OrgRole> {
    let mut roles = BTreeMap::new();
    let mut everywhere = None;
    let mine = rule
        .mapping
        .iter()
        .filter(|item| item.external == "*" || external.contains(&item.external));
    for item in mine {
        match item.org {
            OrgTarget::All => everywhere = everywhere.max(Some(item.role)),
            OrgTarget::Id(org) => raise(&mut roles, org, item.role),
        }
    }
    if let Some(role) = everywhere {
        rule.directory
            .iter()
            .for_each(|org| raise(&mut roles, *org, role));
    }
    roles
}

fn raise(roles: &mut BTreeMap<i64, OrgRole>, org: i64, role: OrgRole) {
    let entry = roles.entry(org).or_insert(role);
    *entry = role.max(*entry);
}

/// The organisation of a direct role. A request can move the direct role, but never the default role: a request
/// cannot get a caller into an organisation only by naming it.
fn direct_org(rule: &OrgRoleRule, identity: &Identity) -> i64 {
    let requested = identity.requested_org.filter(|_| rule.org_from_request);
    requested
        .and_then(|org| i64::try_from(org).ok())
        .unwrap_or(rule.default_org)
}
