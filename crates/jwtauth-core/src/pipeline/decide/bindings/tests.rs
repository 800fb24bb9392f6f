use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::expr::Template;

type Values = BTreeMap<String, String>;
type Lists = BTreeMap<String, Vec<String>>;

/// A simple form of selectors. It allows a short statement of the rules of the upstream system.
#[derive(Debug, Clone)]
enum Plain {
    Equals(&'static str, &'static str),
    Contains(&'static str, &'static str),
    /// The value starts with this letter.
    Matches(&'static str, &'static str),
    NotMatches(&'static str, &'static str),
    HasValue(&'static str),
    InList(&'static str, &'static str),
    IsEmpty(&'static str),
    Not(Box<Plain>),
    And(Box<Plain>, Box<Plain>),
    Or(Box<Plain>, Box<Plain>),
}

impl Plain {
    fn text(&self) -> String {
        match self {
            Plain::Equals(name, text) => format!("value.{name} == {text}"),
            Plain::Contains(name, text) => format!("value.{name} contains {text}"),
            Plain::Matches(name, text) => format!("value.{name} matches \"^{text}\""),
            Plain::NotMatches(name, text) => format!("value.{name} not matches \"^{text}\""),
            Plain::HasValue(name) => format!("{name} in value"),
            Plain::InList(name, text) => format!("{text} in list.{name}"),
            Plain::IsEmpty(name) => format!("list.{name} is empty"),
            Plain::Not(inner) => format!("not ({})", inner.text()),
            Plain::And(left, right) => format!("({}) and ({})", left.text(), right.text()),
            Plain::Or(left, right) => format!("({}) or ({})", left.text(), right.text()),
        }
    }

    /// The result of go-bexpr 0.1.2, as observed: `matches` and `not matches` are both true for an absent value.
    fn holds_upstream(&self, values: &Values, lists: &Lists) -> bool {
        let value = |name: &str| values.get(name);
        match self {
            Plain::Equals(name, text) => value(name).is_some_and(|value| value == text),
            Plain::Contains(name, text) => value(name).is_some_and(|value| value.contains(text)),
            Plain::Matches(name, text) => value(name).is_none_or(|value| value.starts_with(text)),
            Plain::NotMatches(name, text) => value(name).is_none_or(|value| !value.starts_with(text)),
            Plain::HasValue(name) => value(name).is_some(),
            Plain::InList(name, text) => lists
                .get(*name)
                .is_some_and(|list| list.iter().any(|element| element == text)),
            Plain::IsEmpty(name) => lists.get(*name).is_none_or(Vec::is_empty),
            Plain::Not(inner) => !inner.holds_upstream(values, lists),
            Plain::And(left, right) => {
                left.holds_upstream(values, lists) && right.holds_upstream(values, lists)
            }
            Plain::Or(left, right) => {
                left.holds_upstream(values, lists) || right.holds_upstream(values, lists)
            }
        }
    }
}

fn selectors() -> impl Strategy<Value = Plain> {
    let name = || prop::sample::select(vec!["a", "b", "c"]);
    let text = || prop::sample::select(vec!["x", "y"]);
    let leaf = prop_oneof![
        1 => (name(), text()).prop_map(|(name, text)| Plain::Equals(name, text)),
        1 => (name(), text()).prop_map(|(name, text)| Plain::Contains(name, text)),
        3 => (name(), text()).prop_map(|(name, text)| Plain::Matches(name, text)),
        3 => (name(), text()).prop_map(|(name, text)| Plain::NotMatches(name, text)),
        1 => name().prop_map(Plain::HasValue),
        1 => (name(), text()).prop_map(|(name, text)| Plain::InList(name, text)),
        1 => name().prop_map(Plain::IsEmpty),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        prop_oneof![
            2 => inner.clone().prop_map(|inner| Plain::Not(Box::new(inner))),
            1 => (inner.clone(), inner.clone())
                .prop_map(|(left, right)| Plain::And(Box::new(left), Box::new(right))),
            1 => (inner.clone(), inner).prop_map(|(left, right)| Plain::Or(Box::new(left), Box::new(right))),
        ]
    })
}

/// Rules: a selector, whether the rule gives a templated policy instead of a role, and the template of the name.
fn rules() -> impl Strategy<Value = Vec<(Option<Plain>, bool, &'static str)>> {
    let template = prop::sample::select(vec!["${value.a}", "r-${value.b}", "${value.c}-r", "r", "s"]);
    prop::collection::vec((prop::option::of(selectors()), any::<bool>(), template), 0..4)
}

fn identities() -> impl Strategy<Value = (Values, Lists)> {
    let name = || prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned);
    let text =
        || prop::sample::select(vec!["", "x", "y", "xy", "y x", "../x", "y\"}"]).prop_map(str::to_owned);
    let list = prop::collection::vec(text(), 0..3);
    (
        prop::collection::btree_map(name(), text(), 0..3),
        prop::collection::btree_map(name(), list, 0..3),
    )
}

