//! Grafana's `[auth.jwt]` → [`Policy`] (`docs/dialects/grafana.md`).

mod claims;
mod ini;
mod keys;
mod orgs;
mod place;
mod responses;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use self::place::Place;
use self::settings::{Settings, Source, USERS};
use crate::error::Result;
use crate::expr::{JmesPath, Selection};
use crate::grant::Session;
use crate::members::Field;
use crate::policy::{
    ExtractRule, HeaderRule, IdentityRule, KeyRule, ListRule, Named, NotApplicable, OrgRole, OrgRoleRule,
    OtherRule, Padding, Policy, PrefixRule, Profile, Profiles, RequestedOrg, Rules, SessionRule,
    UnusedHeaders, ValueRule,
};
use crate::warning::Warning;

/// Turns a configuration into a policy.
pub(super) fn compile(config: &Field<'_, '_>, base_dir: &Path) -> Result<Policy> {
    let mut warnings = Vec::new();
    let mut members = config.members()?;
    let ini = members.get("ini");
    let (jwt, users, app_mode) = (
        members.get("auth.jwt"),
        members.get("users"),
        members.get("app_mode"),
    );
    let env = members.get("env");
    let orgs = members.get("orgs").map_or_else(
        || Ok(vec![(1, "Main Org.".to_owned())]),
        |field| organisations(&field),
    )?;
    members.finish()?;
    let source = match (ini, jwt) {
        (Some(text), None) if users.is_none() && app_mode.is_none() => Source::Text(text),
        (None, Some(jwt)) => Source::Sections { jwt, users, app_mode },
        (None, None) => {
            return Err(config.error("give either `ini`, the text of a grafana.ini, or `auth.jwt`"));
        }
        _ => {
            return Err(config.error("`ini` stands for all sections; give either it or the sections as JSON"));
        }
    };
    let mut settings = Settings::read(&source, &mut warnings)?;
    if let Some(env) = env {
        settings.override_with(&env, &mut warnings)?;
    }
    let place = Place { config, base_dir };
    policy(&settings, &orgs, &place, warnings)
}

fn policy(
    settings: &Settings,
    orgs: &[(i64, String)],
    place: &Place<'_, '_, '_>,
    mut warnings: Vec<Warning>,
) -> Result<Policy> {
    let enabled = settings.flag("enabled");
    // A switched-off section is not looked at, so it cannot be wrong; it takes nobody.
    let (claims, keys) = if enabled {
        (
            claims::rule(settings, place)?,
            keys::rule(settings, place, &mut warnings)?,
        )
    } else {
        warnings.push(Warning::new(
            "enabled",
            "the section is switched off, so every request is denied",
        ));
        (claims::nothing_expected(), KeyRule::empty())
    };
    let rules = Rules {
        org_roles: if enabled {
            org_roles(settings, orgs, place, &mut warnings)?
        } else {
            None
        },
        ..Rules::default()
    };
    let profile = Profile {
        name: String::new(),
        closed: None,
        claims,
        identity: if enabled {
            identity(settings, place, &mut warnings)?
        } else {
            IdentityRule::default()
        },
        rules,
        session: SessionRule {
            terms: Session {
                allow_sign_up: Some(settings.flag("auto_sign_up")),
                sync_org_roles: Some(!settings.flag("skip_org_role_sync")),
                sync_teams: Some(settings.is_set("groups_attribute_path")),
                ..Session::default()
            },
            ..SessionRule::default()
        },
        bound_cidrs: Vec::new(),
    };
    Ok(Policy {
        keys,
        extract: extract(settings, enabled, &mut warnings),
        typ: None,
        unused_headers: UnusedHeaders::WellFormed,
        not_applicable: NotApplicable {
            missing: true,
            structure: true,
            algorithm: true,
            claims_shape: true,
            subject: true,
        },
        responses: responses::all(),
        profiles: Profiles {
            top: Some(profile),
            ..Profiles::default()
        },
        limits: crate::policy::Limits::default(),
        warnings,
    })
}

