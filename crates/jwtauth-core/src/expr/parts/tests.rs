use std::collections::BTreeMap;

use super::Explored;
use crate::claims::Claims;
use crate::expr::{Budget, Document, JmesPath, Selector};

/// Each part as its depth, place, text, and what it gave.
fn shown(explored: &[Explored]) -> Vec<String> {
    let shown = |part: &Explored| {
        let value = part.value.as_ref();
        let value = value.map_or_else(String::new, |value| {
            format!(" {}", serde_json::to_string(value).unwrap())
        });
        format!(
            "{}@{} {} {:?}{value}",
            part.depth, part.start, part.text, part.gave
        )
    };
    explored.iter().map(shown).collect()
}

const CLAIMS: &str = r#"{"groups":["dev"],"role":"","realm_access":{"roles":["admin"]},"age":7,"a-b":null}"#;

fn parts(expression: &str) -> Vec<String> {
    let document = Document::new(Claims::parse(CLAIMS).unwrap());
    let expression = JmesPath::parse(expression).unwrap();
    shown(&expression.explore(&document, &Budget::of_explanation()))
}

#[test]
fn the_alternatives_of_an_expression_are_shown_up_to_the_one_that_decides() {
    assert_eq!(
        parts("contains(groups, 'ops') && 'Admin' || role || 'Viewer' || 'Editor'"),
        [
            "0@0 contains(groups, 'ops') && 'Admin' False false",
            "1@0 contains(groups, 'ops') False false",
            r#"2@9 groups True ["dev"]"#,
            "1@27 'Admin' NotEvaluated",
            r#"0@38 role False """#,
            r#"0@46 'Viewer' True "Viewer""#,
            "0@58 'Editor' NotEvaluated",
        ]
    );
}

#[test]
fn the_argument_of_a_function_that_fails_is_shown() {
    assert_eq!(
        parts("contains(roles, 'ops') && 'Admin' || 'Viewer'"),
        [
            "0@0 contains(roles, 'ops') && 'Admin' Failed",
            "1@0 contains(roles, 'ops') Failed",
            "2@9 roles False null",
            "1@26 'Admin' NotEvaluated",
            "0@37 'Viewer' NotEvaluated",
        ]
    );
}

#[test]
fn pipes_comparisons_negations_and_paths_have_parts() {
    assert_eq!(
        parts("realm_access | roles[?@ == 'admin'] | [0] == 'admin'"),
        [
            r#"0@0 realm_access | roles[?@ == 'admin'] True ["admin"]"#,
            r#"1@0 realm_access True {"roles":["admin"]}"#,
            r#"1@15 roles[?@ == 'admin'] True ["admin"]"#,
            "0@38 [0] == 'admin' True true",
            r#"1@38 [0] True "admin""#,
        ]
    );
    assert_eq!(
        parts("!(age >= `18`)"),
        ["0@2 age >= `18` False false", "1@2 age True 7"]
            .map(|part| part.replace("0@2 age", "0@1 (age").replace("`18` F", "`18`) F"))
    );
    assert_eq!(
        parts("resource_access.grafana.roles"),
        ["0@0 resource_access False null"]
    );
    assert_eq!(
        parts("realm_access.groups.admin"),
        ["0@0 realm_access.groups False null"]
    );
    for whole in [
        "role",
        "realm_access.roles",
        "`1`",
        "@",
        "\"a-b\"",
        "groups[0]",
        "[groups, role]",
    ] {
        assert_eq!(parts(whole), [""; 0], "{whole}");
    }
}

