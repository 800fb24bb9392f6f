//! The part of the model that `validate` reads.

use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::duration;
use crate::expr::{Glob, Selection};
use crate::json::Value;

/// What must hold of the claims.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ClaimsPolicy {
    /// The acceptable issuers, compared byte for byte; empty: not checked.
    #[serde(rename = "issuer", serialize_with = "one_or_many")]
    pub issuers: Vec<String>,
    /// The only acceptable subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The audience.
    #[serde(flatten)]
    pub audience: AudienceRule,
    /// The claims that must be there.
    #[serde(rename = "required_claims")]
    pub required: Vec<String>,
    /// The times.
    #[serde(flatten)]
    pub times: TimesRule,
    /// Which registered claims count as absent if they are `null`.
    #[serde(skip_serializing_if = "NullIsAbsent::is_none")]
    pub null_is_absent: NullIsAbsent,
    /// The order in which the registered claims are checked; the first failure is the one reported.
    #[serde(skip_serializing_if = "is_default_order")]
    pub check_order: [RegisteredCheck; RegisteredCheck::COUNT],
    /// Further rules, all of which must hold.
    #[serde(rename = "claims", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<ClaimRule>,
}

impl Default for ClaimsPolicy {
    /// What is asked by default: `exp` must be there, no issuer is checked, and no audience may be named.
    fn default() -> ClaimsPolicy {
        ClaimsPolicy {
            issuers: Vec::new(),
            subject: None,
            audience: AudienceRule::default(),
            required: vec!["exp".to_owned()],
            times: TimesRule::default(),
            null_is_absent: NullIsAbsent::default(),
            check_order: RegisteredCheck::DEFAULT_ORDER,
            rules: Vec::new(),
        }
    }
}

/// One of the checks of registered claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RegisteredCheck {
    /// `iss` is an acceptable issuer.
    Iss,
    /// `sub` is the acceptable subject.
    Sub,
    /// `aud` holds an acceptable audience.
    Aud,
    /// `aud` is absent when no audience is configured.
    UnexpectedAud,
    /// At least one of `exp`, `nbf`, `iat` is there (only with [`Synthesis`]).
    AnyTime,
    /// `nbf` has come.
    Nbf,
    /// `exp` has not.
    Exp,
    /// `iat` is not in the future.
    Iat,
    /// `iat` is not too long ago.
    MaxAge,
}

impl RegisteredCheck {
    /// How many checks there are.
    pub(crate) const COUNT: usize = 9;

    /// The order where a policy says nothing else.
    pub(crate) const DEFAULT_ORDER: [RegisteredCheck; RegisteredCheck::COUNT] = [
        RegisteredCheck::Iss,
        RegisteredCheck::Sub,
        RegisteredCheck::Aud,
        RegisteredCheck::UnexpectedAud,
        RegisteredCheck::AnyTime,
        RegisteredCheck::Nbf,
        RegisteredCheck::Exp,
        RegisteredCheck::Iat,
        RegisteredCheck::MaxAge,
    ];
}

/// The registered claims that count as absent if they are `null`; the others then have the wrong type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NullIsAbsent(Vec<NullableClaim>);

/// A registered claim that may be `null`. An `aud` of `null` has the wrong type in every system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NullableClaim {
    Iss,
    Sub,
    Exp,
    Nbf,
    Iat,
    Jti,
}

impl NullableClaim {
    /// All of them, in the order in which a policy is printed.
    const ALL: [NullableClaim; 6] = [
        NullableClaim::Iss,
        NullableClaim::Sub,
        NullableClaim::Exp,
        NullableClaim::Nbf,
        NullableClaim::Iat,
        NullableClaim::Jti,
    ];
}

impl NullIsAbsent {
    /// Every claim that may be `null`.
    pub(crate) fn all() -> NullIsAbsent {
        NullIsAbsent::except(&[])
    }

    /// Every claim that may be `null`, without these.
    pub(crate) fn except(others: &[NullableClaim]) -> NullIsAbsent {
        NullableClaim::ALL
            .into_iter()
            .filter(|claim| !others.contains(claim))
            .collect()
    }

    /// Whether this claim counts as absent if it is `null`.
    pub(crate) fn holds(&self, claim: NullableClaim) -> bool {
        self.0.contains(&claim)
    }

    fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<NullableClaim> for NullIsAbsent {
    /// Sorts the claims and removes duplicates, so that equal rules are printed alike.
    fn from_iter<I: IntoIterator<Item = NullableClaim>>(claims: I) -> NullIsAbsent {
        let claims: Vec<NullableClaim> = claims.into_iter().collect();
        let is_given = |claim: &NullableClaim| claims.contains(claim);
        NullIsAbsent(NullableClaim::ALL.into_iter().filter(is_given).collect())
    }
}

impl Serialize for NullIsAbsent {
    /// Prints all of them as `true`.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        if self.0.len() == NullableClaim::ALL.len() {
            out.serialize_bool(true)
        } else {
            self.0.serialize(out)
        }
    }
}

/// Whom a token may be meant for (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum AudienceRule {
    /// For one of these at least.
    OneOf(Vec<String>),
    /// For nobody in particular: a token that names an audience is refused. An empty list names nobody.
    #[default]
    Nobody,
    /// As `Nobody`, but an audience that is one empty text names nobody either.
    NobodyOrEmpty,
    /// For whomever.
    Anybody,
}

