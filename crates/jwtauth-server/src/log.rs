//! The access log: a line of JSON for each request, without tokens, paths and claims.
//!
//! A thread writes it. If its reader is too slow, lines are lost and counted; requests never wait for it.

use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::mpsc::{SyncSender, sync_channel};
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
        let sender = write_lines("access-log", out, QUEUE, |entry| Some(line(entry)))?;
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

/// Starts a thread that writes lines from a queue. A sender that does not wait loses what comes while the queue is full.
pub(crate) fn write_lines<T: Send + 'static>(
    thread: &str,
    mut out: Box<dyn Write + Send>,
    most: usize,
    mut line: impl FnMut(&T) -> Option<String> + Send + 'static,
) -> io::Result<SyncSender<T>> {
    let (sender, receiver) = sync_channel(most);
    let write = move || {
        while let Ok(first) = receiver.recv() {
            // Lines that wait are written together.
            let waiting = std::iter::once(first).chain(receiver.try_iter().take(TOGETHER));
            // Each is dropped after it was written.
            let waiting: Vec<T> = waiting.collect();
            let lines: String = waiting.iter().filter_map(&mut line).collect();
            // If the log cannot be written, the server goes on.
            let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
        }
    };
    std::thread::Builder::new().name(thread.to_owned()).spawn(write)?;
    Ok(sender)
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

const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "LIST", "OPTIONS"];
const QUEUE: usize = 8192;
const TOGETHER: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_a_reader_are_lost_and_delay_no_sender() {
        struct Full(std::sync::mpsc::Receiver<()>);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let _ = self.0.recv();
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (end, ended) = sync_channel(0);
        let sender = write_lines("test", Box::new(Full(ended)), 4, |(): &()| Some("x".to_owned())).unwrap();
        // The thread has some of them, and the queue as many as it takes.
        let taken = (0..TOGETHER + 10).filter(|_| sender.try_send(()).is_ok()).count();
        assert!((4..=TOGETHER + 5).contains(&taken), "{taken}");
        drop(end);
    }

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
