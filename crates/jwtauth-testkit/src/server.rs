//! A web server on loopback that answers as a test tells it to, faults included.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status, header lines, and a body.
    Full(u16, Vec<String>, Vec<u8>),
    /// Nothing, until the client gives up.
    Silence,
    /// Headers and the beginning of a body, then nothing.
    HalfABody,
    /// The connection is closed at once.
    Close,
}

impl Answer {
    /// Status 200 with this body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Answer {
        Answer::Full(200, Vec::new(), body.into())
    }

    /// A status without a body.
    pub fn status(status: u16) -> Answer {
        Answer::Full(status, Vec::new(), Vec::new())
    }

    /// The same with one more header line.
    #[must_use]
    pub fn with(self, line: impl Into<String>) -> Answer {
        match self {
            Answer::Full(status, mut lines, body) => {
                lines.push(line.into());
                Answer::Full(status, lines, body)
            }
            other => other,
        }
    }
}

/// A running server; it ends with the test's process.
#[derive(Debug, Clone)]
pub struct Server {
    port: u16,
    requests: Arc<AtomicUsize>,
    answer: Arc<Mutex<Answer>>,
    last: Arc<Mutex<String>>,
}

impl Server {
    /// Starts a server that gives every request this answer.
    ///
    /// # Panics
    /// When loopback has no free port.
    #[expect(
        clippy::disallowed_methods,
        clippy::expect_used,
        reason = "a server for tests, which are threads anyway"
    )]
    pub fn start(answer: Answer) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let port = listener.local_addr().expect("its number").port();
        let server = Server {
            port,
            requests: Arc::default(),
            answer: Arc::new(Mutex::new(answer)),
            last: Arc::default(),
        };
        let inner = server.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let inner = inner.clone();
                std::thread::spawn(move || inner.serve(connection));
            }
        });
        server
    }

    /// Its address with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// How many requests it has seen.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// The last request's head.
    pub fn last_request(&self) -> String {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers otherwise from now on.
    pub fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    fn serve(&self, mut connection: TcpStream) {
        let mut head = Vec::new();
        let mut byte = [0_u8; 1];
        while !head.ends_with(b"\r\n\r\n") {
            match connection.read(&mut byte) {
                Ok(1) => head.extend_from_slice(&byte),
                _ => return,
            }
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
            String::from_utf8_lossy(&head).into_owned();
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A client that has gone away is the client's affair.
        let _ = match answer {
            Answer::Full(status, lines, body) => {
                let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
                let head = format!(
                    "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n{lines}\r\n",
                    body.len()
                );
                connection
                    .write_all(head.as_bytes())
                    .and_then(|()| connection.write_all(&body))
            }
            Answer::HalfABody => {
                let sent = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"keys\":");
                until_closed(&mut connection);
                sent
            }
            Answer::Silence => {
                until_closed(&mut connection);
                Ok(())
            }
            Answer::Close => Ok(()),
        };
    }
}

/// Waits for the client to hang up, a minute at most.
fn until_closed(connection: &mut TcpStream) {
    let _ = connection.set_read_timeout(Some(Duration::from_secs(60)));
    let _ = connection.read(&mut [0_u8; 1]);
}
