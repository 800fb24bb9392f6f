//! Several threads, requests or sources at the same time.

use super::*;

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
