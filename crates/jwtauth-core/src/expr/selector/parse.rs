//! The grammar of selectors.

use std::cell::RefCell;

use winnow::Stateful;
use winnow::ascii::digit1;
use winnow::combinator::{alt, cut_err, delimited, eof, fail, opt, peek, separated, terminated};
use winnow::error::{ContextError, ErrMode};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location as _};
use winnow::token::{one_of, take_till, take_while};

use super::regex::Pattern;
use super::tree::{Expression, Operand, Test};
use crate::error::{Code, Error, Result};
use crate::expr::limits;

/// Parses a whole selector.
pub(super) fn selector(text: &str) -> Result<Expression> {
    limits::check(text, '(', ')', &['"', '`'])?;
    let farthest = Farthest::default();
    let input = Stateful {
        input: LocatingSlice::new(text),
        state: &farthest,
    };
    let mut whole = terminated(delimited(opt(space), disjunction, opt(space)), ended);
    whole.parse(input).map_err(|_| farthest.error(text))
}

type Input<'i> = Stateful<LocatingSlice<&'i str>, &'i Farthest>;
type Parsed<T> = winnow::Result<T, ErrMode<ContextError>>;

/// The farthest position at which expected syntax was missing, and what was expected there. This is the most useful
/// information about a text that does not parse.
#[derive(Debug, Default)]
struct Farthest(RefCell<(usize, Vec<String>)>);

impl Farthest {
    fn wanted(&self, at: usize, what: &str) {
        let mut farthest = self.0.borrow_mut();
        if at > farthest.0 {
            *farthest = (at, Vec::new());
        }
        if at == farthest.0 && !farthest.1.iter().any(|known| known == what) {
            farthest.1.push(what.to_owned());
        }
    }

    fn error(&self, text: &str) -> Error {
        let (at, wanted) = &*self.0.borrow();
        let column = text.get(..*at).map_or(*at, |before| before.chars().count()) + 1;
        let is_single_quote = text.get(*at..).is_some_and(|rest| rest.starts_with('\''));
        let wanted = if is_single_quote {
            "a string in double quotes or back quotes, not in single quotes".to_owned()
        } else {
            wanted.join(" or ")
        };
        Error::new(Code::ExpressionInvalid).with_detail(format!("column {column}: expected {wanted}"))
    }
}

/// Records `what` as expected at this position if the parser fails.
fn wanted<'i, T>(
    what: &'static str,
    mut parser: impl Parser<Input<'i>, T, ErrMode<ContextError>>,
) -> impl Parser<Input<'i>, T, ErrMode<ContextError>> {
    move |input: &mut Input<'i>| {
        let at = input.current_token_start();
        parser
            .parse_next(input)
            .inspect_err(|_| input.state.wanted(at, what))
    }
}

/// Ends the parsing with an error, without trying alternatives.
fn refuse<T>(input: &Input<'_>, at: usize, what: &str) -> Parsed<T> {
    let farthest = input.state;
    *farthest.0.borrow_mut() = (at, vec![what.to_owned()]);
    Err(ErrMode::Cut(ContextError::new()))
}

fn space(input: &mut Input<'_>) -> Parsed<()> {
    wanted("white space", take_while(1.., [' ', '\t', '\r', '\n']))
        .void()
        .parse_next(input)
}

fn ended(input: &mut Input<'_>) -> Parsed<()> {
    wanted("the end of the expression", eof).void().parse_next(input)
}

fn word<'i>(text: &'static str) -> impl Parser<Input<'i>, &'i str, ErrMode<ContextError>> {
    wanted(
        QUOTED
            .iter()
            .find(|(word, _)| *word == text)
            .map_or(text, |(_, quoted)| *quoted),
        text,
    )
}

/// The words of the language, and their form in error texts.
const QUOTED: [(&str, &str); 12] = [
    ("or", "`or`"),
    ("and", "`and`"),
    ("not", "`not`"),
    ("==", "`==`"),
    ("!=", "`!=`"),
    ("contains", "`contains`"),
    ("matches", "`matches`"),
    ("is", "`is`"),
    ("empty", "`empty`"),
    ("in", "`in`"),
    ("(", "`(`"),
    (")", "`)`"),
];

fn disjunction(input: &mut Input<'_>) -> Parsed<Expression> {
    let any: Vec<Expression> = separated(1.., conjunction, (space, word("or"), space)).parse_next(input)?;
    Ok(one_or(any, Expression::Or))
}

fn conjunction(input: &mut Input<'_>) -> Parsed<Expression> {
    let all: Vec<Expression> = separated(1.., negation, (space, word("and"), space)).parse_next(input)?;
    Ok(one_or(all, Expression::And))
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.len(), parts.pop()) {
        (1, Some(one)) => one,
        (_, Some(last)) => {
            parts.push(last);
            many(parts)
        }
        (_, None) => many(parts),
    }
}

