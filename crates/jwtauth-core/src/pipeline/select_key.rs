//! Header and key sets → candidate keys.

use crate::error::{Code, Error, Result};
use crate::keys::{Algorithm, Algorithms, PreparedKey};
use crate::pipeline::decode::Header;
use crate::policy::KidRule;
use crate::sources::{Current, Selection};

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
        return Err(Error::new(Code::KeyNotFound).with_detail("the token does not name its key (`kid`)"));
    }
    Ok(())
}

/// Finds the keys that answer to a header and can be used with its algorithm.
///
/// # Errors
/// [`Code::KeyNotFound`].
pub(crate) fn candidates<'k>(
    header: &Header,
    algorithm: Algorithm,
    current: &'k Current<'_>,
) -> Result<Candidates<'k>> {
    let mut first = None;
    let mut others = Vec::new();
    let selection = current.select(header.kid.as_deref(), |key| {
        if let Some(prepared) = key.prepared_for(algorithm) {
            match first {
                None => first = Some(prepared),
                Some(_) => others.push(prepared),
            }
        }
    });
    first.map(|first| Candidates { first, others }).ok_or_else(|| {
        Error::new(Code::KeyNotFound).with_detail(match selection {
            Selection::Unknown => "no key has the name that the token gives (`kid`)".to_owned(),
            Selection::Answered => format!("the key that answers cannot be used with {algorithm}"),
        })
    })
}
