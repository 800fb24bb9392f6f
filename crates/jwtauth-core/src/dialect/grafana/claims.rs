//! `expect_claims`.

use std::time::Duration;

use serde_json::Value;

use super::place::Place;
use super::settings::Settings;
use crate::error::{Code, Result};
use crate::expr::Selection;
use crate::json;
use crate::policy::{AudienceRule, Boundary, ClaimRule, ClaimTest, ClaimsPolicy, Leeway, TimesRule};

/// What must hold of the claims.
pub(super) fn rule(settings: &Settings, place: &Place<'_, '_, '_>) -> Result<ClaimsPolicy> {
    let error = |problem: String| place.error(Code::ConfigInvalid, "expect_claims", problem);
    let mut rule = nothing_expected();
    let text = settings.text("expect_claims");
    if text.is_empty() {
        return Ok(rule);
    }
    // Equal names are allowed here and the last one counts, as in Grafana.
    let expected: Option<serde_json::Map<String, Value>> =
        serde_json::from_str(text).map_err(|why| error(format!("is no JSON object ({why})")))?;
    for (name, value) in expected.into_iter().flatten() {
        match name.as_str() {
            "iss" | "sub" => {
                let Value::String(text) = value else {
                    return Err(error(format!(
                        "\"{name}\" expectation has invalid type {}, string expected",
                        go_type(&value)
                    )));
                };
                // An empty expectation switches the check off.
                if name == "iss" {
                    rule.issuers = Some(text).filter(|text| !text.is_empty()).into_iter().collect();
                } else {
                    rule.subject = Some(text).filter(|text| !text.is_empty());
                }
            }
            "aud" => {
                let audiences = match value {
                    Value::String(one) => vec![one],
                    Value::Array(items) => items
                        .into_iter()
                        .map(|item| match item {
                            Value::String(one) => Ok(one),
                            other => Err(error(format!(
                                "\"aud\" expectation contains value with invalid type {}, string expected",
                                go_type(&other)
                            ))),
                        })
                        .collect::<Result<Vec<_>>>()?,
                    other => {
                        return Err(error(format!(
                            "\"aud\" expectation has invalid type {}, array or string expected",
                            go_type(&other)
                        )));
                    }
                };
                if !audiences.is_empty() {
                    rule.audience = AudienceRule::OneOf(audiences);
                }
            }
            _ => {
                let value = value.to_string();
                let value = json::parse(&value)
                    .map_err(|why| error(why.to_string()))?
                    .into_owned();
                rule.rules
                    .push(ClaimRule::new(Selection::claim(name), ClaimTest::Equals(value)));
            }
        }
    }
    Ok(rule)
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
        null_is_absent: true,
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
