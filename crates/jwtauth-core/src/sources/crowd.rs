//! Key sources in which a token could have more candidates than are tried.

use std::collections::HashMap;

use crate::keys::{Algorithm, Key, KeySet, MAX_CANDIDATES};
use crate::policy::KidRule;

/// Returns a warning if these sets have more keys for one token than are tried.
pub(super) fn warning<'k>(rule: KidRule, sets: impl Iterator<Item = &'k KeySet>) -> Option<String> {
    let sets: Vec<&KeySet> = sets.collect();
    let most = |counts: [usize; Algorithm::ALL.len()]| counts.into_iter().max().unwrap_or_default();
    let count = |key_counts: fn(&Key) -> bool| {
        let mut counts = [0; Algorithm::ALL.len()];
        let keys = sets
            .iter()
            .flat_map(|set| set.all())
            .filter(|key| key_counts(key));
        for prepared in keys.flat_map(|key| &key.prepared) {
            if let Some(count) = counts.get_mut(prepared.algorithm() as usize) {
                *count += 1;
            }
        }
        most(counts)
    };
    let (unnamed, all) = (count(|key| key.kid.is_none()), count(|_| true));
    // Counting by name takes as long as reading the keys, so it is done only if it can make a difference.
    let same_name: usize = sets.iter().map(|set| set.most_with_one_name()).sum();
    let named = if same_name + unnamed > MAX_CANDIDATES {
        most_named(rule, &sets)
    } else {
        0
    };
    let (candidates, token, remedy) = match rule {
        KidRule::Ignore => (
            all,
            "every token",
            "configure fewer keys, or keys that a `kid` selects",
        ),
        KidRule::Hint if named + unnamed > MAX_CANDIDATES => (
            named + unnamed,
            "a token with a certain `kid`",
            "give each key its own `kid`",
        ),
        KidRule::Match | KidRule::Exact | KidRule::ExactOrOnly | KidRule::Required
            if named > MAX_CANDIDATES =>
        {
            (
                named,
                "a token with a certain `kid`",
                "give each key its own `kid`",
            )
        }
        KidRule::Hint | KidRule::Match => (
            all,
            "a token without a `kid`",
            "require a `kid` in tokens (native: `\"kid\": \"required\"` or `\"exact\"`), or publish fewer keys",
        ),
        KidRule::Exact | KidRule::ExactOrOnly => {
            (unnamed, "a token without a `kid`", "give each key its own `kid`")
        }
        KidRule::Required => return None,
    };
    (candidates > MAX_CANDIDATES).then(|| {
        format!("{candidates} keys fit {token}, and only {MAX_CANDIDATES} of them are tried; {remedy}")
    })
}

/// The largest number of keys for one algorithm that have the same `kid`.
fn most_named(rule: KidRule, sets: &[&KeySet]) -> usize {
    let mut named: HashMap<(usize, &str, Algorithm), usize> = HashMap::new();
    for (index, set) in sets.iter().enumerate() {
        // With `required`, only one set decides.
        let index = if rule == KidRule::Required { index } else { 0 };
        for key in set.all() {
            let Some(kid) = key.kid.as_deref() else {
                continue;
            };
            for prepared in &key.prepared {
                *named.entry((index, kid, prepared.algorithm())).or_default() += 1;
            }
        }
    }
    named.values().copied().max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::testing;

    fn keys(kids: impl Iterator<Item = Option<String>>) -> KeySet {
        kids.map(|kid| testing::key(kid.as_deref())).collect()
    }

    #[test]
    fn a_warning_names_the_tokens_that_have_too_many_candidates() {
        let (few, many) = (MAX_CANDIDATES, MAX_CANDIDATES + 1);
        let same = |count: usize| keys((0..count).map(|_| Some("k".to_owned())));
        let distinct = |count: usize| keys((0..count).map(|index| Some(format!("k{index}"))));
        let unnamed = |count: usize| keys((0..count).map(|_| None));
        let rules = [
            KidRule::Hint,
            KidRule::Match,
            KidRule::Exact,
            KidRule::ExactOrOnly,
            KidRule::Ignore,
            KidRule::Required,
        ];
        let (none, with, without, every) = (None, Some("a certain"), Some("without"), Some("every"));
        for (set, expected) in [
            (same(few), [none; 6]),
            (distinct(few), [none; 6]),
            (unnamed(few), [none; 6]),
            (same(many), [with, with, with, with, every, with]),
            (distinct(many), [without, without, none, none, every, none]),
            (unnamed(many), [with, without, without, without, every, none]),
        ] {
            for (rule, expected) in rules.into_iter().zip(expected) {
                let found = warning(rule, [&set].into_iter());
                match (found, expected) {
                    (None, None) => {}
                    (Some(found), Some(expected)) => assert!(found.contains(expected), "{rule:?}: {found}"),
                    (found, expected) => panic!("{rule:?}: {found:?}, {expected:?}"),
                }
            }
        }
        let halves = [same(few / 2 + 1), same(few / 2)];
        assert!(warning(KidRule::Match, halves.iter()).is_some());
        assert!(warning(KidRule::Required, halves.iter()).is_none());
    }
}
