//! The key sources of a policy: their cached keys, and which fetches a decision lacks.

use std::sync::Arc;

use super::crowd;
use super::errand::{Errand, KeyFetch, Reason};
use super::open::{Environment, KeySource, open};
use super::remote::{Miss, RemoteSource, View};
use super::status::{Keys, SourceState, SourceStatus};
use crate::error::{Code, Error, Result};
use crate::keys::KeySet;
use crate::keys::prepare::{self, Preparation, Secrets};
use crate::policy::{KeyIssuers, KeyRule, KidRule};
use crate::warning::{Rule, Warning};

/// The opened key sources of a verifier.
#[derive(Debug)]
pub(crate) struct KeyStore {
    sources: Vec<KeySource>,
    /// The issuers whose tokens the keys of each source may sign.
    issuers: Vec<KeyIssuers>,
    /// The path of all sources in the configuration, and of each.
    place: String,
    places: Vec<String>,
    kid: KidRule,
}

/// The cached keys of every source, as one decision sees them.
#[derive(Debug)]
pub(crate) struct Cached<'k> {
    sources: &'k [KeySource],
    issuers: &'k [KeyIssuers],
    fetched: Views,
    /// What was fetched for this decision.
    after: Option<&'k Errand>,
    kid: KidRule,
}

/// The views of the sources that fetch their keys, in order. Most policies have at most one such source, and one view
/// needs no allocation. An allocation would cost a hundredth of a decision.
#[derive(Debug)]
struct Views {
    first: Option<View>,
    rest: Vec<View>,
}

/// The key sets that a decision used. Its keys are not freed as long as this exists, so that a newer set cannot have the
/// same address.
#[derive(Debug)]
pub(crate) struct SetsInUse(Vec<Option<Arc<KeySet>>>);

/// How a decision continues after the cached keys were tried.
#[derive(Debug)]
pub(crate) enum Next {
    /// The outcome with the cached keys is final.
    Decide,
    /// Other keys were cached in the meantime. The decision tries those.
    Retry,
    /// Keys must be fetched first.
    Fetch(Errand),
    /// The outcome is unknown: a source without keys, or newer keys of a source, might contain the token's key, and
    /// no fetch is possible.
    Unavailable(Error),
    /// The outcome with the cached keys is final. Newer keys were wanted and could not be fetched.
    DecideWithout(Error),
}

/// What a decision must do before the first source that has the `kid` decides.
#[derive(Debug)]
pub(crate) enum BeforeName {
    /// Other keys were cached in the meantime. The decision tries those.
    Retry,
    /// Keys must be fetched first.
    Fetch(Errand),
    /// An earlier source has no cached keys, and the request does not allow a fetch.
    Unavailable(Error),
}

impl KeyStore {
    /// Reads and prepares every key of a policy, and opens the sources that fetch their keys. Fetches nothing.
    ///
    /// # Errors
    /// [`Code::KeyInvalid`], [`Code::ConfigInvalid`], with the source, the file and the reason.
    pub(crate) fn open(
        rule: &KeyRule,
        environment: Environment<'_>,
        warnings: &mut Vec<Warning>,
    ) -> Result<KeyStore> {
        let mut sources = Vec::with_capacity(rule.sources.len());
        let mut found = Vec::new();
        for spec in &rule.sources {
            let mut preparation = Preparation {
                place: &spec.place,
                kid: spec.kid.as_deref(),
                allowed: spec
                    .algorithms
                    .map_or(rule.algorithms, |own| own.intersection(rule.algorithms)),
                names_alone: false,
                secrets: Secrets::Used,
                key_issuers: spec.issuers.template().is_some(),
                warnings: &mut found,
            };
            sources.push(open(spec, rule.kid, &mut preparation, environment)?);
        }
        let places: Vec<String> = rule.sources.iter().map(|spec| spec.place.clone()).collect();
        let usable = |source: &KeySource| match source {
            KeySource::Fixed(set) => set.is_usable(),
            KeySource::Fetched(_) => true,
        };
        // A policy that accepts no tokens may have no sources.
        if !sources.is_empty() && !sources.iter().any(usable) {
            // Such a source is a single key: a set without a usable key was refused.
            let fixed = fixed(&sources).zip(&places);
            let skipped = fixed.flat_map(|(set, place)| {
                set.skipped()
                    .map(move |(_, _, why)| (place.clone(), why.to_owned()))
            });
            let why = prepare::reasons(skipped);
            return Err(Error::new(Code::KeyInvalid).with_detail(format!("no usable key{why}")));
        }
        warnings.append(&mut found);
        let crowd = crowd::warning(rule.kid, fixed(&sources));
        warnings.extend(crowd.map(|why| Warning::new(Rule::TooManyKeys, &rule.place, why)));
        let kid = rule.kid;
        let issuers = rule.sources.iter().map(|spec| spec.issuers.clone()).collect();
        Ok(KeyStore {
            sources,
            issuers,
            place: rule.place.clone(),
            places,
            kid,
        })
    }

