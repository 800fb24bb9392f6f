//! The settings of `[auth.jwt]` and related sections, from the text of a file or JSON, and from environment variables.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::duration;
use crate::error::Result;
use crate::json::Value;
use crate::members::{self, Field};
use crate::warning::{Rule, Warning};

use super::ini::{self, Ini};
use super::place::{self, JWT};

/// The configured values as text, by section and key. An empty value means absent.
#[derive(Debug, Default)]
pub(super) struct Settings {
    values: BTreeMap<(&'static str, String), String>,
}

pub(super) const USERS: &str = "users";
pub(super) const DEFAULT: &str = ini::DEFAULT;

/// Every key of `[auth.jwt]` that is read.
const KNOWN: [&str; 28] = [
    "enabled",
    "header_name",
    "url_login",
    "username_claim",
    "email_claim",
    "username_attribute_path",
    "email_attribute_path",
    "jwk_set_url",
    "jwk_set_bearer_token_file",
    "tls_client_ca",
    "tls_skip_verify_insecure",
    "cache_ttl",
    "jwk_set_file",
    "jwk_set_value",
    "key_file",
    "key_value",
    "key_id",
    "expect_claims",
    "auto_sign_up",
    "role_attribute_path",
    "role_attribute_strict",
    "allow_assign_grafana_admin",
    "skip_org_role_sync",
    "groups_attribute_path",
    "org_attribute_path",
    "org_mapping",
    "lenient_kid",
    "role_org_from_request",
];

/// The keys of `[auth.jwt]` that are true or false. The default of each is false.
const BOOLEANS: [&str; 9] = [
    "enabled",
    "url_login",
    "tls_skip_verify_insecure",
    "auto_sign_up",
    "role_attribute_strict",
    "allow_assign_grafana_admin",
    "skip_org_role_sync",
    "lenient_kid",
    "role_org_from_request",
];

/// Keys in Grafana's sample files that have no effect here, each with its warning, if it has one.
const IGNORED: [(&str, Option<&str>); 3] = [
    ("signout_redirect_url", None),
    ("enable_login_token", None),
    (
        "expected_claims",
        Some("Grafana ignores this key, so it checks no claim; use `expect_claims`"),
    ),
];

/// The keys of `[users]` that are read.
const USERS_KNOWN: [&str; 3] = ["auto_assign_org", "auto_assign_org_id", "auto_assign_org_role"];

impl Settings {
    /// Reads the text of a file or the JSON sections, and then the environment variables that override them.
    pub(super) fn read(source: &Source<'_, '_>, warnings: &mut Vec<Warning>) -> Result<Settings> {
        let mut settings = Settings::default();
        match source {
            Source::Text(field) => settings.read_text(field, warnings)?,
            Source::Sections { jwt, users, app_mode } => {
                for (key, field) in entries(jwt.as_ref())? {
                    settings.jwt(key, as_text(&field)?, &field, warnings)?;
                }
                for (key, field) in entries(users.as_ref())? {
                    if !USERS_KNOWN.contains(&key) {
                        return Err(field.error(members::unknown_member("", key, &USERS_KNOWN)));
                    }
                    settings.set(USERS, key, as_text(&field)?);
                }
                if let Some(field) = app_mode {
                    settings.set(DEFAULT, "app_mode", field.string()?.to_owned());
                }
            }
        }
        Ok(settings)
    }

    /// Whether a section has no setting.
    pub(super) fn lacks(&self, section: &str) -> bool {
        !self.values.keys().any(|(known, _)| *known == section)
    }

    /// Overrides values with `GF_<SECTION>_<KEY>` variables. An empty variable is ignored.
    pub(super) fn override_with(&mut self, env: &Field<'_, '_>, warnings: &mut Vec<Warning>) -> Result<()> {
        for (name, field) in env.entries()? {
            let value = field.string()?;
            if value.is_empty() {
                continue;
            }
            if let Some(key) = name.strip_prefix("GF_AUTH_JWT_") {
                let value = literal(name, value, &field)?;
                self.jwt(&key.to_ascii_lowercase(), value, &field, warnings)?;
            } else if let Some(key) = name.strip_prefix("GF_USERS_") {
                let key = key.to_ascii_lowercase();
                if USERS_KNOWN.contains(&key.as_str()) {
                    self.set(USERS, &key, literal(name, value, &field)?);
                }
            } else if name == "GF_DEFAULT_APP_MODE" {
                self.set(DEFAULT, "app_mode", literal(name, value, &field)?);
            }
        }
        Ok(())
    }

    fn read_text(&mut self, field: &Field<'_, '_>, warnings: &mut Vec<Warning>) -> Result<()> {
        let ini = Ini::parse(field.string()?)
            .map_err(|why| field.error(format!("line {}: {}", why.line, why.problem)))?;
        if let Some(below) = [JWT, USERS].iter().find_map(|section| ini.below(section)) {
            return Err(field.error(format!(
                "the section `[{below}]` can change the section above it in Grafana; write its keys into that section"
            )));
        }
        for (key, entry) in ini.section(JWT) {
            if entry.cut {
                warnings.push(Warning::new(Rule::ValueCutAtComment, place::of(key),
                    "Grafana ends an unquoted value at `#` or `;`; put the value in back quotes if the rest belongs to it",
                ));
            }
            if entry.repeated {
                warnings.push(Warning::new(Rule::RepeatedKey, place::of(key), REPEATED));
            }
            self.jwt(key, literal(key, &entry.value, field)?, field, warnings)?;
        }
        for (section, key) in USERS_KNOWN
            .map(|key| (USERS, key))
            .into_iter()
            .chain([(DEFAULT, "app_mode")])
        {
            if let Some((_, entry)) = ini.section(section).find(|(known, _)| *known == key) {
                if entry.repeated {
                    let place = if section == DEFAULT {
                        key.to_owned()
                    } else {
                        format!("{section}.{key}")
                    };
                    warnings.push(Warning::new(Rule::RepeatedKey, place, REPEATED));
                }
                self.set(section, key, literal(key, &entry.value, field)?);
            }
        }
        Ok(())
    }