/// The result of the upstream system: the entitlements, each with whether it is a templated policy. `None` if an invalid
/// name ends the login.
fn upstream(
    rules: &[(Option<Plain>, bool, &'static str)],
    values: &Values,
    lists: &Lists,
) -> Option<BTreeSet<(bool, String)>> {
    let mut given = BTreeSet::new();
    for (selector, templated, template) in rules {
        if selector
            .as_ref()
            .is_some_and(|one| !one.holds_upstream(values, lists))
        {
            continue;
        }
        let mut name = (*template).to_owned();
        for variable in ["a", "b", "c"] {
            let value = values.get(variable).map_or("", String::as_str);
            name = name.replace(&format!("${{value.{variable}}}"), value);
        }
        let letters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let ends = !name.starts_with('-') && !name.ends_with('-');
        if name.is_empty() || !letters || (*templated && !ends) {
            return None;
        }
        given.insert((*templated, name));
    }
    Some(given)
}

fn ours(
    rules: &[(Option<Plain>, bool, &'static str)],
    values: &Values,
    lists: &Lists,
) -> Result<BTreeSet<(bool, String)>> {
    let rule = |(selector, templated, template): &(Option<Plain>, bool, &'static str)| {
        let placed = |text| Placed::new(Template::parse(text).unwrap(), "name");
        let template = placed(template);
        let selector = selector.as_ref().map(|one| Selector::parse(&one.text()).unwrap());
        let selector = selector.map(|selector| Placed::new(selector, "selector"));
        if *templated {
            BindingRule {
                selector,
                bind: BindKind::TemplatedPolicy,
                name: placed("builtin/service"),
                variables: [("name".to_owned(), template)].into(),
            }
        } else {
            BindingRule {
                selector,
                bind: BindKind::Role,
                name: template,
                variables: BTreeMap::new(),
            }
        }
    };
    let bindings = Bindings {
        rules: rules.iter().map(rule).collect(),
        directory: Directory::default(),
        variables: BTreeSet::new(),
    };
    let identity = Identity {
        metadata: values.clone(),
        lists: lists.clone(),
        ..Identity::default()
    };
    let mut decision = Decision::default();
    decide(&bindings, &identity, &mut decision, &mut ())?;
    let one = |entitlement: Entitlement| match entitlement.variables.get("name") {
        Some(name) => (true, name.clone()),
        None => (false, entitlement.name),
    };
    Ok(decision.entitlements.into_iter().map(one).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_login_never_gets_more_than_upstream(rules in rules(), (values, lists) in identities()) {
        match (upstream(&rules, &values, &lists), ours(&rules, &values, &lists)) {
            (None, result) => prop_assert_eq!(result.unwrap_err().code(), Code::BindingInvalid),
            (Some(theirs), Ok(ours)) => prop_assert!(ours.is_subset(&theirs), "{ours:?} and {theirs:?}"),
            (Some(_), Err(why)) => prop_assert_eq!(why.code(), Code::BindingUnmatched),
        }
    }

    #[test]
    fn a_login_without_absent_values_gets_the_same_as_upstream(
        rules in rules(),
        (mut values, lists) in identities(),
    ) {
        for name in ["a", "b", "c"] {
            values.entry(name.to_owned()).or_insert_with(|| "x".to_owned());
        }
        let theirs = upstream(&rules, &values, &lists).filter(|given| !given.is_empty());
        prop_assert_eq!(ours(&rules, &values, &lists).ok(), theirs);
    }
}
