//! What the rules are applied to, and the paths of its settings.

use crate::dialect::Dialect;
use crate::json::Value;
use crate::policy::{Policy, Profile};

/// What the rules are applied to.
pub(super) struct Subject<'a> {
    pub(super) dialect: Dialect,
    /// The value of `config`.
    pub(super) document: &'a Value<'a>,
    pub(super) policy: &'a Policy,
}

impl<'a> Subject<'a> {
    /// The configuration of an envelope that was compiled to this policy.
    pub(super) fn new(envelope: &'a Value<'a>, policy: &'a Policy) -> Option<Subject<'a>> {
        let members = envelope.as_object()?;
        Some(Subject {
            dialect: Dialect::parse(members.get("dialect")?.as_str()?)?,
            document: members.get("config")?,
            policy,
        })
    }

    /// The settings of a role or profile in the configuration, and their path.
    pub(super) fn of_profile(&self, profile: &Profile) -> Option<(String, &'a Value<'a>)> {
        let list = match self.dialect {
            Dialect::Vault => "roles",
            Dialect::Native => "profiles",
            Dialect::Consul | Dialect::Grafana => return None,
        };
        let members = self.document.as_object()?.get(list)?.as_object()?;
        let mut members = members.members();
        let (name, value) =
            members.find(|(name, _)| *name == profile.name || name.to_lowercase() == profile.name)?;
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

/// Whether a value is an object with this member.
pub(super) fn has(value: &Value<'_>, name: &str) -> bool {
    value
        .as_object()
        .is_some_and(|members| members.get(name).is_some())
}