    /// The issuers of each source, in order. Their addresses identify the sources of [`Cached::sets`].
    pub(crate) fn issuers(&self) -> &[KeyIssuers] {
        &self.issuers
    }

    /// The path of a source in the configuration. It is found by the address of its issuers.
    pub(crate) fn place(&self, issuers: usize) -> Option<&str> {
        let is_it = |known: &KeyIssuers| std::ptr::from_ref(known).addr() == issuers;
        let at = self.issuers.iter().position(is_it)?;
        self.places.get(at).map(String::as_str)
    }

    /// Whether no source fetches its keys.
    pub(crate) fn is_fixed(&self) -> bool {
        fetching(&self.sources).next().is_none()
    }

    /// Returns the cached keys. `after` is what was fetched for this decision.
    pub(crate) fn cached<'k>(&'k self, after: Option<&'k Errand>) -> Cached<'k> {
        let mut views = fetching(&self.sources).map(|source| {
            let since = after
                .and_then(|after| after.fetch_of(source))
                .map(|fetch| fetch.since);
            source.view(since)
        });
        let fetched = Views {
            first: views.next(),
            rest: views.collect(),
        };
        Cached {
            sources: &self.sources,
            issuers: &self.issuers,
            fetched,
            after,
            kid: self.kid,
        }
    }

    /// The set of each source, in the order of the policy. `None`: the source fetches its keys.
    pub(crate) fn fixed_sets(&self) -> impl Iterator<Item = Option<&KeySet>> {
        self.sources.iter().map(|source| match source {
            KeySource::Fixed(set) => Some(set),
            KeySource::Fetched(_) => None,
        })
    }

    /// The errand that fetches from every source that fetches its keys.
    pub(crate) fn refresh(&self) -> Errand {
        let fetches =
            fetching(&self.sources).map(|source| KeyFetch::new(source, source.last_begun(), Reason::Forced));
        Errand::new(fetches.collect(), None)
    }

    /// The state of every source, in the order of the policy.
    pub(crate) fn status(&self) -> Vec<SourceStatus> {
        let cached = self.cached(None);
        let crowd = crowd::warning(self.kid, cached.sets().map(|(_, set)| set))
            .map(|why| Warning::new(Rule::TooManyKeys, &self.place, why));
        let sources = self.sources.iter().zip(&self.places);
        sources
            .map(|(source, place)| {
                let (state, keys, fetching) = match source {
                    KeySource::Fixed(set) => (SourceState::Fixed, Keys::of(set), None),
                    KeySource::Fetched(source) => {
                        let (state, keys, mut status) = source.status();
                        if keys.count > 0 {
                            status.warnings.extend(crowd.clone());
                        }
                        (state, keys, Some(status))
                    }
                };
                SourceStatus {
                    source: place.clone(),
                    state,
                    keys: keys.count,
                    kids: keys.kids,
                    skipped: keys.skipped,
                    skipped_count: keys.skipped_count,
                    fetching,
                }
            })
            .collect()
    }
}

