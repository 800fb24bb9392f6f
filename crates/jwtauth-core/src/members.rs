//! Readers for JSON objects in which every member must be known.
//!
//! Configurations and requests are read member by member through [`Members`]. A member that was not read at the end is
//! an error, which suggests the most similar known member. Every error contains the path: `roles.web.user_claim`.

mod spelling;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::value::StrDeserializer;
use serde::de::{self, Deserialize};

use crate::duration;
use crate::error::{Code, Error, Result};
use crate::json::{Number, Object, Value};
use crate::ordered;

pub(crate) use self::spelling::suggestion;
pub use self::spelling::unknown_member;
use self::spelling::{is_near, join};

/// The members of one object. Each is read by name.
#[derive(Debug)]
pub(crate) struct Members<'a, 't> {
    object: &'a Object<'t>,
    path: String,
    code: Code,
    known: Vec<&'static str>,
}

/// One value and its path.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a, 't> {
    value: &'a Value<'t>,
    path: String,
    code: Code,
}

impl<'a, 't> Field<'a, 't> {
    /// Returns the field of a whole document. Errors about it and its members have this code.
    pub(crate) fn root(value: &'a Value<'t>, code: Code) -> Field<'a, 't> {
        Field {
            value,
            path: String::new(),
            code,
        }
    }

    /// Returns the value as a separate document: paths start here.
    pub(crate) fn as_root(&self) -> Field<'a, 't> {
        Field::root(self.value, self.code)
    }

    pub(crate) fn value(&self) -> &'a Value<'t> {
        self.value
    }

    /// The path, such as `a.b[0].c`. It is empty for the document itself.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path of a member of this object.
    pub(crate) fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Returns an error about this value.
    pub(crate) fn error(&self, problem: impl std::fmt::Display) -> Error {
        self.error_about(self.code, &problem)
    }

    /// Returns an error about this value with a separate code.
    pub(crate) fn error_of(&self, code: Code, problem: impl std::fmt::Display) -> Error {
        self.error_about(code, &problem)
    }

    #[cold]
    #[inline(never)]
    fn error_about(&self, code: Code, problem: &dyn std::fmt::Display) -> Error {
        if self.path.is_empty() {
            Error::new(code).with_detail(problem)
        } else {
            Error::new(code).with_detail(format!("`{}`: {problem}", self.path))
        }
    }

    /// Adds the path to the error of another reader.
    pub(crate) fn within(&self, error: Error) -> Error {
        self.error_of(error.code(), error.reason())
    }

    #[cold]
    #[inline(never)]
    fn wanted(&self, what: &str) -> Error {
        self.error(format!("must be {what}, not {}", self.value.type_name()))
    }

