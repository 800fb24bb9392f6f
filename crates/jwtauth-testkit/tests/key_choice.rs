//! Random policies with a few key sources, and tokens of several issuers, compared with the rules of
//! `docs/dialects/native.md`. This file implements those rules a second time.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::sync::{Arc, LazyLock};

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched};
use jwtauth_core::{Class, Code, Request, Verifier};
use jwtauth_testkit::keys::{Keyring, base64url};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Two keys of each kind, so that one can be used in place of the other.
const KEYS: [&str; 8] = [
    "rsa-1",
    "rsa-2",
    "ec256-1",
    "ec256-2",
    "ed25519-1",
    "ed25519-2",
    "hmac256-1",
    "hmac256-2",
];
const ALGORITHMS: [&str; 6] = ["RS256", "RS512", "PS256", "ES256", "EdDSA", "HS256"];
const RULES: [&str; 6] = ["hint", "match", "exact", "exact_or_only", "ignore", "required"];
const NAMES: [Option<&str>; 4] = [None, Some(""), Some("a"), Some("b")];
const ISSUERS: [&str; 3] = ["https://a.example", "https://b.example", "https://c.example"];

#[derive(Debug, Clone)]
struct Policy {
    algorithms: Vec<&'static str>,
    rule: &'static str,
    sources: Vec<Source>,
}

#[derive(Debug, Clone)]
struct Source {
    kind: Kind,
    algorithms: Option<Vec<&'static str>>,
    /// The issuers whose tokens the keys may sign. `None`: any.
    issuers: Option<Vec<&'static str>>,
    keys: Vec<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A set in the configuration.
    Set,
    /// A set at a URL.
    Url,
    /// A set at a URL that cannot be fetched.
    Down,
}

#[derive(Debug, Clone)]
struct Key {
    key: &'static str,
    kid: Option<&'static str>,
    flaw: Flaw,
}

/// What makes a JWK unusable, or limits its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Nothing,
    Algorithm(&'static str),
    Encryption,
    Signing,
    UnknownKind,
    UnknownCurve,
}

#[derive(Debug, Clone)]
struct Token {
    key: &'static str,
    alg: &'static str,
    kid: Option<&'static str>,
    iss: Option<&'static str>,
}

impl Key {
    fn name(&self) -> Option<&'static str> {
        self.kid.filter(|kid| !kid.is_empty())
    }

    /// The algorithms that the key may be used with in this source.
    fn usable(&self, policy: &Policy, source: &Source) -> Vec<&'static str> {
        let allowed = |alg: &&str| {
            policy.algorithms.contains(alg)
                && source.algorithms.as_ref().is_none_or(|own| own.contains(alg))
                && fits(self.key, alg)
                // A fetched shared secret is not used.
                && (source.kind == Kind::Set || *alg != "HS256")
                && match self.flaw {
                    Flaw::Nothing => true,
                    Flaw::Algorithm(own) => own == *alg,
                    Flaw::Encryption | Flaw::Signing | Flaw::UnknownKind | Flaw::UnknownCurve => false,
                }
        };
        ALGORITHMS.into_iter().filter(allowed).collect()
    }

    fn jwk(&self) -> Value {
        let mut jwk = jwk(self.key);
        if let Some(kid) = self.kid {
            jwk["kid"] = kid.into();
        }
        match self.flaw {
            Flaw::Nothing => {}
            Flaw::Algorithm(alg) => jwk["alg"] = alg.into(),
            Flaw::Encryption => jwk["use"] = "enc".into(),
            Flaw::Signing => jwk["key_ops"] = json!(["sign"]),
            Flaw::UnknownKind => jwk["kty"] = "XYZ".into(),
            Flaw::UnknownCurve => {
                jwk["kty"] = "EC".into();
                jwk["crv"] = "secp256k1".into();
            }
        }
        jwk
    }
}

impl Source {
    fn document(&self) -> String {
        let keys: Vec<Value> = self.keys.iter().map(Key::jwk).collect();
        json!({ "keys": keys }).to_string()
    }

    fn may_sign_for(&self, iss: Option<&'static str>) -> bool {
        let named = |issuers: &Vec<&str>| iss.is_some_and(|iss| issuers.contains(&iss));
        self.issuers.as_ref().is_none_or(named)
    }

    fn has_usable(&self, policy: &Policy) -> bool {
        self.keys.iter().any(|key| !key.usable(policy, self).is_empty())
    }

