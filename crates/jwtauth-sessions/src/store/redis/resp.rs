//! The protocol of Redis (RESP2): commands are written, replies are read.

use std::io::{self, BufRead, Error, ErrorKind};

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Nil,
    Integer(i64),
    /// A text of any kind.
    Bytes(Vec<u8>),
    List(Vec<Value>),
    /// The first word of an error. The rest is not kept: it may contain a part of the command.
    Refused(String),
}

/// Adds a command to a buffer.
pub(super) fn write(buffer: &mut Vec<u8>, parts: &[&[u8]]) {
    buffer.extend_from_slice(format!("*{}\r\n", parts.len()).as_bytes());
    for part in parts {
        buffer.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
        buffer.extend_from_slice(part);
        buffer.extend_from_slice(b"\r\n");
    }
}

/// Reads a reply.
pub(super) fn read(from: &mut impl BufRead) -> io::Result<Value> {
    read_at(from, 0)
}

fn read_at(from: &mut impl BufRead, depth: usize) -> io::Result<Value> {
    let line = line(from)?;
    let (kind, rest) = line.split_first().ok_or_else(malformed)?;
    match kind {
        b'+' => Ok(Value::Bytes(rest.to_vec())),
        b'-' => {
            let word = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
            let plain = word.iter().all(|byte| byte.is_ascii_uppercase()) && word.len() <= 32;
            let word = if plain { word } else { b"ERR" };
            Ok(Value::Refused(String::from_utf8_lossy(word).into_owned()))
        }
        b':' => number(rest).map(Value::Integer),
        b'$' => match length(rest, MAX_BYTES)? {
            None => Ok(Value::Nil),
            Some(length) => {
                let mut bytes = vec![0; length + 2];
                from.read_exact(&mut bytes)?;
                if bytes.split_off(length) != b"\r\n" {
                    return Err(malformed());
                }
                Ok(Value::Bytes(bytes))
            }
        },
        b'*' => match length(rest, MAX_ITEMS)? {
            None => Ok(Value::Nil),
            Some(_) if depth >= MAX_DEPTH => Err(malformed()),
            Some(items) => (0..items)
                .map(|_| read_at(from, depth + 1))
                .collect::<io::Result<_>>()
                .map(Value::List),
        },
        _ => Err(malformed()),
    }
}

/// Reads a line without its end.
fn line(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    loop {
        let available = from.fill_buf()?;
        if available.is_empty() {
            return Err(Error::new(
                ErrorKind::UnexpectedEof,
                "the server closed the connection",
            ));
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(available.len(), |end| end + 1);
        line.extend_from_slice(available.get(..used).unwrap_or_default());
        from.consume(used);
        if line.len() > MAX_LINE {
            return Err(malformed());
        }
        if end.is_some() {
            let end = line.len().saturating_sub(2);
            return if line.split_off(end) == b"\r\n" {
                Ok(line)
            } else {
                Err(malformed())
            };
        }
    }
}

fn number(text: &[u8]) -> io::Result<i64> {
    let text = std::str::from_utf8(text).map_err(|_| malformed())?;
    text.parse().map_err(|_| malformed())
}

/// Reads a length; `None` is the absence of a value.
fn length(text: &[u8], most: usize) -> io::Result<Option<usize>> {
    match number(text)? {
        -1 => Ok(None),
        length => usize::try_from(length)
            .ok()
            .filter(|length| *length <= most)
            .map(Some)
            .ok_or_else(malformed),
    }
}

fn malformed() -> Error {
    Error::new(ErrorKind::InvalidData, "the reply is not one of Redis")
}

const MAX_LINE: usize = 64 * 1024;
const MAX_BYTES: usize = 64 * 1024 * 1024;
const MAX_ITEMS: usize = 1_000_000;
const MAX_DEPTH: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_list_of_texts() {
        let mut buffer = Vec::new();
        write(&mut buffer, &[b"GET", b"a\r\nb"]);
        assert_eq!(buffer, b"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n");
    }

    #[test]
    fn replies_of_each_kind_are_read() {
        let list = Value::List(vec![Value::Bytes(b"a".to_vec()), Value::Nil]);
        for (text, expected) in [
            (&b"+OK\r\n"[..], Value::Bytes(b"OK".to_vec())),
            (b":-5\r\n", Value::Integer(-5)),
            (b"$0\r\n\r\n", Value::Bytes(Vec::new())),
            (b"$-1\r\n", Value::Nil),
            (b"*-1\r\n", Value::Nil),
            (b"*2\r\n$1\r\na\r\n$-1\r\n", list),
            (b"-OOM command not allowed\r\n", Value::Refused("OOM".to_owned())),
            (b"-wrong hush\r\n", Value::Refused("ERR".to_owned())),
        ] {
            assert_eq!(read(&mut &*text).unwrap(), expected);
        }
    }

    #[test]
    fn other_texts_are_errors() {
        let deep = b"*1\r\n".repeat(20);
        for text in [
            &b""[..],
            b"+OK",
            b"+OK\n",
            b"HTTP/1.1 400 Bad Request\r\n",
            b"$5\r\na\r\n",
            b"$1\r\nab\r\n",
            b"$-2\r\n",
            b"$99999999999\r\n",
            b"*1\r\n",
            b":x\r\n",
            &deep,
        ] {
            assert!(read(&mut &*text).is_err(), "{text:?}");
        }
    }
}
