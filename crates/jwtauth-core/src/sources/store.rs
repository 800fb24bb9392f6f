//! The key sources of a policy, opened.

use std::cell::OnceCell;
use std::ops::ControlFlow;

use super::open::{Environment, KeySource, open};
use super::reach::Reach;
use super::remote::{Refetched, RemoteSource, Snapshot};
use super::status::{SourceState, SourceStatus};
use crate::error::{Code, Error, Result};
use crate::keys::prepare::Preparation;
use crate::keys::{Key, KeySet};
use crate::policy::{KeyRule, KidRule};
use crate::warning::Warning;

/// The opened key sources of a verifier.
#[derive(Debug)]
pub(crate) struct KeyStore {
    sources: Vec<KeySource>,
    /// Where each stands in the policy.
    places: Vec<String>,
    rule: KidRule,
}

/// The keys of every source at one moment.
#[derive(Debug)]
pub(crate) struct Current<'k> {
    sources: &'k [KeySource],
    fetched: Taken,
    rule: KidRule,
    /// Why a source has no keys at this moment.
    missing: Option<Error>,
    /// The `kid` that no key answered to.
    unknown: OnceCell<Box<str>>,
}

/// What the sources that fetch their keys have, in their order; `None` where there is nothing. There is seldom more than
/// one such source, and for one nothing is allocated: that is a hundredth of a decision.
#[derive(Debug)]
struct Taken {
    first: Option<Option<Snapshot>>,
    rest: Vec<Option<Snapshot>>,
}

/// The keys that answer to a `kid`, or why there are none.
#[derive(Debug)]
pub(crate) enum Selection {
    /// Each was handed to the visitor.
    Answered,
    /// No key answers.
    Unknown,
}

impl KeyStore {
    /// Reads and prepares every key of a policy, and opens the sources that fetch theirs. Nothing is fetched.
    ///
    /// # Errors
    /// [`Code::KeyInvalid`](crate::Code::KeyInvalid), [`Code::ConfigInvalid`](crate::Code::ConfigInvalid): which
    /// source, which file, and what is wrong with it.
    pub(crate) fn open(
        rule: &KeyRule,
        environment: Environment<'_>,
        warnings: &mut Vec<Warning>,
    ) -> Result<KeyStore> {
        let mut sources = Vec::with_capacity(rule.sources.len());
        let mut places = Vec::with_capacity(rule.sources.len());
        let mut remarks = Vec::new();
        for (index, spec) in rule.sources.iter().enumerate() {
            let place = format!("keys[{index}].{}", spec.origin.member());
            let mut preparation = Preparation {
                place: &place,
                kid: spec.kid.as_deref(),
                allowed: spec
                    .algorithms
                    .map_or(rule.algorithms, |own| own.intersection(rule.algorithms)),
                warnings: &mut remarks,
            };
            sources.push(open(&spec.origin, &mut preparation, environment)?);
            places.push(place);
        }
        let usable = |source: &KeySource| match source {
            KeySource::Fixed(set) => set.is_usable(),
            KeySource::Fetched(_) => true,
        };
        // A policy without any source, as one that takes no tokens has it, knows no key and finds none.
        if !sources.is_empty() && !sources.iter().any(usable) {
            let why = remarks
                .first()
                .map(|first| format!(": `{}`: {}", first.key, first.message));
            return Err(Error::new(Code::KeyInvalid)
                .with_detail(format!("no key can be used{}", why.unwrap_or_default())));
        }
        warnings.append(&mut remarks);
        Ok(KeyStore {
            sources,
            places,
            rule: rule.kid,
        })
    }

    /// Whether no source fetches its keys.
    pub(crate) fn is_fixed(&self) -> bool {
        self.fetching().next().is_none()
    }