    /// The keys that count. A set that cannot be fetched or is unusable has none.
    fn known(&self, policy: &Policy) -> &[Key] {
        let names = policy.rule == "required" && self.keys.iter().any(|key| key.name().is_some());
        if self.kind == Kind::Down || !self.has_usable(policy) && !names {
            &[]
        } else {
            &self.keys
        }
    }
}

/// Selects keys by the rules for `kid` in native.md.
fn selected<'p>(policy: &'p Policy, kid: Option<&str>) -> Vec<(&'p Source, &'p Key)> {
    let kid = kid.filter(|kid| !kid.is_empty());
    let mut selected = Vec::new();
    for source in &policy.sources {
        let known = source.known(policy);
        let usable = known
            .iter()
            .filter(|key| !key.usable(policy, source).is_empty())
            .count();
        let chosen = known.iter().filter(|key| match (policy.rule, kid) {
            ("ignore", _) | ("hint" | "match", None) => true,
            ("hint", Some(kid)) => key.name().is_none_or(|name| name == kid),
            ("match" | "exact" | "exact_or_only" | "required", Some(kid)) => key.name() == Some(kid),
            ("exact", None) => key.name().is_none(),
            ("exact_or_only", None) => {
                usable == 1 && !key.usable(policy, source).is_empty() || usable != 1 && key.name().is_none()
            }
            ("required", None) => false,
            (rule, _) => panic!("{rule}"),
        });
        let chosen: Vec<_> = chosen.map(|key| (source, key)).collect();
        let is_first = policy.rule == "required" && !chosen.is_empty();
        selected.extend(chosen);
        if is_first {
            break;
        }
    }
    selected
}

fn is_granted(policy: &Policy, token: &Token) -> bool {
    selected(policy, token.kid)
        .into_iter()
        .filter(|(source, _)| source.may_sign_for(token.iss))
        .any(|(source, key)| key.key == token.key && key.usable(policy, source).contains(&token.alg))
}

/// `None` if the policy cannot be built.
fn verifier(policy: &Policy) -> Option<Verifier> {
    let source = |(index, source): (usize, &Source)| {
        let mut spec = match source.kind {
            Kind::Set => json!({ "jwks": serde_json::from_str::<Value>(&source.document()).unwrap() }),
            Kind::Url | Kind::Down => json!({ "jwks_url": format!("https://{index}.example/keys") }),
        };
        if let Some(algorithms) = &source.algorithms {
            spec["algorithms"] = json!(algorithms);
        }
        spec["issuer"] = match &source.issuers {
            None => json!("any"),
            Some(issuers) => json!(issuers),
        };
        spec
    };
    let config = json!({
        "dialect": "native",
        "config": {
            "keys": policy.sources.iter().enumerate().map(source).collect::<Vec<_>>(),
            "algorithms": policy.algorithms,
            "kid": policy.rule,
            "required_claims": [],
            "issuer": null,
        },
    });
    let server: Arc<dyn Fetch> = Arc::new(Server(policy.sources.clone()));
    let built = Verifier::builder(&config.to_string())
        .unwrap()
        .fetch(server)
        .build();
    let fixed = |source: &Source| source.kind == Kind::Set && !source.has_usable(policy);
    match built {
        Ok(verifier) => {
            assert!(!policy.sources.iter().any(fixed));
            Some(verifier)
        }
        Err(why) => {
            assert_eq!(why.code(), Code::KeyInvalid, "{why}");
            assert!(policy.sources.iter().any(fixed), "{why}");
            None
        }
    }
}

/// Serves the sets of these sources by their index.
#[derive(Debug)]
struct Server(Vec<Source>);

impl Fetch for Server {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let source = &self.0[index(request)];
        match source.kind {
            Kind::Down => Ok(Fetched::new(503, "")),
            Kind::Url | Kind::Set => Ok(Fetched::new(200, source.document())),
        }
    }
}

/// The number at the start of the host.
fn index(request: &FetchRequest<'_>) -> usize {
    let host = request.url.strip_prefix("https://").unwrap();
    host.split('.').next().unwrap().parse().unwrap()
}

fn fits(key: &str, alg: &str) -> bool {
    match key.split('-').next().unwrap() {
        "rsa" => ["RS256", "RS512", "PS256"].contains(&alg),
        "ec256" => alg == "ES256",
        "ed25519" => alg == "EdDSA",
        "hmac256" => alg == "HS256",
        kind => panic!("{kind}"),
    }
}

