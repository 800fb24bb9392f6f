//! What a selector is once it is parsed, how it is evaluated, and how it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::regex::Pattern;

/// An expression over mapped values and lists.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    /// Any of these; at least two.
    Or(Vec<Expression>),
    /// All of these; at least two.
    And(Vec<Expression>),
    Not(Box<Expression>),
    Match(Operand, Test),
}

/// What a test looks at.
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

/// What must hold of an operand.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Equals(String),
    Differs(String),
    /// A part of a text; an element of a list; one of the names.
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

/// What a selector looks at, by the names of the mapped values and lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names<'s> {
    /// As in `value.name`.
    pub(crate) values: BTreeSet<&'s str>,
    /// As in `list.name`.
    pub(crate) lists: BTreeSet<&'s str>,
}

impl Expression {
    /// Whether it holds of these mapped values and lists, if an absent value is treated in this way.
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

    /// Adds the names of the values and lists that it tests.
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
            // `"name" in value` asks whether there is such a value, so an unknown name makes sense.
            Expression::Match(Operand::ValueNames | Operand::ListNames, _) => {}
        }
    }
}

impl Test {
    /// An absent value equals nothing and contains nothing; the negations hold of it.
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
            // INVARIANT: the parser refuses emptiness of a text.
            Test::Empty | Test::NotEmpty => false,
        }
    }

    fn on_elements(&self, empty: bool, holds: impl Fn(&str) -> bool) -> bool {
        match self {
            Test::Contains(text) => holds(text),
            Test::Lacks(text) => !holds(text),
            Test::Empty => empty,
            Test::NotEmpty => !empty,
            // INVARIANT: the parser refuses these of anything but a text.
            Test::Equals(_) | Test::Differs(_) | Test::Matches(_) | Test::NotMatches(_) => false,
        }
    }
}

/// Writes the expression so that it parses to the same again.
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

/// A text as a double-quoted string of the language: everything unusual as an escape.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("\"")?;
        for letter in self.0.chars() {
            match letter {
                '\\' => out.write_str(r"\\")?,
                // A backslash does not protect a quote in this language, so the quote itself must not appear.
                '"' => out.write_str(r"\x22")?,
                letter if letter.is_control() => write!(out, "\\U{:08x}", u32::from(letter))?,
                letter => write!(out, "{letter}")?,
            }
        }
        out.write_str("\"")
    }
}
