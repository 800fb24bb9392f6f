//! `expect_claims`.

use std::time::Duration;

use serde_json::Value;

use super::place::{self, Place};
use super::settings::Settings;
use crate::error::{Code, Result};
use crate::expr::Selection;
use crate::json;
use crate::policy::{
    AudienceRule, Boundary, ClaimRule, ClaimTest, ClaimsPolicy, Issuer, Leeway, NullIsAbsent, NullableClaim,
    TimesRule,
};

/// Reads the requirements for the claims.
pub(super) fn rule(settings: &Settings, place: &Place<'_, '_, '_>) -> Result<ClaimsPolicy> {
    let error = |problem: String| place.error(Code::ConfigInvalid, "expect_claims", problem);
    let mut policy = nothing_expected();
    let text = settings.text("expect_claims");
    if text.is_empty() {
        return Ok(policy);
    }
    // Repeated names are allowed here and the last one is used, as in Grafana.
    let expected: Option<serde_json::Map<String, Value>> =
        serde_json::from_str(text).map_err(|why| error(format!("is not a JSON object ({why})")))?;
    for (name, value) in expected.into_iter().flatten() {
        expect(&mut policy, &name, value).map_err(error)?;
    }
    Ok(policy)
}

/// Adds one expectation. An empty expectation of a registered claim switches its check off.
fn expect(policy: &mut ClaimsPolicy, name: &str, value: Value) -> Result<(), String> {
    match name {
        "iss" => policy.issuers = text(name, value)?.map(Issuer::Text).into_iter().collect(),
        "sub" => policy.subject = text(name, value)?,
        "aud" => {
            let audiences = audiences(value)?;
            if !audiences.is_empty() {
                policy.audience = AudienceRule::OneOf(audiences);
            }
        }
        _ => {
            let value = json::parse(&value.to_string())
                .map_err(|why| why.to_string())?
                .into_owned();
            let test = ClaimTest::Equals(value);
            let place = place::of(&format!("expect_claims.{name}"));
            policy
                .rules
                .push(ClaimRule::new(Selection::claim(name), test, place));
        }
    }
    Ok(())
}

/// Reads a text. Returns `None` if it is empty.
fn text(name: &str, value: Value) -> Result<Option<String>, String> {
    match value {
        Value::String(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        other => Err(format!(
            "\"{name}\" expectation has invalid type {}, string expected",
            go_type(&other)
        )),
    }
}

fn audiences(value: Value) -> Result<Vec<String>, String> {
    let one = |item: Value| match item {
        Value::String(one) => Ok(one),
        other => Err(format!(
            "\"aud\" expectation contains value with invalid type {}, string expected",
            go_type(&other)
        )),
    };
    match value {
        Value::String(one) => Ok(vec![one]),
        Value::Array(items) => items.into_iter().map(one).collect(),
        other => Err(format!(
            "\"aud\" expectation has invalid type {}, array or string expected",
            go_type(&other)
        )),
    }
}

/// Returns the checks that Grafana makes without `expect_claims`.
pub(super) fn nothing_expected() -> ClaimsPolicy {
    ClaimsPolicy {
        audience: AudienceRule::Any,
        required: vec!["sub".to_owned()],
        times: TimesRule {
            leeway: Leeway::all(Duration::from_secs(60)),
            expires: Boundary::After,
            whole_seconds: true,
            ..TimesRule::default()
        },
        // Grafana passes an `iss` of `null` in its check of "not applicable", and then denies it.
        null_is_absent: NullIsAbsent::except(&[NullableClaim::Iss]),
        ..ClaimsPolicy::default()
    }
}

/// Returns Go's name for the type of a decoded JSON value, because Grafana's messages contain it.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
