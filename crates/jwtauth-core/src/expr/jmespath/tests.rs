use proptest::prelude::*;

use super::*;
use crate::claims::Claims;

fn on_a_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(128 * 1024);
    thread.spawn(work).unwrap().join().unwrap()
}

fn evaluate(expression: &str, claims: &str) -> Option<Value<'static>> {
    let claims = Claims::parse(claims).unwrap();
    JmesPath::parse(expression)
        .unwrap()
        .evaluate(&Document::new(claims))
        .ok()
}

/// Creates an expression with this number of repetitions of one construct.
type Shape = fn(usize) -> String;

/// Every construct that can be repeated in an expression.
const SHAPES: &[(&str, Shape)] = &[
    ("or", |n| vec!["a"; n].join("||")),
    ("and", |n| vec!["a"; n].join("&&")),
    ("pipe", |n| vec!["a"; n].join("|")),
    ("dot", |n| vec!["a"; n].join(".")),
    ("comparison", |n| vec!["a"; n].join("==")),
    ("less", |n| vec!["a"; n].join("<")),
    ("mixed", |n| vec!["a"; n].join("|b||c&&d==e.f[0]|")),
    ("mixed the other way", |n| vec!["a"; n].join("[0].f==d&&c||b|")),
    ("group", |n| format!("{}a{}", "(".repeat(n), ")".repeat(n))),
    ("not", |n| format!("{}a", "!".repeat(n))),
    ("not with blanks", |n| format!("{}a", "! ".repeat(n))),
    ("not a group", |n| format!("{}a{}", "!(".repeat(n), ")".repeat(n))),
    ("list", |n| format!("{}a{}", "[".repeat(n), "]".repeat(n))),
    ("list of two", |n| {
        format!("{}a{}", "[a,".repeat(n), "]".repeat(n))
    }),
    ("hash", |n| format!("{}a{}", "{a:".repeat(n), "}".repeat(n))),
    ("function", |n| {
        format!("{}a{}", "not_null(".repeat(n), ")".repeat(n))
    }),
    ("map", |n| format!("{}a{}", "map(&".repeat(n), ", @)".repeat(n))),
    ("sort", |n| {
        format!("{}a{}", "sort_by(@, &".repeat(n), ")".repeat(n))
    }),
    ("reference", |n| format!("{}a", "&".repeat(n))),
    ("projection", |n| format!("a{}", "[*].a".repeat(n))),
    ("star", |n| format!("*{}", ".*".repeat(n))),
    ("flatten", |n| format!("a{}", "[]".repeat(n))),
    ("filter in filter", |n| {
        format!("{}a{}", "[?".repeat(n), "]".repeat(n))
    }),
    ("filter after filter", |n| format!("a{}", "[?b].c".repeat(n))),
    ("index", |n| format!("a{}", "[0]".repeat(n))),
    ("slice", |n| format!("a{}", "[0:1]".repeat(n))),
    ("or in groups", |n| {
        format!("{}a{}", "(b||".repeat(n), ")".repeat(n))
    }),
    ("or before groups", |n| {
        format!("{}a{}", "(".repeat(n), "||b)".repeat(n))
    }),
    ("list in a pipe", |n| vec!["[@]"; n].join("|")),
    ("literal", |n| format!("`{}{}`", "[".repeat(n), "]".repeat(n))),
    ("object literal", |n| {
        format!("`{}1{}`", "{\"a\":".repeat(n), "}".repeat(n))
    }),
    ("open list", |n| "[".repeat(n)),
    ("open group", |n| "(".repeat(n)),
    ("open filter", |n| "[?".repeat(n)),
    ("open literal", |n| format!("`{}", "[".repeat(n))),
    ("closed too often", |n| format!("a{}", ")".repeat(n))),
];

