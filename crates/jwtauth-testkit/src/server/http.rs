//! The part of HTTP/1.1 that tests need: one request and one response per connection.

use std::io::{self, Read, Write};

/// A request.
#[derive(Debug, Default)]
pub struct Message {
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The request line and the headers, unchanged.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads a request; `None` if it is invalid or the client disconnects before its end.
    pub fn read(connection: &mut impl Read) -> Option<Message> {
        let mut head = Vec::new();
        let mut byte = [0_u8; 1];
        while !head.ends_with(b"\r\n\r\n") {
            connection.read_exact(&mut byte).ok()?;
            if head.is_empty() && !byte.iter().all(u8::is_ascii_uppercase) {
                return None;
            }
            head.extend_from_slice(&byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut words = head.split_ascii_whitespace();
        let mut message = Message {
            method: words.next()?.to_owned(),
            path: words.next()?.split('?').next()?.to_owned(),
            head: String::new(),
            body: Vec::new(),
        };
        message.head = head;
        let length = message
            .header("Content-Length")
            .map_or(Some(0), |text| text.parse().ok())?;
        message.body.resize(length, 0);
        connection.read_exact(&mut message.body).ok()?;
        Some(message)
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Sends status and headers, with the length of the body that follows.
///
/// # Errors
/// The client has disconnected.
pub fn head<'h>(
    connection: &mut impl Write,
    status: u16,
    headers: impl IntoIterator<Item = (&'h str, &'h str)>,
    length: usize,
) -> io::Result<()> {
    let lines: String = headers
        .into_iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{lines}\r\n");
    connection.write_all(head.as_bytes())
}
