use super::*;
use crate::error::Code;

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
        .selects(&values, &lists)
}

#[test]
fn tests_hold_or_do_not() {
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
fn an_absent_value_fits_only_negations() {
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
fn what_does_not_parse_is_refused_with_its_place() {
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
fn escapes_are_those_of_go() {
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
fn regular_expressions_are_those_of_go() {
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
