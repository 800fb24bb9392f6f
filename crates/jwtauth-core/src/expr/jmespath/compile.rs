//! Translates the tree of the `jmespath` crate into [`Tree`].
//!
//! The crate's parser follows the original grammar. The community edition reads some expressions differently, and the
//! crate's tree does not contain all that is needed for this. So this module also reads the text of the expression, at
//! the offsets of the nodes.

use std::collections::BTreeMap;

use jmespath::Variable;
use jmespath::ast::{Ast, Comparator, KeyValuePair};

use super::cost::push_inner;
use super::regroup;
use super::tree::{Function, Tree};
use crate::json::{Number, Object, Value};

/// Why an expression that the crate accepts is refused.
#[derive(Debug)]
pub(super) enum Refused {
    /// The expression calls an unknown function.
    Unknown(String),
    /// The expression has a syntax error at this offset.
    At(usize, &'static str),
}

// The functions recurse. Boxes keep their stack frames small.
type Outcome = Result<Box<Tree>, Box<Refused>>;
type Pair = fn(Box<Tree>, Box<Tree>) -> Tree;

fn refused(offset: usize, problem: &'static str) -> Box<Refused> {
    Box::new(Refused::At(offset, problem))
}

/// Translates an expression.
///
/// # Errors
/// The community edition does not accept the expression.
pub(super) fn compile(expression: &Ast, text: &str) -> Outcome {
    let compiler = Compiler {
        text,
        commas: commas(text),
    };
    compiler.tree(expression)
}

struct Compiler<'e> {
    text: &'e str,
    /// The number of commas between the elements of the list that begins at this offset.
    commas: BTreeMap<usize, usize>,
}

impl Compiler<'_> {
    fn tree(&self, node: &Ast) -> Outcome {
        match node {
            Ast::Identity { .. } | Ast::Index { .. } | Ast::Slice { .. } => leaf(node),
            Ast::Field { name, offset } => Ok(self.field(name, *offset)),
            Ast::Literal { value, offset } => self.literal(value, *offset),
            Ast::Expref { ast, .. } => self.one(ast, Tree::Reference),
            Ast::Not { node, offset } => self.not(node, *offset),
            Ast::Flatten { node, .. } => self.one(node, Tree::Flatten),
            Ast::ObjectValues { node, .. } => self.one(node, Tree::Values),
            Ast::And { lhs, rhs, .. } => self.two(lhs, rhs, Tree::And),
            Ast::Or { lhs, rhs, .. } => self.two(lhs, rhs, Tree::Or),
            Ast::Comparison {
                comparator, lhs, rhs, ..
            } => self.two(lhs, rhs, compare(comparator)),
            Ast::Subexpr { lhs, rhs, offset } if self.letter(*offset) == Some(b'|') => {
                self.two(lhs, rhs, Tree::Pipe)
            }
            Ast::Subexpr { lhs, rhs, .. } => self.inside(node, lhs, rhs),
            Ast::Projection { lhs, rhs, .. } => self.projection(node, lhs, rhs),
            // The crate creates a condition only as the right side of a projection.
            Ast::Condition { offset, .. } => Err(refused(*offset, "a filter needs a list")),
            Ast::MultiList { elements, offset } => self.list(elements, *offset),
            Ast::MultiHash { elements, .. } => self.hash(elements),
            Ast::Function { name, args, .. } => self.call(name, args),
        }
    }

    fn one(&self, node: &Ast, make: fn(Box<Tree>) -> Tree) -> Outcome {
        Ok(Box::new(make(self.tree(node)?)))
    }

    fn two(&self, left: &Ast, right: &Ast, make: Pair) -> Outcome {
        let left = self.tree(left)?;
        let right = self.tree(right)?;
        Ok(Box::new(make(left, right)))
    }

    fn all(&self, nodes: &[Ast]) -> Result<Vec<Tree>, Box<Refused>> {
        let mut trees = Vec::with_capacity(nodes.len());
        for node in nodes {
            trees.push(*self.tree(node)?);
        }
        Ok(trees)
    }

    fn not(&self, operand: &Ast, offset: usize) -> Outcome {
        if regroup::moves_a_dot(operand, self.text) {
            return Err(refused(offset, "put the operand of `!` into parentheses"));
        }
        self.one(operand, Tree::Not)
    }

    fn inside(&self, node: &Ast, left: &Ast, right: &Ast) -> Outcome {
        if let Some(regrouped) = self.regrouped(node) {
            return self.tree(&regrouped);
        }
        no_reference(right)?;
        // A filter or `.*` treats a failure of its left side as null. In the other grouping, this includes `left`.
        if can_fail(left) && regroup::moves_a_dot(right, self.text) {
            return Err(refused(0, PIPE));
        }
        self.two(left, right, Tree::Inside)
    }

    fn projection(&self, node: &Ast, left: &Ast, right: &Ast) -> Outcome {
        if let Some(regrouped) = self.regrouped(node) {
            return self.tree(&regrouped);
        }
        if let Ast::Condition { predicate, then, .. } = right {
            return self.filter(left, predicate, then);
        }
        no_reference(right)?;
        self.two(left, right, Tree::Project)
    }

    fn regrouped(&self, node: &Ast) -> Option<Box<Ast>> {
        regroup::regroup(node, self.text).map(Box::new)
    }

    fn filter(&self, list: &Ast, test: &Ast, right: &Ast) -> Outcome {
        no_reference(right)?;
        if regroup::moves_a_filter(right, self.text) {
            return Err(refused(0, PIPE));
        }
        let list = self.tree(list)?;
        let test = self.tree(test)?;
        let right = self.tree(right)?;
        Ok(Box::new(Tree::Filter(list, test, right)))
    }

    fn list(&self, elements: &[Ast], offset: usize) -> Outcome {
        // The crate also accepts an empty list, and a list without commas between its elements.
        let commas = self.commas.get(&offset).copied().unwrap_or_default();
        if elements.len() != commas + 1 {
            return Err(refused(offset, "this list needs a comma between two elements"));
        }
        Ok(Box::new(Tree::List(self.all(elements)?)))
    }

    fn hash(&self, elements: &[KeyValuePair]) -> Outcome {
        let mut pairs = Vec::with_capacity(elements.len());
        for pair in elements {
            pairs.push((pair.key.clone(), *self.tree(&pair.value)?));
        }
        Ok(Box::new(Tree::Hash(pairs)))
    }

    fn call(&self, name: &str, args: &[Ast]) -> Outcome {
        let function = Function::of(name).ok_or_else(|| Box::new(Refused::Unknown(name.to_owned())))?;
        Ok(Box::new(Tree::Call(function, self.all(args)?)))
    }

    fn literal(&self, value: &Variable, offset: usize) -> Outcome {
        Ok(Box::new(Tree::Literal(match self.letter(offset) {
            Some(b'\'') => Value::String(raw_string(self.text.get(offset + 1..).unwrap_or_default()).into()),
            _ => to_value(value),
        })))
    }

    fn field(&self, name: &str, offset: usize) -> Box<Tree> {
        Box::new(Tree::Field {
            name: name.to_owned(),
            quoted: self.letter(offset) == Some(b'"'),
        })
    }

    fn letter(&self, offset: usize) -> Option<u8> {
        self.text.as_bytes().get(offset).copied()
    }
}

