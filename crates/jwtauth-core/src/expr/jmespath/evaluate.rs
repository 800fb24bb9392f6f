//! Evaluates an expression with the results of JMESPath Community Edition.
//!
//! Expressions are nested, so evaluation recurses. Each kind of step has its own function, so that one level needs
//! little stack (see `limits.rs`).

use std::collections::BTreeMap;

use jmespath::ast::Comparator;

use super::functions;
use super::node::{Failure, Node, Outcome, Text};
use super::tree::{Function, Tree};
use crate::json::Value;

/// Evaluates a step on the current value.
///
/// # Errors
/// A function was called with the wrong arguments, or a slice has the step 0.
pub(super) fn evaluate<'a>(tree: &'a Tree, at: &Node<'a>) -> Outcome<'a> {
    match tree {
        Tree::Current => current(at),
        Tree::Field { name, .. } => field(at, name),
        Tree::Index(index) => element(at, *index),
        Tree::Slice { start, stop, step } => slice(at, *start, *stop, *step),
        Tree::Literal(value) => literal(value),
        Tree::Reference(inner) => reference(inner),
        Tree::Not(inner) => not(inner, at),
        Tree::And(left, right) => either(left, right, at, false),
        Tree::Or(left, right) => either(left, right, at, true),
        Tree::Compare(comparator, left, right) => compare(comparator, left, right, at),
        Tree::Inside(left, right) => inside(left, right, at),
        Tree::Pipe(left, right) => pipe(left, right, at),
        Tree::Project(left, right) => project(left, right, at),
        Tree::Filter(list, test, right) => filter(list, test, right, at),
        Tree::Flatten(inner) => flatten(inner, at),
        Tree::Values(inner) => values(inner, at),
        Tree::List(elements) => list(elements, at),
        Tree::Hash(pairs) => hash(pairs, at),
        Tree::Call(function, args) => call(*function, args, at),
    }
}

fn current<'a>(at: &Node<'a>) -> Outcome<'a> {
    Ok(at.clone())
}

fn field<'a>(at: &Node<'a>, name: &str) -> Outcome<'a> {
    Ok(at.member(name))
}

fn literal<'a>(value: &'a Value<'static>) -> Outcome<'a> {
    Ok(Node::of(value))
}

fn reference<'a>(inner: &'a Tree) -> Outcome<'a> {
    Ok(Node::Reference(inner))
}

fn call<'a>(function: Function, args: &'a [Tree], at: &Node<'a>) -> Outcome<'a> {
    match args {
        // Most functions have two arguments. These need no allocation.
        [one, other] => call_with_two(function, one, other, at),
        args => functions::call(function, &all(args, at)?, evaluate),
    }
}

fn call_with_two<'a>(function: Function, one: &'a Tree, other: &'a Tree, at: &Node<'a>) -> Outcome<'a> {
    let args = [evaluate(one, at)?, evaluate(other, at)?];
    functions::call(function, &args, evaluate)
}

fn element<'a>(at: &Node<'a>, index: i32) -> Outcome<'a> {
    let Some(items) = at.items() else {
        return Ok(Node::Null);
    };
    let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    let place = if index < 0 {
        items.len().checked_sub(distance)
    } else {
        Some(distance)
    };
    Ok(place.and_then(|place| items.get(place)).unwrap_or(Node::Null))
}

fn slice<'a>(at: &Node<'a>, start: Option<i32>, stop: Option<i32>, step: i32) -> Outcome<'a> {
    if let Some(text) = at.as_text() {
        let letters: Vec<char> = text.chars().collect();
        let chosen = places(letters.len(), start, stop, step).into_iter().flatten();
        return Ok(match step {
            0 => Node::Null,
            _ => Node::text(chosen.filter_map(|place| letters.get(place)).collect::<String>()),
        });
    }
    let Some(items) = at.items() else {
        return Ok(Node::Null);
    };
    let chosen = places(items.len(), start, stop, step).ok_or(Failure::Type)?;
    Ok(Node::list(chosen.filter_map(|place| items.get(place)).collect()))
}

/// Returns the indices that a slice selects; `None` for the step 0.
fn places(
    length: usize,
    start: Option<i32>,
    stop: Option<i32>,
    step: i32,
) -> Option<impl Iterator<Item = usize>> {
    if step == 0 {
        return None;
    }
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let (low, high) = if step < 0 { (-1, length - 1) } else { (0, length) };
    let edge = |edge: i32| {
        let edge = i64::from(edge);
        if edge < 0 { edge + length } else { edge }.clamp(low, high)
    };
    let (first, last) = if step < 0 { (high, low) } else { (low, high) };
    let (start, stop) = (start.map_or(first, edge), stop.map_or(last, edge));
    let distance = if step < 0 { start - stop } else { stop - start };
    let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    let count = usize::try_from(distance).unwrap_or_default().div_ceil(stride);
    let place = move |nth: usize| i64::try_from(nth).ok().map(|nth| start + nth * i64::from(step));
    Some((0..count).filter_map(move |nth| place(nth).and_then(|place| usize::try_from(place).ok())))
}

