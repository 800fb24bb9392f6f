//! The behaviour of a server; `tests/faults/README.md` explains the members.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::authority::Tls;
use super::http::{self, Message};
use crate::case::Text;
use crate::mutate::from_hex;

/// The behaviour of a server, or a change of it. Members that are not mentioned have their default or stay unchanged.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Behaviour {
    /// The certificate that it presents; default: a valid one.
    pub tls: Option<Tls>,
    /// Whether it requires the client's certificate; default: no.
    pub client_certificate: Option<bool>,
    /// Whether it accepts connections; default: yes.
    pub open: Option<bool>,
    /// Whether it sends nothing at all, not even in the handshake; default: no.
    pub silent: Option<bool>,
    /// Its responses by path.
    #[serde(flatten)]
    pub answers: BTreeMap<String, Answer>,
}

/// A response to a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers; `Content-Type: application/json` unless another one is set.
    pub headers: BTreeMap<String, String>,
    /// The body, as a document.
    pub json: Option<Value>,
    /// The body, as a text.
    pub text: Option<Text>,
    /// The body, as bytes in hexadecimal.
    pub hex: Option<String>,
    /// Where the response stops too early.
    pub stop: Option<Stop>,
    /// The delay before each byte of the body.
    pub byte_every_ms: Option<u64>,
    /// The bearer token that a request must have.
    pub bearer: Option<String>,
    /// The media type that a request must accept by its name.
    pub accept: Option<String>,
}

/// Where a response stops too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The connection is closed without a response.
    AtOnce,
    /// Nothing is sent, and the connection stays open.
    BeforeHeaders,
    /// Half of the body is sent, and the connection stays open.
    MidBody,
}

impl Behaviour {
    /// The default behaviour with this response for this path.
    pub fn answering(path: &str, answer: Answer) -> Behaviour {
        Behaviour {
            answers: BTreeMap::from([(path.to_owned(), answer)]),
            ..Behaviour::default()
        }
    }

    pub(super) fn change(&mut self, change: Behaviour) {
        self.tls = change.tls.or(self.tls);
        self.client_certificate = change.client_certificate.or(self.client_certificate);
        self.open = change.open.or(self.open);
        self.silent = change.silent.or(self.silent);
        self.answers.extend(change.answers);
    }

    pub(super) fn answer(&self, path: &str) -> Answer {
        self.answers
            .get(path)
            .cloned()
            .unwrap_or_else(|| Answer::status(404))
    }
}

impl Default for Answer {
    fn default() -> Answer {
        Answer::status(200)
    }
}

impl Answer {
    /// A status without a body.
    pub fn status(status: u16) -> Answer {
        Answer {
            status,
            headers: BTreeMap::new(),
            json: None,
            text: None,
            hex: None,
            stop: None,
            byte_every_ms: None,
            bearer: None,
            accept: None,
        }
    }

    /// Status 200 with this document.
    pub fn json(document: Value) -> Answer {
        Answer {
            json: Some(document),
            ..Answer::status(200)
        }
    }

    /// This response with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sends it to a client.
    pub(super) fn send(&self, request: &Message, connection: &mut (impl Read + Write)) -> io::Result<()> {
        match &self.bearer {
            Some(token) if request.header("Authorization") != Some(&format!("Bearer {token}")) => {
                return http::head(connection, 401, [], 0);
            }
            _ => {}
        }
        if let Some(wanted) = &self.accept {
            let accepted = request.header("Accept").unwrap_or_default();
            let mut types = accepted.split([',', ';']).map(str::trim);
            if !types.any(|one| one == wanted) {
                return http::head(connection, 406, [], 0);
            }
        }
        match self.stop {
            Some(Stop::AtOnce) => return Ok(()),
            Some(Stop::BeforeHeaders) => return until_closed(connection),
            Some(Stop::MidBody) | None => {}
        }
        let body = self.body();
        let mut headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("Content-Type"))
        {
            headers.push(("Content-Type", "application/json"));
        }
        http::head(connection, self.status, headers, body.len())?;
        if self.stop == Some(Stop::MidBody) {
            let (half, _) = body.split_at(body.len() / 2);
            connection.write_all(half)?;
            return until_closed(connection);
        }
        let Some(pause) = self.byte_every_ms else {
            return connection.write_all(&body);
        };
        let pause = Duration::from_millis(pause);
        for (byte, sent) in body.chunks(1).zip(1..) {
            connection.write_all(byte)?;
            connection.flush()?;
            std::thread::sleep(pause);
            if pause * sent > PATIENCE {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }

    fn body(&self) -> Vec<u8> {
        match (&self.json, &self.text, &self.hex) {
            (Some(document), _, _) => document.to_string().into_bytes(),
            (None, Some(text), _) => text.to_text().into_bytes(),
            // A digit that is not one makes an empty body, which no script expects.
            (None, None, Some(digits)) => from_hex(digits).unwrap_or_default(),
            (None, None, None) => Vec::new(),
        }
    }
}

/// Waits until the client disconnects. It is an error if the connection times out first.
pub(super) fn until_closed(connection: &mut (impl Read + Write)) -> io::Result<()> {
    connection.flush()?;
    io::copy(connection, &mut io::sink()).map(|_| ())
}

/// How long a server waits for a client to disconnect. It is much longer than the timeouts of the clients.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);