impl AudienceRule {
    /// How a policy says [`AudienceRule::NobodyOrEmpty`].
    pub(crate) const NOBODY_OR_EMPTY: &'static str = "none_or_empty";
    /// How a policy says [`AudienceRule::Anybody`].
    pub(crate) const ANYBODY: &'static str = "any";
}

impl Serialize for AudienceRule {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut members = out.serialize_map(None)?;
        match self {
            AudienceRule::OneOf(audiences) => {
                members.serialize_entry("audiences", audiences)?;
                // Only a policy that says so may have an empty audience.
                if audiences.iter().any(String::is_empty) {
                    members.serialize_entry("empty_audience", &true)?;
                }
            }
            AudienceRule::Nobody => {}
            AudienceRule::NobodyOrEmpty => {
                members.serialize_entry("audiences", AudienceRule::NOBODY_OR_EMPTY)?;
            }
            AudienceRule::Anybody => members.serialize_entry("audiences", AudienceRule::ANYBODY)?,
        }
        members.end()
    }
}

/// When a token is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TimesRule {
    /// How far each claim may be off.
    pub leeway: Leeway,
    /// Whether `exp` itself is still good.
    #[serde(skip_serializing_if = "Boundary::is_on_or_after")]
    pub expires: Boundary,
    /// How long after `iat` a token is accepted; the `iat` leeway applies.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "duration::serialize_option"
    )]
    pub max_age: Option<Duration>,
    /// Whether an `iat` in the future is refused.
    #[serde(skip_serializing_if = "is_true")]
    pub check_iat: bool,
    /// Whether fractions of a second are dropped from the claims, toward zero.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whole_seconds: bool,
    /// Whether a time of zero counts as absent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub zero_is_absent: bool,
    /// How absent times are made up; `None`: an absent time is not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synthesise: Option<Synthesis>,
}

impl Default for TimesRule {
    /// The times of RFC 7519 with some leeway: all that are there are checked, and none is made up.
    fn default() -> TimesRule {
        TimesRule {
            leeway: Leeway::default(),
            expires: Boundary::default(),
            max_age: None,
            check_iat: true,
            whole_seconds: false,
            zero_is_absent: false,
            synthesise: None,
        }
    }
}

/// How far each time may be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Leeway {
    /// For `exp`.
    #[serde(serialize_with = "duration::serialize")]
    pub exp: Duration,
    /// For `nbf`.
    #[serde(serialize_with = "duration::serialize")]
    pub nbf: Duration,
    /// For `iat`.
    #[serde(serialize_with = "duration::serialize")]
    pub iat: Duration,
}

impl Leeway {
    /// How far a time may be off by default.
    pub(crate) const DEFAULT: Duration = Duration::from_secs(60);

    /// The same for all three.
    pub(crate) const fn all(duration: Duration) -> Leeway {
        Leeway {
            exp: duration,
            nbf: duration,
            iat: duration,
        }
    }
}

impl Default for Leeway {
    fn default() -> Leeway {
        Leeway::all(Leeway::DEFAULT)
    }
}

/// The instant at which a token expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Boundary {
    /// At `exp` plus leeway it is expired (RFC 7519 §4.1.4: "on or after").
    #[default]
    OnOrAfter,
    /// At `exp` plus leeway it is still good.
    After,
}

impl Boundary {
    fn is_on_or_after(&self) -> bool {
        *self == Boundary::OnOrAfter
    }
}

/// How absent times are made up from those that are there; a token with none of the three is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Synthesis {
    /// An absent `exp` is the later of `iat` and `nbf` plus this.
    #[serde(serialize_with = "duration::serialize")]
    pub exp_after: Duration,
    /// An absent `nbf` is `iat`; without that it is `exp` minus this.
    #[serde(serialize_with = "duration::serialize")]
    pub nbf_before: Duration,
}

/// One rule about one claim, or about all of them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ClaimRule {
    /// The claim.
    #[serde(flatten)]
    pub select: Selection,
    /// What must hold of it.
    #[serde(flatten)]
    pub test: ClaimTest,
    /// Whether `any_of` compares numbers in a list too; else only a claim that is a number itself.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub list_numbers: bool,
    /// What a text is taken apart at, before it is compared; empty parts are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

impl ClaimRule {
    /// A rule about a claim as it stands.
    pub(crate) fn new(select: Selection, test: ClaimTest) -> ClaimRule {
        ClaimRule {
            select,
            test,
            list_numbers: true,
            split: None,
        }
    }
}

/// What must hold of a claim.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClaimTest {
    /// It is deeply equal to this: same types, numbers as in `any_of`, order of members aside.
    Equals(Value<'static>),
    /// It, or one of its elements, is one of these scalars; numbers compare by exact value.
    AnyOf(Vec<Value<'static>>),
    /// It, or one of its elements, is a text that one of these patterns matches.
    Glob(Vec<Glob>),
    /// It is `true`: the test is the selecting expression itself.
    #[serde(untagged)]
    IsTrue {},
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_true(value: &bool) -> bool {
    *value
}

fn is_default_order(order: &[RegisteredCheck; RegisteredCheck::COUNT]) -> bool {
    *order == RegisteredCheck::DEFAULT_ORDER
}

fn one_or_many<S: Serializer>(values: &[String], out: S) -> Result<S::Ok, S::Error> {
    match values {
        // Said aloud, because an absent `issuer` means a discovered one.
        [] => out.serialize_none(),
        [one] => out.serialize_str(one),
        many => many.serialize(out),
    }
}