fn extract(settings: &Settings, enabled: bool, warnings: &mut Vec<Warning>) -> ExtractRule {
    let header = settings.text("header_name");
    let url_login = settings.flag("url_login");
    if enabled && header.is_empty() {
        warnings.push(Warning::new(
            "header_name",
            if url_login {
                "without a header's name Grafana takes no token at all, from URLs neither; every request is denied"
            } else {
                "without a header's name Grafana takes no token at all; every request is denied"
            },
        ));
    }
    if url_login {
        warnings.push(Warning::new(
            "url_login",
            "a token in a URL ends up in logs, histories and links; hand on the reply's `cleaned_url` only",
        ));
    }
    ExtractRule {
        header: Some(HeaderRule {
            name: header.to_owned(),
            prefix: Some("Bearer ".to_owned()),
            prefix_rule: PrefixRule::Optional,
        })
        .filter(|rule| !rule.name.is_empty()),
        query: url_login.then(|| "auth_token".to_owned()),
        disabled: !enabled || header.is_empty(),
        requested_org: Some(RequestedOrg {
            query: vec!["orgId".to_owned(), "targetOrgId".to_owned()],
            header: "X-Grafana-Org-Id".to_owned(),
        }),
        // AWS load balancers pad the segments, and Grafana drops the padding.
        padding: Padding::Drop,
    }
}

fn identity(
    settings: &Settings,
    place: &Place<'_, '_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<IdentityRule> {
    let login = person(
        settings,
        "username_claim",
        "username_attribute_path",
        place,
        warnings,
    )?;
    let email = person(settings, "email_claim", "email_attribute_path", place, warnings)?;
    if login.is_none() && email.is_none() {
        warnings.push(Warning::new(
            "username_claim",
            "neither a login nor an e-mail is configured, so every token is refused",
        ));
    }
    Ok(IdentityRule {
        // A user without a login is known by the e-mail address, as Grafana does when it creates one.
        name: login.into_iter().chain(email.clone()).collect(),
        named: Named::RequiredAtLast,
        email,
        display_name: Some(text_or_nothing(Selection::claim("name"))),
        metadata: BTreeMap::new(),
        groups: path(settings, "groups_attribute_path", place)?.map(strings_or_nothing),
        lists: BTreeMap::new(),
    })
}

/// Where a login or an e-mail is: the claim, or the path, which counts only when no claim is configured.
fn person(
    settings: &Settings,
    claim: &str,
    path_key: &str,
    place: &Place<'_, '_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<ValueRule>> {
    let expression = path(settings, path_key, place)?;
    if settings.is_set(claim) {
        if expression.is_some() {
            warnings.push(Warning::new(
                path_key,
                format!("`{claim}` is set, so Grafana does not look at this path"),
            ));
        }
        return Ok(Some(text_or_nothing(Selection::claim(settings.text(claim)))));
    }
    Ok(expression.map(|expression| text_or_nothing(Selection::JmesPath(expression))))
}

fn org_roles(
    settings: &Settings,
    orgs: &[(i64, String)],
    place: &Place<'_, '_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<OrgRoleRule>> {
    let role = path(settings, "role_attribute_path", place)?;
    let external = path(settings, "org_attribute_path", place)?;
    let strict = settings.flag("role_attribute_strict");
    let mapping_text = settings.text("org_mapping");
    let items = orgs::items(mapping_text);
    if items.is_empty() && mapping_text.trim().starts_with('[') && mapping_text.trim() != "[]" {
        warnings.push(Warning::new(
            "org_mapping",
            "it starts with `[` but is no JSON list of strings, so it maps nothing",
        ));
    }
    let (mapping, unusable) = orgs::mapping(&items, strict, orgs);
    for item in &unusable {
        let effect = if strict {
            "which in strict mode discards the whole mapping"
        } else {
            "which is left out"
        };
        warnings.push(Warning::new(
            "org_mapping",
            format!(
                "`{item}` is not `external:organisation:role` with an organisation that exists, {effect}"
            ),
        ));
    }
    if settings.flag("skip_org_role_sync") {
        for (key, is_set) in [
            ("role_attribute_path", role.is_some()),
            ("role_attribute_strict", strict),
            (
                "allow_assign_grafana_admin",
                settings.flag("allow_assign_grafana_admin"),
            ),
            ("role_org_from_request", settings.flag("role_org_from_request")),
            ("org_attribute_path", external.is_some()),
            ("org_mapping", !mapping_text.is_empty()),
        ] {
            if is_set {
                warnings.push(Warning::new(
                    key,
                    "`skip_org_role_sync` is on, so no role is computed",
                ));
            }
        }
        return Ok(None);
    }
    if strict && role.is_none() && mapping.is_empty() {
        warnings.push(Warning::new(
            "role_attribute_strict",
            "nothing can give a role, so strict mode refuses every token",
        ));
    }
    if settings.flag("allow_assign_grafana_admin") && role.is_none() {
        warnings.push(Warning::new(
            "allow_assign_grafana_admin",
            "without `role_attribute_path` nobody can be a server administrator, and everybody loses it",
        ));
    }
    if external.is_none() && mapping.iter().any(|item| item.external != "*") {
        warnings.push(Warning::new(
            "org_mapping",
            "without `org_attribute_path` nobody has an external organisation; only `*` items apply",
        ));
    }
    Ok(Some(OrgRoleRule {
        role,
        external_orgs: external.map(strings_or_nothing),
        mapping,
        default_org: default_org(settings, warnings),
        default_role: default_role(settings, warnings),
        strict,
        assign_server_admin: settings.flag("allow_assign_grafana_admin"),
        org_from_request: settings.flag("role_org_from_request"),
        directory: orgs.iter().map(|(id, _)| *id).collect::<BTreeSet<_>>(),
    }))
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
            "users.auto_assign_org_id",
            format!("`{text}` is no number, so it is 1"),
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
            "users.auto_assign_org_role",
            format!("`{text}` is no role, so it is Viewer"),
        ));
        OrgRole::Viewer
    })
}

