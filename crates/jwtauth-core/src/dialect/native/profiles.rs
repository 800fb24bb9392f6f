//! The top level and the profiles.

use std::collections::BTreeMap;

use super::layers::Layers;
use super::{claims, identity, rules};
use crate::error::Result;
use crate::members::{Field, Members};
use crate::policy::{Profile, Profiles};
use crate::warning::Warning;

/// Reads the rules for requests without a profile, and those of every profile.
pub(super) fn read(
    members: &mut Members<'_, '_>,
    discovered: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<Profiles> {
    let default = members.get_non_null("default_profile");
    let required = members
        .get_non_null("profile_required")
        .map(|field| field.boolean())
        .transpose()?;
    let ignore_case = members
        .get_non_null("profiles_ignore_case")
        .map(|field| field.boolean())
        .transpose()?;
    let ignore_case = ignore_case.unwrap_or_default();
    if let (Some(default), Some(true)) = (&default, required) {
        return Err(default.error("does not go with `profile_required`; leave one of them out"));
    }
    let given = members.get_non_null("profiles");

    // The top level is read even where no request is decided by it: its members stand in for those that profiles
    // leave out, and a mistake in one of them must not lie in wait.
    let mut of_top = Vec::new();
    let top = profile(&mut Layers::top(members), "", "", discovered, &mut of_top)?;
    let top = if default.is_some() || required.unwrap_or_default() {
        None
    } else {
        warnings.append(&mut of_top);
        Some(top)
    };

    let mut named = BTreeMap::new();
    if let Some(profiles) = given {
        for (name, field) in profiles.entries()? {
            let name = if ignore_case {
                name.to_lowercase()
            } else {
                name.to_owned()
            };
            if name.is_empty() {
                return Err(profiles.error("a profile must have a name"));
            }
            let mut own = field.members()?;
            if let Some(stray) = FOR_ALL_PROFILES.iter().find_map(|name| own.peek(name)) {
                return Err(stray.error("is the same for all profiles; it belongs at the top level"));
            }
            let mut layers = Layers::over(&mut own, members);
            let profile = profile(&mut layers, &name, field.path(), discovered, warnings)?;
            own.finish()?;
            if named.insert(name, profile).is_some() {
                return Err(field.error("is the name of another profile in other letters"));
            }
        }
    }
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

fn default_profile(
    field: &Field<'_, '_>,
    ignore_case: bool,
    named: &BTreeMap<String, Profile>,
    warnings: &mut Vec<Warning>,
) -> Result<String> {
    let name = field.text()?;
    let name = if ignore_case {
        name.to_lowercase()
    } else {
        name.to_owned()
    };
    if !named.contains_key(&name) {
        warnings.push(Warning::new(
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
    discovered: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<Profile> {
    let claims = claims::read(layers, discovered)?;
    if claims.issuers.is_empty() {
        warnings.push(Warning::new(
            if path.is_empty() {
                "issuer".to_owned()
            } else {
                format!("{path}.issuer")
            },
            "no issuer is named, so a token from anybody who holds a key is accepted whatever its `iss` says",
        ));
    }
    Ok(Profile {
        name: name.to_owned(),
        closed: layers
            .get_non_null("closed")
            .map(|field| field.text().map(str::to_owned))
            .transpose()?,
        claims,
        identity: identity::read(layers.get_non_null("identity"))?,
        rules: rules::read(layers)?,
        session: rules::session(layers.get_non_null("session"))?,
        bound_cidrs: rules::networks(layers.get_non_null("bound_cidrs"))?,
    })
}

const FOR_ALL_PROFILES: [&str; 12] = [
    "keys",
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
