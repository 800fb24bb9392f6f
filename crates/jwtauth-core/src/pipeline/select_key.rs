//! Stage select key: header and key sets → candidate keys.

use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::keys::{Algorithm, Algorithms, Key, KeySet, MAX_CANDIDATES, PreparedKey};
use crate::pipeline::decode::Header;
use crate::pipeline::watch::{Check, Event, Seen, Watch};
use crate::policy::{KeyIssuers, KidRule};

/// The keys that may have signed a token, prepared for its algorithm.
#[derive(Debug)]
pub(crate) struct Candidates<'c, 'k> {
    // Usually there is one candidate; then nothing is allocated.
    first: Candidate<'c, 'k>,
    others: Vec<Candidate<'c, 'k>>,
    /// Whether more keys fit than are tried.
    pub(super) has_more: bool,
    /// Why a key with the token's `kid` is skipped, if one is.
    pub(super) skipped: Option<&'c str>,
}

impl<'c, 'k> Candidates<'c, 'k> {
    /// The keys to try, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Candidate<'c, 'k>> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

/// A key that may have signed a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'c, 'k> {
    pub(super) key: &'c PreparedKey,
    /// The issuers whose tokens the keys of its source may sign.
    pub(super) issuers: &'k KeyIssuers,
    /// The issuer that the key names for itself, if it signs only for that one.
    pub(super) own_issuer: Option<&'c Arc<str>>,
}

/// Returns the algorithm of a header if it is allowed. It is checked before key lookup, so that a token that can
/// never be accepted causes no fetch.
///
/// # Errors
/// [`Code::AlgorithmNotAllowed`].
pub(crate) fn algorithm(header: &Header, allowed: Algorithms, watch: &mut impl Watch) -> Result<Algorithm> {
    // The policy decides which algorithms are allowed; the header only chooses among them (RFC 8725 §3.1).
    let algorithm = header.algorithm.filter(|algorithm| allowed.contains(*algorithm));
    let algorithm = algorithm.ok_or_else(|| {
        let names: Vec<&str> = allowed.iter().map(|algorithm| algorithm.as_str()).collect();
        Error::new(Code::AlgorithmNotAllowed).with_detail(format!("allowed: {}", names.join(", ")))
    });
    watch.saw(|| {
        let event = Event::of(Check::Algorithm, &algorithm);
        match (&algorithm, header.algorithm) {
            (Ok(used), _) => event.note(format!("{used} is allowed")),
            (Err(why), Some(named)) => event.note(format!("the token names {named}: {why}")),
            (Err(why), None) => event.note(format!("the token names an unknown algorithm: {why}")),
        }
    });
    algorithm
}

/// Requires a `kid` if the policy does. It is checked before key lookup, so that a token without one causes no fetch.
///
/// # Errors
/// [`Code::KeyNotFound`].
pub(crate) fn name(header: &Header, rule: KidRule, watch: &mut impl Watch) -> Result<()> {
    let named = header.kid.as_deref().is_some_and(|kid| !kid.is_empty());
    let name = if rule == KidRule::Required && !named {
        Err(Error::new(Code::KeyNotFound).with_detail("the token has no `kid`"))
    } else {
        Ok(())
    };
    watch.saw(|| {
        let event = Event::of(Check::KeyId, &name).if_applicable(named);
        event.seen(Seen::text(header.kid.as_deref()))
    });
    name
}

/// Finds the keys that the policy allows for a header and that fit its algorithm.
pub(crate) fn candidates<'c, 'k>(
    header: &Header,
    algorithm: Algorithm,
    rule: KidRule,
    sets: impl Iterator<Item = (&'k KeyIssuers, &'c KeySet)>,
    watch: &mut impl Watch,
) -> Selection<'c, 'k> {
    let kid = header.kid.as_deref().filter(|kid| !kid.is_empty());
    let (mut is_known, mut first, mut others, mut has_more) = (false, None, Vec::new(), false);
    let mut skipped = Skipped::default();
    select(kid, rule, sets, watch, |watch, issuers, key| {
        is_known = true;
        skipped.note(key, kid);
        let prepared = key.prepared_for(algorithm);
        watch.selects(key, prepared.is_some());
        if let Some(prepared) = prepared {
            let candidate = Candidate {
                key: prepared,
                issuers,
                own_issuer: key.issuer.as_ref(),
            };
            match first {
                None => first = Some(candidate),
                Some(_) if others.len() + 1 < MAX_CANDIDATES => others.push(candidate),
                Some(_) => has_more = true,
            }
        }
    });
    match first {
        Some(first) => Selection::Candidates(Candidates {
            first,
            others,
            has_more,
            skipped: skipped.named,
        }),
        None if is_known => Selection::Unfit(skipped.reason()),
        None if kid.is_none() => Selection::Unnamed,
        None => Selection::Unknown,
    }
}

