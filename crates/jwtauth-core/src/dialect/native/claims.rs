//! What must hold of the claims.

use std::time::Duration;

use super::identity;
use super::layers::Layers;
use crate::error::Result;
use crate::expr::{Glob, Selection};
use crate::json::Value;
use crate::members::Field;
use crate::policy::{
    AudienceRule, ClaimRule, ClaimTest, ClaimsRule, Leeway, RegisteredCheck, Synthesis, TimesRule,
};

/// Reads what must hold of the claims; keys of a discovered issuer are for its own tokens, unless `issuer` says
/// otherwise.
pub(super) fn read(layers: &mut Layers<'_, '_, '_>, discovered: Option<&str>) -> Result<ClaimsRule> {
    let boolean = |field: Option<Field<'_, '_>>, default| field.map_or(Ok(default), |field| field.boolean());
    Ok(ClaimsRule {
        issuers: match layers.get_non_null("issuer") {
            None if layers.has("issuer") => Vec::new(),
            None => discovered.map(str::to_owned).into_iter().collect(),
            Some(field) if field.value().as_str().is_some() => vec![field.text()?.to_owned()],
            Some(field) => field.some_strings()?,
        },
        subject: layers
            .get_non_null("subject")
            .map(|field| field.text().map(str::to_owned))
            .transpose()?,
        audience: layers
            .get_non_null("audiences")
            .map_or(Ok(AudienceRule::default()), |field| audience(&field))?,
        required: layers
            .get_non_null("required_claims")
            .map_or_else(|| Ok(vec!["exp".to_owned()]), |field| field.strings())?,
        times: TimesRule {
            leeway: leeway(layers.get_non_null("leeway"))?,
            expires: layers
                .get_non_null("expires")
                .map(|field| field.choice())
                .transpose()?
                .unwrap_or_default(),
            max_age: layers
                .get_non_null("max_age")
                .map(|field| field.duration())
                .transpose()?,
            check_iat: boolean(layers.get_non_null("check_iat"), true)?,
            whole_seconds: boolean(layers.get_non_null("whole_seconds"), false)?,
            zero_is_absent: boolean(layers.get_non_null("zero_is_absent"), false)?,
            synthesise: layers
                .get_non_null("synthesise")
                .map(|field| synthesis(&field))
                .transpose()?,
        },
        null_is_absent: boolean(layers.get_non_null("null_is_absent"), false)?,
        check_order: layers
            .get_non_null("check_order")
            .map_or(Ok(RegisteredCheck::DEFAULT_ORDER), |field| check_order(&field))?,
        rules: layers
            .get_non_null("claims")
            .map_or(Ok(Vec::new()), |field| rules(&field))?,
    })
}

/// Rules about claims, all of which must hold.
pub(super) fn rules(field: &Field<'_, '_>) -> Result<Vec<ClaimRule>> {
    field.items()?.iter().map(rule).collect()
}

fn rule(field: &Field<'_, '_>) -> Result<ClaimRule> {
    let mut members = field.members()?;
    let select = identity::selection(&mut members, field)?;
    let equals = members
        .get("equals")
        .map(|field| ClaimTest::Equals(field.value().clone().into_owned()));
    let any_of = members
        .get_non_null("any_of")
        .map(|field| any_of(&field))
        .transpose()?;
    let glob = members
        .get_non_null("glob")
        .map(|field| globs(&field))
        .transpose()?;
    let list_numbers = members
        .get_non_null("list_numbers")
        .map_or(Ok(true), |field| field.boolean())?;
    let split = members
        .get_non_null("split")
        .map(|field| field.text().map(str::to_owned))
        .transpose()?;
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
    })
}

fn any_of(field: &Field<'_, '_>) -> Result<ClaimTest> {
    let scalar = |item: &Field<'_, '_>| match item.value() {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(item.value().clone().into_owned()),
        other => Err(item.error(format!(
            "must be a string, a number, true or false, not {}",
            other.type_name()
        ))),
    };
    let scalars = field.items()?.iter().map(scalar).collect::<Result<_>>()?;
    Ok(ClaimTest::AnyOf(scalars))
}

fn globs(field: &Field<'_, '_>) -> Result<ClaimTest> {
    Ok(ClaimTest::Glob(
        field.strings()?.into_iter().map(Glob::new).collect(),
    ))
}

fn audience(field: &Field<'_, '_>) -> Result<AudienceRule> {
    match field.value().as_str() {
        Some(AudienceRule::ANYBODY) => Ok(AudienceRule::Anybody),
        Some(AudienceRule::NOBODY_OR_EMPTY) => Ok(AudienceRule::NobodyOrEmpty),
        Some(_) => Err(field.error("must be a list of audiences, or `any`")),
        None => field.some_strings().map(AudienceRule::OneOf),
    }
}

fn leeway(field: Option<Field<'_, '_>>) -> Result<Leeway> {
    let Some(field) = field else {
        return Ok(Leeway::all(DEFAULT_LEEWAY));
    };
    let mut members = field.members()?;
    let mut of = |claim| {
        members
            .get_non_null(claim)
            .map_or(Ok(DEFAULT_LEEWAY), |field| field.duration())
    };
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

/// An order, not a selection: each check is switched off by the member it is about, never by leaving it out here.
fn check_order(field: &Field<'_, '_>) -> Result<[RegisteredCheck; RegisteredCheck::COUNT]> {
    let checks = field
        .items()?
        .iter()
        .map(Field::choice)
        .collect::<Result<Vec<RegisteredCheck>>>()?;
    let complete = RegisteredCheck::DEFAULT_ORDER
        .iter()
        .all(|check| checks.contains(check));
    <[RegisteredCheck; RegisteredCheck::COUNT]>::try_from(checks)
        .ok()
        .filter(|_| complete)
        .ok_or_else(|| field.error("must name each of the nine checks once"))
}

const DEFAULT_LEEWAY: Duration = Duration::from_secs(60);
