//! Stage identity: [`ValidClaims`] → [`Identity`].

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::BTreeMap;

use crate::claims::Registered;
use crate::error::{Code, Error, Result};
use crate::expr::{Budget, Document, Effort, Selection};
use crate::grant::Identity;
use crate::json::{Number, Value, text as json_text};
use crate::pipeline::validate::ValidClaims;
use crate::pipeline::watch::{At, Check, Event, Part, Seen, Watch};
use crate::policy::{
    AbsentRule, IdentityRule, ListRule, MetadataRule, Named, OtherRule, TextRule, ValueRule,
};

/// Maps the claims to an identity: name, e-mail, display name, metadata, groups, lists, in this order.
///
/// # Errors
/// [`Code::IdentityMissing`], [`Code::IdentityInvalid`], [`Code::GroupsInvalid`], [`Code::MappingFailed`].
pub(crate) fn map(
    claims: &ValidClaims<'_>,
    rule: &IdentityRule,
    requested_org: Option<u64>,
    watch: &mut impl Watch,
) -> Result<Identity> {
    let document = claims.document();
    let name = mapped_name(rule, document, watch)?;
    let email = optional(rule.email.as_ref(), Check::Email, document, watch)?;
    let display_name = optional(rule.display_name.as_ref(), Check::DisplayName, document, watch)?;
    let (metadata, failed) = metadata(&rule.metadata, document, watch);
    if let Some(error) = failed {
        return Err(error);
    }
    let groups = groups(rule.groups.as_ref(), document, watch)?.unwrap_or_default();
    let mut lists = BTreeMap::new();
    for (target, rule) in &rule.lists {
        if let Some(items) = list_of(target, rule, document, watch)? {
            lists.insert(target.clone(), items);
        }
    }
    Ok(Identity {
        name,
        subject: subject(document),
        email,
        display_name,
        requested_org,
        groups,
        metadata,
        lists,
    })
}

/// What an explanation has mapped after a denial.
pub(crate) struct Mapped {
    /// The values that can be mapped.
    pub(crate) identity: Identity,
    /// Whether the budget sufficed for every value. Otherwise nothing may be told about what the others give.
    pub(crate) is_whole: bool,
}

/// Maps each value of [`map`] on its own, also after one that fails, for an explanation and within its budget. The identity is
/// only reported on.
pub(crate) fn inform(
    document: &Document<'_>,
    rule: &IdentityRule,
    requested_org: Option<u64>,
    watch: &mut impl Watch,
) -> Mapped {
    let length = document.claims().text().len();
    let mut identity = Identity {
        name: None,
        subject: subject(document),
        email: None,
        display_name: None,
        requested_org,
        groups: Vec::new(),
        metadata: BTreeMap::new(),
        lists: BTreeMap::new(),
    };
    let mut is_whole = true;
    let mut affords = |watch: &dyn Watch, effort: Effort| {
        let is_enough = watch.affords(effort.at(length));
        is_whole = is_whole && is_enough;
        is_enough
    };
    if affords(watch, rule.name.iter().map(|rule| rule.select.effort()).sum()) {
        identity.name = mapped_name(rule, document, watch).ok().flatten();
    }
    for (check, rule, value) in [
        (Check::Email, &rule.email, &mut identity.email),
        (Check::DisplayName, &rule.display_name, &mut identity.display_name),
    ] {
        if affords(watch, rule.iter().map(|rule| rule.select.effort()).sum()) {
            *value = optional(rule.as_ref(), check, document, watch).ok().flatten();
        }
    }
    for (target, rule) in &rule.metadata {
        if affords(watch, rule.effort())
            && let Ok(Some(value)) = metadata_value((target, rule), document, watch)
        {
            identity.metadata.insert(target.clone(), value);
        }
    }
    if affords(watch, rule.groups.iter().map(|rule| rule.select.effort()).sum()) {
        let groups = groups(rule.groups.as_ref(), document, watch);
        identity.groups = groups.ok().flatten().unwrap_or_default();
    }
    for (target, rule) in &rule.lists {
        if affords(watch, rule.select.effort())
            && let Ok(Some(items)) = list_of(target, rule, document, watch)
        {
            identity.lists.insert(target.clone(), items);
        }
    }
    Mapped { identity, is_whole }
}

