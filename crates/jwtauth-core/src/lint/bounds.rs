//! Rules about checks that are missing: of the issuer and of the audience. They read the compiled policy, so that they find the
//! same in every dialect.

use std::collections::BTreeSet;

use super::subject::{Subject, has_values};
use crate::dialect::Dialect;
use crate::expr::Selection;
use crate::policy::{AudienceRule, ClaimRule, Issuer, KeyIssuers, MetadataRule, Profile};
use crate::warning::{Rule, Warning};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Warning>) {
    let sources = &subject.policy.keys.sources;
    // Without keys, no token is accepted.
    if sources.is_empty() {
        return;
    }
    let has_keys_for_any = sources.iter().any(|source| KeyIssuers::are_any(&source.issuers));
    let rules = subject.policy.issuers.iter();
    let with_audience = rules.filter(|(_, rule)| rule.audience.is_some() || binds(&rule.rules, "aud"));
    let with_audience: BTreeSet<String> = with_audience.map(|(issuer, _)| issuer.text()).collect();
    let profiles = subject.policy.profiles.all();
    for profile in profiles.filter(|profile| profile.closed.is_none()) {
        if has_keys_for_any {
            issuer(subject, profile, found);
        }
        audience(subject, profile, &with_audience, found);
    }
    audiences_of_issuers(subject, found);
}

/// Finds a profile that accepts the tokens of any issuer.
fn issuer(subject: &Subject<'_>, profile: &Profile, found: &mut Vec<Warning>) {
    if !profile.claims.issuers.is_empty() || is_bound_by_rules(profile, "iss") {
        return;
    }
    let (place, advice) = match subject.dialect {
        // Its verifier reports it.
        Dialect::Native => return,
        Dialect::Vault if has_values(subject.document, "jwks_pairs") => (
            subject.place(profile, "bound_claims"),
            "; bind `iss`, because Vault has no `bound_issuer` with `jwks_pairs`",
        ),
        Dialect::Vault => ("bound_issuer".to_owned(), "; write the issuer"),
        Dialect::Consul => ("AuthMethod.Config.BoundIssuer".to_owned(), "; write the issuer"),
        Dialect::Grafana => (
            "auth.jwt.expect_claims".to_owned(),
            "; add it, such as `{\"iss\": \"https://issuer.example\"}`",
        ),
    };
    found.push(Warning::new(
        Rule::IssuerUnbound,
        place,
        format!(
            "no issuer is configured, so a token signed with any of the keys is accepted with any `iss`{advice}"
        ),
    ));
}

/// Finds a profile that accepts tokens for any audience. An audience that is absent from the configuration is not one: the token
/// must have none then.
fn audience(
    subject: &Subject<'_>,
    profile: &Profile,
    with_audience: &BTreeSet<String>,
    found: &mut Vec<Warning>,
) {
    let issuers = &profile.claims.issuers;
    let is_replaced = !issuers.is_empty()
        && issuers
            .iter()
            .map(Issuer::text)
            .all(|issuer| with_audience.contains(&issuer));
    if profile.claims.audience != AudienceRule::Any || is_replaced || is_bound_by_rules(profile, "aud") {
        return;
    }
    let (place, problem) = match subject.dialect {
        Dialect::Native => (subject.place(profile, "audiences"), CHECKED_BY_NAME),
        Dialect::Vault => (subject.place(profile, "bound_audiences"), CHECKED_BY_NAME),
        Dialect::Consul => (
            "AuthMethod.Config.BoundAudiences".to_owned(),
            "no audience is bound, so tokens that the issuer made for other services are accepted; list the audience of this service",
        ),
        Dialect::Grafana => (
            "auth.jwt.expect_claims".to_owned(),
            "has no `aud`, so tokens that the issuer made for other services are accepted; add the audience of this service, such as `{\"aud\": \"grafana\"}`",
        ),
    };
    found.push(Warning::new(Rule::AudienceUnbound, place, problem));
}

/// Finds rules of single issuers that switch the check of the audience off.
fn audiences_of_issuers(subject: &Subject<'_>, found: &mut Vec<Warning>) {
    let mut profiles = subject.policy.profiles.all();
    if !profiles.any(|profile| profile.closed.is_none() && !is_bound_by_rules(profile, "aud")) {
        return;
    }
    for (issuer, rule) in subject.policy.issuers.iter() {
        if rule.audience == Some(AudienceRule::Any) && !binds(&rule.rules, "aud") {
            found.push(Warning::new(
                Rule::AudienceUnbound,
                format!("issuers.{}.audiences", issuer.text()),
                CHECKED_BY_NAME,
            ));
        }
    }
}

/// Whether the other rules of a profile test a claim.
fn is_bound_by_rules(profile: &Profile, claim: &str) -> bool {
    binds(&profile.claims.rules, claim)
        || binds(&profile.rules.requirements, claim)
        || is_selected(profile, claim)
}

fn binds(rules: &[ClaimRule], claim: &str) -> bool {
    rules.iter().any(|rule| match &rule.select {
        Selection::Claim(name) => name == claim,
        Selection::Pointer(pointer) => pointer.as_str().strip_prefix('/') == Some(claim),
        // It may test anything that it names.
        Selection::JmesPath(_) => rule.select.name().contains(claim),
    })
}

/// Whether every binding rule reads a claim, so that a login without the right value gets nothing.
fn is_selected(profile: &Profile, claim: &str) -> bool {
    let Some(bindings) = &profile.rules.bindings else {
        return false;
    };
    let is_claim = |select: &Selection| matches!(select, Selection::Claim(name) if name == claim);
    let identity = &profile.identity;
    let values = identity.metadata.iter().filter(|(_, rule)| match rule {
        MetadataRule::Value(value) => is_claim(&value.select),
        MetadataRule::Fixed { .. } => false,
    });
    let values: BTreeSet<&str> = values.map(|(name, _)| name.as_str()).collect();
    let lists = identity.lists.iter().filter(|(_, list)| is_claim(&list.select));
    let lists: BTreeSet<&str> = lists.map(|(name, _)| name.as_str()).collect();
    !bindings.rules.is_empty()
        && bindings.rules.iter().all(|rule| {
            let names = rule.selector.as_ref().map(|selector| selector.names());
            names.is_some_and(|names| {
                names.values.iter().any(|name| values.contains(name))
                    || names.lists.iter().any(|name| lists.contains(name))
            })
        })
}

const CHECKED_BY_NAME: &str = "the audience is not checked, so tokens that the issuer made for other services are accepted; list the audiences of this service";
