//! A verifier that remembers grants decides as one that does not.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use jwtauth_core::explain::Explain;
use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched};
use jwtauth_core::{Clock, Code, Error, Grant, Granted, Monotonic, NumericDate, Request, Verifier, wire};
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::mint;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_000;
const A: &str = "https://a.example";
const B: &str = "https://b.example";

static RING: LazyLock<Keyring> = LazyLock::new(|| Keyring::load().unwrap());

/// A verifier, its clocks, and the documents that its key servers send.
struct World {
    verifier: Verifier,
    monotonic: Monotonic,
    now: i64,
    web: Arc<Web>,
}

/// Documents by URL. A URL without one is answered with 503.
#[derive(Debug, Default)]
struct Web {
    documents: Mutex<BTreeMap<String, Value>>,
    requests: Mutex<usize>,
}

impl Fetch for Web {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        *self.requests.lock().unwrap() += 1;
        let documents = self.documents.lock().unwrap();
        Ok(match documents.get(request.url) {
            Some(document) => Fetched::new(200, document.to_string()),
            None => Fetched::new(503, ""),
        })
    }
}

impl World {
    fn new(config: &Value, cache: Option<&Value>) -> World {
        let mut options = json!({ "now": NOW });
        if let Some(cache) = cache {
            options["token_cache"] = cache.clone();
        }
        let envelope = json!({ "dialect": "native", "config": config, "options": options });
        let (web, monotonic) = (Arc::new(Web::default()), Monotonic::stopped());
        let fetch: Arc<dyn Fetch> = Arc::<Web>::clone(&web);
        let builder = Verifier::builder(&envelope.to_string()).unwrap().fetch(fetch);
        World {
            verifier: builder.monotonic(monotonic.clone()).build().unwrap(),
            monotonic,
            now: NOW,
            web,
        }
    }

    /// A verifier with a cache and one source that fetches its keys. `more` are further members of the configuration.
    fn with(more: &Value) -> World {
        let world = World::new(&config(&json!([source(A)]), more), Some(&cache("1h")));
        world.publish(A, Some(&["ed25519-1"]));
        world
    }

    /// Sets the keys that a server sends; `None`: it fails.
    fn publish(&self, issuer: &str, keys: Option<&[&str]>) {
        let url = format!("{issuer}/keys");
        let mut documents = self.web.documents.lock().unwrap();
        match keys {
            Some(keys) => documents.insert(url, set(keys)),
            None => documents.remove(&url),
        };
    }

    fn advance(&mut self, wall: i64, monotonic: u64) {
        self.now += wall;
        self.verifier
            .set_clock(Clock::Fixed(NumericDate::from_seconds(self.now)));
        self.monotonic.advance(Duration::from_secs(monotonic));
    }

    fn ask(&self, request: &Request<'_>) -> Result<Grant, Error> {
        self.verifier.authenticate(request)
    }

