use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::clock::Monotonic;
use crate::keys::{Algorithm, Algorithms};
use crate::policy::FetchSettings;
use crate::sources::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use crate::sources::reach::Others;

/// A server that answers with a set of keys, or not, and counts.
#[derive(Debug, Default)]
struct Server {
    kid: Mutex<&'static str>,
    down: AtomicBool,
    slow: AtomicBool,
    requests: AtomicU64,
}

impl Fetch for Server {
    fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let set = SET.replace("KID", &self.kid.lock().unwrap());
        self.requests.fetch_add(1, Ordering::SeqCst);
        if self.slow.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(50));
        }
        if self.down.load(Ordering::SeqCst) {
            return Err(FetchFailed::new(Phase::Connect, "nobody is there"));
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
}

struct World {
    server: Arc<Server>,
    clock: Monotonic,
    source: RemoteSource,
}

/// A source with the default settings: fresh for 15 minutes, stale for a day, half a minute to cool down.
fn world() -> World {
    world_with(FetchSettings::default())
}

fn world_with(settings: FetchSettings) -> World {
    let server = Arc::new(Server::default());
    server.rotates_to("one");
    let clock = Monotonic::default();
    let source = RemoteSource::new(Loader {
        url: "https://issuer.example/keys?secret=hush".to_owned(),
        endpoint: Endpoint::Jwks,
        settings,
        allowed: Algorithms::default().with(Algorithm::ES256),
        fetch: Arc::<Server>::clone(&server),
        started: clock.now(),
        clock: clock.clone(),
    });
    World {
        server,
        clock,
        source,
    }
}

impl World {
    fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn current(&self) -> Result<Snapshot> {
        self.source.current(Reach::Network)
    }

    /// Whether a caller that must not wait is told to ask elsewhere.
    fn is_due(&self, others: Others) -> bool {
        let now = Now::beside(others);
        let current = self.source.current(Reach::Now(&now));
        assert!(current.is_err() || !now.is_due());
        now.is_due()
    }

    /// A token of this `kid` finds no key.
    fn miss(&self, kid: &str) -> Refetched {
        let tried = self.current().unwrap();
        self.source.refetch(&tried, Some(kid), Reach::Network)
    }

    fn status(&self) -> FetchStatus {
        self.source.status().2
    }

    fn state(&self) -> SourceState {
        self.source.status().0
    }
}

#[test]
fn the_first_caller_fetches_and_the_others_find_what_it_fetched() {
    let world = world();
    assert_eq!(world.state(), SourceState::Unfetched);
    assert_eq!(world.server.requests(), 0);
    for _ in 0..10 {
        assert!(world.current().is_ok());
    }
    assert_eq!(world.server.requests(), 1);
    assert_eq!(world.state(), SourceState::Fresh);
}

#[test]
fn a_set_is_refreshed_ahead_of_its_time() {
    let world = world();
    world.current().unwrap();
    // 80 % of 15 minutes is 12, give or take a tenth.
    world.later(10 * 60);
    world.current().unwrap();
    assert_eq!(world.server.requests(), 1);
    world.later(4 * 60);
    assert_eq!(world.state(), SourceState::Fresh);
    world.current().unwrap();
    assert_eq!(world.server.requests(), 2);
    assert_eq!(world.status().served_stale, 0);
}

#[test]
fn an_old_set_is_served_while_fetching_fails_and_not_for_ever() {
    let world = world();
    world.current().unwrap();
    world.server.goes_down(true);
    world.later(16 * 60);
    assert_eq!(world.state(), SourceState::Stale);
    assert!(world.current().is_ok());
    let status = world.status();
    assert_eq!((status.served_stale, status.failures), (1, 1));
    assert!(status.failing);
    world.later(24 * 3600);
    assert_eq!(world.state(), SourceState::Expired);
    let error = world.current().unwrap_err();
    assert_eq!(error.code(), Code::KeySourceUnavailable);
    assert_eq!(
        error.detail(),
        Some("https://issuer.example/keys: connect: nobody is there")
    );
    world.server.goes_down(false);
    world.later(60);
    assert!(world.current().is_ok());
    let status = world.status();
    assert!(!status.failing, "it was overcome");
    assert_eq!(status.last_failure.unwrap().age, 60, "and is remembered");
}

