//! The rules that stage identity uses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::expr::Selection;

/// How the identity is mapped. The subject of the identity is always `sub`, if that is a text.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct IdentityRule {
    /// Where the name is, in order of preference. The first non-empty text is used. Empty: no name is mapped.
    #[serde(serialize_with = "one_or_many")]
    pub name: Vec<ValueRule>,
    /// Whether a name is required.
    #[serde(skip_serializing_if = "is_default")]
    pub named: Named,
    /// Where the e-mail address is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<ValueRule>,
    /// Where the display name is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<ValueRule>,
    /// The single values to copy.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, MetadataRule>,
    /// Where the groups are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<ListRule>,
    /// The lists to copy.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lists: BTreeMap<String, ListRule>,
}

/// Whether a name is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Named {
    /// Yes. A token without a name is refused immediately.
    #[default]
    Required,
    /// Yes, but a token without a name is refused only after every other check.
    RequiredAtLast,
    /// No.
    Optional,
}

/// How a single text is read from the claims.
#[derive(Debug, Clone, Serialize)]
#[serde(remote = "Self")]
pub(crate) struct ValueRule {
    /// The claim to read.
    #[serde(flatten)]
    pub select: Selection,
    /// Which values count as text.
    #[serde(skip_serializing_if = "is_default")]
    pub text: TextRule,
    /// The effect of an absent claim or of `null`.
    #[serde(skip_serializing_if = "is_default")]
    pub absent: AbsentRule,
    /// The effect of a value that does not count as text.
    #[serde(skip_serializing_if = "is_default")]
    pub other: OtherRule,
    /// Where the operator wrote the name of the claim. Empty if denials do not name the place.
    #[serde(skip)]
    pub place: String,
}

impl ValueRule {
    /// A text that may be absent. Any other value is refused.
    pub(crate) fn new(select: Selection) -> ValueRule {
        ValueRule {
            select,
            text: TextRule::default(),
            absent: AbsentRule::default(),
            other: OtherRule::default(),
            place: String::new(),
        }
    }

    /// Sets where the operator wrote the name of the claim.
    pub(crate) fn at(self, place: impl Into<String>) -> ValueRule {
        let place = place.into();
        ValueRule { place, ..self }
    }
}

impl Serialize for ValueRule {
    /// Prints a claim with default settings as its name only.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let ValueRule {
            select,
            text,
            absent,
            other,
            place: _,
        } = self;
        match select {
            Selection::Claim(name)
                if !name.is_empty() && is_default(text) && is_default(absent) && is_default(other) =>
            {
                out.serialize_str(name)
            }
            _ => ValueRule::serialize(self, out),
        }
    }
}

/// The source of a metadata value.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum MetadataRule {
    /// A fixed text.
    Fixed {
        /// The text.
        fixed: String,
    },
    /// A text from the claims.
    Value(ValueRule),
}

/// How a list of texts is read from the claims.
#[derive(Debug, Clone, Serialize)]
#[serde(remote = "Self")]
pub(crate) struct ListRule {
    /// The claim to read. A single scalar counts as a list of one, unless `other` drops it.
    #[serde(flatten)]
    pub select: Selection,
    /// Which elements count as text.
    #[serde(skip_serializing_if = "is_default")]
    pub text: TextRule,
    /// The effect of an absent claim or of `null`.
    #[serde(skip_serializing_if = "is_default")]
    pub absent: AbsentRule,
    /// The effect of a value or element that does not count as text. With `omit`, only a list is read.
    #[serde(skip_serializing_if = "is_default")]
    pub other: OtherRule,
    /// Whether empty texts are dropped.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drop_empty: bool,
    /// The separator at which a single text is split. Empty parts are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

impl ListRule {
    /// A list of texts that may be absent. Any other element is refused.
    pub(crate) fn new(select: Selection) -> ListRule {
        ListRule {
            select,
            text: TextRule::default(),
            absent: AbsentRule::default(),
            other: OtherRule::default(),
            drop_empty: false,
            split: None,
        }
    }
}

impl Serialize for ListRule {
    /// Prints a claim with default settings as its name only.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let ListRule {
            select,
            text,
            absent,
            other,
            drop_empty,
            split,
        } = self;
        let plain =
            is_default(text) && is_default(absent) && is_default(other) && !drop_empty && split.is_none();
        match select {
            Selection::Claim(name) if plain && !name.is_empty() => out.serialize_str(name),
            _ => ListRule::serialize(self, out),
        }
    }
}

/// Which values count as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TextRule {
    /// Only strings.
    #[default]
    Strings,
    /// Strings, numbers as they are written in JSON, and booleans.
    Scalars,
    /// As `scalars`, but numbers are truncated toward zero.
    TruncatedScalars,
}

/// The effect of an absent claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AbsentRule {
    /// The target is left out.
    #[default]
    Omit,
    /// The token is refused.
    Refuse,
}

/// The effect of a value of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OtherRule {
    /// The token is refused.
    #[default]
    Refuse,
    /// The value counts as absent. In a list, the element is dropped.
    Omit,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn one_or_many<S: Serializer>(rules: &[ValueRule], out: S) -> Result<S::Ok, S::Error> {
    match rules {
        // If it were left out, it would read back as the default.
        [] => out.serialize_none(),
        [one] => one.serialize(out),
        many => many.serialize(out),
    }
}