    /// The reply that a binding makes, copied from the cache where it is kept there.
    fn answer(
        &self,
        request: &Request<'_>,
        make: impl Fn(Granted<'_>) -> Cow<'_, str>,
    ) -> Result<String, Error> {
        self.verifier
            .answer(request, |granted| make(granted).into_owned())
    }

    fn grants(&self, token: &str) -> bool {
        self.ask(&Request::bearer(token)).is_ok()
    }

    fn denies(&self, token: &str) -> Code {
        self.ask(&Request::bearer(token)).unwrap_err().code()
    }

    /// The hits and misses.
    fn counts(&self) -> (u64, u64) {
        let status = self.verifier.token_cache_status().unwrap();
        (status.hits, status.misses)
    }

    fn entries(&self) -> usize {
        self.verifier.token_cache_status().unwrap().entries
    }
}

fn set(keys: &[&str]) -> Value {
    let keys = keys.iter().map(|key| {
        let mut jwk = Value::Object(RING.get(key).unwrap().jwk(key));
        jwk["kid"] = "k".into();
        jwk
    });
    json!({ "keys": keys.collect::<Vec<_>>() })
}

fn source(issuer: &str) -> Value {
    json!({ "jwks_url": format!("{issuer}/keys"), "issuer": issuer,
            "cache_ttl": "600s", "max_stale": "450s", "cool_down": "60s" })
}

fn cache(ttl: &str) -> Value {
    json!({ "max_bytes": 1_000_000, "max_ttl": ttl })
}

fn config(keys: &Value, more: &Value) -> Value {
    let mut config = json!({
        "keys": keys, "algorithms": ["EdDSA"], "issuer": [A, B], "leeway": { "exp": "10s", "nbf": "10s", "iat": "10s" },
        "token": { "header": "Authorization", "prefix": "Bearer ", "query": "auth_token",
                   "requested_org": { "query": ["org"], "header": "X-Org" } },
        "identity": { "name": "sub", "groups": "groups" }, "policies": ["read"],
        "profiles": {
            "inside": { "bound_cidrs": ["10.0.0.0/8"], "policies": ["write"] },
            "young": { "max_age": "100s" },
            "admin": { "claims": [{ "jmespath": "contains(groups, 'admins')" }] } } });
    for (name, value) in more.as_object().into_iter().flatten() {
        config[name] = value.clone();
    }
    config
}

/// A token that is valid from `nbf` to `exp`, in seconds from the start.
fn token(key: &str, issuer: &str, nbf: i64, exp: i64) -> String {
    let claims = json!({ "iss": issuer, "sub": "alice", "groups": ["admins"],
                         "iat": NOW + nbf, "nbf": NOW + nbf, "exp": NOW + exp });
    let description = json!({ "key": key, "alg": "EdDSA", "kid": "k", "claims": claims });
    mint::token(&serde_json::from_str(&description.to_string()).unwrap(), &RING).unwrap()
}

fn valid() -> String {
    token("ed25519-1", A, 0, 10_000)
}

#[test]
fn the_reply_to_a_remembered_token_is_kept_with_its_grant() {
    let (world, token) = (World::with(&json!({})), valid());
    let request = Request::bearer(&token);
    let bytes = || world.verifier.token_cache_status().unwrap().bytes;
    let first = world.answer(&request, wire::line).unwrap();
    let with_reply = bytes();
    assert_eq!(world.answer(&request, wire::line).unwrap(), first);
    // The other forms are made from the grant.
    let lines = world.answer(&request, wire::lines).unwrap();
    assert_eq!(lines.replace('\n', ""), first);
    assert_eq!(wire::granted(&world.ask(&request).unwrap()), first);
    assert_eq!(world.counts(), (3, 1));
    assert_eq!(bytes(), with_reply);

    // The memory of a reply is counted, and no reply is kept that was made later.
    let other = World::with(&json!({}));
    assert!(other.grants(&token));
    let without = other.verifier.token_cache_status().unwrap().bytes;
    assert!(with_reply >= without + first.len(), "{with_reply} {without}");
    assert_eq!(other.answer(&request, wire::line).unwrap(), first);
    assert_eq!(other.verifier.token_cache_status().unwrap().bytes, without);
}

#[test]
fn a_remembered_reply_has_the_cleaned_url_of_its_request() {
    let (world, token) = (World::with(&json!({})), valid());
    let reply = |url: &str| world.answer(&Request::default().url(url), wire::line).unwrap();
    let first = reply(&format!("/a?auth_token={token}"));
    let second = reply(&format!("/b?x=1&auth_token={token}"));
    assert_eq!(wire::get(&first, "/cleaned_url").as_deref(), Some("/a"));
    assert_eq!(wire::get(&second, "/cleaned_url").as_deref(), Some("/b?x=1"));
    assert_eq!(world.counts(), (1, 1));
}

#[test]
fn a_second_request_gets_the_same_grant_from_the_cache() {
    let (world, token) = (World::with(&json!({})), valid());
    let first = wire::reply(&world.ask(&Request::bearer(&token)));
    let second = wire::reply(&world.ask(&Request::bearer(&token)));
    assert_eq!(first, second);
    assert!(first.contains("granted"), "{first}");
    assert_eq!(world.counts(), (1, 1));
    let status = world.verifier.token_cache_status().unwrap();
    assert_eq!(status.entries, 1);
    assert!((1_000..4_000).contains(&status.bytes), "{status:?}");
    let policy = wire::policy(&world.verifier);
    assert!(
        policy.contains(r#""token_cache":{"hits":1,"misses":1,"entries":1,"#),
        "{policy}"
    );
}

#[test]
fn without_the_option_nothing_is_remembered() {
    let world = World::new(&config(&json!([source(A)]), &json!({})), None);
    assert!(world.verifier.token_cache_status().is_none());
    assert!(!wire::policy(&world.verifier).contains("token_cache"));
}

#[test]
fn a_denial_is_not_remembered() {
    let (mut world, token) = (World::with(&json!({})), token("ed25519-1", A, 100, 10_000));
    for _ in 0..2 {
        assert_eq!(world.denies(&token), Code::TokenNotYetValid);
    }
    assert_eq!((world.counts(), world.entries()), ((0, 2), 0));
    world.advance(90, 0);
    assert!(world.grants(&token));
}

#[test]
fn an_expired_token_is_denied_from_the_second_on_in_which_it_would_be_without_a_cache() {
    let (mut world, token) = (World::with(&json!({})), token("ed25519-1", A, 0, 300));
    assert!(world.grants(&token));
    world.advance(309, 0);
    assert!(world.grants(&token));
    world.advance(1, 0);
    assert_eq!(world.denies(&token), Code::TokenExpired);
    assert_eq!(world.counts(), (1, 2));
}

#[test]
fn a_token_is_not_valid_before_its_time_after_the_clock_was_set_back() {
    let (mut world, token) = (World::with(&json!({})), valid());
    assert!(world.grants(&token));
    world.advance(-11, 0);
    assert_eq!(world.denies(&token), Code::TokenNotYetValid);
    assert_eq!(world.counts(), (0, 2));
}

#[test]
fn a_token_that_became_too_old_is_denied() {
    let (mut world, token) = (World::with(&json!({})), valid());
    let request = Request::bearer(&token).profile("young");
    assert!(world.ask(&request).is_ok());
    world.advance(110, 0);
    assert!(world.ask(&request).is_ok());
    world.advance(1, 0);
    assert_eq!(world.ask(&request).unwrap_err().code(), Code::TokenTooOld);
    assert_eq!(world.counts(), (1, 2));
}

#[test]
fn an_entry_is_not_used_after_max_ttl_nor_before_it_was_made() {
    let mut world = World::new(&config(&json!([source(A)]), &json!({})), Some(&cache("60s")));
    world.publish(A, Some(&["ed25519-1"]));
    let token = valid();
    assert!(world.grants(&token));
    world.advance(59, 0);
    assert!(world.grants(&token));
    assert_eq!(world.counts(), (1, 1));
    world.advance(1, 0);
    assert!(world.grants(&token));
    assert_eq!(world.counts(), (1, 2));
    world.advance(-5, 0);
    assert!(world.grants(&token));
    assert_eq!((world.counts(), world.entries()), ((1, 3), 1));
}

#[test]
fn a_withdrawn_key_makes_all_entries_unusable() {
    let (world, token) = (World::with(&json!({})), valid());
    assert!(world.grants(&token));
    assert_eq!(world.entries(), 1);
    world.publish(A, Some(&["ed25519-2"]));
    world.verifier.refresh_keys().unwrap();
    assert_eq!(world.denies(&token), Code::SignatureInvalid);
    assert_eq!((world.counts(), world.entries()), ((0, 2), 0));
}

#[test]
fn a_rotated_set_makes_all_entries_unusable_and_its_tokens_are_remembered_again() {
    let (world, token) = (World::with(&json!({})), valid());
    assert!(world.grants(&token));
    world.publish(A, Some(&["ed25519-1", "ed25519-2"]));
    world.verifier.refresh_keys().unwrap();
    assert!(world.grants(&token));
    assert_eq!(world.counts(), (0, 2));
    assert!(world.grants(&token));
    assert_eq!((world.counts(), world.entries()), ((1, 2), 1));
}

#[test]
fn keys_that_are_too_old_verify_no_remembered_token() {
    let (mut world, token) = (World::with(&json!({})), valid());
    assert!(world.grants(&token));
    world.publish(A, None);
    world.advance(0, 900);
    assert!(world.grants(&token));
    world.advance(0, 300);
    assert_eq!(world.denies(&token), Code::KeySourceUnavailable);
    assert_eq!(world.entries(), 0);
}

#[test]
fn a_hit_with_stale_keys_is_counted_and_a_due_set_is_fetched() {
    let (mut world, token) = (World::with(&json!({})), valid());
    assert!(world.grants(&token));
    world.publish(A, None);
    world.advance(0, 700);
    // The first request tries to fetch. The second one is within the back-off.
    assert!(world.grants(&token) && world.grants(&token));
    assert_eq!(world.counts().0, 1);
    let status = world.verifier.key_status().remove(0).fetching.unwrap();
    assert_eq!((status.fetches, status.served_stale), (2, 2));
}

#[test]
fn a_hit_needs_the_same_profile() {
    let (world, token) = (World::with(&json!({})), valid());
    let entitlements = |request: &Request<'_>| world.ask(request).unwrap().entitlements[0].name.clone();
    assert_eq!(entitlements(&Request::bearer(&token)), "read");
    let inside = Request::bearer(&token)
        .profile("inside")
        .remote_addr([10, 0, 0, 1].into());
    assert_eq!(entitlements(&inside), "write");
    assert_eq!(entitlements(&Request::bearer(&token)), "read");
    assert_eq!((world.counts(), world.entries()), ((1, 2), 2));
}

#[test]
fn a_hit_needs_an_allowed_address() {
    let (world, token) = (World::with(&json!({})), valid());
    let from = |address: [u8; 4]| {
        let request = Request::bearer(&token).profile("inside");
        world.ask(&request.remote_addr(address.into()))
    };
    assert!(from([10, 0, 0, 1]).is_ok());
    assert_eq!(from([11, 0, 0, 1]).unwrap_err().code(), Code::AddressNotAllowed);
    assert!(from([10, 0, 0, 2]).is_ok());
    assert_eq!(world.counts(), (1, 1));
    let none = Request::bearer(&token).profile("inside");
    assert_eq!(world.ask(&none).unwrap_err().code(), Code::AddressNotAllowed);
}

#[test]
fn a_hit_needs_an_address_that_the_profile_of_the_issuer_allows() {
    let keys = json!([{ "jwks_url": format!("{A}/keys"), "issuer": "any" }]);
    let more = json!({ "keys": keys, "issuers": { A: { "profile": "inside" }, B: { "profile": "young" } } });
    let (world, token) = (World::with(&more), valid());
    let from = |address: [u8; 4]| world.ask(&Request::bearer(&token).remote_addr(address.into()));
    assert!(from([10, 0, 0, 1]).is_ok());
    // This address is allowed for the other issuer, so it is refused only once the issuer is known.
    assert_eq!(from([11, 0, 0, 1]).unwrap_err().code(), Code::AddressNotAllowed);
    assert!(from([10, 0, 0, 1]).is_ok());
    assert_eq!(world.counts(), (1, 2));
}

#[test]
fn the_rules_for_places_apply_at_each_hit() {
    let (world, token) = (World::with(&json!({})), valid());
    assert!(world.grants(&token));
    let bearer = format!("Bearer {token}");
    let granted = Request::headers([("authorization", bearer.as_str())]);
    assert!(world.ask(&granted).is_ok());
    assert_eq!(world.counts(), (1, 1));
    let twice = [
        ("authorization", bearer.as_str()),
        ("Authorization", bearer.as_str()),
    ];
    let twice = world.ask(&Request::headers(twice)).unwrap_err();
    assert_eq!(twice.code(), Code::TokenAmbiguous);
    let elsewhere = Request::headers([("x-token", token.as_str())]);
    assert_eq!(world.ask(&elsewhere).unwrap_err().code(), Code::TokenMissing);
    assert_eq!(world.counts(), (1, 1));
}

#[test]
fn the_cleaned_url_is_that_of_each_request() {
    let (world, token) = (World::with(&json!({})), valid());
    for page in ["a", "b"] {
        let url = format!("/{page}?auth_token={token}&x=1");
        let grant = world.ask(&Request::default().url(&url)).unwrap();
        assert_eq!(grant.cleaned_url, Some(format!("/{page}?x=1")));
    }
    assert_eq!(world.ask(&Request::bearer(&token)).unwrap().cleaned_url, None);
    assert_eq!(world.counts(), (2, 1));
}

#[test]
fn a_hit_needs_the_same_requested_organisation() {
    let (world, token) = (World::with(&json!({})), valid());
    let org = |url: &str| {
        let grant = world.ask(&Request::bearer(&token).url(url)).unwrap();
        grant.identity.requested_org
    };
    assert_eq!(org("/?org=1"), Some(1));
    assert_eq!(org("/?org=2"), Some(2));
    assert_eq!(org("/"), None);
    assert_eq!(org("/x?org=2"), Some(2));
    assert_eq!((world.counts(), world.entries()), ((1, 3), 3));
}

#[test]
fn a_token_that_differs_in_any_byte_is_no_hit() {
    let (world, token) = (World::with(&json!({})), valid());
    assert!(world.grants(&token));
    for place in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[place] = if other[place] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert!(!world.grants(&other), "{place}");
    }
    assert_eq!(world.counts().0, 0);
    assert!(world.grants(&token));
    assert_eq!(world.counts().0, 1);
}

#[test]
fn an_explanation_does_not_use_the_cache() {
    let (world, token) = (World::with(&json!({})), valid());
    assert!(world.grants(&token));
    let explanation = world
        .verifier
        .explain(&Request::bearer(&token), Explain::default());
    let text = format!("{:?}", explanation.steps);
    assert!(text.contains("verified the signature"), "{text}");
    assert_eq!((world.counts(), world.entries()), ((0, 1), 1));
}

#[test]
fn cached_only_has_the_same_hits() {
    let (mut world, token) = (World::with(&json!({})), valid());
    let cached_only = Request::bearer(&token).cached_only(true);
    assert_eq!(
        world.ask(&cached_only).unwrap_err().code(),
        Code::KeySourceUnavailable
    );
    assert!(world.grants(&token));
    assert!(world.ask(&cached_only).is_ok());
    assert_eq!(world.counts(), (1, 2));
    // The set is due. A request that may fetch does, and this one still uses the cached keys.
    world.advance(0, 700);
    assert!(world.ask(&cached_only).is_ok());
    assert_eq!(world.counts(), (2, 2));
    assert!(world.grants(&token));
    assert_eq!(*world.web.requests.lock().unwrap(), 2);
}

#[test]
fn an_earlier_source_without_keys_is_asked_although_a_later_one_has_granted() {
    let keys = json!([{ "jwks_url": format!("{A}/keys"), "issuer": "any" },
                      { "jwks_url": format!("{B}/keys"), "issuer": "any" }]);
    let config = config(&keys, &json!({ "kid": "required" }));
    let mut world = World::new(&config, Some(&cache("1h")));
    world.publish(B, Some(&["ed25519-1"]));
    let token = valid();
    assert!(world.grants(&token));
    world.publish(A, Some(&["ed25519-2"]));
    world.advance(0, 60);
    assert_eq!(world.denies(&token), Code::SignatureInvalid);
}

#[derive(Debug, Clone)]
enum Action {
    Ask {
        token: usize,
        profile: Option<&'static str>,
        address: Option<[u8; 4]>,
        place: Place,
        org: bool,
        cached_only: bool,
        form: Form,
    },
    Publish(&'static str, Option<&'static [&'static str]>),
    Advance {
        wall: i64,
        monotonic: u64,
    },
    Refresh,
}

/// What a binding makes from a grant.
#[derive(Debug, Clone, Copy)]
enum Form {
    Grant,
    Line,
    Lines,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Token,
    Header,
    TwoHeaders,
    Query,
}

/// The keys that are published, and the tokens that are signed.
const KEYS: [&str; 2] = ["ed25519-1", "ed25519-2"];
const SETS: [Option<&[&str]>; 5] = [
    None,
    Some(&["ed25519-1"]),
    Some(&["ed25519-2"]),
    Some(&["ed25519-1", "ed25519-2"]),
    Some(&["ed25519-2", "ed25519-1"]),
];

static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let times = [(0, 5_000), (0, 700), (300, 5_000), (-1_000, 100)];
    let keys = KEYS.iter().flat_map(|key| [A, B].map(|issuer| (*key, issuer)));
    keys.flat_map(|(key, issuer)| times.map(|(nbf, exp)| token(key, issuer, nbf, exp)))
        .collect()
});

/// Times that are far from those at which sets become due or stale, and at which a back-off ends: these are random.
fn actions() -> impl Strategy<Value = Action> {
    let ask = (
        // Few tokens are used often.
        prop_oneof![4 => Just(0), 1 => 0..TOKENS.len()],
        select(vec![
            None,
            None,
            None,
            Some("inside"),
            Some("young"),
            Some("admin"),
            Some("none"),
        ]),
        select(vec![None, Some([10, 0, 0, 1]), Some([11, 0, 0, 1])]),
        select(vec![
            Place::Token,
            Place::Token,
            Place::Header,
            Place::TwoHeaders,
            Place::Query,
        ]),
        any::<bool>(),
        proptest::bool::weighted(0.1),
        select(vec![Form::Grant, Form::Line, Form::Line, Form::Lines]),
    );
    let ask = ask.prop_map(
        |(token, profile, address, place, org, cached_only, form)| Action::Ask {
            token,
            profile,
            address,
            place,
            org,
            cached_only,
            form,
        },
    );
    let publish = (select(vec![A, B]), select(SETS.to_vec()));
    let advance = (select(vec![-50, 0, 0, 50, 300]), select(vec![0, 300]));
    prop_oneof![
        12 => ask,
        2 => publish.prop_map(|(issuer, keys)| Action::Publish(issuer, keys)),
        2 => advance.prop_map(|(wall, monotonic)| Action::Advance { wall, monotonic }),
        1 => Just(Action::Refresh),
    ]
}

fn configs() -> Vec<Value> {
    let any = |issuer: &str| {
        let mut source = source(issuer);
        source["issuer"] = "any".into();
        source
    };
    let fixed = json!({ "pem": RING.public_pem("ed25519-1").unwrap(), "kid": "k", "issuer": A });
    let profiles = json!({ "issuers": { A: { "profile": "inside" }, B: { "profile": "admin" } } });
    vec![
        config(&json!([source(A)]), &json!({})),
        config(&json!([source(A), source(B)]), &json!({})),
        config(&json!([source(A), source(B)]), &profiles),
        config(&json!([fixed, source(B)]), &json!({})),
        config(&json!([any(A), any(B)]), &json!({})),
        config(&json!([any(A), any(B)]), &json!({ "kid": "required" })),
    ]
}

/// What a caller sees: the reply to a request, or the outcome of a refresh.
fn act(world: &mut World, action: &Action) -> Option<String> {
    match action {
        Action::Publish(issuer, keys) => world.publish(issuer, *keys),
        Action::Advance { wall, monotonic } => world.advance(*wall, *monotonic),
        Action::Refresh => {
            let outcome = world.verifier.refresh_keys();
            return Some(outcome.err().map_or_else(String::new, |why| wire::failed(&why)));
        }
        Action::Ask {
            token,
            profile,
            address,
            place,
            org,
            cached_only,
            form,
        } => {
            let token = TOKENS[*token].as_str();
            let bearer = format!("Bearer {token}");
            let url = match (place, org) {
                (Place::Query, true) => format!("/?auth_token={token}&org=2"),
                (Place::Query, false) => format!("/?auth_token={token}"),
                (_, true) => "/?org=2".to_owned(),
                (_, false) => "/".to_owned(),
            };
            let header = ("Authorization", bearer.as_str());
            let mut request = match place {
                Place::Token => Request::bearer(token),
                Place::Header => Request::headers([header]),
                Place::TwoHeaders => Request::headers([header, header]),
                Place::Query => Request::default(),
            };
            request = request.url(&url).cached_only(*cached_only);
            if let Some(profile) = profile {
                request = request.profile(profile);
            }
            if let Some(address) = address {
                request = request.remote_addr((*address).into());
            }
            let outcome = match form {
                Form::Grant => world.ask(&request).map(|grant| wire::granted(&grant)),
                Form::Line => world.answer(&request, wire::line),
                Form::Lines => world.answer(&request, wire::lines),
            };
            return Some(outcome.unwrap_or_else(|why| wire::failed(&why)));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn verifiers_with_and_without_a_cache_agree(
        config in select(configs()),
        cache in select(vec![cache("1h"), cache("40s"), json!({ "max_bytes": 65_536, "max_ttl": "1h" })]),
        actions in prop::collection::vec(actions(), 1..60),
    ) {
        let (mut with, mut without) = (World::new(&config, Some(&cache)), World::new(&config, None));
        for world in [&with, &without] {
            world.publish(A, SETS[1]);
            world.publish(B, SETS[3]);
        }
        for action in &actions {
            prop_assert_eq!(act(&mut with, action), act(&mut without, action), "{:?}", action);
            let requests = [&with, &without].map(|world| *world.web.requests.lock().unwrap());
            prop_assert_eq!(requests[0], requests[1], "{:?}", action);
        }
    }
}