/// The expression of a key. Grafana finds out that one does not parse when somebody logs in; here it is an error
/// at once.
fn path(settings: &Settings, key: &str, place: &Place<'_, '_, '_>) -> Result<Option<JmesPath>> {
    if !settings.is_set(key) {
        return Ok(None);
    }
    JmesPath::parse(settings.text(key)).map(Some).map_err(|error| {
        let problem = error.detail().unwrap_or("it does not parse").to_owned();
        place.error(error.code(), key, problem)
    })
}

/// A text, or nothing when the value is anything else.
fn text_or_nothing(select: Selection) -> ValueRule {
    ValueRule {
        other: OtherRule::Omit,
        ..ValueRule::new(select)
    }
}

/// The texts among a list's elements; nothing when it is no list.
fn strings_or_nothing(expression: JmesPath) -> ListRule {
    ListRule {
        other: OtherRule::Omit,
        ..ListRule::new(Selection::JmesPath(expression))
    }
}

/// The organisations there are: id and name.
fn organisations(field: &Field<'_, '_>) -> Result<Vec<(i64, String)>> {
    let mut orgs = Vec::new();
    for item in field.items()? {
        let mut members = item.members()?;
        let id = members.require("id")?;
        let name = members.require("name")?;
        members.finish()?;
        let number = i64::try_from(id.unsigned()?).ok().filter(|id| *id > 0);
        orgs.push((
            number.ok_or_else(|| id.error("must be a positive integer"))?,
            name.string()?.to_owned(),
        ));
    }
    Ok(orgs)
}

const FIRST_ORG: i64 = 1;
