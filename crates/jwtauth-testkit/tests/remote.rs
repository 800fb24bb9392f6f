//! Keys over HTTP: tests that the scripted faults (`faults.rs`) cannot express with outcomes and counts.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

use jwtauth_core::{Class, Code, Errand, Error, Grant, Request, Step, Verifier};
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::mint;
use jwtauth_testkit::server::{Answer, Behaviour, Server, Tls};
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000;

struct Keys(Keyring);

impl Keys {
    fn load() -> Keys {
        Keys(Keyring::load().unwrap())
    }

    fn answer(&self) -> Answer {
        Answer::json(json!({ "keys": [self.0.get("rsa-1").unwrap().jwk("rsa-1")] }))
    }

    fn token(&self, alg: &str) -> String {
        self.token_by("rsa-1", alg)
    }

    fn token_by(&self, key: &str, alg: &str) -> String {
        let description =
            json!({ "key": key, "alg": alg, "kid": "@", "claims": { "sub": "alice", "exp": NOW + 300 } });
        mint::token(&serde_json::from_str(&description.to_string()).unwrap(), &self.0).unwrap()
    }
}

/// A server without TLS that sends this response to every request for `/keys`.
fn serving(answer: Answer) -> Server {
    let behaviour = Behaviour::answering("/keys", answer);
    Server::start(Behaviour {
        tls: Some(Tls::None),
        ..behaviour
    })
    .unwrap()
}

fn turn(server: &Server, answer: Answer) {
    server.behave(Behaviour::answering("/keys", answer)).unwrap();
}

fn verifier(source: &Value) -> Result<Verifier, Error> {
    Verifier::from_json(
        &json!({ "dialect": "native", "options": { "now": NOW },
                 "config": { "keys": [source], "algorithms": ["RS256"], "kid": "match" } })
        .to_string(),
    )
}

fn jwks(server: &Server, settings: &Value) -> Verifier {
    let mut source = json!({ "jwks_url": format!("{}/keys?secret=hush", server.url()), "proxy": "none" });
    for (name, value) in settings.as_object().into_iter().flatten() {
        source[name] = value.clone();
    }
    verifier(&source).unwrap()
}

fn ask(verifier: &Verifier, token: &str) -> Result<Grant, Error> {
    verifier.authenticate(&Request::bearer(token))
}

fn code(outcome: Result<Grant, Error>) -> Code {
    outcome.unwrap_err().code()
}

#[test]
fn keys_are_fetched_once_and_kept() {
    let keys = Keys::load();
    let server = serving(keys.answer());
    let verifier = jwks(&server, &json!({}));
    assert_eq!(server.requests(), 0, "building opens no connection");
    for _ in 0..10 {
        assert!(ask(&verifier, &keys.token("RS256")).is_ok());
    }
    assert_eq!(server.requests(), 1);
}

#[test]
fn a_server_that_is_down_at_the_start_is_an_outage_and_recovers() {
    let keys = Keys::load();
    let server = serving(Answer::status(500));
    let verifier = jwks(&server, &json!({ "cool_down": "0s" }));
    let error = ask(&verifier, &keys.token("RS256")).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        (Code::KeySourceUnavailable, Class::Unavailable)
    );
    assert_eq!(error.http_status(), Some(503));
    let detail = error.detail().unwrap_or_default().to_owned();
    assert!(detail.contains("status 500"), "{detail}");
    assert!(!detail.contains("hush"), "the query may hold a secret: {detail}");
    turn(&server, keys.answer());
    assert!(ask(&verifier, &keys.token("RS256")).is_ok());
}

#[test]
fn unchanged_keys_are_not_sent_again() {
    let keys = Keys::load();
    let server = serving(
        keys.answer()
            .header("ETag", "\"one\"")
            .header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
    );
    let verifier = jwks(&server, &json!({ "cache_ttl": "0s" }));
    assert!(ask(&verifier, &keys.token("RS256")).is_ok());
    turn(&server, Answer::status(304));
    assert!(ask(&verifier, &keys.token("RS256")).is_ok());
    let head = server.last_request().to_ascii_lowercase();
    assert!(head.contains("if-none-match: \"one\""), "{head}");
    assert!(head.contains("if-modified-since: thu, 01 jan 2026"), "{head}");
}

