//! Tests of decisions, errands and fetches together.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::errand::Errand;
use super::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use super::status::{FetchStatus, SourceState};
use super::{Environment, KeyStore, Next};
use crate::clock::Monotonic;
use crate::error::{Code, Error, Result};
use crate::file::Files;
use crate::keys::Algorithm;
use crate::policy::{FetchSettings, JwksUrl, KeyRule, KeySpec, KidRule, Origin};

/// A server that responds with a set of one key, or fails, and counts requests. It can hold its responses back.
#[derive(Debug, Default)]
struct Server {
    kid: Mutex<&'static str>,
    down: AtomicBool,
    requests: AtomicU64,
    held: Mutex<bool>,
    released: Condvar,
}

impl Fetch for Server {
    fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let set = SET.replace("KID", &self.kid.lock().unwrap());
        self.requests.fetch_add(1, Ordering::SeqCst);
        drop(
            self.released
                .wait_while(self.held.lock().unwrap(), |held| *held)
                .unwrap(),
        );
        if self.down.load(Ordering::SeqCst) {
            return Err(FetchFailed::new(Phase::Connect, "connection refused"));
        }
        Ok(Fetched::new(200, set))
    }
}

impl Server {
    fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    fn goes_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn rotates_to(&self, kid: &'static str) {
        *self.kid.lock().unwrap() = kid;
    }

    fn holds_responses(&self, held: bool) {
        *self.held.lock().unwrap() = held;
        self.released.notify_all();
    }

    fn wait_for_requests(&self, number: u64) {
        while self.requests() < number {
            std::thread::yield_now();
        }
    }
}

/// One client for several URLs: server `N` responds to `https://issuer.example/N`.
#[derive(Debug)]
struct Servers(Vec<Arc<Server>>);

impl Fetch for Servers {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let path = request.url.strip_prefix(ISSUER).unwrap();
        let number = path.split_once('?').map_or(path, |(number, _)| number);
        self.0[number.parse::<usize>().unwrap()].get(request)
    }
}

struct World {
    servers: Vec<Arc<Server>>,
    clock: Monotonic,
    store: KeyStore,
}

/// The outcome of a decision about a token with some `kid`.
#[derive(Debug)]
enum Outcome {
    Found,
    NotFound,
    NotFoundWithout(Error),
    Unavailable(Error),
}

/// A source with the default settings: fresh for 15 minutes, stale for a day, a cool-down of half a minute.
fn world() -> World {
    world_with(1, &FetchSettings::default())
}

/// Sources with the keys `key-0`, `key-1` and so on.
fn world_with(sources: usize, settings: &FetchSettings) -> World {
    let servers: Vec<Arc<Server>> = (0..sources).map(|_| Arc::new(Server::default())).collect();
    for (server, kid) in servers.iter().zip(KIDS) {
        server.rotates_to(kid);
    }
    let fetch = Arc::new(Servers(servers.clone()));
    let clock = Monotonic::stopped();
    let store = open(sources, settings, fetch, &clock);
    World {
        servers,
        clock,
        store,
    }
}

fn open(sources: usize, settings: &FetchSettings, fetch: Arc<dyn Fetch>, clock: &Monotonic) -> KeyStore {
    let source = |number: usize| {
        let url = format!("{ISSUER}{number}?secret=hush");
        let settings = settings.clone();
        KeySpec::of(
            format!("keys[{number}].jwks_url"),
            Origin::JwksUrl(JwksUrl { url, settings }),
        )
    };
    let rule = KeyRule {
        place: "keys".to_owned(),
        sources: (0..sources).map(source).collect(),
        algorithms: [Algorithm::ES256].into_iter().collect(),
        kid: KidRule::Match,
    };
    let environment = Environment {
        files: &Files::below(""),
        fetch: Some(&fetch),
        clock,
    };
    KeyStore::open(&rule, environment, &mut Vec::new()).unwrap()
}

