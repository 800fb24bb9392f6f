//! Which profile decides a request: the one that the request names, or the one of the token's issuer.

use crate::error::{Code, Error, Result};
use crate::pipeline::extract;
use crate::pipeline::watch::{Check, Event, Watch};
use crate::policy::{ClaimsPolicy, IssuerRule, Policy, Profile};
use crate::request::Request;

/// The profile of a request, as far as it is known before the token is verified.
#[derive(Debug)]
pub(crate) enum Requested<'p> {
    /// This one decides.
    Known(&'p Profile),
    /// The issuer of the token decides which one.
    OfIssuer(&'p Policy),
}

/// Selects the profile for a request.
///
/// # Errors
/// [`Code::ProfileUnknown`], [`Code::ProfileMissing`], [`Code::ProfileClosed`].
pub(crate) fn requested<'p>(
    request: &Request<'_>,
    policy: &'p Policy,
    watch: &mut impl Watch,
) -> Result<Requested<'p>> {
    let requested = known(request, policy);
    match &requested {
        Ok(Requested::OfIssuer(_)) => {}
        Ok(Requested::Known(profile)) => {
            watch.decides(profile, None);
            watch.saw(|| Event::passed(Check::Profile));
        }
        Err(why) => watch.saw(|| Event::failed(Check::Profile, why)),
    }
    requested
}

fn known<'p>(request: &Request<'_>, policy: &'p Policy) -> Result<Requested<'p>> {
    if name(request).is_none() && policy.issuers.profiles().next().is_some() {
        Ok(Requested::OfIssuer(policy))
    } else {
        named(request, policy).and_then(open).map(Requested::Known)
    }
}

impl<'p> Requested<'p> {
    /// Checks that the caller's address is in a network of the profile, or of any profile that may decide.
    ///
    /// # Errors
    /// [`Code::AddressNotAllowed`].
    pub(crate) fn address(&self, request: &Request<'_>, watch: &mut impl Watch) -> Result<()> {
        match self {
            Requested::Known(profile) => extract::address(request, &profile.bound_cidrs, watch),
            Requested::OfIssuer(policy) => {
                let of_issuers = policy.issuers.profiles();
                let of_issuers = of_issuers.filter_map(|name| policy.profiles.named.get(name));
                let all = named(request, policy).ok().into_iter().chain(of_issuers);
                let mut refused = None;
                for profile in all {
                    match extract::address(request, &profile.bound_cidrs, watch) {
                        Ok(()) => return Ok(()),
                        Err(why) => refused = Some(why),
                    }
                }
                refused.map_or(Ok(()), Err)
            }
        }
    }

    /// The requirements on the claims, if the profile is known or the request would have one without its issuer.
    pub(crate) fn claims(&self, request: &Request<'_>) -> Option<&'p ClaimsPolicy> {
        match self {
            Requested::Known(profile) => Some(&profile.claims),
            Requested::OfIssuer(policy) => Some(&named(request, policy).ok()?.claims),
        }
    }

    /// Returns the profile that decides a token with this rule for its issuer.
    ///
    /// # Errors
    /// [`Code::IssuerMismatch`]: the request names another profile than the issuer. Those of [`requested`], and
    /// [`Code::AddressNotAllowed`], if only the issuer tells which profile decides.
    pub(crate) fn decided(
        &self,
        request: &Request<'_>,
        rule: Option<&IssuerRule>,
        watch: &mut impl Watch,
    ) -> Result<&'p Profile> {
        let of_issuer = rule.and_then(|rule| rule.profile.as_deref());
        let profile: Result<&'p Profile> = match (self, of_issuer) {
            (Requested::Known(profile), Some(name)) if name != profile.name => Err(Error::new(
                Code::IssuerMismatch,
            )
            .with_claim("iss")
            .with_detail(format!(
                "the profile `{name}` decides the tokens of this issuer, and the request names another one"
            ))),
            (Requested::Known(profile), _) => Ok(profile),
            (Requested::OfIssuer(policy), of_issuer) => {
                let profile = match of_issuer {
                    Some(name) => {
                        let known = policy.profiles.named.get(name);
                        known.ok_or_else(|| Error::from(Code::ProfileUnknown))
                    }
                    None => named(request, policy),
                };
                profile.and_then(|profile| {
                    extract::address(request, &profile.bound_cidrs, watch)?;
                    open(profile)
                })
            }
        };
        match &profile {
            Ok(profile) => {
                watch.decides(profile, rule);
                watch.saw(|| Event::passed(Check::Profile));
                watch.saw(|| Event::passed(Check::IssuerProfile).if_applicable(of_issuer.is_some()));
            }
            Err(why) if why.code() == Code::AddressNotAllowed => {}
            Err(why) if why.code() == Code::IssuerMismatch => {
                watch.saw(|| Event::failed(Check::IssuerProfile, why));
            }
            Err(why) => watch.saw(|| Event::failed(Check::Profile, why)),
        }
        profile
    }
}

/// The name of the profile in a request.
fn name<'r>(request: &Request<'r>) -> Option<&'r str> {
    request.profile.filter(|name| !name.is_empty())
}

fn named<'p>(request: &Request<'_>, policy: &'p Policy) -> Result<&'p Profile> {
    let profiles = &policy.profiles;
    let named = |name: &str| {
        let found = if profiles.ignore_case {
            profiles.named.get(&name.to_lowercase())
        } else {
            profiles.named.get(name)
        };
        found.ok_or_else(|| Error::from(Code::ProfileUnknown))
    };
    match (name(request), &profiles.top, &profiles.default) {
        (Some(name), _, _) => named(name),
        (None, Some(top), _) => Ok(top),
        (None, None, Some(default)) => named(default),
        (None, None, None) => Err(Code::ProfileMissing.into()),
    }
}

fn open(profile: &Profile) -> Result<&Profile> {
    match &profile.closed {
        None => Ok(profile),
        Some(why) => Err(Error::new(Code::ProfileClosed).with_detail(why)),
    }
}