#[test]
fn failures_are_followed_by_longer_and_longer_pauses() {
    let world = world();
    world.server.goes_down(true);
    // A pause is a tenth longer or shorter, and never longer than a cool-down.
    for (requests, pause) in (1..).zip([1, 2, 4, 8, 16, 30, 30]) {
        assert!(world.current().is_err());
        assert_eq!(world.server.requests(), requests);
        let most = Duration::from_millis(pause * 899);
        world.clock.advance(most);
        assert!(world.current().is_err());
        assert_eq!(world.server.requests(), requests, "within {pause} s");
        world.clock.advance(Duration::from_secs(pause * 2));
    }
    assert_eq!(world.status().failures, 7);
}

#[test]
fn an_unknown_kid_asks_once_in_a_cool_down() {
    let world = world();
    world.current().unwrap();
    assert!(matches!(world.miss("two"), Refetched::NotNow), "just fetched");
    assert_eq!(world.server.requests(), 1);
    world.later(31);
    world.server.rotates_to("two");
    assert!(matches!(world.miss("two"), Refetched::Newer(_)));
    assert_eq!(world.server.requests(), 2);
    for number in 0..1000 {
        assert!(matches!(world.miss(&format!("kid-{number}")), Refetched::NotNow));
    }
    assert_eq!(world.server.requests(), 2);
    assert_eq!(world.status().unknown_kid, 1002);
}

#[test]
fn a_kid_that_was_missed_leaves_the_next_fetch_to_others() {
    let world = world();
    world.current().unwrap();
    world.later(31);
    world.miss("wrong");
    assert_eq!(world.server.requests(), 2);
    world.later(31);
    assert!(matches!(world.miss("wrong"), Refetched::NotNow));
    assert_eq!(
        world.server.requests(),
        2,
        "the source did not have it a moment ago"
    );
    world.server.rotates_to("new");
    assert!(matches!(world.miss("new"), Refetched::Newer(_)));
    world.later(31);
    world.miss("wrong");
    assert_eq!(world.server.requests(), 4, "it may have it by now");
}

#[test]
fn a_failed_fetch_starts_a_cool_down_too() {
    let world = world();
    world.current().unwrap();
    world.later(31);
    world.server.goes_down(true);
    assert!(matches!(world.miss("two"), Refetched::Failed(_)));
    world.later(20);
    assert!(matches!(world.miss("two"), Refetched::NotNow));
    assert_eq!(world.server.requests(), 2);
    world.later(11);
    world.server.goes_down(false);
    world.server.rotates_to("two");
    assert!(
        matches!(world.miss("two"), Refetched::Newer(_)),
        "the source never said that it does not have it"
    );
}

#[test]
fn many_threads_at_expiry_make_one_fetch_and_do_not_wait_for_it() {
    let world = world();
    world.current().unwrap();
    world.later(16 * 60);
    world.server.slow.store(true, Ordering::SeqCst);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| assert!(world.current().is_ok()));
        }
    });
    assert_eq!(world.server.requests(), 2);
}

#[test]
fn many_threads_share_a_failure() {
    let world = world();
    world.server.slow.store(true, Ordering::SeqCst);
    world.server.goes_down(true);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| assert!(world.current().is_err()));
        }
    });
    assert_eq!(world.server.requests(), 1);
}

#[test]
fn who_queued_behind_a_fetch_does_not_repeat_it() {
    let world = world_with(FetchSettings {
        cool_down: Duration::ZERO,
        ..FetchSettings::default()
    });
    let before = world.source.ended();
    world.current().unwrap();
    assert!(world.source.fetch_or_wait(before).is_ok());
    assert_eq!(world.server.requests(), 1);
    let before = world.source.ended();
    world.server.goes_down(true);
    assert!(world.source.refresh().is_err());
    assert!(world.source.fetch_or_wait(before).is_err());
    assert_eq!(world.server.requests(), 2);
}

#[test]
fn without_caching_each_request_sees_what_the_server_says() {
    let world = world_with(FetchSettings {
        cache_ttl: Duration::ZERO,
        ..FetchSettings::default()
    });
    for requests in 1..=5 {
        assert!(world.current().is_ok());
        assert_eq!(world.server.requests(), requests);
    }
}

