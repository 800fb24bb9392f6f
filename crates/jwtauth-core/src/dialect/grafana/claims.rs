//! `expect_claims`.

use std::time::Duration;

use serde_json::Value;

use super::place::Place;
use super::settings::Settings;
use crate::error::{Code, Result};
use crate::expr::Selection;
use crate::json;
use crate::policy::{
    AudienceRule, Boundary, ClaimRule, ClaimTest, ClaimsPolicy, Leeway, NullIsAbsent, NullableClaim,
    TimesRule,
};

/// What must hold of the claims.
pub(super) fn rule(settings: &Settings, place: &Place<'_, '_, '_>) -> Result<ClaimsPolicy> {
    let error = |problem: String| place.error(Code::ConfigInvalid, "expect_claims", problem);
    let mut policy = nothing_expected();
    let text = settings.text("expect_claims");
    if text.is_empty() {
        return Ok(policy);
    }
    // Equal names are allowed here and the last one counts, as in Grafana.
    let expected: Option<serde_json::Map<String, Value>> =
        serde_json::from_str(text).map_err(|why| error(format!("is no JSON object ({why})")))?;
    for (name, value) in expected.into_iter().flatten() {
        expect(&mut policy, &name, value).map_err(error)?;
    }
    Ok(policy)
}

/// Adds one expectation; an empty one of a registered claim switches its check off.
fn expect(policy: &mut ClaimsPolicy, name: &str, value: Value) -> Result<(), String> {
    match name {
        "iss" => policy.issuers = text(name, value)?.into_iter().collect(),
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
            policy.rules.push(ClaimRule::new(Selection::claim(name), test));
        }
    }
    Ok(())
}

/// A text; `None` when it is empty.
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

/// What Grafana checks without being told to.
pub(super) fn nothing_expected() -> ClaimsPolicy {
    ClaimsPolicy {
        audience: AudienceRule::Anybody,
        required: vec!["sub".to_owned()],
        times: TimesRule {
            leeway: Leeway::all(Duration::from_secs(60)),
            expires: Boundary::After,
            whole_seconds: true,
            ..TimesRule::default()
        },
        // An `iss` of `null` passes the test for "not for us", and is then refused.
        null_is_absent: NullIsAbsent::except(&[NullableClaim::Iss]),
        ..ClaimsPolicy::default()
    }
}

/// What Go calls the type of a decoded JSON value; Grafana's messages say it this way.
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
