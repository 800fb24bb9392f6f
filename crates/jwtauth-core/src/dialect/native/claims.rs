//! The requirements for the claims.

use std::time::Duration;

use super::identity;
use super::issuers::Known;
use super::layers::Layers;
use crate::error::Result;
use crate::expr::{Glob, Selection};
use crate::json::Value;
use crate::members::Field;
use crate::policy::{
    AudienceRule, ClaimRule, ClaimTest, ClaimsPolicy, Leeway, NullIsAbsent, RegisteredCheck, Synthesis,
    TimesRule,
};

/// Reads the requirements for the claims.
pub(super) fn read(layers: &mut Layers<'_, '_, '_>, known: &Known) -> Result<ClaimsPolicy> {
    Ok(ClaimsPolicy {
        issuers: known.accepted(layers)?,
        subject: layers.read("subject", Field::owned_text)?,
        audience: audience_rule(layers)?,
        required: layers
            .read("required_claims", Field::strings)?
            .unwrap_or_else(|| ClaimsPolicy::default().required),
        times: TimesRule {
            leeway: layers.read("leeway", leeway)?.unwrap_or_default(),
            expires: layers.read("expires", Field::choice)?.unwrap_or_default(),
            max_age: layers.read("max_age", Field::duration)?,
            check_iat: layers.read("check_iat", Field::boolean)?.unwrap_or(true),
            whole_seconds: layers.read("whole_seconds", Field::boolean)?.unwrap_or_default(),
            zero_is_absent: layers.read("zero_is_absent", Field::boolean)?.unwrap_or_default(),
            synthesise: layers.read("synthesise", synthesis)?,
        },
        null_is_absent: layers.read("null_is_absent", null_is_absent)?.unwrap_or_default(),
        id_token: layers.read("id_token", Field::boolean)?.unwrap_or_default(),
        check_order: layers
            .read("check_order", check_order)?
            .unwrap_or(RegisteredCheck::DEFAULT_ORDER),
        rules: layers.read("claims", rules)?.unwrap_or_default(),
    })
}

/// Reads a list of rules about claims. A token must meet all of them.
pub(super) fn rules(field: &Field<'_, '_>) -> Result<Vec<ClaimRule>> {
    field.list_of(rule)
}

fn rule(field: &Field<'_, '_>) -> Result<ClaimRule> {
    let mut members = field.members()?;
    let select = identity::selection(&mut members, field)?;
    let equals = members
        .get("equals")
        .map(|field| ClaimTest::Equals(field.value().clone().into_owned()));
    let any_of = members.read("any_of", any_of)?;
    let glob = members.read("glob", globs)?;
    let list_numbers = members.read("list_numbers", Field::boolean)?.unwrap_or(true);
    let split = members.read("split", Field::owned_text)?;
    members.finish()?;
    let mut tests = equals.into_iter().chain(any_of).chain(glob);
    let test = match (tests.next(), tests.next(), &select) {
        (Some(test), None, _) => test,
        (None, _, Selection::JmesPath(_)) => ClaimTest::IsTrue {},
        (None, ..) => return Err(field.error("must have one of equals, any_of, glob")),
        (Some(_), Some(_), _) => return Err(field.error("must have only one of equals, any_of, glob")),
    };
    Ok(ClaimRule {
        select,
        test,
        list_numbers,
        split,
        place: field.path().to_owned(),
    })
}

fn any_of(field: &Field<'_, '_>) -> Result<ClaimTest> {
    let scalar = |item: &Field<'_, '_>| match item.value() {
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {
            Ok(item.value().clone().into_owned())
        }
        other => Err(item.error(format!(
            "must be a string, a number, true, false or null, not {}",
            other.type_name()
        ))),
    };
    field.list_of(scalar).map(ClaimTest::AnyOf)
}

fn globs(field: &Field<'_, '_>) -> Result<ClaimTest> {
    Ok(ClaimTest::Glob(
        field.strings()?.into_iter().map(Glob::new).collect(),
    ))
}

