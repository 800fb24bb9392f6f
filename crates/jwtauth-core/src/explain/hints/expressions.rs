//! Hints about expressions and selectors.

use super::facts::Facts;
use super::values::WHOLE_PATHS;
use crate::expr::{JmesPath, Selector};
use crate::json::{Value, parse};
use crate::pipeline::watch::{At, Check, Event, Outcome, Part, PartOutcome};
use crate::policy::{OrgRole, OrgRoleRule, near};

/// A function fails because its argument is null in this token.
pub(super) fn gets_null(facts: &Facts<'_>) -> Option<String> {
    let event = about(facts)?;
    let mut failed = event
        .parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.outcome == PartOutcome::Failed);
    let (call, null) = failed.find_map(|(index, call)| {
        let inside = event
            .parts
            .iter()
            .skip(index + 1)
            .take_while(|part| part.depth > call.depth);
        let is_argument = |part: &&Part| part.depth == call.depth + 1 && is_null(part);
        Some((call, inside.filter(|_| is_call(&call.text)).find(is_argument)?))
    })?;
    let (call, null) = (&call.text, &null.text);
    let name = call.split('(').next().unwrap_or_default();
    let empty = if OF_TEXTS.contains(&name) { "''" } else { "`[]`" };
    Some(format!(
        "`{call}` fails because `{null}` is null in this token, and the whole expression fails with it: write `({null} || {empty})` \
         instead of `{null}`, if a token without it may get what the expression then gives"
    ))
}

/// An expression looks for a group without the slash that the token has, or the other way round.
pub(super) fn slash(facts: &Facts<'_>) -> Option<String> {
    let event = about(facts).or_else(|| facts.role())?;
    let document = facts.document()?;
    for call in event
        .parts
        .iter()
        .filter(|part| part.outcome == PartOutcome::False)
    {
        let Some((list, wanted)) = contains(&call.text) else {
            continue;
        };
        let Ok(expression) = JmesPath::parse(list) else {
            continue;
        };
        let effort = expression.effort().at(document.claims().text().len());
        if !facts.budget.spend(effort) {
            return None;
        }
        let Ok(Value::Array(items)) = expression.evaluate(&document) else {
            continue;
        };
        let differs =
            |given: &str| given.strip_prefix('/') == Some(wanted) || wanted.strip_prefix('/') == Some(given);
        if items.iter().filter_map(Value::as_str).any(differs) {
            let call = &call.text;
            return Some(match wanted.strip_prefix('/') {
                Some(bare) => format!(
                    "`{call}` is false, but `{list}` has `{bare}`: {WHOLE_PATHS}, or write `'{bare}'` in the expression, if no other \
                     group of the issuer has this name"
                ),
                None => format!(
                    "`{call}` is false, but `{list}` has `/{wanted}`: write `'/{wanted}'` in the expression"
                ),
            });
        }
    }
    None
}

