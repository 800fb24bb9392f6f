//! The top level and the profiles.

use std::collections::BTreeMap;

use super::issuers::Known;
use super::layers::Layers;
use super::{claims, identity, rules};
use crate::error::Result;
use crate::members::{Field, Members};
use crate::policy::{AudienceRule, Profile, Profiles};
use crate::warning::{Rule, Warning};

/// Reads the rules for requests without a profile, and the rules of every profile.
pub(super) fn read(
    members: &mut Members<'_, '_>,
    known: &Known,
    warnings: &mut Vec<Warning>,
) -> Result<Profiles> {
    let default = members.get_non_null("default_profile");
    let required = members
        .read("profile_required", Field::boolean)?
        .unwrap_or_default();
    let ignore_case = members
        .read("profiles_ignore_case", Field::boolean)?
        .unwrap_or_default();
    if let (Some(default), true) = (&default, required) {
        return Err(default.error("is not allowed with `profile_required`; remove one of the two"));
    }
    let profiles = members.get_non_null("profiles");

    // The top level is read even if it decides no request: profiles inherit its members, and a mistake in one of them
    // must be reported now.
    let mut of_top = Vec::new();
    let top = profile(&mut Layers::top(members), "", "", known, &mut of_top)?;
    // Added after the profiles are read, so that they do not explain an error in a profile's own members.
    let mut of_named = Vec::new();
    let named = match profiles {
        Some(profiles) => named(&profiles, members, ignore_case, known, &mut of_named)?,
        None => BTreeMap::new(),
    };
    let top = if default.is_some() || required {
        None
    } else {
        warnings.append(&mut of_top);
        Some(top)
    };
    warnings.append(&mut of_named);
    let default = default
        .map(|field| default_profile(&field, ignore_case, &named, warnings))
        .transpose()?;
    Ok(Profiles {
        top,
        default,
        ignore_case,
        named,
    })
}

fn named(
    profiles: &Field<'_, '_>,
    top: &Members<'_, '_>,
    ignore_case: bool,
    known: &Known,
    warnings: &mut Vec<Warning>,
) -> Result<BTreeMap<String, Profile>> {
    let mut named = BTreeMap::new();
    let above = top.counts();
    let above: Vec<_> = above
        .filter(|(name, _)| !FOR_ALL_PROFILES.contains(name))
        .collect();
    let mut inherited = 0;
    for (name, field) in profiles.entries()? {
        let name = folded(name, ignore_case);
        if name.is_empty() {
            return Err(profiles.error("a profile must have a name"));
        }
        let mut own = field.members()?;
        if let Some(stray) = FOR_ALL_PROFILES.iter().find_map(|name| own.peek(name)) {
            return Err(stray.error("applies to all profiles; set it at the top level"));
        }
        let absent = above.iter().filter(|(name, _)| own.peek(name).is_none());
        inherited += absent.map(|(_, count)| count).sum::<usize>();
        if inherited > MAX_INHERITED {
            return Err(profiles.error(format!(
                "inherit more than {MAX_INHERITED} values in all; use fewer profiles, or write less at the top level"
            )));
        }
        let mut layers = Layers::over(&mut own, top);
        let profile = profile(&mut layers, &name, field.path(), known, warnings)?;
        own.finish()?;
        if named.insert(name, profile).is_some() {
            return Err(
                field.error("duplicate profile: the name differs from another one only in letter case")
            );
        }
    }
    Ok(named)
}

/// Returns a name in the form in which it is looked up.
pub(super) fn folded(name: &str, ignore_case: bool) -> String {
    if ignore_case {
        name.to_lowercase()
    } else {
        name.to_owned()
    }
}

fn default_profile(
    field: &Field<'_, '_>,
    ignore_case: bool,
    named: &BTreeMap<String, Profile>,
    warnings: &mut Vec<Warning>,
) -> Result<String> {
    let name = folded(field.text()?, ignore_case);
    if !named.contains_key(&name) {
        warnings.push(Warning::new(
            Rule::DefaultProfileMissing,
            field.path(),
            format!("there is no profile `{name}`, so every request without a profile is denied"),
        ));
    }
    Ok(name)
}

fn profile(
    layers: &mut Layers<'_, '_, '_>,
    name: &str,
    path: &str,
    known: &Known,
    warnings: &mut Vec<Warning>,
) -> Result<Profile> {
    let claims = claims::read(layers, known)?;
    if claims.issuers.is_empty() && known.has_keys_for_any() {
        warnings.push(Warning::new(
            Rule::IssuerUnbound,
            if path.is_empty() {
                "issuer".to_owned()
            } else {
                format!("{path}.issuer")
            },
            "no issuer is configured, so a token signed with any of the keys is accepted with any `iss`",
        ));
    }
    if claims.audience == AudienceRule::Absent && !layers.has("audiences") && !known.has_audiences() {
        warnings.push(Warning::new(Rule::AudienceUnexpected, if path.is_empty() {
                "audiences".to_owned()
            } else {
                format!("{path}.audiences")
            },
            "no audience is configured, so a token with an `aud` is denied; list the audiences of this service, or write `null` if its tokens have none",
        ));
    }
    Ok(Profile {
        name: name.to_owned(),
        closed: layers.read("closed", Field::owned_text)?,
        claims,
        identity: layers
            .read("identity", identity::read)?
            .unwrap_or_else(identity::by_subject),
        rules: rules::read(layers)?,
        session: layers.read("session", rules::session)?.unwrap_or_default(),
        bound_cidrs: layers.read("bound_cidrs", rules::networks)?.unwrap_or_default(),
    })
}

/// The most values that all profiles together inherit. Each profile has its own copy, so a configuration of 100 KB could
/// otherwise take gigabytes.
const MAX_INHERITED: usize = 1_000_000;

const FOR_ALL_PROFILES: [&str; 14] = [
    "keys",
    "issuers",
    "issuer_claims",
    "algorithms",
    "kid",
    "token",
    "typ",
    "unused_headers",
    "not_applicable",
    "responses",
    "profiles",
    "profile_required",
    "default_profile",
    "profiles_ignore_case",
];
