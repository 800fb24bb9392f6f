//! Limits for the length and the nesting of an expression.

use crate::error::{Code, Error, Result};

/// The maximum length of an expression, in bytes.
pub(super) const MAX_LENGTH: usize = 4 * 1024;
/// The maximum nesting depth of brackets.
pub(super) const MAX_NESTING: usize = 50;

/// Refuses an expression that is too long, or whose brackets are nested too deeply, before a parser recurses on it.
///
/// Brackets between two equal quotes are not counted.
pub(super) fn check(text: &str, open: char, close: char, quotes: &[char]) -> Result<()> {
    let refuse = |problem: String| Err(Error::new(Code::ExpressionInvalid).with_detail(problem));
    if text.len() > MAX_LENGTH {
        return refuse(format!("the expression is longer than {MAX_LENGTH} bytes"));
    }
    let (mut depth, mut within) = (0_usize, None);
    for letter in text.chars() {
        match within {
            Some(quote) if letter == quote => within = None,
            Some(_) => {}
            None if quotes.contains(&letter) => within = Some(letter),
            None if letter == open => depth += 1,
            None if letter == close => depth = depth.saturating_sub(1),
            None => {}
        }
        if depth > MAX_NESTING {
            return refuse(format!("the expression is nested deeper than {MAX_NESTING}"));
        }
    }
    Ok(())
}
