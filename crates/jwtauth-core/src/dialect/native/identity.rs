//! The identity in the claims.

use crate::error::Result;
use crate::expr::{IndexRule, JmesPath, Placed, Pointer, Selection};
use crate::members::{Field, Members};
use crate::policy::{IdentityRule, ListRule, MetadataRule, ValueRule};

/// Returns the default rule: the name is the subject (RFC 7519 §4.1.2).
pub(super) fn by_subject() -> IdentityRule {
    IdentityRule {
        name: vec![subject()],
        ..IdentityRule::default()
    }
}

pub(super) fn read(field: &Field<'_, '_>) -> Result<IdentityRule> {
    let mut members = field.members()?;
    let rule = IdentityRule {
        name: match members.get("name") {
            None => vec![subject()],
            Some(field) if field.is_null() => Vec::new(),
            Some(field) if field.value().as_array().is_some() => some_values(&field)?,
            Some(field) => vec![value(&field)?],
        },
        named: members.read("named", Field::choice)?.unwrap_or_default(),
        email: members.read("email", value)?,
        display_name: members.read("display_name", value)?,
        groups: members.read("groups", list)?,
        metadata: members
            .read("metadata", |field| field.map_of(metadata))?
            .unwrap_or_default(),
        lists: members
            .read("lists", |field| field.map_of(list))?
            .unwrap_or_default(),
    };
    members.finish()?;
    Ok(rule)
}

/// Reads where a value is in the claims: one of `claim`, `pointer`, `jmespath`.
pub(super) fn selection(members: &mut Members<'_, '_>, field: &Field<'_, '_>) -> Result<Selection> {
    let claim = members.get_non_null("claim");
    let pointer = members.get_non_null("pointer");
    let index = members.get_non_null("index");
    let expression = members.get_non_null("jmespath");
    if let (Some(index), None) = (&index, &pointer) {
        return Err(index.error("is allowed only with `pointer`"));
    }
    match (claim, pointer, expression) {
        (Some(name), None, None) => Ok(Selection::claim(name.string()?)),
        (None, Some(text), None) => {
            let rule = index.as_ref().map(Field::choice).transpose()?.unwrap_or_default();
            json_pointer(&text, rule).map(Selection::Pointer)
        }
        (None, None, Some(expression)) => jmespath(&expression).map(Selection::JmesPath),
        (None, None, None) => Err(field.error("must have one of claim, pointer, jmespath")),
        _ => Err(field.error("must have only one of claim, pointer, jmespath")),
    }
}

fn json_pointer(field: &Field<'_, '_>, rule: IndexRule) -> Result<Pointer> {
    let text = field.string()?;
    // RFC 6901 §3 defines no other escapes. The systems that read indices as Go does keep them unchanged.
    let escapes = text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    if !escapes && rule == IndexRule::Strict {
        return Err(field.error("`~` must be written as `~0` (RFC 6901)"));
    }
    Pointer::parse(text, rule).ok_or_else(|| field.error("must start with `/` (RFC 6901)"))
}

/// Reads a JMESPath expression.
pub(super) fn jmespath(field: &Field<'_, '_>) -> Result<Placed<JmesPath>> {
    let expression = JmesPath::parse(field.text()?).map_err(|error| field.within(error))?;
    Ok(Placed::new(expression, field.path()))
}

/// Reads the rule for a list of texts: a claim's name, or an object.
pub(super) fn list(field: &Field<'_, '_>) -> Result<ListRule> {
    if field.value().as_str().is_some() {
        return Ok(ListRule::new(Selection::claim(field.text()?)));
    }
    let mut members = field.members()?;
    let ValueRule {
        select,
        text,
        absent,
        other,
        place: _,
    } = value_members(&mut members, field)?;
    let rule = ListRule {
        select,
        text,
        absent,
        other,
        drop_empty: members.read("drop_empty", Field::boolean)?.unwrap_or_default(),
        split: members.read("split", Field::owned_text)?,
    };
    members.finish()?;
    Ok(rule)
}

fn value(field: &Field<'_, '_>) -> Result<ValueRule> {
    if field.value().as_str().is_some() {
        return Ok(ValueRule::new(Selection::claim(field.text()?)).at(field.path()));
    }
    let mut members = field.members()?;
    let rule = value_members(&mut members, field)?;
    members.finish()?;
    Ok(rule)
}

/// Reads the members that a single value and a list have in common: where the value is, and which values are used.
fn value_members(members: &mut Members<'_, '_>, field: &Field<'_, '_>) -> Result<ValueRule> {
    Ok(ValueRule {
        select: selection(members, field)?,
        text: members.read("text", Field::choice)?.unwrap_or_default(),
        absent: members.read("absent", Field::choice)?.unwrap_or_default(),
        other: members.read("other", Field::choice)?.unwrap_or_default(),
        place: field.path().to_owned(),
    })
}

fn some_values(field: &Field<'_, '_>) -> Result<Vec<ValueRule>> {
    let values = field.list_of(value)?;
    if values.is_empty() {
        Err(field.error("must not be empty; write `null` if there is no name"))
    } else {
        Ok(values)
    }
}

fn metadata(field: &Field<'_, '_>) -> Result<MetadataRule> {
    let fixed = field
        .value()
        .as_object()
        .is_some_and(|object| object.get("fixed").is_some());
    if !fixed {
        return value(field).map(MetadataRule::Value);
    }
    let mut members = field.members()?;
    let text = members.require("fixed")?.string()?.to_owned();
    members.finish()?;
    Ok(MetadataRule::Fixed { fixed: text })
}

fn subject() -> ValueRule {
    ValueRule::new(Selection::claim("sub"))
}
