//! The functions of JMESPath on texts.
//!
//! They follow the community edition: some of them count bytes, a change of case maps one character to one character,
//! and numbers and JSON are read and written as in Go.

use std::collections::HashSet;
use std::fmt::Write;

use super::node::{Failure, Node, Outcome};

/// The maximum length of a text that a function creates. A short expression must not expand a token to gigabytes.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// Returns the text of an argument. The signature has already checked its type.
fn text_of<'n>(node: &'n Node<'_>) -> &'n str {
    node.as_text().unwrap_or_default()
}

/// Returns an integer as Go converts it on most machines: a number beyond 64 bits becomes the least integer.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is whole and within 64 bits"
)]
fn integer(node: &Node<'_>) -> Result<i64, Failure> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let number = node.as_number().unwrap_or_default();
    if number.floor() != number {
        return Err(Failure::Type);
    }
    Ok(if (-LIMIT..LIMIT).contains(&number) {
        number as i64
    } else {
        i64::MIN
    })
}

/// Returns a count or a width: a non-negative integer.
fn natural(node: &Node<'_>) -> Result<usize, Failure> {
    usize::try_from(integer(node)?).map_err(|_| Failure::Type)
}

pub(super) fn lower<'a>(text: &Node<'a>) -> Node<'a> {
    // One character (`İ`) has two lower-case characters. The first of them is its simple mapping.
    let lower = |letter: char| letter.to_lowercase().next().unwrap_or(letter);
    Node::text(text_of(text).chars().map(lower).collect::<String>())
}

pub(super) fn upper<'a>(text: &Node<'a>) -> Node<'a> {
    Node::text(text_of(text).chars().map(simple_upper).collect::<String>())
}

/// Returns Unicode's simple mapping to upper case. `to_uppercase` is the full mapping, which changes `ß` to `SS`.
fn simple_upper(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    if let (1, Some(upper)) = (upper.len(), upper.next()) {
        return upper;
    }
    let distance = match letter {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(letter) + distance).unwrap_or(letter)
}

pub(super) fn trim<'a>(text: &Node<'a>, set: &[Node<'a>], left: bool, right: bool) -> Node<'a> {
    let letters = set.first().map_or("", text_of);
    // Both texts may be long, so the letters are not searched for each letter.
    let letters: HashSet<char> = letters.chars().collect();
    let unwanted = |letter: char| {
        if letters.is_empty() {
            letter.is_whitespace()
        } else {
            letters.contains(&letter)
        }
    };
    let text = text_of(text);
    let text = if left {
        text.trim_start_matches(unwanted)
    } else {
        text
    };
    let text = if right {
        text.trim_end_matches(unwanted)
    } else {
        text
    };
    Node::text(text)
}

pub(super) fn split<'a>(text: &Node<'a>, separator: &Node<'a>, count: &[Node<'a>]) -> Outcome<'a> {
    let (text, separator) = (text_of(text), text_of(separator));
    if text.is_empty() {
        return Ok(Node::list(Vec::new()));
    }
    let parts = match count.first() {
        Some(count) => natural(count)?.saturating_add(1),
        None => usize::MAX,
    };
    if !separator.is_empty() {
        return Ok(Node::list(
            text.splitn(parts, separator).map(Node::text).collect(),
        ));
    }
    // An empty separator splits between all characters.
    let mut letters = text.chars();
    let mut items = Vec::new();
    while items.len() + 1 < parts {
        match letters.next() {
            Some(letter) => items.push(Node::text(letter.to_string())),
            None => break,
        }
    }
    if !letters.as_str().is_empty() {
        items.push(Node::text(letters.as_str()));
    }
    Ok(Node::list(items))
}