    pub(crate) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    pub(crate) fn string(&self) -> Result<&'a str> {
        self.value.as_str().ok_or_else(|| self.wanted("a string"))
    }

    /// Reads a non-empty string.
    pub(crate) fn text(&self) -> Result<&'a str> {
        let text = self.string()?;
        if text.is_empty() {
            Err(self.error("must not be empty"))
        } else {
            Ok(text)
        }
    }

    /// Reads a string and copies it.
    pub(crate) fn owned_string(&self) -> Result<String> {
        self.string().map(str::to_owned)
    }

    /// Reads a non-empty string and copies it.
    pub(crate) fn owned_text(&self) -> Result<String> {
        self.text().map(str::to_owned)
    }

    pub(crate) fn boolean(&self) -> Result<bool> {
        match self.value {
            Value::Bool(value) => Ok(*value),
            _ => Err(self.wanted("true or false")),
        }
    }

    /// Reads a non-negative integer.
    pub(crate) fn unsigned(&self) -> Result<u64> {
        match self.value {
            Value::Number(Number::Unsigned(value)) => Ok(*value),
            Value::Number(_) => Err(self.error("must be a non-negative integer")),
            _ => Err(self.wanted("a non-negative integer")),
        }
    }

    pub(crate) fn number(&self) -> Result<Number> {
        match self.value {
            Value::Number(number) => Ok(*number),
            _ => Err(self.wanted("a number")),
        }
    }

    /// Reads a non-negative duration: a string in Go's syntax.
    pub(crate) fn duration(&self) -> Result<Duration> {
        match self.value {
            Value::String(text) => match duration::parse_go(text) {
                Some((false, duration)) => Ok(duration),
                Some((true, _)) => Err(self.error("must not be negative")),
                None if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() => {
                    Err(self.without_unit(text))
                }
                None => Err(self.error(format!(
                    "`{text}` is not a duration; write for example `90s` or `1h30m`"
                ))),
            },
            Value::Number(number) => Err(self.without_unit(number)),
            _ => Err(self.wanted("a duration such as \"90s\"")),
        }
    }

    fn without_unit(&self, number: impl std::fmt::Display) -> Error {
        self.error(format!("a duration requires a unit; write `\"{number}s\"`"))
    }

    /// Reads a non-negative duration of whole seconds: a string in Go's syntax.
    pub(crate) fn seconds(&self) -> Result<u64> {
        let duration = self.duration()?;
        if duration.subsec_nanos() == 0 {
            Ok(duration.as_secs())
        } else {
            Err(self.error("must be a whole number of seconds"))
        }
    }

    /// Reads a string that is the name of an enum variant without fields.
    pub(crate) fn choice<T: Deserialize<'a>>(&self) -> Result<T> {
        let name = self.string()?;
        T::deserialize(StrDeserializer::<NotAChoice>::new(name)).map_err(|NotAChoice(choices)| {
            self.error(format!(
                "must be one of {}{}",
                choices.join(", "),
                suggestion(name, choices)
            ))
        })
    }

    /// Reads a list. Each element has its path.
    pub(crate) fn items(&self) -> Result<Vec<Field<'a, 't>>> {
        let items = self.value.as_array().ok_or_else(|| self.wanted("a list"))?;
        Ok(items
            .iter()
            .enumerate()
            .map(|(index, value)| Field {
                value,
                path: format!("{}[{index}]", self.path),
                code: self.code,
            })
            .collect())
    }

    /// Reads a list, and each element with `kind`.
    pub(crate) fn list_of<T>(&self, kind: impl Fn(&Field<'a, 't>) -> Result<T>) -> Result<Vec<T>> {
        self.items()?.iter().map(kind).collect()
    }

    /// Reads a list of strings.
    pub(crate) fn strings(&self) -> Result<Vec<String>> {
        self.list_of(Field::owned_string)
    }

    /// Reads a list with at least one element, and each element with `kind`.
    pub(crate) fn some_of<T>(&self, kind: impl Fn(&Field<'a, 't>) -> Result<T>) -> Result<Vec<T>> {
        let items = self.list_of(kind)?;
        if items.is_empty() {
            Err(self.error("must not be empty"))
        } else {
            Ok(items)
        }
    }

    /// Reads a list with at least one string. An empty string is refused.
    pub(crate) fn some_texts(&self) -> Result<Vec<String>> {
        self.some_of(Field::owned_text)
    }

    /// Reads an object whose members have fixed names.
    pub(crate) fn members(&self) -> Result<Members<'a, 't>> {
        let object = self.value.as_object().ok_or_else(|| self.wanted("an object"))?;
        Ok(Members {
            object,
            path: self.path.clone(),
            code: self.code,
            known: Vec::new(),
        })
    }

    /// Reads an object whose names the configuration chooses, and each value with `kind`.
    pub(crate) fn map_of<T>(
        &self,
        kind: impl Fn(&Field<'a, 't>) -> Result<T>,
    ) -> Result<BTreeMap<String, T>> {
        let entries = self.entries()?.into_iter();
        ordered::try_collect(entries.map(|(name, field)| Ok((name.to_owned(), kind(&field)?))))
    }

    /// Reads an object whose names the configuration chooses. Each value has its path.
    pub(crate) fn entries(&self) -> Result<Vec<(&'a str, Field<'a, 't>)>> {
        let object = self.value.as_object().ok_or_else(|| self.wanted("an object"))?;
        Ok(object
            .members()
            .map(|(name, value)| {
                (
                    name,
                    Field {
                        value,
                        path: join(&self.path, name),
                        code: self.code,
                    },
                )
            })
            .collect())
    }
}

impl<'a, 't> Members<'a, 't> {
    /// Returns the value of a member; `None` if it is absent.
    // As the functions that it calls, it is called in hundreds of places, only while a configuration is read.
    #[inline(never)]
    pub(crate) fn get(&mut self, name: &'static str) -> Option<Field<'a, 't>> {
        self.known.push(name);
        self.peek(name)
    }

    /// Returns the value of a member; `None` if it is absent or `null`.
    #[inline(never)]
    pub(crate) fn get_non_null(&mut self, name: &'static str) -> Option<Field<'a, 't>> {
        self.get(name).filter(|field| !field.is_null())
    }

