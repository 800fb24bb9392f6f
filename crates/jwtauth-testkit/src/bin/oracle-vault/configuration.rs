//! Random configurations and roles.

use std::collections::BTreeMap;

use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::oracle::Dice;
use serde_json::{Map, Value, json};

use crate::SERVER;
use crate::token::{Claims, KEYS, Notes, POOL, algorithms, parsed};

/// The body of `config`, the documents at its URLs, and the keys in it with their names.
pub(crate) struct Configuration {
    pub(crate) body: Value,
    pub(crate) documents: BTreeMap<String, String>,
    pub(crate) keys: Vec<(String, Option<String>)>,
}

impl Configuration {
    pub(crate) fn random(dice: &mut Dice, ring: &Keyring, notes: &mut Notes) -> Configuration {
        let mut made = Configuration {
            body: json!({}),
            documents: BTreeMap::new(),
            keys: Vec::new(),
        };
        match dice.below(10) {
            0..5 => made.pems(dice, ring, notes),
            5 | 6 => {
                made.serve("/keys", dice, ring, notes);
                made.set("jwks_url", json!(format!("{SERVER}/keys")));
            }
            7 => {
                let count = 1 + dice.below(2);
                let pairs: Vec<Value> = (0..count)
                    .map(|index| {
                        let path = format!("/keys{index}");
                        made.serve(&path, dice, ring, notes);
                        json!({ "jwks_url": format!("{SERVER}{path}") })
                    })
                    .collect();
                made.set("jwks_pairs", json!(pairs));
            }
            _ => {
                let issuer = format!("{SERVER}/issuer");
                let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys"), "authorization_endpoint": issuer, "token_endpoint": issuer });
                let path = "/issuer/.well-known/openid-configuration";
                made.documents.insert(path.to_owned(), metadata.to_string());
                made.serve("/issuer/keys", dice, ring, notes);
                made.set("oidc_discovery_url", json!(issuer));
            }
        }
        made.options(dice, notes);
        made
    }

    fn set(&mut self, name: &str, value: Value) {
        if let Value::Object(body) = &mut self.body {
            body.insert(name.to_owned(), value);
        }
    }

    fn pems(&mut self, dice: &mut Dice, ring: &Keyring, notes: &mut Notes) {
        let mut pems = Vec::new();
        for _ in 0..1 + dice.below(3) {
            let key = dice.pick(KEYS);
            pems.push(match dice.below(5) {
                0 => ring.certificate_pem(key).or_else(|_| ring.public_pem(key)),
                _ => ring.public_pem(key),
            });
            self.keys.push((key.to_owned(), Some("k1".to_owned())));
        }
        if dice.one_in(150) {
            notes.push("weak");
            pems.push(ring.public_pem(dice.pick(&[
                "p224",
                "rsa-1024",
                "rsa-e3",
                "secp256k1",
                "ed448",
                "x25519",
            ])));
        }
        if dice.one_in(300) {
            let key = ring.get("rsa-1");
            pems.push(key.map(|key| {
                if dice.one_in(2) {
                    key.pkcs1_pem()
                } else {
                    key.private_pem().to_owned()
                }
            }));
        }
        let mut pems: Vec<String> = pems.into_iter().filter_map(Result::ok).collect();
        if dice.one_in(300) {
            pems.push(
                dice.pick(&[
                    "",
                    "x",
                    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
                ])
                .to_owned(),
            );
        }
        let list = if dice.one_in(5) {
            json!(pems.join(","))
        } else {
            json!(pems)
        };
        self.set("jwt_validation_pubkeys", list);
    }

    /// Serves a random key set.
    fn serve(&mut self, path: &str, dice: &mut Dice, ring: &Keyring, notes: &mut Notes) {
        let mut set = Vec::new();
        for index in 0..1 + dice.below(3) {
            let key = dice.pick(KEYS);
            let Ok(test_key) = ring.get(key) else { continue };
            let mut jwk = test_key.jwk(key);
            let kid = format!("k{}", if dice.one_in(4) { 1 } else { index + 1 });
            let mut kid = Some(kid);
            match dice.below(12) {
                0 => {
                    kid = None;
                    jwk.remove("kid");
                }
                1 => {
                    kid = None;
                    jwk.insert("kid".to_owned(), Value::Null);
                }
                _ => drop(jwk.insert("kid".to_owned(), json!(kid))),
            }
            match dice.below(16) {
                0 => drop(jwk.insert("use".to_owned(), json!("sig"))),
                1 => {
                    notes.push("jwk");
                    jwk.insert("alg".to_owned(), json!(dice.pick(algorithms(key))));
                }
                2 => {
                    notes.push("jwk");
                    let (name, value) = match dice.below(3) {
                        0 => ("use", json!("enc")),
                        1 => ("alg", json!(dice.pick(&["RS256", "ES256", "RSA-OAEP", "EdDSA"]))),
                        _ => ("key_ops", json!([dice.pick(&["sign", "encrypt"])])),
                    };
                    jwk.insert(name.to_owned(), value);
                }
                _ => {}
            }
            self.keys.push((key.to_owned(), kid));
            set.push(Value::Object(jwk));
        }
        if dice.one_in(15) {
            notes.push("set");
            let place = dice.below(set.len() + 1);
            set.insert(place, match dice.below(4) {
                0 => json!({ "kty": "XYZ", "kid": "k1" }),
                1 => json!({ "kty": "oct", "k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "kid": "k2" }),
                2 => json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "k1" }),
                _ => json!({ "kty": "RSA", "kid": "k2" }),
            });
        }
        self.documents
            .insert(path.to_owned(), json!({ "keys": set }).to_string());
    }

