//! Checks that each key belongs to an issuer (RFC 8725 §3.8): who could sign what, over all key sources and profiles.

use std::collections::BTreeSet;

use crate::error::{Code, Error, Result};
use crate::expr::Selection;
use crate::members;
use crate::policy::{
    ClaimRule, Issuer, IssuerClaims, IssuerRule, KeyIssuers, KeySpec, Policy, Profile, near,
};
use crate::warning::{Rule, Warning};

/// Refuses a policy in which a key could sign for an issuer that is not its own, or in which a member about issuers has
/// no effect. Warns of what is probably a mistake.
pub(super) fn check(policy: &Policy, warnings: &mut Vec<Warning>) -> Result<()> {
    check_unnamed(policy)?;
    check_denied(policy, warnings)?;
    check_rules(policy)?;
    check_names(policy)?;
    warn_of_unaccepted(policy, warnings);
    warn_of_every_tenant(policy, warnings);
    Ok(())
}

/// Refuses a source that names no issuer if the policy accepts the tokens of several.
fn check_unnamed(policy: &Policy) -> Result<()> {
    let mut accepted = policy
        .profiles
        .all()
        .flat_map(|profile| accepted(policy, profile));
    let first = accepted.next();
    let others = |first: &Issuer| first.template().is_some() || accepted.any(|other| other != first);
    // A profile that does not check the issuer accepts every one. So if one has its own keys or rules, there are others.
    let is_unchecked = policy
        .profiles
        .all()
        .any(|profile| profile.claims.issuers.is_empty());
    let has_own = !policy.issuers.is_empty() || issuers_of_keys(policy).next().is_some();
    if !(is_unchecked && has_own || first.is_some_and(others)) {
        return Ok(());
    }
    let mut sources = policy.keys.sources.iter();
    match sources.find(|source| source.issuers == KeyIssuers::Unnamed) {
        None => Ok(()),
        Some(source) => Err(error(
            &source.place,
            "the policy accepts the tokens of several issuers; add `issuer` with those whose tokens these keys sign, or `\"any\"`",
        )),
    }
}

/// Refuses a policy that would deny every token, because the keys sign only for issuers that are not accepted.
fn check_denied(policy: &Policy, warnings: &mut Vec<Warning>) -> Result<()> {
    let sources = &policy.keys.sources;
    if sources.iter().any(|source| source.issuers.are_any()) {
        return Ok(());
    }
    let open = || policy.profiles.all().filter(|profile| profile.closed.is_none());
    let is_dead = |profile: &Profile| {
        let issuers = &profile.claims.issuers;
        !issuers.is_empty() && !issuers.iter().any(|issuer| is_signed(sources, issuer))
    };
    if let (Some(first), true) = (open().next(), open().all(is_dead) && !sources.is_empty()) {
        let signed = sources.iter().flat_map(|source| source.issuers.named());
        let signed: Vec<String> = signed.map(|issuer| format!("`{}`", issuer.text())).collect();
        return Err(error(
            &issuer_place(first),
            &format!(
                "every token would be denied, because the keys sign only for {}{}",
                signed.join(", "),
                near_issuer(sources, first).unwrap_or_default()
            ),
        ));
    }
    let mut reported = BTreeSet::new();
    for profile in open() {
        let issuers = profile.claims.issuers.iter();
        for issuer in issuers.filter(|issuer| !is_signed(sources, issuer)) {
            if reported.insert(issuer.text()) {
                let text = format!("no key source signs for `{}`", issuer.text());
                warnings.push(Warning::new(
                    Rule::IssuerAndKeysDiffer,
                    issuer_place(profile),
                    text,
                ));
            }
        }
    }
    Ok(())
}

/// Returns a hint if an accepted issuer is almost one of a key source.
fn near_issuer(sources: &[KeySpec], profile: &Profile) -> Option<String> {
    let signed = || sources.iter().flat_map(|source| source.issuers.named());
    let accepted = profile.claims.issuers.iter();
    let mut hints = accepted.map(|issuer| {
        let signed: Vec<String> = signed().map(Issuer::text).collect();
        near::hint("the issuer", signed.iter().map(String::as_str), &issuer.text())
    });
    hints.find(|hint| !hint.is_empty())
}

/// Refuses a rule for the tokens of an issuer that no token could meet, or that could be ambiguous.
fn check_rules(policy: &Policy) -> Result<()> {
    let mut templates: Vec<&Issuer> = Vec::new();
    for (issuer, rule) in policy.issuers.iter() {
        let place = format!("issuers.{}", issuer.text());
        if !is_signed(&policy.keys.sources, issuer) {
            return Err(error(
                &place,
                "no key source signs for this issuer; add it to the `issuer` of its source",
            ));
        }
        if issuer.template().is_some() {
            if let Some(other) = templates.iter().find(|other| other.overlaps(issuer)) {
                let why = format!("an issuer may match both this and `{}`", other.text());
                return Err(error(&place, &why));
            }
            templates.push(issuer);
        }
        check_profile(policy, issuer, rule, &place)?;
    }
    Ok(())
}

