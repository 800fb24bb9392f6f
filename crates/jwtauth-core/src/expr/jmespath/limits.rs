//! How deep may an expression be?
//!
//! The crate's parser, its interpreter and the drop of its tree recurse without a limit of their own, so a text is
//! measured before it is parsed. The measure follows the crate's lexer: what stands in quotes and backticks is no
//! operator. It may overestimate; it never underestimates.

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

/// What an expression asks of the stack, at most.
#[derive(Debug, Default)]
struct Measure {
    /// Brackets in brackets, and prefix operators in a row.
    nesting: usize,
    /// Stack, in units of [`OPERATOR`] and its like.
    stack: usize,
    /// The digits of the longest number.
    digits: usize,
}

/// What was met between two brackets, or outside of any.
///
/// Operators that bind equally make a chain as deep as it is long. One that binds less tightly starts the chains of
/// all that bind more tightly anew, and its own chain is on top of the longest of theirs; so do a comma and a colon.
#[derive(Default)]
struct Level {
    running: [usize; CLASSES],
    longest: [usize; CLASSES],
    /// Prefix operators since the last operand.
    prefixes: usize,
    /// How many brackets and prefix operators stand around it.
    around: usize,
    /// The deepest level that this one holds.
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
                    // One bracket too many is the parser's to refuse.
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

/// Skips to behind the closing quote; says how deep brackets nest between backticks, where JSON stands.
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

/// The crate holds indices in 32 bits and adds steps to them unchecked.
const MAX_DIGITS: usize = 9;

/// Operators from the loosest to the tightest.
const PIPE: usize = 0;
const OR: usize = 1;
const AND: usize = 2;
const COMPARISON: usize = 3;
const POSTFIX: usize = 4;
const CLASSES: usize = 5;

// Stack in units of 128 bytes, by the greater of what parsing, evaluating and dropping take of an optimised build of
// the crate, and a good quarter more. All together stays within 100 KiB, so that an authentication fits a thread of
// 128 KiB, the smallest that is in common use.
const OPERATOR: usize = 5;
const PREFIX: usize = 7;
const PROJECTION: usize = 16;
const MAX_STACK: usize = 50 * PROJECTION;