#[test]
fn a_cached_request_never_fetches() {
    let world = world();
    let cached = || world.source.current(Reach::Cache);
    let error = cached().unwrap_err();
    assert_eq!(error.code(), Code::KeySourceUnavailable);
    assert!(error.to_string().contains("cached_only"), "{error}");
    world.server.goes_down(true);
    world.current().unwrap_err();
    let error = cached().unwrap_err();
    assert!(error.to_string().contains("nobody is there"), "{error}");
    world.server.goes_down(false);
    world.later(2);
    world.current().unwrap();
    assert!(!world.is_due(Others::default()));
    let fetched = world.server.requests();
    world.later(14 * 60);
    assert!(
        world.is_due(Others::default()),
        "a fetch ahead of time is a fetch"
    );
    assert!(world.source.current(Reach::Refresh).is_ok());
    assert_eq!(world.server.requests(), fetched + 1);
    world.later(14 * 60);
    let fetched = world.server.requests();
    world.later(2 * 60);
    let tried = cached().unwrap();
    assert_eq!(world.status().served_stale, 1);
    let asked = world.source.refetch(&tried, Some("two"), Reach::Cache);
    assert!(matches!(asked, Refetched::OutOfReach(_)));
    world.later(24 * 3600);
    assert!(cached().is_err());
    assert_eq!(world.server.requests(), fetched);
}

#[test]
fn a_call_that_must_not_wait_leaves_old_keys_in_use_while_another_fetches() {
    let world = world();
    let other = Others {
        fetching: true,
        since: None,
    };
    assert!(world.is_due(other), "there are no keys to go on with");
    world.current().unwrap();
    world.later(16 * 60);
    assert!(world.is_due(Others::default()));
    assert!(!world.is_due(other));
    assert_eq!(world.status().served_stale, 1);
    world.later(24 * 3600);
    assert!(world.is_due(other));
}

#[test]
fn a_call_that_waited_for_a_fetch_takes_its_outcome() {
    for (cache_ttl, cool_down) in [(0, 30), (0, 0), (900, 0)] {
        let world = world_with(FetchSettings {
            cache_ttl: Duration::from_secs(cache_ttl),
            cool_down: Duration::from_secs(cool_down),
            max_stale: Duration::ZERO,
            ..FetchSettings::default()
        });
        let waiting = || Others {
            fetching: false,
            since: Some(fetches_ended()),
        };
        let before = waiting();
        assert!(world.is_due(before), "nothing has ended yet");
        world.current().unwrap();
        assert!(!world.is_due(before));
        assert_eq!(
            world.is_due(waiting()),
            cache_ttl == 0,
            "that is a caller of another moment"
        );

        let now = Now::beside(before);
        let tried = world.source.current(Reach::Now(&now)).unwrap();
        let missed = world.source.refetch(&tried, Some("two"), Reach::Now(&now));
        assert!(matches!(missed, Refetched::NotNow) && !now.is_due());
        assert_eq!(world.status().unknown_kid, 1);

        world.server.goes_down(true);
        let before = waiting();
        world.source.refresh().unwrap_err();
        let now = Now::beside(before);
        let missed = world.source.refetch(&tried, Some("two"), Reach::Now(&now));
        assert_eq!(matches!(missed, Refetched::Failed(_)), cool_down == 0);
        assert!(!now.is_due());
        if cache_ttl == 0 {
            let error = world.source.current(Reach::Now(&now)).unwrap_err();
            assert!(!now.is_due());
            assert!(error.to_string().contains("nobody is there"), "{error}");
        }
    }
}

#[test]
fn an_unknown_kid_is_counted_where_it_is_decided() {
    let world = world();
    world.current().unwrap();
    world.later(31);
    let now = Now::beside(Others::default());
    let tried = world.source.current(Reach::Now(&now)).unwrap();
    let asked = world.source.refetch(&tried, Some("two"), Reach::Now(&now));
    assert!(matches!(asked, Refetched::OutOfReach(_)) && now.is_due());
    assert_eq!(world.status().unknown_kid, 0);
    world.miss("two");
    assert_eq!(world.status().unknown_kid, 1);
}

