//! Which keys may sign for which issuer, if keys are fetched: for every kind of source, in both orders, in every state of
//! the cache. The conformance topic `issuers` tests the sources that are not fetched.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched};
use jwtauth_core::{Class, Code, Error, Grant, Request, Verifier};
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::mint;
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000;
const A: &str = "https://a.example";
const B: &str = "https://b.example";
const TENANTS: &str = "https://login.example/{tenantid}/v2.0";

/// Documents by URL. A URL without one is answered with 503.
#[derive(Debug, Default)]
struct Web {
    documents: Mutex<BTreeMap<String, Value>>,
    requests: Mutex<Vec<String>>,
}

impl Web {
    fn put(&self, url: &str, document: Value) {
        self.documents.lock().unwrap().insert(url.to_owned(), document);
    }

    fn take(&self, url: &str) -> Option<Value> {
        self.documents.lock().unwrap().remove(url)
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

impl Fetch for Web {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        self.requests.lock().unwrap().push(request.url.to_owned());
        let documents = self.documents.lock().unwrap();
        Ok(match documents.get(request.url) {
            Some(document) => Fetched::new(200, document.to_string()),
            None => Fetched::new(503, ""),
        })
    }
}

static RING: LazyLock<Keyring> = LazyLock::new(|| Keyring::load().unwrap());

/// A key with the name `k`, or with the name that `more` has.
fn jwk(key: &str, more: &Value) -> Value {
    let mut jwk = Value::Object(RING.get(key).unwrap().jwk(key));
    jwk["kid"] = "k".into();
    for (name, value) in more.as_object().into_iter().flatten() {
        jwk[name] = value.clone();
    }
    jwk
}

fn set(keys: &[Value]) -> Value {
    json!({ "keys": keys })
}

fn token(key: &str, claims: &Value) -> String {
    let mut all = json!({ "sub": "alice", "exp": NOW + 300 });
    for (name, value) in claims.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    let alg = if key.starts_with("hmac") { "HS256" } else { "EdDSA" };
    let description = json!({ "key": key, "alg": alg, "kid": "k", "claims": all });
    mint::token(&serde_json::from_str(&description.to_string()).unwrap(), &RING).unwrap()
}

fn verifier(config: &Value, web: &Arc<Web>) -> Result<Verifier, Error> {
    let mut config = config.clone();
    config["algorithms"] = json!(["EdDSA", "HS256"]);
    let envelope = json!({ "dialect": "native", "config": config, "options": { "now": NOW } });
    let fetch: Arc<dyn Fetch> = Arc::<Web>::clone(web);
    Verifier::builder(&envelope.to_string())?.fetch(fetch).build()
}

fn ask(verifier: &Verifier, token: &str) -> Result<Grant, Error> {
    verifier.authenticate(&Request::bearer(token))
}

fn denial(outcome: Result<Grant, Error>) -> (Code, String) {
    let why = outcome.unwrap_err();
    (why.code(), why.detail().unwrap_or_default().to_owned())
}

fn not_for_this_issuer() -> (Code, String) {
    let detail = "the key that signed the token is not for this issuer";
    (Code::IssuerMismatch, detail.to_owned())
}

const KINDS: [&str; 6] = ["pem", "jwk", "jwks", "secret", "jwks_url", "oidc_discovery_url"];

/// A source of this kind with one key, for one issuer. If it fetches its keys, puts them into the web.
fn source(kind: &str, key: &str, issuer: &str, web: &Web) -> Value {
    let keys = format!("{issuer}/keys");
    match kind {
        "pem" => json!({ "pem": RING.public_pem(key).unwrap(), "kid": "k", "issuer": issuer }),
        "jwk" => json!({ "jwk": jwk(key, &json!({})), "issuer": issuer }),
        "jwks" => json!({ "jwks": set(&[jwk(key, &json!({}))]), "issuer": issuer }),
        "secret" => json!({ "secret": jwk(key, &json!({}))["k"], "kid": "k", "issuer": issuer }),
        "jwks_url" => {
            web.put(&keys, set(&[jwk(key, &json!({}))]));
            json!({ "jwks_url": keys, "issuer": issuer })
        }
        "oidc_discovery_url" => {
            web.put(&keys, set(&[jwk(key, &json!({}))]));
            publish(issuer, issuer, web);
            json!({ "oidc_discovery_url": issuer })
        }
        kind => panic!("{kind}"),
    }
}

/// Puts the metadata that is found through a URL into the web.
fn publish(url: &str, issuer: &str, web: &Web) {
    let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{url}/keys") });
    web.put(&format!("{url}/.well-known/openid-configuration"), metadata);
}

#[test]
fn a_key_signs_only_for_the_issuer_of_its_source_whatever_the_kinds_and_the_cache() {
    for first in KINDS {
        for second in KINDS {
            let key = |kind: &str, number: u32| match kind {
                "secret" => format!("hmac256-{number}"),
                _ => format!("ed25519-{number}"),
            };
            let (one, two) = (key(first, 1), key(second, 2));
            let tokens = [
                (&one, A, true),
                (&one, B, false),
                (&two, B, true),
                (&two, A, false),
            ];
            // Each token as the first one that a verifier sees, and then all of them again.
            for start in 0..tokens.len() {
                let web = Arc::new(Web::default());
                let sources = [source(first, &one, A, &web), source(second, &two, B, &web)];
                let verifier = verifier(&json!({ "keys": sources }), &web).unwrap();
                let turned = tokens.iter().cycle().skip(start).take(2 * tokens.len());
                for (key, iss, is_granted) in turned {
                    let outcome = ask(&verifier, &token(key, &json!({ "iss": iss })));
                    let place = format!("{first}, {second}: {key} for {iss}");
                    if *is_granted {
                        assert!(outcome.is_ok(), "{place}: {outcome:?}");
                    } else {
                        assert_eq!(denial(outcome), not_for_this_issuer(), "{place}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_key_of_two_sources_signs_for_both_issuers_whatever_is_cached() {
    let kinds = || KINDS.into_iter().filter(|kind| *kind != "secret");
    for first in kinds() {
        for second in kinds() {
            for issuers in [[A, B], [B, A]] {
                let web = Arc::new(Web::default());
                let sources = [
                    source(first, "ed25519-1", A, &web),
                    source(second, "ed25519-1", B, &web),
                ];
                let verifier = verifier(&json!({ "keys": sources }), &web).unwrap();
                for iss in issuers {
                    let outcome = ask(&verifier, &token("ed25519-1", &json!({ "iss": iss })));
                    assert!(outcome.is_ok(), "{first}, {second}, {iss}: {outcome:?}");
                }
            }
        }
    }
}

#[test]
fn a_set_that_is_not_cached_is_fetched_if_it_may_have_the_key_for_the_issuer() {
    for kind in ["jwks_url", "oidc_discovery_url"] {
        let web = Arc::new(Web::default());
        let sources = [
            source("jwk", "ed25519-1", A, &web),
            source(kind, "ed25519-1", B, &web),
        ];
        let verifier = verifier(
            &json!({ "keys": sources, "issuer": [A, B, "https://c.example"] }),
            &web,
        )
        .unwrap();
        let of = |iss: &str| token("ed25519-1", &json!({ "iss": iss }));

        // The first source decides about its own issuer, and no source signs for the third one.
        assert!(ask(&verifier, &of(A)).is_ok());
        assert_eq!(
            denial(ask(&verifier, &of("https://c.example"))),
            not_for_this_issuer()
        );
        assert!(web.requests().is_empty());

        let token = of(B);
        let cached = verifier.authenticate(&Request::bearer(&token).cached_only(true));
        assert_eq!(cached.unwrap_err().class(), Class::Unavailable);
        assert!(ask(&verifier, &token).is_ok());
        assert!(!web.requests().is_empty());
        let cached = verifier.authenticate(&Request::bearer(&token).cached_only(true));
        assert!(cached.is_ok(), "{cached:?}");
    }
}

#[test]
fn a_token_for_the_issuer_of_a_source_without_keys_is_no_grant() {
    let web = Arc::new(Web::default());
    let sources = [
        source("jwk", "ed25519-1", A, &web),
        source("jwks_url", "ed25519-1", B, &web),
    ];
    web.take(&format!("{B}/keys")).unwrap();
    let verifier = verifier(&json!({ "keys": sources }), &web).unwrap();
    let outcome = ask(&verifier, &token("ed25519-1", &json!({ "iss": B })));
    assert_eq!(outcome.unwrap_err().class(), Class::Unavailable);
    // The outage of one issuer has no effect on the other.
    let outcome = ask(&verifier, &token("ed25519-1", &json!({ "iss": A })));
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn a_token_for_another_issuer_causes_one_fetch_in_a_cool_down() {
    let web = Arc::new(Web::default());
    let sources = [
        source("jwk", "ed25519-1", A, &web),
        source("jwks_url", "ed25519-2", B, &web),
    ];
    let verifier = verifier(&json!({ "keys": sources }), &web).unwrap();
    for _ in 0..20 {
        let outcome = ask(&verifier, &token("ed25519-1", &json!({ "iss": B })));
        assert_eq!(denial(outcome), not_for_this_issuer());
    }
    assert_eq!(web.requests().len(), 1);
}

#[test]
fn the_profile_of_an_issuer_does_not_depend_on_what_is_cached() {
    let config = |sources: [Value; 2]| {
        json!({ "keys": sources, "required_claims": ["exp", "only_top"],
                "issuers": { B: { "profile": "b" } }, "profiles": { "b": { "required_claims": ["exp"] } } })
    };
    let web = Arc::new(Web::default());
    let sources = [
        source("jwk", "ed25519-1", A, &web),
        source("jwks_url", "ed25519-1", B, &web),
    ];
    let verifier = verifier(&config(sources), &web).unwrap();
    // The token does not meet the rules of the top level, which would decide it for the issuer of the cached key.
    let grant = ask(&verifier, &token("ed25519-1", &json!({ "iss": B }))).unwrap();
    assert_eq!(grant.profile.as_deref(), Some("b"));
    assert_eq!(web.requests().len(), 1);
}

/// Discovery of a provider with tenants. Its metadata names this issuer.
fn tenants(named: &str, keys: &[Value]) -> (Verifier, Arc<Web>) {
    let web = Arc::new(Web::default());
    let url = "https://login.example/common";
    publish(url, named, &web);
    web.put(&format!("{url}/keys"), set(keys));
    let source = json!({ "oidc_discovery_url": url, "issuer": TENANTS });
    (verifier(&json!({ "keys": [source] }), &web).unwrap(), web)
}

fn of_tenant(key: &str, tenant: &str, tid: &str) -> String {
    let iss = TENANTS.replace("{tenantid}", tenant);
    token(key, &json!({ "iss": iss, "tid": tid }))
}

#[test]
fn the_metadata_of_a_provider_with_tenants_names_their_common_form() {
    let key = || [jwk("ed25519-1", &json!({}))];
    let (verifier, _) = tenants(TENANTS, &key());
    assert!(ask(&verifier, &of_tenant("ed25519-1", "t1", "t1")).is_ok());
    assert!(ask(&verifier, &of_tenant("ed25519-1", "t2", "t2")).is_ok());
    let outcome = ask(&verifier, &of_tenant("ed25519-1", "t1", "t2"));
    assert_eq!(denial(outcome).0, Code::IssuerMismatch);

    for named in [
        "https://login.example/common",
        "https://login.example/t1/v2.0",
        "https://login.example/{tid}/v2.0",
        "https://login.example/{tenantid}/v2.0/",
    ] {
        let (verifier, _) = tenants(named, &key());
        let outcome = ask(&verifier, &of_tenant("ed25519-1", "t1", "t1"));
        assert_eq!(denial(outcome).0, Code::DiscoveryIssuerMismatch, "{named}");
    }
}

#[test]
fn metadata_over_https_cannot_name_keys_over_http_for_tenants_either() {
    let web = Arc::new(Web::default());
    let metadata = json!({ "issuer": TENANTS, "jwks_uri": "http://127.0.0.1/keys" });
    web.put(
        "https://login.example/common/.well-known/openid-configuration",
        metadata,
    );
    web.put("http://127.0.0.1/keys", set(&[jwk("ed25519-1", &json!({}))]));
    let source = json!({ "oidc_discovery_url": "https://login.example/common", "issuer": TENANTS });
    let verifier = verifier(&json!({ "keys": [source] }), &web).unwrap();
    let (code, detail) = denial(ask(&verifier, &of_tenant("ed25519-1", "t1", "t1")));
    assert_eq!(code, Code::DiscoveryFailed);
    assert!(detail.contains("`jwks_uri` must be https"), "{detail}");
}

#[test]
fn a_fetched_key_that_names_its_issuer_signs_only_for_it() {
    let of_t1 = json!({ "issuer": "https://login.example/t1/v2.0", "kid": "k" });
    let of_all = json!({ "issuer": TENANTS, "kid": "k" });
    let keys = [jwk("ed25519-1", &of_t1), jwk("ed25519-2", &of_all)];
    let (verifier, _) = tenants(TENANTS, &keys);
    for (key, tenant, is_granted) in [
        ("ed25519-1", "t1", true),
        ("ed25519-1", "t2", false),
        ("ed25519-2", "t1", true),
        ("ed25519-2", "t2", true),
    ] {
        let outcome = ask(&verifier, &of_tenant(key, tenant, tenant));
        assert_eq!(outcome.is_ok(), is_granted, "{key} for {tenant}: {outcome:?}");
    }
}

#[test]
fn the_key_set_of_a_url_is_read_in_the_same_way() {
    let web = Arc::new(Web::default());
    let key = jwk("ed25519-1", &json!({ "issuer": "https://login.example/t1/v2.0" }));
    web.put("https://login.example/keys", set(&[key]));
    let source = |issuer: &Value| json!({ "jwks_url": "https://login.example/keys", "issuer": issuer });
    let bound = verifier(&json!({ "keys": [source(&json!(TENANTS))] }), &web).unwrap();
    assert!(ask(&bound, &of_tenant("ed25519-1", "t1", "t1")).is_ok());
    assert_eq!(
        denial(ask(&bound, &of_tenant("ed25519-1", "t2", "t2"))),
        not_for_this_issuer()
    );
    // Without a form for tenants, the member has no meaning.
    let text = json!("https://login.example/t2/v2.0");
    let plain = verifier(&json!({ "keys": [source(&text)] }), &web).unwrap();
    assert!(ask(&plain, &of_tenant("ed25519-1", "t2", "t2")).is_ok());
}