/// Why keys that a header selects are skipped.
#[derive(Default)]
struct Skipped<'c> {
    /// The reason of the first one with the token's `kid`.
    named: Option<&'c str>,
    /// The reason of the first one.
    first: Option<&'c str>,
    /// Whether a selected key can be used, with another algorithm perhaps.
    has_usable: bool,
}

impl<'c> Skipped<'c> {
    fn note(&mut self, key: &'c Key, kid: Option<&str>) {
        match key.skipped.as_deref() {
            None => self.has_usable = true,
            Some(why) => {
                self.first = self.first.or(Some(why));
                if kid.is_some() && key.kid.as_deref() == kid {
                    self.named = self.named.or(Some(why));
                }
            }
        }
    }

    /// The reason to give if no key fits. Without a name, any of the selected keys may be meant, so a skipped one is
    /// mentioned only if there are no others.
    fn reason(&self) -> Option<&'c str> {
        self.named.or(self.first.filter(|_| !self.has_usable))
    }
}

/// Passes the keys that a `kid` selects to `take`, in order (RFC 7515 §4.1.4).
fn select<'c, 'k, W: Watch>(
    kid: Option<&str>,
    rule: KidRule,
    sets: impl Iterator<Item = (&'k KeyIssuers, &'c KeySet)>,
    watch: &mut W,
    mut take_of: impl FnMut(&mut W, &'k KeyIssuers, &'c Key),
) {
    for (issuers, set) in sets {
        watch.offers(issuers, set);
        let mut take = |key| take_of(watch, issuers, key);
        match (rule, kid) {
            (KidRule::Ignore, _) | (KidRule::Hint | KidRule::Match, None) => set.all().for_each(&mut take),
            (KidRule::Hint, Some(kid)) => set.named(kid).chain(set.unnamed()).for_each(&mut take),
            (KidRule::Match | KidRule::Exact | KidRule::ExactOrOnly, Some(kid)) => {
                set.named(kid).for_each(&mut take);
            }
            (KidRule::Exact, None) => set.unnamed().for_each(&mut take),
            (KidRule::ExactOrOnly, None) => match set.only() {
                Some(key) => take(key),
                None => set.unnamed().for_each(&mut take),
            },
            // [`name`] has already denied such a token.
            (KidRule::Required, None) => {}
            (KidRule::Required, Some(kid)) => {
                let mut named = set.named(kid).peekable();
                if named.peek().is_some() {
                    named.for_each(&mut take);
                    return;
                }
            }
        }
    }
}

/// The keys that the key sets have for a header.
#[derive(Debug)]
pub(crate) enum Selection<'c, 'k> {
    /// The keys that may have signed the token.
    Candidates(Candidates<'c, 'k>),
    /// The `kid` selects keys, but none of them fits the algorithm. If the key is skipped, the reason.
    Unfit(Option<&'c str>),
    /// The token has no `kid`, and its key is selected by name.
    Unnamed,
    /// The `kid` selects no key.
    Unknown,
}

impl<'c, 'k> Selection<'c, 'k> {
    /// The candidates.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`].
    pub(crate) fn candidates(self, algorithm: Algorithm) -> Result<Candidates<'c, 'k>> {
        let why = match self {
            Selection::Candidates(candidates) => return Ok(candidates),
            Selection::Unfit(Some(why)) => format!("the matching key is skipped: {why}"),
            Selection::Unfit(None) => format!("the matching key cannot be used with {algorithm}"),
            Selection::Unnamed => {
                "the token has no `kid`, and no key can be used for a token without one".to_owned()
            }
            Selection::Unknown => "no key matches the token's `kid`".to_owned(),
        };
        Err(Error::new(Code::KeyNotFound).with_detail(why))
    }
}

#[cfg(test)]
mod tests;
