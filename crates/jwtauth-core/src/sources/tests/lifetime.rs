//! When a set of keys is fetched, refreshed, used while stale, and given up.

use super::*;

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
