//! Events and counters: each decision and each fetch is reported once, and nothing of a token.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot continue fails"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use jwtauth_core::events::Event;
use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::{Code, Explain, Monotonic, Request, Step, Verifier, VerifierBuilder, wire};
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::{flatten, mint, runner, suite};
use serde_json::{Value, json};

/// The events of a verifier, as JSON.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn observe(&self, builder: VerifierBuilder) -> VerifierBuilder {
        let seen = Arc::clone(&self.0);
        builder.on_event(move |event: &Event<'_>| seen.lock().unwrap().push(wire::event(event)))
    }

    fn texts(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn take(&self) -> Vec<Value> {
        self.texts()
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect()
    }
}

/// Every text that an event may contain: the words of the interface, and the names of the policy and of its keys.
fn allowed(verifier: &Verifier) -> BTreeSet<String> {
    let words = [
        "decision",
        "fetch",
        "granted",
        "denied",
        "unavailable",
        "failed",
        "fetched",
    ];
    let levels = ["debug", "info", "warning", "error"];
    let mut allowed: BTreeSet<String> = words.into_iter().chain(levels).map(str::to_owned).collect();
    for code in Code::ALL {
        allowed.insert(code.as_str().to_owned());
        allowed.insert(code.stage().as_str().to_owned());
    }
    allowed.extend(Phase::ALL.map(|phase| phase.as_str().to_owned()));
    for status in verifier.key_status() {
        allowed.insert(status.source);
        allowed.extend(status.kids.iter().map(|kid| kid.chars().take(200).collect()));
    }
    let policy: Value = serde_json::from_str(&wire::policy(verifier)).unwrap();
    let profiles = policy.pointer("/config/profiles").and_then(Value::as_object);
    allowed.extend(profiles.into_iter().flat_map(|profiles| profiles.keys().cloned()));
    allowed
}

/// Whether an event has only these texts. Its numbers say nothing about a token: the clock stands, so the duration is zero.
fn check_content(event: &Value, allowed: &BTreeSet<String>) {
    for (name, value) in event.as_object().unwrap() {
        match value {
            Value::String(text) => assert!(allowed.contains(text), "`{name}`: {event}"),
            Value::Bool(_) => assert!(matches!(name.as_str(), "from_cache" | "explained"), "{event}"),
            Value::Number(number) => match name.as_str() {
                "duration_ns" => assert_eq!(number.as_u64(), Some(0), "{event}"),
                "keys" | "status" => {}
                _ => panic!("`{name}`: {event}"),
            },
            _ => panic!("`{name}`: {event}"),
        }
    }
}

#[test]
fn an_event_of_any_case_contains_the_decision_and_nothing_of_the_token() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("events");
    flatten::suite(&suite(), &directory).unwrap();
    let (mut decided, mut with_key, mut with_profile) = (0_usize, 0_usize, 0_usize);
    for name in runner::index(&directory).unwrap() {
        let read = |file: &str| fs::read_to_string(directory.join(&name).join(file)).unwrap();
        let Ok(builder) = Verifier::builder(&read("verifier.json")) else {
            continue;
        };
        let seen = Seen::default();
        let builder = seen.observe(builder.monotonic(Monotonic::stopped()));
        let Ok(verifier) = builder.build() else { continue };
        let request = read("request.json");
        let outcome = wire::authenticate(&verifier, &request);
        let (reply, expected) = (wire::reply(&outcome), read("expect.json"));
        let code = |reply: &str| wire::get(reply, "/code");
        let same = if outcome.is_ok() {
            reply == expected
        } else {
            code(&reply) == code(&expected)
        };
        assert!(same, "{name}: the observer changes the decision: {reply}");
        wire::explain(&verifier, &request, Explain { show_values: true });
        let events = seen.take();
        let class = outcome.as_ref().err().map(|error| error.class().as_str());
        let (expected, code) = match &outcome {
            Ok(_) => ("granted", None),
            // The request was not read, so nothing was decided.
            Err(error) if error.code() == Code::RequestInvalid => {
                assert!(events.is_empty(), "{name}: {events:?}");
                continue;
            }
            Err(error) => (class.unwrap(), Some(error.code().as_str())),
        };
        let allowed = allowed(&verifier);
        for event in &events {
            check_content(event, &allowed);
        }
        let decisions: Vec<_> = events
            .iter()
            .filter(|event| event["event"] == "decision")
            .collect();
        assert_eq!(decisions.len(), 2, "{name}: {events:?}");
        for (decision, explained) in decisions.iter().zip([false, true]) {
            assert_eq!(decision["outcome"], expected, "{name}: {decision}");
            assert_eq!(decision["explained"], explained, "{name}: {decision}");
            assert_eq!(
                decision.get("code").and_then(Value::as_str),
                code,
                "{name}: {decision}"
            );
        }
        for member in ["profile", "kid", "source"] {
            assert_eq!(
                decisions[0].get(member),
                decisions[1].get(member),
                "{name}: {decisions:?}"
            );
        }
        if let Ok(grant) = &outcome {
            let profile = decisions[0].get("profile").and_then(Value::as_str);
            assert_eq!(profile, grant.profile.as_deref(), "{name}");
            assert!(decisions[0].get("source").is_some(), "{name}: {decisions:?}");
        }
        decided += 1;
        with_key += usize::from(decisions[0].get("kid").is_some());
        with_profile += usize::from(decisions[0].get("profile").is_some());
    }
    assert!(
        decided > 2000 && with_key > 100 && with_profile > 100,
        "{decided} {with_key} {with_profile}"
    );
}