pub(super) fn join<'a>(separator: &Node<'a>, list: &Node<'a>) -> Outcome<'a> {
    let items: Vec<Node<'a>> = list.items().map_or_else(Vec::new, |items| items.iter().collect());
    let texts: Vec<&str> = items.iter().map(text_of).collect();
    let separator = text_of(separator);
    let separators = texts.len().saturating_sub(1).saturating_mul(separator.len());
    let length = texts.iter().map(|text| text.len()).sum::<usize>();
    if length.saturating_add(separators) > MAX_TEXT {
        return Err(Failure::End);
    }
    Ok(Node::text(texts.join(separator)))
}

pub(super) fn replace<'a>(
    text: &Node<'a>,
    old: &Node<'a>,
    new: &Node<'a>,
    count: &[Node<'a>],
) -> Outcome<'a> {
    let (text, old, new) = (text_of(text), text_of(old), text_of(new));
    let count = count.first().map_or(Ok(usize::MAX), natural)?;
    let found = text.matches(old).take(count).count();
    if text.len().saturating_add(found.saturating_mul(new.len())) > MAX_TEXT {
        return Err(Failure::End);
    }
    Ok(Node::text(text.replacen(old, new, count)))
}

/// Pads a text to a width in bytes, with a pad of at most one byte.
pub(super) fn pad<'a>(text: &Node<'a>, width: &Node<'a>, pad: &[Node<'a>], left: bool) -> Outcome<'a> {
    let text = text_of(text);
    let width = natural(width)?;
    let pad = pad.first().map_or(" ", text_of);
    if pad.len() > 1 {
        return Err(Failure::Type);
    }
    let missing = width.saturating_sub(text.len());
    if missing > MAX_TEXT && !pad.is_empty() {
        return Err(Failure::End);
    }
    let filling = pad.repeat(if pad.is_empty() { 0 } else { missing });
    Ok(Node::text(if left {
        filling + text
    } else {
        text.to_owned() + &filling
    }))
}

/// Returns the position of a part in bytes, between two edges.
pub(super) fn find<'a>(text: &Node<'a>, part: &Node<'a>, edges: &[Node<'a>], first: bool) -> Outcome<'a> {
    let (text, part) = (text_of(text), text_of(part));
    if text.is_empty() || part.is_empty() {
        return Ok(Node::Null);
    }
    let edge = |index: usize| edges.get(index).map(integer).transpose();
    let start = edge(0)?.map_or(0, |start| usize::try_from(start).unwrap_or_default());
    // In Go, a negative end or a start after the end causes a panic, which ends the request.
    let end = match edge(1)? {
        Some(end) => usize::try_from(end).map_err(|_| Failure::End)?.min(text.len()),
        None => text.len(),
    };
    if start > end {
        return Err(Failure::End);
    }
    // The part consists of whole characters, so an edge within a character can be moved inwards. Comparing bytes would
    // take a time that grows with the product of the lengths.
    let is_edge = |place: &usize| text.is_char_boundary(*place);
    let from = (start..=end).find(is_edge).unwrap_or(end);
    let to = (from..=end).rev().find(is_edge).unwrap_or(from);
    let within = text.get(from..to).unwrap_or_default();
    let place = if first {
        within.find(part)
    } else {
        within.rfind(part)
    };
    Ok(place.map_or(Node::Null, |place| Node::count(from + place)))
}

/// Reads a number: decimal or hexadecimal, with `_` between digits, an infinity, or NaN.
pub(super) fn to_number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.replace('_', "");
    if digits.len() != unsigned.len() && !underscores_are_between_digits(unsigned) {
        return None;
    }
    let lower = digits.to_ascii_lowercase();
    let number = match lower.strip_prefix("0x") {
        Some(hexadecimal) => hexadecimal_number(hexadecimal)?,
        None if matches!(lower.as_str(), "inf" | "infinity") && !unsigned.contains('_') => f64::INFINITY,
        None if lower == "nan" && text.len() == 3 => f64::NAN,
        None if lower.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.') => {
            // A number that is too large for a double is refused.
            lower.parse().ok().filter(|number: &f64| number.is_finite())?
        }
        None => return None,
    };
    Some(if text.starts_with('-') { -number } else { number })
}

