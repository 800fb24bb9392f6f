//! `role_attribute_path`, `org_mapping` and the related settings.

use super::orgs;
use super::place::{self, Place};
use super::settings::{Settings, USERS};
use super::values::{path, strings_or_nothing};
use crate::error::Result;
use crate::expr::{JmesPath, Placed};
use crate::ordered;
use crate::policy::{OrgMapping, OrgRole, OrgRoleRule};
use crate::warning::{Rule, Warning};

/// Reads how callers get roles in organisations. Returns `None` if Grafana does not change roles.
pub(super) fn rule(
    settings: &Settings,
    orgs: &[(i64, String)],
    place: &Place<'_, '_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<OrgRoleRule>> {
    let configured = Configured {
        role: path(settings, "role_attribute_path", place)?,
        external: path(settings, "org_attribute_path", place)?,
        strict: settings.flag("role_attribute_strict"),
        assign_server_admin: settings.flag("allow_assign_grafana_admin"),
        org_from_request: settings.flag("role_org_from_request"),
    };
    let mapping = mapping(settings, configured.strict, orgs, warnings);
    if settings.flag("skip_org_role_sync") {
        let has_mapping = !settings.text("org_mapping").is_empty();
        configured.warn_of_keys_without_effect(has_mapping, warnings);
        return Ok(None);
    }
    configured.warn_of_missing_keys(&mapping, warnings);
    let default_org = default_org(settings, warnings);
    let default_role = default_role(settings, warnings);
    if default_role == OrgRole::Admin && !configured.strict {
        warnings.push(Warning::new(
            Rule::EveryoneIsAdmin,
            "users.auto_assign_org_role",
            "every caller for whom no role is computed is an administrator; write `Viewer`, and give the role Admin in `role_attribute_path`",
        ));
    }
    if mapping
        .iter()
        .any(|item| item.external == "*" && item.role == OrgRole::Admin)
    {
        warnings.push(Warning::new(
            Rule::EveryoneIsAdmin,
            place::of("org_mapping"),
            "an item for `*` gives every caller the role Admin; name the external organisation, or give a lower role",
        ));
    }
    Ok(Some(OrgRoleRule {
        role: configured.role,
        external_orgs: configured.external.map(strings_or_nothing),
        mapping,
        default_org,
        default_role,
        strict: configured.strict,
        assign_server_admin: configured.assign_server_admin,
        org_from_request: configured.org_from_request,
        directory: ordered::collect(orgs.iter().map(|(id, _)| *id)),
    }))
}

/// The settings about roles, except the mapping.
struct Configured {
    role: Option<Placed<JmesPath>>,
    external: Option<Placed<JmesPath>>,
    strict: bool,
    assign_server_admin: bool,
    org_from_request: bool,
}

impl Configured {
    fn warn_of_keys_without_effect(&self, has_mapping: bool, warnings: &mut Vec<Warning>) {
        for (key, is_set) in [
            ("role_attribute_path", self.role.is_some()),
            ("role_attribute_strict", self.strict),
            ("allow_assign_grafana_admin", self.assign_server_admin),
            ("role_org_from_request", self.org_from_request),
            ("org_attribute_path", self.external.is_some()),
            ("org_mapping", has_mapping),
        ] {
            if is_set {
                warnings.push(Warning::new(
                    Rule::NoEffect,
                    place::of(key),
                    "has no effect: `skip_org_role_sync` is true, so no role is computed",
                ));
            }
        }
    }

    /// Warns of keys that need another key that is not set.
    fn warn_of_missing_keys(&self, mapping: &[OrgMapping], warnings: &mut Vec<Warning>) {
        if self.strict && self.role.is_none() && mapping.is_empty() {
            warnings.push(Warning::new(Rule::NeedsAnotherSetting, place::of("role_attribute_strict"),
                "neither `role_attribute_path` nor `org_mapping` gives a role, so strict mode denies every token",
            ));
        }
        if self.assign_server_admin && self.role.is_none() {
            warnings.push(Warning::new(Rule::NeedsAnotherSetting, place::of("allow_assign_grafana_admin"),
                "without `role_attribute_path` no caller can be a server administrator, and existing administrators lose this right",
            ));
        }
        if self.external.is_none() && mapping.iter().any(|item| item.external != "*") {
            warnings.push(Warning::new(
                Rule::NeedsAnotherSetting,
                place::of("org_mapping"),
                "without `org_attribute_path` callers have no external organisation; only `*` items apply",
            ));
        }
    }
}

fn mapping(
    settings: &Settings,
    strict: bool,
    orgs: &[(i64, String)],
    warnings: &mut Vec<Warning>,
) -> Vec<OrgMapping> {
    let text = settings.text("org_mapping").trim();
    let items = orgs::items(text);
    if items.is_empty() && text.starts_with('[') && text != "[]" {
        warnings.push(Warning::new(
            Rule::OrgMappingInvalid,
            place::of("org_mapping"),
            "starts with `[` but is not a JSON list of strings, so it maps nothing",
        ));
    }
    let (mapping, unusable) = orgs::mapping(&items, strict, orgs);
    let effect = if strict {
        "so in strict mode the whole mapping is discarded"
    } else {
        "so it is ignored"
    };
    for item in &unusable {
        warnings.push(Warning::new(
            Rule::OrgMappingInvalid,
            place::of("org_mapping"),
            format!("`{item}` is not `external:organisation:role` with an existing organisation, {effect}"),
        ));
    }
    mapping
}

fn default_org(settings: &Settings, warnings: &mut Vec<Warning>) -> i64 {
    if !settings.flag_in(USERS, "auto_assign_org", true) {
        return FIRST_ORG;
    }
    let text = settings.text_in(USERS, "auto_assign_org_id");
    let id = if text.is_empty() {
        Some(FIRST_ORG)
    } else {
        text.parse().ok()
    };
    if id.is_none() {
        warnings.push(Warning::new(
            Rule::ValueReplacedByDefault,
            "users.auto_assign_org_id",
            format!("`{text}` is not a number; 1 is used"),
        ));
    }
    id.filter(|id| *id > 0).unwrap_or(FIRST_ORG)
}

fn default_role(settings: &Settings, warnings: &mut Vec<Warning>) -> OrgRole {
    let text = settings.text_in(USERS, "auto_assign_org_role");
    let role = if text.is_empty() {
        Some(OrgRole::Viewer)
    } else {
        OrgRole::parse(text)
    };
    role.unwrap_or_else(|| {
        warnings.push(Warning::new(
            Rule::ValueReplacedByDefault,
            "users.auto_assign_org_role",
            format!("`{text}` is not a role; Viewer is used"),
        ));
        OrgRole::Viewer
    })
}

const FIRST_ORG: i64 = 1;