/// The part of a step that looks for a cached key with the `kid`.
fn step(store: &KeyStore, kid: &str, cached_only: bool, after: Option<&Errand>) -> Result<Outcome, Errand> {
    loop {
        let cached = store.cached(after);
        let is_found = cached.sets().any(|(_, set)| set.named(kid).next().is_some());
        let next = if is_found {
            cached.after_hit(cached_only)
        } else {
            cached.after_miss(Some(kid), cached_only)
        };
        return match next {
            Next::Decide if is_found => Ok(Outcome::Found),
            Next::Decide => Ok(Outcome::NotFound),
            Next::Retry => continue,
            Next::Fetch(errand) => Err(errand),
            Next::Unavailable(why) => Ok(Outcome::Unavailable(why)),
            Next::DecideWithout(why) => Ok(Outcome::NotFoundWithout(why)),
        };
    }
}

impl World {
    fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn server(&self) -> &Server {
        &self.servers[0]
    }

    fn step(&self, kid: &str, after: Option<&Errand>) -> Result<Outcome, Errand> {
        step(&self.store, kid, false, after)
    }

    fn cached(&self, kid: &str) -> Outcome {
        step(&self.store, kid, true, None).unwrap()
    }

    /// The loop that `Verifier::authenticate` runs.
    fn ask(&self, kid: &str) -> Outcome {
        let mut after = None;
        loop {
            match self.step(kid, after.as_ref()) {
                Ok(outcome) => return outcome,
                Err(errand) => {
                    errand.run();
                    after = Some(errand);
                }
            }
        }
    }

    fn is_found(&self, kid: &str) -> bool {
        matches!(self.ask(kid), Outcome::Found)
    }

    fn refresh(&self) -> Result<()> {
        let errand = self.store.refresh();
        errand.run();
        errand.outcome()
    }

    fn status(&self) -> FetchStatus {
        self.store.status().remove(0).fetching.unwrap()
    }

    fn state(&self) -> SourceState {
        self.store.status().remove(0).state
    }
}

