//! The stages in which a request becomes a grant, one file each. The input of a stage can only be made by the stage
//! before it. [`profile`] selects the profile that decides: the request names it, or the issuer of the verified token.
//! Every stage reports its checks to a [`watch`]. After a denial, [`inform`] makes the remaining ones for an explanation.
//!
//! | stage | reads | makes | never |
//! |---|---|---|---|
//! | [`extract`] | request, extract rule, bound networks | the raw token | reads the token |
//! | [`decode`] | the raw token | [`UnverifiedToken`](decode::UnverifiedToken): header readable, payload opaque | trusts `jku`, `jwk`, `x5u`, `x5c` |
//! | [`select_key`] | `alg`, `kid`, the key sets | [`Candidates`](select_key::Candidates) | tries another algorithm |
//! | [`signature`] | signing input, candidates | [`VerifiedToken`](signature::VerifiedToken), with the sources whose keys verified it | reads a claim |
//! | [`validate`] | claims, clock | [`ValidClaims`](validate::ValidClaims) | maps or renames |
//! | [`identity`] | valid claims | [`Identity`](crate::grant::Identity) | denies for reasons of policy |
//! | [`decide`] | identity, claims | [`Decision`](decide::Decision) | computes identity |
//! | [`issue`] | all of the above | [`Grant`](crate::grant::Grant) | fails |

pub(crate) mod decide;
pub(crate) mod decode;
pub(crate) mod extract;
pub(crate) mod identity;
pub(crate) mod inform;
pub(crate) mod issue;
pub(crate) mod notes;
pub(crate) mod part;
pub(crate) mod parts;
pub(crate) mod profile;
pub(crate) mod seen;
pub(crate) mod select_key;
pub(crate) mod signature;
pub(crate) mod validate;
pub(crate) mod watch;
