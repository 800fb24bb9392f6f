//! The watcher that makes an explanation.

use std::collections::HashMap;

use super::hints::{self, Facts};
use super::keys::{Keys, Sources, Token};
use super::plan::{self, Planned};
use super::report::step;
use super::step::{Explain, Explanation, Step};
use crate::claims::NumericDate;
use crate::error::Result;
use crate::expr::Budget;
use crate::grant::Grant;
use crate::keys::{Key, KeySet, PreparedKey};
use crate::pipeline::inform::Denied;
use crate::pipeline::notes::Notes;
use crate::pipeline::watch::{At, Check, Event, Outcome, Seen, Watch, sealed};
use crate::policy::{Issuer, IssuerRule, KeyIssuers, Policy, Profile};
use crate::request::Request;

/// Collects the reports of one step of a decision.
#[derive(Debug)]
pub(crate) struct Recorder<'p> {
    policy: &'p Policy,
    explain: Explain,
    profile: Option<&'p Profile>,
    of_issuer: Option<(&'p Issuer, &'p IssuerRule)>,
    now: Option<NumericDate>,
    is_of_its_issuer: Option<bool>,
    events: Vec<Event>,
    /// Where the event of a check is.
    index: Index,
    /// What the explanation may still cost.
    budget: Budget,
    /// The keys that were considered, and how many checks had been made before.
    keys: Option<(usize, Keys)>,
    /// What an event tells about the decision.
    notes: Notes,
    /// After the decision, whether the claims that are read now are unverified.
    informs: Option<bool>,
    informative: Vec<Informative>,
    index_of_informative: Index,
    /// The token and its payload, if it is denied.
    token: Option<String>,
    payload: Option<String>,
}

/// The place of the report about each check in a list.
type Index = HashMap<(Check, At), usize>;

/// A report about a check that was made after the decision.
#[derive(Debug)]
struct Informative {
    event: Event,
    unverified: bool,
}

impl sealed::Sealed for Recorder<'_> {}

impl Watch for Recorder<'_> {
    fn records(&self) -> bool {
        true
    }

    /// The last report about a check counts.
    fn record(&mut self, event: Event) {
        let event = self.without_hidden(event);
        if let Some(unverified) = self.informs {
            self.inform(Informative { event, unverified });
            return;
        }
        let known = self.index.get(&about(&event)).copied();
        // A check that is made again and then fails is the last one.
        if let Some(index) = known.filter(|_| event.outcome == Outcome::Failed) {
            self.events.remove(index);
            if let Some((at, _)) = &mut self.keys {
                *at -= usize::from(index < *at);
            }
            let events = self.events.iter().map(about);
            self.index = events.zip(0..).collect();
        } else if let Some(known) = known.and_then(|index| self.events.get_mut(index)) {
            *known = event;
            return;
        }
        self.index.insert(about(&event), self.events.len());
        self.events.push(event);
    }

    fn budget(&self) -> Option<&Budget> {
        Some(&self.budget)
    }

    fn has(&self, check: Check) -> bool {
        self.index.contains_key(&(check, At::Only))
    }

    fn starts(&mut self, now: NumericDate) {
        self.now = Some(now);
    }

    fn belongs(&mut self, to_its_issuer: bool) {
        self.is_of_its_issuer = Some(to_its_issuer);
    }

    fn holds(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    fn reads(&mut self, payload: &str) {
        self.payload = Some(payload.to_owned());
    }

    fn informs(&mut self, unverified: bool) {
        self.informs = Some(unverified);
        if unverified {
            self.budget.reads_unverified_claims();
        }
    }

    fn decides(&mut self, profile: &Profile, of_issuer: Option<&IssuerRule>) {
        self.notes.decides(profile, of_issuer);
        let mut profiles = self.policy.profiles.all();
        self.profile = profiles.find(|known| std::ptr::eq(*known, profile));
        let mut rules = self.policy.issuers.iter();
        self.of_issuer = of_issuer.and_then(|rule| rules.find(|(_, known)| std::ptr::eq(*known, rule)));
    }

    fn restarts_keys(&mut self) {
        self.notes.restarts_keys();
        self.keys = Some((self.events.len(), Keys::default()));
    }

    fn offers(&mut self, issuers: &KeyIssuers, keys: &KeySet) {
        self.notes.offers(issuers, keys);
        if let Some((_, known)) = &mut self.keys {
            known.offers(issuers, keys);
        }
    }

    fn selects(&mut self, key: &Key, fits: bool) {
        self.notes.selects(key, fits);
        if let Some((_, known)) = &mut self.keys {
            known.selects(key, fits);
        }
    }

    fn tries(&mut self, key: &PreparedKey, verified: bool) {
        self.notes.tries(key, verified);
        if let Some((_, known)) = &mut self.keys {
            known.tries(key, verified);
        }
    }
}

