//! The reader for every document, and the quick way through a usual one.
//!
//! The quick way reads objects, lists, texts without escapes and short integers itself, and leaves other numbers and texts to the
//! careful reader. It gives up a document without a reason; the careful reader then decides about it and finds the reason.
//! So it must never accept what the careful reader refuses, or read it in another way (`docs/decisions/0019-…`).

use std::borrow::Cow;

use super::line::ALL;
use super::parse::{MAX_DEPTH, MAX_VALUES, Malformed, TOP_MEMBERS, careful};
use super::{Number, Object, Value};

/// Reads one JSON document: names must be unique in each object, the depth is at most 64 levels, the number of values is
/// limited, and nothing may follow.
///
/// # Errors
/// [`Malformed`], which contains the reason and the position, but no content of the document.
pub fn parse(text: &str) -> Result<Value<'_>, Malformed> {
    parse_noting(text).map(|(value, _)| value)
}

/// Like [`parse`]. Also returns whether the document is known to have neither white space between its parts nor a
/// character beyond ASCII.
pub(crate) fn parse_noting(text: &str) -> Result<(Value<'_>, bool), Malformed> {
    read(text).map_or_else(|| careful(text).map(|value| (value, false)), Ok)
}

/// Reads a document. `None` if the careful reader must decide about it. Also returns whether the document has neither white
/// space between its parts nor a character beyond ASCII; it may also be false otherwise.
fn read(text: &str) -> Option<(Value<'_>, bool)> {
    let mut reader = Reader {
        text,
        at: 0,
        values: 0,
        has_white_space: false,
        bits: 0,
    };
    let mut value = Value::Null;
    reader.white_space();
    reader.value(&mut value, 0)?;
    reader.white_space();
    let is_compact = !reader.has_white_space && reader.bits & (ALL * 0x80) == 0;
    (reader.at == text.len()).then_some((value, is_compact))
}

struct Reader<'t> {
    text: &'t str,
    /// The position of the next byte.
    at: usize,
    /// The number of values so far.
    values: usize,
    has_white_space: bool,
    /// All bytes of the texts so far, with or.
    bits: u64,
}

