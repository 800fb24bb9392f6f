//! Binding rules, and the directory of existing roles and policies.

use std::collections::{BTreeMap, BTreeSet};

use super::mapped::Mapped;
use crate::error::{Code, Result};
use crate::expr::{Placed, Selector, Template};
use crate::members::Field;
use crate::ordered;
use crate::policy::{BindKind, BindingRule, Bindings, Directory};
use crate::warning::{Rule, Warning};

/// Reads the binding rules of one auth method.
pub(super) fn read(
    rules: Option<&Field<'_, '_>>,
    directory: Option<&Field<'_, '_>>,
    method: &str,
    mapped: &Mapped,
    warnings: &mut Vec<Warning>,
) -> Result<Bindings> {
    let variables: BTreeSet<String> = ordered::collect(mapped.values.keys().cloned());
    let mut read = Vec::new();
    for (index, field) in rules.map_or(Ok(Vec::new()), Field::items)?.iter().enumerate() {
        let rule = rule(field, method, &variables)?;
        for name in rule
            .selector
            .iter()
            .flat_map(|selector| unmapped(selector, mapped))
        {
            warnings.push(Warning::new(
                Rule::UnmappedName,
                format!("BindingRules[{index}].Selector"),
                format!("no claim is mapped to `{name}`, so it is always missing"),
            ));
        }
        read.push(rule);
    }
    if read.is_empty() {
        warnings.push(Warning::new(
            Rule::DeniesEveryToken,
            "BindingRules",
            "no binding rule is configured, so every login is denied",
        ));
    }
    let directory = directory.map_or(Ok(Directory::default()), existing)?;
    for (kind, things, known) in [
        (BindKind::Role, "roles", &directory.roles),
        (BindKind::Policy, "policies", &directory.policies),
    ] {
        if known.is_none() && read.iter().any(|rule: &BindingRule| rule.bind == kind) {
            warnings.push(Warning::new(
                Rule::DirectoryMissing,
                format!("Directory.{things}"),
                format!("is missing, so all {things} are assumed to exist; Consul binds only existing ones"),
            ));
        }
    }
    Ok(Bindings {
        rules: read,
        directory,
        variables,
    })
}

/// Returns the names in a selector that have no mapping. Consul accepts them silently; here they cause a warning.
fn unmapped(selector: &Selector, mapped: &Mapped) -> Vec<String> {
    let names = selector.names();
    let values = names
        .values
        .into_iter()
        .filter(|name| !mapped.values.contains_key(*name));
    let lists = names
        .lists
        .into_iter()
        .filter(|name| !mapped.lists.contains_key(*name));
    values
        .map(|name| format!("value.{name}"))
        .chain(lists.map(|name| format!("list.{name}")))
        .collect()
}

fn rule(field: &Field<'_, '_>, method: &str, variables: &BTreeSet<String>) -> Result<BindingRule> {
    let body = Body::read(field)?;
    if let Some(other) = &body.auth_method {
        check_method(other, method)?;
    }
    let selector = match &body.selector {
        Some(text) => selector(text)?,
        None => None,
    };
    let kind = required(body.kind, "BindType", field)?;
    let name = required(body.name, "BindName", field)?;
    let bind = bind_kind(&kind)?;
    let rule = BindingRule {
        selector,
        bind,
        name: bind_name(&name, bind, variables)?,
        variables: match &body.bind_vars {
            Some(vars) => bind_vars(vars, bind, variables)?,
            None => BTreeMap::new(),
        },
    };
    check_with_fakes(&rule, variables, field)?;
    Ok(rule)
}

/// The body of a rule as written.
struct Body<'a, 't> {
    auth_method: Option<Field<'a, 't>>,
    selector: Option<Field<'a, 't>>,
    kind: Option<Field<'a, 't>>,
    name: Option<Field<'a, 't>>,
    bind_vars: Option<Field<'a, 't>>,
}

impl<'a, 't> Body<'a, 't> {
    fn read(field: &Field<'a, 't>) -> Result<Body<'a, 't>> {
        let mut members = field.members()?;
        let body = Body {
            auth_method: members.get("AuthMethod"),
            selector: members.get_non_null("Selector"),
            kind: members.get("BindType"),
            name: members.get("BindName"),
            bind_vars: members.get_non_null("BindVars"),
        };
        for ignored in ["ID", "Description", "Namespace", "Partition"] {
            members.read(ignored, Field::string)?;
        }
        for ignored in ["CreateIndex", "ModifyIndex"] {
            members.read(ignored, Field::unsigned)?;
        }
        members.finish()?;
        Ok(body)
    }
}

fn check_method(field: &Field<'_, '_>, method: &str) -> Result<()> {
    let name = field.string()?;
    if name.is_empty() || name == method {
        Ok(())
    } else {
        Err(field.error(format!("cannot find auth method with name \"{name}\"")))
    }
}

