//! The member `issuers`: what applies to the tokens of single issuers.

use super::claims;
use super::profiles::folded;
use crate::error::Result;
use crate::members::{Field, Members};
use crate::policy::{IssuerClaims, IssuerRule, IssuerRules};

/// Reads the rules for the tokens of single issuers.
pub(super) fn read(members: &mut Members<'_, '_>, issuer_claims: &IssuerClaims) -> Result<IssuerRules> {
    let ignore_case = members.peek("profiles_ignore_case");
    let ignore_case = ignore_case.is_some_and(|field| field.boolean().unwrap_or_default());
    let Some(field) = members.get_non_null("issuers") else {
        return Ok(IssuerRules::default());
    };
    let entries = field.entries()?;
    if entries.is_empty() {
        return Err(field.error("must not be empty"));
    }
    let rules = entries.iter().map(|(name, rule)| {
        if name.is_empty() {
            return Err(field.error("an issuer must have a name"));
        }
        let issuer = issuer_claims.read(name).map_err(|why| rule.error(why))?;
        Ok((issuer, of_issuer(rule, ignore_case)?))
    });
    rules.collect()
}

fn of_issuer(field: &Field<'_, '_>, ignore_case: bool) -> Result<IssuerRule> {
    let mut members = field.members()?;
    let rule = IssuerRule {
        audience: members.read("audiences", |field| claims::audience(field, false))?,
        rules: members.read("claims", claims::rules)?.unwrap_or_default(),
        profile: members.read("profile", |field| Ok(folded(field.text()?, ignore_case)))?,
    };
    members.finish()?;
    Ok(rule)
}