impl<'t> Reader<'t> {
    /// Reads a value directly into its place. Moving values takes as long as reading them.
    fn value(&mut self, place: &mut Value<'t>, depth: usize) -> Option<()> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return None;
        }
        match self.peek()? {
            b'"' => match self.unescaped() {
                Some(text) => set(place, Value::String(Cow::Borrowed(text))),
                None => set(place, Value::String(Cow::Owned(self.escaped()?))),
            },
            b'{' => set(place, Value::Object(self.object(depth)?)),
            b'[' => set(place, Value::Array(self.array(depth)?)),
            b'0'..=b'9' | b'-' => set(place, Value::Number(self.number()?)),
            b't' => set(place, self.word("true", Value::Bool(true))?),
            b'f' => set(place, self.word("false", Value::Bool(false))?),
            b'n' => set(place, self.word("null", Value::Null)?),
            _ => return None,
        }
        Some(())
    }

    fn object(&mut self, depth: usize) -> Option<Object<'t>> {
        if depth >= MAX_DEPTH {
            return None;
        }
        self.at += 1;
        let mut object = Object::with_capacity(if depth == 0 { TOP_MEMBERS } else { 0 });
        if self.begins_with(b'}') {
            return Some(object);
        }
        let (mut marks, mut repeated) = (0, false);
        loop {
            if self.peek()? != b'"' {
                return None;
            }
            match self.unescaped() {
                Some(name) => {
                    repeated |= object.repeats(name, &mut marks);
                    object.begin(name);
                }
                None => {
                    let name = self.escaped()?;
                    repeated |= object.repeats(&name, &mut marks);
                    object.0.push((Cow::Owned(name), Value::Null));
                }
            }
            self.expect(b':')?;
            self.white_space();
            let (_, value) = object.0.last_mut()?;
            self.value(value, depth + 1)?;
            if !self.goes_on(b'}')? {
                break;
            }
        }
        let is_unique = !repeated && object.has_unique_names();
        is_unique.then_some(object)
    }

    fn array(&mut self, depth: usize) -> Option<Vec<Value<'t>>> {
        if depth >= MAX_DEPTH {
            return None;
        }
        self.at += 1;
        if self.begins_with(b']') {
            return Some(Vec::new());
        }
        let mut items = Vec::with_capacity(FEW_ITEMS);
        loop {
            items.push(Value::Null);
            self.value(items.last_mut()?, depth + 1)?;
            if !self.goes_on(b']')? {
                return Some(items);
            }
        }
    }

    /// Skips white space, and the end of an empty list or object.
    fn begins_with(&mut self, end: u8) -> bool {
        self.white_space();
        let is_empty = self.peek() == Some(end);
        self.at += usize::from(is_empty);
        is_empty
    }

    /// Whether a comma follows a value, and not the end of its list or object.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        self.white_space();
        let next = self.peek()?;
        self.at += 1;
        if next == b',' {
            self.white_space();
            return Some(true);
        }
        (next == end).then_some(false)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.white_space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    // Inlined, because comparing with a text of known length needs no call.
    #[inline]
    fn word(&mut self, word: &str, value: Value<'t>) -> Option<Value<'t>> {
        let rest = self.text.as_bytes().get(self.at..)?;
        rest.starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            value
        })
    }

    /// Reads a text without escapes. `None` if it is another one.
    #[inline]
    fn unescaped(&mut self) -> Option<&'t str> {
        let first = self.at + 1;
        let end = self.special(first)?;
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        self.text.get(first..end)
    }

    /// Reads a text with escapes. `None` if it is invalid.
    #[cold]
    fn escaped(&mut self) -> Option<String> {
        let mut end = self.special(self.at + 1)?;
        // The byte after a backslash does not end the text.
        while self.text.as_bytes().get(end) == Some(&b'\\') {
            end = self.special(end + 2)?;
        }
        let whole = self.text.get(self.at..=end)?;
        self.at = end + 1;
        match careful(whole) {
            Ok(Value::String(text)) => Some(text.into_owned()),
            _ => None,
        }
    }

    /// Returns the position of the first quote, backslash or control character, from this position on.
    #[inline]
    fn special(&mut self, from: usize) -> Option<usize> {
        let mut at = from;
        let mut rest = self.text.as_bytes().get(from..)?;
        while let Some((word, more)) = rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*word);
            self.bits |= word;
            let (quote, slash) = (word ^ (ALL * 0x22), word ^ (ALL * 0x5c));
            // The lowest of these bits belongs to the first such byte; a borrow can set only higher ones.
            let found = (quote.wrapping_sub(ALL) & !quote)
                | (slash.wrapping_sub(ALL) & !slash)
                | (word.wrapping_sub(ALL * 0x20) & !word);
            let found = found & (ALL * 0x80);
            if found != 0 {
                return Some(at + found.trailing_zeros() as usize / 8);
            }
            (at, rest) = (at + 8, more);
        }
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
        self.bits |= rest.iter().fold(0, |bits, byte| bits | u64::from(*byte));
        rest.iter().position(is_special).map(|place| at + place)
    }

    fn number(&mut self) -> Option<Number> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let digits = rest.iter().take(MAX_DIGITS).take_while(|byte| is_digit(byte));
        let (mut count, mut number) = (0, 0_u64);
        for digit in digits {
            number = number * 10 + u64::from(digit - b'0');
            count += 1;
        }
        let is_part = |byte: &u8| is_digit(byte) || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
        let is_short = count > 0 && !rest.get(count).is_some_and(is_part);
        if is_short && (count == 1 || rest.first() != Some(&b'0')) {
            self.at += count;
            return Some(Number::Unsigned(number));
        }
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        let whole = self.text.get(self.at..self.at + length)?;
        self.at += length;
        match careful(whole) {
            Ok(Value::Number(number)) => Some(number),
            _ => None,
        }
    }

    #[inline]
    fn white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.has_white_space = true;
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// Writes a value to a place that has none yet, so there is nothing to drop.
#[inline]
fn set<'t>(place: &mut Value<'t>, value: Value<'t>) {
    std::mem::forget(std::mem::replace(place, value));
}

impl<'t> Object<'t> {
    /// Adds a member without a value. `push` would write the member to the stack first, and then wait for it.
    #[inline]
    fn begin(&mut self, name: &'t str) {
        self.0
            .resize_with(self.0.len() + 1, || (Cow::Borrowed(""), Value::Null));
        if let Some((place, _)) = self.0.last_mut() {
            *place = Cow::Borrowed(name);
        }
    }
}

