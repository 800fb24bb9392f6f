//! Watching a decision: the stages report each check that they make.
//!
//! `()` watches nothing. Every report is a closure that it does not call, so that a decision without a watcher is
//! compiled as if there were no reports. An explanation is made by a watcher of the same stages
//! ([`Recorder`](crate::explain)), so it cannot differ from the decision. The stages are compiled once more for all other
//! watchers, as `&mut dyn Watch`.

use serde::{Serialize, Serializer};

pub use super::part::{Part, PartOutcome};
pub use super::seen::Seen;
pub(crate) use super::seen::raw_json;
use crate::claims::NumericDate;
use crate::error::{Error, Result, Stage};
use crate::expr::Budget;
use crate::keys::{Key, KeySet, PreparedKey};
use crate::policy::{IssuerRule, KeyIssuers, Profile};

/// Sees the checks of one decision, in order. Only `()`, the notes for events and the recorder of explanations are
/// watchers.
///
/// A report cannot change the decision: no method returns anything. A check that failed is reported together with the
/// error that the stage returns.
pub(crate) trait Watch: sealed::Sealed {
    /// Whether every check must be made, so that a remembered grant does not suffice.
    fn needs_checks(&self) -> bool {
        true
    }

    /// Whether [`record`](Watch::record) does anything.
    fn records(&self) -> bool {
        false
    }

    /// Records the report about a check.
    fn record(&mut self, event: Event) {
        let _ = event;
    }

    /// A check was made.
    fn saw(&mut self, event: impl FnOnce() -> Event)
    where
        Self: Sized,
    {
        if self.records() {
            self.record(event());
        }
    }

    /// What the reports and the checks that only inform may cost. `None` if there are none.
    fn budget(&self) -> Option<&Budget> {
        None
    }

    /// A check was made whose report may be expensive.
    fn saw_within(&mut self, event: impl FnOnce(&Budget) -> Event)
    where
        Self: Sized,
    {
        let event = self.budget().map(event);
        if let Some(event) = event {
            self.record(event);
        }
    }

    /// Whether a check that only informs may be made, which takes this effort in nanoseconds.
    fn affords(&self, effort: f64) -> bool {
        self.budget().is_some_and(|budget| budget.spend(effort))
    }

    /// Whether the decision has made this check, of which there is one.
    fn has(&self, check: Check) -> bool {
        let _ = check;
        false
    }

    /// The grant was remembered. No further check is made.
    fn remembers(&mut self) {}

    /// This profile decides, with this rule for the token's issuer.
    fn decides(&mut self, profile: &Profile, of_issuer: Option<&IssuerRule>) {
        let _ = (profile, of_issuer);
    }

    /// The decision is made at this time.
    fn starts(&mut self, now: NumericDate) {
        let _ = now;
    }

    /// Whether a key that verified the token may sign for its issuer.
    fn belongs(&mut self, to_its_issuer: bool) {
        let _ = to_its_issuer;
    }

    /// The decision is made. What is reported from now on only informs, and with `unverified`, it is about claims that no
    /// key has signed.
    fn informs(&mut self, unverified: bool) {
        let _ = unverified;
    }

    /// This token is denied.
    fn holds(&mut self, token: &str) {
        let _ = token;
    }

    /// This is the payload of the token that is denied.
    fn reads(&mut self, payload: &str) {
        let _ = payload;
    }

    /// The keys are considered from the beginning. What was reported about keys before does not count.
    fn restarts_keys(&mut self) {}

    /// The keys of a source are considered.
    fn offers(&mut self, issuers: &KeyIssuers, keys: &KeySet) {
        let _ = (issuers, keys);
    }

    /// A key of the source that was offered last is selected by the `kid`. With `fits`, it can be used with the
    /// algorithm.
    fn selects(&mut self, key: &Key, fits: bool) {
        let _ = (key, fits);
    }

    /// A selected key has checked the signature.
    fn tries(&mut self, key: &PreparedKey, verified: bool) {
        let _ = (key, verified);
    }
}

impl Watch for () {
    fn needs_checks(&self) -> bool {
        false
    }
}

impl Watch for &mut dyn Watch {
    fn needs_checks(&self) -> bool {
        (**self).needs_checks()
    }

