//! The parsed form of a selector, its evaluation and its printing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::regex::Pattern;

/// An expression over mapped values and lists.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// True if any part is true. Has at least two parts.
    Or(Vec<Expression>),
    /// True if all parts are true. Has at least two parts.
    And(Vec<Expression>),
    Not(Box<Expression>),
    Match(Operand, Test),
}

/// The value that a test examines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    /// `value.name`: one text.
    Value(String),
    /// `list.name`: a list of texts.
    List(String),
    /// `value`: the names of the mapped values.
    ValueNames,
    /// `list`: the names of the mapped lists.
    ListNames,
}

/// A condition on an operand.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Equals(String),
    Differs(String),
    /// The text contains this part, the list this element, or the names this name.
    Contains(String),
    Lacks(String),
    Empty,
    NotEmpty,
    Matches(Pattern),
    NotMatches(Pattern),
}

/// The result of `matches` for an absent value. `not matches` is true for it in both cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// False.
    MatchesNothing,
    /// True, as in go-bexpr 0.1.
    MatchesEverything,
}

/// The names of the mapped values and lists that a selector tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names<'s> {
    /// Names as in `value.name`.
    pub(crate) values: BTreeSet<&'s str>,
    /// Names as in `list.name`.
    pub(crate) lists: BTreeSet<&'s str>,
}

impl Expression {
    /// Whether the expression is true for these mapped values and lists. `absent` is the rule for absent values.
    pub(super) fn holds(
        &self,
        values: &BTreeMap<String, String>,
        lists: &BTreeMap<String, Vec<String>>,
        absent: Absent,
    ) -> bool {
        match self {
            Expression::Or(any) => any.iter().any(|one| one.holds(values, lists, absent)),
            Expression::And(all) => all.iter().all(|one| one.holds(values, lists, absent)),
            Expression::Not(inner) => !inner.holds(values, lists, absent),
            Expression::Match(operand, test) => match operand {
                Operand::Value(name) => test.on_text(values.get(name), absent),
                Operand::List(name) => {
                    let list = lists.get(name).map_or(&[][..], Vec::as_slice);
                    test.on_elements(list.is_empty(), |text| list.iter().any(|element| element == text))
                }
                Operand::ValueNames => test.on_elements(values.is_empty(), |name| values.contains_key(name)),
                Operand::ListNames => test.on_elements(lists.is_empty(), |name| lists.contains_key(name)),
            },
        }
    }

    /// Adds the sizes of the patterns that the expression matches, each with the name of the value.
    pub(super) fn patterns<'s>(&'s self, patterns: &mut Vec<(&'s str, usize)>) {
        match self {
            Expression::Or(parts) | Expression::And(parts) => {
                parts.iter().for_each(|part| part.patterns(patterns));
            }
            Expression::Not(inner) => inner.patterns(patterns),
            Expression::Match(Operand::Value(name), Test::Matches(pattern) | Test::NotMatches(pattern)) => {
                patterns.push((name, pattern.size()));
            }
            Expression::Match(..) => {}
        }
    }

    /// Adds the number of bytes, or of elements, that the tests read of these mapped values and lists.
    pub(super) fn reads(
        &self,
        values: &BTreeMap<String, String>,
        lists: &BTreeMap<String, Vec<String>>,
        sum: &mut usize,
    ) {
        match self {
            Expression::Or(parts) | Expression::And(parts) => {
                parts.iter().for_each(|part| part.reads(values, lists, sum));
            }
            Expression::Not(inner) => inner.reads(values, lists, sum),
            Expression::Match(operand, _) => {
                let read = match operand {
                    Operand::Value(name) => values.get(name).map_or(0, String::len),
                    Operand::List(name) => lists.get(name).map_or(0, Vec::len),
                    Operand::ValueNames | Operand::ListNames => 0,
                };
                *sum = sum.saturating_add(read).saturating_add(TEST);
            }
        }
    }

