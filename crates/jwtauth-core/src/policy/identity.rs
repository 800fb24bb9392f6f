//! The part of the model that `identity` reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::expr::Selection;

/// Whom the claims name. `sub`, when it is a text, is always the identity's subject.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct IdentityRule {
    /// Where the name is, in order of preference; the first non-empty text wins. Empty: nobody is named.
    #[serde(serialize_with = "one_or_many")]
    pub name: Vec<ValueRule>,
    /// Whether somebody must be named.
    #[serde(skip_serializing_if = "is_default")]
    pub named: Named,
    /// Where the e-mail address is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<ValueRule>,
    /// Where the name to show is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<ValueRule>,
    /// Single values to copy.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, MetadataRule>,
    /// Where the groups are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<ListRule>,
    /// Lists to copy.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lists: BTreeMap<String, ListRule>,
}

/// Whether somebody must be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Named {
    /// Yes; a token that names nobody is refused at once.
    #[default]
    Required,
    /// Yes; but a token that names nobody is refused only after everything else was decided.
    RequiredAtLast,
    /// No.
    Optional,
}

/// A single text from the claims.
#[derive(Debug, Clone, Serialize)]
#[serde(remote = "Self")]
pub(crate) struct ValueRule {
    /// The claim.
    #[serde(flatten)]
    pub select: Selection,
    /// What counts as text.
    #[serde(skip_serializing_if = "is_default")]
    pub text: TextRule,
    /// What an absent claim or `null` means.
    #[serde(skip_serializing_if = "is_default")]
    pub absent: AbsentRule,
    /// What a value that does not count as text means.
    #[serde(skip_serializing_if = "is_default")]
    pub other: OtherRule,
}

impl ValueRule {
    /// A text that may be absent and must not be anything else.
    pub(crate) fn new(select: Selection) -> ValueRule {
        ValueRule {
            select,
            text: TextRule::default(),
            absent: AbsentRule::default(),
            other: OtherRule::default(),
        }
    }
}

impl Serialize for ValueRule {
    /// A claim about which nothing else is said is printed as its name.
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let ValueRule {
            select,
            text,
            absent,
            other,
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

/// What becomes a metadata value.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum MetadataRule {
    /// Always this text.
    Fixed {
        /// The text.
        fixed: String,
    },
    /// A text from the claims.
    Value(ValueRule),
}

/// A list of texts from the claims.
#[derive(Debug, Clone, Serialize)]
#[serde(remote = "Self")]
pub(crate) struct ListRule {
    /// The claim. A single scalar counts as a list of one, unless `other` drops it.
    #[serde(flatten)]
    pub select: Selection,
    /// What counts as text among the elements.
    #[serde(skip_serializing_if = "is_default")]
    pub text: TextRule,
    /// What an absent claim or `null` means.
    #[serde(skip_serializing_if = "is_default")]
    pub absent: AbsentRule,
    /// What a value or element that does not count means. With `omit`, only a list is looked into.
    #[serde(skip_serializing_if = "is_default")]
    pub other: OtherRule,
    /// Whether empty texts are left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drop_empty: bool,
    /// What a single text is taken apart at; empty parts are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

impl ListRule {
    /// A list of texts that may be absent and must not hold anything else.
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
    /// A claim about which nothing else is said is printed as its name.
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

/// What counts as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TextRule {
    /// Strings alone.
    #[default]
    Strings,
    /// Strings, numbers as they are written in JSON, and booleans.
    Scalars,
    /// As `scalars`, but numbers lose their fraction, toward zero.
    TruncatedScalars,
}

/// What an absent claim means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AbsentRule {
    /// The target is left out.
    #[default]
    Omit,
    /// The token is refused.
    Refuse,
}

/// What a value of another type means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OtherRule {
    /// The token is refused.
    #[default]
    Refuse,
    /// It counts as absent; in a list, that element is left out.
    Omit,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn one_or_many<S: Serializer>(rules: &[ValueRule], out: S) -> Result<S::Ok, S::Error> {
    match rules {
        // Left out, it would read back as the default.
        [] => out.serialize_none(),
        [one] => one.serialize(out),
        many => many.serialize(out),
    }
}
