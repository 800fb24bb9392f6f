//! The checks that a policy requires, in the usual order: what an explanation lists for those that were not reached, and
//! the place and the configured value of those that were made.
//!
//! The pipeline does not use this list. A test compares it with what the pipeline reports for every grant of the
//! conformance suite.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::duration;
use crate::expr::Placed;
use crate::pipeline::watch::{At, Check};
use crate::policy::{
    AudienceRule, ClaimRule, IdentityRule, Issuer, IssuerRule, Named, Policy, Profile, RegisteredCheck, Rules,
};

/// A check that the policy requires.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) check: Check,
    pub(super) at: At,
    pub(super) place: Option<String>,
    pub(super) configured: Option<String>,
    /// What the check is about, if there are several of its kind.
    pub(super) subject: Option<String>,
    /// How far a time may be beyond its limit, and what allows that.
    pub(super) allowance: Option<Allowance>,
}

/// How far a time may be beyond its limit.
#[derive(Debug, Clone)]
pub(super) struct Allowance {
    pub(super) seconds: i64,
    pub(super) what: &'static str,
}

/// The checks of a policy. Those of the profile are known once the profile is.
pub(super) fn checks(
    policy: &Policy,
    profile: Option<&Profile>,
    of_issuer: Option<(&Issuer, &IssuerRule)>,
) -> Vec<Planned> {
    let mut checks = in_words_of_the_policy(policy, profile, of_issuer);
    let profile = profile.map_or("", |profile| &profile.name);
    for planned in &mut checks {
        let place = planned.place.as_deref();
        if let Some(name) = place.and_then(|place| policy.names.place(place, profile)) {
            planned.place = Some(name);
        }
    }
    checks
}

fn in_words_of_the_policy(
    policy: &Policy,
    profile: Option<&Profile>,
    of_issuer: Option<(&Issuer, &IssuerRule)>,
) -> Vec<Planned> {
    let mut plan = Plan {
        checks: Vec::new(),
        prefix: String::new(),
    };
    plan.token(policy, profile);
    if let Some(profile) = profile {
        if !profile.name.is_empty() {
            plan.prefix = format!("profiles.{}.", profile.name);
        }
        plan.claims(profile, of_issuer);
        plan.identity(&profile.identity);
        plan.rules(&profile.rules);
        if profile.identity.named == Named::RequiredAtLast {
            plan.add(Check::NameRequired, "identity.named", &profile.identity.named);
        }
        if !profile.session.is_empty() {
            plan.add(Check::Session, "session", &profile.session);
        }
    }
    if let (Some(top), false) = (&policy.profiles.top, plan.prefix.is_empty()) {
        plan.inherit(&in_words_of_the_policy(policy, Some(top), of_issuer));
    }
    plan.checks
}

impl Planned {
    fn content(&self) -> (Check, &At, Option<&str>) {
        (self.check, &self.at, self.configured.as_deref())
    }
}

/// The member of the policy or of a profile that a place is in.
fn root(place: &str) -> &str {
    place.split(['.', '[']).next().unwrap_or(place)
}

struct Plan {
    checks: Vec<Planned>,
    /// The path of the profile in the policy.
    prefix: String,
}

impl Plan {
    fn token(&mut self, policy: &Policy, profile: Option<&Profile>) {
        self.bare(Check::Request);
        let named = profile.filter(|profile| !profile.name.is_empty());
        match named {
            Some(profile) => {
                self.bare(Check::Profile);
                self.last(|planned| {
                    planned.place = Some(format!("profiles.{}", profile.name));
                    planned.subject = Some(profile.name.clone());
                });
            }
            None => self.bare(Check::Profile),
        }
        self.add(Check::Token, "token", &policy.extract);
        if let Some(profile) = profile.filter(|profile| !profile.bound_cidrs.is_empty()) {
            let place = match named {
                Some(profile) => format!("profiles.{}.bound_cidrs", profile.name),
                None => "bound_cidrs".to_owned(),
            };
            self.add(Check::Address, &place, &profile.bound_cidrs);
        }
        self.add(
            Check::TokenForm,
            "options.max_token_bytes",
            &policy.decode.limits.token_bytes,
        );
        if let Some(typ) = &policy.decode.typ {
            self.add(Check::HeaderType, "typ", typ);
        }
        self.bare(Check::Header);
        self.bare(Check::TokenEncoding);
        self.add(Check::Algorithm, "algorithms", &policy.keys.algorithms);
        self.add(Check::KeyId, "kid", &policy.keys.kid);
        self.bare(Check::KeySelection);
        self.bare(Check::Signature);
        self.bare(Check::ClaimsForm);
        if policy.issuers.profiles().next().is_some() {
            self.add(Check::IssuerProfile, "issuers", &policy.issuers);
        }
    }

