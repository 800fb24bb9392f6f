//! The functions of JMESPath on lists.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::node::{Failure, Node, Outcome, Text};
use super::tree::Tree;
use crate::ordered;

/// Evaluates an expression on a value.
pub(super) type Apply = for<'a> fn(&'a Tree, &Node<'a>) -> Outcome<'a>;

fn elements<'a>(list: &Node<'a>) -> Vec<Node<'a>> {
    list.items().map_or_else(Vec::new, |items| items.iter().collect())
}

fn numbers(list: &Node<'_>) -> Vec<f64> {
    elements(list).iter().filter_map(Node::as_number).collect()
}

fn add(numbers: &[f64]) -> f64 {
    // Rust's `sum()` begins with -0.0, Go with 0.0.
    numbers.iter().fold(0.0, |sum, number| sum + number)
}

/// Returns the mean of the numbers; null for an empty list.
#[expect(clippy::cast_precision_loss, reason = "a list is short")]
pub(super) fn average<'a>(list: &Node<'a>) -> Node<'a> {
    match numbers(list).as_slice() {
        [] => Node::Null,
        numbers => Node::number(add(numbers) / numbers.len() as f64),
    }
}

pub(super) fn sum<'a>(list: &Node<'a>) -> Node<'a> {
    Node::number(add(&numbers(list)))
}

/// Returns the greatest or the least of numbers or texts; of equal elements, the first.
pub(super) fn best<'a>(list: &Node<'a>, greatest: bool) -> Node<'a> {
    let better = |one: &Node<'a>, other: &Node<'a>| is_better(one, other, greatest) == Some(true);
    let best = elements(list)
        .into_iter()
        .reduce(|best, item| if better(&item, &best) { item } else { best });
    best.unwrap_or(Node::Null)
}

/// Whether a key is greater, or less, than another key; `None` if they are not both numbers or both texts.
fn is_better(key: &Node<'_>, than: &Node<'_>, greatest: bool) -> Option<bool> {
    let wanted = if greatest {
        Ordering::Greater
    } else {
        Ordering::Less
    };
    match (key, than) {
        (Node::Number(key), Node::Number(than)) => {
            Some(key.as_f64().partial_cmp(&than.as_f64()) == Some(wanted))
        }
        (Node::Text(key), Node::Text(than)) => Some(key.cmp(than) == wanted),
        _ => None,
    }
}

/// Returns the element with the greatest or the least key. If the list has one element, its key is not evaluated.
pub(super) fn best_by<'a>(
    list: &Node<'a>,
    reference: &Node<'a>,
    apply: Apply,
    greatest: bool,
) -> Outcome<'a> {
    let mut items = elements(list).into_iter();
    let Some(mut best) = items.next() else {
        return Ok(Node::Null);
    };
    if items.len() == 0 {
        return Ok(best);
    }
    let mut key = apply_to(reference, &best, apply)?;
    // A first key that is neither a number nor a text is always refused.
    is_better(&key, &key, greatest).ok_or(Failure::Type)?;
    for item in items {
        let other = apply_to(reference, &item, apply)?;
        if is_better(&other, &key, greatest).ok_or(Failure::Type)? {
            (best, key) = (item, other);
        }
    }
    Ok(best)
}

/// Sorts numbers or texts. The sort is stable.
pub(super) fn sort<'a>(list: &Node<'a>) -> Node<'a> {
    Node::list(ordered::sorted_by(elements(list), order))
}

/// Sorts by keys that are all numbers or all texts. If the list has one element, its key is not evaluated.
pub(super) fn sort_by<'a>(list: &Node<'a>, reference: &Node<'a>, apply: Apply) -> Outcome<'a> {
    let items = elements(list);
    if items.len() < 2 {
        return Ok(list.clone());
    }
    let mut pairs = Vec::with_capacity(items.len());
    for item in items {
        pairs.push((apply_to(reference, &item, apply)?, item));
    }
    sort_pairs(pairs)
}

fn sort_pairs<'a>(pairs: Vec<(Node<'a>, Node<'a>)>) -> Outcome<'a> {
    let first = pairs.first().map_or(Node::Null, |(key, _)| key.clone());
    if pairs
        .iter()
        .any(|(key, _)| is_better(key, &first, true).is_none())
    {
        return Err(Failure::Type);
    }
    let pairs = ordered::sorted_by(pairs, |(one, _), (other, _)| order(one, other));
    Ok(Node::list(pairs.into_iter().map(|(_, item)| item).collect()))
}

/// Compares two numbers or two texts. NaN is less than all numbers.
fn order(one: &Node<'_>, other: &Node<'_>) -> Ordering {
    match (one, other) {
        (Node::Number(one), Node::Number(other)) => {
            let (one, other) = (one.as_f64(), other.as_f64());
            one.partial_cmp(&other)
                .unwrap_or_else(|| other.is_nan().cmp(&one.is_nan()))
        }
        (Node::Text(one), Node::Text(other)) => one.cmp(other),
        _ => Ordering::Equal,
    }
}

/// Groups the elements by the text to which the reference evaluates for each; null for an empty list.
pub(super) fn group_by<'a>(list: &Node<'a>, reference: &Node<'a>, apply: Apply) -> Outcome<'a> {
    let mut groups: BTreeMap<Text<'a>, Vec<Node<'a>>> = BTreeMap::new();
    for item in elements(list) {
        let Node::Text(name) = apply_to(reference, &item, apply)? else {
            return Err(Failure::Type);
        };
        groups.entry(name).or_default().push(item);
    }
    if groups.is_empty() {
        return Ok(Node::Null);
    }
    let groups = groups.into_iter().map(|(name, group)| (name, Node::list(group)));
    Ok(Node::members(ordered::collect(groups)))
}

pub(super) fn map<'a>(reference: &Node<'a>, list: &Node<'a>, apply: Apply) -> Outcome<'a> {
    let mut made = Vec::new();
    for item in elements(list) {
        made.push(apply_to(reference, &item, apply)?);
    }
    Ok(Node::list(made))
}

/// Returns a list of the first elements of all lists, then one of the second elements, up to the end of the shortest
/// list.
pub(super) fn zip<'a>(lists: &[Node<'a>]) -> Node<'a> {
    let lists: Vec<Vec<Node<'a>>> = lists.iter().map(elements).collect();
    let shortest = lists.iter().map(Vec::len).min().unwrap_or_default();
    let row = |row: usize| Node::list(lists.iter().filter_map(|list| list.get(row).cloned()).collect());
    Node::list((0..shortest).map(row).collect())
}

fn apply_to<'a>(reference: &Node<'a>, value: &Node<'a>, apply: Apply) -> Outcome<'a> {
    match reference {
        Node::Reference(expression) => apply(expression, value),
        _ => Err(Failure::Type),
    }
}
