//! Entitlements from binding rules.

use std::collections::BTreeMap;

use super::decision::Decision;
use crate::error::{Code, Error, Result};
use crate::grant::{Entitlement, Identity};
use crate::policy::{BindKind, BindingRule, Bindings, Directory};

/// Gives the caller what each rule that selects the identity binds, without duplicates. The order is policies, roles,
/// services, nodes, templated policies; within a kind it is the order of the rules.
///
/// # Errors
/// [`Code::BindingInvalid`] if a rule that selects the identity computes an invalid name, whatever the other rules
/// give. [`Code::BindingUnmatched`] if nothing is bound.
pub(super) fn decide(bindings: &Bindings, identity: &Identity, decision: &mut Decision) -> Result<()> {
    let (values, lists) = (&identity.metadata, &identity.lists);
    let selected = |rule: &&BindingRule| {
        rule.selector
            .as_ref()
            .is_none_or(|one| one.selects(values, lists))
    };
    let mut bound: Vec<(BindKind, Entitlement)> = Vec::new();
    for rule in bindings.rules.iter().filter(selected) {
        let entitlement = bind(rule, values, &bindings.directory)?;
        if exists(rule.bind, &entitlement.name, &bindings.directory)
            && !bound.iter().any(|(_, known)| *known == entitlement)
        {
            bound.push((rule.bind, entitlement));
        }
    }
    if bound.is_empty() {
        return Err(Error::new(Code::BindingUnmatched).with_detail(why_nothing(bindings, &selected)));
    }
    bound.sort_by_key(|(kind, _)| *kind);
    decision
        .entitlements
        .extend(bound.into_iter().map(|(_, entitlement)| entitlement));
    Ok(())
}

/// Why each rule gave nothing, in the words of the configuration and without values of the token.
fn why_nothing(bindings: &Bindings, selected: &impl Fn(&&BindingRule) -> bool) -> String {
    let reason = |(index, rule): (usize, &BindingRule)| match &rule.selector {
        Some(selector) if !selected(&rule) => {
            format!("rules[{index}]: `{}` does not match", selector.as_str())
        }
        _ => format!(
            "rules[{index}]: the object named `{}` does not exist",
            rule.name.as_str()
        ),
    };
    let mut reasons: Vec<String> = bindings
        .rules
        .iter()
        .enumerate()
        .take(MAX_REASONS)
        .map(reason)
        .collect();
    match bindings.rules.len() {
        0 => reasons.push("no binding rule is configured".to_owned()),
        many if many > MAX_REASONS => reasons.push(format!("and {} more", many - MAX_REASONS)),
        _ => {}
    }
    reasons.join("; ")
}

/// The number of rules that a denial reports on.
const MAX_REASONS: usize = 8;

fn bind(rule: &BindingRule, values: &BTreeMap<String, String>, directory: &Directory) -> Result<Entitlement> {
    let entitlement = Entitlement {
        scope: match rule.bind {
            BindKind::Node | BindKind::TemplatedPolicy => directory.datacenter.clone(),
            BindKind::Policy | BindKind::Role | BindKind::Service => None,
        },
        variables: rule
            .variables
            .iter()
            .map(|(name, template)| (name.clone(), template.fill(values)))
            .collect(),
        ..Entitlement::new(rule.bind.entitlement(), rule.name.fill(values))
    };
    if rule.bind.accepts(&entitlement.name)
        && rule
            .bind
            .accepts_variables(&entitlement.name, &entitlement.variables)
    {
        Ok(entitlement)
    } else {
        // The computed name contains values of the token, so the detail has the template instead.
        Err(Error::new(Code::BindingInvalid).with_detail(format!("`{}`", rule.name.as_str())))
    }
}

fn exists(kind: BindKind, name: &str, directory: &Directory) -> bool {
    let known = match kind {
        BindKind::Role => &directory.roles,
        BindKind::Policy => &directory.policies,
        BindKind::Service | BindKind::Node | BindKind::TemplatedPolicy => return true,
    };
    known.as_ref().is_none_or(|known| known.contains(name))
}
