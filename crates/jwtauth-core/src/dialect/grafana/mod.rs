//! Compiles Grafana's `[auth.jwt]` to a [`Policy`] (`docs/dialects/grafana.md`).

mod claims;
pub(crate) mod ini;
mod keys;
mod org_roles;
mod orgs;
mod place;
mod responses;
mod settings;
mod values;

use std::collections::BTreeMap;

use self::place::Place;
use self::settings::{Settings, Source};
use self::values::{path, strings_or_nothing, text_or_nothing};
use crate::error::Result;
use crate::expr::Selection;
use crate::file::Files;
use crate::grant::Session;
use crate::members::Field;
use crate::policy::{
    DecodeRule, ExtractRule, HeaderRule, IdentityRule, KeyRule, MemberNames, Named, NotApplicable, Padding,
    Policy, PrefixRule, Profile, Profiles, RequestedOrg, Rules, SessionRule, UnusedHeaders, ValueRule,
};
use crate::warning::{Rule, Warning};

/// Compiles a configuration to a policy.
pub(super) fn compile(config: &Field<'_, '_>, files: &Files, warnings: &mut Vec<Warning>) -> Result<Policy> {
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
        |field| orgs::existing(&field),
    )?;
    members.finish()?;
    let source = match (ini, jwt) {
        (Some(text), None) if users.is_none() && app_mode.is_none() => Source::Text(text),
        (None, None) if env.is_none() => {
            return Err(config.error("set `ini` (the text of a grafana.ini), `auth.jwt` or `env`"));
        }
        (None, jwt) => Source::Sections { jwt, users, app_mode },
        _ => {
            return Err(config
                .error("`ini` replaces all sections; set either `ini` or the sections as JSON, not both"));
        }
    };
    let mut settings = Settings::read(&source, warnings)?;
    if let Some(env) = env {
        settings.override_with(&env, warnings)?;
    }
    let place = Place { config, files };
    policy(&settings, &orgs, &place, warnings)
}

fn policy(
    settings: &Settings,
    orgs: &[(i64, String)],
    place: &Place<'_, '_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<Policy> {
    let enabled = settings.flag("enabled");
    settings.warn_of_booleans(warnings);
    // A section that is switched off is not read, so a mistake in it is not reported. It accepts no tokens.
    let (keys, profile) =
        if enabled {
            configured(settings, orgs, place, warnings)?
        } else {
            warnings.push(if settings.lacks(place::JWT) {
            Warning::new(Rule::DeniesEveryToken, "auth.jwt",
                "has no setting, or is absent, so JWT authentication is disabled and every request is denied",
            )
        } else {
            Warning::new(Rule::DeniesEveryToken, place::of("enabled"),
                "is not true, so JWT authentication is disabled and every request is denied",
            )
        });
            let nothing = Profile::new(claims::nothing_expected(), IdentityRule::default());
            (KeyRule::empty(), nothing)
        };
    let profiles = Profiles::only(Profile {
        session: session(settings),
        ..profile
    });
    warnings.extend(profiles.doubts());
    Ok(Policy {
        extract: extract(settings, enabled, warnings),
        decode: DecodeRule {
            unused_headers: UnusedHeaders::WellFormed,
            ..DecodeRule::default()
        },
        not_applicable: NotApplicable {
            missing: true,
            structure: true,
            algorithm: true,
            claims_shape: true,
            subject: true,
        },
        responses: responses::all(),
        names: NAMES,
        ..Policy::new(keys, profiles)
    })
}

/// What Grafana calls the members of a policy.
const NAMES: MemberNames = MemberNames(&[
    ("audiences", "auth.jwt.expect_claims"),
    ("identity.groups", "auth.jwt.groups_attribute_path"),
    ("issuer", "auth.jwt.expect_claims"),
    // For hints: the value `ignore` of `kid`.
    ("kid.ignore", "auth.jwt.lenient_kid"),
    ("org_roles", "auth.jwt.role_attribute_path"),
    ("org_roles.external_orgs", "auth.jwt.org_attribute_path"),
    ("subject", "auth.jwt.expect_claims"),
    ("token", "auth.jwt.header_name"),
]);

/// Reads the keys, and the rules except the session.
fn configured(
    settings: &Settings,
    orgs: &[(i64, String)],
    place: &Place<'_, '_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<(KeyRule, Profile)> {
    let claims = claims::rule(settings, place)?;
    let keys = keys::rule(settings, place, warnings)?;
    let rules = Rules {
        org_roles: org_roles::rule(settings, orgs, place, warnings)?,
        ..Rules::default()
    };
    let identity = identity(settings, place, warnings)?;
    let profile = Profile {
        rules,
        ..Profile::new(claims, identity)
    };
    Ok((keys, profile))
}

fn session(settings: &Settings) -> SessionRule {
    SessionRule {
        terms: Session {
            allow_sign_up: Some(settings.flag("auto_sign_up")),
            sync_org_roles: Some(!settings.flag("skip_org_role_sync")),
            sync_teams: Some(settings.is_set("groups_attribute_path")),
            ..Session::default()
        },
        ..SessionRule::default()
    }
}

fn extract(settings: &Settings, enabled: bool, warnings: &mut Vec<Warning>) -> ExtractRule {
    let header = settings.text("header_name");
    let url_login = settings.flag("url_login");
    if enabled && header.is_empty() {
        warnings.push(Warning::new(
            Rule::DeniesEveryToken,
            place::of("header_name"),
            if url_login {
                "is missing, so Grafana accepts no token, not even from a URL; every request is denied"
            } else {
                "is missing, so Grafana accepts no token; every request is denied"
            },
        ));
    }
    if url_login {
        warnings.push(Warning::new(Rule::TokenInUrl, place::of("url_login"),
            "a token in a URL is exposed in logs, browser histories and links; pass on only the reply's `cleaned_url`",
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
        cookie: None,
        disabled: !enabled || header.is_empty(),
        requested_org: Some(RequestedOrg {
            query: vec!["orgId".to_owned(), "targetOrgId".to_owned()],
            header: "X-Grafana-Org-Id".to_owned(),
        }),
        // AWS load balancers pad the segments, and Grafana ignores the padding.
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
            Rule::DeniesEveryToken,
            place::of("username_claim"),
            "neither a login claim nor an e-mail claim is configured, so every token is denied",
        ));
    }
    Ok(IdentityRule {
        // Without a login the e-mail address is the name, as when Grafana creates a user.
        name: login.into_iter().chain(email.clone()).collect(),
        named: Named::RequiredAtLast,
        email,
        display_name: Some(text_or_nothing(Selection::claim("name"))),
        metadata: BTreeMap::new(),
        groups: path(settings, "groups_attribute_path", place)?.map(strings_or_nothing),
        lists: BTreeMap::new(),
    })
}

/// Reads where a login or an e-mail address is: the claim if one is configured, else the path.
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
                Rule::NoEffect,
                place::of(path_key),
                format!("has no effect in Grafana, because `{claim}` is set"),
            ));
        }
        let select = Selection::claim(settings.text(claim));
        if let Some(doubt) = select.doubt() {
            warnings.push(Warning::new(
                Rule::ClaimLooksLikePath,
                place::of(claim),
                format!("{doubt}; for a claim inside an object, set `{path_key}` instead"),
            ));
        }
        return Ok(Some(text_or_nothing(select).at(place::of(claim))));
    }
    Ok(expression.map(|expression| text_or_nothing(Selection::JmesPath(expression))))
}
