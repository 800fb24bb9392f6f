//! The functions of JMESPath Community Edition that the `jmespath` crate lacks.
//!
//! Grafana evaluates the community edition. Its new *syntax* (`let`, `$`, arithmetic, string slices) is not supported,
//! because it needs another parser. Its functions are registered here with the crate's runtime.

use std::collections::BTreeMap;

use jmespath::ast::{Ast, KeyValuePair};
use jmespath::functions::{ArgumentType, CustomFunction, Signature};
use jmespath::{Context, ErrorReason, JmespathError, Rcvar, Runtime, RuntimeError, Variable, interpret};

/// Registers every function.
pub(super) fn register(runtime: &mut Runtime) {
    use ArgumentType::{Array, Expref, Number, Object, String};
    let mut add = |name: &str, inputs: Vec<ArgumentType>, optional: Option<ArgumentType>, function: Body| {
        let signature = Signature::new(inputs, optional);
        runtime.register_function(name, Box::new(CustomFunction::new(signature, Box::new(function))));
    };
    add("lower", vec![String], None, |args, _| {
        Ok(string(text_of(args, 0).to_lowercase()))
    });
    add("upper", vec![String], None, |args, _| {
        Ok(string(text_of(args, 0).to_uppercase()))
    });
    add("trim", vec![String], Some(String), |args, ctx| {
        trim(args, ctx, true, true)
    });
    add("trim_left", vec![String], Some(String), |args, ctx| {
        trim(args, ctx, true, false)
    });
    add("trim_right", vec![String], Some(String), |args, ctx| {
        trim(args, ctx, false, true)
    });
    add("split", vec![String, String], Some(Number), split);
    add("replace", vec![String, String, String], Some(Number), replace);
    add("pad_left", vec![String, Number], Some(String), |args, ctx| {
        pad(args, ctx, true)
    });
    add("pad_right", vec![String, Number], Some(String), |args, ctx| {
        pad(args, ctx, false)
    });
    add("find_first", vec![String, String], Some(Number), |args, ctx| {
        find(args, ctx, true)
    });
    add("find_last", vec![String, String], Some(Number), |args, ctx| {
        find(args, ctx, false)
    });
    add("items", vec![Object], None, |args, _| Ok(items(args)));
    add(
        "from_items",
        vec![ArgumentType::TypedArray(Box::new(Array))],
        None,
        from_items,
    );
    add("group_by", vec![Array, Expref], None, group_by);
    add("zip", vec![Array], Some(Array), |args, _| Ok(zip(args)));
}

/// Returns the name of an unknown function that the expression calls, if there is one.
pub(super) fn unknown<'e>(expression: &'e Ast, runtime: &Runtime) -> Option<&'e str> {
    let mut waiting = vec![expression];
    while let Some(node) = waiting.pop() {
        match node {
            Ast::Function { name, .. } if runtime.get_function(name).is_none() => return Some(name),
            node => push_inner(node, &mut waiting),
        }
    }
    None
}

/// Adds the children of a node.
pub(super) fn push_inner<'e>(node: &'e Ast, waiting: &mut Vec<&'e Ast>) {
    match node {
        Ast::Function { args: inner, .. } | Ast::MultiList { elements: inner, .. } => waiting.extend(inner),
        Ast::MultiHash { elements, .. } => {
            waiting.extend(elements.iter().map(|KeyValuePair { value, .. }| value));
        }
        Ast::Expref { ast: inner, .. }
        | Ast::Flatten { node: inner, .. }
        | Ast::Not { node: inner, .. }
        | Ast::ObjectValues { node: inner, .. } => waiting.push(inner),
        Ast::Comparison { lhs, rhs, .. }
        | Ast::Condition {
            predicate: lhs,
            then: rhs,
            ..
        }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => waiting.extend([lhs.as_ref(), rhs.as_ref()]),
        Ast::Identity { .. }
        | Ast::Field { .. }
        | Ast::Index { .. }
        | Ast::Literal { .. }
        | Ast::Slice { .. } => {}
    }
}

