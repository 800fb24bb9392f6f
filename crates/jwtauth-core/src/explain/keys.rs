//! The keys that a decision considered.

use std::collections::HashMap;

use super::step::Step;
use crate::keys::{Algorithm, Key, KeySet, PreparedKey};
use crate::pipeline::watch::{Check, Outcome};
use crate::policy::{KeyIssuers, KeyRule};
use crate::sources::status::{SourceState, SourceStatus};

/// The key sources of a verifier, in the order of the policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'v> {
    pub(crate) issuers: &'v [KeyIssuers],
    pub(crate) status: &'v [SourceStatus],
}

impl Sources<'_> {
    /// No sources, for a dry run, which uses no keys.
    pub(crate) const NONE: Sources<'static> = Sources {
        issuers: &[],
        status: &[],
    };
}

/// Whether a token names its key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token {
    Named,
    WithoutName,
}

/// The keys that were considered, by source.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Offered>);

#[derive(Debug)]
struct Offered {
    /// The address of the source's issuers, which identifies it.
    source: usize,
    keys: Vec<Considered>,
    /// Where the key with an address is.
    places: HashMap<usize, usize>,
}

#[derive(Debug)]
struct Considered {
    /// The addresses of the prepared forms of the key.
    prepared: Vec<(usize, Algorithm)>,
    kid: Option<String>,
    /// Why it cannot be used with any algorithm.
    skipped: Option<String>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The `kid` does not select it.
    NotSelected,
    /// It cannot be used with the algorithm.
    Unfit,
    /// It fits.
    Fits,
    /// It does not verify the signature.
    Tried,
    /// It verifies the signature.
    Verified,
}

impl Keys {
    pub(super) fn offers(&mut self, issuers: &KeyIssuers, keys: &KeySet) {
        let places = keys.all().map(address).zip(0..).collect();
        let keys = keys.all().map(|key| Considered {
            prepared: key
                .prepared
                .iter()
                .map(|one| (address(one), one.algorithm()))
                .collect(),
            kid: key.kid.as_deref().map(str::to_owned),
            skipped: key.skipped.as_deref().map(str::to_owned),
            state: State::NotSelected,
        });
        self.0.push(Offered {
            source: address(issuers),
            keys: keys.collect(),
            places,
        });
    }

    pub(super) fn selects(&mut self, key: &Key, fits: bool) {
        let state = if fits { State::Fits } else { State::Unfit };
        let Some(offered) = self.0.last_mut() else {
            return;
        };
        let place = offered.places.get(&address(key));
        if let Some(known) = place.and_then(|place| offered.keys.get_mut(*place)) {
            known.state = state;
        }
    }

    pub(super) fn tries(&mut self, key: &PreparedKey, verified: bool) {
        let state = if verified { State::Verified } else { State::Tried };
        let tried = address(key);
        let is_tried = |known: &&mut Considered| known.prepared.iter().any(|(one, _)| *one == tried);
        if let Some(known) = self
            .0
            .iter_mut()
            .flat_map(|offered| &mut offered.keys)
            .find(is_tried)
        {
            known.state = state;
        }
    }

    /// Whether a key has this name.
    pub(super) fn has(&self, kid: &str) -> bool {
        self.of(kid).next().is_some()
    }

    /// The algorithms of each key with this name.
    pub(super) fn algorithms_of(&self, kid: &str) -> Vec<Vec<&'static str>> {
        let names = |key: &Considered| key.prepared.iter().map(|(_, one)| one.as_str()).collect();
        self.of(kid).map(names).collect()
    }

    fn of(&self, kid: &str) -> impl Iterator<Item = &Considered> {
        let keys = self.0.iter().flat_map(|offered| &offered.keys);
        keys.filter(move |key| key.kid.as_deref() == Some(kid))
    }

    /// The keys of each source, by the address of its issuers.
    fn by_source(&self) -> HashMap<usize, &Offered> {
        // The first one counts.
        let offers = self.0.iter().rev();
        offers.map(|offered| (offered.source, offered)).collect()
    }

    /// Which key verified the signature.
    pub(super) fn signer(&self, sources: &Sources<'_>) -> Option<String> {
        let offers = self.by_source();
        for (source, status) in sources.issuers.iter().zip(sources.status) {
            let offered = offers.get(&address(source));
            let mut keys = offered.into_iter().flat_map(|offered| &offered.keys);
            if let Some(key) = keys.find(|key| key.state == State::Verified) {
                let place = &status.source;
                return Some(match &key.kid {
                    Some(kid) => format!("the key `{kid}` of `{place}` verified the signature"),
                    None => format!("a key of `{place}` verified the signature"),
                });
            }
        }
        None
    }

    /// A step for each source, followed by one for each of its keys.
    pub(super) fn steps(&self, rule: &KeyRule, sources: &Sources<'_>, token: Token) -> Vec<Step> {
        let mut steps = Vec::new();
        let offers = self.by_source();
        let all = sources.issuers.iter().zip(sources.status).zip(&rule.sources);
        for ((issuers, status), spec) in all {
            let offered = offers.get(&address(issuers)).copied();
            steps.push(source_step(status, offered.is_some()));
            let is_set = spec.origin.is_set();
            for (index, key) in offered.into_iter().flat_map(|offered| &offered.keys).enumerate() {
                let place = if is_set {
                    format!("{}.keys[{index}]", status.source)
                } else {
                    status.source.clone()
                };
                steps.push(key.step(place, token));
            }
        }
        steps
    }
}