    fn records(&self) -> bool {
        (**self).records()
    }

    fn record(&mut self, event: Event) {
        (**self).record(event);
    }

    fn budget(&self) -> Option<&Budget> {
        (**self).budget()
    }

    fn has(&self, check: Check) -> bool {
        (**self).has(check)
    }

    fn remembers(&mut self) {
        (**self).remembers();
    }

    fn decides(&mut self, profile: &Profile, of_issuer: Option<&IssuerRule>) {
        (**self).decides(profile, of_issuer);
    }

    fn starts(&mut self, now: NumericDate) {
        (**self).starts(now);
    }

    fn belongs(&mut self, to_its_issuer: bool) {
        (**self).belongs(to_its_issuer);
    }

    fn informs(&mut self, unverified: bool) {
        (**self).informs(unverified);
    }

    fn holds(&mut self, token: &str) {
        (**self).holds(token);
    }

    fn reads(&mut self, payload: &str) {
        (**self).reads(payload);
    }

    fn restarts_keys(&mut self) {
        (**self).restarts_keys();
    }

    fn offers(&mut self, issuers: &KeyIssuers, keys: &KeySet) {
        (**self).offers(issuers, keys);
    }

    fn selects(&mut self, key: &Key, fits: bool) {
        (**self).selects(key, fits);
    }

    fn tries(&mut self, key: &PreparedKey, verified: bool) {
        (**self).tries(key, verified);
    }
}

pub(crate) mod sealed {
    /// Keeps the list of watchers short.
    pub(crate) trait Sealed {}

    impl Sealed for () {}
    impl Sealed for &mut dyn super::Watch {}
}

macro_rules! checks {
    ($( $variant:ident $name:literal $stage:ident $text:literal; )*) => {
        /// The checks of a decision. Their names are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Check { $( #[doc = $text] $variant, )* }

        impl Check {
            /// Every check, in the order of the usual decision.
            pub const ALL: &'static [Check] = &[ $( Check::$variant, )* ];

            /// The name of this check on the wire, in every language.
            pub const fn as_str(self) -> &'static str {
                match self { $( Check::$variant => $name, )* }
            }

            /// The stage of the pipeline that makes this check.
            pub const fn stage(self) -> Stage {
                match self { $( Check::$variant => Stage::$stage, )* }
            }

            /// What the check requires.
            pub const fn about(self) -> &'static str {
                match self { $( Check::$variant => $text, )* }
            }
        }
    };
}

