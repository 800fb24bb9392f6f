//! The grammar of templates.

use winnow::combinator::{alt, delimited, opt, preceded, separated_foldl1, terminated};
use winnow::error::{ContextError, ErrMode};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location as _};
use winnow::token::{any, one_of, take_while};

use super::tree::{Condition, Expression, Piece};
use crate::error::{Code, Error, Result};
use crate::expr::limits;

/// Parses a whole template.
pub(super) fn template(text: &str) -> Result<Vec<Piece>> {
    // Quotes have no meaning outside insertions, so parentheses in quotes are counted too.
    limits::check(text, '(', ')', &[])?;
    // In a text without an insertion every character is literal, including `$$`.
    if !text.contains("${") {
        return Ok(vec![Piece::Literal(text.to_owned())]);
    }
    let parts = ["(", "?", "&&", "||"].map(|part| text.matches(part).count());
    if parts.iter().sum::<usize>() > limits::MAX_NESTING {
        return Err(Error::new(Code::ExpressionInvalid).with_detail(format!(
            "the template has more than {} parentheses, conditions and operators",
            limits::MAX_NESTING
        )));
    }
    let mut input = LocatingSlice::new(text);
    let mut pieces = Vec::new();
    let mut literal = String::new();
    loop {
        let at = input.current_token_start();
        if insertion_starts(&mut input) {
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            match terminated(delimited(space, expression, space), '}').parse_next(&mut input) {
                Ok(expression) => pieces.push(Piece::Insert(expression)),
                Err(_) => return Err(unreadable(text, at, input.current_token_start())),
            }
        } else if opt::<_, _, ErrMode<ContextError>, _>("$$")
            .parse_next(&mut input)
            .is_ok_and(|found| found.is_some())
        {
            literal.push('$');
        } else {
            match any::<_, ErrMode<ContextError>>.parse_next(&mut input) {
                Ok(letter) => literal.push(letter),
                Err(_) => break,
            }
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

type Input<'i> = LocatingSlice<&'i str>;
type Parsed<T> = winnow::Result<T, ErrMode<ContextError>>;

fn insertion_starts(input: &mut Input<'_>) -> bool {
    opt::<_, _, ErrMode<ContextError>, _>("${")
        .parse_next(input)
        .is_ok_and(|found| found.is_some())
}

fn unreadable(text: &str, start: usize, at: usize) -> Error {
    let column = |offset: usize| text.get(..offset).map_or(offset, |before| before.chars().count()) + 1;
    Error::new(Code::ExpressionInvalid).with_detail(format!(
        "column {}: syntax error in the interpolation that starts at column {}; it can contain `value.name`, strings, `==`, `!=`, `&&`, `||`, `!`, parentheses and `condition ? one : other`",
        column(at),
        column(start)
    ))
}

fn space(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., char::is_whitespace).void().parse_next(input)
}

/// A tree without types. It is parsed in one pass at any depth of parentheses, and converted to a typed tree later.
enum Raw {
    Variable(String),
    Text(String),
    Constant(bool),
    Not(Box<Raw>),
    Both(&'static str, Box<Raw>, Box<Raw>),
    Choose(Box<Raw>, Box<Raw>, Box<Raw>),
}

impl Raw {
    fn text(self) -> Option<Expression> {
        match self {
            Raw::Variable(name) => Some(Expression::Variable(name)),
            Raw::Text(text) => Some(Expression::Text(text)),
            Raw::Choose(condition, one, other) => Some(Expression::Choose(
                Box::new(condition.condition()?),
                Box::new(one.text()?),
                Box::new(other.text()?),
            )),
            Raw::Constant(_) | Raw::Not(_) | Raw::Both(..) => None,
        }
    }

    fn condition(self) -> Option<Condition> {
        let both = |left: Box<Raw>, right: Box<Raw>| {
            Some((Box::new(left.condition()?), Box::new(right.condition()?)))
        };
        match self {
            Raw::Constant(value) => Some(Condition::Constant(value)),
            Raw::Not(inner) => Some(Condition::Not(Box::new(inner.condition()?))),
            Raw::Both("==", left, right) => Some(Condition::Equal(left.text()?, right.text()?)),
            Raw::Both("!=", left, right) => Some(Condition::Differ(left.text()?, right.text()?)),
            Raw::Both("&&", left, right) => {
                both(left, right).map(|(left, right)| Condition::And(left, right))
            }
            Raw::Both(_, left, right) => both(left, right).map(|(left, right)| Condition::Or(left, right)),
            Raw::Variable(_) | Raw::Text(_) | Raw::Choose(..) => None,
        }
    }
}

fn expression(input: &mut Input<'_>) -> Parsed<Expression> {
    choice.verify_map(Raw::text).parse_next(input)
}

fn choice(input: &mut Input<'_>) -> Parsed<Raw> {
    let condition = disjunction.parse_next(input)?;
    let mut branches = opt((
        preceded((space, '?', space), choice),
        preceded((space, ':', space), choice),
    ));
    Ok(match branches.parse_next(input)? {
        Some((one, other)) => Raw::Choose(Box::new(condition), Box::new(one), Box::new(other)),
        None => condition,
    })
}

fn disjunction(input: &mut Input<'_>) -> Parsed<Raw> {
    separated_foldl1(conjunction, delimited(space, "||", space), |left, _, right| {
        both("||", left, right)
    })
    .parse_next(input)
}

fn conjunction(input: &mut Input<'_>) -> Parsed<Raw> {
    separated_foldl1(comparison, delimited(space, "&&", space), |left, _, right| {
        both("&&", left, right)
    })
    .parse_next(input)
}

fn comparison(input: &mut Input<'_>) -> Parsed<Raw> {
    let left = term.parse_next(input)?;
    let operator = alt(("==".value("=="), "!=".value("!=")));
    let rest = opt((delimited(space, operator, space), term)).parse_next(input)?;
    Ok(match rest {
        Some((operator, right)) => both(operator, left, right),
        None => left,
    })
}

fn both(operator: &'static str, left: Raw, right: Raw) -> Raw {
    Raw::Both(operator, Box::new(left), Box::new(right))
}

fn term(input: &mut Input<'_>) -> Parsed<Raw> {
    // Negations are counted in a loop, so that a long series uses no stack.
    let mut negations = 0_usize;
    while opt(('!', space)).parse_next(input)?.is_some() {
        negations += 1;
    }
    let inner = alt((
        delimited(('(', space), choice, (space, ')')),
        string.map(Raw::Text),
        word,
    ))
    .parse_next(input)?;
    Ok(match negations {
        0 => inner,
        odd if odd % 2 == 1 => Raw::Not(Box::new(inner)),
        _ => Raw::Not(Box::new(Raw::Not(Box::new(inner)))),
    })
}

/// Parses `true`, `false`, or `value.` and a name of letters, digits, `_`, `-` and dots. So `a-1` is one name.
fn word(input: &mut Input<'_>) -> Parsed<Raw> {
    let first = |letter: char| letter.is_alphabetic() || letter == '_';
    let later = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let identifier = (one_of(first), take_while(0.., later)).take();
    let known = |word: &str| match word {
        "true" => Some(Raw::Constant(true)),
        "false" => Some(Raw::Constant(false)),
        name => name
            .strip_prefix("value.")
            .map(|name| Raw::Variable(name.to_owned())),
    };
    identifier.verify_map(known).parse_next(input)
}

fn string(input: &mut Input<'_>) -> Parsed<String> {
    let plain = take_while(0.., |letter: char| !matches!(letter, '"' | '\\' | '$' | '\n'));
    delimited('"', plain, '"').map(str::to_owned).parse_next(input)
}