/// Whether each `_` is between two digits, or between the prefix of a base and a digit.
fn underscores_are_between_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let prefixed = match bytes {
        [b'0', base, ..] => matches!(base.to_ascii_lowercase(), b'x' | b'o' | b'b'),
        _ => false,
    };
    let hexadecimal = prefixed && bytes.get(1).is_some_and(|base| base.eq_ignore_ascii_case(&b'x'));
    let digit = |place: Option<usize>| {
        let byte = place.and_then(|place| bytes.get(place));
        byte.is_some_and(|byte| byte.is_ascii_digit() || hexadecimal && byte.is_ascii_hexdigit())
    };
    let mut places = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    places.all(|(place, _)| (digit(place.checked_sub(1)) || prefixed && place == 2) && digit(Some(place + 1)))
}

/// Reads the text after `0x`: hexadecimal digits and a binary exponent.
fn hexadecimal_number(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if (whole.is_empty() && fraction.is_empty())
        || unsigned.is_empty()
        || !unsigned.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    // The first 100 bits are exact, which is enough for the 53 bits of a double and for rounding. The last bit is set
    // if a later digit is not zero.
    let (mut value, mut scale) = (0_u128, 0_i64);
    for (index, letter) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u128::from(letter.to_digit(16)?);
        if value >> 100 == 0 {
            value = value << 4 | digit;
        } else {
            value |= u128::from(digit != 0);
            scale += 4;
        }
        if index >= whole.len() {
            scale -= 4;
        }
    }
    // Of a larger exponent, only the sign has an effect.
    let written: i64 = unsigned
        .parse()
        .unwrap_or(i64::from(u32::MAX))
        .min(i64::from(u32::MAX));
    let exponent = scale
        + if exponent.starts_with('-') {
            -written
        } else {
            written
        };
    #[expect(clippy::cast_precision_loss, reason = "rounded to the nearest double")]
    let mut number = value as f64;
    if number == 0.0 {
        return Some(0.0);
    }
    let mut left = exponent.clamp(-4000, 4000);
    while left != 0 {
        let step = left.clamp(-512, 512);
        number *= 2_f64.powi(i32::try_from(step).unwrap_or_default());
        left -= step;
    }
    Some(number).filter(|number| number.is_finite())
}

/// Writes JSON as Go does, which also escapes the special characters of HTML.
///
/// # Errors
/// JSON has no references, no infinite numbers and no NaN.
pub(super) fn write(node: &Node<'_>, out: &mut String) -> Result<(), Failure> {
    match node {
        Node::Null => out.push_str("null"),
        Node::Bool(true) => out.push_str("true"),
        Node::Bool(false) => out.push_str("false"),
        Node::Number(number) => write_number(number.as_f64(), out)?,
        Node::Text(text) => write_text(text, out),
        Node::Array(_) | Node::List(_) => {
            let mut before = '[';
            for item in node
                .items()
                .iter()
                .flat_map(|items| items.iter().collect::<Vec<_>>())
            {
                out.push(before);
                before = ',';
                write(&item, out)?;
            }
            out.push_str(if before == '[' { "[]" } else { "]" });
        }
        Node::Object(_) | Node::Members(_) => {
            let mut before = '{';
            for (name, value) in node.sorted().unwrap_or_default() {
                out.push(before);
                before = ',';
                write_text(&name, out);
                out.push(':');
                write(&value, out)?;
            }
            out.push_str(if before == '{' { "{}" } else { "}" });
        }
        Node::Reference(_) => return Err(Failure::Type),
    }
    Ok(())
}

/// Writes the shortest digits that identify this double, with an exponent below 1e-6 and from 1e21.
fn write_number(number: f64, out: &mut String) -> Result<(), Failure> {
    if !number.is_finite() {
        return Err(Failure::Type);
    }
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        let _ = write!(out, "{number}");
    } else {
        let text = format!("{number:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                let _ = write!(out, "{digits}e+{exponent}");
            }
            _ => out.push_str(&text),
        }
    }
    Ok(())
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}
