//! Policies: which paths a token may use, and how.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::settings::{Capability, PathRule};

/// The policies by name.
#[derive(Debug, Default)]
pub(super) struct Acl(BTreeMap<String, Vec<PathRule>>);

impl Acl {
    /// The policies of the configuration, and Vault's `default`, unless the configuration has one.
    pub(super) fn new(policies: &BTreeMap<String, Vec<PathRule>>) -> Acl {
        let mut policies = policies.clone();
        for rule in policies.values_mut().flatten() {
            // Vault also accepts paths with a slash at the start.
            if let Some(path) = rule.path.strip_prefix('/') {
                rule.path = path.to_owned();
            }
        }
        policies.entry("default".to_owned()).or_insert_with(|| {
            let rule = |path: &str, capability| PathRule {
                path: format!("auth/token/{path}"),
                capabilities: vec![capability],
            };
            vec![
                rule("lookup-self", Capability::Read),
                rule("renew-self", Capability::Update),
                rule("revoke-self", Capability::Update),
            ]
        });
        Acl(policies)
    }

    /// Whether a token with these policies may do all of `wanted` on a path. Of the rules that match, only the most specific
    /// ones count. `deny` wins among these. The path of a list may end in a slash, as rules may write it.
    pub(super) fn allows<'a>(
        &self,
        policies: impl IntoIterator<Item = &'a str>,
        path: &str,
        wanted: &[Capability],
    ) -> bool {
        let rules = policies.into_iter().filter_map(|name| self.0.get(name)).flatten();
        let listed = wanted.contains(&Capability::List).then(|| format!("{path}/"));
        let fits = |rule: &&PathRule| {
            matches(&rule.path, path) || listed.as_deref().is_some_and(|path| matches(&rule.path, path))
        };
        let matching: Vec<_> = rules.filter(fits).collect();
        let Some(best) = matching.iter().map(|rule| rank(&rule.path)).max() else {
            return false;
        };
        let mut given = matching
            .iter()
            .filter(|rule| rank(&rule.path) == best)
            .flat_map(|rule| &rule.capabilities);
        !given.clone().any(|one| *one == Capability::Deny)
            && wanted.iter().all(|wanted| given.clone().any(|one| one == wanted))
            && given.next().is_some()
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, is_prefix) = match pattern.strip_suffix('*') {
        Some(prefix) => (prefix, true),
        None => (pattern, false),
    };
    let mut parts = path.split('/');
    let mut wanted = pattern.split('/').peekable();
    while let Some(segment) = wanted.next() {
        let Some(part) = parts.next() else { return false };
        let is_last = wanted.peek().is_none();
        let fits = match segment {
            "+" => true,
            text if is_last && is_prefix => part.starts_with(text),
            text => part == text,
        };
        if !fits {
            return false;
        }
    }
    is_prefix || parts.next().is_none()
}

/// Orders patterns from the least to the most specific, as Vault does: the first wildcard comes later, no `*` at the end,
/// fewer `+`, longer, and then by letters.
fn rank(pattern: &str) -> (usize, bool, Reverse<usize>, usize, &str) {
    let plus = |segment: &&str| *segment == "+";
    let first = pattern.split_inclusive('/').scan(0, |at, segment| {
        let start = *at;
        *at += segment.len();
        Some((start, segment.trim_end_matches('/')))
    });
    let first = first
        .filter_map(|(start, segment)| match segment {
            "+" => Some(start),
            text if text.ends_with('*') => Some(start + text.len() - 1),
            _ => None,
        })
        .next();
    (
        first.unwrap_or(usize::MAX),
        !pattern.ends_with('*'),
        Reverse(pattern.split('/').filter(plus).count()),
        pattern.len(),
        pattern,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(rules: &[(&str, &[Capability])]) -> Acl {
        let rules = rules.iter().map(|(path, capabilities)| PathRule {
            path: (*path).to_owned(),
            capabilities: capabilities.to_vec(),
        });
        Acl::new(&BTreeMap::from([("p".to_owned(), rules.collect())]))
    }

    #[test]
    fn patterns_match_segments_and_prefixes() {
        for (pattern, path, expected) in [
            ("auth/jwt/role/a", "auth/jwt/role/a", true),
            ("auth/jwt/role/a", "auth/jwt/role/ab", false),
            ("auth/jwt/role/*", "auth/jwt/role/a", true),
            ("auth/jwt/role/*", "auth/jwt/role", false),
            ("auth/jwt/role*", "auth/jwt/role", true),
            ("auth/+/role/a", "auth/jwt/role/a", true),
            ("auth/+/role/a", "auth/a/b/role/a", false),
            ("auth/+/role/*", "auth/jwt/role/a/b", true),
            ("*", "sys/auth", true),
            ("", "sys/auth", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn the_most_specific_rule_decides() {
        use Capability::{Deny, List, Read, Update};
        let acl = acl(&[
            ("auth/*", &[Read, List]),
            ("auth/+/role/secret", &[Deny]),
            ("auth/jwt/role/open", &[Update]),
        ]);
        let allows = |path: &str, wanted: &[Capability]| acl.allows(["p", "unknown"], path, wanted);
        assert!(allows("auth/jwt/config", &[Read]));
        assert!(!allows("auth/jwt/config", &[Update]));
        assert!(!allows("auth/jwt/role/secret", &[Read]));
        assert!(allows("auth/jwt/role/open", &[Update]));
        assert!(!allows("auth/jwt/role/open", &[Read]));
        assert!(!allows("sys/auth", &[Read]));
        assert!(!allows("auth/token/lookup-self", &[Update]));
    }

    #[test]
    fn a_list_matches_rules_with_and_without_a_slash_at_the_end() {
        use Capability::{Deny, List, Read};
        let allows =
            |rules: &[(&str, &[Capability])], wanted| acl(rules).allows(["p"], "auth/jwt/role", &[wanted]);
        for path in [
            "auth/jwt/role",
            "auth/jwt/role/",
            "auth/jwt/role/*",
            "auth/+/role/",
            "/auth/jwt/*",
        ] {
            assert!(allows(&[(path, &[List])], List), "{path}");
            assert!(!allows(&[(path, &[Read])], List), "{path}");
        }
        assert!(!allows(&[("auth/jwt/role/", &[Read])], Read));
        assert!(!allows(
            &[("auth/jwt/role/*", &[List]), ("auth/jwt/role", &[Deny])],
            List
        ));
        assert!(!allows(&[("*", &[List]), ("/auth/jwt/role", &[Deny])], List));
    }

    #[test]
    fn the_default_policy_allows_a_token_to_manage_itself_only() {
        let acl = Acl::new(&BTreeMap::new());
        let allows = |path: &str, wanted| acl.allows(["default"], path, &[wanted]);
        assert!(allows("auth/token/lookup-self", Capability::Read));
        assert!(allows("auth/token/renew-self", Capability::Update));
        assert!(allows("auth/token/revoke-self", Capability::Update));
        assert!(!allows("auth/token/lookup", Capability::Update));
        assert!(!allows("auth/jwt/config", Capability::Read));
    }
}