fn selector(field: &Field<'_, '_>) -> Result<Option<Placed<Selector>>> {
    let text = field.string()?;
    if text.is_empty() {
        return Ok(None);
    }
    let selector = Selector::parse(text).map_err(|why| {
        let reason = why.reason();
        field.error_of(
            Code::ExpressionInvalid,
            format!("invalid Binding Rule: Selector is invalid: {reason}"),
        )
    })?;
    Ok(Some(Placed::new(selector, field.path())))
}

fn bind_kind(field: &Field<'_, '_>) -> Result<BindKind> {
    match field.string()? {
        "service" => Ok(BindKind::Service),
        "node" => Ok(BindKind::Node),
        "role" => Ok(BindKind::Role),
        "policy" => Ok(BindKind::Policy),
        "templated-policy" => Ok(BindKind::TemplatedPolicy),
        other => Err(field.error(format!("Invalid Binding Rule: unknown BindType \"{other}\""))),
    }
}

fn bind_name(
    field: &Field<'_, '_>,
    bind: BindKind,
    variables: &BTreeSet<String>,
) -> Result<Placed<Template>> {
    let text = field.string()?;
    // Consul does not fill in values in the name of a templated policy.
    if bind == BindKind::TemplatedPolicy && text.contains("${") {
        return Err(field.error(format!(
            "Bind name for templated-policy bind type does not match existing template name: {text}"
        )));
    }
    template(field, variables)
}

fn bind_vars(
    field: &Field<'_, '_>,
    bind: BindKind,
    variables: &BTreeSet<String>,
) -> Result<BTreeMap<String, Placed<Template>>> {
    if bind != BindKind::TemplatedPolicy {
        return Err(field.error("is allowed only with BindType \"templated-policy\""));
    }
    let mut members = field.members()?;
    let name = members.get("Name");
    members.finish()?;
    let name = name.map(|field| template(&field, variables)).transpose()?;
    Ok(ordered::collect(name.map(|name| ("name".to_owned(), name))))
}

/// Reads a template over the mapped values.
fn template(field: &Field<'_, '_>, variables: &BTreeSet<String>) -> Result<Placed<Template>> {
    let template = Template::parse(field.string()?).map_err(|why| field.within(why))?;
    let template = known_variables(template, variables, field)?;
    Ok(Placed::new(template, field.path()))
}

fn required<'a, 't>(given: Option<Field<'a, 't>>, what: &str, rule: &Field<'_, '_>) -> Result<Field<'a, 't>> {
    given
        .filter(|given| given.string().is_ok_and(|text| !text.is_empty()))
        .ok_or_else(|| rule.error(format!("Invalid Binding Rule: no {what} is set")))
}

fn known_variables(
    template: Template,
    variables: &BTreeSet<String>,
    field: &Field<'_, '_>,
) -> Result<Template> {
    let unknown = template
        .variables()
        .into_iter()
        .find(|name| !variables.contains(*name))
        .map(str::to_owned);
    match unknown {
        None => Ok(template),
        Some(name) => Err(field.error_of(
            Code::ExpressionInvalid,
            format!("error interpreting template: unknown variable accessed: value.{name}; it must be a target of `ClaimMappings`"),
        )),
    }
}

/// Checks that a rule computes a valid name for an identity in which every value is `fake`.
fn check_with_fakes(rule: &BindingRule, variables: &BTreeSet<String>, field: &Field<'_, '_>) -> Result<()> {
    let fakes: BTreeMap<String, String> =
        ordered::collect(variables.iter().map(|name| (name.clone(), "fake".to_owned())));
    let name = rule.name.fill(&fakes);
    let given = rule.variables.iter();
    let given: BTreeMap<String, String> =
        ordered::collect(given.map(|(variable, template)| (variable.clone(), template.fill(&fakes))));
    let problem = match rule.bind {
        BindKind::TemplatedPolicy if !rule.bind.accepts(&name) => {
            format!("Bind name for templated-policy bind type does not match existing template name: {name}")
        }
        kind if !kind.accepts(&name) || (kind == BindKind::Policy && name.len() > 128) => {
            format!("invalid bind name: \"{name}\"")
        }
        kind if !kind.accepts_variables(&name, &given) => {
            let given = given.get("name").map_or("", String::as_str);
            format!(
                "templated policy failed validation: `{name}` requires a valid name in `BindVars.Name`; the name is \"{given}\" if every value is `fake`"
            )
        }
        _ => return Ok(()),
    };
    Err(field.error(problem))
}

/// Reads the directory: the names of existing `roles` and `policies`, and the server's datacenter.
fn existing(field: &Field<'_, '_>) -> Result<Directory> {
    let mut members = field.members()?;
    let names =
        |field: &Field<'_, '_>| -> Result<BTreeSet<String>> { Ok(ordered::collect(field.strings()?)) };
    let directory = Directory {
        roles: members.read_nullable("roles", names)?,
        policies: members.read_nullable("policies", names)?,
        datacenter: members.read_nullable("datacenter", Field::owned_text)?,
    };
    members.finish()?;
    Ok(directory)
}