    /// Reads a member with `kind`. Returns `None` if it is absent or `null`.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        kind: impl FnOnce(&Field<'a, 't>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.get_non_null(name).map(|field| kind(&field)).transpose()
    }

    /// Reads a member with a `kind` that accepts `null`. Returns `None` if it is absent.
    pub(crate) fn read_nullable<T>(
        &mut self,
        name: &'static str,
        kind: impl FnOnce(&Field<'a, 't>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.get(name).map(|field| kind(&field)).transpose()
    }

    /// Returns the value of a member without marking it as read: [`Members::finish`] still treats it as unknown.
    #[inline(never)]
    pub(crate) fn peek(&self, name: &str) -> Option<Field<'a, 't>> {
        let (_, value) = self.object.members().find(|(known, _)| *known == name)?;
        Some(Field {
            value,
            path: join(&self.path, name),
            code: self.code,
        })
    }

    /// Returns the name of each member, and the number of values in it.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'a str, usize)> {
        self.object.members().map(|(name, value)| (name, value.count()))
    }

    /// Returns the first member that is present, of those that were read so far.
    pub(crate) fn first_present(&self) -> Option<Field<'a, 't>> {
        self.known.iter().find_map(|name| self.peek(name))
    }

    /// Returns the value of a required member.
    #[inline(never)]
    pub(crate) fn require(&mut self, name: &'static str) -> Result<Field<'a, 't>> {
        self.get(name).ok_or_else(|| {
            let missing = format!("`{}` is missing", join(&self.path, name));
            let misspelt = self
                .object
                .members()
                .find(|(given, _)| !self.known.contains(given) && is_near(given, name));
            Error::new(self.code).with_detail(match misspelt {
                Some((given, _)) => format!("{missing}; did you misspell it as `{given}`?"),
                None => missing,
            })
        })
    }

    /// Ends the reading. A member that was not read is an error.
    #[inline(never)]
    pub(crate) fn finish(self) -> Result<()> {
        let unknown = self
            .object
            .members()
            .map(|(name, _)| name)
            .find(|name| !self.known.contains(name));
        match unknown {
            None => Ok(()),
            Some(name) => {
                Err(Error::new(self.code).with_detail(unknown_member(&self.path, name, &self.known)))
            }
        }
    }
}

/// A text is not the name of a variant. Contains the names of all variants.
#[derive(Debug)]
struct NotAChoice(&'static [&'static str]);

impl de::Error for NotAChoice {
    fn custom<T: std::fmt::Display>(_: T) -> NotAChoice {
        NotAChoice(&[])
    }

    fn unknown_variant(_: &str, choices: &'static [&'static str]) -> NotAChoice {
        NotAChoice(choices)
    }
}

impl std::fmt::Display for NotAChoice {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "must be one of {}", self.0.join(", "))
    }
}

impl std::error::Error for NotAChoice {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn error_text(document: &str, read: impl Fn(&mut Members<'_, '_>) -> Result<()>) -> String {
        let document = json::parse(document).unwrap();
        let outcome = Field::root(&document, Code::ConfigInvalid)
            .members()
            .and_then(|mut members| read(&mut members).and_then(|()| members.finish()));
        match outcome {
            Ok(()) => "nothing".to_owned(),
            Err(error) => error.detail().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn a_member_that_is_not_read_is_unknown() {
        let one = |members: &mut Members<'_, '_>| members.read("one", Field::string).map(drop);
        assert_eq!(error_text(r#"{"one":"x"}"#, one), "nothing");
        assert_eq!(error_text(r#"{"one":"x","two":1}"#, one), "`two` is not known");
        assert_eq!(
            error_text(r#"{"onne":"x"}"#, one),
            "`onne` is not known; did you mean `one`?"
        );
        let long = error_text(&format!(r#"{{"{}":1}}"#, "\u{e9}".repeat(100_000)), one);
        assert_eq!(long, format!("`{}…` is not known", "\u{e9}".repeat(64)));
    }

    #[test]
    fn a_missing_member_is_reported_with_its_path() {
        let inner = |members: &mut Members<'_, '_>| {
            let mut inner = members.require("outer")?.members()?;
            inner.require("inner")?.unsigned()?;
            inner.finish()
        };
        assert_eq!(error_text(r#"{}"#, inner), "`outer` is missing");
        assert_eq!(error_text(r#"{"outer":{}}"#, inner), "`outer.inner` is missing");
        let misspelt = error_text(r#"{"outer":{"iner":1}}"#, inner);
        assert_eq!(
            misspelt,
            "`outer.inner` is missing; did you misspell it as `iner`?"
        );
        assert_eq!(
            error_text(r#"{"outer":[]}"#, inner),
            "`outer`: must be an object, not a list"
        );
        let negative = error_text(r#"{"outer":{"inner":-1}}"#, inner);
        assert_eq!(negative, "`outer.inner`: must be a non-negative integer");
    }
}