/// The expression gives a text that differs from a role only slightly.
pub(super) fn spelled_differently(facts: &Facts<'_>) -> Option<String> {
    let event = facts.without_role()?;
    let value = event.seen.as_ref()?.value.as_deref()?;
    let given = parse(value).ok()?;
    let given = given.as_str()?;
    let rules = &facts.profile?.rules;
    let allowed: Vec<&str> = match (&rules.roles, event.check) {
        (Some(rule), Check::Role) => rule.allowed.iter().flatten().map(String::as_str).collect(),
        (_, Check::OrgRole) => {
            let all = OrgRole::ALL.into_iter().map(OrgRole::as_str);
            all.chain([OrgRoleRule::SERVER_ADMIN]).collect()
        }
        _ => Vec::new(),
    };
    if given.is_empty() || allowed.is_empty() || allowed.contains(&given) {
        return None;
    }
    let near = allowed
        .iter()
        .find_map(|role| Some((role, near::difference(role, given)?)));
    Some(match near {
        Some((role, how)) => format!(
            "the expression gives a text that differs from the role `{role}` {how}: let it give exactly `{role}`"
        ),
        None => format!(
            "the expression gives a text that is no role: let it give one of {}",
            allowed
                .iter()
                .map(|role| format!("`{role}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    })
}

/// The expression gives no role, and the caller is denied for it.
pub(super) fn no_default(facts: &Facts<'_>) -> Option<String> {
    let event = facts
        .failed()
        .filter(|event| matches!(event.check, Check::Role | Check::OrgRoles))?;
    // Then the alternative would not be evaluated either.
    let fails = facts
        .role()?
        .parts
        .iter()
        .any(|part| part.outcome == PartOutcome::Failed);
    let rules = &facts.profile.filter(|_| !fails)?.rules;
    let expression = match event.check {
        Check::Role => rules.roles.as_ref().map(|rule| &rule.jmespath),
        _ => rules.org_roles.as_ref().and_then(|rule| rule.role.as_ref()),
    }?;
    Some(format!(
        "the expression gives no role for this token, and a role is required: let the issuer send what the expression looks for, or add \
         an alternative for this caller; with a last alternative such as `{} || 'Viewer'`, or without the strict setting, every caller \
         with a valid token gets a role",
        expression.as_str()
    ))
}

/// A selector tests a mapped value that this token does not have.
pub(super) fn selector_value_is_absent(facts: &Facts<'_>) -> Option<String> {
    facts.failed_at(Check::Bindings)?;
    let identity = &facts.profile?.identity;
    let absent = untested(facts, |name| !identity.lists.contains_key(name))?;
    Some(match identity.metadata.contains_key(&absent) {
        true => format!(
            "the selector tests `value.{absent}`, and the claim that is mapped to `{absent}` is not in the token: let the issuer add the \
             claim, or map the claim that the token has"
        ),
        false => format!(
            "the selector tests `value.{absent}`, and no claim is mapped to `{absent}`: add it to the claim mappings"
        ),
    })
}

/// A selector tests a mapped list as if it were a value.
pub(super) fn selector_tests_a_list(facts: &Facts<'_>) -> Option<String> {
    facts.failed_at(Check::Bindings)?;
    let lists = &facts.profile?.identity.lists;
    let list = untested(facts, |name| lists.contains_key(name))?;
    Some(format!(
        "`{list}` is a mapped list, and the selector tests `value.{list}`: write `\"name\" in list.{list}`"
    ))
}

/// The first of these mapped values that a selector tests, and that this token does not have.
fn untested(facts: &Facts<'_>, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
    let bindings = facts
        .profile
        .and_then(|profile| profile.rules.bindings.as_ref())?;
    facts.events.iter().find_map(|event| {
        let At::Index(index) = event.at else {
            return None;
        };
        let is_absent = event.check == Check::Binding && event.outcome == Outcome::NotApplicable;
        let selector = bindings
            .rules
            .get(index)
            .filter(|_| is_absent)?
            .selector
            .as_ref()?;
        let tested = selector.names().values;
        let mut nulls = event.parts.iter().filter(|part| is_null(part));
        // The names of a rule may be parts of each other, so the part itself tells which one it tests.
        let wanted = |part: &Part| match Vec::from_iter(&tested).as_slice() {
            [only] => is_wanted(only).then(|| (**only).to_owned()),
            several if several.iter().any(|name| is_wanted(name)) => {
                let part = Selector::parse(&part.text).ok()?;
                let name = part.names().values.first().copied().map(str::to_owned)?;
                is_wanted(&name).then_some(name)
            }
            _ => None,
        };
        nulls.find_map(wanted)
    })
}

/// The check of the expression that failed or gave no role.
fn about<'f>(facts: &Facts<'f>) -> Option<&'f Event> {
    facts.without_role().or_else(|| facts.failed())
}

fn is_null(part: &Part) -> bool {
    part.seen.as_ref().is_some_and(|seen| seen.kind == "null")
}

fn is_call(text: &str) -> bool {
    text.ends_with(')') && text.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// The list and the text of `contains(list, 'text')`.
fn contains(call: &str) -> Option<(&str, &str)> {
    let inside = call.strip_prefix("contains(")?.strip_suffix(')')?;
    let (list, text) = inside.rsplit_once(',')?;
    let text = text.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    Some((list.trim(), text))
}

/// The functions whose arguments are texts.
const OF_TEXTS: [&str; 11] = [
    "ends_with",
    "find_first",
    "find_last",
    "lower",
    "replace",
    "split",
    "starts_with",
    "trim",
    "trim_left",
    "trim_right",
    "upper",
];