impl<'p> Recorder<'p> {
    pub(crate) fn new(policy: &'p Policy, explain: Explain) -> Recorder<'p> {
        Recorder {
            policy,
            explain,
            profile: None,
            of_issuer: None,
            now: None,
            is_of_its_issuer: None,
            events: Vec::new(),
            index: Index::new(),
            budget: Budget::of_explanation(),
            keys: None,
            notes: Notes::default(),
            informs: None,
            informative: Vec::new(),
            index_of_informative: Index::new(),
            token: None,
            payload: None,
        }
    }

    /// What an event tells about the decision.
    pub(crate) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// What the decision has found out about a token that it denied. `None` if it did not come that far.
    pub(crate) fn denied(&mut self) -> Option<Denied> {
        Some(Denied {
            now: self.now?,
            is_verified: self.is_verified(),
            is_of_its_issuer: self.is_of_its_issuer,
        })
    }

    fn is_verified(&mut self) -> bool {
        let signature = self.find(Check::Signature);
        // A dry run, where the check is not applicable, takes the claims as signed.
        signature.is_some_and(|signature| signature.outcome != Outcome::Failed)
    }

    /// A check that the decision has made is not made again.
    fn inform(&mut self, new: Informative) {
        let about = about(&new.event);
        if self.index.contains_key(&about) {
            return;
        }
        let known = self.index_of_informative.get(&about).copied();
        match known.and_then(|index| self.informative.get_mut(index)) {
            Some(known) => *known = new,
            None => {
                self.index_of_informative.insert(about, self.informative.len());
                self.informative.push(new);
            }
        }
    }

    /// Removes the values that no step shows and no hint reads, so that many checks of a long value need no memory for it.
    fn without_hidden(&self, mut event: Event) -> Event {
        if !self.explain.show_values {
            let is_read = matches!(event.check, Check::Role | Check::OrgRole);
            let of_parts = event.parts.iter_mut().filter_map(|part| part.seen.as_mut());
            let hide = |seen: &mut Seen| seen.value = None;
            of_parts.for_each(hide);
            event.seen.iter_mut().filter(|_| !is_read).for_each(hide);
        }
        event
    }

    /// The explanation of a decision that this recorder has watched.
    pub(crate) fn finish(
        mut self,
        decision: Result<Grant>,
        request: &Request<'_>,
        sources: Sources<'_>,
    ) -> Explanation {
        let plan = plan::checks(self.policy, self.profile, self.of_issuer);
        let mut places = HashMap::with_capacity(plan.len());
        for planned in &plan {
            places.entry((planned.check, &planned.at)).or_insert(planned);
        }
        let planned = |event: &Event| places.get(&(event.check, &event.at)).copied();
        let is_verified = self.is_verified();
        let (keys_at, keys) = match self.keys.take() {
            Some((at, keys)) => (at, Some(keys)),
            None => (usize::MAX, None),
        };
        if let (Some(keys), Some(signature)) = (&keys, self.find(Check::Signature))
            && signature.outcome == Outcome::Passed
        {
            signature.note = keys.signer(&sources);
        }
        let token = self
            .find(Check::KeyId)
            .map_or(Token::WithoutName, |event| match event.outcome {
                Outcome::Passed => Token::Named,
                Outcome::Failed | Outcome::NotApplicable | Outcome::NotReached => Token::WithoutName,
            });
        let key_steps = keys
            .as_ref()
            .map_or(Vec::new(), |keys| keys.steps(&self.policy.keys, &sources, token));

        let mut steps = Vec::new();
        let (before, after) = self.events.split_at(keys_at.min(self.events.len()));
        steps.extend(before.iter().filter_map(|event| self.step(event, planned(event))));
        steps.extend(key_steps);
        steps.extend(after.iter().filter_map(|event| self.step(event, planned(event))));
        shape_first(&mut steps);
        if let Some(shape) = steps.iter_mut().find(|step| step.check == Check::ClaimsShape) {
            shape.unverified = !is_verified;
        }
        let rest = plan
            .iter()
            .map(|planned| (planned, (planned.check, planned.at.clone())));
        let rest = rest.filter(|(_, about)| !self.index.contains_key(about));
        steps.extend(rest.map(|(planned, about)| self.after(planned, &about)));
        let granted = decision.as_ref().ok().map(|grant| grant.claims.as_str());
        let hints = hints::all(&Facts {
            policy: self.policy,
            profile: self.profile,
            of_issuer: self.of_issuer.map(|(_, rule)| rule),
            plan: &plan,
            events: &self.events,
            request: Some(request),
            token: self.token.as_deref(),
            payload: granted.or(self.payload.as_deref()),
            now: self.now,
            keys: keys.as_ref(),
            sources,
            budget: &self.budget,
        });
        Explanation::new(decision, steps, hints)
    }

    /// The step of a check that the decision did not reach.
    fn after(&self, planned: &Planned, about: &(Check, At)) -> Step {
        let made = self.index_of_informative.get(about);
        match made.and_then(|index| self.informative.get(*index)) {
            Some(Informative { event, unverified }) => Step {
                informative: true,
                unverified: *unverified,
                ..step(event, Some(planned), self.explain.show_values)
            },
            None => {
                let event = Event {
                    at: planned.at.clone(),
                    outcome: Outcome::NotReached,
                    ..Event::passed(planned.check)
                };
                step(&event, Some(planned), self.explain.show_values)
            }
        }
    }

    fn find(&mut self, check: Check) -> Option<&mut Event> {
        let index = self.index.get(&(check, At::Only))?;
        self.events.get_mut(*index)
    }

    /// The step of a report. A check that nothing is configured for is left out, unless it failed.
    fn step(&self, event: &Event, planned: Option<&Planned>) -> Option<Step> {
        (planned.is_some() || event.outcome == Outcome::Failed)
            .then(|| step(event, planned, self.explain.show_values))
    }
}

/// The check that a report is about.
fn about(event: &Event) -> (Check, At) {
    (event.check, event.at.clone())
}

/// Moves the check of the shape of the claims before the failure that it replaced, as the configured system makes it.
fn shape_first(steps: &mut Vec<Step>) {
    let Some(at) = steps.iter().position(|step| step.check == Check::ClaimsShape) else {
        return;
    };
    let shape = steps.remove(at);
    let first = steps
        .iter()
        .position(|step| step.outcome == Outcome::Failed)
        .unwrap_or(at);
    for step in steps
        .iter_mut()
        .skip(first)
        .filter(|step| step.outcome == Outcome::Failed)
    {
        step.outcome = Outcome::NotReached;
        step.stage = step.check.stage();
        "it would fail too; the configured system checks the shape of the claims first"
            .clone_into(&mut step.text);
    }
    steps.insert(first, shape);
}