static RING: LazyLock<Keyring> = LazyLock::new(|| Keyring::load().unwrap());

/// The public key, or the secret, without a `kid`.
fn jwk(key: &str) -> Value {
    let mut jwk = RING.get(key).unwrap().jwk(key);
    jwk.remove("kid");
    Value::Object(jwk)
}

fn sign(key: &str, alg: &str, message: &str) -> String {
    let signature = RING.get(key).unwrap().sign(alg, message.as_bytes()).unwrap();
    format!("{message}.{}", base64url(&signature))
}

impl Token {
    fn signed(&self) -> String {
        let mut header = json!({ "alg": self.alg });
        if let Some(kid) = self.kid {
            header["kid"] = kid.into();
        }
        let part = |text: &str| base64url(text.as_bytes());
        let mut claims = json!({ "sub": "alice" });
        if let Some(iss) = self.iss {
            claims["iss"] = iss.into();
        }
        let message = format!("{}.{}", part(&header.to_string()), part(&claims.to_string()));
        sign(self.key, self.alg, &message)
    }
}

fn algorithms() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(ALGORITHMS.to_vec(), 1..=ALGORITHMS.len())
}

fn key() -> impl Strategy<Value = Key> {
    let flaw = prop_oneof![
        5 => Just(Flaw::Nothing),
        2 => proptest::sample::select(ALGORITHMS.to_vec()).prop_map(Flaw::Algorithm),
        1 => Just(Flaw::Encryption),
        1 => Just(Flaw::Signing),
        1 => Just(Flaw::UnknownKind),
        1 => Just(Flaw::UnknownCurve),
    ];
    let kid = prop_oneof![2 => proptest::sample::select(NAMES.to_vec()), 1 => Just(Some("a"))];
    (name_of_key(), kid, flaw).prop_map(|(key, kid, flaw)| Key { key, kid, flaw })
}

fn name_of_key() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(KEYS.to_vec())
}

