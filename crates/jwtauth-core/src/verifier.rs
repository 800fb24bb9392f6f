//! The decision itself: [`Verifier::authenticate`] is the program's table of contents.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::{Clock, Monotonic};
use crate::error::{Class, Code, Error, Result};
use crate::grant::Grant;
use crate::keys::secret_algorithms;
use crate::pipeline::decode::UnverifiedToken;
use crate::pipeline::{decide, decode, extract, identity, issue, select_key, signature, validate};
use crate::policy::{Policy, Profile};
use crate::request::Request;
use crate::sources::fetch::Fetch;
use crate::sources::status::SourceStatus;
use crate::sources::{Environment, KeyStore, Now, Others, Reach, fetches_ended};

/// Decides requests by one policy. Immutable; any number of threads may use one at once.
#[derive(Debug)]
pub struct Verifier {
    policy: Policy,
    keys: KeyStore,
    clock: Clock,
}

/// Builds a [`Verifier`] from a policy.
#[derive(Debug)]
pub struct VerifierBuilder {
    policy: Policy,
    clock: Clock,
    monotonic: Monotonic,
    base_dir: PathBuf,
    fetch: Option<Arc<dyn Fetch>>,
}

impl Verifier {
    /// Builds a verifier from a configuration, as `docs/wire-format.md` describes it.
    ///
    /// Reads files and parses everything that can be parsed; opens no connection.
    ///
    /// # Errors
    /// The codes of class [`Config`](crate::Class::Config).
    pub fn from_json(config: &str) -> Result<Verifier> {
        crate::wire::verifier(config)
    }

    /// Starts from a policy made in code.
    pub fn builder(policy: Policy) -> VerifierBuilder {
        VerifierBuilder {
            policy,
            clock: Clock::System,
            monotonic: Monotonic::default(),
            base_dir: PathBuf::new(),
            fetch: None,
        }
    }

    /// Decides one request. A returned [`Grant`] is the only way in.
    ///
    /// # Errors
    /// The codes of class [`Denied`](crate::Class::Denied) and [`Unavailable`](crate::Class::Unavailable).
    pub fn authenticate(&self, request: &Request<'_>) -> Result<Grant> {
        let reach = if request.cached_only {
            Reach::Cache
        } else {
            Reach::Network
        };
        self.decide(request, reach)
            .map_err(|error| self.policy.describe(error))
    }

    /// Decides one request at once, or says with `None` that keys should be fetched first, also ahead of their time.
    ///
    /// For hosts with a thread that must not wait: it calls this, and where that gives `None` another thread calls
    /// [`authenticate`](Verifier::authenticate).
    pub fn authenticate_now(&self, request: &Request<'_>) -> Option<Result<Grant>> {
        self.authenticate_beside(request, Others::default())
    }

    /// The same for a host whose calls wait for each other rather than each on a thread of its own.
    pub fn authenticate_beside(&self, request: &Request<'_>, others: Others) -> Option<Result<Grant>> {
        if request.cached_only {
            return Some(self.authenticate(request));
        }
        let now = Now::beside(others);
        let decided = self.decide(request, Reach::Now(&now));
        (!now.is_due()).then(|| decided.map_err(|error| self.policy.describe(error)))
    }

    /// How many fetches have ended, well or not: what [`Others::since`] is measured by.
    pub fn fetches_ended(&self) -> u64 {
        fetches_ended()
    }

    /// Asks every key source for its keys now; [`key_status`](Verifier::key_status) tells how it went with each.
    ///
    /// # Errors
    /// The codes of class [`Unavailable`](crate::Class::Unavailable), for the first source that failed; never with
    /// keys that stand in the configuration or in files.
    pub fn refresh_keys(&self) -> Result<()> {
        self.keys.refresh()
    }

    /// How every key source is, in the order of the policy. Fetches nothing.
    pub fn key_status(&self) -> Vec<SourceStatus> {
        self.keys.status()
    }

    /// Whether deciding this request takes a few microseconds at most: nothing is fetched, nothing but an HMAC is ever
    /// computed, and there is little to read.
    ///
    /// For hosts that let go of a lock during a decision (an interpreter's, say): here handing it over costs more.
    pub fn is_brief(&self, request: &Request<'_>) -> bool {
        let others = self.policy.keys.algorithms.without(secret_algorithms());
        others.is_empty() && self.keys.is_fixed() && request.bytes() <= BRIEF
    }

    /// What this verifier decides by.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    fn decide(&self, request: &Request<'_>, reach: Reach<'_>) -> Result<Grant> {
        let policy = &self.policy;
        let profile = policy.profile_for(request)?;
        let now = self.clock.now();

