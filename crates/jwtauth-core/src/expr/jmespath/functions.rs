//! The functions of JMESPath Community Edition: the types of their arguments, and the functions on values of any type.
//!
//! Grafana uses the implementation of that edition in Go, and configurations depend on its results. So these functions
//! return the same results and fail for the same arguments.

use std::collections::BTreeMap;

use super::lists::{self, Apply};
use super::node::{Failure, Node, Outcome};
use super::texts;
use super::tree::Function;
use crate::ordered;

/// Calls a function. `apply` evaluates a reference among the arguments.
///
/// # Errors
/// The number, a type or a value of the arguments is wrong.
pub(super) fn call<'a>(function: Function, args: &[Node<'a>], apply: Apply) -> Outcome<'a> {
    check(function, args)?;
    // Only these functions evaluate expressions, which can recurse. They are outside of the large match, because its
    // stack frame is large.
    match (function, args) {
        (Function::Map, [reference, list]) => lists::map(reference, list, apply),
        (Function::MaxBy, [list, reference]) => lists::best_by(list, reference, apply, true),
        (Function::MinBy, [list, reference]) => lists::best_by(list, reference, apply, false),
        (Function::SortBy, [list, reference]) => lists::sort_by(list, reference, apply),
        (Function::GroupBy, [list, reference]) => lists::group_by(list, reference, apply),
        _ => plain(function, args),
    }
}

fn plain<'a>(function: Function, args: &[Node<'a>]) -> Outcome<'a> {
    match (function, args) {
        (Function::Abs, [number]) => Ok(round(number, f64::abs)),
        (Function::Ceil, [number]) => Ok(round(number, f64::ceil)),
        (Function::Floor, [number]) => Ok(round(number, f64::floor)),
        (Function::Contains, [within, value]) => contains(within, value),
        (Function::EndsWith, [text, end]) => Ok(test(text, end, |text, end| text.ends_with(end))),
        (Function::StartsWith, [text, start]) => Ok(test(text, start, |text, start| text.starts_with(start))),
        (Function::Length, [value]) => Ok(length(value)),
        (Function::NotNull, args) => Ok(args
            .iter()
            .find(|arg| !arg.is_null())
            .map_or(Node::Null, Node::clone)),
        (Function::Reverse, [value]) => Ok(reverse(value)),
        (Function::ToArray, [value]) if value.is_list() => Ok(value.clone()),
        (Function::ToArray, args) => Ok(Node::list(args.to_vec())),
        (Function::ToNumber, [value]) => to_number(value),
        (Function::ToString, [value]) => to_string(value),
        (Function::Type, [value]) => type_name(value),
        (Function::Items, [object]) => Ok(items(object)),
        (Function::Keys, [object]) => Ok(keys(object)),
        (Function::Values, [object]) => Ok(values(object)),
        (Function::Merge, objects) => Ok(merge(objects)),
        (Function::FromItems, [pairs]) => from_items(pairs),
        (Function::Avg, [list]) => Ok(lists::average(list)),
        (Function::Sum, [list]) => Ok(lists::sum(list)),
        (Function::Max, [list]) => Ok(lists::best(list, true)),
        (Function::Min, [list]) => Ok(lists::best(list, false)),
        (Function::Sort, [list]) => Ok(lists::sort(list)),
        (Function::Zip, lists) => Ok(lists::zip(lists)),
        (Function::Join, [separator, list]) => texts::join(separator, list),
        (Function::Lower, [text]) => Ok(texts::lower(text)),
        (Function::Upper, [text]) => Ok(texts::upper(text)),
        (Function::Split, [text, separator, count @ ..]) => texts::split(text, separator, count),
        (Function::Replace, [text, old, new, count @ ..]) => texts::replace(text, old, new, count),
        (Function::PadLeft, [text, width, pad @ ..]) => texts::pad(text, width, pad, true),
        (Function::PadRight, [text, width, pad @ ..]) => texts::pad(text, width, pad, false),
        (Function::FindFirst, [text, part, edges @ ..]) => texts::find(text, part, edges, true),
        (Function::FindLast, [text, part, edges @ ..]) => texts::find(text, part, edges, false),
        (Function::Trim, [text, set @ ..]) => Ok(texts::trim(text, set, true, true)),
        (Function::TrimLeft, [text, set @ ..]) => Ok(texts::trim(text, set, true, false)),
        (Function::TrimRight, [text, set @ ..]) => Ok(texts::trim(text, set, false, true)),
        // `check` has already checked the number of arguments.
        _ => Err(Failure::Type),
    }
}