    fn jwt(
        &mut self,
        key: &str,
        value: String,
        field: &Field<'_, '_>,
        warnings: &mut Vec<Warning>,
    ) -> Result<()> {
        if let Some((_, warning)) = IGNORED.iter().find(|(ignored, _)| *ignored == key) {
            warnings.extend(warning.map(|text| Warning::new(Rule::NoEffect, place::of(key), text)));
            return Ok(());
        }
        if !KNOWN.contains(&key) {
            return Err(field.error(members::unknown_member(JWT, key, &KNOWN)));
        }
        self.set(JWT, key, value);
        Ok(())
    }

    fn set(&mut self, section: &'static str, key: &str, value: String) {
        self.values.insert((section, key.to_owned()), value);
    }

    /// Returns the text of a key of `[auth.jwt]`, empty if it is absent.
    pub(super) fn text(&self, key: &str) -> &str {
        self.text_in(JWT, key)
    }

    pub(super) fn text_in(&self, section: &'static str, key: &str) -> &str {
        self.values
            .get(&(section, key.to_owned()))
            .map_or("", String::as_str)
    }

    pub(super) fn is_set(&self, key: &str) -> bool {
        !self.text(key).is_empty()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.flag_in(JWT, key, false)
    }

    /// Reads a boolean in go-ini's spelling. Any other text means `default`.
    pub(super) fn flag_in(&self, section: &'static str, key: &str, default: bool) -> bool {
        boolean(self.text_in(section, key)).unwrap_or(default)
    }

    /// Warns of each boolean that is neither true nor false. If the section is switched off, only of `enabled`.
    pub(super) fn warn_of_booleans(&self, warnings: &mut Vec<Warning>) {
        let is_read = |key: &str| key == "enabled" || self.flag("enabled");
        let of_jwt = BOOLEANS.map(|key| (JWT, key, place::of(key), false));
        let of_users = (USERS, "auto_assign_org", format!("{USERS}.auto_assign_org"), true);
        for (section, key, place, default) in of_jwt.into_iter().chain([of_users]) {
            let text = self.text_in(section, key);
            if !text.is_empty() && boolean(text).is_none() && is_read(key) {
                warnings.push(Warning::new(Rule::ValueReplacedByDefault, place,
                    format!("`{text}` is neither true nor false, so Grafana uses the default {default}; write true or false"),
                ));
            }
        }
    }

    /// Reads a duration with a unit. Any other text means `default`, with a warning. A negative duration, `(true, _)`,
    /// means "off".
    pub(super) fn duration(
        &self,
        key: &str,
        default: Duration,
        warnings: &mut Vec<Warning>,
    ) -> (bool, Duration) {
        let text = self.text(key);
        if text.is_empty() {
            return (false, default);
        }
        duration::parse_go(text).unwrap_or_else(|| {
            warnings.push(Warning::new(Rule::ValueReplacedByDefault, place::of(key),
                format!(
                    "`{text}` is not a duration with a unit, so Grafana uses the default {}; write for example `60m`",
                    duration::to_go(default)
                ),
            ));
            (false, default)
        })
    }
}

/// The text about a key that is repeated.
const REPEATED: &str = "the key is repeated, and Grafana uses only the last value; remove the others";

/// The form in which the settings are given.
pub(super) enum Source<'a, 't> {
    /// The text of a `grafana.ini`.
    Text(Field<'a, 't>),
    /// The sections as JSON objects.
    Sections {
        jwt: Option<Field<'a, 't>>,
        users: Option<Field<'a, 't>>,
        app_mode: Option<Field<'a, 't>>,
    },
}

/// Reads go-ini's spelling of a boolean.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" | "y" | "yes" | "YES" | "Yes" | "on" | "ON" | "On" => {
            Some(true)
        }
        "0" | "f" | "F" | "false" | "FALSE" | "False" | "n" | "no" | "NO" | "No" | "off" | "OFF" | "Off" => {
            Some(false)
        }
        _ => None,
    }
}

fn entries<'a, 't>(section: Option<&Field<'a, 't>>) -> Result<Vec<(&'a str, Field<'a, 't>)>> {
    section.map_or_else(|| Ok(Vec::new()), Field::entries)
}

/// Returns a value that refers to no other value.
fn literal(key: &str, value: &str, field: &Field<'_, '_>) -> Result<String> {
    if ["$__", "${", "%("].iter().any(|mark| value.contains(mark)) {
        return Err(field.error(format!(
            "`{key}` refers to a value outside the file (`$__file{{}}`, `${{}}`, `%()s`); write the value itself, or set it in `env`"
        )));
    }
    Ok(value.to_owned())
}

/// Returns the text of a JSON value in the syntax of the file.
fn as_text(field: &Field<'_, '_>) -> Result<String> {
    Ok(match field.value() {
        Value::Null => String::new(),
        Value::String(text) => text.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        list_or_object => serde_json::to_string(list_or_object).map_err(|why| field.error(why))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_documented() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/dialects/grafana.md");
        let page = std::fs::read_to_string(page).unwrap();
        let ignored = IGNORED.map(|(key, _)| key);
        for key in KNOWN.iter().chain(&ignored).chain(&USERS_KNOWN) {
            let documented = [format!("`{key}`"), format!("`[users] {key}`")];
            assert!(documented.iter().any(|name| page.contains(name)), "{key}");
        }
    }
}
