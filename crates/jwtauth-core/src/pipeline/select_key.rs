//! Header and key sets → candidate keys.

use crate::error::{Code, Error, Result};
use crate::keys::{Algorithm, Algorithms, Key, KeySet, PreparedKey};
use crate::pipeline::decode::Header;
use crate::policy::KidRule;

/// The keys that may have signed a token, made ready for its algorithm.
#[derive(Debug)]
pub(crate) struct Candidates<'k> {
    // One candidate is the rule, and then nothing is allocated.
    first: &'k PreparedKey,
    others: Vec<&'k PreparedKey>,
}

impl<'k> Candidates<'k> {
    /// The keys to try, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'k PreparedKey> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

/// The algorithm of a header, when it is allowed. It is looked at before any key, so that a token which nobody could
/// accept has no key fetched for it.
///
/// # Errors
/// [`Code::AlgorithmNotAllowed`].
pub(crate) fn algorithm(header: &Header, allowed: Algorithms) -> Result<Algorithm> {
    // The policy decides which algorithms there are; the header only chooses among them (RFC 8725 §3.1).
    let algorithm = header.algorithm.filter(|algorithm| allowed.contains(*algorithm));
    algorithm.ok_or_else(|| {
        let names: Vec<&str> = allowed.iter().map(|algorithm| algorithm.as_str()).collect();
        Error::new(Code::AlgorithmNotAllowed).with_detail(format!("allowed: {}", names.join(", ")))
    })
}

/// Looks whether a token that must name its key does, also before any key: no key could help one that does not.
///
/// # Errors
/// [`Code::KeyNotFound`].
pub(crate) fn name(header: &Header, rule: KidRule) -> Result<()> {
    let named = header.kid.as_deref().is_some_and(|kid| !kid.is_empty());
    if rule == KidRule::Required && !named {
        return Err(Error::new(Code::KeyNotFound).with_detail("the token has no `kid`"));
    }
    Ok(())
}

/// Finds the keys that the policy allows for a header and that can be used with its algorithm.
pub(crate) fn candidates<'k>(
    header: &Header,
    algorithm: Algorithm,
    rule: KidRule,
    sets: impl Iterator<Item = &'k KeySet>,
) -> Selection<'k> {
    let kid = header.kid.as_deref().filter(|kid| !kid.is_empty());
    let (mut is_known, mut first, mut others) = (false, None, Vec::new());
    select(kid, rule, sets, |key| {
        is_known = true;
        if let Some(prepared) = key.prepared_for(algorithm) {
            match first {
                None => first = Some(prepared),
                Some(_) => others.push(prepared),
            }
        }
    });
    match first {
        Some(first) => Selection::Candidates(Candidates { first, others }),
        None if is_known => Selection::Unfit,
        None => Selection::Unknown,
    }
}

/// Passes on the keys that a `kid` selects, in order (RFC 7515 §4.1.4).
fn select<'k>(
    kid: Option<&str>,
    rule: KidRule,
    sets: impl Iterator<Item = &'k KeySet>,
    mut take: impl FnMut(&'k Key),
) {
    for set in sets {
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
            // [`name`] has denied such a token.
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

/// What the key sets have for a header.
#[derive(Debug)]
pub(crate) enum Selection<'k> {
    /// Keys that may have signed the token.
    Candidates(Candidates<'k>),
    /// Keys that the `kid` selects, none of which can be used with the algorithm.
    Unfit,
    /// No key that the `kid` selects.
    Unknown,
}

impl<'k> Selection<'k> {
    /// The candidates.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`].
    pub(crate) fn candidates(self, algorithm: Algorithm) -> Result<Candidates<'k>> {
        let why = match self {
            Selection::Candidates(candidates) => return Ok(candidates),
            Selection::Unfit => format!("the matching key cannot be used with {algorithm}"),
            Selection::Unknown => "no key matches the token's `kid`".to_owned(),
        };
        Err(Error::new(Code::KeyNotFound).with_detail(why))
    }
}

#[cfg(test)]
mod tests;