impl<'k> Cached<'k> {
    /// The key sets that can be used, in the order of the policy, each with the issuers whose tokens its keys may sign.
    pub(crate) fn sets(&self) -> impl Iterator<Item = (&'k KeyIssuers, &KeySet)> {
        let mut fetched = self.fetched.iter();
        let sources = self.sources.iter().zip(self.issuers);
        sources.filter_map(move |(source, issuers)| match source {
            KeySource::Fixed(set) => Some((issuers, set)),
            KeySource::Fetched(_) => Some((issuers, fetched.next()?.keys()?)),
        })
    }

    /// Returns the sets of the sources that fetch their keys. `None` if the next decision could depend on more than these
    /// sets: on an earlier source that has no keys yet.
    pub(crate) fn sets_in_use(&self) -> Option<SetsInUse> {
        let sets: Vec<_> = self.fetched.iter().map(|view| view.set().cloned()).collect();
        let lacks = self.kid == KidRule::Required && sets.iter().any(Option::is_none);
        (!lacks).then_some(SetsInUse(sets))
    }

    /// Whether exactly these sets can be used now.
    pub(crate) fn has(&self, sets: &SetsInUse) -> bool {
        let mut sets = sets.0.iter();
        let same = |view: &View| match (view.set(), sets.next()) {
            (Some(now), Some(Some(then))) => Arc::ptr_eq(now, then),
            (None, Some(None)) => true,
            (Some(_), Some(None)) | (None, Some(Some(_))) | (_, None) => false,
        };
        self.fetched.iter().all(same)
    }

    /// How a decision continues if only the first source that has this `kid` decides, and an earlier source without
    /// cached keys might have it too. `None` if every earlier source has keys or cannot be fetched from.
    pub(crate) fn before_name(&self, kid: &str, cached_only: bool) -> Option<BeforeName> {
        let names = |set: &KeySet| set.named(kid).next().is_some();
        let mut fetching = self.fetching();
        let mut fetches = Vec::new();
        for source in self.sources {
            match source {
                KeySource::Fixed(set) if names(set) => break,
                KeySource::Fixed(_) => {}
                KeySource::Fetched(_) => {
                    let (source, view) = fetching.next()?;
                    match view.keys() {
                        Some(set) if names(set) => break,
                        Some(_) => {}
                        None if source.is_outdated(view) => return Some(BeforeName::Retry),
                        None => {
                            let earlier = self.after.and_then(|after| after.fetch_of(source));
                            match source.refusal(earlier.map(|fetch| fetch.since)) {
                                Some(_) => {}
                                None if cached_only => {
                                    return Some(BeforeName::Unavailable(source.not_cached()));
                                }
                                None => {
                                    fetches.push(KeyFetch::new(source, view.last_ended, Reason::NotCached));
                                }
                            }
                        }
                    }
                }
            }
        }
        (!fetches.is_empty()).then(|| BeforeName::Fetch(Errand::new(fetches, self.after)))
    }

    /// How a decision continues if these keys allow it to be made, whatever its outcome. The keys may be due for a
    /// refresh.
    pub(crate) fn after_hit(&self, cached_only: bool) -> Next {
        // Nearly every decision ends here.
        if self.fetched.iter().all(View::is_fresh) {
            return Next::Decide;
        }
        if !cached_only {
            let fetches: Vec<KeyFetch> = self
                .fetching()
                .filter_map(|(source, view)| self.refresh(source, view))
                .collect();
            if !fetches.is_empty() {
                return Next::Fetch(Errand::new(fetches, self.after));
            }
        }
        self.used();
        Next::Decide
    }

    /// How a decision continues if these keys do not verify the token. `unknown_kid` is its `kid`, if no key has it.
    ///
    /// One errand fetches from every source that could change the outcome: those without keys, and those whose set
    /// may be outdated.
    pub(crate) fn after_miss(&self, unknown_kid: Option<&str>, cached_only: bool) -> Next {
        let next = self.newer(|_| true, unknown_kid, cached_only);
        if !matches!(next, Next::Retry | Next::Fetch(_)) {
            self.used();
        }
        next
    }