fn not<'a>(inner: &'a Tree, at: &Node<'a>) -> Outcome<'a> {
    Ok(Node::Bool(!evaluate(inner, at)?.is_true()))
}

/// Evaluates `||`, which ends at a true left side (`stop`), or `&&`, which ends at a false one.
fn either<'a>(left: &'a Tree, right: &'a Tree, at: &Node<'a>, stop: bool) -> Outcome<'a> {
    let value = evaluate(left, at)?;
    if value.is_true() == stop {
        Ok(value)
    } else {
        evaluate(right, at)
    }
}

fn compare<'a>(comparator: &Comparator, left: &'a Tree, right: &'a Tree, at: &Node<'a>) -> Outcome<'a> {
    let left = evaluate(left, at)?;
    let right = evaluate(right, at)?;
    Ok(compared(comparator, &left, &right))
}

fn compared<'a>(comparator: &Comparator, left: &Node<'a>, right: &Node<'a>) -> Node<'a> {
    let numbers = left.as_number().zip(right.as_number());
    let ordered = |holds: fn(&f64, &f64) -> bool| {
        numbers.map_or(Node::Null, |(left, right)| Node::Bool(holds(&left, &right)))
    };
    match comparator {
        Comparator::Equal => Node::Bool(left.equals(right)),
        Comparator::NotEqual => Node::Bool(!left.equals(right)),
        Comparator::LessThan => ordered(f64::lt),
        Comparator::LessThanEqual => ordered(f64::le),
        Comparator::GreaterThan => ordered(f64::gt),
        Comparator::GreaterThanEqual => ordered(f64::ge),
    }
}

fn inside<'a>(left: &'a Tree, right: &'a Tree, at: &Node<'a>) -> Outcome<'a> {
    match evaluate(left, at)? {
        Node::Null => Ok(Node::Null),
        value => evaluate(right, &value),
    }
}

fn pipe<'a>(left: &'a Tree, right: &'a Tree, at: &Node<'a>) -> Outcome<'a> {
    let value = evaluate(left, at)?;
    evaluate(right, &value)
}

fn project<'a>(left: &'a Tree, right: &'a Tree, at: &Node<'a>) -> Outcome<'a> {
    let value = evaluate(left, at)?;
    let Some(items) = value.items() else {
        // A slice of a text is the result, and the steps after it have no effect.
        let part = matches!(left, Tree::Slice { .. }) && value.as_text().is_some();
        return Ok(if part { value } else { Node::Null });
    };
    let mut collected = Vec::new();
    for item in items.iter() {
        let made = evaluate(right, &item)?;
        if !made.is_null() {
            collected.push(made);
        }
    }
    Ok(Node::list(collected))
}

/// Returns null for a failure, as the community edition does on the left side of `[?…]`, `[]` and `.*`.
fn lenient<'a>(tree: &'a Tree, at: &Node<'a>) -> Outcome<'a> {
    match evaluate(tree, at) {
        Err(Failure::Type) => Ok(Node::Null),
        outcome => outcome,
    }
}

fn filter<'a>(list: &'a Tree, test: &'a Tree, right: &'a Tree, at: &Node<'a>) -> Outcome<'a> {
    let Some(items) = lenient(list, at)?.items() else {
        return Ok(Node::Null);
    };
    let mut collected = Vec::new();
    for item in items.iter() {
        if !evaluate(test, &item)?.is_true() {
            continue;
        }
        let made = evaluate(right, &item)?;
        if !made.is_null() {
            collected.push(made);
        }
    }
    Ok(Node::list(collected))
}

fn flatten<'a>(inner: &'a Tree, at: &Node<'a>) -> Outcome<'a> {
    let Some(items) = lenient(inner, at)?.items() else {
        return Ok(Node::Null);
    };
    let mut collected = Vec::new();
    for item in items.iter() {
        match item.items() {
            Some(inner) => collected.extend(inner.iter()),
            None => collected.push(item),
        }
    }
    Ok(Node::list(collected))
}

fn values<'a>(inner: &'a Tree, at: &Node<'a>) -> Outcome<'a> {
    let members = lenient(inner, at)?.sorted();
    Ok(members.map_or(Node::Null, |members| {
        Node::list(members.into_iter().map(|(_, value)| value).collect())
    }))
}

fn list<'a>(elements: &'a [Tree], at: &Node<'a>) -> Outcome<'a> {
    all(elements, at).map(Node::list)
}

fn all<'a>(trees: &'a [Tree], at: &Node<'a>) -> Result<Vec<Node<'a>>, Failure> {
    let mut made = Vec::with_capacity(trees.len());
    for tree in trees {
        made.push(evaluate(tree, at)?);
    }
    Ok(made)
}

fn hash<'a>(pairs: &'a [(String, Tree)], at: &Node<'a>) -> Outcome<'a> {
    let mut members = BTreeMap::new();
    for (name, tree) in pairs {
        members.insert(Text::Borrowed(name), evaluate(tree, at)?);
    }
    Ok(Node::members(members))
}
