//! Random claims and tokens.

use jwtauth_testkit::keys::{Keyring, base64url};
use jwtauth_testkit::oracle::Dice;
use serde_json::{Value, json};

/// Claims in the order of the payload: names, and values as JSON text.
pub(crate) type Claims = Vec<(String, String)>;

/// Notes for the rows that explain differences.
pub(crate) type Notes = Vec<&'static str>;

/// A random payload. Most of them have the claims that most roles require.
pub(crate) fn claims(dice: &mut Dice, now: i64, notes: &mut Notes) -> Claims {
    let mut claims = Claims::new();
    let mut add = |name: &str, value: &str| claims.push((name.to_owned(), value.to_owned()));
    add(
        "iss",
        dice.among(
            r#""https://issuer.example""#,
            r#""https://issuer.example/" | "other" | null | 7 | [] | """#,
        ),
    );
    if !dice.one_in(40) {
        add(
            "sub",
            dice.among(
                r#""alice" | "alice" | "bob""#,
                r#""" | "Alice" | null | 7 | {} | "é""#,
            ),
        );
    }
    if dice.one_in(2) {
        add(
            "aud",
            dice.among(
                r#""api" | ["api"] | ["web","api"]"#,
                r#""" | [] | [""] | "API" | null | 7 | {} | ["api",7] | ["api",null]"#,
            ),
        );
    }
    // The plugin's clock is the real one, so no time is near a limit.
    for (name, absent) in [("iat", 10), ("nbf", 2), ("exp", 12)] {
        if dice.one_in(absent) {
            continue;
        }
        let mut time = if name == "exp" { now + 5000 } else { now - 500 };
        if dice.one_in(25) {
            time = dice.pick(&[
                now - 100_000,
                now - 5000,
                now - 500,
                now + 500,
                now + 5000,
                now + 100_000,
            ]);
        }
        match dice.below(150) {
            0 => add(name, &format!("{time}.75")),
            1 => add(name, &format!("{time}e0")),
            2 => {
                notes.push("zero");
                add(name, dice.among("0 | 0.5 | -0 | 0.0", ""));
            }
            3 | 4 => add(name, dice.among("null | -1 | true | \"1\" | [] | {} | 1", "")),
            5 | 6 => {
                notes.push("time");
                add(name, dice.among("9007199254740993 | -9007199254740993 | 1e300 | 9223372036854775807 | 18446744073709551615 | 1e19", ""));
            }
            _ => add(name, &time.to_string()),
        }
    }
    if dice.one_in(10) {
        add("jti", dice.among("\"x\"", "null | 7 | []"));
    }
    for (name, values) in POOL {
        if dice.below(3) > 0 {
            add(name, dice.among(values, ODD));
        }
    }
    strange(dice, &mut claims, notes);
    claims
}

