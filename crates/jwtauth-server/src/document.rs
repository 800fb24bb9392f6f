//! The text of configuration files: JSON objects whose members are kept as they are written, also repeated ones, so that the
//! library still refuses what it would refuse without the server.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The members of an object, in order.
#[derive(Debug, Default)]
pub(crate) struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Members, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        input.deserialize_map(Reader)
    }
}

impl Members {
    /// Whether there is a member with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// The text of a member.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.get())
    }

    /// Removes a member.
    ///
    /// # Errors
    /// It is there more than once.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, String> {
        let mut taken = self.0.extract_if(.., |(own, _)| own == name);
        let first = taken.next().map(|(_, value)| value.get().to_owned());
        match taken.next() {
            None => Ok(first),
            Some(_) => Err(format!("duplicate member `{name}`")),
        }
    }

    /// Adds a member.
    pub(crate) fn push(&mut self, name: &str, value: &Value) {
        if let Ok(value) = serde_json::value::to_raw_value(value) {
            self.0.push((name.to_owned(), value));
        }
    }

    /// Adds a member whose text is JSON already.
    pub(crate) fn push_text(&mut self, name: &str, text: String) {
        if let Ok(value) = RawValue::from_string(text) {
            self.0.push((name.to_owned(), value));
        }
    }

    /// The object as text.
    pub(crate) fn text(&self) -> String {
        let members = self.0.iter().map(|(name, value)| {
            let name = Value::from(name.as_str());
            format!("{name}:{}", value.get())
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_kept_as_written() {
        let text = r#"{"b":1.50,"a":{"x":1,"x":2},"server":{}}"#;
        let mut members: Members = serde_json::from_str(text).unwrap();
        assert_eq!(members.take("server"), Ok(Some("{}".to_owned())));
        assert_eq!(members.take("server"), Ok(None));
        assert_eq!(members.text(), r#"{"b":1.50,"a":{"x":1,"x":2}}"#);
        assert!(members.has("a") && !members.has("x"));
    }

    #[test]
    fn a_repeated_member_of_the_server_is_refused() {
        let mut members: Members = serde_json::from_str(r#"{"server":{},"server":{}}"#).unwrap();
        assert!(members.take("server").is_err());
    }
}