const NOW: u64 = 1_700_000_000;

static RING: LazyLock<Keyring> = LazyLock::new(|| Keyring::load().unwrap());

fn token(claims: &Value) -> String {
    let description = json!({ "key": "ed25519-1", "alg": "EdDSA", "kid": "@", "claims": claims });
    mint::token(&serde_json::from_str(&description.to_string()).unwrap(), &RING).unwrap()
}

fn good() -> String {
    token(&json!({ "sub": "alice", "exp": NOW + 300 }))
}

/// What a key server does, in turn, while a fetch takes three seconds.
#[derive(Debug)]
struct Client {
    clock: Monotonic,
    answers: Mutex<Vec<&'static str>>,
}

impl Fetch for Client {
    fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        self.clock.advance(Duration::from_secs(3));
        match self.answers.lock().unwrap().pop() {
            Some("down") => Err(FetchFailed::new(Phase::Connect, "refused")),
            Some("panic") => panic!("the client of this test panics"),
            Some("busy") => Ok(Fetched::new(503, "")),
            _ => {
                let jwk = RING.get("ed25519-1").unwrap().jwk("ed25519-1");
                Ok(Fetched::new(200, json!({ "keys": [jwk] }).to_string()))
            }
        }
    }
}

/// A verifier whose server gives these answers, and then the key.
fn remote(seen: &Seen, answers: &[&'static str], options: &Value) -> (Verifier, Monotonic) {
    let clock = Monotonic::stopped();
    let client = Client {
        clock: clock.clone(),
        answers: Mutex::new(answers.iter().rev().copied().collect()),
    };
    let config = json!({ "keys": [{ "jwks_url": "https://issuer.example/keys?secret=hush" }], "algorithms": ["EdDSA"],
                         "profiles": { "web": {}, "nobody": { "subject": "nobody" } } });
    let envelope = json!({ "dialect": "native", "config": config, "options": options });
    let builder = Verifier::builder(&envelope.to_string()).unwrap();
    let fetch: Arc<dyn Fetch> = Arc::new(client);
    let builder = seen.observe(builder.fetch(fetch).monotonic(clock.clone()));
    (builder.build().unwrap(), clock)
}

#[test]
fn a_decision_and_its_fetch_are_reported_with_their_durations() {
    let seen = Seen::default();
    let (verifier, _) = remote(&seen, &[], &json!({ "now": NOW }));
    verifier
        .authenticate(&Request::bearer(&good()).profile("web"))
        .unwrap();
    assert_eq!(
        seen.texts(),
        [
            r#"{"event":"fetch","level":"info","outcome":"fetched","source":"keys[0].jwks_url","keys":1,"duration_ns":3000000000}"#,
            r#"{"event":"decision","level":"debug","outcome":"granted","profile":"web","kid":"test-ed25519-1","source":"keys[0].jwks_url","from_cache":false,"explained":false,"duration_ns":3000000000}"#
        ]
    );
    let expired = token(&json!({ "sub": "alice", "exp": NOW - 3600 }));
    verifier.authenticate(&Request::bearer(&expired)).unwrap_err();
    assert_eq!(
        seen.texts(),
        [
            r#"{"event":"decision","level":"warning","outcome":"denied","code":"token_expired","stage":"validate_claims","kid":"test-ed25519-1","source":"keys[0].jwks_url","from_cache":false,"explained":false,"duration_ns":0}"#
        ]
    );
    verifier
        .authenticate(&Request::bearer("a.b.c").profile("no such profile"))
        .unwrap_err();
    let event = &seen.take()[0];
    assert_eq!(event["code"], "profile_unknown");
    assert_eq!(event.get("profile"), None);
}

#[test]
fn the_steps_of_a_decision_are_one_event_from_its_beginning() {
    let seen = Seen::default();
    let (verifier, clock) = remote(&seen, &[], &json!({ "now": NOW }));
    let token = good();
    let request = Request::bearer(&token);
    let Step::Fetch(errand) = verifier.step(&request, None) else {
        panic!("a decision without keys");
    };
    clock.advance(Duration::from_secs(1));
    errand.run();
    match verifier.step(&request, Some(&errand)) {
        Step::Decided(outcome) => outcome.unwrap(),
        Step::Fetch(_) => panic!("another fetch"),
    };
    let Err(errand) =
        remote(&seen, &[], &json!({ "now": NOW }))
            .0
            .explain_step(&request, Explain::default(), None)
    else {
        panic!("an explanation without keys");
    };
    assert_eq!(errand.fetches().len(), 1);
    let events = seen.take();
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(events[1]["duration_ns"], 4_000_000_000_u64);
}

#[test]
fn failed_fetches_are_reported_with_their_phase() {
    let seen = Seen::default();
    let (verifier, clock) = remote(&seen, &["down", "busy", "panic"], &json!({ "now": NOW }));
    let token = good();
    for _ in 0..3 {
        wire::guarded(|| verifier.authenticate(&Request::bearer(&token))).unwrap_err();
        clock.advance(Duration::from_secs(600));
    }
    let events: Vec<_> = seen.take();
    let fetches: Vec<_> = events.iter().filter(|event| event["event"] == "fetch").collect();
    let shown: Vec<_> = fetches
        .iter()
        .map(|event| (&event["outcome"], &event["phase"], event.get("status")))
        .collect();
    let status = json!(503);
    assert_eq!(
        shown,
        [
            (&json!("failed"), &json!("connect"), None),
            (&json!("failed"), &json!("http"), Some(&status)),
            (&json!("failed"), &json!("http"), None),
        ]
    );
}

/// The members of the examples on the page about events, in order.
fn documented() -> Vec<Vec<String>> {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```json event\n").skip(1);
    let texts = blocks.map(|block| block.split("```").next().unwrap());
    texts.map(members).collect()
}

fn members(event: &str) -> Vec<String> {
    let members = jwtauth_core::internals::json::parse(event).unwrap();
    let object = members.as_object().unwrap();
    object.members().map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn the_examples_of_the_page_have_the_members_of_events() {
    let seen = Seen::default();
    let (verifier, clock) = remote(&seen, &["busy"], &json!({ "now": NOW }));
    verifier.refresh_keys().unwrap_err();
    let failed = seen.texts().remove(0);
    clock.advance(Duration::from_secs(600));
    verifier.refresh_keys().unwrap();
    seen.texts();
    let expired = token(&json!({ "sub": "alice", "exp": NOW - 3600 }));
    verifier
        .authenticate(&Request::bearer(&expired).profile("web"))
        .unwrap_err();
    let denied = seen.texts().remove(0);
    assert_eq!(documented(), [members(&denied), members(&failed)]);
}

#[test]
fn an_observer_that_panics_changes_no_decision() {
    let clock = Monotonic::stopped();
    let config = json!({ "keys": [{ "jwk": RING.get("ed25519-1").unwrap().jwk("ed25519-1") }],
                         "algorithms": ["EdDSA"] });
    let envelope = json!({ "dialect": "native", "config": config, "options": { "now": NOW } });
    let builder = Verifier::builder(&envelope.to_string()).unwrap();
    let builder = builder
        .monotonic(clock)
        .on_event(|_| panic!("the observer of this test panics"));
    let verifier = builder.build().unwrap();
    let token = good();
    assert!(verifier.authenticate(&Request::bearer(&token)).is_ok());
    let outcomes = verifier.authenticate_many(&[Request::bearer(&token), Request::bearer("a.b.c")], None);
    assert!(outcomes[0].is_ok() && outcomes[1].is_err());
    let explained = verifier.explain(&Request::bearer("a.b.c"), Explain::default());
    assert_eq!(explained.decision.unwrap_err().code(), Code::TokenMalformed);
    let counters = verifier.counters();
    assert_eq!(
        (counters.granted, counters.denied.get("token_malformed")),
        (2, Some(&2))
    );
}

#[test]
fn hits_of_the_token_cache_and_batches_are_reported() {
    let seen = Seen::default();
    let options = json!({ "now": NOW, "token_cache": { "max_bytes": 1_000_000, "max_ttl": "5m" } });
    let (verifier, _) = remote(&seen, &[], &options);
    let token = good();
    let request = Request::bearer(&token).profile("web");
    for _ in 0..3 {
        verifier.authenticate(&request).unwrap();
    }
    let events = seen.take();
    let cached: Vec<_> = events.iter().map(|event| event.get("from_cache")).collect();
    let (no, yes) = (json!(false), json!(true));
    assert_eq!(cached, [None, Some(&no), Some(&yes), Some(&yes)]);
    assert_eq!(events[3]["profile"], "web");
    assert_eq!(events[3].get("kid"), None);
    verifier.explain(&request, Explain::default());
    assert_eq!(
        seen.take()[0]["from_cache"],
        false,
        "an explanation makes every check"
    );
    let requests: Vec<_> = std::iter::repeat_n(request, 50).collect();
    verifier.authenticate_many(&requests, None);
    assert_eq!(seen.take().len(), 50);
    let counters = wire::counters(&verifier);
    assert_eq!(
        counters,
        r#"{"granted":54,"denied":{},"unavailable":{},"token_cache_hits":52,"sources":[{"source":"keys[0].jwks_url","fetches":1,"failures":0}]}"#
    );
}
