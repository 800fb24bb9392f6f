//! Entitlements from binding rules.

use std::collections::BTreeMap;

use super::decision::Decision;
use crate::error::{Code, Error, Result};
use crate::expr::{Budget, Placed, Selected, Selector};
use crate::grant::{Entitlement, Identity};
use crate::ordered;
use crate::pipeline::watch::{At, Check, Event, Part, Seen, Watch};
use crate::policy::{BindKind, BindingRule, Bindings, Directory};

/// Gives the caller what each rule that selects the identity binds, without duplicates. The order is policies, roles,
/// services, nodes, templated policies; within a kind it is the order of the rules.
///
/// # Errors
/// [`Code::BindingInvalid`] if a rule that selects the identity computes an invalid name, whatever the other rules
/// give. [`Code::BindingUnmatched`] if nothing is bound, or if the regular expressions could take too long. A rule that
/// selects the identity only because a value is absent gives nothing, but its name is computed and checked.
pub(super) fn decide(
    bindings: &Bindings,
    identity: &Identity,
    decision: &mut Decision,
    watch: &mut impl Watch,
) -> Result<()> {
    let bound = bound(bindings, identity, watch);
    // The rule itself has reported an invalid name.
    if !matches!(&bound, Err(why) if why.code() == Code::BindingInvalid) {
        watch.saw(|| Event::of(Check::Bindings, &bound));
    }
    decision
        .entitlements
        .extend(bound?.into_iter().map(|(_, entitlement)| entitlement));
    Ok(())
}

/// Reports on every rule, also after one that fails, for an explanation. A rule that its budget does not suffice for is left
/// out, and then nothing is told about all rules together.
pub(super) fn inform(bindings: &Bindings, identity: &Identity, watch: &mut impl Watch) {
    // Then it has made those of the rules, too.
    if watch.has(Check::Bindings) {
        return;
    }
    let limited = limit_work(bindings, identity);
    if limited.is_err() {
        watch.saw(|| Event::of(Check::Bindings, &limited));
        return;
    }
    let longest = identity
        .metadata
        .values()
        .map(String::len)
        .max()
        .unwrap_or_default();
    let mut selections = Vec::with_capacity(bindings.rules.len());
    let (mut invalid, mut is_bound) = (None, false);
    for (index, rule) in bindings.rules.iter().enumerate() {
        if !watch.affords(effort(rule, identity, longest)) {
            continue;
        }
        let (selected, entitlement) = consider((index, rule), bindings, identity, watch);
        selections.push(selected);
        match entitlement {
            Some(Err(why)) => invalid = invalid.or(Some(why)),
            Some(Ok(entitlement)) if selected == Selected::Yes => {
                is_bound = is_bound || exists(rule.bind, &entitlement.name, &bindings.directory);
            }
            Some(Ok(_)) | None => {}
        }
    }
    if selections.len() < bindings.rules.len() {
        return;
    }
    let bound = match invalid {
        Some(why) => Err(why),
        None if is_bound => Ok(()),
        None => Err(unmatched(bindings, selections.into_iter())),
    };
    watch.saw(|| Event::of(Check::Bindings, &bound));
}

/// An upper bound of the time that it takes to consider a rule, in nanoseconds. `longest` is the length of the longest value.
#[expect(clippy::cast_precision_loss, reason = "efforts are rough")]
fn effort(rule: &BindingRule, identity: &Identity, longest: usize) -> f64 {
    let selector = rule.selector.as_ref();
    let selection = selector.map_or(0.0, |selector| {
        selector.effort_on(&identity.metadata, &identity.lists)
    });
    // An inserted value takes at least four bytes of a template.
    let templates = rule.variables.values().chain([&rule.name]);
    let inserted = templates.map(|template| template.as_str().len().div_ceil(4).saturating_mul(longest));
    let filled = inserted.fold(0, usize::saturating_add);
    selection + filled as f64 + RULE
}

/// Whether the rule selects the identity, and what it binds then.
#[inline]
fn consider(
    (index, rule): (usize, &BindingRule),
    bindings: &Bindings,
    identity: &Identity,
    watch: &mut impl Watch,
) -> (Selected, Option<Result<Entitlement>>) {
    let selected = selection(rule, identity);
    let entitlement = match selected {
        Selected::Yes | Selected::OnlyByAbsence => Some(bind(rule, &identity.metadata, &bindings.directory)),
        Selected::No => None,
    };
    watch.saw_within(|budget| {
        let about = (&bindings.directory, identity, budget);
        report(rule, selected, entitlement.as_ref(), about).at(At::Index(index))
    });
    (selected, entitlement)
}

fn selection(rule: &BindingRule, identity: &Identity) -> Selected {
    let select = |selector: &Placed<Selector>| selector.select(&identity.metadata, &identity.lists);
    rule.selector.as_ref().map_or(Selected::Yes, select)
}

/// Refuses regular expressions that could take too long.
///
/// # Errors
/// [`Code::BindingUnmatched`].
fn limit_work(bindings: &Bindings, identity: &Identity) -> Result<()> {
    let selectors = bindings.rules.iter().filter_map(|rule| rule.selector.as_ref());
    let work = selectors.map(|selector| selector.work(&identity.metadata));
    if work.fold(0, usize::saturating_add) > MAX_WORK {
        return Err(Error::new(Code::BindingUnmatched).with_detail(
            "the regular expressions of the rules could take too long with the long mapped values of this token; use smaller expressions, such as fewer repetitions",
        ));
    }
    Ok(())
}