/// Parses any number of `not`, in a loop so that a long series uses no stack. The last one may be a plain word, as in
/// `not in list.groups`.
fn negation(input: &mut Input<'_>) -> Parsed<Expression> {
    let mut starts = vec![input.checkpoint()];
    while opt((word("not"), space)).parse_next(input)?.is_some() {
        starts.push(input.checkpoint());
    }
    while let Some(start) = starts.pop() {
        input.reset(&start);
        match group(input) {
            Ok(inner) => {
                if starts.len() > MAX_NEGATIONS {
                    return refuse(input, 0, "at most 50 `not` in a row");
                }
                // Two negations cancel each other.
                return Ok(if starts.len() % 2 == 1 {
                    Expression::Not(Box::new(inner))
                } else {
                    inner
                });
            }
            Err(ErrMode::Backtrack(_)) => {}
            Err(other) => return Err(other),
        }
    }
    fail.parse_next(input)
}

const MAX_NEGATIONS: usize = 50;

fn group(input: &mut Input<'_>) -> Parsed<Expression> {
    if opt(word("(")).parse_next(input)?.is_some() {
        return cut_err(delimited(opt(space), disjunction, (opt(space), word(")")))).parse_next(input);
    }
    comparison(input)
}

/// A test as written, before it is checked whether the operand supports it.
enum RawTest {
    Equals(String),
    Differs(String),
    Contains(String),
    Lacks(String),
    Empty,
    NotEmpty,
    Matches(String),
    NotMatches(String),
}

/// Parses a comparison. It is not inlined into the recursive functions, so that the deepest parentheses fit into a
/// stack of 128 KiB.
#[inline(never)]
fn comparison(input: &mut Input<'_>) -> Parsed<Expression> {
    let start = input.current_token_start();
    let (path, test) = alt((selector_first, value_first)).parse_next(input)?;
    typed(input, start, &path, test)
}

fn selector_first(input: &mut Input<'_>) -> Parsed<(Vec<String>, RawTest)> {
    let path = path.parse_next(input)?;
    let negated = |input: &mut Input<'_>| {
        opt((word("not"), space))
            .map(|not| not.is_some())
            .parse_next(input)
    };
    let equality = (
        delimited(opt(space), alt((word("=="), word("!="))), opt(space)),
        value,
    )
        .map(|(operator, text)| {
            if operator == "==" {
                RawTest::Equals(text)
            } else {
                RawTest::Differs(text)
            }
        });
    let containment = (delimited(space, negated, (word("contains"), space)), value).map(|(not, text)| {
        if not {
            RawTest::Lacks(text)
        } else {
            RawTest::Contains(text)
        }
    });
    let matching = (delimited(space, negated, (word("matches"), space)), value).map(|(not, text)| {
        if not {
            RawTest::NotMatches(text)
        } else {
            RawTest::Matches(text)
        }
    });
    let emptiness = delimited((space, word("is"), space), negated, word("empty"))
        .map(|not| if not { RawTest::NotEmpty } else { RawTest::Empty });
    let test = alt((equality, containment, matching, emptiness)).parse_next(input)?;
    Ok((path, test))
}

fn value_first(input: &mut Input<'_>) -> Parsed<(Vec<String>, RawTest)> {
    let text = value.parse_next(input)?;
    let not = delimited(space, opt((word("not"), space)), (word("in"), space))
        .parse_next(input)?
        .is_some();
    let path = cut_err(wanted("`value…` or `list…`", path)).parse_next(input)?;
    Ok((
        path,
        if not {
            RawTest::Lacks(text)
        } else {
            RawTest::Contains(text)
        },
    ))
}

/// Checks that the operand exists and supports the test.
fn typed(input: &Input<'_>, start: usize, path: &[String], test: RawTest) -> Parsed<Expression> {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let operand = match parts.as_slice() {
        ["value"] => Operand::ValueNames,
        ["list"] => Operand::ListNames,
        ["value", name] => Operand::Value((*name).to_owned()),
        ["list", name] => Operand::List((*name).to_owned()),
        _ => return refuse(input, start, "`value`, `list`, `value.name` or `list.name`"),
    };
    let compiled = |text: String| match Pattern::parse(&text) {
        Ok(pattern) => Ok(pattern),
        Err(why) => refuse(input, start, &format!("a valid regular expression ({why})")),
    };
    let test = match test {
        RawTest::Equals(text) => Test::Equals(text),
        RawTest::Differs(text) => Test::Differs(text),
        RawTest::Contains(text) => Test::Contains(text),
        RawTest::Lacks(text) => Test::Lacks(text),
        RawTest::Empty => Test::Empty,
        RawTest::NotEmpty => Test::NotEmpty,
        RawTest::Matches(text) => Test::Matches(compiled(text)?),
        RawTest::NotMatches(text) => Test::NotMatches(compiled(text)?),
    };
    match (&operand, &test) {
        (Operand::Value(_), Test::Empty | Test::NotEmpty) => refuse(
            input,
            start,
            "a list before `is empty`; a value is empty when it `== \"\"`",
        ),
        (Operand::Value(_), _) | (_, Test::Contains(_) | Test::Lacks(_) | Test::Empty | Test::NotEmpty) => {
            Ok(Expression::Match(operand, test))
        }
        _ => refuse(
            input,
            start,
            "one value before `==`, `!=` and `matches`, not a list",
        ),
    }
}