    fn options(&mut self, dice: &mut Dice, notes: &mut Notes) {
        if dice.one_in(6) {
            notes.push("algorithms");
            let mut list: Vec<&str> = (0..4 + dice.below(9))
                .map(|_| dice.among(ALGORITHMS, ""))
                .collect();
            if dice.one_in(30) {
                list.push(dice.among("HS256 | none | rs256 | ", ""));
            }
            let joined = json!(list.join(", "));
            self.set(
                "jwt_supported_algs",
                if dice.one_in(4) { joined } else { json!(list) },
            );
        }
        if dice.one_in(4) && self.body.get("jwks_pairs").is_none() || dice.one_in(60) {
            self.set(
                "bound_issuer",
                dice.json(r#""https://issuer.example""#, r#""other" | "" | null | 7"#),
            );
        }
        if dice.one_in(2) {
            self.set(
                "default_role",
                dice.json(r#""r" | "R""#, r#""other" | "" | null | 7"#),
            );
        }
        if dice.one_in(8) {
            let usual = r#"{"provider":"secureauth"} | {"provider":"ibmisam"}"#;
            self.set(
                "provider_config",
                dice.json(
                    usual,
                    r#"{} | {"provider":"nope"} | {"provider":""} | {"x":1} | null | [] | "x""#,
                ),
            );
        }
        let (name, value) = match dice.below(400) {
            0 => {
                notes.push("unknown");
                ("bound_isuer", json!("x"))
            }
            1 => ("oidc_client_id", json!("x")),
            2 => ("jwks_url", json!(format!("{SERVER}/nothing"))),
            3 => (
                "oidc_response_types",
                dice.json(r#""code" | "id_token" | "x" | ["code","id_token"]"#, ""),
            ),
            4 => (
                "oidc_response_mode",
                dice.json(r#""query" | "form_post" | "x" | "" "#, ""),
            ),
            5 => ("jwks_ca_pem", json!("x")),
            _ => return,
        };
        self.set(name, value);
    }
}

/// A random role. Most of its rules hold for the claims.
pub(crate) fn role(dice: &mut Dice, claims: &Claims, notes: &mut Notes) -> Value {
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
            r#""sub" | "sub" | "sub" | "sub" | "name" | "email" | "/org/id""#,
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
    if dice.one_in(400) {
        notes.push("unknown");
        set("user_claims", json!("sub"));
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
        notes.push("policies");
        let usual =
            r#"["dev","ops"] | "dev, Ops" | ["b","a","b"] | [] | "default" | [" x "] | ["É"] | [1,true] | 7"#;
        set(name, dice.json(usual, r#"["root"] | ["a",""] | "a,,b" | ["a/../b"] | ["response-wrapping"] | null | true | ["control-group"] | {}"#));
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
        let (usual, odd) = if dice.one_in(40) {
            notes.push("network");
            (
                r#"["300.1.1.1/24"] | "/var/run/x" | ["10.0.0.0/33"] | ["10.0.0.0/8","x/y"] | ["."]"#,
                "",
            )
        } else {
            (
                r#"["10.0.0.0/8"] | "10.0.0.0/8,192.0.2.7" | ["10.1.2.3"] | ["10.1.2.3/32"] | ["10.1.2.3:443"] | ["127.0.0.1/8","10.1.0.0/16"] | ["10.1.2.3/16"] | ["10.0.0.0/8","2001:db8::/32"] | ["0.0.0.0/0","::/0"] | []"#,
                r#"["2001:DB8::1","10.0.0.0/8"] | ["::ffff:10.0.0.0/104"] | [""] | ["x"] | " 10.0.0.0/8 " | ["::ffff:10.1.2.3"] | ["2001:db8:0:0::1/128","10.0.0.0/8"] | ["[2001:db8::1]:443","10.0.0.0/8"] | null | ["10.0.0.0/08"] | ["::1/0"] | ["10.0.0.0/+8"] | ["10.0.0.0/8 "] | ["2001:0DB8::/32","10.1.0.0/16"] | ["[::]/0"] | ["::ffff:0:0/96"] | ["0::/0","0.0.0.0/0"]"#,
            )
        };
        set(name, dice.json(usual, odd));
    }
}

const ALGORITHMS: &str =
    "RS256 | RS384 | RS512 | ES256 | ES384 | ES512 | PS256 | PS384 | PS512 | EdDSA | EdDSA | EdDSA | ES256";

/// Bound values.
const BOUND: &str = r#""a" | ["a","b"] | 42 | 42.0 | true | "true" | "42" | null | {} | [] | [null] | [{}] | [["a"]] | [42] | "*" | "" | -0 | [1,"a"] | {"a":1} | "a*" | ["dev",42]"#;