/// The type that an argument must have.
#[derive(Clone, Copy)]
enum Kind {
    Any,
    Number,
    Text,
    List,
    Object,
    Reference,
    Numbers,
    Texts,
    NumbersOrTexts,
    ListOrText,
    Sized,
}

/// The arguments of a function.
struct Signature {
    kinds: &'static [Kind],
    /// The number of required arguments.
    least: usize,
    /// Whether the last argument can be repeated.
    repeated: bool,
}

fn check(function: Function, args: &[Node<'_>]) -> Result<(), Failure> {
    let Signature {
        kinds,
        least,
        repeated,
    } = signature(function);
    let last = kinds.last().copied().filter(|_| repeated);
    let too_many = args.len() > kinds.len() && last.is_none();
    let mut expected = kinds
        .iter()
        .copied()
        .chain(std::iter::repeat(last.unwrap_or(Kind::Any)));
    let fits = args
        .iter()
        .all(|arg| expected.next().is_some_and(|kind| kind.fits(arg)));
    if args.len() < least || too_many || !fits {
        return Err(Failure::Type);
    }
    Ok(())
}

fn signature(function: Function) -> Signature {
    use Kind::{
        Any, List, ListOrText, Number, Numbers, NumbersOrTexts, Object, Reference, Sized, Text, Texts,
    };
    let all = |kinds: &'static [Kind]| Signature {
        kinds,
        least: kinds.len(),
        repeated: false,
    };
    let least = |least: usize, kinds: &'static [Kind]| Signature {
        kinds,
        least,
        repeated: false,
    };
    let repeated = |kinds: &'static [Kind]| Signature {
        kinds,
        least: kinds.len(),
        repeated: true,
    };
    match function {
        Function::Abs | Function::Ceil | Function::Floor => all(&[Number]),
        Function::Avg | Function::Sum => all(&[Numbers]),
        Function::Contains => all(&[ListOrText, Any]),
        Function::EndsWith | Function::StartsWith => all(&[Text, Text]),
        Function::FindFirst | Function::FindLast => least(2, &[Text, Text, Number, Number]),
        Function::FromItems => all(&[List]),
        Function::GroupBy | Function::MaxBy | Function::MinBy | Function::SortBy => all(&[List, Reference]),
        Function::Items | Function::Keys | Function::Values => all(&[Object]),
        Function::Join => all(&[Text, Texts]),
        Function::Length => all(&[Sized]),
        Function::Lower | Function::Upper => all(&[Text]),
        Function::Map => all(&[Reference, List]),
        Function::Max | Function::Min | Function::Sort => all(&[NumbersOrTexts]),
        Function::Merge => repeated(&[Object]),
        Function::NotNull => repeated(&[Any]),
        Function::PadLeft | Function::PadRight => least(2, &[Text, Number, Text]),
        Function::Replace => least(3, &[Text, Text, Text, Number]),
        Function::Reverse => all(&[ListOrText]),
        Function::Split => least(2, &[Text, Text, Number]),
        Function::ToArray | Function::ToNumber | Function::ToString | Function::Type => all(&[Any]),
        Function::Trim | Function::TrimLeft | Function::TrimRight => least(1, &[Text, Text]),
        Function::Zip => repeated(&[List, List]),
    }
}

impl Kind {
    fn fits(self, arg: &Node<'_>) -> bool {
        let each = |test: fn(&Node<'_>) -> bool| {
            let items = arg.items();
            items.is_some_and(|items| items.iter().all(|item| test(&item)))
        };
        let number = |node: &Node<'_>| node.as_number().is_some();
        let text = |node: &Node<'_>| node.as_text().is_some();
        match self {
            Kind::Any => true,
            Kind::Number => number(arg),
            Kind::Text => text(arg),
            Kind::List => arg.is_list(),
            Kind::Object => arg.is_object(),
            Kind::Reference => matches!(arg, Node::Reference(_)),
            Kind::Numbers => each(number),
            Kind::Texts => each(text),
            Kind::NumbersOrTexts => each(number) || each(text),
            Kind::ListOrText => arg.is_list() || text(arg),
            Kind::Sized => arg.is_list() || arg.is_object() || text(arg),
        }
    }
}

fn round<'a>(number: &Node<'a>, by: fn(f64) -> f64) -> Node<'a> {
    number
        .as_number()
        .map_or(Node::Null, |number| Node::number(by(number)))
}

