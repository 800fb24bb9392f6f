//! The rules that stage validate uses.

use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::issuers::{Issuer, one_or_many};
use crate::duration;
use crate::expr::{Glob, Selection};
use crate::json::Value;

/// The requirements on the claims.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ClaimsPolicy {
    /// The accepted issuers. Empty: the issuer is not checked.
    #[serde(rename = "issuer", serialize_with = "one_or_many")]
    pub issuers: Vec<Issuer>,
    /// The only accepted subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The accepted audiences.
    #[serde(flatten)]
    pub audience: AudienceRule,
    /// The required claims.
    #[serde(rename = "required_claims")]
    pub required: Vec<String>,
    /// The rules about time claims.
    #[serde(flatten)]
    pub times: TimesRule,
    /// The registered claims that count as absent if they are `null`.
    #[serde(skip_serializing_if = "NullIsAbsent::is_none")]
    pub null_is_absent: NullIsAbsent,
    /// Whether the additional claims of an ID token must have the types that OpenID Connect specifies.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub id_token: bool,
    /// The order in which the registered claims are checked. The first failure is reported.
    #[serde(skip_serializing_if = "is_default_order")]
    pub check_order: [RegisteredCheck; RegisteredCheck::COUNT],
    /// Rules about other claims. All must hold.
    #[serde(rename = "claims", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<ClaimRule>,
}

impl Default for ClaimsPolicy {
    /// The default requirements: `exp` is required, the issuer is not checked, and the token must not name an
    /// audience.
    fn default() -> ClaimsPolicy {
        ClaimsPolicy {
            issuers: Vec::new(),
            subject: None,
            audience: AudienceRule::default(),
            required: vec!["exp".to_owned()],
            times: TimesRule::default(),
            null_is_absent: NullIsAbsent::default(),
            id_token: false,
            check_order: RegisteredCheck::DEFAULT_ORDER,
            rules: Vec::new(),
        }
    }
}

/// One of the checks of registered claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RegisteredCheck {
    /// `iss` is an accepted issuer.
    Iss,
    /// `sub` is the accepted subject.
    Sub,
    /// `aud` contains an accepted audience.
    Aud,
    /// `aud` is absent when no audience is configured.
    UnexpectedAud,
    /// At least one of `exp`, `nbf`, `iat` is present (only with [`Synthesis`]).
    AnyTime,
    /// `nbf` is not in the future.
    Nbf,
    /// `exp` is not in the past.
    Exp,
    /// `iat` is not in the future.
    Iat,
    /// `iat` is not older than the maximum age.
    MaxAge,
}

impl RegisteredCheck {
    /// The number of checks.
    pub(crate) const COUNT: usize = 9;

    /// The order of the checks if the policy sets none.
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

/// The registered claims that count as absent if they are `null`. The others then have the wrong type.
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
    /// Every claim, in the order in which a policy is printed.
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

    /// Every claim that may be `null`, except these.
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
    /// Sorts the claims and removes duplicates, so that equal rules are printed in the same way.
    fn from_iter<I: IntoIterator<Item = NullableClaim>>(claims: I) -> NullIsAbsent {
        let claims: Vec<NullableClaim> = claims.into_iter().collect();
        let is_given = |claim: &NullableClaim| claims.contains(claim);
        NullIsAbsent(NullableClaim::ALL.into_iter().filter(is_given).collect())
    }
}

impl Serialize for NullIsAbsent {
    /// Prints the complete list as `true`.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        if self.0.len() == NullableClaim::ALL.len() {
            out.serialize_bool(true)
        } else {
            self.0.serialize(out)
        }
    }
}

/// The audiences that a token may name (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum AudienceRule {
    /// The token must name at least one of these.
    OneOf(Vec<String>),
    /// A token that names an audience is refused. An empty list names no audience.
    #[default]
    Absent,
    /// As `Absent`, but an audience that is one empty text counts as absent.
    AbsentOrEmpty,
    /// The audience is not checked.
    Any,
}

