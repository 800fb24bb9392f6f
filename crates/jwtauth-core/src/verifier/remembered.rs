//! Grants that a verifier remembers, if the option `token_cache` is set.

use std::sync::Arc;

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
use crate::token_cache::{Conditions, Granted, Kept, Question, TokenCache, TokenCacheStatus};

impl Verifier {
    /// The state of the token cache. `None` if the option `token_cache` is not set.
    pub fn token_cache_status(&self) -> Option<TokenCacheStatus> {
        self.token_cache.as_deref().map(TokenCache::status)
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

    /// What `make` makes from the remembered grant for a request. A step after a fetch is for a request without one.
    #[inline]
    pub(super) fn remembered<T>(
        &self,
        cache: Option<&TokenCache>,
        question: Question<'_>,
        request: &Request<'_>,
        after: Option<&Errand>,
        now: NumericDate,
        make: impl Fn(Granted<'_>) -> T,
    ) -> Option<T> {
        let cache = cache.filter(|_| after.is_none())?;
        cache.find(question, request, &self.keys, now, |kept| {
            make(lent(kept, extract::cleaned_url(request, &self.policy.extract)))
        })
    }

    /// The conditions under which a grant for these claims may be used again.
    pub(super) fn conditions<'p>(claims: &ValidClaims<'_>, profile: &'p Profile) -> Option<Conditions<'p>> {
        Some(Conditions {
            times: claims.time_checks(&profile.claims)?,
            networks: &profile.bound_cidrs,
        })
    }

    /// Returns what `make` makes from a grant, and remembers the grant.
    #[inline]
    pub(super) fn remember<T>(
        &self,
        question: Question<'_>,
        mut grant: Grant,
        conditions: Option<Conditions<'_>>,
        cached: &Cached<'_>,
        now: NumericDate,
        make: impl Fn(Granted<'_>) -> T,
    ) -> T {
        let (Some(cache), Some(conditions)) = (&self.token_cache, conditions) else {
            return make(Granted::New(grant));
        };
        let cleaned_url = grant.cleaned_url.take();
        let kept = TokenCache::keep(grant);
        let made = make(lent(&kept, cleaned_url));
        cache.insert(question, kept, conditions, cached, now);
        made
    }
}

/// A remembered grant, for a request with this cleaned URL.
fn lent(kept: &Arc<Kept>, cleaned_url: Option<String>) -> Granted<'_> {
    match cleaned_url {
        None => Granted::Kept(kept),
        cleaned_url => Granted::New(Grant {
            cleaned_url,
            ..kept.grant().clone()
        }),
    }
}