/// The initial capacity for the elements of a list. With the usual four, most lists of groups would be copied.
const FEW_ITEMS: usize = 8;

/// Integers of this many digits are below 2^64.
const MAX_DIGITS: usize = 18;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::line::on_one_line;
    use super::*;

    /// The same value, with the same members in the same order. Doubles are compared by their bits.
    fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
        format!("{one:?}") == format!("{other:?}")
    }

    fn agrees(text: &str) {
        if let Some((value, is_compact)) = read(text) {
            let careful = careful(text).unwrap_or_else(|why| panic!("{why}: {text}"));
            assert!(same(&value, &careful), "{text}");
            assert!(!is_compact || on_one_line(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_usual_document_is_read() {
        for text in [
            r#"{"iss":"https://id.example.com","aud":["api","account"],"exp":4102444800,"ok":true,"no":false,"x":null,"o":{}}"#,
            " [ 1 , 0 , -1 , 1.5 , 1e3 , 12345678901234567890 , 18446744073709551616 , -0 ] \n",
            r#"["a\"b\\", "\u00e9\/", "é", "", {"a\u0062":[]}]"#,
            "123456789012345678",
            "\"text\"",
        ] {
            assert!(read(text).is_some(), "{text}");
            agrees(text);
        }
    }

    #[test]
    fn what_the_careful_reader_refuses_is_not_read() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(read(&deep(MAX_DEPTH)).is_some() && read(&deep(MAX_DEPTH + 1)).is_none());
        let many = |count: usize| format!("[{}1]", "1,".repeat(count - 1));
        assert!(read(&many(MAX_VALUES - 1)).is_some() && read(&many(MAX_VALUES)).is_none());
        let names = |last: &str| {
            let names: Vec<String> = (0..40).map(|name| format!("\"n{name}\":1")).collect();
            format!("{{{},\"{last}\":1}}", names.join(","))
        };
        assert!(read(&names("m")).is_some() && read(&names("n3")).is_none());
        for text in [
            "",
            " ",
            "{",
            "}",
            "[",
            "]",
            "{}{}",
            "{} x",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{,}",
            "{\"a\"}",
            "{\"a\" 1}",
            "{a:1}",
            "{1:1}",
            "{\"a\":1,\"a\":2}",
            r#"{"a":1,"\u0061":2}"#,
            "01",
            "-",
            "-01",
            "1.",
            ".5",
            "1e",
            "+1",
            "1e999",
            "tru",
            "truex",
            "nul",
            "\"a",
            "\"\\",
            "\"\\\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"a\nb\"",
            "\"\u{1}\"",
            "\u{feff}{}",
            "{}\u{b}",
            "[1 2]",
            "[\"a\"\"b\"]",
            "{\"a\":1\"b\":2}",
            "[1}",
            "{\"a\":1]",
        ] {
            assert!(read(text).is_none(), "{text}");
            assert!(careful(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_quote_is_found_at_every_position() {
        for length in 0..40 {
            for special in ["\"", "\\\"\"", "é\"", "\u{7f}\"", "!\"", "\u{1f}\""] {
                let text = format!("[\"{}{special}]", "x".repeat(length));
                agrees(&text);
                assert_eq!(read(&text).is_some(), !special.starts_with('\u{1f}'), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_careful_reader(text in r#"([\[\]{}:,"\\ 0-9a-b.eE+-]|\\"|\\u00e9|"[a-c]{0,9}"|true|null|é|\n|\u{2028}|\{"a":){0,30}"#) {
            agrees(&text);
        }

        #[test]
        fn it_agrees_about_documents_with_one_change(
            place in 0_usize..200,
            with in r#"[\[\]{}:,"\\ 0-9tfn.eE+-]|\n|é|\u{85}|"#,
        ) {
            let text = r#"{"iss":"https://id.example.com","aud":["api","a\"b"],"exp":4102444800,"x":-1.5e3,"o":{"iss":[true,null,{}]}}"#;
            let (Some(before), Some(after)) = (text.get(..place), text.get(place + 1..)) else { return Ok(()) };
            let changed = format!("{before}{with}{after}");
            agrees(&changed);
            // The quick way is the usual one: it reads all that the careful reader accepts.
            prop_assert_eq!(read(&changed).is_some(), careful(&changed).is_ok(), "{}", changed);
        }
    }
}
