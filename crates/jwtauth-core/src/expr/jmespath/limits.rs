//! Limits for the stack that an expression needs.
//!
//! The crate's parser, its interpreter and the drop of its tree recurse without a limit, so a text is measured before
//! it is parsed. The measure follows the crate's lexer: text in quotes and backticks contains no operators. It may
//! overestimate, but never underestimates.

use crate::error::{Code, Error, Result};

/// Checks that an expression can be parsed, evaluated and dropped on a small stack.
///
/// # Errors
/// [`Code::ExpressionInvalid`].
pub(super) fn check(text: &str) -> Result<()> {
    let refused = |why: String| Err(Error::new(Code::ExpressionInvalid).with_detail(why));
    if text.len() > MAX_LENGTH {
        return refused("the expression is longer than 4 KiB".to_owned());
    }
    match Measure::of(text) {
        measure if measure.nesting > MAX_NESTING => {
            refused(format!("the expression is nested deeper than {MAX_NESTING}"))
        }
        measure if measure.stack > MAX_STACK => refused(
            "the expression chains too many operators; split it, or use `contains` with a list".to_owned(),
        ),
        measure if measure.digits > MAX_DIGITS => refused(format!(
            "a number in the expression has more than {MAX_DIGITS} digits"
        )),
        _ => Ok(()),
    }
}

/// An upper bound of the stack that an expression needs.
#[derive(Debug, Default)]
struct Measure {
    /// The nesting depth of brackets, including consecutive prefix operators.
    nesting: usize,
    /// The stack in units of 128 bytes, as for [`OPERATOR`].
    stack: usize,
    /// The number of digits of the longest number.
    digits: usize,
}

/// The operators between two brackets, or outside all brackets.
///
/// Operators with the same precedence form a chain, whose depth is its length. An operator with a lower precedence
/// starts new chains for all higher precedences, and its chain adds to the longest of each of these. A comma and a
/// colon start new chains for all precedences.
#[derive(Default)]
struct Level {
    running: [usize; CLASSES],
    longest: [usize; CLASSES],
    /// Prefix operators since the last operand.
    prefixes: usize,
    /// The number of brackets and prefix operators around this level.
    around: usize,
    /// The depth of the deepest level inside this one.
    inner: usize,
}

impl Level {
    fn operator(&mut self, class: usize, weight: usize) {
        for tighter in self.running.iter_mut().skip(class + 1) {
            *tighter = 0;
        }
        if let (Some(running), Some(longest)) = (self.running.get_mut(class), self.longest.get_mut(class)) {
            *running += weight;
            *longest = (*longest).max(*running);
        }
        self.prefixes = 0;
    }

    fn separator(&mut self) {
        self.running = [0; CLASSES];
        self.prefixes = 0;
    }

    fn depth(&self) -> usize {
        self.longest.iter().sum::<usize>() + self.inner
    }
}

impl Measure {
    fn of(text: &str) -> Measure {
        let mut measure = Measure::default();
        let mut level = Level::default();
        let mut outer: Vec<Level> = Vec::new();
        let mut bytes = text.bytes().peekable();
        let mut digits = 0;
        while let Some(byte) = bytes.next() {
            digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
            measure.digits = measure.digits.max(digits);
            match byte {
                b'"' | b'\'' | b'`' => {
                    let inside = skip_quoted(&mut bytes, byte);
                    measure.nesting = measure.nesting.max(inside);
                    level.prefixes = 0;
                }
                b'|' if bytes.next_if_eq(&b'|').is_some() => level.operator(OR, OPERATOR),
                b'|' => level.operator(PIPE, OPERATOR),
                b'&' if bytes.next_if_eq(&b'&').is_some() => level.operator(AND, OPERATOR),
                b'!' if bytes.next_if_eq(&b'=').is_some() => level.operator(COMPARISON, OPERATOR),
                b'=' | b'<' | b'>' => {
                    let _ = bytes.next_if_eq(&b'=');
                    level.operator(COMPARISON, OPERATOR);
                }
                b'!' | b'&' => {
                    let prefixes = level.prefixes + 1;
                    level.operator(POSTFIX, PREFIX);
                    level.prefixes = prefixes;
                    measure.nesting = measure.nesting.max(level.around + prefixes);
                }
                b'.' => level.operator(POSTFIX, OPERATOR),
                b'*' => level.operator(POSTFIX, PROJECTION),
                b',' | b':' => level.separator(),
                b'(' | b'[' | b'{' => {
                    let around = level.around + level.prefixes + 1;
                    level.operator(POSTFIX, PROJECTION);
                    measure.nesting = measure.nesting.max(around);
                    outer.push(std::mem::replace(
                        &mut level,
                        Level {
                            around,
                            ..Level::default()
                        },
                    ));
                }
                b')' | b']' | b'}' => {
                    // The parser refuses a closing bracket without an opening one.
                    if let Some(around) = outer.pop() {
                        let inner = std::mem::replace(&mut level, around).depth();
                        level.inner = level.inner.max(inner);
                    }
                }
                byte if byte.is_ascii_whitespace() => {}
                _ => level.prefixes = 0,
            }
        }
        while let Some(around) = outer.pop() {
            let inner = std::mem::replace(&mut level, around).depth();
            level.inner = level.inner.max(inner);
        }
        measure.stack = level.depth();
        measure
    }
}

/// Skips to the end of a quoted text. Returns the nesting depth of brackets between backticks, which contain JSON.
fn skip_quoted(bytes: &mut impl Iterator<Item = u8>, quote: u8) -> usize {
    let (mut depth, mut deepest, mut in_string) = (0_usize, 0, false);
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            byte if byte == quote => break,
            b'"' => in_string = !in_string,
            b'[' | b'{' if quote == b'`' && !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

const MAX_LENGTH: usize = 4 * 1024;
const MAX_NESTING: usize = 50;

/// The maximum number of digits in a number. The crate has 32-bit indices and adds steps without overflow checks.
const MAX_DIGITS: usize = 9;

// The precedences of operators, from the lowest to the highest.
const PIPE: usize = 0;
const OR: usize = 1;
const AND: usize = 2;
const COMPARISON: usize = 3;
const POSTFIX: usize = 4;
const CLASSES: usize = 5;

// The stack for each kind of operator in units of 128 bytes: the maximum of parsing, evaluating and dropping in an
// optimised build of the crate, plus more than a quarter. The limit is 100 KiB in total, so that an authentication fits
// into a thread with 128 KiB, the smallest stack in common use.
const OPERATOR: usize = 5;
const PREFIX: usize = 7;
const PROJECTION: usize = 16;
const MAX_STACK: usize = 50 * PROJECTION;