fn subject(document: &Document<'_>) -> Option<String> {
    let subject = document.claims().registered(Registered::Sub);
    subject.and_then(Value::as_str).map(str::to_owned)
}

fn mapped_name(
    rule: &IdentityRule,
    document: &Document<'_>,
    watch: &mut impl Watch,
) -> Result<Option<String>> {
    let name = name(rule, document);
    watch.saw_within(|budget| {
        let parts = rule
            .name
            .iter()
            .flat_map(|rule| Part::of_selection(&rule.select, document, budget));
        mapped(Check::Name, &name).parts(parts.collect())
    });
    name
}

#[inline]
fn optional(
    rule: Option<&ValueRule>,
    check: Check,
    document: &Document<'_>,
    watch: &mut impl Watch,
) -> Result<Option<String>> {
    let value = match rule {
        None => Ok(None),
        Some(rule) => text(rule, document, Code::IdentityInvalid, Code::IdentityMissing),
    };
    watch.saw_within(|budget| {
        mapped(check, &value).parts(parts(rule.map(|rule| &rule.select), document, budget))
    });
    value
}

#[inline]
fn groups(
    rule: Option<&ListRule>,
    document: &Document<'_>,
    watch: &mut impl Watch,
) -> Result<Option<Vec<String>>> {
    let groups = match rule {
        None => Ok(None),
        Some(rule) => list(rule, document, Code::GroupsInvalid),
    };
    watch.saw_within(|budget| {
        let select = rule.map(|rule| &rule.select);
        mapped_list(Check::Groups, &groups).parts(parts(select, document, budget))
    });
    groups
}

#[inline]
fn list_of(
    target: &str,
    rule: &ListRule,
    document: &Document<'_>,
    watch: &mut impl Watch,
) -> Result<Option<Vec<String>>> {
    let items = list(rule, document, Code::MappingFailed);
    watch.saw_within(|budget| {
        let event = mapped_list(Check::List, &items).at(At::Name(target.to_owned()));
        event.parts(parts(Some(&rule.select), document, budget))
    });
    items
}

/// What the parts of an expression gave.
fn parts(select: Option<&Selection>, document: &Document<'_>, budget: &Budget) -> Vec<Part> {
    select.map_or_else(Vec::new, |select| Part::of_selection(select, document, budget))
}

/// Requires a name, if the policy requires it only after every other check.
///
/// # Errors
/// [`Code::IdentityMissing`].
pub(crate) fn require_name(
    identity: &Identity,
    document: &Document<'_>,
    rule: &IdentityRule,
    watch: &mut impl Watch,
) -> Result<()> {
    let required = match rule.named {
        Named::RequiredAtLast => true,
        // `map` has already checked `Required`.
        Named::Required | Named::Optional => false,
    };
    let name = if required && identity.name.is_none() {
        let error = Error::new(Code::IdentityMissing);
        Err(match why_unnamed(rule, document) {
            why if why.is_empty() => error,
            why => error.with_detail(why),
        })
    } else {
        Ok(())
    };
    watch.saw(|| Event::of(Check::NameRequired, &name).if_applicable(required));
    name
}

/// What a check saw that maps a text.
fn mapped(check: Check, value: &Result<Option<String>>) -> Event {
    let text = value.as_ref().ok().and_then(Option::as_deref);
    let event = Event::of(check, value).if_applicable(text.is_some());
    if value.is_ok() {
        event.seen(Seen::text(text))
    } else {
        event
    }
}

/// What a check saw that maps a list.
pub(super) fn mapped_list(check: Check, items: &Result<Option<Vec<String>>>) -> Event {
    let event = Event::of(check, items).if_applicable(matches!(items, Ok(Some(_))));
    match items {
        Ok(Some(items)) => event.seen(Seen::texts(items.iter().map(String::as_str))),
        Ok(None) => event.seen(Seen::of(None)),
        Err(_) => event,
    }
}

