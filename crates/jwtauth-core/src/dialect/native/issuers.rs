//! The members `issuer` and `issuer_claims`, and the `issuer` of a key source.

use super::layers::Layers;
use crate::error::Result;
use crate::members::{Field, Members};
use crate::policy::{Issuer, IssuerClaims, IssuerRules, KeyIssuers, KeyRule};

/// What the whole configuration says about issuers. The profiles need it.
pub(super) struct Known {
    claims: IssuerClaims,
    /// The issuers that the key sources name.
    of_keys: Vec<Issuer>,
    /// The issuers that have rules.
    of_rules: Vec<Issuer>,
    /// Whether a key source may sign for any issuer.
    has_keys_for_any: bool,
    /// Whether the rules of an issuer name audiences.
    has_audiences: bool,
}

impl Known {
    pub(super) fn new(claims: &IssuerClaims, keys: &KeyRule, rules: &IssuerRules) -> Known {
        let mut sources = keys.sources.iter();
        let named = keys.sources.iter().flat_map(|source| source.issuers.named());
        Known {
            claims: claims.clone(),
            of_keys: named.cloned().collect(),
            of_rules: rules.iter().map(|(issuer, _)| issuer.clone()).collect(),
            has_keys_for_any: sources.any(|source| source.issuers.are_any()),
            has_audiences: rules.iter().any(|(_, rule)| rule.audience.is_some()),
        }
    }

    /// Whether a token with any `iss` can be accepted if a profile does not check it.
    pub(super) fn has_keys_for_any(&self) -> bool {
        self.has_keys_for_any
    }

    /// Whether the tokens of an issuer can have audiences that a profile does not name.
    pub(super) fn has_audiences(&self) -> bool {
        self.has_audiences
    }

    /// Reads the accepted issuers of a profile. The default is every issuer that the key sources name or that has rules.
    /// A list at the top level also contains those that have rules.
    pub(super) fn accepted(&self, layers: &mut Layers<'_, '_, '_>) -> Result<Vec<Issuer>> {
        let of_profile = layers.has_own("issuer");
        let mut accepted = match layers.get_non_null("issuer") {
            None if layers.has("issuer") => return Ok(Vec::new()),
            None => self.of_keys.clone(),
            Some(field) if of_profile => return self.some(&field),
            Some(field) => self.some(&field)?,
        };
        accepted.extend(self.of_rules.iter().cloned());
        Ok(without_duplicates(accepted))
    }

    fn some(&self, field: &Field<'_, '_>) -> Result<Vec<Issuer>> {
        some(field, &self.claims)
    }
}

/// Reads which claims the names in braces stand for. `null` means that braces have no meaning.
pub(super) fn claims(members: &mut Members<'_, '_>) -> Result<IssuerClaims> {
    match members.get("issuer_claims") {
        None => Ok(IssuerClaims::default()),
        Some(field) if field.is_null() => Ok(IssuerClaims::None),
        Some(field) => field.map_of(Field::owned_text).map(IssuerClaims::Named),
    }
}

/// Reads the issuers whose tokens the keys of a source may sign.
pub(super) fn of_keys(field: &Field<'_, '_>, claims: &IssuerClaims) -> Result<KeyIssuers> {
    if field.value().as_str() == Some(KeyIssuers::ANY) {
        return Ok(KeyIssuers::Any);
    }
    let named = some(field, claims)?;
    if named.iter().any(|issuer| issuer.text() == KeyIssuers::ANY) {
        return Err(field.error("must be `any` alone, without a list, or a list of issuers"));
    }
    Ok(KeyIssuers::OneOf(named))
}

/// Reads one issuer or a list of issuers.
fn some(field: &Field<'_, '_>, claims: &IssuerClaims) -> Result<Vec<Issuer>> {
    let one = |field: &Field<'_, '_>| claims.read(field.text()?).map_err(|why| field.error(why));
    if field.value().as_str().is_some() {
        Ok(vec![one(field)?])
    } else {
        field.some_of(one)
    }
}

fn without_duplicates(issuers: Vec<Issuer>) -> Vec<Issuer> {
    let mut unique = Vec::with_capacity(issuers.len());
    for issuer in issuers {
        if !unique.contains(&issuer) {
            unique.push(issuer);
        }
    }
    unique
}