fn audience_rule(layers: &mut Layers<'_, '_, '_>) -> Result<AudienceRule> {
    let empty = layers.read("empty_audience", Field::boolean)?.unwrap_or_default();
    let rule = layers.read("audiences", |field| audience(field, empty))?;
    Ok(rule.unwrap_or_default())
}

/// Reads the accepted audiences. `empty` allows the empty string, which matches a token with an empty `aud`.
pub(super) fn audience(field: &Field<'_, '_>, empty: bool) -> Result<AudienceRule> {
    match field.value().as_str() {
        Some(AudienceRule::ANY) => Ok(AudienceRule::Any),
        Some(AudienceRule::ABSENT_OR_EMPTY) => Ok(AudienceRule::AbsentOrEmpty),
        Some(_) => Err(field.error("must be a list of audiences, or `any`")),
        None if empty => field.some_of(Field::owned_string).map(AudienceRule::OneOf),
        None => field.some_texts().map(AudienceRule::OneOf),
    }
}

/// Reads `true` (every claim), `false` (no claim) or a list of claims.
fn null_is_absent(field: &Field<'_, '_>) -> Result<NullIsAbsent> {
    match field.value() {
        Value::Bool(true) => Ok(NullIsAbsent::all()),
        Value::Bool(false) => Ok(NullIsAbsent::default()),
        Value::Array(_) => Ok(field.list_of(Field::choice)?.into_iter().collect()),
        other => Err(field.error(format!(
            "must be true, false or a list of claims, not {}",
            other.type_name()
        ))),
    }
}

fn leeway(field: &Field<'_, '_>) -> Result<Leeway> {
    if field.value().as_object().is_none() {
        return Err(
            field.error("must be an object with a duration for each claim, such as `{ \"exp\": \"60s\" }`")
        );
    }
    let mut members = field.members()?;
    let mut of =
        |claim| -> Result<Duration> { Ok(members.read(claim, Field::duration)?.unwrap_or(Leeway::DEFAULT)) };
    let leeway = Leeway {
        exp: of("exp")?,
        nbf: of("nbf")?,
        iat: of("iat")?,
    };
    members.finish()?;
    Ok(leeway)
}

fn synthesis(field: &Field<'_, '_>) -> Result<Synthesis> {
    let mut members = field.members()?;
    let synthesis = Synthesis {
        exp_after: members.require("exp_after")?.duration()?,
        nbf_before: members.require("nbf_before")?.duration()?,
    };
    members.finish()?;
    Ok(synthesis)
}

/// Reads the order of the checks. It cannot omit a check; each check is switched off by its own member.
fn check_order(field: &Field<'_, '_>) -> Result<[RegisteredCheck; RegisteredCheck::COUNT]> {
    let checks = field.list_of::<RegisteredCheck>(Field::choice)?;
    let complete = RegisteredCheck::DEFAULT_ORDER
        .iter()
        .all(|check| checks.contains(check));
    <[RegisteredCheck; RegisteredCheck::COUNT]>::try_from(checks)
        .ok()
        .filter(|_| complete)
        .ok_or_else(|| field.error("must list each of the nine checks exactly once"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::json;
    use crate::policy::{IssuerClaims, IssuerRules, KeyRule};

    #[test]
    fn an_empty_configuration_gives_the_default() {
        let nothing = json::parse("{}").unwrap();
        let mut members = Field::root(&nothing, Code::ConfigInvalid).members().unwrap();
        let known = Known::new(
            &IssuerClaims::default(),
            &KeyRule::empty(),
            &IssuerRules::default(),
        );
        let read = read(&mut Layers::top(&mut members), &known).unwrap();
        let print = |claims: &ClaimsPolicy| serde_json::to_string(claims).unwrap();
        assert_eq!(print(&read), print(&ClaimsPolicy::default()));
    }
}