/// Changes the payload in a way that real issuers do not.
fn strange(dice: &mut Dice, claims: &mut Claims, notes: &mut Notes) {
    match dice.below(120) {
        0 => {
            notes.push("duplicate");
            claims.push(("x".to_owned(), r#"{"a":1,"b":{"c":1,"c":1}}"#.to_owned()));
        }
        1 => {
            notes.push("duplicate");
            let again = dice.pick(claims);
            claims.push(again);
        }
        2 => {
            notes.push("case");
            let name = dice.pick(&[
                "SUB",
                "Iss",
                "\u{17f}ub",
                "EXP",
                "aUd",
                "Jti",
                "naf",
                "Nbf",
                "IAT",
            ]);
            claims.push((name.to_owned(), dice.pick(&["\"alice\"", "1", "null"]).to_owned()));
        }
        3 => {
            notes.push("deep");
            claims.push(("x".to_owned(), format!("{}{}", "[".repeat(80), "]".repeat(80))));
        }
        4 => {
            notes.push("unicode");
            claims.push((
                "x".to_owned(),
                dice.pick(&[r#""\ud800""#, r#""\udc00 x""#]).to_owned(),
            ));
        }
        5 => claims.push((
            "x".to_owned(),
            dice.pick(&["1e400", "01", "nul", "\"\t\"", "'a'", "1.", "NaN"])
                .to_owned(),
        )),
        _ => {}
    }
}

/// Signs a payload with one of the keys that have a name in the configuration, or sometimes with another one.
pub(crate) fn signed(
    dice: &mut Dice,
    ring: &Keyring,
    configured: &[(String, Option<String>)],
    claims: &Claims,
    notes: &mut Notes,
) -> String {
    let (mut key, mut kid) = dice.pick(configured);
    if dice.one_in(40) || key.is_empty() {
        key = dice.pick(KEYS).to_owned();
    }
    if dice.one_in(40) {
        kid = dice.pick(&[
            None,
            Some(String::new()),
            Some("k1".to_owned()),
            Some("k2".to_owned()),
            Some("K1".to_owned()),
        ]);
    }
    let algorithm = dice.pick(algorithms(&key));
    let header = header(dice, algorithm, kid, notes);
    let members: Vec<String> = claims
        .iter()
        .map(|(name, value)| format!("{}:{value}", json!(name)))
        .collect();
    let mut payload = format!("{{{}}}", members.join(","));
    if dice.one_in(150) {
        payload = dice
            .pick(&[
                "[]",
                "null",
                "\"a\"",
                "",
                "{}",
                "{\"sub\":\"alice\"}x",
                " {\"sub\":\"alice\"} ",
            ])
            .to_owned();
    }
    let mut payload = payload.into_bytes();
    if dice.one_in(250) {
        notes.push("unicode");
        let place = payload
            .windows(5)
            .position(|part| part == b"alice")
            .map_or(0, |at| at + 2);
        payload.splice(place..place, [0xff]);
    }
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(&payload));
    let signature = ring
        .get(&key)
        .and_then(|key| key.sign(algorithm, message.as_bytes()))
        .unwrap_or_default();
    changed(dice, &format!("{message}.{}", base64url(&signature)), notes)
}

fn header(dice: &mut Dice, algorithm: &str, kid: Option<String>, notes: &mut Notes) -> String {
    let mut members = vec![format!("\"alg\":{}", json!(algorithm))];
    if let Some(kid) = kid {
        members.push(format!("\"kid\":{}", json!(kid)));
    }
    if dice.one_in(2) {
        members.push("\"typ\":\"JWT\"".to_owned());
    }
    match dice.below(150) {
        0 => {
            notes.push("crit");
            members.push(
                dice.pick(&[
                    "\"crit\":[\"exp\"]",
                    "\"crit\":[]",
                    "\"crit\":[\"b64\"],\"b64\":true",
                    "\"b64\":true",
                    "\"crit\":null",
                ])
                .to_owned(),
            );
        }
        1 => {
            notes.push("duplicate");
            members.push(
                dice.pick(&[
                    "\"typ\":\"JWT\",\"typ\":\"JWT\"",
                    "\"x\":{\"a\":1,\"a\":2}",
                    "\"alg\":\"none\"",
                ])
                .to_owned(),
            );
        }
        2 => {
            notes.push("kid");
            members.retain(|member| !member.starts_with("\"kid\""));
            members.push(dice.pick(&["\"kid\":null", "\"kid\":1", "\"kid\":[]"]).to_owned());
        }
        3 => {
            notes.push("header");
            members.push(
                dice.pick(&[
                    "\"typ\":null",
                    "\"typ\":7",
                    "\"cty\":{}",
                    "\"nonce\":null",
                    "\"jwk\":null",
                    "\"x5c\":null",
                    "\"enc\":\"A128GCM\"",
                    "\"jku\":1",
                    "\"x5t\":null",
                ])
                .to_owned(),
            );
        }
        4 => members.push(
            dice.pick(&[
                "\"x\":1",
                "\"jku\":\"https://x\"",
                "\"cty\":\"JWT\"",
                "\"x5u\":\"x\"",
                "\"nonce\":\"n\"",
            ])
            .to_owned(),
        ),
        5 => {
            if let Some(alg) = members.first_mut() {
                *alg = dice
                    .pick(&[
                        "\"alg\":\"none\"",
                        "\"alg\":\"HS256\"",
                        "\"alg\":\"\"",
                        "\"alg\":null",
                        "\"alg\":\"rs256\"",
                        "\"x\":1",
                    ])
                    .to_owned();
            }
        }
        _ => {}
    }
    format!("{{{}}}", members.join(","))
}

/// The token, sometimes with changes that do not need the key.
fn changed(dice: &mut Dice, token: &str, notes: &mut Notes) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return token.to_owned();
    };
    let last = |text: &str| text.chars().last().unwrap_or('A');
    let without_last = |text: &str| {
        text.chars()
            .take(text.len().saturating_sub(1))
            .collect::<String>()
    };
    match dice.below(200) {
        0 => {
            notes.push("alphabet");
            format!("{header}. {payload}.{signature}")
        }
        1 => {
            notes.push("alphabet");
            format!("{token}{}", dice.pick(&["=", "==", "\n", " "]))
        }
        2 => {
            notes.push("alphabet");
            let bits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let next = bits
                .find(last(signature))
                .and_then(|at| bits.chars().nth(at + 1))
                .unwrap_or('A');
            format!("{header}.{payload}.{}{next}", without_last(signature))
        }
        3 => {
            notes.push("form");
            json!({ "protected": header, "payload": payload, "signature": signature }).to_string()
        }
        4 => format!("{header}.{payload}.{}", without_last(signature)),
        5 => format!("{header}.{payload}."),
        6 => format!("{header}.{payload}"),
        7 => format!("{token}.e30"),
        8 => format!("{header}.{}.{signature}", base64url(b"{\"sub\":\"alice\"}")),
        9 => format!("Bearer {token}"),
        10 => String::new(),
        _ => token.to_owned(),
    }
}

/// The algorithms of a test key.
pub(crate) fn algorithms(key: &str) -> &'static [&'static str] {
    match key.split('-').next() {
        Some("rsa") => &["RS256", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        Some("ec256") => &["ES256"],
        Some("ec384") => &["ES384"],
        Some("ec521") => &["ES512"],
        _ => &["EdDSA"],
    }
}

/// The values of a claim, as JSON.
pub(crate) fn parsed(claims: &Claims, name: &str) -> Value {
    let value = claims.iter().find(|(known, _)| known == name);
    value
        .and_then(|(_, value)| serde_json::from_str(value).ok())
        .unwrap_or_default()
}

/// Keys that sign. RSA is rare, because it is slow.
pub(crate) const KEYS: &[&str] = &[
    "ed25519-1",
    "ed25519-1",
    "ed25519-2",
    "ec256-1",
    "ec256-2",
    "ec384-1",
    "ec521-1",
    "rsa-1",
    "rsa-2",
];

/// Claims that roles refer to, with their usual values.
pub(crate) const POOL: &[(&str, &str)] = &[
    ("name", r#""alice" | "Alice A" | "bob""#),
    ("email", r#""alice@example.com" | "bob@example.com""#),
    (
        "groups",
        r#"["dev","ops"] | ["dev"] | [] | "dev" | "dev,ops" | "dev ops" | ["","dev"] | ["dev","dev"] | "dev,,ops""#,
    ),
    (
        "n",
        "42 | 42 | 42.0 | 42.9 | 4.2e1 | 0 | -7 | 9007199254740993 | 1e19 | 0.5 | -0 | 9223372036854775807 | 18446744073709551615 | 1e3",
    ),
    ("flag", "true | false"),
    (
        "list",
        r#"["a","b"] | ["b"] | [1,2] | [true,"a"] | [null] | ["a",null] | [["a"]] | [{}] | [42.0]"#,
    ),
    (
        "org",
        r#"{"id":"acme","teams":["red","blue"],"size":3,"a/b":"s","m~n":"t","":"e"}"#,
    ),
    ("a.b", r#""dotted" | ["dotted"]"#),
    ("/x", r#""slashed""#),
    ("", r#""nameless""#),
    ("path", r#""team/web/main" | "team/web" | "*" | "TEAM/web""#),
];

const ODD: &str = r#"null | true | 42 | 1.5 | "" | [] | {} | ["a"] | {"a":1} | "a" | [null] | [1] | "\u0000" | "é" | 0 | ["dev",1]"#;