/// Parses `name`, `name.name` or `name["any text"]`.
fn path(input: &mut Input<'_>) -> Parsed<Vec<String>> {
    let mut parts = vec![wanted("a name", identifier).parse_next(input)?.to_owned()];
    loop {
        if opt('.').parse_next(input)?.is_some() {
            parts.push(wanted("a name", identifier).parse_next(input)?.to_owned());
        } else if opt('[').parse_next(input)?.is_some() {
            let index = delimited(
                opt(space),
                wanted("a string", string),
                (opt(space), wanted("`]`", ']')),
            );
            parts.push(cut_err(index).parse_next(input)?);
        } else {
            return Ok(parts);
        }
    }
}

fn identifier<'i>(input: &mut Input<'i>) -> Parsed<&'i str> {
    (
        one_of(|letter: char| letter.is_ascii_alphabetic()),
        take_while(0.., |letter: char| {
            letter.is_ascii_alphanumeric() || letter == '_'
        }),
    )
        .take()
        .parse_next(input)
}

/// Parses a literal: a word or dotted name, a number, or a string. All are texts.
fn value(input: &mut Input<'_>) -> Parsed<String> {
    alt((
        path.map(|parts| parts.join(".")),
        number,
        wanted("a value", string),
    ))
    .parse_next(input)
}

fn number(input: &mut Input<'_>) -> Parsed<String> {
    let start = input.current_token_start();
    if peek(opt((opt('-'), one_of('0'..='9'))))
        .parse_next(input)?
        .is_none()
    {
        return fail.parse_next(input);
    }
    let integer = alt(("0", (one_of('1'..='9'), take_while(0.., '0'..='9')).take()));
    let literal = (opt('-'), integer, opt(('.', digit1))).take();
    let bounded = terminated(literal, peek(alt((space, eof.void(), ')'.void()))));
    let bounded: Parsed<&str> = { bounded }.parse_next(input);
    bounded
        .map(str::to_owned)
        .or_else(|_| refuse(input, start, "a number such as 7, -7 or 0.5, or a string"))
}

fn string(input: &mut Input<'_>) -> Parsed<String> {
    alt((raw_string, quoted_string)).parse_next(input)
}

/// Parses a string in back quotes. Its content is unchanged, except that carriage returns are removed.
fn raw_string(input: &mut Input<'_>) -> Parsed<String> {
    let start = input.current_token_start();
    '`'.parse_next(input)?;
    let content = take_till(0.., '`').parse_next(input)?;
    if opt('`').parse_next(input)?.is_none() {
        return refuse(input, start, "a closing back quote");
    }
    Ok(content.replace('\r', ""))
}

/// Parses a string in double quotes. It may contain Go's escapes, but no line break and no quote, not even after a
/// backslash.
fn quoted_string(input: &mut Input<'_>) -> Parsed<String> {
    let start = input.current_token_start();
    '"'.parse_next(input)?;
    let content = take_till(0.., '"').parse_next(input)?;
    if opt('"').parse_next(input)?.is_none() {
        return refuse(input, start, "a closing double quote");
    }
    match unescape(content) {
        Some(text) => Ok(text),
        None => refuse(input, start, "a string with Go's escapes and without line breaks"),
    }
}

/// Decodes Go's escapes. Returns `None` for an unknown escape, a line break, or bytes that are not UTF-8.
fn unescape(content: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(content.len());
    let mut letters = content.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\n' => return None,
            '\\' => match letters.next()? {
                'a' => bytes.push(0x07),
                'b' => bytes.push(0x08),
                'f' => bytes.push(0x0c),
                'n' => bytes.push(b'\n'),
                'r' => bytes.push(b'\r'),
                't' => bytes.push(b'\t'),
                'v' => bytes.push(0x0b),
                '\\' => bytes.push(b'\\'),
                'x' => bytes.push(u8::try_from(digits(&mut letters, 2, 16, 0)?).ok()?),
                'u' => push(&mut bytes, char::from_u32(digits(&mut letters, 4, 16, 0)?)?),
                'U' => push(&mut bytes, char::from_u32(digits(&mut letters, 8, 16, 0)?)?),
                octal @ '0'..='7' => {
                    bytes.push(u8::try_from(digits(&mut letters, 2, 8, octal.to_digit(8)?)?).ok()?);
                }
                _ => return None,
            },
            letter => push(&mut bytes, letter),
        }
    }
    String::from_utf8(bytes).ok()
}

fn push(bytes: &mut Vec<u8>, letter: char) {
    bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Reads exactly `count` digits and appends them to the number `before`.
fn digits(letters: &mut std::str::Chars<'_>, count: u32, radix: u32, before: u32) -> Option<u32> {
    (0..count).try_fold(before, |number, _| {
        let digit = letters.next()?.to_digit(radix)?;
        number.checked_mul(radix)?.checked_add(digit)
    })
}
