//! Strict reading of objects: the member `sessions` of a configuration, and requests.
//!
//! The text is first read by the core's parser, which refuses duplicate names.

use std::time::Duration;

use jwtauth_core::internals::json::{Number, Object, Value, parse};
use jwtauth_core::internals::{parse_go, unknown_member};
use serde_json::value::RawValue;

use crate::error::{Code, Error, Result};

/// A document, and the text of one of its members that was taken out.
#[derive(Debug)]
pub(crate) struct Split<'t> {
    /// The document without the member.
    pub(crate) rest: String,
    /// The text of the member.
    pub(crate) taken: Option<&'t str>,
}

/// Takes a member out of an object. `None` if the text is not an object with unique names; the core reports why.
pub(crate) fn split<'t>(text: &'t str, name: &str) -> Option<Split<'t>> {
    parse(text).ok()?.as_object()?;
    let members: Ordered<'t> = serde_json::from_str(text).ok()?;
    let mut rest = String::with_capacity(text.len());
    let mut taken = None;
    for (key, value) in members.0 {
        if key == name {
            taken = Some(value.get());
            continue;
        }
        rest.push(if rest.is_empty() { '{' } else { ',' });
        rest.push_str(&serde_json::to_string(&key).ok()?);
        rest.push(':');
        rest.push_str(value.get());
    }
    rest.push_str(if rest.is_empty() { "{}" } else { "}" });
    Some(Split { rest, taken })
}

/// The members of an object in the order of the text, with their texts as they are written.
struct Ordered<'t>(Vec<(String, &'t RawValue)>);

impl<'de> serde::Deserialize<'de> for Ordered<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Ordered<'de>, D::Error> {
        struct InOrder;

        impl<'de> serde::de::Visitor<'de> for InOrder {
            type Value = Ordered<'de>;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut members: A,
            ) -> Result<Ordered<'de>, A::Error> {
                let mut ordered = Vec::new();
                while let Some(member) = members.next_entry()? {
                    ordered.push(member);
                }
                Ok(Ordered(ordered))
            }
        }

        reader.deserialize_map(InOrder)
    }
}

/// The members of one object. Each is read by name.
#[derive(Debug)]
pub(crate) struct Members<'a, 't> {
    object: &'a Object<'t>,
    path: String,
    code: Code,
    known: Vec<&'static str>,
}

/// One value and its path.
#[derive(Debug)]
pub(crate) struct Field<'a, 't> {
    value: &'a Value<'t>,
    path: String,
    code: Code,
}

impl<'a, 't> Field<'a, 't> {
    /// The field at this path of a document that was parsed.
    pub(crate) fn new(value: &'a Value<'t>, path: &str, code: Code) -> Field<'a, 't> {
        Field {
            value,
            path: path.to_owned(),
            code,
        }
    }

    pub(crate) fn error(&self, problem: impl std::fmt::Display) -> Error {
        if self.path.is_empty() {
            Error::with(self.code, problem)
        } else {
            Error::with(self.code, format!("`{}`: {problem}", self.path))
        }
    }

    fn wanted(&self, what: &str) -> Error {
        self.error(format!("must be {what}, not {}", self.value.type_name()))
    }

    /// The value as JSON.
    pub(crate) fn as_text(&self) -> String {
        serde_json::to_string(self.value).unwrap_or_default()
    }