#[test]
fn operators_in_quotes_and_brackets_split_nothing() {
    for whole in [
        r#""a || b""#,
        "'a | b'",
        r"'a\' || b'",
        "groups[?@ == 'a' || @ == 'b']",
        "`\"&&\"`",
    ] {
        assert_eq!(parts(whole), [""; 0], "{whole}");
    }
    assert_eq!(
        parts("(role) || (age)"),
        [r#"0@0 (role) False """#, "0@10 (age) True 7"]
    );
    assert_eq!(
        parts("((role || age))"),
        [r#"0@2 role False """#, "0@10 age True 7"]
    );
    let places: Vec<_> = parts("'é' && role")
        .iter()
        .map(|part| part.chars().take(3).collect::<String>())
        .collect();
    assert_eq!(places, ["0@0", "0@7"]);
}

#[test]
fn the_number_and_the_depth_of_parts_are_limited() {
    assert_eq!(parts(&vec!["role"; 40].join(" || ")).len(), super::MAX_PARTS);
    let nested = format!("{}age{}", "!(".repeat(20), ")".repeat(20));
    assert_eq!(parts(&nested).len(), super::MAX_DEPTH + 1);
}

fn tests(selector: &str) -> Vec<String> {
    let text = str::to_owned;
    let values = BTreeMap::from([(text("team"), text("ops"))]);
    let lists = BTreeMap::from([(text("groups"), vec![text("dev")])]);
    shown(
        &Selector::parse(selector)
            .unwrap()
            .explore(&values, &lists, &Budget::of_explanation()),
    )
}

#[test]
fn each_test_of_a_selector_is_shown_with_what_it_examines() {
    assert_eq!(
        tests(r#"value.team == "ops" and ("eng" in list.groups or not value.unit matches "^a")"#),
        [
            r#"0@0 value.team == "ops" True "ops""#,
            r#"0@24 ("eng" in list.groups or not value.unit matches "^a") False"#,
            r#"1@25 "eng" in list.groups False ["dev"]"#,
            r#"1@49 not value.unit matches "^a" False"#,
            r#"2@53 value.unit matches "^a" TrueByAbsence null"#,
        ]
    );
    assert_eq!(
        tests("value.team != ops"),
        [r#"0@0 value.team != ops False "ops""#]
    );
    assert_eq!(
        tests("not in list.groups"),
        [r#"0@0 not in list.groups False ["dev"]"#]
    );
    assert_eq!(
        tests(r#"value.team == "a or b" or value.team==ops"#),
        [
            r#"0@0 value.team == "a or b" False "ops""#,
            r#"0@26 value.team==ops True "ops""#
        ]
    );
}

#[test]
fn the_parts_end_where_the_budget_does() {
    let document = Document::new(Claims::parse(CLAIMS).unwrap());
    let names =
        |explored: &[Explored]| -> Vec<String> { explored.iter().map(|part| part.text.clone()).collect() };
    let expression =
        JmesPath::parse("role || !contains(groups, 'ops') && age || 'Viewer' || 'Editor'").unwrap();
    let all = names(&expression.explore(&document, &Budget::of_explanation()));
    let (mut lengths, mut effort) = (vec![0], 64.0);
    while *lengths.last().unwrap() < all.len() {
        let some = names(&expression.explore(&document, &Budget::new(effort)));
        assert_eq!(Some(some.as_slice()), all.get(..some.len()), "{effort}");
        lengths.push(some.len());
        effort *= 1.1;
    }
    assert!(lengths.is_sorted());
    lengths.dedup();
    assert!(lengths.len() > 2, "{lengths:?}");

    let selector =
        Selector::parse(r#"not (value.team matches "^o" or (not value.team == "x")) or a in list.groups"#)
            .unwrap();
    let values = BTreeMap::from([("team".to_owned(), "ops".to_owned())]);
    let lists = BTreeMap::new();
    let all = names(&selector.explore(&values, &lists, &Budget::of_explanation()));
    let (mut lengths, mut effort) = (vec![0], 64.0);
    while *lengths.last().unwrap() < all.len() {
        let some = names(&selector.explore(&values, &lists, &Budget::new(effort)));
        assert_eq!(Some(some.as_slice()), all.get(..some.len()), "{effort}");
        lengths.push(some.len());
        effort *= 1.1;
    }
    assert!(lengths.is_sorted());
    lengths.dedup();
    assert!(lengths.len() > 2, "{lengths:?}");
}

#[test]
fn the_parts_of_all_expressions_share_a_budget() {
    let document = Document::new(Claims::parse(CLAIMS).unwrap());
    let expression = JmesPath::parse("role || age").unwrap();
    let budget = Budget::new(1e6);
    let lengths: Vec<usize> = (0..10_000)
        .map(|_| expression.explore(&document, &budget).len())
        .collect();
    assert_eq!(lengths.first(), Some(&2));
    assert_eq!(lengths.last(), Some(&0));
}