#[test]
fn refreshing_asks_whatever_is_there() {
    let world = world();
    world.source.refresh().unwrap();
    world.source.refresh().unwrap();
    assert_eq!(world.server.requests(), 2);
    world.server.goes_down(true);
    assert!(world.source.refresh().is_err());
    assert!(world.source.refresh().is_err(), "no pause keeps an operator");
    assert_eq!(world.server.requests(), 4);
}

#[test]
fn refreshing_takes_no_fetch_that_began_before() {
    let world = world();
    world.server.slow.store(true, Ordering::SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| world.current().unwrap().keys().unwrap().census().1);
        while world.server.requests() == 0 {
            std::thread::yield_now();
        }
        world.server.rotates_to("two");
        for _ in 0..8 {
            scope.spawn(|| {
                world.source.refresh().unwrap();
                let keys = world.source.snapshot().keys().unwrap().census().1;
                assert_eq!(keys, ["two"]);
            });
        }
    });
    let requests = world.server.requests();
    assert!(
        (2..=3).contains(&requests),
        "those who refresh share a fetch: {requests}"
    );
}

#[test]
fn a_cached_request_for_an_unknown_key_is_decided_where_nobody_could_ask() {
    #[derive(Debug)]
    struct Hanging(Monotonic);
    impl Fetch for Hanging {
        fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
            self.0.advance(Duration::from_secs(5));
            Err(FetchFailed::new(Phase::Http, "no whole answer in time"))
        }
    }
    let mut world = world();
    let tried = world.current().unwrap();
    world.source.loader.fetch = Arc::new(Hanging(world.clock.clone()));
    for _ in 0..6 {
        assert!(world.source.refresh().is_err());
    }
    // The cool-down counts from the beginning of the last fetch, the pause of half a minute from its end.
    world.later(26);
    let asked = world.source.refetch(&tried, Some("two"), Reach::Cache);
    assert!(matches!(asked, Refetched::Failed(_)), "{asked:?}");
    world.later(8);
    let asked = world.source.refetch(&tried, Some("two"), Reach::Cache);
    assert!(matches!(asked, Refetched::OutOfReach(_)), "{asked:?}");
}

#[test]
fn nobody_waits_longer_for_another_s_fetch_than_for_their_own() {
    #[derive(Debug, Default)]
    struct Stuck {
        entered: AtomicBool,
        over: AtomicBool,
    }
    impl Fetch for Stuck {
        fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
            self.entered.store(true, Ordering::SeqCst);
            while !self.over.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(FetchFailed::new(Phase::Http, "over at last"))
        }
    }
    let mut world = world_with(FetchSettings {
        timeout: Duration::from_millis(50),
        ..FetchSettings::default()
    });
    let stuck = Arc::new(Stuck::default());
    world.source.loader.fetch = Arc::<Stuck>::clone(&stuck);
    std::thread::scope(|scope| {
        scope.spawn(|| world.current().unwrap_err());
        while !stuck.entered.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let outcomes = [world.current().map(|_| ()), world.source.refresh()];
        stuck.over.store(true, Ordering::SeqCst);
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert!(error.to_string().ends_with("no answer in time"), "{error}");
        }
    });
    assert_eq!(world.status().failures, 1);
}

#[test]
fn a_panicking_client_leaves_the_source_usable() {
    #[derive(Debug)]
    struct Broken;
    impl Fetch for Broken {
        fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
            panic!("a mistake of the host");
        }
    }
    let mut world = world();
    world.source.loader.fetch = Arc::new(Broken);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.current().is_ok()));
    assert!(caught.is_err());
    assert!(world.status().failing);
    world.later(2);
    world.source.loader.fetch = Arc::<Server>::clone(&world.server);
    assert!(world.current().is_ok());
}

#[test]
fn a_status_says_where_without_the_query() {
    let world = world();
    world.current().unwrap();
    world.later(100);
    let status = world.status();
    assert_eq!(status.url, "https://issuer.example/keys");
    assert_eq!((status.age, status.jwks_uri), (Some(100), None));
    assert!(
        (548..=692).contains(&status.next_refresh),
        "{}",
        status.next_refresh
    );
}

const SET: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"KID","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