fn bound(
    bindings: &Bindings,
    identity: &Identity,
    watch: &mut impl Watch,
) -> Result<Vec<(BindKind, Entitlement)>> {
    limit_work(bindings, identity)?;
    let mut bound: Vec<(BindKind, Entitlement)> = Vec::new();
    for (index, rule) in bindings.rules.iter().enumerate() {
        let (selected, entitlement) = consider((index, rule), bindings, identity, watch);
        let (Selected::Yes, Some(entitlement)) = (selected, entitlement.transpose()?) else {
            continue;
        };
        if exists(rule.bind, &entitlement.name, &bindings.directory)
            && !bound
                .iter()
                .any(|(kind, known)| is_same(*kind, known, &entitlement))
        {
            bound.push((rule.bind, entitlement));
        }
    }
    if bound.is_empty() {
        let selections = bindings.rules.iter().map(|rule| selection(rule, identity));
        return Err(unmatched(bindings, selections));
    }
    Ok(ordered::sorted_by(bound, |(one, _), (other, _)| one.cmp(other)))
}

/// What became of one rule: the name that it binds, or would bind, and the parts of its selector.
fn report(
    rule: &BindingRule,
    selected: Selected,
    entitlement: Option<&Result<Entitlement>>,
    (directory, identity, budget): (&Directory, &Identity, &Budget),
) -> Event {
    let (values, lists) = (&identity.metadata, &identity.lists);
    let of_rule = |event: Event| {
        let selector = rule.selector.as_ref();
        let parts = selector.map(|selector| Part::all(selector.explore(values, lists, budget)));
        event
            .seen(Seen::text(Some(&rule.name.fill(values))))
            .parts(parts.unwrap_or_default())
    };
    if let Some(Err(why)) = entitlement {
        return of_rule(Event::failed(Check::Binding, why));
    }
    let exists = |entitlement: &Entitlement| exists(rule.bind, &entitlement.name, directory);
    let exists = entitlement.is_some_and(|entitlement| entitlement.as_ref().is_ok_and(exists));
    let event = Event::passed(Check::Binding).if_applicable(selected == Selected::Yes && exists);
    let event = of_rule(event);
    match selected {
        Selected::Yes if exists => event,
        Selected::Yes => event.note("the rule selects the caller, but what it binds does not exist"),
        Selected::OnlyByAbsence => event.note(
            "the selector is true only because of a `matches` on an absent value; the rule gives nothing",
        ),
        Selected::No => event.note("the selector does not select the caller"),
    }
}

/// The failure if no rule gives anything, with the selections of the rules.
fn unmatched(bindings: &Bindings, selections: impl Iterator<Item = Selected>) -> Error {
    Error::new(Code::BindingUnmatched).with_detail(why_nothing(bindings, selections))
}

/// Why each rule gave nothing, in the words of the configuration and without values of the token.
fn why_nothing(bindings: &Bindings, selections: impl Iterator<Item = Selected>) -> String {
    let reason = |(rule, selected): (&BindingRule, Selected)| {
        let selector = rule.selector.as_ref();
        let selector = selector.map_or_else(String::new, |selector| {
            format!("`{}`: `{}`", selector.place(), selector.as_str())
        });
        match selected {
            Selected::No => format!("{selector} does not match"),
            Selected::OnlyByAbsence => format!(
                "{selector} matches only because of a `matches` on an absent value; add a test such as `name in value`"
            ),
            Selected::Yes => format!(
                "`{}`: the object named `{}` does not exist",
                rule.name.place(),
                rule.name.as_str()
            ),
        }
    };
    let considered = bindings.rules.iter().take(MAX_REASONS).zip(selections);
    let mut reasons: Vec<String> = considered.map(reason).collect();
    match bindings.rules.len() {
        0 => reasons.push("no binding rule is configured".to_owned()),
        many if many > MAX_REASONS => reasons.push(format!("and {} more", many - MAX_REASONS)),
        _ => {}
    }
    reasons.join("; ")
}

/// The most work of the regular expressions of all rules: about a second, for a signed token that is designed to be slow. A
/// pattern such as `a{0,900}b` has 64 KiB and can match a text of 8 KiB.
const MAX_WORK: usize = 1 << 29;

/// The effort for a rule in addition to that of its expressions, in nanoseconds.
const RULE: f64 = 500.0;

/// The number of rules that a denial reports on.
const MAX_REASONS: usize = 8;

fn bind(rule: &BindingRule, values: &BTreeMap<String, String>, directory: &Directory) -> Result<Entitlement> {
    let variables = rule.variables.iter();
    let entitlement = Entitlement {
        scope: match rule.bind {
            BindKind::Node | BindKind::TemplatedPolicy => directory.datacenter.clone(),
            BindKind::Policy | BindKind::Role | BindKind::Service => None,
        },
        variables: ordered::collect(variables.map(|(name, template)| (name.clone(), template.fill(values)))),
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
        let variable = rule.variables.get("name");
        let wrong = variable
            .filter(|_| rule.bind.accepts(&entitlement.name))
            .unwrap_or(&rule.name);
        Err(Error::new(Code::BindingInvalid).with_detail(format!(
            "`{}`: `{}`",
            wrong.place(),
            wrong.as_str()
        )))
    }
}

/// Whether two entitlements give the same rights.
fn is_same(kind: BindKind, known: &Entitlement, other: &Entitlement) -> bool {
    known == other
        || (kind.ignores_variables(&known.name) && known.kind == other.kind && known.name == other.name)
}

fn exists(kind: BindKind, name: &str, directory: &Directory) -> bool {
    let known = match kind {
        BindKind::Role => &directory.roles,
        BindKind::Policy => &directory.policies,
        BindKind::Service | BindKind::Node | BindKind::TemplatedPolicy => return true,
    };
    known.as_ref().is_none_or(|known| known.contains(name))
}

#[cfg(test)]
mod tests;
