//! Hints about claims whose value is not the required one.

use super::facts::Facts;
use crate::json::Value;
use crate::pipeline::watch::Check;
use crate::policy::{ClaimTest, near};

/// A glob looks like a regular expression.
pub(super) fn glob_is_a_regex(facts: &Facts<'_>) -> Option<String> {
    let ClaimTest::Glob(patterns) = &facts.claim_rule()?.test else {
        return None;
    };
    let is_regex = |pattern: &str| {
        pattern.starts_with('^')
            || pattern.ends_with('$')
            || [".*", ".+", "\\d", "\\w", "\\.", "[0-9]", "[a-z", "(?:"]
                .iter()
                .any(|part| pattern.contains(part))
            || (pattern.contains('(') && pattern.contains('|'))
    };
    let pattern = patterns.iter().find(|pattern| is_regex(pattern.as_str()))?;
    Some(format!(
        "`{}` looks like a regular expression, but in a glob only `*` is special: write for example `group-*`",
        pattern.as_str()
    ))
}

/// The value has a slash at its beginning that the configured one does not have, or the other way round.
pub(super) fn slash(facts: &Facts<'_>) -> Option<String> {
    let (expected, _) = pair(facts, |expected, given| {
        given.strip_prefix('/') == Some(expected) || expected.strip_prefix('/') == Some(given)
    })?;
    Some(match expected.strip_prefix('/') {
        Some(bare) => format!(
            "the token has this value without the slash at its beginning: {WHOLE_PATHS}, or write `{bare}`, if no other group of the \
             issuer has this name"
        ),
        None => format!("the token has this value with a slash at its beginning: write `/{expected}`"),
    })
}

/// What keeps the groups of different places apart. Without whole paths, each group of a name is the same for the reader.
pub(super) const WHOLE_PATHS: &str =
    "let the issuer send whole paths (in Keycloak, switch on `Full group path` of the mapper)";

/// The value differs only slightly.
pub(super) fn differs_slightly(facts: &Facts<'_>) -> Option<String> {
    let is_near = |expected: &str, given: &str| near::difference(expected, given).is_some();
    let (expected, given) = pair(facts, is_near)?;
    let how = near::difference(&expected, &given)?;
    Some(format!(
        "the value in the token differs from `{expected}` {how}: if it means the same, write it exactly as the token does"
    ))
}

/// The value is one text with a list in it, such as `scope`.
pub(super) fn list_in_a_text(facts: &Facts<'_>) -> Option<String> {
    let (rule, document) = facts.ruled()?;
    if rule.split.is_some() {
        return None;
    }
    let found = rule.select.find(&document).ok()??;
    let text = found.as_str()?;
    for (separator, name) in [(", ", "a comma and a space"), (",", "a comma"), (" ", "a space")] {
        let mut parts = text.split(separator);
        let Some(one) = parts.find_map(|part| matching(&rule.test, part)) else {
            continue;
        };
        let claim = format!(
            "the claim `{}` is one text with {name} between its parts, one of which matches `{one}`",
            rule.select.name()
        );
        let is_one_text = matches!(rule.test, ClaimTest::Equals(_));
        let split = format!("`\"split\": \"{separator}\"`");
        return Some(if facts.is_native() && is_one_text {
            format!("{claim}: test it with `any_of` and {split}")
        } else if facts.is_native() {
            format!("{claim}: split it with {split}")
        } else if is_one_text {
            format!(
                "{claim}, and it is compared as a whole: let the issuer send a claim with only this value"
            )
        } else if facts.has_setting("claims.glob") && !one.contains('*') {
            // A glob with a star on both sides would accept each text that has this one in it.
            let globs = format!(
                "`{one}`, `{one}{separator}*`, `*{separator}{one}` and `*{separator}{one}{separator}*`"
            );
            match rule.test {
                ClaimTest::Glob(_) => {
                    format!("{claim}: let the issuer send a list, or write the globs {globs}")
                }
                _ => format!(
                    "{claim}: let the issuer send a list, or write the globs {globs} with `bound_claims_type` `glob`; then a `*` in \
                     any other bound claim of this role matches every text, too"
                ),
            }
        } else {
            format!("{claim}: let the issuer send a list")
        });
    }
    None
}

