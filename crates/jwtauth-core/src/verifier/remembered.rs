//! Grants that a verifier remembers, if the option `token_cache` is set.

use super::Verifier;
use crate::claims::NumericDate;
use crate::clock::Clock;
use crate::grant::Grant;
use crate::pipeline::extract;
use crate::pipeline::validate::ValidClaims;
use crate::policy::Profile;
use crate::request::Request;
use crate::sources::Cached;
use crate::sources::errand::Errand;
use crate::token_cache::{Conditions, Question, TokenCache, TokenCacheStatus};

impl Verifier {
    /// The state of the token cache. `None` if the option `token_cache` is not set.
    pub fn token_cache_status(&self) -> Option<TokenCacheStatus> {
        self.token_cache.as_ref().map(TokenCache::status)
    }

    /// Sets the source of the time, for tests.
    #[doc(hidden)]
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// What the grant of a request with this token depends on.
    pub(super) fn question<'r>(&self, token: &'r str, request: &Request<'r>) -> Question<'r> {
        Question {
            token,
            profile: request.profile,
            requested_org: extract::requested_org(request, &self.policy.extract),
        }
    }

    // Inlined, because each call would move the grant once more.
    /// The remembered grant for a request. A step after a fetch is for a request without one.
    #[inline]
    pub(super) fn remembered(
        &self,
        cache: Option<&TokenCache>,
        question: Question<'_>,
        request: &Request<'_>,
        after: Option<&Errand>,
        now: NumericDate,
    ) -> Option<Grant> {
        let cache = cache.filter(|_| after.is_none())?;
        let mut grant = cache.find(question, request, &self.keys, now)?;
        grant.cleaned_url = extract::cleaned_url(request, &self.policy.extract);
        Some(grant)
    }

    /// The conditions under which a grant for these claims may be used again.
    pub(super) fn conditions<'p>(claims: &ValidClaims<'_>, profile: &'p Profile) -> Option<Conditions<'p>> {
        Some(Conditions {
            times: claims.time_checks(&profile.claims)?,
            networks: &profile.bound_cidrs,
        })
    }

    /// Remembers a grant.
    pub(super) fn remember(
        &self,
        question: Question<'_>,
        grant: &Grant,
        conditions: Option<Conditions<'_>>,
        cached: &Cached<'_>,
        now: NumericDate,
    ) {
        if let (Some(cache), Some(conditions)) = (&self.token_cache, conditions) {
            cache.insert(question, grant, conditions, cached, now);
        }
    }
}
