//! Compares the selectors of Consul's binding rules with go-bexpr (`tests/oracle/bexpr`). The library evaluates a selector
//! in a login with one binding rule.

use std::process::ExitCode;

use jwtauth_core::{Code, Request, Verifier};
use jwtauth_testkit::keys::{Keyring, base64url};
use jwtauth_testkit::oracle::{self, Dice, Verdict, member, text};
use serde_json::{Map, Value, json};

fn main() -> ExitCode {
    let ring = match Keyring::load() {
        Ok(ring) => ring,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    oracle::run("bexpr", question, |asked, theirs| {
        judge(&ours(asked, &ring), theirs, text(asked, "selector"))
    })
}

fn judge(ours: &Ours, theirs: &Value, selector: &str) -> Verdict {
    let flag = |name: &str| *member(theirs, name) == json!(true);
    let refused = theirs.get("error").is_some();
    match ours {
        Ours::Refused(_) if refused => Ok("both refuse"),
        Ours::Refused(why)
            if ONLY_GO.iter().any(|part| selector.contains(part)) || why.contains("the Unicode property") =>
        {
            Ok("refused: regular expressions that only Go reads")
        }
        Ours::Refused(_) if selector.contains(r"\xff") => Ok("refused: a text that is not UTF-8"),
        Ours::Selected(true) if !refused && flag("holds") => Ok("both select"),
        Ours::Selected(false) if !refused && !flag("holds") => Ok("neither selects"),
        Ours::Selected(false) if flag("holds") && !flag("strict") => {
            Ok("C5 it holds because `matches` is true for an absent value")
        }
        Ours::Failed(why) => Err(why.clone()),
        Ours::Selected(_) | Ours::Refused(_) => Err(format!("{ours:?}")),
    }
}

#[derive(Debug)]
enum Ours {
    Selected(bool),
    /// The selector is refused when the verifier is built, for this reason.
    Refused(String),
    /// The verifier or the token does not work at all.
    Failed(String),
}

fn ours(asked: &Value, ring: &Keyring) -> Ours {
    let mapped = |name: &str| -> Map<String, Value> {
        let names = [VALUES, LISTS].concat();
        names
            .iter()
            .map(|target| (format!("{name} {target}"), json!(target)))
            .collect()
    };
    let config = json!({ "dialect": "consul", "options": { "now": NOW }, "config": {
        "AuthMethod": { "Name": "m", "Type": "jwt", "Config": {
            "JWTValidationPubKeys": [ring.public_pem(KEY).unwrap_or_default()],
            "ClaimMappings": mapped("value"), "ListClaimMappings": mapped("list") } },
        "BindingRules": [{ "Selector": member(asked, "selector"), "BindType": "policy", "BindName": "p" }] } });
    let verifier = match Verifier::from_json(&config.to_string()) {
        Ok(verifier) => verifier,
        Err(why) if why.code() == Code::ExpressionInvalid => {
            return Ours::Refused(why.detail().unwrap_or_default().to_owned());
        }
        Err(why) => return Ours::Failed(why.to_string()),
    };
    let mut claims = Map::from_iter([
        ("iat".to_owned(), json!(NOW)),
        ("exp".to_owned(), json!(NOW + 60)),
    ]);
    for (kind, prefix) in [("values", "value"), ("lists", "list")] {
        for (name, value) in member(asked, kind).as_object().into_iter().flatten() {
            claims.insert(format!("{prefix} {name}"), value.clone());
        }
    }
    let message = format!(
        "{}.{}",
        base64url(br#"{"alg":"EdDSA"}"#),
        base64url(Value::Object(claims).to_string().as_bytes())
    );
    let signature = ring
        .get(KEY)
        .and_then(|key| key.sign("EdDSA", message.as_bytes()))
        .unwrap_or_default();
    let token = format!("{message}.{}", base64url(&signature));
    match verifier.authenticate(&Request::bearer(&token)) {
        Ok(_) => Ours::Selected(true),
        Err(why) if why.code() == Code::BindingUnmatched => Ours::Selected(false),
        Err(why) => Ours::Failed(why.to_string()),
    }
}

fn question(dice: &mut Dice) -> Value {
    let mut selector = expression(dice, 3);
    if dice.one_in(20) {
        selector = dice.damaged(&selector, JUNK);
    }
    let mut values = Map::new();
    let mut lists = Map::new();
    for name in VALUES {
        if dice.one_in(2) {
            values.insert((*name).to_owned(), json!(dice.pick(TEXTS)));
        }
    }
    for name in LISTS {
        if dice.one_in(2) {
            // Consul leaves out empty texts before it evaluates selectors.
            let texts = (0..dice.below(4)).map(|_| dice.pick(TEXTS));
            let list: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
            lists.insert((*name).to_owned(), json!(list));
        }
    }
    json!({ "selector": selector, "values": values, "lists": lists })
}

fn expression(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 || dice.one_in(3) {
        return test(dice);
    }
    let inner = expression(dice, depth - 1);
    match dice.below(6) {
        0 => format!("not {inner}"),
        1 => format!("({inner})"),
        2 => format!("not ({inner})"),
        3 => format!("{inner}{}{}", dice.pick(JOINS), expression(dice, depth - 1)),
        4 => format!("({inner}){}{}", dice.pick(JOINS), expression(dice, depth - 1)),
        _ => format!("{inner} and {}", expression(dice, depth - 1)),
    }
}

fn test(dice: &mut Dice) -> String {
    let space = if dice.one_in(10) {
        dice.pick(&[
            "  ", "	", "
", "",
        ])
    } else {
        " "
    };
    match dice.below(10) {
        0..3 => format!(
            "{}{}{}",
            value_name(dice),
            dice.pick(&[" == ", "!=", "==", " != "]),
            value(dice)
        ),
        3..6 => format!("{} matches{space}{}", value_name(dice), pattern(dice)),
        6 => format!("{} not matches {}", value_name(dice), pattern(dice)),
        7 => format!("{} is {}empty", name(dice), dice.pick(&["", "not "])),
        8 => format!(
            "{}{space}{} {}",
            value(dice),
            dice.pick(&["in", "not in"]),
            name(dice)
        ),
        _ => format!(
            "{} {}{space}{}",
            name(dice),
            dice.pick(&["contains", "not contains"]),
            value(dice)
        ),
    }
}

fn name(dice: &mut Dice) -> String {
    match dice.below(8) {
        0..4 => value_name(dice),
        4 => dice.pick(&["value", "list"]).to_owned(),
        5 if dice.one_in(4) => dice.pick(STRANGE).to_owned(),
        _ => format!("list{}", below(dice, LISTS)),
    }
}

fn value_name(dice: &mut Dice) -> String {
    if dice.one_in(20) {
        return name(dice);
    }
    format!("value{}", below(dice, VALUES))
}

fn below(dice: &mut Dice, names: &[&str]) -> String {
    let name = dice.pick(names);
    if name.chars().all(char::is_alphanumeric) && dice.below(4) > 0 {
        return format!(".{name}");
    }
    match dice.below(3) {
        0 => format!("[`{name}`]"),
        1 => format!("[ \"{name}\" ]"),
        _ => format!("[\"{name}\"]"),
    }
}

fn value(dice: &mut Dice) -> String {
    match dice.below(5) {
        0 if dice.one_in(3) => dice.pick(BARE).to_owned(),
        0 => dice.pick(&["ops", "admin", "1", "a.b", "x"]).to_owned(),
        1 => format!("`{}`", dice.pick(TEXTS)),
        2 if dice.one_in(5) => dice.pick(QUOTED).to_owned(),
        3 => dice
            .pick(&VALUES.iter().chain(LISTS).copied().collect::<Vec<_>>())
            .to_owned(),
        _ => format!("\"{}\"", dice.pick(TEXTS)),
    }
}

fn pattern(dice: &mut Dice) -> String {
    let patterns = if dice.one_in(5) { PATTERNS } else { PLAIN };
    let pattern = dice.pick(patterns);
    match dice.below(3) {
        0 if !pattern.contains(['\\', '"']) => format!("\"{pattern}\""),
        _ => format!("`{pattern}`"),
    }
}

const KEY: &str = "ed25519-1";
const NOW: i64 = 1_700_000_000;

/// The targets of the claim mappings.
const VALUES: &[&str] = &["team", "mail", "n1", "first-name", "a.b", "é", ""];
const LISTS: &[&str] = &["groups", "x", "on call"];
const TEXTS: &[&str] = &[
    "",
    "a",
    "ops",
    "admin",
    "é",
    "K",
    "a b",
    "1",
    "1.0",
    "ops.x",
    "a.b",
    "team",
    "groups",
    "x",
    "\u{17f}",
    "line\nbreak",
    "a+b",
    "(",
    "[a]",
];
const BARE: &[&str] = &[
    "ops",
    "admin",
    "1",
    "1.0",
    "-1",
    "0",
    "01",
    "-0",
    "1.",
    "1e3",
    "a",
    "a.b",
    "value.team",
    "team[\"x\"]",
    "not",
    "in",
    "é",
    "_a",
    "true",
    "matches",
];
const QUOTED: &[&str] = &[
    r#""\x61""#,
    r#""a\tb""#,
    r#""\u00e9""#,
    r#""\'""#,
    r#""\q""#,
    r#""\101""#,
    r#""\"""#,
    r#""\U0001F600""#,
    r#""\\""#,
    "\"a\nb\"",
    "'a'",
    "`a\r\nb`",
    "`\\x61`",
    r#""\xff""#,
    r#""\ud800""#,
];
const STRANGE: &[&str] = &[
    "values.a",
    "Value.team",
    "value.team.x",
    "list.groups.x",
    "value[team]",
    "value[\"team\"].x",
    "value.",
    "team",
    "value . team",
    "value[1]",
    "value.1",
    "value.n1",
    "/value/team",
    "\"/value/team\"",
    "list[`groups`]",
    "value[\"team\"",
    "lists",
    "value.first-name",
];
const PLAIN: &[&str] = &[
    "^ops$",
    "a",
    "",
    ".",
    "^$",
    "(?i)OPS",
    "[a-c]+",
    "o|a",
    "^(ops|admin)$",
    "\\bops\\b",
    "\\d",
    "\\w+",
    "[^a]",
    "\\pL",
    "(?s).",
    "[é-ÿ]",
    "(?:a|b)*c",
    "^a.b$",
    "a\\.b",
    "\\s",
    "(?i)k",
    "x*?",
    "a{1,2}",
    "[[:alpha:]]",
    "^[^@]+@example",
    "\\x61",
];
const PATTERNS: &[&str] = &[
    "^ops$",
    "a",
    "",
    ".",
    "^$",
    "(?i)OPS",
    "[a-c]+",
    "o|a",
    "^(ops|admin)$",
    "\\bops\\b",
    "\\d",
    "\\w+",
    "[^a]",
    "(a",
    "a**",
    "a{2}",
    "a{,2}",
    "a{1001}",
    "(?P<n>a)",
    "(?<n>a)",
    "\\pL",
    "\\p{Greek}",
    "\\p{Grek}",
    "\\p{greek}",
    "\\p{Letter}",
    "\\p{letter}",
    "\\p{Alphabetic}",
    "\\p{Any}",
    "\\p{ASCII}",
    "\\p{Assigned}",
    "\\p{Lu}",
    "\\p{lu}",
    "\\p{LC}",
    "\\p{Cn}",
    "\\p{gc=Lu}",
    "\\p{sc=Greek}",
    "\\p{Emoji}",
    "\\P{Latin}",
    "\\p{latn}",
    "\\p{Cyrillic}",
    "\\p{White_Space}",
    "\\p{Old_Italic}",
    "\\p{OldItalic}",
    "\\p{ L }",
    "\\p{L",
    "\\P{Latin",
    "\\x{41",
    "\\pl",
    "a\\ b",
    "a\\\tb",
    "ops(?)",
    "\\x{d800}",
    "\\p{Script=Greek}",
    "[[:alpha:]]",
    "[[:foo:]]",
    "\\Qa+b\\E",
    "\\B",
    "\\Aops\\z",
    "ops\\Z",
    "\\x61",
    "\\x{e9}",
    "\\101",
    "(?=a)",
    "(?!a)",
    "(a)\\1",
    "x*?",
    "a{2}{3}",
    "[a-z&&[^b]]",
    "(?s).",
    "(?m)^break$",
    "(?U)a+",
    "(?x) a",
    "[]a]",
    "[a",
    "\\",
    "a\\.b",
    "\\C",
    "é",
    "[é-ÿ]",
    "\\s",
    "k",
    "(?i)k",
    "{",
    "a{",
    "}",
    "]",
    "(?i)s",
    "[--a]",
    "\\pN",
    "\\d{3}",
    "(?:a|b)*c",
    "^a.b$",
];
const JOINS: &[&str] = &[" and ", " or ", " and ", " or ", "\nand\t", " and not "];
const JUNK: &[&str] = &[
    " ", "\t", "\n", "\u{a0}", "(", ")", "[", "]", "\"", "`", "'", ".", "=", "!", "-", "not ", " and ",
    " or ", "in", "a", "1", "é", "\\", "\r", "#", ",", "$", "\u{0}",
];

/// Parts of the regular expressions that only Go reads.
const ONLY_GO: &[&str] = &["\\Q", "\\B", "\\101", "[--", "{,", "\\C", "{^", "(?)", "\\x{d8"];