fn source() -> impl Strategy<Value = Source> {
    let kind = prop_oneof![3 => Just(Kind::Set), 4 => Just(Kind::Url), 1 => Just(Kind::Down)];
    let keys = proptest::collection::vec(key(), 1..=3);
    let algorithms = proptest::option::weighted(0.2, algorithms());
    let issuers = proptest::sample::subsequence(ISSUERS.to_vec(), 1..=2);
    let issuers = proptest::option::weighted(0.8, issuers);
    (kind, algorithms, issuers, keys).prop_map(|(kind, algorithms, issuers, keys)| Source {
        kind,
        algorithms,
        issuers,
        keys,
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    // The order of the sources matters only with `required`.
    let rule = prop_oneof![3 => proptest::sample::select(RULES.to_vec()), 2 => Just("required")];
    let sources = proptest::collection::vec(source(), 2..=3);
    (algorithms(), rule, sources).prop_map(|(algorithms, rule, sources)| Policy {
        algorithms,
        rule,
        sources,
    })
}

/// A token. Most tokens are signed by a key of the policy.
fn token(policy: &Policy) -> impl Strategy<Value = Token> + use<> {
    let of_policy: Vec<&'static str> = policy
        .sources
        .iter()
        .flat_map(|source| source.keys.iter().map(|key| key.key))
        .collect();
    let key = prop_oneof![5 => proptest::sample::select(of_policy), 1 => name_of_key()];
    let kids = [NAMES.as_slice(), &[Some("a"), Some("c")]].concat();
    let alg = proptest::sample::select(ALGORITHMS.to_vec());
    let iss = proptest::option::weighted(0.9, proptest::sample::select(ISSUERS.to_vec()));
    (key, alg, proptest::sample::select(kids), iss).prop_map(|(key, alg, kid, iss)| Token {
        key,
        alg: if fits(key, alg) {
            alg
        } else {
            ALGORITHMS.into_iter().find(|alg| fits(key, alg)).unwrap()
        },
        kid,
        iss,
    })
}

fn policy_and_tokens() -> impl Strategy<Value = (Policy, Vec<Token>)> {
    policy().prop_flat_map(|policy| {
        let tokens = proptest::collection::vec(token(&policy), 1..=4);
        (Just(policy), tokens)
    })
}

/// Serves these sets by the index in their URL.
fn server(sets: &[&Value]) -> Arc<dyn Fetch> {
    let documents = sets.iter().map(ToString::to_string).collect();
    Arc::new(Documents(documents))
}

#[derive(Debug)]
struct Documents(Vec<String>);

impl Fetch for Documents {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        Ok(Fetched::new(200, self.0[index(request)].clone()))
    }
}

#[test]
fn only_the_first_pair_that_has_the_kid_of_a_token_is_used() {
    let named = |key: &str, more: &[(&str, Value)]| {
        let mut jwk = jwk(key);
        jwk["kid"] = "k".into();
        for (name, value) in more {
            jwk[name] = value.clone();
        }
        jwk
    };
    let skipped = [
        named("ed25519-2", &[("use", "enc".into())]),
        named("ed25519-2", &[("alg", "ES256".into())]),
        named("ed25519-2", &[("key_ops", json!(["sign"]))]),
        named("ed25519-2", &[("crv", "X25519".into())]),
        named("rsa-2", &[("n", base64url(&[0xc5; 128]).into())]),
        named("hmac256-1", &[]),
        // `jwt_supported_algs` excludes its algorithm.
        named("ec256-1", &[]),
    ];
    let verifier = |first: &Value, second: &Value| {
        let config = json!({
            "dialect": "vault",
            "config": {
                "jwks_pairs": [{ "jwks_url": "https://0.example" }, { "jwks_url": "https://1.example" }],
                "jwt_supported_algs": ["EdDSA"],
                "default_role": "web",
                "roles": { "web": { "role_type": "jwt", "user_claim": "sub", "bound_subject": "alice" } },
            },
            "options": { "now": 1_700_000_000 },
        });
        let builder = Verifier::builder(&config.to_string()).unwrap();
        builder.fetch(server(&[first, second])).build().unwrap()
    };
    let part = |value: Value| base64url(value.to_string().as_bytes());
    let header = part(json!({ "alg": "EdDSA", "kid": "k" }));
    let payload = part(json!({ "sub": "alice", "iat": 1_700_000_000 }));
    let token = sign("ed25519-1", "EdDSA", &format!("{header}.{payload}"));
    let other = |jwk: &Value| {
        let mut other = jwk.clone();
        other["kid"] = "other".into();
        other
    };
    let good = named("ed25519-1", &[]);
    for bad in &skipped {
        for first in [json!({ "keys": [bad] }), json!({ "keys": [bad, other(&good)] })] {
            let second = json!({ "keys": [good] });
            let outcome = verifier(&first, &second).authenticate(&Request::bearer(&token));
            assert_eq!(outcome.unwrap_err().code(), Code::KeyNotFound, "{first}");
            let turned = verifier(&second, &first).authenticate(&Request::bearer(&token));
            assert!(turned.is_ok(), "{first}: {turned:?}");
        }
    }
}

#[test]
fn an_earlier_source_without_cached_keys_is_fetched_first() {
    let named = |key: &'static str| Source {
        kind: Kind::Url,
        algorithms: None,
        issuers: None,
        keys: vec![Key {
            key,
            kid: Some("a"),
            flaw: Flaw::Nothing,
        }],
    };
    let policy = Policy {
        algorithms: vec!["EdDSA"],
        rule: "required",
        sources: vec![
            named("ed25519-1"),
            Source {
                kind: Kind::Set,
                ..named("ed25519-2")
            },
        ],
    };
    let token = Token {
        key: "ed25519-2",
        alg: "EdDSA",
        kid: Some("a"),
        iss: None,
    };
    let verifier = verifier(&policy).unwrap();
    let token = token.signed();
    let cached = verifier.authenticate(&Request::bearer(&token).cached_only(true));
    assert_eq!(cached.unwrap_err().class(), Class::Unavailable);
    let outcome = verifier.authenticate(&Request::bearer(&token));
    assert_eq!(outcome.unwrap_err().code(), Code::SignatureInvalid);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_token_is_granted_if_and_only_if_a_key_that_its_kid_selects_may_sign_it_for_its_issuer(
        (policy, tokens) in policy_and_tokens(),
    ) {
        let Some(verifier) = verifier(&policy) else { return Ok(()) };
        for token in &tokens {
            let outcome = verifier.authenticate(&Request::bearer(&token.signed()));
            prop_assert_eq!(outcome.is_ok(), is_granted(&policy, token), "{:?}: {:?}", token, outcome);
        }
    }
}