#[test]
fn a_token_that_cannot_be_accepted_causes_no_fetch() {
    let keys = Keys::load();
    let server = serving(keys.answer());
    let verifier = jwks(&server, &json!({}));
    let token = keys.token("PS256");
    assert_eq!(code(ask(&verifier, &token)), Code::AlgorithmNotAllowed);
    assert_eq!(code(ask(&verifier, "garbage")), Code::TokenMalformed);
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_refresh_fetches_and_reports_failures() {
    let keys = Keys::load();
    let server = serving(keys.answer());
    let verifier = jwks(&server, &json!({}));
    assert!(verifier.refresh_keys().is_ok());
    assert!(verifier.refresh_keys().is_ok());
    assert_eq!(server.requests(), 2);
    turn(&server, Answer::status(500));
    assert_eq!(
        verifier.refresh_keys().unwrap_err().code(),
        Code::KeySourceUnavailable
    );
    assert!(ask(&verifier, &keys.token("RS256")).is_ok());
}

#[test]
fn urls_are_checked_when_the_verifier_is_built() {
    for url in [
        "http://issuer.example/keys",
        "ftp://issuer.example/",
        "https://a:b@issuer.example/",
        "https://issuer.example/#k",
        "keys",
        "https://",
    ] {
        assert_eq!(
            verifier(&json!({ "jwks_url": url })).unwrap_err().code(),
            Code::ConfigInvalid,
            "{url}"
        );
    }
    assert!(verifier(&json!({ "jwks_url": "http://issuer.example/keys", "insecure_http": true })).is_ok());
    assert!(verifier(&json!({ "jwks_url": "http://[::1]:8080/keys" })).is_ok());
    assert!(verifier(&json!({ "jwks_url": "https://issuer.example/keys", "ca_pem": "none" })).is_err());
    assert!(
        verifier(&json!({ "jwks_url": "https://issuer.example/keys", "ca_file": "/nowhere.pem" })).is_err()
    );
}

#[test]
fn an_unreachable_server_does_not_block_tokens_of_another_source() {
    let keys = Keys::load();
    let down = serving(Answer::status(500));
    let up = serving(keys.answer());
    let source = |server: &Server| json!({ "jwks_url": format!("{}/keys", server.url()), "cool_down": "0s", "proxy": "none" });
    let config = json!({ "dialect": "native", "options": { "now": NOW },
        "config": { "keys": [source(&down), source(&up)], "algorithms": ["RS256"], "kid": "match" } });
    let verifier = Verifier::from_json(&config.to_string()).unwrap();
    for _ in 0..10 {
        assert!(ask(&verifier, &keys.token("RS256")).is_ok());
    }
    assert_eq!((down.requests(), up.requests()), (1, 1));
    assert_eq!(
        code(ask(&verifier, &keys.token_by("rsa-2", "RS256"))),
        Code::KeySourceUnavailable,
        "the source that is down may have it"
    );
    assert_eq!(down.requests(), 2);
}

#[test]
fn a_step_returns_the_fetches_that_it_lacks() {
    let keys = Keys::load();
    let server = serving(keys.answer());
    let verifier = jwks(&server, &json!({ "cool_down": "0s" }));
    let (known, unknown) = (keys.token("RS256"), keys.token_by("rsa-2", "RS256"));
    let decided = |token: &str, after: Option<&Errand>| match verifier.step(&Request::bearer(token), after) {
        Step::Decided(outcome) => Ok(outcome),
        Step::Fetch(errand) => Err(errand),
    };
    let errand = decided(&known, None).unwrap_err();
    assert_eq!(server.requests(), 0, "a step fetches nothing");
    assert_eq!(code(decided("garbage", None).unwrap()), Code::TokenMalformed);
    errand.run();
    assert!(decided(&known, Some(&errand)).unwrap().is_ok());
    assert!(decided(&known, None).unwrap().is_ok());
    let errand = decided(&unknown, None).unwrap_err();
    let cached = Request::bearer(&unknown).cached_only(true);
    let error = verifier.authenticate(&cached).unwrap_err();
    assert_eq!(error.code(), Code::KeySourceUnavailable);
    assert_eq!(server.requests(), 1);
    errand.run();
    assert_eq!(code(decided(&unknown, Some(&errand)).unwrap()), Code::KeyNotFound);
    assert_eq!(server.requests(), 2);
}

#[test]
fn two_discovered_issuers_do_not_sign_for_each_other() {
    let keys = Keys::load();
    let issuer = |key: &str| {
        let mut jwk = keys.0.get(key).unwrap().jwk(key);
        jwk.insert("kid".to_owned(), "k".into());
        let server = serving(Answer::json(json!({ "keys": [jwk] })));
        let metadata = json!({ "issuer": server.url(), "jwks_uri": format!("{}/keys", server.url()) });
        let path = "/.well-known/openid-configuration";
        let behaviour = Behaviour::answering(path, Answer::json(metadata));
        server.behave(behaviour).unwrap();
        server
    };
    let token = |key: &str, server: &Server| {
        let claims = json!({ "sub": "alice", "iss": server.url(), "exp": NOW + 300 });
        let description = json!({ "key": key, "alg": "RS256", "kid": "k", "claims": claims });
        mint::token(&serde_json::from_str(&description.to_string()).unwrap(), &keys.0).unwrap()
    };
    let (one, two) = (issuer("rsa-1"), issuer("rsa-2"));
    for [first, second] in [[&one, &two], [&two, &one]] {
        let source = |server: &Server| json!({ "oidc_discovery_url": server.url(), "proxy": "none" });
        let config = json!({ "keys": [source(first), source(second)], "algorithms": ["RS256"] });
        let envelope = json!({ "dialect": "native", "options": { "now": NOW }, "config": config });
        let verifier = Verifier::from_json(&envelope.to_string()).unwrap();
        for _ in 0..2 {
            assert_eq!(code(ask(&verifier, &token("rsa-1", &two))), Code::IssuerMismatch);
            assert!(ask(&verifier, &token("rsa-1", &one)).is_ok());
            assert_eq!(code(ask(&verifier, &token("rsa-2", &one))), Code::IssuerMismatch);
            assert!(ask(&verifier, &token("rsa-2", &two)).is_ok());
        }
    }
}
