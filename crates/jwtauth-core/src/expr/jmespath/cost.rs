//! Upper bounds for the size of an expression's result and for its run time.
//!
//! Every expression is evaluated to the end, and a short expression can double a value many times or nest loops.
//! So upper bounds of the result's size and of the work are computed when an expression is parsed. Both are linear in
//! the size of the claims. If the exact function is not linear, a line that is above it up to [`LONG_TOKEN`] is
//! used. The limits are generous: expressions written by hand are far below them.
//!
//! The size of a value is one, plus the number of bytes of its text, plus the sizes of its elements or members with
//! their names.

use jmespath::ast::{Ast, KeyValuePair};

use super::texts::MAX_TEXT;
use crate::error::{Code, Error, Result};
use crate::expr::Effort;

/// Checks that the evaluation of an expression on a long token takes a reasonable time and has a result of reasonable
/// size.
///
/// # Errors
/// [`Code::ExpressionInvalid`].
pub(super) fn check(expression: &Ast) -> Result<Cost> {
    let cost = Cost::of(expression);
    let refused = |why: &str| Err(Error::new(Code::ExpressionInvalid).with_detail(why));
    if cost.size.at(LONG_TOKEN) > MAX_SIZE {
        refused(
            "the expression could produce too much output from a large token; repeat less of it in lists and objects",
        )
    } else if cost.work.at(LONG_TOKEN) > MAX_WORK {
        refused("the expression could take too long with a large token; use fewer nested loops")
    } else {
        Ok(cost)
    }
}

/// Upper bounds for evaluating a node, as functions of the size of its input value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// The size of the result.
    size: Line,
    /// The run time, in nanoseconds (approximate).
    work: Line,
}

/// The linear function `slope * size + fixed`.
#[derive(Debug, Clone, Copy)]
struct Line {
    slope: f64,
    fixed: f64,
}

impl Cost {
    /// Whether the expression may be evaluated on claims of this length. [`check`] has already answered for those of usual
    /// tokens.
    pub(super) fn allows(self, length: usize) -> bool {
        let length = count(length);
        length <= LONG_TOKEN || self.size.at(length) <= MAX_SIZE && self.work.at(length) <= MAX_WORK
    }

    /// The run time.
    pub(super) fn effort(self) -> Effort {
        Effort {
            fixed: self.work.fixed,
            per_byte: self.work.slope,
        }
    }

    /// Computes the cost of a whole expression. It does not recurse: each node is handled after its children.
    fn of(expression: &Ast) -> Cost {
        let mut nodes = vec![expression];
        let mut below = Vec::new();
        while let Some(node) = nodes.get(below.len()).copied() {
            let first = nodes.len();
            push_inner(node, &mut nodes);
            below.push(first..nodes.len());
        }
        let mut costs = vec![Cost::STEP; nodes.len()];
        for ((index, node), below) in nodes.iter().enumerate().zip(below).rev() {
            let cost = Cost::of_node(node, costs.get(below).unwrap_or_default());
            if let Some(slot) = costs.get_mut(index) {
                *slot = cost;
            }
        }
        costs.first().copied().unwrap_or(Cost::STEP)
    }

    /// Computes the cost of a node from the costs of its children.
    fn of_node(node: &Ast, below: &[Cost]) -> Cost {
        match (node, below) {
            (Ast::Subexpr { .. }, [left, right]) => Cost {
                size: right.size.of(left.size),
                work: left.work.plus(right.work.of(left.size)),
            },
            (Ast::Projection { .. }, [left, right]) => Cost {
                size: right.size.of_each(left.size),
                work: left.work.plus(right.work.of_each(left.size)),
            },
            (Ast::And { .. } | Ast::Or { .. }, [left, right]) => Cost {
                size: left.size.max(right.size),
                work: left.work.plus(right.work),
            },
            (Ast::Comparison { .. }, [left, right]) => Cost {
                size: Line::fixed(1.0),
                work: left
                    .work
                    .plus(right.work)
                    .plus(left.size.plus(right.size).times(UNIT))
                    .plus(Line::fixed(VISIT)),
            },
            (Ast::Condition { .. }, [predicate, then]) => Cost {
                size: then.size,
                work: predicate.work.plus(then.work),
            },
            (Ast::Not { .. }, [inner]) => Cost {
                size: Line::fixed(1.0),
                work: inner.work,
            },
            (Ast::Flatten { .. } | Ast::ObjectValues { .. }, [inner]) => Cost {
                size: inner.size,
                work: inner.work.plus(inner.size.times(UNIT)),
            },
            // The function that receives the reference evaluates the expression.
            (Ast::Expref { .. }, [inner]) => *inner,
            (Ast::Literal { value, .. }, _) => Cost {
                size: Line::fixed(count(value.to_string().len())),
                work: Line::fixed(VISIT),
            },
            (Ast::Slice { .. }, _) => Cost {
                size: Cost::STEP.size,
                work: Cost::STEP.work.plus(Cost::STEP.size.times(UNIT)),
            },
            (Ast::MultiList { .. }, elements) => Cost::sum(elements).with(Line::fixed(1.0)),
            (Ast::MultiHash { elements, .. }, values) => {
                let name = |pair: &KeyValuePair| pair.key.len() + 1;
                let names: usize = elements.iter().map(name).sum();
                Cost::sum(values).with(Line::fixed(count(names + 1)))
            }
            (Ast::Function { name, args, .. }, costs) => Cost::of_call(name, args, costs),
            _ => Cost::STEP,
        }
    }