type Body = fn(&[Rcvar], &mut Context<'_>) -> Outcome;
type Outcome = Result<Rcvar, JmespathError>;

/// The maximum length of a text that a function creates. A short expression must not expand a token to gigabytes.
pub(super) const MAX_TEXT: usize = 1 << 20;

fn string(text: String) -> Rcvar {
    Rcvar::new(Variable::String(text))
}

fn list(items: Vec<Rcvar>) -> Rcvar {
    Rcvar::new(Variable::Array(items))
}

fn null() -> Rcvar {
    Rcvar::new(Variable::Null)
}

/// Returns the text of an argument. The signature has already checked its type.
fn text_of(args: &[Rcvar], index: usize) -> &str {
    args.get(index)
        .and_then(|arg| arg.as_string())
        .map_or("", String::as_str)
}

fn elements(args: &[Rcvar], index: usize) -> &[Rcvar] {
    args.get(index)
        .and_then(|arg| arg.as_array())
        .map_or(&[], Vec::as_slice)
}

fn invalid(ctx: &Context<'_>, position: usize, expected: &str) -> JmespathError {
    let reason = RuntimeError::InvalidType {
        expected: expected.to_owned(),
        actual: "another value".to_owned(),
        position,
    };
    JmespathError::from_ctx(ctx, ErrorReason::Runtime(reason))
}

/// Returns the integer of an argument; `None` if the argument is absent.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is whole and within 32 bits"
)]
fn integer(args: &[Rcvar], index: usize, ctx: &Context<'_>) -> Result<Option<i64>, JmespathError> {
    let Some(number) = args.get(index).and_then(|arg| arg.as_number()) else {
        return Ok(None);
    };
    if number.fract() != 0.0 || number.abs() > f64::from(i32::MAX) {
        return Err(invalid(ctx, index, "integer"));
    }
    Ok(Some(number as i64))
}

/// Returns a count or a width: a non-negative integer.
fn natural(args: &[Rcvar], index: usize, ctx: &Context<'_>) -> Result<Option<usize>, JmespathError> {
    integer(args, index, ctx)?
        .map(|number| usize::try_from(number).map_err(|_| invalid(ctx, index, "non-negative integer")))
        .transpose()
}

/// Checks the maximum number of arguments. The crate's signatures have repeated arguments, but no optional ones.
fn at_most(args: &[Rcvar], most: usize, ctx: &Context<'_>) -> Result<(), JmespathError> {
    if args.len() <= most {
        return Ok(());
    }
    let reason = RuntimeError::TooManyArguments {
        expected: most,
        actual: args.len(),
    };
    Err(JmespathError::from_ctx(ctx, ErrorReason::Runtime(reason)))
}

fn trim(args: &[Rcvar], ctx: &mut Context<'_>, left: bool, right: bool) -> Outcome {
    at_most(args, 2, ctx)?;
    let letters = text_of(args, 1);
    let unwanted = |letter: char| {
        if letters.is_empty() {
            letter.is_whitespace()
        } else {
            letters.contains(letter)
        }
    };
    let text = text_of(args, 0);
    let text = if left {
        text.trim_start_matches(unwanted)
    } else {
        text
    };
    let text = if right {
        text.trim_end_matches(unwanted)
    } else {
        text
    };
    Ok(string(text.to_owned()))
}

fn split(args: &[Rcvar], ctx: &mut Context<'_>) -> Outcome {
    at_most(args, 3, ctx)?;
    let (text, search) = (text_of(args, 0), text_of(args, 1));
    let parts = natural(args, 2, ctx)?.map_or(usize::MAX, |count| count.saturating_add(1));
    if !search.is_empty() {
        return Ok(list(
            text.splitn(parts, search)
                .map(|part| string(part.to_owned()))
                .collect(),
        ));
    }
    // An empty separator splits between all characters.
    let mut letters = text.chars();
    let mut items = Vec::new();
    while items.len() + 1 < parts {
        match letters.next() {
            Some(letter) => items.push(string(letter.to_string())),
            None => break,
        }
    }
    if !letters.as_str().is_empty() {
        items.push(string(letters.as_str().to_owned()));
    }
    Ok(list(items))
}

fn replace(args: &[Rcvar], ctx: &mut Context<'_>) -> Outcome {
    at_most(args, 4, ctx)?;
    let (text, old, new) = (text_of(args, 0), text_of(args, 1), text_of(args, 2));
    let count = natural(args, 3, ctx)?.unwrap_or(usize::MAX);
    let found = text.matches(old).take(count).count();
    if text.len().saturating_add(found.saturating_mul(new.len())) > MAX_TEXT {
        return Err(invalid(ctx, 2, "a shorter text"));
    }
    Ok(string(text.replacen(old, new, count)))
}

