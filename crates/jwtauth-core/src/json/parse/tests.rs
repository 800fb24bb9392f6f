use super::*;
use crate::json::parse;

fn is_duplicate(text: &str) -> bool {
    let reason = parse(text).unwrap_err().reason;
    matches!(reason, Reason::Duplicate | Reason::DuplicateAtTop)
}

#[test]
fn duplicate_names_are_refused_at_any_depth_and_size() {
    for text in [r#"{"a":1,"a":1}"#, r#"{"a":[{"b":1,"\u0062":2}]}"#] {
        assert!(is_duplicate(text), "{text}");
    }
    let many: Vec<String> = (0..1000).map(|n| format!("\"m{n}\":0")).collect();
    assert!(parse(&format!("{{{}}}", many.join(","))).is_ok());
    assert!(is_duplicate(&format!("{{{},\"m7\":1}}", many.join(","))));
}

#[test]
fn duplicate_names_are_refused_at_any_position() {
    // `ab0`, `ab00` and so on have different marks; `aa00b`, `aa01b` and so on have the same mark.
    for spell in [
        |n: usize| format!("ab{}", "0".repeat(n)),
        |n: usize| format!("aa{n:02}b"),
    ] {
        for count in 2..40 {
            let names: Vec<String> = (0..count).map(spell).collect();
            let document = |names: &[String]| {
                let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":0")).collect();
                format!("{{{}}}", members.join(","))
            };
            assert!(parse(&document(&names)).is_ok(), "{count}");
            for (one, other) in [
                (0, 1),
                (0, count - 1),
                (count / 2, count - 1),
                (count - 2, count - 1),
            ] {
                let mut names = names.clone();
                names[other] = names[one].clone();
                let refused = one != other && is_duplicate(&document(&names));
                assert!(refused || one == other, "{count}: {one} and {other}");
            }
        }
    }
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    for depth in [MAX_DEPTH + 1, 127, 128, 100_000] {
        assert!(parse(&nested(depth)).is_err(), "{depth}");
    }
}

#[test]
fn text_that_is_not_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "{}x",
        "nul",
        "[1,]",
        "{\"a\"}",
        "\u{feff}{}",
        r#""\ud800""#,
        "\"a\0b\"",
        "1e999",
        "NaN",
    ] {
        assert!(parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn an_error_does_not_quote_the_document() {
    let text = parse(r#"{"secret-name":1,"secret-name":2}"#)
        .unwrap_err()
        .to_string();
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn an_error_contains_the_reason_and_the_position() {
    for (text, expected) in [
        (r#"{"a":1,"a":1}"#, "duplicate member name (line 1, column 13)"),
        (
            r#"{"a":{"b":1,"b":1}}"#,
            "duplicate member name (line 1, column 18)",
        ),
        (
            &"[".repeat(65),
            "the JSON is nested too deeply (line 1, column 65)",
        ),
        ("[1", "unexpected end of the JSON (line 1, column 2)"),
        ("[1,]", "invalid JSON (line 1, column 4)"),
        ("{} {}", "invalid JSON (line 1, column 4)"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn the_number_of_values_is_limited() {
    let list = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
    assert!(parse(&list(MAX_VALUES)).is_ok());
    let why = parse(&list(MAX_VALUES + 1)).unwrap_err();
    assert!(!why.is_shallow());
    assert!(
        why.to_string()
            .starts_with("the JSON has more than 100000 values"),
        "{why}"
    );
    let objects = format!("[{}{{}}]", r#"{"":0},"#.repeat(MAX_VALUES / 2));
    assert_eq!(parse(&objects).unwrap_err().reason, Reason::Values);
}