fn leaf(node: &Ast) -> Outcome {
    Ok(Box::new(match node {
        Ast::Index { idx, .. } => Tree::Index(*idx),
        Ast::Slice {
            start, stop, step, ..
        } => Tree::Slice {
            start: *start,
            stop: *stop,
            step: *step,
        },
        _ => Tree::Current,
    }))
}

fn compare(comparator: &Comparator) -> Pair {
    match comparator {
        Comparator::Equal => |left, right| Tree::Compare(Comparator::Equal, left, right),
        Comparator::NotEqual => |left, right| Tree::Compare(Comparator::NotEqual, left, right),
        Comparator::LessThan => |left, right| Tree::Compare(Comparator::LessThan, left, right),
        Comparator::LessThanEqual => |left, right| Tree::Compare(Comparator::LessThanEqual, left, right),
        Comparator::GreaterThan => |left, right| Tree::Compare(Comparator::GreaterThan, left, right),
        Comparator::GreaterThanEqual => {
            |left, right| Tree::Compare(Comparator::GreaterThanEqual, left, right)
        }
    }
}

/// Refuses `a.&b`, which the community edition does not have.
fn no_reference(right: &Ast) -> Result<(), Box<Refused>> {
    match right {
        Ast::Expref { offset, .. } => Err(refused(*offset, "a reference cannot follow a dot")),
        _ => Ok(()),
    }
}

/// The advice for expressions that the two grammars group differently, if `regroup` does not support the difference.
const PIPE: &str = "put a pipe before the last step";

/// Whether the evaluation of an expression can fail.
fn can_fail(expression: &Ast) -> bool {
    let mut waiting = vec![expression];
    while let Some(node) = waiting.pop() {
        match node {
            Ast::Function { .. } | Ast::Slice { step: 0, .. } => return true,
            node => push_inner(node, &mut waiting),
        }
    }
    false
}

/// Reads a raw string that begins after its first quote: `\'` is a quote, `\\` is a backslash.
fn raw_string(text: &str) -> String {
    let mut value = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next().filter(|letter| *letter != '\'') {
        let escaped = letters.next_if(|next| letter == '\\' && matches!(next, '\'' | '\\'));
        value.push(escaped.unwrap_or(letter));
    }
    value
}

/// Counts the commas directly within each pair of square brackets.
fn commas(text: &str) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    let mut around = Vec::new();
    let mut bytes = text.bytes().enumerate();
    while let Some((offset, byte)) = bytes.next() {
        match byte {
            b'"' | b'\'' | b'`' => {
                while let Some((_, inside)) = bytes.next().filter(|(_, inside)| *inside != byte) {
                    if inside == b'\\' {
                        bytes.next();
                    }
                }
            }
            b'[' => around.push(Some(offset)),
            b'(' | b'{' => around.push(None),
            b']' | b')' | b'}' => {
                around.pop();
            }
            b',' => {
                if let Some(Some(list)) = around.last() {
                    *counts.entry(*list).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    counts
}

/// Converts a JSON literal of the crate.
fn to_value(value: &Variable) -> Value<'static> {
    match value {
        // A literal of the crate never contains a reference.
        Variable::Null | Variable::Expref(_) => Value::Null,
        Variable::Bool(value) => Value::Bool(*value),
        Variable::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(value), _, _) => Value::Number(Number::Unsigned(value)),
            (None, Some(value), _) => Value::Number(Number::Signed(value)),
            (None, None, value) => value.map_or(Value::Null, |value| Value::Number(Number::Float(value))),
        },
        Variable::String(text) => Value::String(text.clone().into()),
        Variable::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                list.push(to_value(item));
            }
            Value::Array(list)
        }
        Variable::Object(members) => {
            let mut object = Vec::with_capacity(members.len());
            for (name, value) in members {
                object.push((name.clone().into(), to_value(value)));
            }
            Value::Object(Object::from_unique(object))
        }
    }
}