    /// Makes an attempt with the keys of this moment. When it fails for want of a key or for a bad signature, and a
    /// source may be asked for newer keys, one more with those.
    ///
    /// # Errors
    /// Those of the attempt; the codes of class [`Unavailable`](crate::Class::Unavailable) when it found no key and a
    /// source has none at all, or newer ones that are out of reach.
    pub(crate) fn attempt<T>(
        &self,
        reach: Reach<'_>,
        mut attempt: impl FnMut(&Current<'_>) -> Result<T>,
    ) -> Result<T> {
        match self.attempts(reach, &mut attempt) {
            ControlFlow::Break(outcome) => outcome,
            ControlFlow::Continue(why) => Err(why),
        }
    }

    /// Ends as soon as an attempt decides, and goes on with why none does.
    fn attempts<T>(
        &self,
        reach: Reach<'_>,
        attempt: &mut impl FnMut(&Current<'_>) -> Result<T>,
    ) -> ControlFlow<Result<T>, Error> {
        let (mut current, mut why) = attempt_with(self.current(reach.where_there_are_keys()), attempt)?;
        // A source without keys is asked only for a token that the others do not know, so that one server that is
        // down holds up nobody else's tokens.
        if reach.is_everywhere() && current.missing.is_some() {
            (current, why) = attempt_with(self.current(reach), attempt)?;
        }
        let unknown = current.unknown.get().map(Box::as_ref);
        let (mut newer, mut failure, mut out_of_reach) = (Vec::new(), None, None);
        for (index, (source, tried)) in self.fetching().zip(current.fetched.iter()).enumerate() {
            let Some(tried) = tried else { continue };
            match source.refetch(tried, unknown, reach) {
                Refetched::Newer(keys) => newer.push((index, keys)),
                Refetched::Failed(why) => failure = Some(why),
                Refetched::OutOfReach(why) => out_of_reach = Some(why),
                Refetched::NotNow => {}
            }
        }
        if !newer.is_empty() {
            // These keys and no others: asking for the current ones might fetch once more.
            for (index, keys) in newer {
                if let Some(place) = current.fetched.iter_mut().nth(index) {
                    *place = Some(keys);
                }
            }
            (current, why) = attempt_with(current, attempt)?;
        }
        // Nobody knows whether a source without keys, or newer keys, would have known this token's.
        if let Some(unknown) = current.missing.or(out_of_reach) {
            return ControlFlow::Continue(unknown);
        }
        // A warm source must not turn a forged token into an outage: the answer stays no.
        ControlFlow::Continue(match failure {
            Some(failure) => {
                let own = why.detail().map(|own| format!("{own}; ")).unwrap_or_default();
                let failure = failure.reason().to_owned();
                why.with_detail(format!("{own}newer keys could not be fetched: {failure}"))
            }
            None => why,
        })
    }

    /// Fetches the keys of every source that fetches.
    ///
    /// # Errors
    /// The first failure, after every source was asked.
    pub(crate) fn refresh(&self) -> Result<()> {
        let failures: Vec<Error> = self
            .fetching()
            .filter_map(|source| source.refresh().err())
            .collect();
        failures.into_iter().next().map_or(Ok(()), Err)
    }

    /// How every source is, in the order of the policy.
    pub(crate) fn status(&self) -> Vec<SourceStatus> {
        let sources = self.sources.iter().zip(&self.places);
        sources
            .map(|(source, place)| {
                let (state, (keys, kids), fetching) = match source {
                    KeySource::Fixed(set) => (SourceState::Fixed, set.census(), None),
                    KeySource::Fetched(source) => {
                        let (state, snapshot, status) = source.status();
                        let census = snapshot.keys().map(KeySet::census).unwrap_or_default();
                        (state, census, Some(status))
                    }
                };
                SourceStatus {
                    source: place.clone(),
                    state,
                    keys,
                    kids,
                    fetching,
                }
            })
            .collect()
    }

    fn fetching(&self) -> impl Iterator<Item = &RemoteSource> {
        self.sources.iter().filter_map(|source| match source {
            KeySource::Fixed(_) => None,
            KeySource::Fetched(source) => Some(source.as_ref()),
        })
    }

    fn current(&self, reach: Reach<'_>) -> Current<'_> {
        let mut missing = None;
        let mut fetched = self
            .fetching()
            .map(|source| source.current(reach).map_err(|why| missing = Some(why)).ok());
        let fetched = Taken {
            first: fetched.next(),
            rest: fetched.collect(),
        };
        Current {
            sources: &self.sources,
            fetched,
            rule: self.rule,
            missing,
            unknown: OnceCell::new(),
        }
    }
}

/// Makes one attempt, and goes on with its keys and its failure when other keys could make a difference.
fn attempt_with<'k, T>(
    current: Current<'k>,
    attempt: &mut impl FnMut(&Current<'_>) -> Result<T>,
) -> ControlFlow<Result<T>, (Current<'k>, Error)> {
    match attempt(&current) {
        Err(why) if matches!(why.code(), Code::KeyNotFound | Code::SignatureInvalid) => {
            ControlFlow::Continue((current, why))
        }
        decided => ControlFlow::Break(decided),
    }
}

impl Taken {
    fn iter(&self) -> impl Iterator<Item = &Option<Snapshot>> {
        self.first.iter().chain(&self.rest)
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Option<Snapshot>> {
        self.first.iter_mut().chain(&mut self.rest)
    }
}

impl Current<'_> {
    fn sets(&self) -> impl Iterator<Item = &KeySet> {
        let mut fetched = self.fetched.iter();
        self.sources.iter().filter_map(move |source| match source {
            KeySource::Fixed(set) => Some(set),
            KeySource::Fetched(_) => fetched.next()?.as_ref()?.keys(),
        })
    }

    /// Hands over the keys that answer to a token's `kid`, in order. An empty `kid` counts as none.
    pub(crate) fn select<'c>(&'c self, kid: Option<&str>, mut visit: impl FnMut(&'c Key)) -> Selection {
        let kid = kid.filter(|kid| !kid.is_empty());
        let mut answered = false;
        let mut visit = |key| {
            answered = true;
            visit(key);
        };
        for set in self.sets() {
            match (self.rule, kid) {
                (KidRule::Ignore, _) | (KidRule::Hint | KidRule::Match, None) => {
                    set.all().for_each(&mut visit)
                }
                (KidRule::Hint, Some(kid)) => set.named(kid).chain(set.unnamed()).for_each(&mut visit),
                (KidRule::Match | KidRule::Exact | KidRule::ExactOrOnly, Some(kid)) => {
                    set.named(kid).for_each(&mut visit)
                }
                (KidRule::Exact, None) => set.unnamed().for_each(&mut visit),
                (KidRule::ExactOrOnly, None) => match set.only() {
                    Some(key) => visit(key),
                    None => set.unnamed().for_each(&mut visit),
                },
                // Such a token was denied before.
                (KidRule::Required, None) => {}
                (KidRule::Required, Some(kid)) => {
                    let mut named = set.named(kid).peekable();
                    if named.peek().is_some() {
                        named.for_each(&mut visit);
                        break;
                    }
                }
            }
        }
        if answered {
            return Selection::Answered;
        }
        if let Some(kid) = kid {
            self.unknown.get_or_init(|| kid.into());
        }
        Selection::Unknown
    }
}

#[cfg(test)]
mod tests;