impl Considered {
    fn step(&self, place: String, token: Token) -> Step {
        let name = match &self.kid {
            Some(kid) => format!("the key `{kid}`"),
            None => "the key without a `kid`".to_owned(),
        };
        let algorithms: Vec<&str> = self.prepared.iter().map(|(_, one)| one.as_str()).collect();
        let why = match (self.state, &self.skipped) {
            (State::NotSelected | State::Unfit, Some(why)) => {
                format!("{name} is not used: {why}")
            }
            (State::NotSelected, _) => match (token, &self.kid) {
                (Token::Named, Some(_)) => format!("{name} is not used: the token names another one"),
                (Token::Named, None) => format!("{name} is not used: the token names one"),
                (Token::WithoutName, _) => format!("{name} is not used: the token does not name it"),
            },
            (State::Unfit, _) if algorithms.is_empty() => {
                format!("{name} is not used: it cannot be used with any allowed algorithm")
            }
            (State::Unfit, _) => format!(
                "{name} is not used: it can be used only with {}",
                algorithms.join(", ")
            ),
            (State::Fits, _) => format!("{name} fits the token, and was not needed"),
            (State::Tried, _) => format!("{name} fits the token, and does not verify the signature"),
            (State::Verified, _) => format!("{name} verified the signature"),
        };
        let outcome = match self.state {
            State::Verified => Outcome::Passed,
            State::NotSelected | State::Unfit | State::Fits | State::Tried => Outcome::NotApplicable,
        };
        let configured = serde_json::json!({ "kid": self.kid, "algorithms": algorithms });
        Step {
            stage: Check::Key.stage(),
            check: Check::Key,
            outcome,
            informative: false,
            unverified: false,
            place: Some(place),
            configured: Some(configured.to_string()),
            seen: None,
            parts: Vec::new(),
            text: why,
        }
    }
}

fn source_step(status: &SourceStatus, is_offered: bool) -> Step {
    let place = &status.source;
    let keys = match status.keys {
        1 => "one usable key".to_owned(),
        many => format!("{many} usable keys"),
    };
    let text = match status.state {
        SourceState::Unfetched
        | SourceState::Expired
        | SourceState::Fixed
        | SourceState::Fresh
        | SourceState::Stale
            if !is_offered =>
        {
            match status.state {
                SourceState::Unfetched => format!("`{place}` has no keys: they were never fetched"),
                SourceState::Expired => format!("`{place}` has no keys: those that were fetched are too old"),
                SourceState::Fixed | SourceState::Fresh | SourceState::Stale => {
                    format!("`{place}` is not used: an earlier source has a key with the token's `kid`")
                }
            }
        }
        SourceState::Unfetched | SourceState::Expired | SourceState::Fixed | SourceState::Fresh => {
            format!("`{place}` has {keys}{}", age(status))
        }
        SourceState::Stale => {
            format!(
                "`{place}` has {keys}{}, which is longer than their lifetime",
                age(status)
            )
        }
    };
    let text = match status.skipped_count {
        0 => text,
        1 => format!("{text}; one key is skipped"),
        many => format!("{text}; {many} keys are skipped"),
    };
    let failing = status.fetching.as_ref().filter(|fetching| fetching.failing);
    let failure = failing.and_then(|fetching| fetching.last_failure.as_ref());
    let text = match failure {
        Some(failure) => format!("{text}; the last fetch failed: {}", failure.reason),
        None => text,
    };
    Step {
        stage: Check::KeySource.stage(),
        check: Check::KeySource,
        outcome: if is_offered {
            Outcome::Passed
        } else {
            Outcome::NotApplicable
        },
        informative: false,
        unverified: false,
        place: Some(place.clone()),
        configured: None,
        seen: None,
        parts: Vec::new(),
        text,
    }
}

/// When the keys were fetched, if they were.
fn age(status: &SourceStatus) -> String {
    let age = status.fetching.as_ref().and_then(|fetching| fetching.age);
    age.map_or_else(String::new, |age| format!(", fetched {age} s ago"))
}

fn address<T>(value: &T) -> usize {
    std::ptr::from_ref(value).addr()
}