impl Outcome {
    fn unavailable(self) -> Error {
        match self {
            Outcome::Unavailable(why) => why,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_first_decision_fetches_and_later_ones_use_the_cached_keys() {
    let world = world();
    assert_eq!(world.state(), SourceState::Unfetched);
    assert_eq!(world.server().requests(), 0);
    for _ in 0..10 {
        assert!(world.is_found("key-0"));
    }
    assert_eq!(world.server().requests(), 1);
    assert_eq!(world.state(), SourceState::Fresh);
}

#[test]
fn a_step_fetches_nothing() {
    let world = world();
    let errand = world.step("key-0", None).unwrap_err();
    assert_eq!(world.server().requests(), 0);
    let [fetch] = errand.fetches() else {
        panic!("{errand:?}")
    };
    assert!(fetch.is_needed());
    assert!(
        matches!(world.step("key-0", Some(&errand)), Ok(Outcome::Unavailable(_))),
        "it was not run"
    );
    errand.run();
    assert!(matches!(world.step("key-0", Some(&errand)), Ok(Outcome::Found)));
    assert_eq!(world.server().requests(), 1);
}

#[test]
fn a_set_is_refreshed_before_it_expires() {
    let world = world();
    world.ask("key-0");
    // 80 % of 15 minutes is 12, plus or minus a tenth.
    world.later(10 * 60);
    assert!(world.is_found("key-0"));
    assert_eq!(world.server().requests(), 1);
    world.later(4 * 60);
    assert_eq!(world.state(), SourceState::Fresh);
    let errand = world.step("key-0", None).unwrap_err();
    assert!(!errand.fetches()[0].is_needed());
    assert!(world.is_found("key-0"));
    assert_eq!(world.server().requests(), 2);
    assert_eq!(world.status().served_stale, 0);
}

#[test]
fn an_expired_set_is_used_while_fetching_fails_up_to_max_stale() {
    let world = world();
    world.ask("key-0");
    world.server().goes_down(true);
    world.later(16 * 60);
    assert_eq!(world.state(), SourceState::Stale);
    assert!(world.is_found("key-0"));
    let status = world.status();
    assert_eq!((status.served_stale, status.failures), (1, 1));
    assert!(status.failing);
    world.later(24 * 3600);
    assert_eq!(world.state(), SourceState::Expired);
    let error = world.ask("key-0").unavailable();
    assert_eq!(error.code(), Code::KeySourceUnavailable);
    assert_eq!(
        error.detail(),
        Some("`keys[0].jwks_url`: https://issuer.example/0: connect: connection refused")
    );
    world.server().goes_down(false);
    world.later(60);
    assert!(world.is_found("key-0"));
    let status = world.status();
    assert!(!status.failing, "it recovered");
    assert_eq!(status.last_failure.unwrap().age, 60, "the last failure is kept");
}

#[test]
fn each_failure_doubles_the_back_off_up_to_the_cool_down() {
    let world = world();
    world.server().goes_down(true);
    // A back-off is a tenth longer or shorter, and never longer than a cool-down.
    for (requests, pause) in (1..).zip([1, 2, 4, 8, 16, 30, 30]) {
        world.ask("key-0").unavailable();
        assert_eq!(world.server().requests(), requests);
        world.clock.advance(Duration::from_millis(pause * 899));
        world.ask("key-0").unavailable();
        assert_eq!(world.server().requests(), requests, "within {pause} s");
        world.clock.advance(Duration::from_secs(pause * 2));
    }
    assert_eq!(world.status().failures, 7);
}

#[test]
fn an_unknown_kid_causes_one_fetch_in_a_cool_down() {
    let world = world();
    world.ask("key-0");
    assert!(matches!(world.ask("two"), Outcome::NotFound), "just fetched");
    assert_eq!(world.server().requests(), 1);
    world.later(31);
    world.server().rotates_to("two");
    assert!(world.is_found("two"));
    assert_eq!(world.server().requests(), 2);
    for number in 0..1000 {
        assert!(matches!(world.ask(&format!("kid-{number}")), Outcome::NotFound));
    }
    assert_eq!(world.server().requests(), 2);
    assert_eq!(world.status().unknown_kid, 1002);
}

#[test]
fn a_kid_that_was_missing_leaves_the_next_fetch_to_other_kids() {
    let world = world();
    world.ask("key-0");
    world.later(31);
    world.ask("wrong");
    assert_eq!(world.server().requests(), 2);
    world.later(31);
    assert!(matches!(world.ask("wrong"), Outcome::NotFound));
    assert_eq!(
        world.server().requests(),
        2,
        "the source recently did not have it"
    );
    world.server().rotates_to("new");
    assert!(world.is_found("new"));
    world.later(31);
    world.ask("wrong");
    assert_eq!(world.server().requests(), 4, "the source may have it now");
}

#[test]
fn a_failed_fetch_starts_a_cool_down_too() {
    let world = world();
    world.ask("key-0");
    world.later(31);
    world.server().goes_down(true);
    let outcome = world.ask("two");
    assert!(
        matches!(&outcome, Outcome::NotFoundWithout(why) if why.reason().contains("refused")),
        "{outcome:?}"
    );
    world.later(20);
    assert!(matches!(world.ask("two"), Outcome::NotFound));
    assert_eq!(world.server().requests(), 2);
    world.later(11);
    world.server().goes_down(false);
    world.server().rotates_to("two");
    assert!(
        world.is_found("two"),
        "the source never reported that it does not have it"
    );
}

#[test]
fn an_unknown_kid_is_counted_once_for_a_request() {
    let world = world_with(2, &FetchSettings::default());
    assert!(world.is_found("key-0"));
    world.later(31);
    let errand = world.step("two", None).unwrap_err();
    assert_eq!(world.status().unknown_kid, 1);
    errand.run();
    assert!(matches!(world.step("two", Some(&errand)), Ok(Outcome::NotFound)));
    assert_eq!(world.status().unknown_kid, 1);
}

#[test]
fn keys_that_were_cached_meanwhile_are_tried_before_a_denial() {
    let world = world();
    world.ask("key-0");
    world.server().rotates_to("two");
    let cached = world.store.cached(None);
    world.refresh().unwrap();
    assert!(matches!(cached.after_miss(Some("two"), false), Next::Retry));
    assert!(matches!(cached.after_miss(Some("two"), true), Next::Retry));
    // The same applies if the keys that verify a token must not sign for its issuer, but only to sources that may.
    assert!(matches!(
        cached.after_another_issuer(|_| true, false),
        Next::Retry
    ));
    assert!(matches!(
        cached.after_another_issuer(|_| false, false),
        Next::Decide
    ));
    assert!(world.is_found("two"));
}

#[test]
fn many_threads_at_expiry_make_one_fetch_and_do_not_wait_for_it() {
    let world = world();
    world.ask("key-0");
    world.later(16 * 60);
    world.server().holds_responses(true);
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(world.is_found("key-0")));
        world.server().wait_for_requests(2);
        // These calls would not return if they waited.
        for _ in 0..64 {
            assert!(world.is_found("key-0"));
        }
        world.server().holds_responses(false);
    });
    assert_eq!(world.server().requests(), 2);
}

