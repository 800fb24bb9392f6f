//! Keys over HTTP: what a verifier does when its key server answers, fails, lies and rotates.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::time::{Duration, Instant};

use jwtauth_core::{Class, Code, Error, Grant, Request, Verifier};
use jwtauth_testkit::keys::{Keyring, kid};
use jwtauth_testkit::mint;
use jwtauth_testkit::server::{Answer, Server};
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000;

struct Keys(Keyring);

impl Keys {
    fn load() -> Keys {
        Keys(Keyring::load().unwrap())
    }

    fn set(&self, names: &[&str]) -> Value {
        let keys: Vec<Value> = names
            .iter()
            .map(|name| Value::Object(self.0.get(name).unwrap().jwk(name)))
            .collect();
        json!({ "keys": keys })
    }

    fn answer(&self, names: &[&str]) -> Answer {
        Answer::ok(self.set(names).to_string())
    }

    fn token(&self, key: &str, kid: &str) -> String {
        let description =
            json!({ "key": key, "alg": "RS256", "kid": kid, "claims": { "sub": "alice", "exp": NOW + 300 } });
        mint::token(&serde_json::from_str(&description.to_string()).unwrap(), &self.0).unwrap()
    }
}

fn verifier(source: &Value) -> Result<Verifier, Error> {
    Verifier::from_json(
        &json!({ "dialect": "native", "options": { "now": NOW },
                 "config": { "keys": [source], "algorithms": ["RS256"], "kid": "match" } })
        .to_string(),
    )
}

fn jwks(server: &Server, settings: &Value) -> Verifier {
    let mut source = json!({ "jwks_url": server.url("/keys?secret=hush") });
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
    let server = Server::start(keys.answer(&["rsa-1"]));
    let verifier = jwks(&server, &json!({}));
    assert_eq!(server.requests(), 0, "building opens no connection");
    for _ in 0..10 {
        assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
    }
    assert_eq!(server.requests(), 1);
}

#[test]
fn a_server_that_is_down_at_the_start_is_an_outage_and_recovers() {
    let keys = Keys::load();
    let server = Server::start(Answer::status(500));
    let verifier = jwks(&server, &json!({ "cool_down": "0s" }));
    let error = ask(&verifier, &keys.token("rsa-1", "@")).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        (Code::KeySourceUnavailable, Class::Unavailable)
    );
    assert_eq!(error.http_status(), Some(503));
    let detail = error.detail().unwrap_or_default().to_owned();
    assert!(detail.contains("status 500"), "{detail}");
    assert!(!detail.contains("hush"), "the query may hold a secret: {detail}");
    server.answer(keys.answer(&["rsa-1"]));
    assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
}

#[test]
fn after_a_failure_the_next_call_waits() {
    let keys = Keys::load();
    let server = Server::start(Answer::status(500));
    let verifier = jwks(&server, &json!({}));
    for _ in 0..5 {
        assert_eq!(
            code(ask(&verifier, &keys.token("rsa-1", "@"))),
            Code::KeySourceUnavailable
        );
    }
    assert_eq!(server.requests(), 1, "a second has not passed");
}