    fn of_call(name: &str, args: &[Ast], costs: &[Cost]) -> Cost {
        let referred = |arg: &Ast| matches!(arg, Ast::Expref { .. });
        let chosen = |references: bool| {
            let pairs = args.iter().zip(costs);
            pairs.filter_map(move |(arg, cost)| (referred(arg) == references).then_some(*cost))
        };
        let given = Cost::sum(&chosen(false).collect::<Vec<Cost>>());
        // A function with an expression argument evaluates it for each element of the list argument.
        let each = Cost::sum(&chosen(true).collect::<Vec<Cost>>());
        let made = each.size.of_each(given.size);
        let longest = |index: usize| costs.get(index).map_or(0.0, |cost| cost.size.at(LONG_TOKEN));
        let size = match name {
            "abs" | "avg" | "ceil" | "contains" | "ends_with" | "find_first" | "find_last" | "floor"
            | "length" | "starts_with" | "sum" => Line::fixed(1.0),
            "type" => Line::fixed(8.0),
            "map" => made,
            // A name becomes a value, a character becomes a text.
            "keys" | "split" | "zip" => given.size.times(2.0),
            "items" | "lower" | "upper" => given.size.times(3.0),
            "group_by" => given.size.plus(made).times(2.0),
            "to_string" if args.iter().all(is_text) => given.size,
            // Numbers are written as digits, and control characters are escaped.
            "to_string" => given.size.times(25.0),
            "join" => given.size.times(1.0 + longest(0)).at_most(count(MAX_TEXT)),
            "replace" => given.size.times(2.0 + longest(2)).at_most(count(MAX_TEXT)),
            "pad_left" | "pad_right" => given.size.plus(Line::fixed(width(args.get(1)))),
            _ => given.size,
        };
        let passes = match name {
            "sort" | "sort_by" | "max_by" | "min_by" | "group_by" => COMPARISONS,
            _ => 1.0,
        };
        let evaluated = each.work.times(2.0).of_each(given.size);
        let compared = given.size.plus(made).times(passes);
        Cost {
            size: size.plus(Line::fixed(1.0)),
            work: given
                .work
                .plus(evaluated)
                .plus(compared.plus(size).times(UNIT))
                .plus(Line::fixed(VISIT)),
        }
    }

    fn sum(costs: &[Cost]) -> Cost {
        let nothing = Cost {
            size: Line::fixed(0.0),
            work: Line::fixed(0.0),
        };
        costs.iter().fold(nothing, |all, one| Cost {
            size: all.size.plus(one.size),
            work: all.work.plus(one.work),
        })
    }

    fn with(self, more: Line) -> Cost {
        Cost {
            size: self.size.plus(more),
            work: self.work.plus(more).plus(Line::fixed(VISIT)),
        }
    }

    /// The cost of access to an existing value.
    const STEP: Cost = Cost {
        size: Line {
            slope: 1.0,
            fixed: 0.0,
        },
        work: Line::fixed(VISIT),
    };
}

impl Line {
    const fn fixed(fixed: f64) -> Line {
        Line { slope: 0.0, fixed }
    }

    fn at(self, size: f64) -> f64 {
        self.slope * size + self.fixed
    }

    fn plus(self, other: Line) -> Line {
        Line {
            slope: self.slope + other.slope,
            fixed: self.fixed + other.fixed,
        }
    }

    fn times(self, factor: f64) -> Line {
        Line {
            slope: self.slope * factor,
            fixed: self.fixed * factor,
        }
    }

    fn max(self, other: Line) -> Line {
        Line {
            slope: self.slope.max(other.slope),
            fixed: self.fixed.max(other.fixed),
        }
    }

    /// Limits the function, for functions that fail above the limit.
    fn at_most(self, most: f64) -> Line {
        if self.at(LONG_TOKEN) > most {
            Line::fixed(most)
        } else {
            self
        }
    }

    /// Applies this function to the result of `inner`.
    fn of(self, inner: Line) -> Line {
        inner.times(self.slope).plus(Line::fixed(self.fixed))
    }

