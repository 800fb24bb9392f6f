//! A parsed expression in the form for evaluation.

use jmespath::ast::Comparator;

use crate::json::Value;

/// A step of an expression. Each step is applied to the current value.
#[derive(Debug)]
pub(super) enum Tree {
    /// `@`, and the right side of a projection without further steps.
    Current,
    /// The member of this name. Whether the name is in double quotes matters only for warnings.
    Field { name: String, quoted: bool },
    /// `[0]`, `[-1]`.
    Index(i32),
    /// `[start:stop:step]`, without its projection.
    Slice {
        start: Option<i32>,
        stop: Option<i32>,
        step: i32,
    },
    /// A raw string or a JSON literal.
    Literal(Value<'static>),
    /// `&a`.
    Reference(Box<Tree>),
    /// `!a`.
    Not(Box<Tree>),
    /// `a && b`.
    And(Box<Tree>, Box<Tree>),
    /// `a || b`.
    Or(Box<Tree>, Box<Tree>),
    /// `a == b` and the other comparisons.
    Compare(Comparator, Box<Tree>, Box<Tree>),
    /// `a.b`, `a[0]`: the right side is not evaluated if the left side is null.
    Inside(Box<Tree>, Box<Tree>),
    /// `a | b`: the right side is always evaluated.
    Pipe(Box<Tree>, Box<Tree>),
    /// `a[*].b`, and the steps after a slice, `[]` or `.*`.
    Project(Box<Tree>, Box<Tree>),
    /// `a[?test].b`, as list, test, right side.
    Filter(Box<Tree>, Box<Tree>, Box<Tree>),
    /// The list of `a[]`.
    Flatten(Box<Tree>),
    /// The values of `a.*`.
    Values(Box<Tree>),
    /// `[a, b]`.
    List(Vec<Tree>),
    /// `{a: b}`.
    Hash(Vec<(String, Tree)>),
    /// `name(a, b)`.
    Call(Function, Vec<Tree>),
}

impl Tree {
    /// The expressions in this one.
    pub(super) fn parts(&self) -> Vec<&Tree> {
        match self {
            Tree::Current | Tree::Field { .. } | Tree::Index(_) | Tree::Slice { .. } | Tree::Literal(_) => {
                Vec::new()
            }
            Tree::Reference(one) | Tree::Not(one) | Tree::Flatten(one) | Tree::Values(one) => vec![one],
            Tree::And(one, other)
            | Tree::Or(one, other)
            | Tree::Compare(_, one, other)
            | Tree::Inside(one, other)
            | Tree::Pipe(one, other)
            | Tree::Project(one, other) => vec![one, other],
            Tree::Filter(list, test, right) => vec![list, test, right],
            Tree::List(items) | Tree::Call(_, items) => items.iter().collect(),
            Tree::Hash(pairs) => pairs.iter().map(|(_, value)| value).collect(),
        }
    }
}

macro_rules! functions {
    ($($variant:ident $name:literal)*) => {
        /// The functions of JMESPath Community Edition.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Function { $($variant),* }

        impl Function {
            /// Returns the function with this name.
            pub(super) fn of(name: &str) -> Option<Function> {
                match name {
                    $($name => Some(Function::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

functions! {
    Abs "abs"
    Avg "avg"
    Ceil "ceil"
    Contains "contains"
    EndsWith "ends_with"
    FindFirst "find_first"
    FindLast "find_last"
    Floor "floor"
    FromItems "from_items"
    GroupBy "group_by"
    Items "items"
    Join "join"
    Keys "keys"
    Length "length"
    Lower "lower"
    Map "map"
    Max "max"
    MaxBy "max_by"
    Merge "merge"
    Min "min"
    MinBy "min_by"
    NotNull "not_null"
    PadLeft "pad_left"
    PadRight "pad_right"
    Replace "replace"
    Reverse "reverse"
    Sort "sort"
    SortBy "sort_by"
    Split "split"
    StartsWith "starts_with"
    Sum "sum"
    ToArray "to_array"
    ToNumber "to_number"
    ToString "to_string"
    Trim "trim"
    TrimLeft "trim_left"
    TrimRight "trim_right"
    Type "type"
    Upper "upper"
    Values "values"
    Zip "zip"
}
