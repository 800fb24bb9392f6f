//! What hints are made of: the configuration, the token and the failed check.

use base64_simd::URL_SAFE_NO_PAD;

use crate::claims::{Claims, NumericDate};
use crate::error::Code;
use crate::explain::keys::{Keys, Sources};
use crate::explain::plan::Planned;
use crate::expr::{Budget, Document, Selection};
use crate::json::{self, Value};
use crate::pipeline::watch::{At, Check, Event, Outcome};
use crate::policy::{ClaimRule, IssuerRule, MetadataRule, Policy, Profile};
use crate::request::Request;

/// A decision, and what led to it.
pub(in crate::explain) struct Facts<'f> {
    pub(in crate::explain) policy: &'f Policy,
    pub(in crate::explain) profile: Option<&'f Profile>,
    pub(in crate::explain) of_issuer: Option<&'f IssuerRule>,
    pub(in crate::explain) plan: &'f [Planned],
    /// The checks that led to the decision.
    pub(in crate::explain) events: &'f [Event],
    pub(in crate::explain) request: Option<&'f Request<'f>>,
    /// The text of the token, if it is denied.
    pub(in crate::explain) token: Option<&'f str>,
    /// The payload, if it can be read.
    pub(in crate::explain) payload: Option<&'f str>,
    pub(in crate::explain) now: Option<NumericDate>,
    pub(in crate::explain) keys: Option<&'f Keys>,
    pub(in crate::explain) sources: Sources<'f>,
    /// What the explanation may still cost.
    pub(in crate::explain) budget: &'f Budget,
}

impl<'f> Facts<'f> {
    /// The check that denied the request.
    pub(super) fn failed(&self) -> Option<&'f Event> {
        self.events.iter().find(|event| event.outcome == Outcome::Failed)
    }

    /// The check that denied the request, if it is this one.
    pub(super) fn failed_at(&self, check: Check) -> Option<&'f Event> {
        self.failed().filter(|event| event.check == check)
    }

    pub(super) fn code(&self) -> Option<Code> {
        self.failed()
            .and_then(|event| event.error.as_ref())
            .map(|error| error.code())
    }

    /// The check of the expression for the caller's role.
    pub(super) fn role(&self) -> Option<&'f Event> {
        let is_role = |event: &&Event| matches!(event.check, Check::Role | Check::OrgRole);
        self.events.iter().find(is_role)
    }

    /// The check of the caller's role that gave no role, or a default one, or denied the request.
    pub(super) fn without_role(&self) -> Option<&'f Event> {
        let role = self.role()?;
        let has_role = role.outcome == Outcome::Passed && role.note.is_none();
        (!has_role && self.failed().is_none_or(|failed| decides_roles(failed.check))).then_some(role)
    }

    /// The rule about a claim that denied the request, and the claims, if the rule may be looked at once more.
    pub(super) fn ruled(&self) -> Option<(&'f ClaimRule, Document<'f>)> {
        let rule = self.claim_rule()?;
        let document = self.document()?;
        let effort = rule.effort().at(document.claims().text().len());
        self.budget.spend(effort).then_some((rule, document))
    }

    /// Whether each of some texts may be compared with each of others.
    #[expect(clippy::cast_precision_loss, reason = "efforts are rough")]
    pub(super) fn may_compare(&self, some: usize, others: usize) -> bool {
        self.budget.spend(COMPARISON * (some as f64) * (others as f64))
    }

    /// Whether the operator wrote a native configuration.
    pub(super) fn is_native(&self) -> bool {
        self.policy.names.are_native()
    }

    /// Whether the configured system has this setting, for a member of the policy or for one of its values.
    pub(super) fn has_setting(&self, member: &str) -> bool {
        let profile = self.profile.map_or("", |profile| &profile.name);
        self.policy.names.place(member, profile).is_some()
    }

    /// The place of the check that the hints are about.
    pub(super) fn place(&self) -> Option<String> {
        let event = self.failed().or_else(|| self.role())?;
        let event = match event.check {
            // What is configured for these checks is not what the hints are about.
            Check::TokenForm | Check::Token => return None,
            Check::Bindings => self.events.iter().find(|event| event.check == Check::Binding)?,
            Check::OrgRoles => self.role()?,
            _ => event,
        };
        let about = |planned: &&Planned| planned.check == event.check && planned.at == event.at;
        self.plan.iter().find(about)?.place.clone()
    }

    pub(super) fn claims(&self) -> Option<Claims<'f>> {
        Claims::parse(self.payload?).ok()
    }

    pub(super) fn document(&self) -> Option<Document<'f>> {
        self.claims().map(Document::new)
    }

    /// Whether the claims have a claim with this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.claims().is_some_and(|claims| claims.get(name).is_some())
    }

    /// The text of a claim.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.claims()?.get(name)?.as_str().map(str::to_owned)
    }

    /// The text of a member of the header.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let (header, _) = self.token?.split_once('.')?;
        let header = URL_SAFE_NO_PAD.decode_to_vec(header).ok()?;
        let header = String::from_utf8(header).ok()?;
        let header = json::parse(&header).ok()?;
        header
            .as_object()?
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    }

    /// The rule about a claim that denied the request.
    pub(super) fn claim_rule(&self) -> Option<&'f ClaimRule> {
        let failed = self.failed()?;
        let profile = self.profile?;
        match (failed.check, &failed.at) {
            (Check::Claim, At::Index(index)) => profile.claims.rules.get(*index),
            (Check::Claim, At::OfIssuer(index)) => self.of_issuer?.rules.get(*index),
            (Check::Requirement, At::Index(index)) => profile.rules.requirements.get(*index),
            _ => None,
        }
    }

    /// What the check that failed, or gave no role, looks for in the claims, without expressions.
    pub(super) fn selected(&self) -> Vec<Selection> {
        let (Some(profile), Some(failed)) = (self.profile, self.failed()) else {
            return Vec::new();
        };
        let identity = &profile.identity;
        match (failed.check, &failed.at) {
            (Check::RequiredClaim, At::Index(index)) => {
                let name = profile.claims.required.get(*index);
                name.map(|name| Selection::claim(name.as_str()))
                    .into_iter()
                    .collect()
            }
            (Check::Claim | Check::Requirement, _) => self
                .claim_rule()
                .map(|rule| rule.select.clone())
                .into_iter()
                .collect(),
            (Check::Name | Check::NameRequired, _) => {
                identity.name.iter().map(|rule| rule.select.clone()).collect()
            }
            (Check::Email, _) => identity.email.iter().map(|rule| rule.select.clone()).collect(),
            (Check::DisplayName, _) => identity
                .display_name
                .iter()
                .map(|rule| rule.select.clone())
                .collect(),
            (Check::Groups, _) => identity.groups.iter().map(|rule| rule.select.clone()).collect(),
            (Check::List, At::Name(name)) => identity
                .lists
                .get(name)
                .map(|rule| rule.select.clone())
                .into_iter()
                .collect(),
            (Check::Metadata, At::Name(name)) => match identity.metadata.get(name) {
                Some(MetadataRule::Value(rule)) => vec![rule.select.clone()],
                Some(MetadataRule::Fixed { .. }) | None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}

/// The effort of a comparison of two texts, in nanoseconds.
const COMPARISON: f64 = 50.0;

fn decides_roles(check: Check) -> bool {
    matches!(check, Check::Role | Check::OrgRole | Check::OrgRoles)
}