#[test]
fn no_accepted_expression_exhausts_a_small_stack() {
    let mut inner = "1".to_owned();
    for _ in 0..30 {
        inner = format!("[{{\"a\":{inner},\"b\":true,\"c\":1}}]");
    }
    let payload: &'static str = format!("{{\"a\":{inner},\"b\":true}}").leak();
    for (name, shape) in SHAPES {
        // JSON is read outside the small stack, because it needs much in an unoptimised build. It has a separate limit.
        let document = Document::new(Claims::parse(payload).unwrap());
        on_a_small_stack(move || {
            let mut accepted = 0;
            for n in (1..200).chain([500, 1000, 1365, 2000, 4000, 10_000, 100_000]) {
                let Ok(expression) = JmesPath::parse(&shape(n)) else {
                    continue;
                };
                accepted = n;
                let again = expression.clone();
                let _ = again.evaluate(&document);
            }
            println!("{name}: {accepted}");
            assert!(accepted < 200, "{name}: {accepted} were accepted");
            document
        });
    }
}

/// Joins as many links as fit into the longest allowed expression.
fn chain(last: &str, link: impl Fn(usize) -> String) -> String {
    let mut chain = last.to_owned();
    for number in 0.. {
        let longer = format!("{} || {chain}", link(number));
        if longer.len() > 4096 {
            break;
        }
        chain = longer;
    }
    chain
}