#[test]
fn what_is_no_key_set_is_refused_and_never_repeated() {
    let keys = Keys::load();
    for body in [
        "<html>hush</html>",
        "{}",
        "{\"keys\":[]}",
        "{\"keys\":[{\"kty\":\"AKP\"}]}",
        "{\"keys\":[",
        "{\"keys\":[]} x",
    ] {
        let server = Server::start(Answer::ok(body));
        let error = ask(&jwks(&server, &json!({})), &keys.token("rsa-1", "@")).unwrap_err();
        assert_eq!(error.code(), Code::KeySetInvalid, "{body}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
    let many = json!({ "keys": vec![json!({ "kty": "AKP" }); 1001] }).to_string();
    let server = Server::start(Answer::ok(many));
    let error = ask(&jwks(&server, &json!({})), &keys.token("rsa-1", "@")).unwrap_err();
    assert!(error.to_string().contains("more than 1000 keys"), "{error}");
}

#[test]
fn one_unusable_key_does_not_spoil_the_set() {
    let keys = Keys::load();
    let mut set = keys.set(&["rsa-1"]);
    set["keys"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({ "kty": "AKP", "kid": "pq" }));
    let server = Server::start(Answer::ok(set.to_string()).with("Content-Type: text/html"));
    assert!(ask(&jwks(&server, &json!({})), &keys.token("rsa-1", "@")).is_ok());
}

#[test]
fn a_rotated_key_is_found_by_one_more_fetch() {
    let keys = Keys::load();
    let server = Server::start(keys.answer(&["rsa-1"]));
    let verifier = jwks(&server, &json!({ "cool_down": "0s" }));
    assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
    server.answer(keys.answer(&["rsa-2"]));
    assert!(ask(&verifier, &keys.token("rsa-2", "@")).is_ok());
    assert_eq!(server.requests(), 2);
    assert_eq!(
        code(ask(&verifier, &keys.token("rsa-1", "@"))),
        Code::KeyNotFound,
        "the old key is gone"
    );
}

#[test]
fn another_key_under_the_same_kid_is_found_by_one_more_fetch() {
    let keys = Keys::load();
    let named = |name: &str| {
        let mut set = keys.set(&[name]);
        set["keys"][0]["kid"] = json!("k");
        Answer::ok(set.to_string())
    };
    let server = Server::start(named("rsa-1"));
    let verifier = jwks(&server, &json!({ "cool_down": "0s" }));
    assert!(ask(&verifier, &keys.token("rsa-1", "k")).is_ok());
    server.answer(named("rsa-2"));
    assert!(ask(&verifier, &keys.token("rsa-2", "k")).is_ok());
    assert_eq!(
        code(ask(&verifier, &keys.token("rsa-1", "k"))),
        Code::SignatureInvalid
    );
}

#[test]
fn a_flood_of_unknown_kids_costs_at_most_one_fetch_in_a_cool_down() {
    let keys = Keys::load();
    let server = Server::start(keys.answer(&["rsa-1"]));
    let verifier = jwks(&server, &json!({}));
    assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
    for number in 0..200 {
        assert_eq!(
            code(ask(&verifier, &keys.token("rsa-1", &format!("kid-{number}")))),
            Code::KeyNotFound
        );
    }
    assert!(server.requests() <= 2, "{}", server.requests());
}

#[test]
fn a_warm_source_turns_no_forged_token_into_an_outage() {
    let keys = Keys::load();
    let server = Server::start(keys.answer(&["rsa-1"]));
    let verifier = jwks(&server, &json!({ "cool_down": "0s" }));
    assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
    server.answer(Answer::status(503));
    let error = ask(&verifier, &keys.token("rsa-2", &kid("rsa-1"))).unwrap_err();
    assert_eq!(error.code(), Code::SignatureInvalid);
    assert!(
        error.detail().unwrap_or_default().contains("status 503"),
        "{error}"
    );
    assert!(
        ask(&verifier, &keys.token("rsa-1", "@")).is_ok(),
        "the good set stays"
    );
}

#[test]
fn a_set_that_was_good_is_used_while_the_server_fails() {
    let keys = Keys::load();
    let server = Server::start(keys.answer(&["rsa-1"]));
    let verifier = jwks(
        &server,
        &json!({ "cache_ttl": "0s", "cool_down": "0s", "timeout": "300ms" }),
    );
    assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
    for answer in [
        Answer::status(404),
        Answer::ok("<html>"),
        Answer::ok("{\"keys\":[]}"),
        Answer::Close,
        Answer::Silence,
        Answer::HalfABody,
        Answer::ok(vec![b' '; 2 * 1024 * 1024]),
        Answer::status(302).with("Location: /elsewhere"),
    ] {
        server.answer(answer.clone());
        assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok(), "{answer:?}");
    }
    let verifier = jwks(
        &server,
        &json!({ "cache_ttl": "0s", "cool_down": "0s", "max_stale": "0s" }),
    );
    server.answer(keys.answer(&["rsa-1"]));
    assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
    server.answer(Answer::status(404));
    assert_eq!(
        code(ask(&verifier, &keys.token("rsa-1", "@"))),
        Code::KeySourceUnavailable,
        "but not for ever"
    );
}

#[test]
fn a_fetch_ends_at_its_deadline() {
    let keys = Keys::load();
    for answer in [Answer::Silence, Answer::HalfABody] {
        let server = Server::start(answer);
        let verifier = jwks(&server, &json!({ "timeout": "300ms" }));
        let before = Instant::now();
        assert_eq!(
            code(ask(&verifier, &keys.token("rsa-1", "@"))),
            Code::KeySourceUnavailable
        );
        assert!(
            before.elapsed() < Duration::from_secs(20),
            "{:?}",
            before.elapsed()
        );
    }
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let keys = Keys::load();
    let server = Server::start(
        keys.answer(&["rsa-1"])
            .with("ETag: \"one\"")
            .with("Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT"),
    );
    let verifier = jwks(&server, &json!({ "cache_ttl": "0s" }));
    assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
    server.answer(Answer::status(304));
    assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
    let head = server.last_request().to_ascii_lowercase();
    assert!(head.contains("if-none-match: \"one\""), "{head}");
    assert!(head.contains("if-modified-since: thu, 01 jan 2026"), "{head}");
}

#[test]
fn redirects_are_refused_unless_they_are_allowed_and_stay() {
    let keys = Keys::load();
    let server = Server::start(Answer::status(302).with("Location: /elsewhere"));
    assert_eq!(
        code(ask(&jwks(&server, &json!({})), &keys.token("rsa-1", "@"))),
        Code::KeySourceUnavailable
    );
    assert_eq!(server.requests(), 1);
    assert_eq!(
        code(ask(
            &jwks(&server, &json!({ "redirects": 2 })),
            &keys.token("rsa-1", "@")
        )),
        Code::KeySourceUnavailable
    );
    assert_eq!(server.requests(), 4, "a loop ends");
    let elsewhere = Server::start(keys.answer(&["rsa-1"]));
    server.answer(Answer::status(302).with(format!("Location: {}", elsewhere.url("/keys"))));
    assert_eq!(
        code(ask(
            &jwks(&server, &json!({ "redirects": 2 })),
            &keys.token("rsa-1", "@")
        )),
        Code::KeySourceUnavailable
    );
    assert_eq!(elsewhere.requests(), 0);
}

#[test]
fn a_bearer_token_is_read_anew_before_each_fetch() {
    let keys = Keys::load();
    let server = Server::start(keys.answer(&["rsa-1"]));
    let file = std::env::temp_dir().join(format!("jwtauth-bearer-{}", std::process::id()));
    std::fs::write(&file, "one\n").unwrap();
    let verifier = jwks(&server, &json!({ "cache_ttl": "0s", "bearer_token_file": file }));
    assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
    assert!(server.last_request().contains("Bearer one\r\n"));
    std::fs::write(&file, "Bearer two").unwrap();
    assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
    assert!(server.last_request().contains("Bearer two\r\n"));
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_token_that_nobody_could_accept_has_no_key_fetched() {
    let keys = Keys::load();
    let server = Server::start(keys.answer(&["rsa-1"]));
    let verifier = jwks(&server, &json!({}));
    let description = json!({ "key": "rsa-1", "alg": "PS256", "kid": "@", "claims": { "sub": "alice" } });
    let token = mint::token(&serde_json::from_str(&description.to_string()).unwrap(), &keys.0);
    assert_eq!(code(ask(&verifier, &token.unwrap())), Code::AlgorithmNotAllowed);
    assert_eq!(code(ask(&verifier, "garbage")), Code::TokenMalformed);
    assert_eq!(server.requests(), 0);
}

#[test]
fn many_threads_on_a_cold_start_share_one_fetch() {
    let keys = Keys::load();
    let server = Server::start(keys.answer(&["rsa-1"]));
    let verifier = jwks(&server, &json!({}));
    let token = keys.token("rsa-1", "@");
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| assert!(ask(&verifier, &token).is_ok()));
        }
    });
    assert_eq!(server.requests(), 1);
}

