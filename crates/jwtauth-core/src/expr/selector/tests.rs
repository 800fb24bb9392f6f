use super::regex::Pattern;
use super::tree::{Operand, Test};
use super::*;
use crate::error::Code;
use crate::expr::limits;

fn selects(text: &str) -> bool {
    let values = [("team", "ops"), ("num", "1.0"), ("empty", "")];
    let lists = [("groups", vec!["eng", "a b"]), ("none", vec![])];
    let values = values
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let lists = lists
        .map(|(name, list)| (name.to_owned(), list.into_iter().map(str::to_owned).collect()))
        .into();
    Selector::parse(text)
        .unwrap_or_else(|why| panic!("{text}: {why}"))
        .select(&values, &lists)
        == Selected::Yes
}

#[test]
fn tests_are_true_or_false() {
    for (text, holds) in [
        ("value.team == ops", true),
        ("value.team==\"ops\"", true),
        ("value[\"team\"] != `ops`", false),
        ("value.num == 1", false),
        ("value.num == 1.0", true),
        ("p in value.team", true),
        ("value.team contains \"op\"", true),
        ("value.team not contains x", true),
        ("eng in list.groups", true),
        ("\"a b\" in list.groups", true),
        ("en in list.groups", false),
        ("list.groups is empty", false),
        ("list.none is empty and list.gone is empty", true),
        ("list.groups is not empty", true),
        ("team in value and not gone in value", true),
        ("value is not empty", true),
        ("value.team matches \"^o\"", true),
        ("value.team not matches \"^o\"", false),
        ("not value.team == ops or value.num == 1.0", true),
        ("not (value.team == ops or value.num == 1.0)", false),
        ("value.team == x and value.team == x or value.team == ops", true),
        ("value.empty == \"\"", true),
        ("not in list.groups", false),
        ("not not in list.groups", true),
    ] {
        assert_eq!(selects(text), holds, "{text}");
    }
}

#[test]
fn only_negated_tests_are_true_for_an_absent_value() {
    for (text, holds) in [
        ("value.gone == \"\"", false),
        ("value.gone != \"\"", true),
        ("x in value.gone", false),
        ("x not in value.gone", true),
        ("value.gone matches \"\"", false),
        ("value.gone not matches \"\"", true),
        ("x in list.gone", false),
        ("x not in list.gone", true),
        ("list.gone is not empty", false),
    ] {
        assert_eq!(selects(text), holds, "{text}");
    }
}

#[test]
fn a_negated_match_on_an_absent_value_does_not_select() {
    for (text, holds) in [
        ("not value.gone matches x", false),
        ("not value.gone not matches x", false),
        ("not not value.gone matches x", false),
        ("not not value.gone not matches x", true),
        ("not (value.gone matches x or value.team == dev)", false),
        ("not (value.gone matches x and value.team == dev)", true),
        ("value.team == ops or not value.gone matches x", true),
        ("not value.team matches x", true),
        ("not value.empty matches x", true),
    ] {
        assert_eq!(selects(text), holds, "{text}");
    }
}

#[test]
fn a_selector_that_does_not_parse_is_refused_with_the_column() {
    for (text, column) in [
        ("", 1),
        ("value.team", 11),
        ("value.team = ops", 12),
        ("value.team == ops &&", 19),
        ("value.team == 'ops'", 15),
        ("value.team == \"ops", 15),
        ("value.team == 01", 15),
        ("value.team == foo-bar", 18),
        ("not(value.team == ops)", 4),
        ("(value.team == ops", 19),
        ("other.team == ops", 1),
        ("value.a.b == ops", 1),
        ("value.team is empty", 1),
        ("list.groups == eng", 1),
        ("value.team matches \"(\"", 1),
        ("eng in \"x\"", 8),
        ("Value.team == ops", 1),
        ("value.team == ops AND value.team == ops", 19),
    ] {
        let error = Selector::parse(text).expect_err(text);
        assert_eq!(error.code(), Code::ExpressionInvalid, "{text}");
        let detail = error.detail().unwrap_or_default();
        assert!(
            detail.starts_with(&format!("column {column}:")),
            "{text}: {detail}"
        );
    }
}

#[test]
fn escapes_have_the_syntax_of_go() {
    for (text, value) in [
        (r"\x6fps", "ops"),
        (r"\157ps", "ops"),
        (r"\u006fps", "ops"),
        (r"\U0000006fps", "ops"),
    ] {
        assert!(selects(&format!("value.team == \"{text}\"")), "{text} is {value}");
    }
    for text in [r"\q", r"\'", r"\xff", r"\x", r"\u12", r"\400", "a\nb", r"\ud800"] {
        assert!(
            Selector::parse(&format!("value.team == \"{text}\"")).is_err(),
            "{text}"
        );
    }
}

