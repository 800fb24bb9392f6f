//! Stage decide: [`Identity`] and rules → [`Decision`].

mod bindings;
mod decision;
mod org_roles;

pub(crate) use self::decision::Decision;

use crate::error::{Code, Error, Result};
use crate::grant::{Entitlement, EntitlementKind, Identity};
use crate::json::Value;
use crate::pipeline::validate::{self, ValidClaims};
use crate::policy::{RoleRule, Rules};

/// Decides what the caller receives.
///
/// # Errors
/// The codes of stage [`Decide`](crate::Stage::Decide), and those of claim rules for `requirements`.
pub(crate) fn entitlements(identity: &Identity, claims: &ValidClaims<'_>, rules: &Rules) -> Result<Decision> {
    for requirement in &rules.requirements {
        validate::holds(requirement, claims.document())?;
    }
    let mut decision = Decision::default();
    for name in &rules.policies {
        if let Some(why) = rules.forbidden_policies.get(name) {
            return Err(Error::new(Code::PolicyForbidden).with_detail(why));
        }
    }
    let policies = rules
        .policies
        .iter()
        .map(|name| Entitlement::new(EntitlementKind::Policy, name));
    decision.entitlements.extend(policies);
    if let Some(rule) = &rules.roles {
        let role = role(rule, claims)?;
        decision
            .entitlements
            .extend(role.map(|role| Entitlement::new(EntitlementKind::Role, role)));
    }
    if let Some(rule) = &rules.org_roles {
        org_roles::decide(rule, identity, claims, &mut decision)?;
    }
    if let Some(rules) = &rules.bindings {
        bindings::decide(rules, identity, &mut decision)?;
    }
    Ok(decision)
}

fn role(rule: &RoleRule, claims: &ValidClaims<'_>) -> Result<Option<String>> {
    let failed = |code: Code| Error::new(code).with_detail(format!("`{}`", rule.jmespath.as_str()));
    let result = rule.jmespath.evaluate(claims.document());
    let role = result.ok().and_then(|value| match value {
        Value::String(role) if !role.is_empty() => Some(role.into_owned()),
        _ => None,
    });
    let valid = |role: &String| rule.allowed.as_ref().is_none_or(|allowed| allowed.contains(role));
    match role {
        Some(role) if valid(&role) => Ok(Some(role)),
        Some(_) if rule.strict => Err(failed(Code::RoleInvalid)),
        None if rule.strict => Err(failed(Code::RoleUnresolved)),
        _ => Ok(rule.default.clone()),
    }
}