    fn claims(&mut self, profile: &Profile, of_issuer: Option<(&Issuer, &IssuerRule)>) {
        let rule = &profile.claims;
        self.bare(Check::ClaimTypes);
        for (index, name) in rule.required.iter().enumerate() {
            let place = format!("required_claims[{index}]");
            self.several(Check::RequiredClaim, At::Index(index), &place, name, name);
        }
        self.bare(Check::ClaimValues);
        let own = of_issuer.and_then(|(issuer, rule)| Some((issuer, rule.audience.as_ref()?)));
        let audience = own.map_or(&rule.audience, |(_, audience)| audience);
        for check in &rule.check_order {
            match check {
                RegisteredCheck::Iss => self.add(Check::Issuer, "issuer", &rule.issuers),
                RegisteredCheck::Sub => self.optional(Check::Subject, "subject", rule.subject.as_ref()),
                RegisteredCheck::Aud => match audience {
                    AudienceRule::OneOf(accepted) => self.add(Check::Audience, "audiences", accepted),
                    AudienceRule::Any => self.add(Check::Audience, "audiences", &AudienceRule::ANY),
                    AudienceRule::Absent | AudienceRule::AbsentOrEmpty => {}
                },
                RegisteredCheck::UnexpectedAud => match audience {
                    AudienceRule::OneOf(_) | AudienceRule::Any => {}
                    AudienceRule::Absent | AudienceRule::AbsentOrEmpty => {
                        self.add(Check::UnexpectedAudience, "audiences", &());
                    }
                },
                RegisteredCheck::AnyTime => {
                    self.optional(Check::AnyTime, "synthesise", rule.times.synthesise.as_ref());
                }
                RegisteredCheck::Nbf => {
                    self.leeway(Check::NotBefore, "leeway.nbf", rule.times.leeway.nbf);
                }
                RegisteredCheck::Exp => self.leeway(Check::Expires, "leeway.exp", rule.times.leeway.exp),
                RegisteredCheck::Iat => {
                    if rule.times.check_iat {
                        self.leeway(Check::IssuedAt, "leeway.iat", rule.times.leeway.iat);
                    }
                }
                RegisteredCheck::MaxAge => {
                    if let Some(max_age) = rule.times.max_age {
                        self.add(Check::MaxAge, "max_age", &duration::to_go(max_age));
                        self.allow(max_age.saturating_add(rule.times.leeway.iat), "the maximum age");
                    }
                }
            }
        }
        if let Some((issuer, _)) = own {
            let place = format!("issuers.{}.audiences", issuer.text());
            for planned in &mut self.checks {
                if matches!(planned.check, Check::Audience | Check::UnexpectedAudience) {
                    planned.place = Some(place.clone());
                }
            }
        }
        self.claim_rules(Check::Claim, "claims", &rule.rules, At::Index);
        if let Some((issuer, of_issuer)) = of_issuer {
            let prefix = std::mem::replace(&mut self.prefix, format!("issuers.{}.", issuer.text()));
            self.claim_rules(Check::Claim, "claims", &of_issuer.rules, At::OfIssuer);
            self.prefix = prefix;
        }
    }

    fn identity(&mut self, rule: &IdentityRule) {
        if !rule.name.is_empty() {
            self.add(Check::Name, "identity.name", &rule.name);
        }
        if let [only] = rule.name.as_slice() {
            self.written_at(&only.place);
        }
        for (check, place, value) in [
            (Check::Email, "identity.email", &rule.email),
            (Check::DisplayName, "identity.display_name", &rule.display_name),
        ] {
            if let Some(value) = value {
                self.add(check, place, value);
                self.written_at(&value.place);
            }
        }
        for (name, value) in &rule.metadata {
            let place = format!("identity.metadata.{name}");
            self.several(Check::Metadata, At::Name(name.clone()), &place, value, name);
        }
        self.optional(Check::Groups, "identity.groups", rule.groups.as_ref());
        for (name, list) in &rule.lists {
            let place = format!("identity.lists.{name}");
            self.several(Check::List, At::Name(name.clone()), &place, list, name);
        }
    }

