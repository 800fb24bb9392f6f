//! The access log: a line of JSON for each request, without tokens, paths and claims.
//!
//! A thread writes it. If its reader is too slow, lines are lost and counted; requests never wait for it.

use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use crate::metrics::Endpoint;
use crate::settings::Log;

/// A request that was answered.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) endpoint: Endpoint,
    /// What was asked for, in words of the server: a part of the path could be a token.
    pub(crate) action: &'static str,
    pub(crate) method: Method,
    pub(crate) status: StatusCode,
    pub(crate) client: Option<IpAddr>,
    pub(crate) took: Duration,
    /// The stable code of a denial.
    pub(crate) code: Option<&'static str>,
}

/// The end of the log that requests write to.
#[derive(Debug, Clone)]
pub(crate) struct AccessLog(Option<SyncSender<(Timestamp, Entry)>>);

impl AccessLog {
    pub(crate) fn start(log: Log) -> io::Result<AccessLog> {
        let out: Box<dyn Write + Send> = match log {
            Log::Off => return Ok(AccessLog(None)),
            Log::Stdout => Box::new(io::stdout()),
            Log::Stderr => Box::new(io::stderr()),
        };
        let (sender, receiver) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write(out, &receiver))?;
        Ok(AccessLog(Some(sender)))
    }

    /// Returns whether the line was taken.
    pub(crate) fn write(&self, entry: Entry) -> bool {
        match &self.0 {
            None => true,
            Some(sender) => sender.try_send((Timestamp::now(), entry)).is_ok(),
        }
    }
}

fn write(mut out: Box<dyn Write + Send>, entries: &Receiver<(Timestamp, Entry)>) {
    while let Ok(first) = entries.recv() {
        let mut lines = line(&first);
        // Lines that wait are written together.
        for next in entries.try_iter().take(TOGETHER) {
            lines.push_str(&line(&next));
        }
        // If the log cannot be written, the server goes on.
        let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
    }
}

fn line((at, entry): &(Timestamp, Entry)) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        time: String,
        endpoint: &'static str,
        action: &'static str,
        method: &'a str,
        status: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        client: Option<IpAddr>,
        micros: u128,
    }
    let method = entry.method.as_str();
    let text = serde_json::to_string(&Line {
        time: at.to_string(),
        endpoint: entry.endpoint.as_str(),
        action: entry.action,
        // A method is text of the client.
        method: if KNOWN.contains(&method) { method } else { "other" },
        status: entry.status.as_u16(),
        code: entry.code,
        client: entry.client,
        micros: entry.took.as_micros(),
    });
    text.map(|text| text + "\n").unwrap_or_default()
}

/// A line about the server itself, on standard error.
pub(crate) fn note(text: &dyn std::fmt::Display) {
    let _ = writeln!(io::stderr(), "jwtauth serve: {text}");
}

const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "LIST", "OPTIONS"];
const QUEUE: usize = 8192;
const TOGETHER: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_nothing_from_the_client_but_its_address() {
        let entry = Entry {
            endpoint: Endpoint::Vault,
            action: "login",
            method: Method::from_bytes(b"SECRET").unwrap(),
            status: StatusCode::OK,
            client: Some(IpAddr::from([127, 0, 0, 1])),
            took: Duration::from_micros(7),
            code: None,
        };
        assert_eq!(
            line(&(Timestamp::UNIX_EPOCH, entry)),
            "{\"time\":\"1970-01-01T00:00:00Z\",\"endpoint\":\"vault\",\"action\":\"login\",\"method\":\"other\",\
             \"status\":200,\"client\":\"127.0.0.1\",\"micros\":7}\n"
        );
    }
}
