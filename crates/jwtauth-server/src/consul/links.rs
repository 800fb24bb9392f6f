//! `acl/role` and `acl/policy`, as far as binding rules need them: what exists can be bound.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::body::{members, stamp, text};
use super::catalog::{self, Catalog, MANAGEMENT, MANAGEMENT_ID, Object};
use super::methods::Outcome;
use super::reply::{invalid, refuse};
use crate::call::Reply;
use crate::random::uuid;
use crate::state::Change;

/// A kind of things that rules bind by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Role,
    Policy,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Role => "Role",
            Kind::Policy => "Policy",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Kind::Role => catalog::ROLE,
            Kind::Policy => catalog::POLICY,
        }
    }

    fn longest(self) -> usize {
        match self {
            Kind::Role => 256,
            Kind::Policy => 128,
        }
    }

    fn members(self) -> &'static [&'static str] {
        match self {
            Kind::Role => &[
                "Name",
                "Description",
                "Policies",
                "ServiceIdentities",
                "NodeIdentities",
                "TemplatedPolicies",
            ],
            Kind::Policy => &["Name", "Description", "Rules", "Datacenters"],
        }
    }

    fn objects(self, catalog: &Catalog) -> BTreeMap<String, Object> {
        match self {
            Kind::Role => catalog.roles.clone(),
            Kind::Policy => {
                let builtin = json!({
                    "ID": MANAGEMENT_ID,
                    "Name": MANAGEMENT,
                    "Description": "Builtin Policy that grants unlimited access",
                    "Rules": "",
                    "CreateIndex": 1,
                    "ModifyIndex": 1,
                });
                let mut all = catalog.policies.clone();
                all.insert(
                    MANAGEMENT_ID.to_owned(),
                    builtin.as_object().cloned().unwrap_or_default(),
                );
                all
            }
        }
    }
}

/// All things of a kind.
pub(super) fn list(kind: Kind, catalog: &Catalog) -> Reply {
    let objects = kind.objects(catalog).into_values().map(|mut object| {
        object.remove("Rules");
        Value::from(object)
    });
    Reply::json(StatusCode::OK, &objects.collect::<Vec<_>>().into())
}

/// One thing, by its id or by its name.
pub(super) fn read(
    kind: Kind,
    catalog: &Catalog,
    is_wanted: impl Fn(&Object) -> bool,
) -> Result<Reply, Reply> {
    let objects = kind.objects(catalog);
    let found = objects.values().find(|object| is_wanted(object));
    found.map(super::methods::shown).ok_or_else(|| {
        let what = kind.name().to_lowercase();
        refuse(
            StatusCode::NOT_FOUND,
            format!("Requested {what} does not exist: ACL not found"),
        )
    })
}

/// Creates a thing, or replaces the one whose id the path has.
pub(super) fn write(kind: Kind, catalog: &Catalog, path: Option<&str>, body: &Map<String, Value>) -> Outcome {
    let what = kind.name();
    let objects = kind.objects(catalog);
    let mut object = members(body, kind.members());
    let before = match path {
        None => None,
        Some(MANAGEMENT_ID) => return Err(invalid("Changing the builtin policy is not permitted")),
        Some(id) => {
            let known = objects.get(id);
            Some(known.ok_or_else(|| invalid(format!("cannot find {} {id}", what.to_lowercase())))?)
        }
    };
    let name = text(&object, "Name").to_owned();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if name.is_empty() {
        return Err(invalid(format!("Invalid {what}: no Name is set")));
    }
    if name.len() > kind.longest() || !name.chars().all(plain) {
        return Err(invalid(format!(
            "Invalid {what}: invalid Name. Only alphanumeric characters, '-' and '_' are allowed"
        )));
    }
    let taken = objects
        .iter()
        .any(|(id, other)| text(other, "Name") == name && path != Some(id.as_str()));
    if taken {
        return Err(invalid(format!(
            "Invalid {what}: A {what} with Name \"{name}\" already exists"
        )));
    }
    let id = match path {
        Some(id) => id.to_owned(),
        None => uuid().map_err(invalid)?,
    };
    object.insert("ID".to_owned(), id.as_str().into());
    stamp(&mut object, before, catalog.revision);
    let change = Change::set(
        format!("{}{id}", kind.key()),
        Value::from(object.clone()).to_string(),
    );
    Ok((vec![change], super::methods::shown(&object)))
}

/// Deletes a thing, also one that does not exist.
pub(super) fn delete(kind: Kind, catalog: &Catalog, id: &str) -> Outcome {
    if kind == Kind::Policy && id == MANAGEMENT_ID {
        return Err(invalid(
            "Delete operation not permitted on the builtin global-management policy",
        ));
    }
    let known = kind.objects(catalog).contains_key(id);
    let change = known.then(|| Change::remove(format!("{}{id}", kind.key())));
    Ok((
        change.into_iter().collect(),
        Reply::json(StatusCode::OK, &true.into()),
    ))
}