#[test]
fn forged_tokens_do_not_wait_for_a_fetch_that_takes_longer_than_a_cool_down() {
    let world = world_with(
        1,
        &FetchSettings {
            cool_down: Duration::from_secs(2),
            ..FetchSettings::default()
        },
    );
    world.ask("key-0");
    world.later(3);
    world.server().holds_responses(true);
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(matches!(world.ask("forged"), Outcome::NotFound)));
        world.server().wait_for_requests(2);
        world.later(3);
        // These calls would not return if they waited.
        for number in 0..64 {
            let forged = world.ask(&format!("forged-{number}"));
            assert!(matches!(forged, Outcome::NotFound), "{forged:?}");
        }
        world.server().holds_responses(false);
    });
    assert_eq!(world.server().requests(), 2);
}

#[test]
fn many_threads_share_a_fetch_and_its_failure() {
    for down in [false, true] {
        let world = world();
        world.server().goes_down(down);
        world.server().holds_responses(true);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..64).map(|_| scope.spawn(|| world.is_found("key-0"))).collect();
            world.server().wait_for_requests(1);
            world.server().holds_responses(false);
            for thread in threads {
                assert_eq!(thread.join().unwrap(), !down);
            }
        });
        assert_eq!(world.server().requests(), 1);
    }
}

#[test]
fn equal_fetches_are_made_once() {
    let world = world_with(
        1,
        &FetchSettings {
            cool_down: Duration::ZERO,
            ..FetchSettings::default()
        },
    );
    let first = world.step("key-0", None).unwrap_err();
    let second = world.step("key-0", None).unwrap_err();
    assert_eq!(first.fetches(), second.fetches());
    first.run();
    second.run();
    assert!(matches!(world.step("key-0", Some(&second)), Ok(Outcome::Found)));
    assert_eq!(world.server().requests(), 1);

    world.server().goes_down(true);
    let first = world.step("two", None).unwrap_err();
    let second = world.step("two", None).unwrap_err();
    first.run();
    second.run();
    assert!(matches!(
        world.step("two", Some(&second)),
        Ok(Outcome::NotFoundWithout(_))
    ));
    assert_eq!(world.server().requests(), 2);
    let later = world.step("two", None).unwrap_err();
    assert_ne!(later.fetches(), second.fetches());
}

#[test]
fn without_caching_each_request_gets_what_the_server_sends() {
    let uncached = FetchSettings {
        cache_ttl: Duration::ZERO,
        max_stale: Duration::ZERO,
        ..FetchSettings::default()
    };
    let world = world_with(1, &uncached);
    for requests in 1..=5 {
        assert!(world.is_found("key-0"));
        assert_eq!(world.server().requests(), requests);
    }
    world.server().rotates_to("two");
    assert!(matches!(world.ask("key-0"), Outcome::NotFound));
    world.server().goes_down(true);
    let error = world.ask("two").unavailable();
    assert!(error.to_string().contains("connection refused"), "{error}");
}

#[test]
fn without_caching_every_request_waits_for_a_fetch() {
    let world = world_with(
        1,
        &FetchSettings {
            cache_ttl: Duration::ZERO,
            ..FetchSettings::default()
        },
    );
    world.ask("key-0");
    let errand = world.step("key-0", None).unwrap_err();
    assert!(errand.fetches()[0].is_needed());
}