        let raw = extract::token(request, &policy.extract)?;
        extract::address(request, &profile.bound_cidrs)?;
        let mut token = decode::compact(&raw, &policy.decode)?;
        let algorithm = select_key::algorithm(token.header(), policy.keys.algorithms)?;
        let named = select_key::name(token.header(), policy.keys.kid);
        let verified = named.and_then(|()| {
            self.keys.attempt(reach, |keys| {
                let keys = select_key::candidates(token.header(), algorithm, keys)?;
                signature::verify(&mut token, &keys)
            })
        });
        let token = verified.map_err(|why| policy.shape_first(why, &token, profile))?;
        let claims = validate::claims(&token, &profile.claims, now)?;
        let org = extract::requested_org(request, &policy.extract);
        let identity = identity::map(&claims, &profile.identity, org)?;
        let decision = decide::entitlements(&identity, &claims, &profile.rules)?;
        identity::require_name(&identity, &profile.identity)?;
        let cleaned_url = extract::cleaned_url(request, &policy.extract);
        Ok(issue::grant(token, identity, decision, profile, cleaned_url))
    }
}

impl VerifierBuilder {
    /// Where the time comes from; the system's clock, if nothing else is said.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> VerifierBuilder {
        self.clock = clock;
        self
    }

    /// By which clock fetched keys age.
    #[must_use]
    pub fn monotonic(mut self, clock: Monotonic) -> VerifierBuilder {
        self.monotonic = clock;
        self
    }

    /// What relative paths in the policy are relative to; the working directory, if nothing else is said.
    #[must_use]
    pub fn base_dir(mut self, directory: impl AsRef<Path>) -> VerifierBuilder {
        self.base_dir = directory.as_ref().to_owned();
        self
    }

    /// What fetches keys over HTTP in place of the library's own client.
    #[must_use]
    pub fn fetch(mut self, fetch: Arc<dyn Fetch>) -> VerifierBuilder {
        self.fetch = Some(fetch);
        self
    }

    /// Reads and prepares every key that is not fetched.
    ///
    /// # Errors
    /// [`Code::KeyInvalid`], [`Code::ConfigInvalid`].
    pub fn build(mut self) -> Result<Verifier> {
        let host = Environment {
            base_dir: &self.base_dir,
            fetch: self.fetch.as_ref(),
            clock: &self.monotonic,
        };
        let keys = KeyStore::open(&self.policy.keys, host, &mut self.policy.warnings)?;
        Ok(Verifier {
            policy: self.policy,
            keys,
            clock: self.clock,
        })
    }
}

impl Policy {
    /// The profile that a request is decided under.
    ///
    /// # Errors
    /// [`Code::ProfileUnknown`], [`Code::ProfileMissing`], [`Code::ProfileClosed`].
    fn profile_for(&self, request: &Request<'_>) -> Result<&Profile> {
        let profiles = &self.profiles;
        let named = |name: &str| {
            let found = if profiles.ignore_case {
                profiles.named.get(&name.to_lowercase())
            } else {
                profiles.named.get(name)
            };
            found.ok_or_else(|| Error::from(Code::ProfileUnknown))
        };
        let profile = match (
            request.profile.filter(|name| !name.is_empty()),
            &profiles.top,
            &profiles.default,
        ) {
            (Some(name), _, _) => named(name)?,
            (None, Some(top), _) => top,
            (None, None, Some(default)) => named(default)?,
            (None, None, None) => return Err(Code::ProfileMissing.into()),
        };
        match &profile.closed {
            None => Ok(profile),
            Some(why) => Err(Error::new(Code::ProfileClosed).with_detail(why)),
        }
    }

    /// A system that has a next authenticator to ask looks at the shape of a token before it looks for a key.
    fn shape_first(&self, why: Error, token: &UnverifiedToken<'_>, profile: &Profile) -> Error {
        let looks = self.not_applicable.claims_shape || self.not_applicable.subject;
        let later = matches!(why.code(), Code::KeyNotFound | Code::SignatureInvalid)
            || why.class() == Class::Unavailable;
        if !looks || !later {
            return why;
        }
        validate::shape(token, &profile.claims).err().unwrap_or(why)
    }

    /// Gives a denial what the configured system would say about it.
    fn describe(&self, error: Error) -> Error {
        let error = if self.not_applicable.covers(&error) {
            error.not_applicable()
        } else {
            error
        };
        self.responses.with_response(error)
    }
}

const BRIEF: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::{BRIEF, Verifier};
    use crate::request::Request;

    #[test]
    fn only_small_requests_for_secrets_are_brief() {
        let verifier = |algorithms: &str| {
            let secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
            let config = format!(
                r#"{{"dialect":"native","config":{{"keys":[{{"secret":"{secret}"}}],"algorithms":{algorithms}}}}}"#
            );
            Verifier::from_json(&config).unwrap()
        };
        let large = "x".repeat(BRIEF);
        let small = Request::bearer("a.b.c");
        assert!(verifier(r#"["HS256"]"#).is_brief(&small));
        assert!(!verifier(r#"["HS256","ES256"]"#).is_brief(&small));
        for request in [
            Request::bearer("a.b.c").url(&large),
            Request::headers([("accept", large.as_str())]),
            Request::bearer("a.b.c").token(&large).url("/"),
        ] {
            assert!(!verifier(r#"["HS256"]"#).is_brief(&request));
        }
    }
}
