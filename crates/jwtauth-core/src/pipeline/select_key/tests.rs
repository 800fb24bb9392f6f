use super::*;
use crate::keys::testing::{self, all};
use crate::policy::{Origin, Secret};
use crate::sources::KeyStore;
use crate::sources::testing::{named, open, spec};

const A: &str = r#"{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const ED: &str =
    r#"{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn set(keys: &[&str]) -> Origin {
    Origin::Jwks(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).into())
}

/// The names of the selected keys, in order; `-` for a key without a name.
fn selected(store: &KeyStore, rule: KidRule, kid: Option<&str>) -> String {
    let mut names = Vec::new();
    select(kid, rule, store.cached(None).sets(), &mut (), |(), _, key| {
        names.push(key.kid.as_deref().unwrap_or("-").to_owned());
    });
    names.join(" ")
}

/// Two sources: a set with the keys `a`, `b`, `a` and one without a name; and a set with `b` and one without a name.
fn store() -> KeyStore {
    let b = A.replace(r#""a""#, r#""b""#);
    let unnamed = A.replace(r#""kid":"a","#, "");
    let empty = A.replace(r#""kid":"a""#, r#""kid":"""#);
    let sources = vec![spec(set(&[A, &b, A, &unnamed])), spec(set(&[&b, &empty]))];
    open(sources, all(), KidRule::Hint).unwrap().0
}

fn header(kid: Option<&str>) -> Header {
    Header {
        algorithm: Some(Algorithm::ES256),
        kid: kid.map(Box::from),
    }
}

#[test]
fn each_rule_selects_keys_by_kid() {
    for (rule, absent, a, b, unknown) in [
        (KidRule::Hint, "a b a - b -", "a a - -", "b - b -", "- -"),
        (KidRule::Match, "a b a - b -", "a a", "b b", ""),
        (KidRule::Exact, "- -", "a a", "b b", ""),
        (KidRule::ExactOrOnly, "- -", "a a", "b b", ""),
        (
            KidRule::Ignore,
            "a b a - b -",
            "a b a - b -",
            "a b a - b -",
            "a b a - b -",
        ),
        (KidRule::Required, "", "a a", "b", ""),
    ] {
        let store = store();
        assert_eq!(selected(&store, rule, None), absent, "{rule:?}");
        assert_eq!(selected(&store, rule, Some("a")), a, "{rule:?}");
        assert_eq!(selected(&store, rule, Some("b")), b, "{rule:?}");
        for kid in ["A", "a ", "c", "../a", "a\0"] {
            assert_eq!(selected(&store, rule, Some(kid)), unknown, "{rule:?} {kid:?}");
        }
    }
}

#[test]
fn an_empty_kid_counts_as_absent() {
    let store = store();
    let cached = store.cached(None);
    let find = |kid| {
        candidates(
            &header(kid),
            Algorithm::ES256,
            KidRule::Exact,
            cached.sets(),
            &mut (),
        )
    };
    let count = |selection| match selection {
        Selection::Candidates(candidates) => candidates.iter().count(),
        other => panic!("{other:?}"),
    };
    assert_eq!(count(find(Some(""))), 2);
    assert_eq!(count(find(None)), 2);
}

#[test]
fn an_unknown_kid_differs_from_a_key_that_does_not_fit() {
    let store = store();
    let cached = store.cached(None);
    let find = |kid, algorithm, rule| candidates(&header(Some(kid)), algorithm, rule, cached.sets(), &mut ());
    for rule in [KidRule::Exact, KidRule::Required] {
        assert!(matches!(find("x", Algorithm::ES256, rule), Selection::Unknown));
        assert!(matches!(
            find("a", Algorithm::EdDSA, rule),
            Selection::Unfit(None)
        ));
        assert!(matches!(
            find("a", Algorithm::ES256, rule),
            Selection::Candidates(_)
        ));
    }
}

#[test]
fn the_only_key_of_a_source_is_selected_where_the_rule_says_so() {
    let sources = vec![
        spec(set(&[A, r#"{"kty":"EC","use":"enc","kid":"e"}"#])),
        spec(set(&[A, ED])),
    ];
    let (store, _) = open(sources, all(), KidRule::Hint).unwrap();
    assert_eq!(selected(&store, KidRule::ExactOrOnly, None), "a");
    assert_eq!(selected(&store, KidRule::Exact, None), "");
}

#[test]
fn a_skipped_key_keeps_its_kid() {
    // Otherwise a key of the second source would be tried although the token names the key of the first source.
    let sources = vec![
        spec(set(&[ED, r#"{"kty":"EC","use":"enc","kid":"a"}"#])),
        spec(set(&[A])),
    ];
    let (store, _) = open(sources, all(), KidRule::Required).unwrap();
    let mut usable = Vec::new();
    select(
        Some("a"),
        KidRule::Required,
        store.cached(None).sets(),
        &mut (),
        |(), _, key| {
            usable.push(key.is_usable());
        },
    );
    assert_eq!(usable, [false]);
}

#[test]
fn a_configured_kid_is_used_for_keys_without_one() {
    let secret = Origin::Secret(Secret::new(vec![7; 64]));
    let sources = vec![
        named(Origin::Pem(testing::public(testing::RSA)), "r"),
        named(secret, "h"),
        spec(Origin::Pem(testing::public(testing::P256))),
    ];
    let (store, _) = open(sources, all(), KidRule::Exact).unwrap();
    assert_eq!(selected(&store, KidRule::Exact, Some("r")), "r");
    assert_eq!(selected(&store, KidRule::Exact, Some("h")), "h");
    assert_eq!(selected(&store, KidRule::Exact, None), "-");
}

#[test]
fn a_policy_without_sources_has_no_key() {
    let (store, _) = open(Vec::new(), all(), KidRule::Hint).unwrap();
    assert_eq!(selected(&store, KidRule::Hint, None), "");
}

#[test]
fn a_thousand_keys_are_found_by_kid() {
    let keys: Vec<String> = (0..1000)
        .map(|n| A.replace(r#""a""#, &format!(r#""k{n}""#)))
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (_, warnings) = open(vec![spec(set(&keys))], all(), KidRule::Match).unwrap();
    assert!(
        warnings[0]
            .message
            .starts_with("1000 keys fit a token without a `kid`")
    );
    let (store, warnings) = open(vec![spec(set(&keys))], all(), KidRule::Exact).unwrap();
    assert!(warnings.is_empty());
    assert_eq!(selected(&store, KidRule::Match, Some("k777")), "k777");
    assert_eq!(selected(&store, KidRule::Match, Some("k1000")), "");
}

#[test]
fn at_most_sixteen_keys_are_tried() {
    for (count, has_more) in [
        (1, false),
        (MAX_CANDIDATES, false),
        (MAX_CANDIDATES + 1, true),
        (1000, true),
    ] {
        let (store, _) = open(vec![spec(set(&vec![A; count]))], all(), KidRule::Hint).unwrap();
        for kid in [Some("a"), None] {
            let cached = store.cached(None);
            let found = candidates(
                &header(kid),
                Algorithm::ES256,
                KidRule::Hint,
                cached.sets(),
                &mut (),
            );
            let found = found.candidates(Algorithm::ES256).unwrap();
            assert_eq!(found.iter().count(), count.min(MAX_CANDIDATES), "{count}");
            assert_eq!(found.has_more, has_more, "{count}");
        }
    }
}
