//! Groups the steps of a projection as the community edition does.
//!
//! The original grammar applies all steps after a projection to each element. The community edition ends the projection
//! earlier in two cases: `a.*.b.c` is `(a.*.b).c`, and `a[*].{b: c}.d` is `(a[*].{b: c}).d`. The steps outside of the
//! parentheses are applied to the list.

use jmespath::ast::Ast;

/// Returns the grouping of the community edition for a projection; `None` if both groupings are the same.
pub(super) fn regroup(projection: &Ast, text: &str) -> Option<Ast> {
    let steps = spine(right(projection)?, text);
    let kept = outside(projection, &steps, text);
    let inner = steps.get(kept).filter(|_| kept > 0)?;
    let mut whole = (*steps.first()?).clone();
    let mut slot = &mut whole;
    for _ in 0..kept {
        slot = left_mut(slot)?;
    }
    *slot = projection.clone();
    *right_mut(slot)? = (*inner).clone();
    Some(whole)
}

/// Whether the grouping of the community edition moves a filter out of an expression.
pub(super) fn moves_a_filter(expression: &Ast, text: &str) -> bool {
    moved(expression, text).into_iter().any(is_filter)
}

/// Whether the grouping of the community edition moves a step that binds less tightly than `!` out of an expression.
pub(super) fn moves_a_dot(expression: &Ast, text: &str) -> bool {
    moved(expression, text)
        .into_iter()
        .any(|step| is_loose(step, text))
}

fn moved<'e>(expression: &'e Ast, text: &str) -> Vec<&'e Ast> {
    let mut moved = Vec::new();
    for projection in spine(expression, text) {
        if let Some(right) = right(projection) {
            let steps = spine(right, text);
            moved.extend(steps.iter().take(outside(projection, &steps, text)));
        }
    }
    moved
}

/// Whether a step is `.a`, `.*` or `[?a]`.
fn is_loose(step: &Ast, text: &str) -> bool {
    match step {
        Ast::Subexpr { offset, .. } => letter(text, *offset) == Some(b'.'),
        Ast::Projection { lhs, .. } => is_filter(step) || is_behind(lhs, text),
        _ => false,
    }
}

/// Returns the number of outer steps on the right side of a projection that are applied to the list.
fn outside(projection: &Ast, steps: &[&Ast], text: &str) -> usize {
    if matches!(steps.last(), Some(Ast::MultiHash { .. })) {
        return steps.len() - 1;
    }
    let behind_values = match projection {
        Ast::Projection { lhs, .. } => is_behind(lhs, text),
        _ => false,
    };
    match steps
        .iter()
        .take(steps.len() - 1)
        .rposition(|step| is_loose(step, text))
    {
        Some(place) if behind_values => place + 1,
        _ => 0,
    }
}

/// Returns the steps of a right side, from the last to the first.
fn spine<'e>(right: &'e Ast, text: &str) -> Vec<&'e Ast> {
    let mut steps = vec![right];
    let mut step = right;
    while let Some(left) = left(step, text) {
        steps.push(left);
        step = left;
    }
    steps
}

/// Returns the node that a step is applied to; `None` for the first step of a right side.
fn left<'e>(step: &'e Ast, text: &str) -> Option<&'e Ast> {
    match step {
        Ast::Subexpr { lhs, .. } => Some(lhs),
        Ast::Projection { lhs, .. } => match lhs.as_ref() {
            Ast::ObjectValues { node, .. } => Some(node.as_ref()).filter(|_| is_behind(lhs, text)),
            Ast::Slice { .. } | Ast::Flatten { .. } | Ast::Identity { .. } => None,
            lhs => Some(lhs),
        },
        _ => None,
    }
}

fn left_mut(step: &mut Ast) -> Option<&mut Ast> {
    match step {
        Ast::Subexpr { lhs, .. } => Some(lhs),
        Ast::Projection { lhs, .. } => match lhs.as_mut() {
            Ast::ObjectValues { node, .. } => Some(node),
            lhs => Some(lhs),
        },
        _ => None,
    }
}

/// Returns the right side of a projection, without the test of a filter.
fn right(projection: &Ast) -> Option<&Ast> {
    match projection {
        Ast::Projection { rhs, .. } => match rhs.as_ref() {
            Ast::Condition { then, .. } => Some(then),
            rhs => Some(rhs),
        },
        Ast::Subexpr { rhs, .. } if is_slice(rhs) => right(rhs),
        _ => None,
    }
}

/// Whether a node is a projection over a slice.
fn is_slice(node: &Ast) -> bool {
    matches!(node, Ast::Projection { lhs, .. } if matches!(lhs.as_ref(), Ast::Slice { .. }))
}

fn right_mut(projection: &mut Ast) -> Option<&mut Ast> {
    match projection {
        Ast::Projection { rhs, .. } => match rhs.as_mut() {
            Ast::Condition { then, .. } => Some(then),
            rhs => Some(rhs),
        },
        Ast::Subexpr { rhs, .. } if is_slice(rhs) => right_mut(rhs),
        _ => None,
    }
}

fn is_filter(step: &Ast) -> bool {
    matches!(step, Ast::Projection { rhs, .. } if matches!(rhs.as_ref(), Ast::Condition { .. }))
}

/// Whether a node is `a.*`, in contrast to a `*` at the beginning of an expression.
fn is_behind(node: &Ast, text: &str) -> bool {
    match node {
        Ast::ObjectValues { node, .. } => match node.as_ref() {
            Ast::Identity { offset } => letter(text, *offset) != Some(b'*'),
            _ => true,
        },
        _ => false,
    }
}

fn letter(text: &str, offset: usize) -> Option<u8> {
    text.as_bytes().get(offset).copied()
}
