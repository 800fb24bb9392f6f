//! Batches whose keys must be fetched.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::{self, ThreadId};

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::{Batch, Code, Grant, Request, Round, Verifier, wire};
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::mint;
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000;

static RING: LazyLock<Keyring> = LazyLock::new(|| Keyring::load().unwrap());

/// A client with a set of one key, or without an answer. It notes the thread and the URL of each fetch.
#[derive(Debug, Default)]
struct Client {
    is_down: bool,
    fetches: Mutex<Vec<(ThreadId, String)>>,
}

impl Client {
    fn fetches(&self) -> Vec<(ThreadId, String)> {
        std::mem::take(&mut self.fetches.lock().unwrap())
    }
}

impl Fetch for Client {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let fetch = (thread::current().id(), request.url.to_owned());
        self.fetches.lock().unwrap().push(fetch);
        if self.is_down {
            return Err(FetchFailed::new(Phase::Connect, "connection refused"));
        }
        let key = if request.url.contains("a.example") {
            "ed25519-1"
        } else {
            "ed25519-2"
        };
        let jwk = RING.get(key).unwrap().jwk(key);
        Ok(Fetched::new(200, json!({ "keys": [jwk] }).to_string()))
    }
}

fn verifier(client: &Arc<Client>, more: &Value) -> Verifier {
    let source = |host: &str| {
        let mut source =
            json!({ "jwks_url": format!("https://{host}/keys"), "issuer": format!("https://{host}") });
        source
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        source
    };
    let config = json!({
        "keys": [source("a.example"), source("b.example")], "algorithms": ["EdDSA"],
        "issuer": ["https://a.example", "https://b.example"],
    });
    let envelope = json!({ "dialect": "native", "config": config, "options": { "now": NOW } });
    let fetch: Arc<dyn Fetch> = Arc::<Client>::clone(client);
    Verifier::builder(&envelope.to_string())
        .unwrap()
        .fetch(fetch)
        .build()
        .unwrap()
}

fn token(key: &str, host: &str) -> String {
    let claims = json!({ "iss": format!("https://{host}"), "sub": "alice", "exp": NOW + 300 });
    let description = json!({ "key": key, "alg": "EdDSA", "kid": "@", "claims": claims });
    mint::token(&serde_json::from_str(&description.to_string()).unwrap(), &RING).unwrap()
}

/// Tokens of both issuers, one with a key that no source has, and one that is no token, many times.
fn tokens() -> Vec<String> {
    let some = [
        token("ed25519-1", "a.example"),
        token("ed25519-2", "b.example"),
        token("ed25519-2", "a.example"),
        "a.b.c".to_owned(),
    ];
    some.iter().cycle().take(120).cloned().collect()
}

#[test]
fn keys_are_fetched_once_for_all_tokens() {
    for threads in [None, NonZeroUsize::new(1), NonZeroUsize::new(4)] {
        let client = Arc::new(Client::default());
        let verifier = verifier(&client, &json!({}));
        let tokens = tokens();
        let requests: Vec<_> = tokens.iter().map(|token| Request::bearer(token)).collect();
        let outcomes = verifier.authenticate_many(&requests, threads);
        let codes: Vec<_> = outcomes
            .iter()
            .map(|outcome| outcome.as_ref().map(|_| ()).map_err(jwtauth_core::Error::code))
            .collect();
        let expected = [
            Ok(()),
            Ok(()),
            Err(Code::IssuerMismatch),
            Err(Code::TokenMalformed),
        ];
        assert_eq!(
            codes,
            expected.iter().cycle().take(120).copied().collect::<Vec<_>>()
        );
        let mut urls: Vec<_> = client.fetches().into_iter().map(|(_, url)| url).collect();
        urls.sort_unstable();
        assert_eq!(urls, ["https://a.example/keys", "https://b.example/keys"]);
        for (request, outcome) in requests.iter().zip(&outcomes) {
            assert_eq!(&verifier.authenticate(request), outcome);
        }
    }
}

#[test]
fn each_token_has_its_failure_if_keys_cannot_be_fetched() {
    let client = Arc::new(Client {
        is_down: true,
        ..Client::default()
    });
    let verifier = verifier(&client, &json!({}));
    let tokens = tokens();
    let requests: Vec<_> = tokens.iter().map(|token| Ok(Request::bearer(token))).collect();
    let replies = wire::authenticate_many(&verifier, &requests, None, |outcome| wire::reply(&outcome));
    let fetches = client.fetches();
    assert_eq!(fetches.len(), 2);
    // The sources back off now, and the replies are the same.
    for (request, reply) in requests.iter().zip(&replies) {
        assert_eq!(
            &wire::reply(&verifier.authenticate(request.as_ref().unwrap())),
            reply
        );
    }
    assert!(client.fetches().is_empty());
}

#[test]
fn a_request_for_cached_keys_only_fetches_nothing() {
    let client = Arc::new(Client::default());
    let verifier = verifier(&client, &json!({}));
    let token = token("ed25519-1", "a.example");
    let requests = [
        Request::bearer(&token).cached_only(true),
        Request::bearer("a.b.c"),
    ];
    let outcomes = verifier.authenticate_many(&requests, None);
    let codes: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_err().code())
        .collect();
    assert_eq!(codes, [Code::KeySourceUnavailable, Code::TokenMalformed]);
    assert!(client.fetches().is_empty());
}

#[test]
fn every_batch_fetches_if_caching_is_disabled() {
    let client = Arc::new(Client::default());
    let verifier = verifier(&client, &json!({ "cache_ttl": "0s", "cool_down": "0s" }));
    let token = token("ed25519-1", "a.example");
    let requests = [
        Request::bearer(&token),
        Request::bearer(&token),
        Request::bearer(&token),
    ];
    for _ in 0..2 {
        assert!(
            verifier
                .authenticate_many(&requests, None)
                .iter()
                .all(Result::is_ok)
        );
        let fetches = client.fetches();
        let first = |(_, url): &&(ThreadId, String)| url.contains("a.example");
        assert_eq!(fetches.iter().filter(first).count(), 1, "{fetches:?}");
    }
}

#[test]
fn a_round_decides_what_it_can_and_names_the_fetches_of_the_others() {
    let client = Arc::new(Client::default());
    let verifier = verifier(&client, &json!({}));
    let tokens = tokens();
    let requests: Vec<_> = tokens.iter().map(|token| Request::bearer(token)).collect();
    let here = thread::current().id();
    let mut batch = Batch::new(&requests);
    let mut asked = Vec::new();
    let outcomes = loop {
        let taken = Mutex::new(0);
        let round = batch.round(None, |request, after| {
            *taken.lock().unwrap() += 1;
            wire::step(&verifier, Ok(request), after, Grant::of)
        });
        asked.push(taken.into_inner().unwrap());
        match round {
            Round::Decided(outcomes) => break outcomes,
            Round::Fetch(rest, errand) => {
                assert_eq!(errand.fetches().len(), 2);
                errand.fetches().iter().for_each(jwtauth_core::KeyFetch::run);
                batch = rest;
            }
        }
    };
    // The tokens that are no tokens are decided in the first round.
    assert_eq!(asked, [120, 90]);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 60);
    assert!(client.fetches().iter().all(|(thread, _)| *thread == here));
}
