//! Consul's rules for the members of `Config`: it ignores the case of names and converts between scalar types.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::duration;
use crate::error::{Error, Result};
use crate::json::{Number, Value};
use crate::members::{self, Field};
use crate::warning::{Rule, Warning};

/// The members of an object by their documented names. The case in the configuration is ignored.
pub(super) struct AnyCase<'a, 't> {
    object: Field<'a, 't>,
    fields: BTreeMap<&'static str, Field<'a, 't>>,
}

impl<'a, 't> AnyCase<'a, 't> {
    /// Reads an object whose members must all be known.
    pub(super) fn read(field: &Field<'a, 't>, known: &[&'static str]) -> Result<AnyCase<'a, 't>> {
        let mut fields = BTreeMap::new();
        for (name, value) in field.entries()? {
            let Some(canonical) = known.iter().find(|known| known.eq_ignore_ascii_case(name)) else {
                return Err(field.error(members::unknown_member("", name, known)));
            };
            if fields.insert(*canonical, value).is_some() {
                return Err(field.error(format!("duplicate member `{canonical}`; letter case is ignored")));
            }
        }
        let object = field.clone();
        Ok(AnyCase { object, fields })
    }

    /// Returns a member that is present and not `null`.
    pub(super) fn get_non_null(&self, name: &'static str) -> Option<&Field<'a, 't>> {
        self.fields.get(name).filter(|field| !field.is_null())
    }

    /// Returns the path of a member, in the letter case of the configuration.
    pub(super) fn path(&self, name: &'static str) -> String {
        let given = self.get_non_null(name).map(|field| field.path().to_owned());
        given.unwrap_or_else(|| self.object.path_of(name))
    }

    /// Reads a text; an absent one is empty.
    pub(super) fn text(&self, name: &'static str) -> Result<String> {
        self.get_non_null(name).map_or(Ok(String::new()), weak_text)
    }

    /// Reads a list of texts. A scalar is a list with one element.
    pub(super) fn texts(&self, name: &'static str) -> Result<Vec<String>> {
        match self.get_non_null(name) {
            None => Ok(Vec::new()),
            Some(field) if field.value().as_array().is_some() => {
                field.items()?.iter().map(weak_text).collect()
            }
            Some(field) => Ok(vec![weak_text(field)?]),
        }
    }

    /// Reads a map from text to text, sorted by the names of the sources.
    pub(super) fn map(&self, name: &'static str) -> Result<Vec<(String, String)>> {
        let Some(field) = self.get_non_null(name) else {
            return Ok(Vec::new());
        };
        Ok(field.map_of(weak_text)?.into_iter().collect())
    }

    /// Reads a leeway. Zero means `default`, and a negative value means no leeway.
    pub(super) fn leeway(
        &self,
        name: &'static str,
        default: Duration,
        warnings: &mut Vec<Warning>,
    ) -> Result<Duration> {
        let Some(field) = self.get_non_null(name) else {
            return Ok(default);
        };
        let (negative, leeway) = leeway(field, warnings)?;
        if !negative && leeway.is_zero() {
            warnings.push(Warning::new(
                Rule::LeewayZeroIsDefault,
                field.path(),
                format!(
                    "zero means the default of {} here; write a negative value, such as `\"-1s\"`, for none",
                    duration::to_go(default)
                ),
            ));
        }
        Ok(match (negative, leeway) {
            (true, _) => Duration::ZERO,
            (false, Duration::ZERO) => default,
            (false, leeway) => leeway,
        })
    }
}

/// Reads a text. Other scalars are converted to text as Consul does it.
fn weak_text(field: &Field<'_, '_>) -> Result<String> {
    Ok(match field.value() {
        Value::String(text) => text.to_string(),
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Number(Number::Unsigned(number)) if *number <= MAX_EXACT => number.to_string(),
        Value::Number(Number::Signed(number)) if number.unsigned_abs() <= MAX_EXACT => number.to_string(),
        // Consul's text for such a number has a different notation.
        Value::Number(_) => return Err(field.error("must be a string; put the number in quotes")),
        Value::Null => String::new(),
        Value::Array(_) => return Err(field.error("must be a string, not a list")),
        Value::Object(_) => return Err(field.error("must be a string, not an object")),
    })
}

/// Reads a leeway and its sign: Go's syntax or a number.
///
/// Large numbers are nanoseconds, as Consul's clients write them. Small numbers are seconds, as Consul's documentation
/// specifies.
fn leeway(field: &Field<'_, '_>, warnings: &mut Vec<Warning>) -> Result<(bool, Duration)> {
    let number = match field.value() {
        Value::String(text) => match text.parse::<i64>() {
            // Consul reads a leading zero as octal.
            Ok(number) if number.to_string() == **text => number,
            Ok(_) | Err(_) => {
                return match duration::parse_go(text) {
                    None => Err(field.error(format!("`{text}` is not a duration; write for example `150s`"))),
                    Some((false, leeway)) if leeway > MAX_LEEWAY => Err(too_long(field)),
                    Some(leeway) => Ok(leeway),
                };
            }
        },
        Value::Number(Number::Unsigned(number)) => i64::try_from(*number).unwrap_or(i64::MAX),
        Value::Number(Number::Signed(number)) => *number,
        _ => return Err(field.error("must be a duration such as \"150s\"")),
    };
    match number {
        ..=-1 => Ok((true, Duration::ZERO)),
        0 => Ok((false, Duration::ZERO)),
        1..=MAX_SECONDS => {
            warnings.push(Warning::new(Rule::LeewayUnit, field.path(),
                format!(
                    "{number} is read as seconds, as Consul's documentation specifies; Consul itself reads nanoseconds, which is practically no leeway; write `\"{number}s\"`"
                ),
            ));
            Ok((false, Duration::from_secs(number.unsigned_abs())))
        }
        MIN_NANOSECONDS.. => match Duration::from_nanos(number.unsigned_abs()) {
            leeway if leeway > MAX_LEEWAY => Err(too_long(field)),
            leeway => Ok((false, leeway)),
        },
        _ => Err(field.error(format!(
            "{number} is too large for seconds and too small for nanoseconds; write for example `150s`"
        ))),
    }
}

fn too_long(field: &Field<'_, '_>) -> Error {
    field.error("is longer than 100 years; write for example `150s`")
}

/// 2^53: up to this number, different integers have different doubles. Consul reads numbers as doubles.
const MAX_EXACT: u64 = 1 << 53;
/// From 2^63 nanoseconds (about 292 years) on, Consul reads a number as negative.
const MAX_LEEWAY: Duration = Duration::from_secs(100 * 365 * 86_400);
const MAX_SECONDS: i64 = 86_400;
const MIN_NANOSECONDS: i64 = 1_000_000;