    /// How a decision continues if these keys verify the token, but only keys that must not sign for its issuer do.
    ///
    /// As after a miss, but only the sources that `may_sign` for the issuer count.
    pub(crate) fn after_another_issuer(
        &self,
        may_sign: impl Fn(&KeyIssuers) -> bool,
        cached_only: bool,
    ) -> Next {
        self.newer(may_sign, None, cached_only)
    }

    fn newer(
        &self,
        counts: impl Fn(&KeyIssuers) -> bool,
        unknown_kid: Option<&str>,
        cached_only: bool,
    ) -> Next {
        let counting = || {
            let issuers = self.sources.iter().zip(self.issuers);
            let issuers = issuers.filter(|(source, _)| matches!(source, KeySource::Fetched(_)));
            let fetching = self.fetching().zip(issuers);
            fetching.filter_map(|(fetching, (_, issuers))| counts(issuers).then_some(fetching))
        };
        if counting().any(|(source, view)| source.is_outdated(view)) {
            return Next::Retry;
        }
        let (mut fetches, mut unavailable, mut failure) = (Vec::new(), None, None);
        for (source, view) in counting() {
            let earlier = self.after.and_then(|after| after.fetch_of(source));
            let wanted = |reason| KeyFetch::new(source, view.last_ended, reason);
            if view.keys().is_none() {
                match source.refusal(earlier.map(|fetch| fetch.since)) {
                    Some(why) => unavailable = Some(why),
                    None if cached_only => unavailable = Some(source.not_cached()),
                    None => fetches.push(wanted(Reason::NotCached)),
                }
                continue;
            }
            if unknown_kid.is_some() && self.after.is_none() {
                source.count_unknown_kid();
            }
            let miss = match earlier {
                None => source.miss(unknown_kid),
                Some(fetch) if fetch.reason == Reason::Miss => {
                    source.miss_again(view, unknown_kid, fetch.since)
                }
                Some(_) => Miss::Final,
            };
            match miss {
                Miss::Fetch if cached_only => unavailable = Some(source.not_cached()),
                Miss::Fetch => fetches.push(wanted(Reason::Miss)),
                Miss::Failed(why) => failure = Some(why),
                Miss::Final if cached_only => {}
                Miss::Final => fetches.extend(self.refresh(source, view)),
            }
        }
        if !fetches.is_empty() {
            return Next::Fetch(Errand::new(fetches, self.after));
        }
        match (unavailable, failure) {
            (Some(why), _) => Next::Unavailable(why),
            (None, Some(why)) => Next::DecideWithout(why),
            (None, None) => Next::Decide,
        }
    }

    fn refresh(&self, source: &Arc<RemoteSource>, view: &View) -> Option<KeyFetch> {
        let is_made = self.after.is_some_and(|after| after.fetch_of(source).is_some());
        if is_made || !source.refresh(view) {
            return None;
        }
        let reason = if source.caching_is_disabled() {
            Reason::NotCached
        } else {
            Reason::Refresh
        };
        Some(KeyFetch::new(source, view.last_ended, reason))
    }

    fn used(&self) {
        for (source, view) in self.fetching() {
            source.used(view);
        }
    }

    fn fetching(&self) -> impl Iterator<Item = (&Arc<RemoteSource>, &View)> {
        fetching(self.sources).zip(self.fetched.iter())
    }
}

impl Views {
    fn iter(&self) -> impl Iterator<Item = &View> {
        self.first.iter().chain(&self.rest)
    }
}

fn fixed(sources: &[KeySource]) -> impl Iterator<Item = &KeySet> {
    sources.iter().filter_map(|source| match source {
        KeySource::Fixed(set) => Some(set),
        KeySource::Fetched(_) => None,
    })
}

fn fetching(sources: &[KeySource]) -> impl Iterator<Item = &Arc<RemoteSource>> {
    sources.iter().filter_map(|source| match source {
        KeySource::Fixed(_) => None,
        KeySource::Fetched(source) => Some(source),
    })
}

#[cfg(test)]
mod tests;
