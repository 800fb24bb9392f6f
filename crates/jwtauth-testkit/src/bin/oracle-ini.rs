//! Compares the reader of `grafana.ini` with ini.v1 as Grafana uses it (`tests/oracle/ini`).
//!
//! The library shows a file only as a policy. So the values that ini.v1 reads are given to the library as JSON, and the
//! two policies must be equal.

use std::process::ExitCode;

use jwtauth_core::{Verifier, wire};
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::oracle::{self, Dice, Verdict, member, text};
use serde_json::{Map, Value, json};

fn main() -> ExitCode {
    let pem = match Keyring::load().and_then(|ring| ring.public_pem("ec256-1")) {
        Ok(pem) => pem,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    oracle::run("ini", question, |asked, theirs| {
        judge(text(asked, "text"), theirs, &pem)
    })
}

fn judge(file: &str, theirs: &Value, pem: &str) -> Verdict {
    let ours = policy(json!({ "ini": file }), pem);
    let expected = match theirs.get("error") {
        Some(_) => Err(None),
        None => policy(values(theirs), pem).map_err(Some),
    };
    let refers = || ["$__", "${", "%("].iter().any(|mark| file.contains(mark));
    match (&ours, &expected) {
        (Ok(ours), Ok(expected)) if ours == expected => Ok("the same values"),
        (Err(_), Err(None)) => Ok("both refuse the file"),
        (Err(ours), Err(Some(why))) if ours.code() == why.code() => Ok("the same values, which are refused"),
        (Err(_), _) if *member(theirs, "unknown") == json!(true) => Ok("S12 an unknown key"),
        (Err(_), _) if refers() => Ok("refused: a reference to a value outside of the file"),
        (Err(_), _) if file.contains("[auth.jwt.") => Ok("refused: a section below [auth.jwt]"),
        (Err(why), _)
            if why
                .detail()
                .is_some_and(|why| why.contains("a backslash follows")) =>
        {
            Ok("refused: a backslash after a closing quote")
        }
        _ => Err(format!("{ours:?} instead of {expected:?}")),
    }
}

/// The values that ini.v1 reads, in the form of a configuration.
fn values(theirs: &Value) -> Value {
    let mut values = member(theirs, "values").clone();
    if let Value::Object(sections) = &mut values {
        let top = sections.remove("").unwrap_or_default();
        sections.extend(top.as_object().cloned().unwrap_or_default());
    }
    values
}

/// The policy of a configuration. What is not under test is in `env`, so that every file can be one.
fn policy(mut config: Value, pem: &str) -> Result<Value, jwtauth_core::Error> {
    if let Value::Object(config) = &mut config {
        let key = base64_simd::STANDARD.encode_to_string(pem);
        let env = [
            ("ENABLED", "true"),
            ("HEADER_NAME", "X-Token"),
            ("KEY_VALUE", &key),
        ];
        let env = env.map(|(name, value)| (format!("GF_AUTH_JWT_{name}"), json!(value)));
        config.insert("env".to_owned(), Value::Object(Map::from_iter(env)));
    }
    let verifier = Verifier::from_json(&json!({ "dialect": "grafana", "config": config }).to_string())?;
    let policy: Value = serde_json::from_str(&wire::policy(&verifier)).unwrap_or_default();
    Ok(member(&policy, "config").clone())
}

fn question(dice: &mut Dice) -> Value {
    let mut file = String::new();
    if dice.one_in(30) {
        file.push('\u{feff}');
    }
    let end = if dice.one_in(8) { "\r\n" } else { "\n" };
    if !dice.one_in(10) {
        file.push_str("[auth.jwt]");
        file.push_str(end);
    }
    for _ in 0..1 + dice.below(8) {
        file.push_str(&line(dice));
        file.push_str(if dice.one_in(60) { "\r" } else { end });
    }
    if dice.one_in(6) {
        file = dice.damaged(&file, JUNK);
    }
    json!({ "text": file, "keys": { "auth.jwt": KEYS, "users": ["auto_assign_org_role"], "": ["app_mode"] } })
}

fn line(dice: &mut Dice) -> String {
    match dice.below(40) {
        0 => dice.pick(SECTIONS).to_owned(),
        1 | 2 => dice.pick(COMMENTS).to_owned(),
        3 => dice.pick(STRANGE).to_owned(),
        _ => format!(
            "{}{}{}{}{}",
            dice.pick(SPACE),
            key(dice),
            dice.pick(DELIMITERS),
            value(dice),
            dice.pick(AFTER)
        ),
    }
}

fn key(dice: &mut Dice) -> String {
    let key = match dice.below(40) {
        0 => dice.pick(&["Email_Claim", "email_claim2", "-", ""]),
        1 | 2 => dice.pick(&["app_mode", "auto_assign_org_role"]),
        _ => dice.pick(KEYS),
    };
    match dice.below(60) {
        0 => format!("\"{key}\""),
        1 => format!("`{key}`"),
        2 => format!("\"\"\"{key}\"\"\""),
        3 => format!("'{key}'"),
        _ => key.to_owned(),
    }
}

fn value(dice: &mut Dice) -> String {
    let text = dice.pick(VALUES);
    match dice.below(12) {
        0 => format!("\"{text}\""),
        1 => format!("`{text}`"),
        2 => format!("\"\"\"{text}\"\"\""),
        3 => format!("'{text}'"),
        4 => format!("\"\"\"{text}\n{}\"\"\"", dice.pick(VALUES)),
        5 => format!("`{text}\n\n {}`", dice.pick(VALUES)),
        6 => format!("{text}\\\n  {}", dice.pick(VALUES)),
        7 => format!("{text} {}", dice.pick(COMMENTS)),
        _ => text.to_owned(),
    }
}

/// Keys of `[auth.jwt]`. The policy contains the values of the first two unchanged.
const KEYS: &[&str] = &[
    "username_claim",
    "email_claim",
    "url_login",
    "skip_org_role_sync",
    "cache_ttl",
];
const SECTIONS: &[&str] = &[
    "[auth.jwt]",
    "[users]",
    "[auth]",
    "[DEFAULT]",
    "[]",
    "[ auth.jwt ]",
    "[auth.jwt] ; x",
    "[auth.jwt",
    "auth.jwt]",
    "[auth.jwt]x",
    "[Auth.JWT]",
    "[a]b]",
    "[auth.jwt.x]",
    "  [users]",
    "[default]",
    "[auth.jwt]]",
    "[\"auth.jwt\"]",
    "[auth.jwt]#",
];
const COMMENTS: &[&str] = &[
    "# x",
    "; x",
    "#",
    ";",
    "  # x",
    "#; email_claim = c",
    "// x",
    "; `",
    "# \"\"\"",
];
const STRANGE: &[&str] = &[
    "",
    " ",
    "\t",
    "email_claim",
    "= x",
    ": x",
    "=",
    "email_claim=",
    "email_claim =",
    "-",
    "\\",
    "email_claim\\",
    "\"",
    "`",
    "\"\"\"",
    "email_claim == x",
    "- = x",
    "email_claim = \\",
    "email_claim = x\\",
    "=email_claim = x",
    "\"email_claim = x",
    "email_claim\" = x",
];
const DELIMITERS: &[&str] = &["=", " = ", ": ", ":", " =", "= ", "\t=\t", " : = ", "  =  "];
const SPACE: &[&str] = &["", "", "", "", " ", "\t", "\u{a0}", "\u{2003}"];
const AFTER: &[&str] = &[
    "", "", "", "", " ", "\t", " ; x", " # x", ";x", "#x", "\\", "\\ ", " \\", "\"", "`", "'", "\u{a0}",
    "\"\"\"", "\u{2003}",
];
const VALUES: &[&str] = &[
    "mail",
    "mail",
    "sub",
    "true",
    "off",
    "yes",
    "60m",
    "a b",
    "",
    " ",
    "a;b",
    "a#b",
    "a ; b",
    "a # b",
    "a\"b",
    "a'b",
    "a`b",
    "it's",
    "\"",
    "'",
    "`",
    "''",
    "\"\"",
    "\"\"\"",
    "a\\",
    "\\",
    "a\\n",
    "é",
    "=",
    "a=b",
    "a:b",
    "$__file{x}",
    "${x}",
    "%(mail)s",
    "%(email_claim)s",
    "[x]",
    "\u{a0}x\u{a0}",
    "\u{2003}x",
    "x\u{85}",
    "\\#",
    "\\;",
    "a\\#b",
    "a\\;b",
    "\"a\" b",
    "'a' 'b'",
    "`a` b",
    "\"a",
    "a\"",
    "'a",
    "a'",
    "\"a\"\"b\"",
    "Editor",
    "development",
    "%x",
    "$x",
    "\u{b}x",
    "\u{0}",
    "1 \\ 2",
    "\"a;b\"",
    "`a;b`",
];
const JUNK: &[&str] = &[
    " ",
    "\n",
    "\r",
    "=",
    ":",
    "[",
    "]",
    "\"",
    "`",
    "'",
    "#",
    ";",
    "\\",
    "\t",
    "\"\"\"",
    "\u{feff}",
    "\u{0}",
    "\\\n",
    "\u{a0}",
    "[users]\n",
    "a",
];
