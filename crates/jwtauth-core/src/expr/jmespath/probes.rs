//! The claims and texts of an expression, to make up tokens that try each part of it.

use jmespath::ast::Comparator;

use super::tree::{Function, Tree};
use crate::json::Value;

/// The claims that an expression reads, and the texts that it compares them with.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// The paths of the claims, such as `["realm_access", "roles"]`, each once.
    pub(crate) paths: Vec<Vec<String>>,
    /// The texts that are compared, each once.
    pub(crate) texts: Vec<String>,
    /// Whether the truth of each condition depends only on which of the texts a claim equals or contains. Then tokens made of
    /// the texts try all that the expression can do.
    pub(crate) is_simple: bool,
    /// Whether a text of the expression can be its result.
    pub(crate) has_constant_result: bool,
}

pub(super) fn probes(tree: &Tree) -> Probes {
    let mut probes = Probes {
        is_simple: is_simple(tree),
        has_constant_result: has_constant_result(tree),
        ..Probes::default()
    };
    collect(tree, true, &mut probes);
    probes
}

/// `is_result` tells whether the value can be the result of the whole expression, so that a text in it is compared with nothing.
fn collect(tree: &Tree, is_result: bool, probes: &mut Probes) {
    if let Some(path) = path(tree) {
        add(&mut probes.paths, path);
        return;
    }
    match tree {
        Tree::Literal(Value::String(_)) if is_result => {}
        Tree::Literal(Value::String(text)) => add(&mut probes.texts, text.to_string()),
        Tree::And(condition, right) => {
            collect(condition, false, probes);
            collect(right, is_result, probes);
        }
        Tree::Or(left, right) => {
            collect(left, is_result, probes);
            collect(right, is_result, probes);
        }
        // What follows is evaluated on the elements and not on the claims; only its texts are of interest.
        Tree::Project(list, right) | Tree::Pipe(list, right) | Tree::Inside(list, right) => {
            collect(list, false, probes);
            texts(right, probes);
        }
        Tree::Filter(list, test, right) => {
            collect(list, false, probes);
            texts(test, probes);
            texts(right, probes);
        }
        _ => tree
            .parts()
            .into_iter()
            .for_each(|part| collect(part, false, probes)),
    }
}

fn texts(tree: &Tree, probes: &mut Probes) {
    if let Tree::Literal(Value::String(text)) = tree {
        add(&mut probes.texts, text.to_string());
    }
    tree.parts().into_iter().for_each(|part| texts(part, probes));
}

fn add<T: PartialEq>(known: &mut Vec<T>, new: T) {
    if !known.contains(&new) {
        known.push(new);
    }
}

/// Returns the path of a claim: `a`, `a.b`, and the list in `a[*]`.
fn path(tree: &Tree) -> Option<Vec<String>> {
    match tree {
        Tree::Field { name, .. } => Some(vec![name.clone()]),
        Tree::Inside(left, right) => {
            let mut names = path(left)?;
            names.extend(path(right)?);
            Some(names)
        }
        Tree::Project(list, right) if matches!(**right, Tree::Current) => path(list),
        _ => None,
    }
}

/// Whether an expression has only `&&`, `||`, `!`, comparisons of a claim with a text, and `contains` of a claim and a text.
fn is_simple(tree: &Tree) -> bool {
    let is_text = |tree: &Tree| matches!(tree, Tree::Literal(Value::String(_)));
    match tree {
        Tree::Literal(Value::String(_) | Value::Bool(_) | Value::Null) => true,
        Tree::Not(one) => is_simple(one),
        Tree::And(one, other) | Tree::Or(one, other) => is_simple(one) && is_simple(other),
        Tree::Compare(Comparator::Equal | Comparator::NotEqual, one, other) => {
            path(one).is_some() && is_text(other) || is_text(one) && path(other).is_some()
        }
        Tree::Call(Function::Contains, arguments) => match arguments.as_slice() {
            [list, text] => is_text(text) && (path(list).is_some() || is_not_null(list)),
            _ => false,
        },
        _ => false,
    }
}

/// Whether this is `not_null(claim, …)`.
fn is_not_null(tree: &Tree) -> bool {
    match tree {
        Tree::Call(Function::NotNull, arguments) => arguments
            .iter()
            .all(|one| path(one).is_some() || matches!(one, Tree::Literal(_))),
        _ => false,
    }
}

fn has_constant_result(tree: &Tree) -> bool {
    match tree {
        Tree::Literal(Value::String(text)) => !text.is_empty(),
        Tree::And(_, right) | Tree::Pipe(_, right) => has_constant_result(right),
        Tree::Or(left, right) => has_constant_result(left) || has_constant_result(right),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::expr::JmesPath;

    #[test]
    fn the_claims_and_texts_of_an_expression_are_found() {
        for (text, paths, texts, is_simple) in [
            ("role", &["role"][..], &[][..], false),
            (
                "contains(groups, 'ops') && 'Admin' || 'Viewer'",
                &["groups"],
                &["ops"],
                true,
            ),
            (
                "contains(realm_access.roles[*], 'ops') && 'Admin'",
                &["realm_access.roles"],
                &["ops"],
                true,
            ),
            (
                "contains(not_null(groups, `[]`), 'a') && 'A'",
                &["groups"],
                &["a"],
                true,
            ),
            ("a == 'x' && b != 'y' && 'A'", &["a", "b"], &["x", "y"], true),
            ("roles[?type == 'g'].name | [0]", &["roles"], &["g"], false),
            ("starts_with(email, 'a') && 'A'", &["email"], &["a"], false),
            ("level >= `3` && 'A'", &["level"], &[], false),
        ] {
            let probes = JmesPath::parse(text).unwrap().probes();
            let found: Vec<String> = probes.paths.iter().map(|path| path.join(".")).collect();
            assert_eq!(found, paths, "{text}");
            assert_eq!(probes.texts, texts, "{text}");
            assert_eq!(probes.is_simple, is_simple, "{text}");
        }
    }
}
