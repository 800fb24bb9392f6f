//! What applies to the tokens of single issuers.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::claims::{AudienceRule, ClaimRule};
use super::issuers::Issuer;

/// What applies to the tokens of an issuer, in addition to the rules of the profile.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct IssuerRule {
    /// The accepted audiences, instead of those of the profile.
    #[serde(flatten)]
    pub audience: Option<AudienceRule>,
    /// Further rules about claims. All must hold.
    #[serde(rename = "claims", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<ClaimRule>,
    /// The profile that decides the tokens of this issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// The rules for the tokens of single issuers.
#[derive(Debug, Clone, Default)]
pub(crate) struct IssuerRules(Vec<(Issuer, IssuerRule)>);

impl IssuerRules {
    /// Each issuer with its rule.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Issuer, &IssuerRule)> {
        self.0.iter().map(|(issuer, rule)| (issuer, rule))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rule for the tokens of `iss`. `claim` returns the text of a claim of the token.
    pub(crate) fn of<'c>(&self, iss: &str, claim: impl Fn(&str) -> Option<&'c str>) -> Option<&IssuerRule> {
        let found = self.iter().find(|(issuer, _)| issuer.is(iss, &claim));
        found.map(|(_, rule)| rule)
    }

    /// The profiles that decide the tokens of single issuers.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(_, rule)| rule.profile.as_deref())
    }
}

impl FromIterator<(Issuer, IssuerRule)> for IssuerRules {
    /// Sorts texts before templates: the rule of an issuer is used before that of a template.
    fn from_iter<I: IntoIterator<Item = (Issuer, IssuerRule)>>(rules: I) -> IssuerRules {
        let mut rules: Vec<(Issuer, IssuerRule)> = rules.into_iter().collect();
        rules.sort_by_cached_key(|(issuer, _)| (issuer.template().is_some(), issuer.text()));
        IssuerRules(rules)
    }
}

impl Serialize for IssuerRules {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut members = out.serialize_map(Some(self.0.len()))?;
        for (issuer, rule) in self.iter() {
            members.serialize_entry(issuer, rule)?;
        }
        members.end()
    }
}