/// Reads a list of texts. `None` if the claim is absent and the rule allows that.
///
/// # Errors
/// `code`, with the name of the claim.
pub(crate) fn list(rule: &ListRule, document: &Document<'_>, code: Code) -> Result<Option<Vec<String>>> {
    let found = find(&rule.select, document, code)?;
    if let (Some(Value::String(text)), Some(separator)) = (found.as_deref(), &rule.split) {
        let parts = text.split(separator.as_str());
        return Ok(Some(
            parts.filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        ));
    }
    let items: &[Value<'_>] = match found.as_deref() {
        None | Some(Value::Null) => return absent(rule.absent, &rule.select, code),
        Some(Value::Array(items)) => items,
        Some(value @ Value::Object(_)) if rule.other == OtherRule::Refuse => {
            return Err(wrong(&rule.select, code, value));
        }
        Some(_) if rule.other == OtherRule::Omit => &[],
        Some(scalar) => std::slice::from_ref(scalar),
    };
    let in_list = matches!(found.as_deref(), Some(Value::Array(_)));
    // The token's text is read again, at most once, for numbers that a double cannot distinguish.
    let written = LazyCell::new(|| {
        let text = rule.select.find_text(document)?;
        if in_list {
            json_text::elements(text)
        } else {
            Some(vec![text])
        }
    });
    let mut texts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let written = || written.as_ref().and_then(|texts| texts.get(index).copied());
        match (as_text(item, rule.text, written), rule.other) {
            (Some(text), _) if rule.drop_empty && text.is_empty() => {}
            (Some(text), _) => texts.push(text.into_owned()),
            (None, OtherRule::Omit) => {}
            (None, OtherRule::Refuse) if in_list => {
                let problem = format!("has the wrong type: a list with {}", item.type_name());
                return Err(failed(&rule.select, code, &problem));
            }
            (None, OtherRule::Refuse) => return Err(wrong(&rule.select, code, item)),
        }
    }
    Ok(Some(texts))
}

/// The mapped values. If several claims cannot be read, the error is that of the first one by the name of the claim,
/// whatever its target is.
fn metadata(
    rules: &BTreeMap<String, MetadataRule>,
    document: &Document<'_>,
    watch: &mut impl Watch,
) -> (BTreeMap<String, String>, Option<Error>) {
    let mut metadata = BTreeMap::new();
    let mut failed: Option<Error> = None;
    for (target, rule) in rules {
        match metadata_value((target, rule), document, watch) {
            Ok(Some(value)) => {
                metadata.insert(target.clone(), value);
            }
            Ok(None) => {}
            Err(error) => {
                if failed.as_ref().is_none_or(|first| error.claim() < first.claim()) {
                    failed = Some(error);
                }
            }
        }
    }
    (metadata, failed)
}

#[inline]
fn metadata_value(
    (target, rule): (&String, &MetadataRule),
    document: &Document<'_>,
    watch: &mut impl Watch,
) -> Result<Option<String>> {
    let value = match rule {
        MetadataRule::Fixed { fixed } => Ok(Some(fixed.clone())),
        MetadataRule::Value(rule) => text(rule, document, Code::MappingFailed, Code::MappingFailed),
    };
    watch.saw_within(|budget| {
        let select = match rule {
            MetadataRule::Fixed { .. } => None,
            MetadataRule::Value(rule) => Some(&rule.select),
        };
        let event = mapped(Check::Metadata, &value).at(At::Name(target.clone()));
        event.parts(parts(select, document, budget))
    });
    value
}

fn name(rule: &IdentityRule, document: &Document<'_>) -> Result<Option<String>> {
    let mut empty = false;
    for value in &rule.name {
        match text(value, document, Code::IdentityInvalid, Code::IdentityMissing)? {
            Some(name) if !name.is_empty() => return Ok(Some(name)),
            Some(_) => empty = true,
            None => {}
        }
    }
    match rule.name.first() {
        Some(first) if rule.named == Named::Required => {
            let error = named(Code::IdentityMissing, &first.select);
            Err(match rule.name.as_slice() {
                [_] if empty => error.with_detail("the claim is empty"),
                _ => error.with_detail(why_unnamed(rule, document)),
            })
        }
        _ => Ok(None),
    }
}

fn text(rule: &ValueRule, document: &Document<'_>, invalid: Code, missing: Code) -> Result<Option<String>> {
    let found = find(&rule.select, document, invalid)?;
    match found.as_deref() {
        None | Some(Value::Null) => absent(rule.absent, &rule.select, missing),
        Some(value) => match (
            as_text(value, rule.text, || rule.select.find_text(document)),
            rule.other,
        ) {
            (Some(text), _) => Ok(Some(text.into_owned())),
            (None, OtherRule::Omit) => Ok(None),
            (None, OtherRule::Refuse) => Err(wrong(&rule.select, invalid, value)),
        },
    }
}