    /// Applies this function to each element of the result of `list`. The elements share the size of the list, which is
    /// also an upper bound of their number.
    fn of_each(self, list: Line) -> Line {
        list.times(self.slope + self.fixed)
    }
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

/// Whether the result of an expression is certainly a text, which `to_string` returns unchanged.
fn is_text(expression: &Ast) -> bool {
    match expression {
        Ast::Literal { value, .. } => value.is_string(),
        Ast::Function { name, .. } => matches!(
            name.as_str(),
            "join"
                | "lower"
                | "pad_left"
                | "pad_right"
                | "replace"
                | "to_string"
                | "trim"
                | "trim_left"
                | "trim_right"
                | "type"
                | "upper"
        ),
        _ => false,
    }
}

/// Returns the maximum length of a padded text: computed from the width if that is a literal, else [`MAX_TEXT`].
fn width(arg: Option<&Ast>) -> f64 {
    match arg {
        Some(Ast::Literal { value, .. }) => {
            (4.0 * value.as_number().unwrap_or(0.0).abs()).min(count(MAX_TEXT))
        }
        _ => count(MAX_TEXT),
    }
}

#[expect(clippy::cast_precision_loss, reason = "bounds are rough")]
fn count(number: usize) -> f64 {
    number as f64
}

/// The size for which bounds are computed. No token within the default limit is larger.
const LONG_TOKEN: f64 = 65_536.0;
/// The number of comparisons of each element when sorting a list of the size of a long token.
const COMPARISONS: f64 = 17.0;
/// The maximum size of a result.
const MAX_SIZE: f64 = 16.0 * 1024.0 * 1024.0;
/// The cost of reading or copying a value, for each unit of its size.
const UNIT: f64 = 16.0;
/// The additional cost of a visit to a node: reference counting, and often an allocation.
const VISIT: f64 = 100.0;
/// The maximum work: a few seconds, for a signed token that is designed to be slow. Usual tokens take microseconds.
const MAX_WORK: f64 = 4e9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::claims::Claims;
    use crate::expr::jmespath::tests;
    use crate::expr::{Document, JmesPath};
    use crate::json::Value;

    #[test]
    fn results_are_within_the_bound() {
        let payload = r#"{"a":[1,22,333],"s":"x\"y\\z","o":{"k":["v","w"],"l":null},"n":[[1,2],[3],["four"]],"e":"","z":[]}"#;
        for expression in [
            "@",
            "a",
            "a[0]",
            "a[1:]",
            "a[::-1]",
            "o.k",
            "o.*",
            "*",
            "n[]",
            "n[][]",
            "n[*][0]",
            "n[*][]",
            "a[?@ > `1`]",
            "[@,@]",
            "[@,@][]",
            "{first: @, second: o}",
            "[@,@] | [@,@] | [@,@]",
            "a[*].[@, @, `true`]",
            "a[*].{n: @}",
            "a[*].[@ == `1`]",
            "to_string(@)",
            "to_string([@, s])",
            "to_string(to_string(o))",
            "join(s, o.k)",
            "join(', ', ['a', 'b', s])",
            "join('-', o.k)",
            "map(&[@, @], a)",
            "map(&to_string(@), n)",
            "sort(o.k)",
            "sort_by(n, &to_string(@))",
            "group_by(n, &to_string([0]))",
            "merge(o, {m: a})",
            "not_null(missing, a)",
            "keys(o)",
            "values(o)",
            "reverse(s)",
            "to_array(s)",
            "length(a)",
            "replace(s, 'x', s)",
            "pad_left(s, `20`)",
            "pad_right(s, length(s))",
            "split(s, 'y')",
            "upper(s)",
            "zip(a, n)",
            "items(o)",
            "from_items(items(o))",
            "max(a)",
            "sum(a)",
            "type(@)",
            "s || a",
            "e || z || a",
            "a && o",
            "!a",
            "`[1,2,3]`",
            "'raw'",
        ] {
            assert!(
                result_is_within_bound(expression, payload).unwrap(),
                "{expression}"
            );
        }
    }

    proptest! {
        #[test]
        fn results_of_generated_expressions_are_within_the_bound(expression in tests::expressions()) {
            prop_assert_ne!(result_is_within_bound(&expression, tests::CLAIMS), Some(false));
        }
    }

    /// Whether the result of an expression for a payload is within the bound; `None` if it is refused or fails.
    fn result_is_within_bound(expression: &str, payload: &str) -> Option<bool> {
        let parsed = jmespath::parse(expression).ok()?;
        let expression = JmesPath::parse(expression).ok()?;
        let claims = Claims::parse(payload).unwrap();
        let given = count(size(&claims.to_value()));
        let made = expression.evaluate(&Document::new(claims)).ok()?;
        Some(count(size(&made)) <= Cost::of(&parsed).size.at(given))
    }

    fn size(value: &Value<'_>) -> usize {
        1 + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(size).sum(),
            Value::Object(object) => object
                .members()
                .map(|(name, value)| 1 + name.len() + size(value))
                .sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
    }
}