    /// Adds the texts that the expression compares with.
    pub(super) fn texts<'s>(&'s self, texts: &mut Vec<&'s str>) {
        match self {
            Expression::Or(parts) | Expression::And(parts) => parts.iter().for_each(|part| part.texts(texts)),
            Expression::Not(inner) => inner.texts(texts),
            Expression::Match(_, test) => match test {
                Test::Equals(text) | Test::Differs(text) | Test::Contains(text) | Test::Lacks(text) => {
                    texts.push(text);
                }
                Test::Empty | Test::NotEmpty | Test::Matches(_) | Test::NotMatches(_) => {}
            },
        }
    }

    /// Adds the names of the values and lists that the expression tests.
    pub(super) fn names<'s>(&'s self, names: &mut Names<'s>) {
        match self {
            Expression::Or(parts) | Expression::And(parts) => parts.iter().for_each(|part| part.names(names)),
            Expression::Not(inner) => inner.names(names),
            Expression::Match(Operand::Value(name), _) => {
                names.values.insert(name);
            }
            Expression::Match(Operand::List(name), _) => {
                names.lists.insert(name);
            }
            // `"name" in value` tests whether such a value exists, so an unknown name is valid.
            Expression::Match(Operand::ValueNames | Operand::ListNames, _) => {}
        }
    }
}

impl Test {
    /// Whether the test is true for a text. An absent value equals and contains nothing, and the negated tests are true
    /// for it. `absent` specifies the result of `matches`.
    fn on_text(&self, value: Option<&String>, absent: Absent) -> bool {
        match self {
            Test::Equals(text) => value == Some(text),
            Test::Differs(text) => value != Some(text),
            Test::Contains(text) => value.is_some_and(|value| value.contains(text.as_str())),
            Test::Lacks(text) => !value.is_some_and(|value| value.contains(text.as_str())),
            Test::Matches(pattern) => value.map_or(absent == Absent::MatchesEverything, |value| {
                pattern.matches(value)
            }),
            Test::NotMatches(pattern) => value.is_none_or(|value| !pattern.matches(value)),
            // INVARIANT: the parser refuses emptiness tests of a text.
            Test::Empty | Test::NotEmpty => false,
        }
    }

    fn on_elements(&self, empty: bool, holds: impl Fn(&str) -> bool) -> bool {
        match self {
            Test::Contains(text) => holds(text),
            Test::Lacks(text) => !holds(text),
            Test::Empty => empty,
            Test::NotEmpty => !empty,
            // INVARIANT: the parser allows these tests only for a text.
            Test::Equals(_) | Test::Differs(_) | Test::Matches(_) | Test::NotMatches(_) => false,
        }
    }
}

/// What a test takes in addition, in bytes.
const TEST: usize = 50;

/// Prints the expression in a form that parses to an equal one.
impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |out: &mut fmt::Formatter<'_>, parts: &[Expression], word: &str| {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    write!(out, " {word} ")?;
                }
                write!(out, "({part})")?;
            }
            Ok(())
        };
        match self {
            Expression::Or(any) => joined(out, any, "or"),
            Expression::And(all) => joined(out, all, "and"),
            Expression::Not(inner) => write!(out, "not ({inner})"),
            Expression::Match(operand, test) => match test {
                Test::Equals(text) => write!(out, "{operand} == {}", Quoted(text)),
                Test::Differs(text) => write!(out, "{operand} != {}", Quoted(text)),
                Test::Contains(text) => write!(out, "{} in {operand}", Quoted(text)),
                Test::Lacks(text) => write!(out, "{} not in {operand}", Quoted(text)),
                Test::Empty => write!(out, "{operand} is empty"),
                Test::NotEmpty => write!(out, "{operand} is not empty"),
                Test::Matches(pattern) => write!(out, "{operand} matches {}", Quoted(pattern.as_str())),
                Test::NotMatches(pattern) => {
                    write!(out, "{operand} not matches {}", Quoted(pattern.as_str()))
                }
            },
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Value(name) => write!(out, "value[{}]", Quoted(name)),
            Operand::List(name) => write!(out, "list[{}]", Quoted(name)),
            Operand::ValueNames => out.write_str("value"),
            Operand::ListNames => out.write_str("list"),
        }
    }
}

/// Prints a text as a double-quoted string of the language. Special characters are escaped.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("\"")?;
        for letter in self.0.chars() {
            match letter {
                '\\' => out.write_str(r"\\")?,
                // A backslash does not escape a quote in this language, so the quote itself must not appear.
                '"' => out.write_str(r"\x22")?,
                letter if letter.is_control() => write!(out, "\\U{:08x}", u32::from(letter))?,
                letter => write!(out, "{letter}")?,
            }
        }
        out.write_str("\"")
    }
}