#[test]
fn a_request_that_is_cached_only_never_fetches() {
    let world = world();
    let error = world.cached("key-0").unavailable();
    assert_eq!(error.code(), Code::KeySourceUnavailable);
    assert!(error.to_string().contains("cached_only"), "{error}");
    world.server().goes_down(true);
    world.ask("key-0").unavailable();
    let error = world.cached("key-0").unavailable();
    assert!(error.to_string().contains("connection refused"), "{error}");
    world.server().goes_down(false);
    world.later(2);
    assert!(world.is_found("key-0"));
    let fetched = world.server().requests();
    world.later(14 * 60);
    assert!(matches!(world.cached("key-0"), Outcome::Found));
    world.later(2 * 60);
    assert!(matches!(world.cached("key-0"), Outcome::Found));
    assert_eq!(world.status().served_stale, 1);
    let error = world.cached("two").unavailable();
    assert!(error.to_string().contains("cached_only"), "{error}");
    world.later(24 * 3600);
    world.cached("key-0").unavailable();
    assert_eq!(world.server().requests(), fetched);
}

#[test]
fn a_cached_only_request_for_an_unknown_key_is_denied_if_no_fetch_is_possible() {
    #[derive(Debug)]
    struct Hanging(Monotonic, AtomicBool);
    impl Fetch for Hanging {
        fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
            if self.1.load(Ordering::SeqCst) {
                self.0.advance(Duration::from_secs(5));
                return Err(FetchFailed::new(Phase::Http, "the response timed out"));
            }
            Ok(Fetched::new(200, SET))
        }
    }
    let clock = Monotonic::stopped();
    let hanging = Arc::new(Hanging(clock.clone(), AtomicBool::new(false)));
    let store = open(
        1,
        &FetchSettings::default(),
        Arc::<Hanging>::clone(&hanging),
        &clock,
    );
    store.refresh().run();
    hanging.1.store(true, Ordering::SeqCst);
    for _ in 0..6 {
        store.refresh().run();
    }
    // The cool-down counts from the beginning of the last fetch. The back-off of half a minute counts from its end.
    clock.advance(Duration::from_secs(26));
    assert!(matches!(
        step(&store, "two", true, None),
        Ok(Outcome::NotFoundWithout(_))
    ));
    clock.advance(Duration::from_secs(8));
    assert!(matches!(
        step(&store, "two", true, None),
        Ok(Outcome::Unavailable(_))
    ));
}

#[test]
fn a_refresh_fetches_in_any_state_of_the_cache() {
    let world = world();
    world.refresh().unwrap();
    world.refresh().unwrap();
    assert_eq!(world.server().requests(), 2);
    world.server().goes_down(true);
    assert!(world.refresh().is_err());
    assert!(
        world.refresh().is_err(),
        "an operator's refresh ignores the back-off"
    );
    assert_eq!(world.server().requests(), 4);
}

#[test]
fn a_refresh_does_not_accept_a_fetch_that_began_earlier() {
    let world = &world();
    world.server().holds_responses(true);
    std::thread::scope(|scope| {
        scope.spawn(|| world.is_found("key-0"));
        world.server().wait_for_requests(1);
        world.server().rotates_to("two");
        let errands: Vec<Errand> = (0..8).map(|_| world.store.refresh()).collect();
        let threads: Vec<_> = errands
            .into_iter()
            .map(|errand| {
                scope.spawn(move || {
                    errand.run();
                    errand.outcome().unwrap();
                    assert!(matches!(world.cached("two"), Outcome::Found));
                })
            })
            .collect();
        world.server().holds_responses(false);
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(world.server().requests(), 2, "they share one");
}

#[test]
fn a_thread_waits_for_another_threads_fetch_at_most_its_own_timeout() {
    let world = world_with(
        1,
        &FetchSettings {
            timeout: Duration::from_millis(50),
            ..FetchSettings::default()
        },
    );
    world.server().goes_down(true);
    world.server().holds_responses(true);
    std::thread::scope(|scope| {
        scope.spawn(|| world.ask("key-0"));
        world.server().wait_for_requests(1);
        let outcomes = [world.ask("key-0").unavailable(), world.refresh().unwrap_err()];
        world.server().holds_responses(false);
        for error in outcomes {
            assert!(
                error.to_string().ends_with("timed out waiting for a response"),
                "{error}"
            );
        }
    });
    assert_eq!(world.status().failures, 1);
}

#[test]
fn several_sources_are_fetched_from_at_the_same_time() {
    let world = world_with(3, &FetchSettings::default());
    for server in &world.servers {
        server.holds_responses(true);
    }
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| world.ask("unknown"));
        // The servers do not respond before all of them have received a request.
        for server in &world.servers {
            server.wait_for_requests(1);
        }
        let herd: Vec<_> = (0..40).map(|_| scope.spawn(|| world.is_found("key-2"))).collect();
        for server in &world.servers {
            server.holds_responses(false);
        }
        assert!(matches!(asking.join().unwrap(), Outcome::NotFound));
        assert!(herd.into_iter().all(|thread| thread.join().unwrap()));
    });
    assert!(world.servers.iter().all(|server| server.requests() == 1));
}

