//! Tests of decisions, errands and fetches together.

mod lifetime;
mod sharing;
mod unknown_kid;

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
        observer: None,
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

const ISSUER: &str = "https://issuer.example/";
const KIDS: [&str; 3] = ["key-0", "key-1", "key-2"];
const SET: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"KID","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
