//! How does a request become a grant?
//!
//! Eight stages, one file each; every stage's input can only be made by the stage before it.
//!
//! | stage | may look at | makes | never does |
//! |---|---|---|---|
//! | [`extract`] | request, extract rule, bound networks | the raw token | inspect the token |
//! | [`decode`] | the raw token | [`UnverifiedToken`](decode::UnverifiedToken): header readable, payload opaque | trust `jku`, `jwk`, `x5u`, `x5c` |
//! | [`select_key`] | `alg`, `kid`, the key sets | [`Candidates`](select_key::Candidates) | fall back to another algorithm |
//! | [`signature`] | signing input, candidates | [`VerifiedToken`](signature::VerifiedToken) | read a claim |
//! | [`validate`] | claims, clock | [`ValidClaims`](validate::ValidClaims) | map or rename anything |
//! | [`identity`] | valid claims | [`Identity`](crate::grant::Identity) | deny for policy reasons |
//! | [`decide`] | identity, claims | [`Decision`](decide::Decision) | compute identity |
//! | [`issue`] | all of the above | [`Grant`](crate::grant::Grant) | fail |

pub(crate) mod decide;
pub(crate) mod decode;
pub(crate) mod extract;
pub(crate) mod identity;
pub(crate) mod issue;
pub(crate) mod select_key;
pub(crate) mod signature;
pub(crate) mod validate;
