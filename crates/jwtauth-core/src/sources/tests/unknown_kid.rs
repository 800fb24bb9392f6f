//! A `kid` that the cached set does not have.

use super::*;

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
