//! A dry run: what a token with certain claims would give, without a token.

use super::Verifier;
use super::claims::{self, Allowed};
use crate::claims::NumericDate;
use crate::error::{Code, Error, Result};
use crate::explain::{DryRun, Explain, Recorder, Sources};
use crate::grant::Grant;
use crate::pipeline::inform::{self, Denied};
use crate::pipeline::signature::VerifiedToken;
use crate::pipeline::watch::{Check, Event, Watch};
use crate::pipeline::{extract, issue, profile, validate};
use crate::request::Request;

impl Verifier {
    /// Tells what a token with these claims would give at this time, if a trusted key had signed it. The claims are JSON.
    ///
    /// There is no token: no key is used, no signature is checked and nothing is fetched. The request gives the profile,
    /// the caller's address and the organisation; a token in it is not read. Any configured key source may have signed the
    /// claims: the claim `iss` selects among those that name their issuers. `now` is the time of the verifier's clock if it
    /// is `None`.
    ///
    /// It is for the people who write configurations. What it returns is not a decision: a program must not
    /// give access because of it.
    pub fn dry_run(
        &self,
        claims: &str,
        request: &Request<'_>,
        now: Option<NumericDate>,
        explain: Explain,
    ) -> DryRun {
        let mut recorder = Recorder::new(&self.policy, explain);
        let now = now.unwrap_or_else(|| self.clock.now());
        let mut watch: &mut dyn Watch = &mut recorder;
        watch.starts(now);
        let would = self.would(claims, request, now, &mut watch);
        let would = would.map_err(|error| self.policy.describe(error));
        if would.is_err() {
            self.inform(claims, request, now, &mut watch);
        }
        recorder.finish(would, request, Sources::NONE).into()
    }

    /// Makes the checks that still make sense after a denial.
    fn inform(&self, claims: &str, request: &Request<'_>, now: NumericDate, watch: &mut impl Watch) {
        let denied = Denied {
            now,
            is_verified: true,
            is_of_its_issuer: None,
        };
        let policy = (&*self.policy, self.keys.issuers());
        let requested = profile::requested(request, &self.policy, &mut ());
        if let (Ok(requested), true) = (requested, self.fits(claims).is_ok()) {
            inform::claims(policy, request, (&requested, claims), denied, watch);
        }
    }

    fn would(
        &self,
        claims: &str,
        request: &Request<'_>,
        now: NumericDate,
        watch: &mut impl Watch,
    ) -> Result<Grant> {
        let policy = &self.policy;
        // As large as the request with such a token.
        let request = if request.bytes().saturating_add(claims.len()) > Request::MAX_BYTES {
            &Request::oversized()
        } else {
            request
        };
        extract::size(request, watch)?;
        let requested = profile::requested(request, policy, watch)?;
        extract::enabled(&policy.extract)
            .inspect_err(|why| watch.saw(|| Event::failed(Check::Token, why)))?;
        watch.saw(|| unchecked(Check::Token));
        requested.address(request, watch)?;
        self.fits(claims)
            .inspect_err(|why| watch.saw(|| Event::failed(Check::TokenForm, why)))?;
        for check in OF_TOKEN {
            watch.saw(|| unchecked(check));
        }
        let token = VerifiedToken::assumed_without_signature(claims, self.keys.issuers().iter());
        let token =
            token.ok_or_else(|| Error::new(Code::KeyNotFound).with_detail("there is no key source"))?;
        let signed = validate::read(&token, watch)
            .map_err(|why| policy.prefer_outer_shape_error(why, &token, requested.claims(request), watch))?;
        let requested_org = extract::requested_org(request, &policy.extract);
        let Allowed {
            profile,
            claims,
            identity,
            decision,
        } = claims::decide(policy, request, &requested, requested_org, signed, now, watch)?;
        let token = (claims.claims().is_compact(), token);
        let cleaned_url = extract::cleaned_url(request, &policy.extract);
        Ok(issue::grant(
            token,
            identity,
            decision,
            profile,
            cleaned_url,
            watch,
        ))
    }

    /// Checks that a token with these claims would not be too large.
    fn fits(&self, claims: &str) -> Result<()> {
        let limit = self.policy.decode.limits.token_bytes;
        let encoded = claims.len().div_ceil(3).saturating_mul(4);
        if encoded > limit {
            return Err(Error::new(Code::TokenTooLarge).with_detail(format!("the limit is {limit} bytes")));
        }
        Ok(())
    }
}

/// The checks of a token that a dry run does not make.
const OF_TOKEN: [Check; 8] = [
    Check::TokenForm,
    Check::HeaderType,
    Check::Header,
    Check::TokenEncoding,
    Check::Algorithm,
    Check::KeyId,
    Check::KeySelection,
    Check::Signature,
];

fn unchecked(check: Check) -> Event {
    Event::not_applicable(check).note(match check {
        Check::Signature => {
            "assumed: a dry run checks no signature, and takes the claims as signed by a trusted key"
        }
        _ => "a dry run does not check it, because there is no token",
    })
}