fn pad(args: &[Rcvar], ctx: &mut Context<'_>, left: bool) -> Outcome {
    at_most(args, 3, ctx)?;
    let text = text_of(args, 0);
    let width = natural(args, 1, ctx)?.unwrap_or_default();
    let mut filling = if args.len() > 2 { text_of(args, 2) } else { " " }.chars();
    let (Some(letter), None) = (filling.next(), filling.next()) else {
        return Err(invalid(ctx, 2, "a single character"));
    };
    if width > MAX_TEXT / letter.len_utf8() {
        return Err(invalid(ctx, 1, "a smaller width"));
    }
    let missing: String = std::iter::repeat_n(letter, width.saturating_sub(text.chars().count())).collect();
    Ok(string(if left {
        missing + text
    } else {
        text.to_owned() + &missing
    }))
}

fn find(args: &[Rcvar], ctx: &mut Context<'_>, first: bool) -> Outcome {
    at_most(args, 4, ctx)?;
    let text: Vec<char> = text_of(args, 0).chars().collect();
    let search: Vec<char> = text_of(args, 1).chars().collect();
    // Negative positions count from the end. A position outside the text is moved to the nearest end.
    let edge = |position: Option<i64>, default: usize| match position {
        None => default,
        Some(position) => usize::try_from(position)
            .unwrap_or_else(|_| {
                text.len()
                    .saturating_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX))
            })
            .min(text.len()),
    };
    let start = edge(integer(args, 2, ctx)?, 0);
    let end = edge(integer(args, 3, ctx)?, text.len());
    let within = text.get(start..end).unwrap_or_default();
    if search.is_empty() || within.is_empty() {
        return Ok(null());
    }
    let mut places = within
        .windows(search.len())
        .enumerate()
        .filter(|(_, window)| *window == search);
    let place = if first { places.next() } else { places.next_back() };
    Ok(place.map_or_else(null, |(index, _)| {
        Rcvar::new(Variable::Number((start + index).into()))
    }))
}

fn items(args: &[Rcvar]) -> Rcvar {
    let members = args.first().and_then(|arg| arg.as_object());
    let pair = |(name, value): (&String, &Rcvar)| list(vec![string(name.clone()), value.clone()]);
    list(members.into_iter().flatten().map(pair).collect())
}

fn from_items(args: &[Rcvar], ctx: &mut Context<'_>) -> Outcome {
    let mut object = BTreeMap::new();
    for pair in elements(args, 0) {
        match pair.as_array().map(Vec::as_slice) {
            Some([name, value]) if name.is_string() => {
                object.insert(name.as_string().cloned().unwrap_or_default(), value.clone());
            }
            _ => return Err(invalid(ctx, 0, "a list of [name, value]")),
        }
    }
    Ok(Rcvar::new(Variable::Object(object)))
}

fn group_by(args: &[Rcvar], ctx: &mut Context<'_>) -> Outcome {
    let Some(expression) = args.get(1).and_then(|arg| arg.as_expref()) else {
        return Err(invalid(ctx, 1, "expression"));
    };
    let mut groups: BTreeMap<String, Vec<Rcvar>> = BTreeMap::new();
    for element in elements(args, 0) {
        match interpret(element, expression, ctx)?.as_ref() {
            Variable::String(name) => groups.entry(name.clone()).or_default().push(element.clone()),
            // An element without a name is omitted.
            Variable::Null => {}
            _ => return Err(invalid(ctx, 1, "expression->string")),
        }
    }
    Ok(Rcvar::new(Variable::Object(
        groups
            .into_iter()
            .map(|(name, group)| (name, list(group)))
            .collect(),
    )))
}

fn zip(args: &[Rcvar]) -> Rcvar {
    let shortest = (0..args.len())
        .map(|index| elements(args, index).len())
        .min()
        .unwrap_or_default();
    let row = |row: usize| {
        list(
            (0..args.len())
                .filter_map(|index| elements(args, index).get(row).cloned())
                .collect(),
        )
    };
    list((0..shortest).map(row).collect())
}