#[test]
fn refreshing_fetches_and_says_what_failed() {
    let keys = Keys::load();
    let server = Server::start(keys.answer(&["rsa-1"]));
    let verifier = jwks(&server, &json!({}));
    assert!(verifier.refresh_keys().is_ok());
    assert!(verifier.refresh_keys().is_ok());
    assert_eq!(server.requests(), 2);
    server.answer(Answer::status(500));
    assert_eq!(
        verifier.refresh_keys().unwrap_err().code(),
        Code::KeySourceUnavailable
    );
    assert!(ask(&verifier, &keys.token("rsa-1", "@")).is_ok());
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

/// An issuer whose metadata and keys one server gives, by turns: the first request is for the metadata.
fn discovered(metadata: impl FnOnce(&Server) -> Value) -> Result<Grant, Error> {
    let keys = Keys::load();
    let issuer = Server::start(Answer::Close);
    issuer.answer(Answer::ok(metadata(&issuer).to_string()));
    let verifier = verifier(&json!({ "oidc_discovery_url": issuer.url("") })).unwrap();
    let description = json!({ "key": "rsa-1", "alg": "RS256", "kid": "@", "claims": { "sub": "alice", "iss": issuer.url(""), "exp": NOW + 300 } });
    let token = mint::token(&serde_json::from_str(&description.to_string()).unwrap(), &keys.0).unwrap();
    ask(&verifier, &token)
}

#[test]
fn an_issuer_is_found_by_its_metadata() {
    let keys = Keys::load();
    let set = Server::start(keys.answer(&["rsa-1"]));
    let granted = discovered(|issuer| json!({ "issuer": issuer.url(""), "jwks_uri": set.url("/keys") }));
    assert!(granted.is_ok(), "{granted:?}");
    let slash = discovered(|issuer| json!({ "issuer": issuer.url("/"), "jwks_uri": set.url("/keys") }));
    assert_eq!(code(slash), Code::DiscoveryIssuerMismatch);
    assert_eq!(
        code(discovered(|issuer| json!({ "issuer": issuer.url("") }))),
        Code::DiscoveryFailed
    );
    let away =
        discovered(|issuer| json!({ "issuer": issuer.url(""), "jwks_uri": "http://issuer.example/keys" }));
    assert_eq!(code(away), Code::DiscoveryFailed);
    assert_eq!(code(discovered(|_| json!("metadata"))), Code::DiscoveryFailed);
}