checks! {
    Request "request" Extract "the request has the documented form and is not too large";
    Profile "profile" Extract "the profile exists and is open";
    Token "token" Extract "the request contains one token";
    Address "address" Extract "the caller's address is in an allowed network";
    TokenForm "token_form" Decode "the token is not too large and has three parts";
    HeaderType "header_type" Decode "the header names an accepted type (`typ`)";
    Header "header" Decode "the header can be read and uses no unsupported feature";
    TokenEncoding "token_encoding" Decode "payload and signature are base64url";
    Algorithm "algorithm" SelectKey "the algorithm is allowed";
    KeyId "key_id" SelectKey "the token names its key, if that is required";
    KeySource "key_source" SelectKey "the keys of a source are available";
    Key "key" SelectKey "a key fits the token";
    KeySelection "key_selection" SelectKey "at least one key fits the token";
    Signature "signature" VerifySignature "a key verifies the signature";
    ClaimsForm "claims_form" ValidateClaims "the payload is a claims set";
    ClaimsShape "claims_shape" ValidateClaims "the payload has the shape that is checked before the keys";
    IssuerProfile "issuer_profile" ValidateClaims "the profile decides the tokens of the issuer";
    ClaimTypes "claim_types" ValidateClaims "the registered claims have the right types";
    RequiredClaim "required_claim" ValidateClaims "a required claim is present";
    ClaimValues "claim_values" ValidateClaims "no registered claim has a value that is always refused";
    Issuer "issuer" ValidateClaims "the issuer is accepted, and the key may sign for it";
    Subject "subject" ValidateClaims "the subject is the accepted one";
    Audience "audience" ValidateClaims "an accepted audience is named";
    UnexpectedAudience "unexpected_audience" ValidateClaims "no audience is named if none is configured";
    AnyTime "any_time" ValidateClaims "the token has a time claim";
    NotBefore "not_before" ValidateClaims "`nbf` is not in the future";
    Expires "expires" ValidateClaims "`exp` is not in the past";
    IssuedAt "issued_at" ValidateClaims "`iat` is not in the future";
    MaxAge "max_age" ValidateClaims "the token is not older than the maximum age";
    Claim "claim" ValidateClaims "a claim passes its test";
    Name "name" MapIdentity "the caller's name can be mapped";
    Email "email" MapIdentity "the e-mail address can be mapped";
    DisplayName "display_name" MapIdentity "the display name can be mapped";
    Metadata "metadata" MapIdentity "a value can be mapped";
    Groups "groups" MapIdentity "the groups can be mapped";
    List "list" MapIdentity "a list can be mapped";
    Requirement "requirement" Decide "a claim passes its test, after the identity is mapped";
    Policies "policies" Decide "no policy of the configuration is forbidden";
    Role "role" Decide "the expression gives a valid role";
    OrgRole "org_role" Decide "the expression gives a role in an organisation";
    ExternalOrgs "external_orgs" Decide "the external organisations can be read";
    OrgRoles "org_roles" Decide "the caller has a role in an organisation";
    Binding "binding" Decide "a binding rule selects the caller, and its name is valid";
    Bindings "bindings" Decide "at least one binding rule gives something";
    NameRequired "name_required" MapIdentity "the caller has a name, after every other check";
    Session "session" Decide "the terms of the session";
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed, and its failure is the decision.
    Failed,
    /// Nothing is configured for it, or it does not concern this token.
    NotApplicable,
    /// It was not made, because an earlier check failed.
    NotReached,
}

impl Outcome {
    /// The name of this outcome on the wire, in every language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::NotApplicable => "not_applicable",
            Outcome::NotReached => "not_reached",
        }
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.as_str())
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.as_str())
    }
}

/// Which of several checks of one kind a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum At {
    /// The only one.
    Only,
    /// The one for this item of a list in the policy.
    Index(usize),
    /// The one for this rule of the token's issuer.
    OfIssuer(usize),
    /// The one for this member of an object in the policy.
    Name(String),
}

/// A report about a check.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) check: Check,
    pub(crate) at: At,
    pub(crate) outcome: Outcome,
    /// Why it failed.
    pub(crate) error: Option<Error>,
    pub(crate) seen: Option<Seen>,
    pub(crate) parts: Vec<Part>,
    /// A sentence that replaces the usual one. It contains nothing from the token.
    pub(crate) note: Option<String>,
}

impl Event {
    /// A check with this result.
    pub(crate) fn of<T>(check: Check, result: &Result<T>) -> Event {
        Event {
            check,
            at: At::Only,
            outcome: if result.is_ok() {
                Outcome::Passed
            } else {
                Outcome::Failed
            },
            error: result.as_ref().err().cloned(),
            seen: None,
            parts: Vec::new(),
            note: None,
        }
    }

    /// A check that passed.
    pub(crate) fn passed(check: Check) -> Event {
        Event::of(check, &Ok(()))
    }

    /// A check that failed.
    pub(crate) fn failed(check: Check, why: &Error) -> Event {
        Event::of::<()>(check, &Err(why.clone()))
    }

    /// A check that was not made.
    pub(crate) fn not_applicable(check: Check) -> Event {
        Event::passed(check).if_applicable(false)
    }

    pub(crate) fn at(mut self, at: At) -> Event {
        self.at = at;
        self
    }

    /// Says whether the check concerns the token. If not, it has not passed either.
    pub(crate) fn if_applicable(mut self, applies: bool) -> Event {
        if !applies && self.outcome == Outcome::Passed {
            self.outcome = Outcome::NotApplicable;
        }
        self
    }

    pub(crate) fn seen(mut self, seen: Seen) -> Event {
        self.seen = Some(seen);
        self
    }

    pub(crate) fn parts(mut self, parts: Vec<Part>) -> Event {
        self.parts = parts;
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Event {
        self.note = Some(note.into());
        self
    }
}
