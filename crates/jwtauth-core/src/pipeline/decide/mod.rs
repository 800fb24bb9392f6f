//! Stage decide: [`Identity`] and rules → [`Decision`].

mod bindings;
mod decision;
mod org_roles;

pub(crate) use self::decision::Decision;

use crate::error::{Code, Error, Result};
use crate::expr::{Budget, Document};
use crate::grant::{Entitlement, EntitlementKind, Identity};
use crate::json::Value;
use crate::pipeline::identity::Mapped;
use crate::pipeline::validate::{self, ValidClaims};
use crate::pipeline::watch::{At, Check, Event, Part, Seen, Watch};
use crate::policy::{RoleRule, Rules, SplitClaim};

/// Decides what the caller receives.
///
/// # Errors
/// The codes of stage [`Decide`](crate::Stage::Decide), and those of claim rules for `requirements`.
pub(crate) fn entitlements(
    identity: &Identity,
    claims: &ValidClaims<'_>,
    rules: &Rules,
    watch: &mut impl Watch,
) -> Result<Decision> {
    let split = rules.requirements_split.as_ref();
    let split = split.and_then(|rule| split_document(rule, claims.document()));
    let document = split.as_ref().unwrap_or(claims.document());
    for (index, requirement) in rules.requirements.iter().enumerate() {
        let check = (Check::Requirement, || At::Index(index));
        validate::watched(requirement, document, check, watch)?;
    }
    let mut decision = Decision::default();
    allow_policies(rules, watch)?;
    let policies = rules
        .policies
        .iter()
        .map(|name| Entitlement::new(EntitlementKind::Policy, name));
    decision.entitlements.extend(policies);
    let document = claims.document();
    if let Some(rule) = &rules.roles {
        let role = watched_role(rule, document, watch)?;
        decision
            .entitlements
            .extend(role.map(|role| Entitlement::new(EntitlementKind::Role, role)));
    }
    if let Some(rule) = &rules.org_roles {
        org_roles::decide(rule, identity, document, &mut decision, watch)?;
    }
    if let Some(rules) = &rules.bindings {
        bindings::decide(rules, identity, &mut decision, watch)?;
    }
    Ok(decision)
}

/// Makes every check of [`entitlements`] on its own, also after one that fails, for an explanation and within its budget. The
/// results are only reported.
pub(crate) fn inform(mapped: &Mapped, document: &Document<'_>, rules: &Rules, watch: &mut impl Watch) {
    let split = rules.requirements_split.as_ref();
    let length = document.claims().text().len();
    if split.is_none_or(|rule| watch.affords(rule.select.effort().at(length))) {
        let split = split.and_then(|rule| split_document(rule, document));
        for (index, requirement) in rules.requirements.iter().enumerate() {
            let check = (Check::Requirement, || At::Index(index));
            validate::told(requirement, split.as_ref().unwrap_or(document), check, watch);
        }
    }
    let _ = allow_policies(rules, watch);
    if let Some(rule) = &rules.roles
        && watch.affords(rule.jmespath.effort().at(length))
    {
        let _ = watched_role(rule, document, watch);
    }
    if let Some(rule) = &rules.org_roles
        && watch.affords(rule.effort().at(length))
    {
        let _ = org_roles::decide(rule, &mapped.identity, document, &mut Decision::default(), watch);
    }
    if let Some(rules) = rules.bindings.as_ref().filter(|_| mapped.is_whole) {
        bindings::inform(rules, &mapped.identity, watch);
    }
}

fn allow_policies(rules: &Rules, watch: &mut impl Watch) -> Result<()> {
    let forbidden = |name: &String| rules.forbidden_policies.get(name);
    let allowed = match rules.policies.iter().find_map(forbidden) {
        Some(why) => Err(Error::new(Code::PolicyForbidden).with_detail(why)),
        None => Ok(()),
    };
    watch.saw(|| Event::of(Check::Policies, &allowed).if_applicable(!rules.policies.is_empty()));
    allowed
}

/// Returns the claims with a list instead of the string; `None` if the claim is not a string.
fn split_document<'t>(rule: &SplitClaim, document: &Document<'t>) -> Option<Document<'t>> {
    let found = rule.select.find(document).ok()??;
    let parts = found.as_str()?.split(rule.at.as_str());
    let parts = parts.map(|part| Value::String(part.to_owned().into()));
    let list = Value::Array(parts.collect());
    Some(rule.select.replace(document, list))
}

#[inline]
fn watched_role(rule: &RoleRule, document: &Document<'_>, watch: &mut impl Watch) -> Result<Option<String>> {
    let role = role(rule, document);
    watch.saw_within(|budget| report(rule, (document, budget), &role));
    role
}

fn role(rule: &RoleRule, document: &Document<'_>) -> Result<Option<String>> {
    let failed = |code: Code| Error::new(code).with_detail(rule.jmespath.shown());
    let result = rule.jmespath.evaluate(document);
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

/// What became of the role expression.
fn report(
    rule: &RoleRule,
    (document, budget): (&Document<'_>, &Budget),
    role: &Result<Option<String>>,
) -> Event {
    let name = role.as_ref().ok().and_then(Option::as_deref);
    let event = Event::of(Check::Role, role).if_applicable(name.is_some());
    if !budget.spend(rule.jmespath.effort().at(document.claims().text().len())) {
        return event;
    }
    let result = rule.jmespath.evaluate(document).ok();
    let given = result.as_ref().and_then(Value::as_str);
    let event = event
        .seen(Seen::of(result.as_ref()))
        .parts(Part::all(rule.jmespath.explore(document, budget)));
    if name.is_some() && name != given {
        event.note("the expression gives no valid role, so the caller gets the default role")
    } else {
        event
    }
}