#[test]
fn sources_without_keys_and_outdated_sources_are_asked_in_one_errand() {
    let world = world_with(3, &FetchSettings::default());
    world.servers[1].goes_down(true);
    assert!(world.is_found("key-0"));
    world.later(31);
    let errand = world.step("unknown", None).unwrap_err();
    assert_eq!(errand.fetches().len(), 3);
    errand.run();
    let error = world.step("unknown", Some(&errand)).unwrap();
    assert!(error.unavailable().to_string().contains("connection refused"));
    let requests: Vec<u64> = world.servers.iter().map(|server| server.requests()).collect();
    assert_eq!(requests, [2, 2, 2]);
}

#[test]
fn a_source_that_is_down_does_not_delay_tokens_of_another_source() {
    let world = world_with(2, &FetchSettings::default());
    world.servers[0].goes_down(true);
    assert!(world.is_found("key-1"));
    world.servers[0].holds_responses(true);
    world.later(2);
    // The call would not return if it asked the server that is down.
    assert!(world.is_found("key-1"));
    assert_eq!(world.servers[0].requests(), 1);
}

#[test]
fn a_panic_of_the_client_leaves_the_source_usable() {
    #[derive(Debug)]
    struct Broken(Arc<Server>, AtomicBool);
    impl Fetch for Broken {
        fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
            assert!(!self.1.load(Ordering::SeqCst), "a panic of this test");
            self.0.get(request)
        }
    }
    for sources in [1, 3] {
        let server = Arc::new(Server::default());
        server.rotates_to("key-0");
        let broken = Arc::new(Broken(server, AtomicBool::new(true)));
        let clock = Monotonic::stopped();
        let store = open(
            sources,
            &FetchSettings::default(),
            Arc::<Broken>::clone(&broken),
            &clock,
        );
        let errand = step(&store, "key-0", false, None).unwrap_err();
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| errand.run()));
        assert!(caught.is_err());
        assert!(
            store
                .status()
                .iter()
                .all(|source| source.fetching.as_ref().unwrap().failing)
        );
        clock.advance(Duration::from_secs(2));
        broken.1.store(false, Ordering::SeqCst);
        let errand = step(&store, "key-0", false, None).unwrap_err();
        errand.run();
        assert!(matches!(
            step(&store, "key-0", false, Some(&errand)),
            Ok(Outcome::Found)
        ));
    }
}

#[test]
fn the_function_around_fetches_runs_once_for_each_fetch() {
    let world = world_with(3, &FetchSettings::default());
    let errand = world.step("key-0", None).unwrap_err();
    let calls = AtomicU64::new(0);
    errand.run_with(|fetch| {
        fetch();
        calls.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    errand.run_with(|_| unreachable!("all have ended"));
}

#[test]
fn a_status_has_the_url_without_its_query() {
    let world = world();
    world.ask("key-0");
    world.later(100);
    let status = world.status();
    assert_eq!(status.url, "https://issuer.example/0");
    assert_eq!((status.age, status.jwks_uri), (Some(100), None));
    assert!(
        (548..=692).contains(&status.next_refresh),
        "{}",
        status.next_refresh
    );
}

const ISSUER: &str = "https://issuer.example/";
const KIDS: [&str; 3] = ["key-0", "key-1", "key-2"];
const SET: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"KID","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