fn test<'a>(text: &Node<'a>, part: &Node<'a>, holds: fn(&str, &str) -> bool) -> Node<'a> {
    let pair = text.as_text().zip(part.as_text());
    Node::Bool(pair.is_some_and(|(text, part)| holds(text, part)))
}

fn contains<'a>(within: &Node<'a>, value: &Node<'a>) -> Outcome<'a> {
    if let Some(text) = within.as_text() {
        return Ok(Node::Bool(
            value.as_text().is_some_and(|part| text.contains(part)),
        ));
    }
    let Some(items) = within.items() else {
        return Ok(Node::Bool(false));
    };
    for item in items.iter() {
        // In Go, the comparison of two lists, two objects or two functions panics, which ends the request.
        if (item.is_list() && value.is_list())
            || (item.is_object() && value.is_object())
            || matches!((&item, value), (Node::Reference(_), Node::Reference(_)))
        {
            return Err(Failure::End);
        }
        if item.equals(value) {
            return Ok(Node::Bool(true));
        }
    }
    Ok(Node::Bool(false))
}

fn length<'a>(value: &Node<'a>) -> Node<'a> {
    Node::count(match value {
        Node::Text(text) => text.chars().count(),
        Node::Array(items) => items.len(),
        Node::List(items) => items.len(),
        Node::Object(object) => object.len(),
        Node::Members(members) => members.len(),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Reference(_) => 0,
    })
}

fn reverse<'a>(value: &Node<'a>) -> Node<'a> {
    match (value.as_text(), value.items()) {
        (Some(text), _) => Node::text(text.chars().rev().collect::<String>()),
        (None, items) => {
            let mut items: Vec<Node<'a>> = items
                .iter()
                .flat_map(|items| items.iter().collect::<Vec<_>>())
                .collect();
            items.reverse();
            Node::list(items)
        }
    }
}

fn to_number<'a>(value: &Node<'a>) -> Outcome<'a> {
    match value {
        Node::Number(_) => Ok(value.clone()),
        Node::Text(text) => Ok(texts::to_number(text).map_or(Node::Null, Node::number)),
        Node::Reference(_) => Err(Failure::Type),
        Node::Null | Node::Bool(_) | Node::Array(_) | Node::List(_) | Node::Object(_) | Node::Members(_) => {
            Ok(Node::Null)
        }
    }
}

fn to_string<'a>(value: &Node<'a>) -> Outcome<'a> {
    if value.as_text().is_some() {
        return Ok(value.clone());
    }
    let mut text = String::new();
    texts::write(value, &mut text)?;
    Ok(Node::text(text))
}

fn type_name<'a>(value: &Node<'a>) -> Outcome<'a> {
    Ok(Node::text(match value {
        Node::Null => "null",
        Node::Bool(_) => "boolean",
        Node::Number(_) => "number",
        Node::Text(_) => "string",
        Node::Array(_) | Node::List(_) => "array",
        Node::Object(_) | Node::Members(_) => "object",
        Node::Reference(_) => return Err(Failure::Type),
    }))
}

fn items<'a>(object: &Node<'a>) -> Node<'a> {
    let members = object.sorted().unwrap_or_default().into_iter();
    Node::list(
        members
            .map(|(name, value)| Node::list(vec![Node::Text(name), value]))
            .collect(),
    )
}

fn keys<'a>(object: &Node<'a>) -> Node<'a> {
    let members = object.sorted().unwrap_or_default().into_iter();
    Node::list(members.map(|(name, _)| Node::Text(name)).collect())
}

fn values<'a>(object: &Node<'a>) -> Node<'a> {
    let members = object.sorted().unwrap_or_default().into_iter();
    Node::list(members.map(|(_, value)| value).collect())
}

fn merge<'a>(objects: &[Node<'a>]) -> Node<'a> {
    let members = objects.iter().filter_map(Node::sorted).flatten();
    Node::members(ordered::collect(members))
}

fn from_items<'a>(pairs: &Node<'a>) -> Outcome<'a> {
    let mut members = BTreeMap::new();
    for pair in pairs
        .items()
        .iter()
        .flat_map(|pairs| pairs.iter().collect::<Vec<_>>())
    {
        let pair = pair.items().ok_or(Failure::Type)?;
        let (Some(Node::Text(name)), Some(value), 2) = (pair.get(0), pair.get(1), pair.len()) else {
            return Err(Failure::Type);
        };
        members.insert(name, value);
    }
    Ok(Node::members(members))
}