    /// Whether the value is an object with this member.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value
            .as_object()
            .is_some_and(|object| object.get(name).is_some())
    }

    pub(crate) fn string(&self) -> Result<&'a str> {
        self.value.as_str().ok_or_else(|| self.wanted("a string"))
    }

    /// Reads a non-empty string.
    pub(crate) fn text(&self) -> Result<&'a str> {
        let text = self.string()?;
        if text.is_empty() {
            return Err(self.error("must not be empty"));
        }
        Ok(text)
    }

    pub(crate) fn boolean(&self) -> Result<bool> {
        match self.value {
            Value::Bool(value) => Ok(*value),
            _ => Err(self.wanted("true or false")),
        }
    }

    /// Reads an integer in this range.
    pub(crate) fn between(&self, least: u64, most: u64) -> Result<u64> {
        match self.value {
            Value::Number(Number::Unsigned(value)) if (least..=most).contains(value) => Ok(*value),
            Value::Number(_) => Err(self.error(format!("must be an integer between {least} and {most}"))),
            _ => Err(self.wanted("an integer")),
        }
    }

    /// Reads a duration in Go's syntax that is greater than zero.
    pub(crate) fn duration(&self) -> Result<Duration> {
        let Some(text) = self.value.as_str() else {
            return Err(self.wanted("a duration such as \"90s\""));
        };
        match parse_go(text) {
            Some((false, duration)) if !duration.is_zero() => Ok(duration),
            Some(_) => Err(self.error("must be greater than zero")),
            None => Err(self.error(format!(
                "`{text}` is not a duration; write for example `90s` or `1h30m`"
            ))),
        }
    }

    /// Reads a duration of whole seconds.
    pub(crate) fn seconds(&self) -> Result<u64> {
        let duration = self.duration()?;
        if duration.subsec_nanos() != 0 {
            return Err(self.error("must be a whole number of seconds"));
        }
        Ok(duration.as_secs())
    }

    pub(crate) fn items(&self) -> Result<Vec<Field<'a, 't>>> {
        let items = self.value.as_array().ok_or_else(|| self.wanted("a list"))?;
        let items = items.iter().enumerate();
        Ok(items
            .map(|(index, value)| Field::new(value, &format!("{}[{index}]", self.path), self.code))
            .collect())
    }

    /// Reads an object whose names the caller chooses.
    pub(crate) fn entries(&self) -> Result<Vec<(&'a str, Field<'a, 't>)>> {
        let members = self
            .value
            .as_object()
            .ok_or_else(|| self.wanted("an object"))?
            .members();
        Ok(members
            .map(|(name, value)| (name, Field::new(value, &self.path_of(name), self.code)))
            .collect())
    }

    pub(crate) fn members(&self) -> Result<Members<'a, 't>> {
        Ok(Members {
            object: self.value.as_object().ok_or_else(|| self.wanted("an object"))?,
            path: self.path.clone(),
            code: self.code,
            known: Vec::new(),
        })
    }

    fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }
}

impl<'a, 't> Members<'a, 't> {
    /// Returns a member; `None` if it is absent or `null`.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<Field<'a, 't>> {
        self.known.push(name);
        let value = self.object.get(name).filter(|value| !value.is_null())?;
        Some(Field::new(value, &join(&self.path, name), self.code))
    }

    /// Reads a member with `kind`; `None` if it is absent or `null`.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        kind: impl FnOnce(&Field<'a, 't>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.get(name).map(|field| kind(&field)).transpose()
    }

    /// Returns a required member.
    pub(crate) fn require(&mut self, name: &'static str) -> Result<Field<'a, 't>> {
        self.get(name)
            .ok_or_else(|| Error::with(self.code, format!("`{}` is missing", join(&self.path, name))))
    }

    /// Ends the reading. A member that was not read is an error.
    pub(crate) fn finish(self) -> Result<()> {
        let unknown = self.object.members().map(|(name, _)| name);
        match unknown.into_iter().find(|name| !self.known.contains(name)) {
            None => Ok(()),
            Some(name) => Err(Error::with(
                self.code,
                unknown_member(&self.path, name, &self.known),
            )),
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_member_is_taken_out_and_the_others_are_kept_as_written() {
        let text = r#" {"a\u0062": 1.50 , "sessions":{"x":[1, 2]},"b":"c"} "#;
        let split = split(text, "sessions").unwrap();
        assert_eq!(split.taken, Some(r#"{"x":[1, 2]}"#));
        assert_eq!(split.rest, r#"{"ab":1.50,"b":"c"}"#);
    }

    #[test]
    fn a_text_that_is_not_an_object_with_unique_names_is_not_split() {
        for text in [
            "",
            "[]",
            "{",
            r#"{"sessions":1,"sessions":2}"#,
            r#"{"a":{"b":1,"b":2}}"#,
        ] {
            assert!(split(text, "sessions").is_none(), "{text}");
        }
        assert_eq!(split(r#"{"sessions":1}"#, "sessions").unwrap().rest, "{}");
    }
}
