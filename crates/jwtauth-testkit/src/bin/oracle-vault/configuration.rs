//! Random configurations.

use std::collections::BTreeMap;

use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::oracle::Dice;
use serde_json::{Value, json};

use crate::token::{KEYS, Notes, algorithms};

/// The address that stands for the server of the documents.
pub(crate) const SERVER: &str = "http://127.0.0.1:9";

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
            2 => {
                notes.push("no document");
                ("jwks_url", json!(format!("{SERVER}/nothing")))
            }
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

const ALGORITHMS: &str =
    "RS256 | RS384 | RS512 | ES256 | ES384 | ES512 | PS256 | PS384 | PS512 | EdDSA | EdDSA | EdDSA | ES256";
