use proptest::prelude::*;

use super::tree::lower_case;
use super::*;

fn fill(text: &str) -> String {
    let values = [
        ("team", "OPS"),
        ("first-name", "Jo"),
        ("a.b", "x"),
        ("tricky", "${value.team}"),
    ];
    let values = values
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    Template::parse(text)
        .unwrap_or_else(|why| panic!("{text}: {why}"))
        .fill(&values)
}

#[test]
fn values_are_inserted_in_lower_case_and_not_expanded_again() {
    for (text, filled) in [
        ("Team", "Team"),
        ("{{ x }} $5", "{{ x }} $5"),
        ("Team-${value.team}", "Team-ops"),
        ("${ value.first-name }!", "jo!"),
        ("${value.a.b}${value.gone}", "x"),
        ("${value.tricky}", "${value.team}"),
        ("$${value.team} ${value.team} $$ $", "${value.team} ops $ $"),
        ("${\"A\"}", "A"),
        ("${value.team == \"ops\" ? \"one\" : value.first-name}", "one"),
        (
            "${(value.team != \"ops\" || !(true && false)) ? \"a\" : \"b\"}",
            "a",
        ),
    ] {
        assert_eq!(fill(text), filled, "{text}");
    }
}

#[test]
fn a_text_without_an_insertion_is_unchanged() {
    assert_eq!(fill("$$ stays"), "$$ stays");
}

#[test]
fn a_template_that_does_not_parse_is_refused() {
    for text in [
        "${",
        "${}",
        "${value.x",
        "${value.a/b}",
        "${1 + 2}",
        "${list.x}",
        "${x ? y}",
        "${value.x < \"a\"}",
        "${upper(value.x)}",
    ] {
        assert!(Template::parse(text).is_err(), "{text}");
    }
}

#[test]
fn nesting_does_not_exhaust_the_stack() {
    // Parentheses after a quote in the literal part are counted too.
    for text in [
        format!("\" ${{{}", "(".repeat(4000)),
        format!("${{{}", "true?".repeat(800)),
        format!("${{{}true ? \"a\" : \"b\"}}", "true?\"\":".repeat(450)),
        format!("${{true{} ? \"a\" : \"b\"}}", "&&true".repeat(600)),
        format!("${{{}true ? \"a\" : \"b\"}}", "!".repeat(4000)),
    ] {
        let _ = Template::parse(&text);
    }
    let nested =
        |depth: usize| Template::parse(&format!("${{{}value.x{}}}", "(".repeat(depth), ")".repeat(depth)));
    assert!(nested(50).is_ok());
    assert_eq!(
        nested(51).unwrap_err().code(),
        crate::error::Code::ExpressionInvalid
    );
    assert!(Template::parse(&"(".repeat(50)).is_ok());
}

proptest! {
    #[test]
    fn text_before_an_insertion_is_unchanged(before in "[^$]{0,20}", value in any::<String>()) {
        let values = BTreeMap::from([("x".to_owned(), value.clone())]);
        let template = Template::parse(&format!("{before}${{value.x}}")).unwrap();
        let filled = template.fill(&values);
        prop_assert_eq!(filled, format!("{}{}", before, lower_case(&value)));
    }

    #[test]
    fn no_text_causes_a_panic(
        text in any::<String>(),
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24),
    ) {
        let values = BTreeMap::from([("a".to_owned(), "\u{130}${".to_owned())]);
        for text in [text, pieces.concat(), format!("${{{}}}", pieces.concat())] {
            if let Ok(template) = Template::parse(&text) {
                template.fill(&values);
                template.variables();
            }
        }
    }
}

const PIECES: &[&str] = &[
    "${", "}", "$", "$$", "value.a", "value.", "true", "false", "\"a\"", "\"", "\\", "(", ")", "?", ":",
    "==", "!=", "&&", "||", "!", " ", "-", "1", "\u{e9}",
];