fn check_profile(policy: &Policy, issuer: &Issuer, rule: &IssuerRule, place: &str) -> Result<()> {
    let accepts = |profile: &Profile| {
        let issuers = &profile.claims.issuers;
        issuers.is_empty() || issuers.iter().any(|one| one.overlaps(issuer))
    };
    match &rule.profile {
        None if policy.profiles.all().any(accepts) => Ok(()),
        None => Err(error(place, "no profile accepts this issuer; add it to `issuer`")),
        Some(name) => match policy.profiles.named.get(name) {
            Some(profile) if accepts(profile) => Ok(()),
            Some(_) => Err(error(
                &format!("{place}.profile"),
                &format!(
                    "the profile `{name}` does not accept this issuer; add it to `profiles.{name}.issuer`"
                ),
            )),
            None => {
                let names: Vec<&str> = policy.profiles.named.keys().map(String::as_str).collect();
                Err(error(
                    &format!("{place}.profile"),
                    &format!(
                        "there is no profile `{name}`{}",
                        members::suggestion(name, &names)
                    ),
                ))
            }
        },
    }
}

/// Refuses a name in `issuer_claims` that no issuer contains.
fn check_names(policy: &Policy) -> Result<()> {
    let IssuerClaims::Named(named) = &policy.issuer_claims else {
        return Ok(());
    };
    let of_keys = issuers_of_keys(policy);
    let of_profiles = policy.profiles.all().flat_map(|profile| &profile.claims.issuers);
    let templates = of_keys.chain(of_profiles).filter_map(Issuer::template);
    let used: Vec<&str> = templates.map(|template| template.name()).collect();
    match named.keys().find(|name| !used.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(error(
            &format!("issuer_claims.{name}"),
            &format!("no issuer contains `{{{name}}}`"),
        )),
    }
}

/// Warns of a source with keys for an issuer that no profile accepts.
fn warn_of_unaccepted(policy: &Policy, warnings: &mut Vec<Warning>) {
    let is_accepted = |issuer: &Issuer| {
        policy.profiles.all().any(|profile| {
            let accepted = &profile.claims.issuers;
            accepted.is_empty() || accepted.iter().any(|one| one.overlaps(issuer))
        })
    };
    for source in &policy.keys.sources {
        for issuer in source
            .issuers
            .named()
            .iter()
            .filter(|issuer| !is_accepted(issuer))
        {
            warnings.push(Warning::new(Rule::IssuerAndKeysDiffer, &source.place,
                format!(
                    "these keys sign for `{}`, whose tokens are not accepted; add it to the accepted issuers (`issuer`)",
                    issuer.text()
                ),
            ));
        }
    }
}

/// Warns of a template whose claim no rule restricts.
fn warn_of_every_tenant(policy: &Policy, warnings: &mut Vec<Warning>) {
    for profile in policy.profiles.all() {
        let known = warnings.len();
        for issuer in accepted(policy, profile) {
            let Some(template) = issuer.template() else {
                continue;
            };
            let rule = policy.issuers.iter().find(|(other, _)| *other == issuer);
            let rule = rule.map(|(_, rule)| rule);
            let other_profile = rule.and_then(|rule| rule.profile.as_ref());
            let of_issuer = rule.map(|rule| rule.rules.as_slice()).unwrap_or_default();
            let mut rules = profile
                .claims
                .rules
                .iter()
                .chain(of_issuer)
                .chain(&profile.rules.requirements);
            if other_profile.is_some_and(|name| *name != profile.name)
                || rules.any(|rule| restricts(rule, template.claim()))
            {
                continue;
            }
            let warning = Warning::new(
                Rule::EveryTenant,
                issuer_place(profile),
                format!(
                    "`{}` accepts every tenant of the provider; add a rule about `{}` to `claims`",
                    template.text(),
                    template.claim()
                ),
            );
            if !warnings.iter().skip(known).any(|own| *own == warning) {
                warnings.push(warning);
            }
        }
    }
}

/// Whether a rule is about this claim, as far as can be told without evaluating it.
fn restricts(rule: &ClaimRule, claim: &str) -> bool {
    match &rule.select {
        Selection::Claim(name) => name == claim,
        Selection::Pointer(_) | Selection::JmesPath(_) => rule.select.name().contains(claim),
    }
}

/// The issuers that a profile accepts. If it does not check the issuer, those that the key sources name.
fn accepted<'p>(policy: &'p Policy, profile: &'p Profile) -> impl Iterator<Item = &'p Issuer> {
    let of_keys = issuers_of_keys(policy);
    let unchecked = profile.claims.issuers.is_empty();
    profile
        .claims
        .issuers
        .iter()
        .chain(of_keys.filter(move |_| unchecked))
}

/// The issuers that the key sources name.
fn issuers_of_keys(policy: &Policy) -> impl Iterator<Item = &Issuer> {
    policy
        .keys
        .sources
        .iter()
        .flat_map(|source| source.issuers.named())
}

fn is_signed(sources: &[KeySpec], issuer: &Issuer) -> bool {
    sources.iter().any(|source| {
        source.issuers.are_any() || source.issuers.named().iter().any(|one| one.overlaps(issuer))
    })
}

fn issuer_place(profile: &Profile) -> String {
    if profile.name.is_empty() {
        "issuer".to_owned()
    } else {
        format!("profiles.{}.issuer", profile.name)
    }
}

fn error(place: &str, problem: &str) -> Error {
    Error::new(Code::ConfigInvalid).with_detail(format!("`{place}`: {problem}"))
}