#[test]
fn regular_expressions_have_the_syntax_of_go() {
    for (pattern, text, matches) in [
        (r"^\d+$", "12", true),
        (r"^\d+$", "\u{0661}", false),
        (r"^\w$", "\u{e9}", false),
        (r"^.$", "\u{e9}", true),
        (r"\bops\b", "dev ops", true),
        (r"^[a&&b]$", "&", true),
        (r"^[[a]$", "[", true),
        (r"^[[:digit:]]$", "7", true),
        (r"^[^\d]$", "a", true),
        (r"\<a\>", "<a>", true),
        (r"(?i)^OPS$", "ops", true),
        (r"^[-\w]$", "-", true),
        (r"^[a-c-\w]$", "-", true),
        (r"^[]-a]$", "^", true),
        (r"^[[:^digit:]]$", "a", true),
        (r"^\p{Greek}$", "\u{3b1}", true),
        (r"^[\pL\P{L}]$", "a", true),
        (r"^\x{41}{2}$", "AA", true),
        (r"^(a{10}){100}$", "a", false),
        (r"^(a*)*?b+?$", "ab", true),
        ("^a$", "a\n", false),
    ] {
        let pattern = Pattern::parse(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}"));
        assert_eq!(pattern.matches(text), matches, "{}: {text}", pattern.as_str());
    }
    for pattern in [
        "(",
        "a{1000}{1000}",
        r"\Z",
        r"(?x)a",
        r"\C",
        r"(?=a)",
        r"\1",
        "\\",
        "a**",
        "a*+?",
        "a{2}{3}",
        "a{1001}",
        "(a{100}){100}",
        "((a{10}b){10}c){11}",
        "[[:foo:]]",
        r"\p{Script=Greek}",
        r"\p{Greek",
        r"\p{greek}",
        r"[\p{Grek}]",
        r"\pl",
        r"\p",
        r"\p{}",
        r"\x{41",
        r"[#-\w]",
        "[#-[:alpha:]]",
    ] {
        assert!(Pattern::parse(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn size_and_nesting_are_limited() {
    let nested = |depth: usize| format!("{}value.team == ops{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Selector::parse(&nested(50)).is_ok());
    assert!(Selector::parse(&nested(51)).is_err());
    assert!(Selector::parse(&"not ".repeat(900)).is_err());
    assert!(Selector::parse(&format!("{}value.team == ops", "not ".repeat(60))).is_err());
    assert!(Selector::parse(&format!("value.team == \"{}\"", "x".repeat(5000))).is_err());
    let long = vec!["value.a==b"; 250].join(" or ");
    assert!(Selector::parse(&long).is_ok());
}

#[test]
fn two_negations_in_a_row_cancel_each_other() {
    let parsed = |text: &str| Selector::parse(text).unwrap().expression;
    assert_eq!(parsed("not not value.a == b"), parsed("value.a == b"));
    assert_eq!(parsed("not not not value.a == b"), parsed("not value.a == b"));
}

#[test]
fn a_repetition_without_a_minimum_does_not_match_an_empty_text() {
    // In Go, `a{,2}` is a literal text. In the `regex` crate, it is a repetition of zero to two.
    for pattern in ["^a{,2}$", "^(?:ab){,2}$"] {
        let matches = Pattern::parse(pattern).map(|pattern| pattern.matches(""));
        assert!(!matches.unwrap_or(false), "{pattern}");
    }
    assert!(Pattern::parse("^[{,2}]$").unwrap().matches(","));
    assert!(Pattern::parse(r"^a\{,2}$").unwrap().matches("a{,2}"));
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    type Values = BTreeMap<String, String>;
    type Lists = BTreeMap<String, Vec<String>>;

    fn expressions() -> impl Strategy<Value = Expression> {
        comparisons().prop_recursive(4, 24, 3, |inner| {
            let several = || prop::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                several().prop_map(Expression::Or),
                several().prop_map(Expression::And),
                inner.clone().prop_map(|inner| Expression::Not(Box::new(inner))),
            ]
        })
    }

    fn comparisons() -> impl Strategy<Value = Expression> {
        let on_text = prop_oneof![
            texts().prop_map(Test::Equals),
            texts().prop_map(Test::Differs),
            texts().prop_map(Test::Contains),
            texts().prop_map(Test::Lacks),
            patterns().prop_map(Test::Matches),
            patterns().prop_map(Test::NotMatches),
        ];
        let on_elements = prop_oneof![
            texts().prop_map(Test::Contains),
            texts().prop_map(Test::Lacks),
            Just(Test::Empty),
            Just(Test::NotEmpty),
        ];
        let elements = prop_oneof![
            texts().prop_map(Operand::List),
            Just(Operand::ValueNames),
            Just(Operand::ListNames),
        ];
        prop_oneof![
            (texts().prop_map(Operand::Value), on_text),
            (elements, on_elements)
        ]
        .prop_map(|(operand, test)| Expression::Match(operand, test))
    }

    /// Mostly short texts, so that two of them are often equal, and some arbitrary texts.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[ab]{0,2}", 1 => any::<String>().prop_map(|text| text.chars().take(8).collect())]
    }

    fn patterns() -> impl Strategy<Value = Pattern> {
        prop_oneof!["[ab.]{0,3}[*+?]?", r"\^?[ab]{1,2}\$?", r"(\\d|\[ab\]|\(a\|b\))+"]
            .prop_filter_map("it does not compile", |text| Pattern::parse(&text).ok())
    }

    fn identities() -> impl Strategy<Value = (Values, Lists)> {
        let lists = prop::collection::vec(texts(), 0..3);
        (
            prop::collection::btree_map(texts(), texts(), 0..4),
            prop::collection::btree_map(texts(), lists, 0..4),
        )
    }

    /// The meaning of selectors as a truth table: every negated test is the opposite of the test, and every other test
    /// of an absent value is false. With [`Absent::MatchesEverything`], `matches` and `not matches` are true for it.
    fn naive(expression: &Expression, values: &Values, lists: &Lists, absent: Absent) -> bool {
        let opposite = |operand: &Operand, test: Test| {
            !naive(&Expression::Match(operand.clone(), test), values, lists, absent)
        };
        match expression {
            Expression::Or(parts) => parts
                .iter()
                .fold(false, |any, part| any | naive(part, values, lists, absent)),
            Expression::And(parts) => parts
                .iter()
                .fold(true, |all, part| all & naive(part, values, lists, absent)),
            Expression::Not(inner) => !naive(inner, values, lists, absent),
            Expression::Match(Operand::Value(name), Test::Matches(_) | Test::NotMatches(_))
                if absent == Absent::MatchesEverything && !values.contains_key(name) =>
            {
                true
            }
            Expression::Match(operand, Test::Differs(text)) => opposite(operand, Test::Equals(text.clone())),
            Expression::Match(operand, Test::Lacks(text)) => opposite(operand, Test::Contains(text.clone())),
            Expression::Match(operand, Test::NotMatches(it)) => opposite(operand, Test::Matches(it.clone())),
            Expression::Match(operand, Test::NotEmpty) => opposite(operand, Test::Empty),
            Expression::Match(Operand::Value(name), test) => match (values.get(name), test) {
                (None, _) => false,
                (Some(value), Test::Equals(text)) => value == text,
                (Some(value), Test::Contains(text)) => value.matches(text.as_str()).next().is_some(),
                (Some(value), Test::Matches(pattern)) => pattern.matches(value),
                (Some(_), other) => panic!("{other:?} is not for a text"),
            },
            Expression::Match(operand, test) => {
                let elements: Vec<String> = match operand {
                    Operand::List(name) => lists.get(name).cloned().unwrap_or_default(),
                    Operand::ValueNames => values.keys().cloned().collect(),
                    Operand::ListNames => lists.keys().cloned().collect(),
                    Operand::Value(_) => unreachable!("texts were dealt with"),
                };
                match test {
                    Test::Contains(text) => elements.contains(text),
                    Test::Empty => elements.is_empty(),
                    other => panic!("{other:?} is not for a list"),
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_printed_selector_parses_to_an_equal_one(expression in expressions()) {
            let text = expression.to_string();
            prop_assume!(text.len() <= limits::MAX_LENGTH);
            match Selector::parse(&text) {
                Ok(selector) => prop_assert_eq!(selector.expression, expression),
                Err(why) => prop_assert!(false, "{}: {}", text, why),
            }
        }

        #[test]
        fn evaluation_agrees_with_the_truth_table(expression in expressions(), (values, lists) in identities()) {
            for absent in [Absent::MatchesNothing, Absent::MatchesEverything] {
                prop_assert_eq!(
                    expression.holds(&values, &lists, absent),
                    naive(&expression, &values, &lists, absent)
                );
            }
        }

        #[test]
        fn no_text_causes_a_panic(
            text in any::<String>(),
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24),
        ) {
            let _ = Selector::parse(&text);
            for separator in ["", " "] {
                if let Ok(selector) = Selector::parse(&pieces.join(separator)) {
                    let printed = selector.expression.to_string();
                    prop_assert_eq!(Selector::parse(&printed).unwrap().expression, selector.expression);
                }
            }
        }
    }

    const PIECES: &[&str] = &[
        "value", "list", ".a", "[\"b\"]", "value.a", "list.a", "==", "!=", "in", "not", "contains",
        "matches", "is", "empty", "and", "or", "(", ")", "a", "-1", "0.5", "01", "\"a\"", "`b", "`", "\"",
        "\\", "\u{e9}",
    ];
}