#[test]
fn realistic_expressions_are_within_the_limits() {
    let roles = chain("'Viewer'", |group| {
        format!("contains(groups[*], 'group-{group:03}') && 'Editor'")
    });
    assert!(roles.len() > 4000);
    let role = on_a_small_stack(move || evaluate(&roles, r#"{"groups":["x","group-007"]}"#));
    assert_eq!(role, Some(Value::String("Editor".into())));
    for roles in [
        chain("'Viewer'", |n| {
            format!("(groups[?name == '{n:03}'] | [0]) && 'Editor'")
        }),
        chain("'Viewer'", |n| {
            format!("length(groups[?contains(name, '{n:03}')]) > `0` && 'Editor'")
        }),
        chain("'Viewer'", |n| {
            format!("contains(orgs[].teams[].name, '{n:03}') && 'Editor'")
        }),
    ] {
        assert_eq!(JmesPath::parse(&roles).err(), None, "{roles}");
    }
}

#[test]
fn operators_in_quotes_are_not_counted() {
    for quoted in [
        format!("a == '{}'", "([{!&|".repeat(300)),
        format!("\"{}\"", "([{!&|".repeat(300)),
        format!("a == `\"{}\"`", "([{!&|".repeat(300)),
        format!(r"a == '\'{}'", "(".repeat(300)),
        format!(r#"a == `"\"{}"`"#, "(".repeat(300)),
        format!(r"a == `\`{}\``", "(".repeat(300)),
    ] {
        let error = limits::check(&quoted).err();
        assert_eq!(error, None, "{quoted}");
    }
}

#[test]
fn brackets_after_the_closing_quote_are_counted() {
    let deep = "[".repeat(60);
    for text in [
        format!("'a' {deep}"),
        format!(r"'a\\' {deep}"),
        format!("\"'\" {deep} '"),
        format!("`\"'\"` {deep} '"),
        format!("'`' {deep} `"),
        format!("'\"' {deep} \""),
        format!(r#""\"" {deep} ""#),
    ] {
        let detail = JmesPath::parse(&text).unwrap_err().detail().unwrap().to_owned();
        assert!(detail.contains("nested deeper"), "{text}: {detail}");
    }
}

#[test]
fn the_limits_are_the_documented_ones() {
    let accepted = |text: &str| JmesPath::parse(text).is_ok();
    assert!(accepted(&format!("{}a{}", "(".repeat(50), ")".repeat(50))));
    assert!(!accepted(&format!("{}a{}", "(".repeat(51), ")".repeat(51))));
    assert!(accepted(&"a".repeat(4096)));
    assert!(!accepted(&"a".repeat(4097)));
    assert!(accepted("a[999999999]"));
    assert!(!accepted("a[1000000000]"));
}

#[test]
fn a_slice_beyond_every_list_is_empty_and_does_not_overflow() {
    for slice in [
        "[1:9:999999999]",
        "[::-999999999]",
        "[-999999999::1]",
        "[999999999:]",
    ] {
        assert!(
            evaluate(&format!("a{slice}"), r#"{"a":[1,2,3]}"#).is_some(),
            "{slice}"
        );
    }
}

#[test]
fn an_expression_with_an_excessive_result_or_run_time_is_refused() {
    let list = |length: usize| format!("`[{}]`", vec!["1"; length].join(","));
    for (expression, what) in [
        (["[@,@]"; 40].join("|"), "too much"),
        (["[@,@][]"; 40].join("|"), "too much"),
        (["{a:@,b:@}"; 40].join("|"), "too much"),
        (["join(a, [a,a])"; 20].join("|"), "nothing"),
        ("join(s, list)".to_owned(), "nothing"),
        ("{l: join(s, list)}".to_owned(), "nothing"),
        ("join(s, list)[:2]".to_owned(), "nothing"),
        ("contains(join(s, list), 'x')".to_owned(), "nothing"),
        ("list[*].join(@, list)".to_owned(), "too much"),
        ("to_string(to_string(to_string(a)))".to_owned(), "nothing"),
        ("c[?pad_left(s, to_number('1'))]".to_owned(), "too long"),
        (["to_string([@])"; 40].join("|"), "too much"),
        (["replace(@, @, @)"; 20].join("|"), "nothing"),
        ("groups[*].pad_left(@, length(@))".to_owned(), "too much"),
        (format!("map(&{l}[*].[@], {l})", l = list(900)), "nothing"),
        (
            format!("map(&map(&{l}[*].[@], {l}), {l})", l = list(600)),
            "too much",
        ),
        (
            format!("map(&{l}[?@ == {l}[*].[@]], {l})", l = list(600)),
            "too long",
        ),
        (format!("a[?b[?c[?contains({}, @)]]]", list(1000)), "nothing"),
        (
            format!("a[?contains({l}[?contains({l}, @)], @)]", l = list(900)),
            "too long",
        ),
    ] {
        let detail = match JmesPath::parse(&expression) {
            Ok(_) => "nothing".to_owned(),
            Err(error) => error.detail().unwrap_or_default().replace(&expression, ""),
        };
        assert!(
            detail.contains(what),
            "{}…: {detail}",
            expression.get(..80).unwrap_or(&expression)
        );
    }
}

#[test]
fn usual_expressions_are_far_below_the_limits() {
    for expression in [
        "@",
        "contains(groups[*], 'admin') && 'Admin' || contains(groups[*], 'editor') && 'Editor' || 'Viewer'",
        "join(', ', sort(map(&to_string(@), roles)))",
        "accounts[*].roles[*].permissions[].name | sort(@) | [0]",
        "sort_by(groups, &name)[*].{name: name, id: id, all: @}",
        "groups[?contains(`[\"a\",\"b\",\"c\"]`, @)] | [0] || not_null(role, default_role, 'none')",
        "merge(`{\"a\":1}`, attributes).role",
        "split(scope, ' ')[?starts_with(@, 'role:')] | [0] | replace(@, 'role:', '')",
        "max_by(grants, &to_number(level)).role",
        "items(permissions)[?[1] == 'yes'][0] | pad_left(@[0], `10`)",
        "group_by(roles, &app) | keys(@)",
        "users[?email == 'x'].teams[].members[?active].[id, name][]",
    ] {
        assert_eq!(JmesPath::parse(expression).err(), None, "{expression}");
    }
}

#[test]
fn the_error_of_an_evaluation_contains_the_expression_but_no_claims() {
    let expression = JmesPath::parse("contains(missing, 'x')").unwrap();
    let claims = Claims::parse(r#"{"other":"secret"}"#).unwrap();
    let failed = expression.evaluate(&Document::new(claims)).unwrap_err();
    assert_eq!(
        failed.to_string(),
        "the expression `contains(missing, 'x')` failed for this token"
    );
}

#[test]
fn a_syntax_error_is_explained_with_its_position() {
    for (text, expected) in [
        (
            "a b",
            "`a b` has a syntax error at line 1, column 3: an operator is missing before this",
        ),
        (
            "a\n== ",
            "`a == ` has a syntax error at line 2, column 4: an operand is missing here",
        ),
        (
            "",
            "`` has a syntax error at line 1, column 1: an operand is missing here",
        ),
        (
            "a.1",
            "`a.1` has a syntax error at line 1, column 3: expected identifier, '*', '{', '[', '&', or '[?'",
        ),
        (
            "'a",
            "`'a` has a syntax error at line 1, column 1: unclosed ' delimiter: 'a",
        ),
        (
            "a-b",
            "`a-b` has a syntax error at line 1, column 2: '-' must be followed by numbers 1-9; put a name that contains a hyphen in double quotes: \"a-b\"",
        ),
        (
            "a = b",
            "`a = b` has a syntax error at line 1, column 3: '=' is not valid. Did you mean '=='?",
        ),
        (
            "a:b",
            "`a:b` has a syntax error at line 1, column 2: an operator is missing before this; put a name that contains a colon in double quotes: \"a:b\"",
        ),
    ] {
        let error = JmesPath::parse(text).unwrap_err();
        assert_eq!(error.detail(), Some(expected));
    }
}

#[test]
fn a_result_has_the_values_of_the_claims_unchanged() {
    let claims = r#"{"a":[null,true,-1,18446744073709551615,0.1,1e300,"\u00e9"],"o":{"b":1,"a":2}}"#;
    assert_eq!(
        evaluate("@", claims).map(|value| serde_json::to_string(&value).unwrap()),
        Some(r#"{"a":[null,true,-1,18446744073709551615,0.1,1e+300,"é"],"o":{"a":2,"b":1}}"#.to_owned())
    );
}

#[test]
fn a_compiled_expression_may_be_shared_between_threads() {
    // The values of an evaluation have no atomic reference counts. A compiled expression contains none of these values.
    fn shared<T: Send + Sync>() {}
    shared::<JmesPath>();
}

#[test]
fn community_functions_follow_their_specification() {
    let claims = Claims::parse(r#"{"csv":"a,b,c","name":" Ann ","list":[["x",1],["y",2]],"people":[{"t":"a","n":1},{"t":"b","n":2},{"t":"a","n":3}]}"#).unwrap();
    let document = Document::new(claims);
    for (expression, expected) in [
        ("split(csv, ',')", r#"["a","b","c"]"#),
        ("split(csv, ',', `1`)", r#"["a","b,c"]"#),
        ("split('abc', '')", r#"["a","b","c"]"#),
        ("split('abc', '', `1`)", r#"["a","bc"]"#),
        ("split('', ',')", "[]"),
        ("trim(name)", r#""Ann""#),
        ("trim_left(name)", r#""Ann ""#),
        ("trim_right('xxAxx', 'x')", r#""xxA""#),
        ("upper(csv)", r#""A,B,C""#),
        ("lower('ABC')", r#""abc""#),
        ("replace(csv, ',', '-')", r#""a-b-c""#),
        ("replace(csv, ',', '-', `1`)", r#""a-b,c""#),
        ("pad_left('7', `3`, '0')", r#""007""#),
        ("pad_right('7', `3`)", r#""7  ""#),
        ("pad_right('long', `2`)", r#""long""#),
        ("find_first('subject string', 's')", "0"),
        ("find_last('subject string', 's')", "8"),
        ("find_first('subject string', 'string', `-6`)", "8"),
        ("find_first('subject string', 's', `1`, `7`)", "null"),
        ("find_first('', '')", "null"),
        ("items(from_items(list))", r#"[["x",1],["y",2]]"#),
        (
            "group_by(people, &t)",
            r#"{"a":[{"n":1,"t":"a"},{"n":3,"t":"a"}],"b":[{"n":2,"t":"b"}]}"#,
        ),
        ("zip(list[*][0], list[*][1])", r#"[["x",1],["y",2]]"#),
        ("join('+', sort(split(csv, ',')))", r#""a+b+c""#),
    ] {
        let result = JmesPath::parse(expression).unwrap().evaluate(&document).unwrap();
        assert_eq!(serde_json::to_string(&result).unwrap(), expected, "{expression}");
    }
    for expression in [
        "pad_left('x', `99999999`)",
        "pad_left('x', `-1`)",
        "pad_left('x', `3`, 'ab')",
        "split('a', 'b', `1.5`)",
        "trim('a', 'b', 'c')",
        "upper(`1`)",
        "replace(pad_left('', `100000`, 'x'), 'x', pad_left('', `1000`, 'y'))",
    ] {
        assert!(
            JmesPath::parse(expression).unwrap().evaluate(&document).is_err(),
            "{expression}"
        );
    }
}

#[test]
fn an_unknown_function_is_refused_when_the_expression_is_parsed() {
    for expression in [
        "nope(a)",
        "a || nope(a)",
        "map(&nope(@), a)",
        "{a: [nope(a)]}",
        "a[?nope(@)]",
        "!nope(a)",
    ] {
        let error = JmesPath::parse(expression).unwrap_err();
        assert!(
            error.detail().unwrap_or_default().contains("`nope`"),
            "{expression}: {error}"
        );
    }
}

#[test]
fn a_syntax_error_contains_a_hint() {
    for (expression, hint) in [
        ("foo-bar", "double quotes: \"a-b\""),
        ("custom:groups", "double quotes: \"a:b\""),
        ("let $x = a in $x", "`let`"),
        ("a + b", "arithmetic"),
        ("`Editor", ""),
    ] {
        let error = JmesPath::parse(expression).unwrap_err();
        assert!(
            error.detail().unwrap_or_default().contains(hint),
            "{expression}: {error}"
        );
    }
}

/// Valid expressions with every construct.
pub(super) fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a",
        "b",
        "o",
        "n",
        "@",
        "*",
        "\"x y\"",
        "`1`",
        "`-1.5`",
        "'s'",
        "'-'",
        "`null`",
        "`[1,[2]]`",
        "`{\"a\":1}`",
        "`\"\"`",
    ]);
    let functions = prop::sample::select(vec![
        "length",
        "to_string",
        "to_number",
        "join",
        "split",
        "replace",
        "pad_left",
        "zip",
        "items",
        "from_items",
        "merge",
        "keys",
        "values",
        "reverse",
        "abs",
        "sum",
        "avg",
        "contains",
        "find_first",
        "find_last",
        "not_null",
        "sort",
        "max",
        "type",
        "trim",
        "upper",
        "to_array",
        "starts_with",
        "ceil",
    ]);
    let by_reference = prop::sample::select(vec!["map(&", "sort_by(", "max_by(", "min_by(", "group_by("]);
    let binary = prop::sample::select(vec![" | ", "||", "&&", "==", "!=", "<", ">="]);
    let after = prop::sample::select(vec![
        "[]", "[*]", "[0]", "[-1]", "[1:]", "[::-1]", ".a", ".*", "[*].a", ".[@, a]", ".{k: @}",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(5, 24, 3, move |inner| {
            let pair = || (inner.clone(), inner.clone());
            prop_oneof![
                (pair(), binary.clone())
                    .prop_map(|((left, right), operator)| format!("({left}{operator}{right})")),
                (inner.clone(), after.clone()).prop_map(|(inner, after)| format!("({inner}){after}")),
                pair().prop_map(|(list, test)| format!("({list})[?{test}]")),
                pair().prop_map(|(one, other)| format!("[{one}, {other}]")),
                pair().prop_map(|(one, other)| format!("{{first: {one}, \"s e\": {other}}}")),
                inner.clone().prop_map(|inner| format!("!({inner})")),
                (functions.clone(), prop::collection::vec(inner.clone(), 1..4))
                    .prop_map(|(name, args)| format!("{name}({})", args.join(", "))),
                (by_reference.clone(), pair()).prop_map(|(call, (one, other))| match call {
                    "map(&" => format!("map(&{one}, {other})"),
                    call => format!("{call}{one}, &{other})"),
                }),
            ]
        })
}

pub(super) const CLAIMS: &str =
    r#"{"a":[3,1,2],"b":"te\"xt","o":{"a":1,"b":[null,true]},"n":[[1,2],[3,"x"],{}],"x y":-0.5,"e":""}"#;

proptest! {
    #[test]
    fn no_expression_causes_a_panic(expression in expressions()) {
        if let Ok(expression) = JmesPath::parse(&expression) {
            let _ = expression.evaluate(&Document::new(Claims::parse(CLAIMS).unwrap()));
        }
    }

    #[test]
    fn no_text_causes_a_panic(text in prop::collection::vec(prop::sample::select(b"[]a@*.(){}|&!=<>?:,'`\"\\09 -".to_vec()), 0..24)) {
        let _ = JmesPath::parse(std::str::from_utf8(&text).unwrap());
    }
}
