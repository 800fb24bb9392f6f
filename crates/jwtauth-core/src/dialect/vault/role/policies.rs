//! The policies of a role, computed from the fields as Vault's core does it.

use std::collections::{BTreeMap, BTreeSet};

use crate::ordered;

/// Returns policy names in canonical form: trimmed, in lower case, unique and sorted. `root` removes all others.
pub(super) fn canonical(names: &[String]) -> BTreeSet<String> {
    let names = names.iter().map(|name| name.trim().to_lowercase());
    let mut names: BTreeSet<String> = ordered::collect(names.filter(|name| !name.is_empty()));
    if names.contains(ROOT) {
        names.retain(|name| name == ROOT);
    }
    names
}

/// Checks a name in `token_policies`. The error is the problem.
pub(super) fn check(name: &str) -> Result<(), &'static str> {
    if name.trim().is_empty() {
        Err("policy name cannot be empty")
    } else if name
        .trim()
        .split('/')
        .any(|segment| matches!(segment, "." | ".."))
    {
        Err("policy name cannot contain '..' path segments")
    } else {
        Ok(())
    }
}

/// Returns the policies that a login receives.
pub(super) fn received(mut names: BTreeSet<String>, no_default: bool) -> Vec<String> {
    if !no_default && !names.contains(ROOT) {
        names.insert("default".to_owned());
    }
    names.into_iter().collect()
}

/// Returns the policies that no login may receive, each with Vault's error text.
pub(super) fn forbidden(names: &[String]) -> BTreeMap<String, String> {
    let why = |name: &str| match name {
        ROOT => Some("auth methods cannot create root tokens".to_owned()),
        "response-wrapping" | "control-group" => Some(format!("cannot assign policy \"{name}\"")),
        _ => None,
    };
    ordered::collect(names.iter().filter_map(|name| Some((name.clone(), why(name)?))))
}

const ROOT: &str = "root";