/// The text or the pattern of a rule that a text matches.
pub(super) fn matching<'r>(test: &'r ClaimTest, given: &str) -> Option<&'r str> {
    let equal = |value: &'r Value<'_>| value.as_str().filter(|text| *text == given);
    match test {
        ClaimTest::Equals(value) => equal(value),
        ClaimTest::AnyOf(values) => values.iter().find_map(equal),
        ClaimTest::Glob(patterns) => {
            let pattern = patterns.iter().find(|pattern| pattern.matches(given));
            pattern.map(|pattern| pattern.as_str())
        }
        ClaimTest::IsTrue {} => None,
    }
}

/// The value has the same text and another type.
pub(super) fn another_type(facts: &Facts<'_>) -> Option<String> {
    let (rule, document) = facts.ruled()?;
    let found = rule.select.find(&document).ok()??;
    let expected: &[Value<'static>] = match &rule.test {
        ClaimTest::Equals(one) => std::slice::from_ref(one),
        ClaimTest::AnyOf(several) => several,
        ClaimTest::Glob(patterns) => {
            let is_text = matches!(&*found, Value::Bool(_) | Value::Number(_));
            return is_text.then(|| {
                format!(
                    "the claim `{}` is {}, and a glob ({}) matches texts only: compare it with a value of its type",
                    rule.select.name(),
                    found.type_name(),
                    patterns.first().map_or("*", |pattern| pattern.as_str())
                )
            });
        }
        ClaimTest::IsTrue {} => return None,
    };
    let items = match &*found {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let same_text = |one: &Value<'_>, other: &Value<'_>| {
        one.type_name() != other.type_name() && scalar(one).is_some() && scalar(one) == scalar(other)
    };
    if !facts.may_compare(expected.len(), items.len()) {
        return None;
    }
    let (wanted, given) = expected
        .iter()
        .find_map(|wanted| Some((wanted, items.iter().find(|given| same_text(wanted, given))?)))?;
    Some(format!(
        "the claim `{}` has {} and the rule has {}: write the value of the rule {} quotation marks",
        rule.select.name(),
        given.type_name(),
        wanted.type_name(),
        if given.as_str().is_some() { "in" } else { "without" }
    ))
}

/// An expected text and a text of the token that differ in this way.
fn pair(facts: &Facts<'_>, differ: impl Fn(&str, &str) -> bool) -> Option<(String, String)> {
    let failed = facts.failed()?;
    if !matches!(failed.check, Check::Claim | Check::Requirement) {
        return None;
    }
    let (rule, document) = facts.ruled()?;
    let found = rule.select.find(&document).ok()??;
    let given: Vec<&str> = match &*found {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let expected = expected(&rule.test);
    if !facts.may_compare(expected.len(), given.len()) {
        return None;
    }
    expected.into_iter().find_map(|expected| {
        let given = given.iter().find(|given| differ(&expected, given))?;
        Some((expected, (*given).to_owned()))
    })
}

/// The texts that a rule accepts.
fn expected(test: &ClaimTest) -> Vec<String> {
    let text = |value: &Value<'_>| value.as_str().map(str::to_owned);
    match test {
        ClaimTest::Equals(value) => text(value).into_iter().collect(),
        ClaimTest::AnyOf(values) => values.iter().filter_map(text).collect(),
        ClaimTest::Glob(patterns) => patterns
            .iter()
            .map(|pattern| pattern.as_str().to_owned())
            .collect(),
        ClaimTest::IsTrue {} => Vec::new(),
    }
}

fn scalar(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone().into_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