impl AudienceRule {
    /// The value of `audiences` that means [`AudienceRule::AbsentOrEmpty`].
    pub(crate) const ABSENT_OR_EMPTY: &'static str = "none_or_empty";
    /// The value of `audiences` that means [`AudienceRule::Any`].
    pub(crate) const ANY: &'static str = "any";
}

impl Serialize for AudienceRule {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut members = out.serialize_map(None)?;
        match self {
            AudienceRule::OneOf(audiences) => {
                members.serialize_entry("audiences", audiences)?;
                // A policy with an empty audience must allow it with this member.
                if audiences.iter().any(String::is_empty) {
                    members.serialize_entry("empty_audience", &true)?;
                }
            }
            AudienceRule::Absent => {}
            AudienceRule::AbsentOrEmpty => {
                members.serialize_entry("audiences", AudienceRule::ABSENT_OR_EMPTY)?;
            }
            AudienceRule::Any => members.serialize_entry("audiences", AudienceRule::ANY)?,
        }
        members.end()
    }
}

/// The rules about the time claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TimesRule {
    /// The tolerance for each time claim.
    pub leeway: Leeway,
    /// Whether a token is valid at the instant `exp` itself.
    #[serde(skip_serializing_if = "Boundary::is_on_or_after")]
    pub expires: Boundary,
    /// The maximum age of a token, counted from `iat`. The `iat` leeway applies.
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
    /// Whether a time claim of zero counts as absent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub zero_is_absent: bool,
    /// How absent time claims are computed. `None`: an absent time claim is not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synthesise: Option<Synthesis>,
}

impl Default for TimesRule {
    /// The time claims of RFC 7519 with some leeway: those that are present are checked, and absent ones are not
    /// computed.
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

/// The tolerance for each time claim.
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
    /// The default leeway.
    pub(crate) const DEFAULT: Duration = Duration::from_secs(60);

    /// One leeway for all three claims.
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
    /// At `exp` plus leeway the token is expired (RFC 7519 §4.1.4: "on or after").
    #[default]
    OnOrAfter,
    /// At `exp` plus leeway the token is still valid.
    After,
}

impl Boundary {
    fn is_on_or_after(&self) -> bool {
        *self == Boundary::OnOrAfter
    }
}

/// How absent time claims are computed from those that are present. A token without any of the three is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Synthesis {
    /// An absent `exp` becomes the later of `iat` and `nbf`, plus this.
    #[serde(serialize_with = "duration::serialize")]
    pub exp_after: Duration,
    /// An absent `nbf` becomes `iat`. If that is absent too, it becomes `exp` minus this.
    #[serde(serialize_with = "duration::serialize")]
    pub nbf_before: Duration,
}

/// A rule about one claim, or about the whole claims set.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ClaimRule {
    /// The claim.
    #[serde(flatten)]
    pub select: Selection,
    /// The test that the claim must pass.
    #[serde(flatten)]
    pub test: ClaimTest,
    /// Where the operator wrote the rule. Denials name this place.
    #[serde(skip)]
    pub place: String,
    /// Whether `any_of` also compares numbers in a list. Otherwise it compares only a claim that is itself a number.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub list_numbers: bool,
    /// The separator at which a text is split before it is compared. Empty parts are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

impl ClaimRule {
    /// A rule about the claim as it is in the token.
    pub(crate) fn new(select: Selection, test: ClaimTest, place: impl Into<String>) -> ClaimRule {
        ClaimRule {
            select,
            test,
            place: place.into(),
            list_numbers: true,
            split: None,
        }
    }
}

/// The test that a claim must pass.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClaimTest {
    /// It is deeply equal to this: same types, numbers as in `any_of`; the order of members is ignored.
    Equals(Value<'static>),
    /// It, or one of its elements, is one of these scalars; numbers compare by exact value.
    AnyOf(Vec<Value<'static>>),
    /// It, or one of its elements, is a text that one of these patterns matches.
    Glob(Vec<Glob>),
    /// It is `true`. The selecting expression itself is the test.
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