    fn rules(&mut self, rules: &Rules) {
        self.claim_rules(Check::Requirement, "requirements", &rules.requirements, At::Index);
        if !rules.policies.is_empty() {
            self.add(Check::Policies, "policies", &rules.policies);
        }
        if let Some(rule) = &rules.roles {
            self.add(Check::Role, "roles", rule);
            self.written_at(rule.jmespath.place());
        }
        if let Some(rule) = &rules.org_roles {
            if let Some(role) = &rule.role {
                self.add(Check::OrgRole, "org_roles.role", role);
                self.written_at(role.place());
            }
            self.optional(
                Check::ExternalOrgs,
                "org_roles.external_orgs",
                rule.external_orgs.as_ref(),
            );
            self.add(Check::OrgRoles, "org_roles", rule);
        }
        if let Some(bindings) = &rules.bindings {
            for (index, rule) in bindings.rules.iter().enumerate() {
                let place = format!("bindings.rules[{index}]");
                let subject = rule.selector.as_ref().map_or("", |selector| selector.as_str());
                self.several(Check::Binding, At::Index(index), &place, rule, subject);
                self.written_at(rule.selector.as_ref().map_or(rule.name.place(), Placed::place));
            }
            self.bare(Check::Bindings);
        }
    }

    fn claim_rules(&mut self, check: Check, member: &str, rules: &[ClaimRule], at: impl Fn(usize) -> At) {
        for (index, rule) in rules.iter().enumerate() {
            let place = format!("{member}[{index}]");
            self.several(check, at(index), &place, rule, rule.select.name());
            self.written_at(&rule.place);
        }
    }

    /// Gives the members that the profile has from the top level the place where they are printed.
    fn inherit(&mut self, top: &[Planned]) {
        let own = |planned: &Planned| Some(planned.place.as_deref()?.strip_prefix(&self.prefix)?.to_owned());
        let places: Vec<Option<String>> = self.checks.iter().map(own).collect();
        let of_member = |member: &str| {
            let of_top = top
                .iter()
                .filter(|one| one.place.as_deref().is_some_and(|place| root(place) == member));
            let own = self.checks.iter().zip(&places);
            let own = own.filter(|(_, place)| place.as_deref().is_some_and(|place| root(place) == member));
            of_top.map(Planned::content).eq(own.map(|(one, _)| one.content()))
        };
        let mut known = BTreeMap::new();
        let mut is_inherited = |member| *known.entry(member).or_insert_with(|| of_member(member));
        let inherited: Vec<bool> = places
            .iter()
            .map(|place| place.as_deref().is_some_and(|place| is_inherited(root(place))))
            .collect();
        for ((planned, place), inherited) in self.checks.iter_mut().zip(places).zip(inherited) {
            if inherited {
                planned.place = place;
            }
        }
    }

    /// A check that nothing can be configured for.
    fn bare(&mut self, check: Check) {
        self.checks.push(Planned {
            check,
            at: At::Only,
            place: None,
            configured: None,
            subject: None,
            allowance: None,
        });
    }

    fn leeway(&mut self, check: Check, place: &str, leeway: Duration) {
        self.add(check, place, &duration::to_go(leeway));
        self.allow(leeway, "the leeway");
    }

    fn allow(&mut self, time: Duration, what: &'static str) {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        self.last(|planned| planned.allowance = Some(Allowance { seconds, what }));
    }

    fn add(&mut self, check: Check, place: &str, configured: &impl Serialize) {
        self.bare(check);
        let place = format!("{}{place}", self.prefix);
        self.last(|planned| {
            planned.place = Some(place);
            planned.configured = serde_json::to_string(configured).ok();
        });
    }

    fn optional(&mut self, check: Check, place: &str, configured: Option<&impl Serialize>) {
        if let Some(configured) = configured {
            self.add(check, place, configured);
        }
    }

    /// One of several checks of a kind.
    fn several(&mut self, check: Check, at: At, place: &str, configured: &impl Serialize, subject: &str) {
        self.add(check, place, configured);
        self.last(|planned| {
            planned.at = at;
            planned.subject = Some(subject.to_owned());
        });
    }

    /// Names the place in the operator's configuration, if the rule knows it.
    fn written_at(&mut self, place: &str) {
        if !place.is_empty() {
            self.last(|planned| planned.place = Some(place.to_owned()));
        }
    }

    fn last(&mut self, change: impl FnOnce(&mut Planned)) {
        if let Some(planned) = self.checks.last_mut() {
            change(planned);
        }
    }
}
