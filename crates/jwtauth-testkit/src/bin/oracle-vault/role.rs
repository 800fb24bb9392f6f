//! Random roles.

use jwtauth_testkit::oracle::Dice;
use serde_json::{Map, Value, json};

use crate::token::{Claims, Notes, POOL, parsed};

/// A random role. Most of its rules hold for the claims.
pub(crate) fn random(dice: &mut Dice, claims: &Claims, notes: &mut Notes) -> Value {
    let mut role = Map::new();
    let mut set = |name: &str, value: Value| drop(role.insert(name.to_owned(), value));
    if !dice.one_in(60) {
        set(
            "role_type",
            dice.json(r#""jwt""#, r#""oidc" | "" | "JWT" | null"#),
        );
    }
    if dice.one_in(100) {
        set(
            "allowed_redirect_uris",
            dice.json(r#"["https://x"] | [] | "" "#, ""),
        );
    }
    set(
        "user_claim",
        dice.json(
            r#""sub" | "sub" | "sub" | "sub" | "sub" | "sub" | "sub" | "name" | "email" | "/org/id""#,
            r#""/x" | "/" | "n" | "groups" | "" | 7 | null | "/org/teams/0""#,
        ),
    );
    if dice.one_in(2) {
        set(
            "user_claim_json_pointer",
            dice.json(
                r#"true | true | "true" | 1"#,
                r#"false | null | "yes" | "T" | 2 | [] | "" "#,
            ),
        );
    }
    if dice.one_in(3) {
        set(
            "groups_claim",
            dice.json(
                r#""groups" | "groups" | "/groups" | "/org/teams""#,
                r#""list" | "missing" | "/groups/0" | "a.b" | "" | null | 7 | "/" "#,
            ),
        );
    }
    if if parsed(claims, "aud").is_null() {
        dice.one_in(30)
    } else {
        !dice.one_in(20)
    } {
        set(
            "bound_audiences",
            dice.json(
                r#"["api","x"] | "api" | "web, api" | [" api "]"#,
                r#"[""] | [] | "" | ["web"] | null | 7 | true | {}"#,
            ),
        );
    }
    if dice.one_in(3) {
        let subject = parsed(claims, "sub");
        set(
            "bound_subject",
            if dice.one_in(20) {
                dice.json(r#""alice" | "" | null | 7 | true | []"#, "")
            } else {
                subject
            },
        );
    }
    if dice.below(4) > 0 {
        bound_claims(dice, claims, &mut set, notes);
    } else if !dice.one_in(10) {
        set("bound_subject", parsed(claims, "sub"));
    }
    if dice.one_in(3) {
        mappings(dice, &mut set);
    }
    for name in ["clock_skew_leeway", "expiration_leeway", "not_before_leeway"] {
        if dice.one_in(5) {
            let usual = r#"0 | -1 | 2000 | "10000s" | "1h" | 200000 | "-500ms" | "2d" | "90" | """#;
            set(
                name,
                dice.json(usual, r#"null | "x" | 1.5 | "1d2h" | "-1d" | true"#),
            );
        }
    }
    session(dice, &mut set, notes);
    let bound = ["bound_audiences", "bound_subject", "bound_claims"];
    if !dice.one_in(30) && bound.iter().all(|name| !role.contains_key(*name)) {
        role.insert("bound_subject".to_owned(), parsed(claims, "sub"));
    }
    if dice.one_in(400) {
        notes.push("unknown");
        role.insert("user_claims".to_owned(), json!("sub"));
    }
    Value::Object(role)
}

fn bound_claims(dice: &mut Dice, claims: &Claims, set: &mut impl FnMut(&str, Value), notes: &mut Notes) {
    let mut glob = dice.one_in(3);
    let mut bound = Map::new();
    for _ in 0..1 + dice.below(2) {
        let (name, _) = dice.pick(POOL);
        let claim = parsed(claims, name);
        if claim.is_null() && !dice.one_in(10) {
            continue;
        }
        let selector = if dice.one_in(5) {
            format!("/{name}")
        } else {
            name.to_owned()
        };
        let number = matches!(claim, Value::Number(_));
        if number {
            notes.push("number");
        }
        let value = match (dice.below(12), claim) {
            (0, _) if dice.one_in(3) => dice.json(BOUND, ""),
            (1, Value::Array(list)) => list.first().cloned().unwrap_or_default(),
            (2, claim) => json!([claim, "other"]),
            (3 | 4, Value::String(text)) if glob => {
                json!(format!("{}*", text.chars().take(2).collect::<String>()))
            }
            (5, Value::String(text)) if glob => {
                json!([format!("*{}", text.chars().skip(1).collect::<String>()), "x"])
            }
            (3..8, _) if number => dice.json(
                "42 | 9007199254740992 | 0 | 1000 | 9223372036854775807 | 10000000000000000000 | 43",
                "",
            ),
            (_, claim) => claim,
        };
        bound.insert(selector, value);
    }
    if dice.one_in(8) {
        let selector = dice.among("/org/id | /org/teams | /org/size | /org/a~1b | /org/m~0n | /org/teams/0 | /org/teams/0x1 | /list/0 | /groups/0", "/org/teams/-1 | /org/ | /org/teams/ | /list/00 | /org/id/x | /org/teams/1_0");
        bound.insert(
            selector.to_owned(),
            dice.json(
                r#"["acme","red","blue","dev","a",3,"s","t"] | "red" | 3 | "e" | ["blue"]"#,
                "7.0 | null | [[]]",
            ),
        );
    }
    if bound.is_empty() && !dice.one_in(10) {
        return;
    }
    let is_text = |value: &Value| value.is_string();
    let texts =
        |value: &Value| is_text(value) || value.as_array().is_some_and(|list| list.iter().all(is_text));
    glob &= bound.values().all(texts) || dice.one_in(20);
    let list = json!([bound]);
    let odd = dice.json(r#""a=b" | [] | {} | null | [null] | 7 | true"#, "");
    set(
        "bound_claims",
        match dice.below(80) {
            0 => odd,
            1..5 => list,
            _ => json!(bound),
        },
    );
    if glob {
        set("bound_claims_type", json!("glob"));
    } else if dice.one_in(10) {
        set(
            "bound_claims_type",
            dice.json(r#""string""#, r#""" | "Glob" | "x" | null"#),
        );
    }
}

fn mappings(dice: &mut Dice, set: &mut impl FnMut(&str, Value)) {
    let mut mapped = Map::new();
    for target in ["a", "b", "Role"] {
        let source = dice.among(
            "name | email | /org/id | path | missing | /name",
            "n | groups | flag | /org/size | a.b | /x | /~1x | ",
        );
        let target = if dice.one_in(60) { "role" } else { target };
        mapped.insert(source.to_owned(), json!(target));
    }
    let pairs = mapped
        .iter()
        .map(|(source, target)| format!("{source}={}", target.as_str().unwrap_or_default()));
    let pairs: Vec<String> = pairs.collect();
    set("claim_mappings", match dice.below(40) {
        0 => json!(pairs),
        1 => dice.json(r#""email=mail" | [{"email":"mail"},{"name":"n"}] | [] | null | {"a":{}} | {"name":7} | ["=x"] | ["a"] | {"name":null} | ["name=a=b"] | {"email":"a","name":"a"} | {"name":""} | {"":"x"}"#, ""),
        _ => json!(mapped),
    });
}

/// The fields about the session.
fn session(dice: &mut Dice, set: &mut impl FnMut(&str, Value), notes: &mut Notes) {
    let times = r#"600 | "1h" | "2h30m" | 0 | "1d" | "90" | "1500ms" | 3600 | 7200 | "" | "10m""#;
    for (name, old, usual) in [
        ("token_ttl", "ttl", r#"600 | "10m" | "90" | "1500ms" | 0 | "" "#),
        ("token_max_ttl", "max_ttl", times),
        ("token_period", "period", times),
        ("token_explicit_max_ttl", "", times),
    ] {
        if dice.one_in(5) {
            let name = if dice.one_in(6) && !old.is_empty() {
                old
            } else {
                name
            };
            set(
                name,
                dice.json(usual, r#"null | -5 | "x" | "5000h" | 1.5 | 1e3 | true"#),
            );
        }
    }
    if dice.one_in(3) {
        let name = if dice.one_in(8) {
            "policies"
        } else {
            "token_policies"
        };
        let usual =
            r#"["dev","ops"] | "dev, Ops" | ["b","a","b"] | [] | "default" | [" x "] | ["É"] | [1,true] | 7"#;
        let refused = r#"["a",""] | "a,,b" | ["a/../b"] | ["./a"]"#;
        if dice.one_in(80) {
            notes.push("policies");
            set(name, dice.json(refused, ""));
        } else {
            set(
                name,
                dice.json(
                    usual,
                    r#"["root"] | ["response-wrapping"] | null | true | ["control-group"] | {}"#,
                ),
            );
        }
    }
    if dice.one_in(6) {
        set(
            "token_no_default_policy",
            dice.json(r#"true | false | "1" | 0"#, r#"null | 2 | "yes""#),
        );
    }
    if dice.one_in(6) {
        let name = if dice.one_in(6) {
            "num_uses"
        } else {
            "token_num_uses"
        };
        set(
            name,
            dice.json(
                r#"3 | 0 | "0x10" | "010" | true | """#,
                r#"-1 | null | 1.5 | "x""#,
            ),
        );
        notes.push("uses");
    }
    if dice.one_in(6) {
        set(
            "token_type",
            dice.json(
                r#""service" | "batch" | "default" | """#,
                r#""default-service" | "x" | null"#,
            ),
        );
    }
    if dice.one_in(4) {
        let name = if dice.one_in(6) {
            "bound_cidrs"
        } else {
            "token_bound_cidrs"
        };
        let (usual, odd) = if dice.one_in(15) {
            notes.push("network");
            (
                r#"["300.1.1.1/24"] | "/var/run/x" | ["10.0.0.0/33"] | ["10.0.0.0/8","x/y"] | ["."] | ["10.1.2.3:"] | ["10.1.2.3:+80"] | ["::ffff:10.1.2.3/32"] | ["::ffff:10.1.2.3/0104"] | ["010.0.0.0/8"] | ["10.00.0.0/8"] | ["[::ffff:10.1.2.3]"] | ["10.0.0.0/00000000"] | ["10.1.2.3/00ffffff"]"#,
                "",
            )
        } else {
            (
                r#"["10.0.0.0/8"] | "10.0.0.0/8,192.0.2.7" | ["10.1.2.3"] | ["10.1.2.3/32"] | ["10.1.2.3:443"] | ["127.0.0.1/8","10.1.0.0/16"] | ["10.1.2.3/16"] | ["10.0.0.0/8","2001:db8::/32"] | ["0.0.0.0/0","::/0"] | []"#,
                r#"["2001:DB8::1","10.0.0.0/8"] | ["::ffff:10.0.0.0/104"] | [""] | ["x"] | " 10.0.0.0/8 " | ["::ffff:10.1.2.3"] | ["2001:db8:0:0::1/128","10.0.0.0/8"] | ["[2001:db8::1]:443","10.0.0.0/8"] | null | ["10.0.0.0/08"] | ["10.0.0.0/008"] | ["10.1.2.3/031"] | ["::1/0"] | ["10.0.0.0/+8"] | ["10.0.0.0/8 "] | ["2001:0DB8::/32","10.1.0.0/16"] | ["[::]/0"] | ["::ffff:0:0/96"] | ["0::/0","0.0.0.0/0"]"#,
            )
        };
        set(name, dice.json(usual, odd));
    }
}

/// Bound values.
const BOUND: &str = r#""a" | ["a","b"] | 42 | 42.0 | true | "true" | "42" | null | {} | [] | [null] | [{}] | [["a"]] | [42] | "*" | "" | -0 | [1,"a"] | {"a":1} | "a*" | ["dev",42]"#;
