//! What the rules are applied to, and the paths of its settings.

use std::collections::HashMap;

use crate::dialect::Dialect;
use crate::json::Value;
use crate::policy::{Policy, Profile};

/// What the rules are applied to.
pub(super) struct Subject<'a> {
    pub(super) dialect: Dialect,
    /// The value of `config`.
    pub(super) document: &'a Value<'a>,
    pub(super) policy: &'a Policy,
    /// The roles or profiles of the configuration, by the name in it and by that name in lower case.
    profiles: HashMap<String, (&'a str, &'a Value<'a>)>,
}

impl<'a> Subject<'a> {
    /// The configuration of an envelope that was compiled to this policy.
    pub(super) fn new(envelope: &'a Value<'a>, policy: &'a Policy) -> Option<Subject<'a>> {
        let members = envelope.as_object()?;
        let dialect = Dialect::parse(members.get("dialect")?.as_str()?)?;
        let document = members.get("config")?;
        let listed = list_of(dialect)
            .and_then(|list| document.as_object()?.get(list)?.as_object())
            .into_iter()
            .flat_map(|listed| listed.members());
        let mut profiles = HashMap::new();
        for (name, value) in listed {
            for key in [name.to_owned(), name.to_lowercase()] {
                profiles.entry(key).or_insert((name, value));
            }
        }
        Some(Subject {
            dialect,
            document,
            policy,
            profiles,
        })
    }

    /// The settings of a role or profile in the configuration, and their path.
    pub(super) fn of_profile(&self, profile: &Profile) -> Option<(String, &'a Value<'a>)> {
        let list = list_of(self.dialect)?;
        let (name, value) = self.profiles.get(&profile.name)?;
        Some((format!("{list}.{name}"), value))
    }

    /// The path of a setting of a role or profile. A profile that does not have it inherits that of the top level.
    pub(super) fn place(&self, profile: &Profile, setting: &str) -> String {
        let name = setting.split('.').next().unwrap_or(setting);
        match self.of_profile(profile) {
            Some((path, value)) if self.dialect == Dialect::Vault || has(value, name) => {
                format!("{path}.{setting}")
            }
            _ => setting.to_owned(),
        }
    }
}

/// The member that has the roles or profiles.
fn list_of(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Vault => Some("roles"),
        Dialect::Native => Some("profiles"),
        Dialect::Consul | Dialect::Grafana => None,
    }
}

/// Whether a value is an object with this member.
pub(super) fn has(value: &Value<'_>, name: &str) -> bool {
    value
        .as_object()
        .is_some_and(|members| members.get(name).is_some())
}

/// Whether a value is an object, and this member of it is a list that is not empty.
pub(super) fn has_values(value: &Value<'_>, name: &str) -> bool {
    let member = value.as_object().and_then(|members| members.get(name));
    member
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty())
}
