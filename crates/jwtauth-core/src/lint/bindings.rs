//! Rules about binding rules.

use std::collections::{BTreeMap, BTreeSet};

use super::subject::Subject;
use crate::dialect::Dialect;
use crate::expr::{Glob, Selected, Selection};
use crate::ordered;
use crate::policy::{BindKind, BindingRule, Bindings, MetadataRule, Profile};
use crate::warning::{Rule, Warning};

pub(super) fn check(subject: &Subject<'_>, profile: &Profile, found: &mut Vec<Warning>) {
    let Some(bindings) = &profile.rules.bindings else {
        return;
    };
    for (index, rule) in bindings.rules.iter().enumerate() {
        redundant(bindings, index, rule, found);
        empty(profile, bindings, rule, found);
        lower_cased(bindings, rule, found);
    }
    if subject.dialect == Dialect::Consul {
        unused(profile, bindings, found);
    }
}

/// Finds a rule that gives nothing more than another one.
fn redundant(bindings: &Bindings, index: usize, rule: &BindingRule, found: &mut Vec<Warning>) {
    let is_same_selector = |other: &BindingRule| match (&rule.selector, &other.selector) {
        (Some(own), Some(other)) => own.as_str() == other.as_str(),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let variables = |rule: &BindingRule| -> Vec<String> {
        let variables = rule.variables.iter();
        variables
            .map(|(name, template)| format!("{name}={}", template.as_str()))
            .collect()
    };
    let others = bindings.rules.iter().enumerate();
    let other = others.filter(|(other, _)| *other != index).find(|(at, other)| {
        // Of two equal rules, the first one stays.
        let covers =
            other.selector.is_none() && rule.selector.is_some() || *at < index && is_same_selector(other);
        covers
            && other.bind == rule.bind
            && other.name.as_str() == rule.name.as_str()
            && variables(other) == variables(rule)
    });
    if let Some((_, other)) = other {
        let (what, place) = match (&other.selector, &rule.selector) {
            (None, Some(own)) => ("for every caller", own.place()),
            _ => ("for the same callers", rule.name.place()),
        };
        found.push(Warning::new(
            Rule::BindingRuleRedundant,
            place,
            format!(
                "`{}` binds the same name {what}, so this rule has no effect; remove one of the two",
                other.name.place()
            ),
        ));
    }
}

/// Finds a rule that applies to a made-up caller without a claim, and then has an invalid name.
fn empty(profile: &Profile, bindings: &Bindings, rule: &BindingRule, found: &mut Vec<Warning>) {
    let templates = || [&rule.name].into_iter().chain(rule.variables.values());
    let names: BTreeSet<&str> = ordered::collect(templates().flat_map(|template| template.variables()));
    for name in names {
        // Each token of an OpenID Connect provider has a subject.
        if source(profile, name) == Some("sub") {
            continue;
        }
        let mut callers = callers(bindings, rule, name).into_iter();
        if callers.any(|caller| is_selected(rule, &caller) && !is_valid(rule, &caller)) {
            let template = templates().find(|template| template.variables().contains(&name));
            found.push(Warning::new(
                Rule::BindNameCanBeEmpty,
                template.unwrap_or(&rule.name).place(),
                format!(
                    "for a token without the claim of `value.{name}` the name is invalid, and the whole login is denied, whatever the other rules give; add a condition to `Selector`, such as `value.{name} != \"\" and {name} in value`"
                ),
            ));
        }
    }
}

fn is_selected(rule: &BindingRule, (values, lists): &Caller) -> bool {
    let selector = rule.selector.as_ref();
    selector.is_none_or(|selector| selector.select(values, lists) != Selected::No)
}

/// Whether the rule computes a valid name for a caller.
fn is_valid(rule: &BindingRule, (values, _): &Caller) -> bool {
    let name = rule.name.fill(values);
    let variables = rule.variables.iter();
    let variables = variables.map(|(variable, template)| (variable.clone(), template.fill(values)));
    rule.bind.accepts(&name) && rule.bind.accepts_variables(&name, &ordered::collect(variables))
}

/// The mapped values and lists of a caller.
type Caller = (BTreeMap<String, String>, BTreeMap<String, Vec<String>>);

/// Made-up callers without one value: the texts of the selector as every other value, and in every list.
fn callers(bindings: &Bindings, rule: &BindingRule, without: &str) -> Vec<Caller> {
    let selector = rule.selector.as_ref();
    let texts: Vec<&str> = selector.map(|selector| selector.texts()).unwrap_or_default();
    let lists = selector
        .map(|selector| selector.names().lists)
        .unwrap_or_default();
    let all: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let full: BTreeMap<String, Vec<String>> =
        ordered::collect(lists.iter().map(|name| ((*name).to_owned(), all.clone())));
    let values = |text: &str| -> BTreeMap<String, String> {
        let others = bindings.variables.iter().filter(|name| *name != without);
        ordered::collect(others.map(|name| (name.clone(), text.to_owned())))
    };
    let fills = ["fake"].into_iter().chain(texts.iter().copied());
    fills
        .flat_map(|text| [(values(text), full.clone()), (values(text), BTreeMap::new())])
        .collect()
}

/// Finds a name with values in it that is never the name of an existing role or policy, only because values are converted to
/// lower case.
fn lower_cased(bindings: &Bindings, rule: &BindingRule, found: &mut Vec<Warning>) {
    let existing = match rule.bind {
        BindKind::Role => &bindings.directory.roles,
        BindKind::Policy => &bindings.directory.policies,
        BindKind::Service | BindKind::Node | BindKind::TemplatedPolicy => return,
    };
    let (Some(existing), false) = (existing, rule.name.variables().is_empty()) else {
        return;
    };
    // What a value can be is marked by a character that no name contains.
    let names = bindings.variables.iter();
    let marked: BTreeMap<String, String> =
        ordered::collect(names.map(|name| (name.clone(), MARK.to_owned())));
    let shape = rule.name.fill(&marked);
    if !shape.contains(MARK) || shape.contains('*') {
        return;
    }
    let exact = Glob::new(shape.replace(MARK, "*"));
    let matching: Vec<&String> = existing.iter().filter(|name| exact.matches(name)).collect();
    let literal: usize = shape.split(MARK).map(upper).sum();
    let is_reached = |name: &String| upper(name) <= literal;
    if let Some(name) = matching.first()
        && !matching.iter().any(|name| is_reached(name))
    {
        found.push(Warning::new(
            Rule::BindNameLowerCased,
            rule.name.place(),
            format!(
                "values are converted to lower case, so the name is never `{name}`; use lower case for the names of roles and policies that are bound with values"
            ),
        ));
    }
}

/// The number of letters in upper case.
fn upper(text: &str) -> usize {
    text.chars().filter(|letter| letter.is_uppercase()).count()
}

/// Finds mapped claims that no rule reads.
fn unused(profile: &Profile, bindings: &Bindings, found: &mut Vec<Warning>) {
    // Without rules every login is denied, which is reported already.
    if bindings.rules.is_empty() {
        return;
    }
    let mut values: BTreeSet<&str> = BTreeSet::new();
    let mut lists: BTreeSet<&str> = BTreeSet::new();
    for rule in &bindings.rules {
        values.extend(rule.name.variables());
        values.extend(rule.variables.values().flat_map(|template| template.variables()));
        if let Some(selector) = &rule.selector {
            let names = selector.names();
            values.extend(names.values);
            lists.extend(names.lists);
            // `team in value` tests whether the value exists.
            values.extend(selector.texts());
            lists.extend(selector.texts());
        }
    }
    let identity = &profile.identity;
    let of_values = identity.metadata.iter().filter_map(|(target, rule)| match rule {
        MetadataRule::Value(value) => Some((
            "ClaimMappings",
            target,
            &value.select,
            values.contains(target.as_str()),
        )),
        MetadataRule::Fixed { .. } => None,
    });
    let of_lists = identity.lists.iter().map(|(target, list)| {
        (
            "ListClaimMappings",
            target,
            &list.select,
            lists.contains(target.as_str()),
        )
    });
    let what = |list: &str| if list == "ClaimMappings" { "value" } else { "list" };
    for (list, target, select, is_used) in of_values.chain(of_lists) {
        if !is_used {
            found.push(Warning::new(
                Rule::MappingUnused,
                format!("AuthMethod.Config.{list}.{}", select.name()),
                format!(
                    "no binding rule reads `{}.{target}`; remove the mapping",
                    what(list)
                ),
            ));
        }
    }
}

/// The claim that is mapped to a value.
fn source<'p>(profile: &'p Profile, name: &str) -> Option<&'p str> {
    match profile.identity.metadata.get(name)? {
        MetadataRule::Value(value) => match &value.select {
            Selection::Claim(claim) => Some(claim),
            Selection::Pointer(_) | Selection::JmesPath(_) => None,
        },
        MetadataRule::Fixed { .. } => None,
    }
}

/// A character that no name contains.
const MARK: &str = "\u{1}";