fn find<'a, 't>(
    select: &Selection,
    document: &'a Document<'t>,
    code: Code,
) -> Result<Option<crate::expr::Found<'a, 't>>> {
    select
        .find(document)
        .map_err(|why| Error::new(code).with_detail(why))
}

fn absent<T>(rule: AbsentRule, select: &Selection, code: Code) -> Result<Option<T>> {
    match rule {
        AbsentRule::Omit => Ok(None),
        AbsentRule::Refuse => Err(failed(select, code, &format!("is missing{}", doubt(select))).absent()),
    }
}

fn wrong(select: &Selection, code: Code, value: &Value<'_>) -> Error {
    failed(
        select,
        code,
        &format!("has the wrong type: {}", value.type_name()),
    )
}

fn failed(select: &Selection, code: Code, problem: &str) -> Error {
    match select {
        Selection::JmesPath(expression) => {
            Error::new(code).with_detail(format!("{} {problem}", expression.shown()))
        }
        select => named(code, select).with_detail(format!("the claim {problem}")),
    }
}

/// Returns a hint for a claim that is missing, or an empty text.
fn doubt(select: &Selection) -> String {
    select
        .doubt()
        .map_or_else(String::new, |doubt| format!("; {doubt}"))
}

/// Returns why none of the claims is a name. The text has types of values, and no value.
fn why_unnamed(rule: &IdentityRule, document: &Document<'_>) -> String {
    let of_value = |value: &ValueRule| {
        let what = match &value.select {
            Selection::JmesPath(expression) => expression.shown(),
            select if value.place.is_empty() => format!("the claim `{}`", select.name()),
            select => format!("`{}`: the claim `{}`", value.place, select.name()),
        };
        let why = match (value.select.find(document), &value.select) {
            (Err(_), _) => "cannot be evaluated".to_owned(),
            (Ok(None), select) => format!("is missing{}", doubt(select)),
            (Ok(Some(found)), select) => match (&*found, select) {
                (Value::Null, Selection::JmesPath(_)) => "is null or missing".to_owned(),
                (Value::Null, _) => "is null".to_owned(),
                (Value::String(_), _) => "is empty".to_owned(),
                (other, _) => format!("is {}, and must be a string", other.type_name()),
            },
        };
        format!("{what} {why}")
    };
    let reasons: Vec<String> = rule.name.iter().map(of_value).collect();
    reasons.join("; ")
}

fn named(code: Code, select: &Selection) -> Error {
    match select {
        Selection::JmesPath(expression) => Error::new(code).with_detail(expression.shown()),
        select => Error::new(code).with_claim(select.name()),
    }
}

/// Returns the text of a value. `written` returns the value as written in the token, unless it is the result of an
/// expression.
fn as_text<'v, 'w>(
    value: &'v Value<'_>,
    rule: TextRule,
    written: impl FnOnce() -> Option<&'w str>,
) -> Option<Cow<'v, str>> {
    match (value, rule) {
        (Value::String(text), _) => Some(Cow::Borrowed(text)),
        (_, TextRule::Strings) => None,
        (Value::Bool(value), _) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        (Value::Number(number), TextRule::Scalars) => exact(*number, written).map(Cow::Owned),
        (Value::Number(number), TextRule::TruncatedScalars) => truncated(*number).map(Cow::Owned),
        _ => None,
    }
}

/// Returns a number as JSON writes it. `None` if a different number would have the same text.
fn exact<'w>(number: Number, written: impl FnOnce() -> Option<&'w str>) -> Option<String> {
    let text = number.to_string();
    match number {
        Number::Unsigned(_) | Number::Signed(_) => Some(text),
        Number::Float(double) => match written() {
            Some(written) if json_text::is_plain_integer(written) => Some(written.to_owned()),
            Some(written) => json_text::same_number(written, &text).then_some(text),
            // The result of an expression: from 2^53 on, several integers have the same double.
            None => (double.abs() < 9_007_199_254_740_992.0).then_some(text),
        },
    }
}

/// The integer part of the number's double. `None` if it does not fit into a signed 64-bit integer: then the systems
/// that truncate overflow in different ways.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn truncated(number: Number) -> Option<String> {
    let double = number.as_f64();
    let bits = -9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0;
    bits.contains(&double).then(|| (double as i64).to_string())
}
