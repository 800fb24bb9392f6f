//! Connections to a Redis server.

use std::fmt;
use std::io::{self, BufReader, Error, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::resp::{self, Value};
use crate::secret::Secret;

/// Where the server is, and how to log in.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) place: Place,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) database: u64,
    pub(super) timeout: Duration,
}

#[derive(Debug)]
pub(super) enum Place {
    Tcp {
        host: String,
        port: u16,
        tls: Option<Tls>,
    },
    Socket(PathBuf),
}

/// How the server's certificate is checked.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

/// Why a command has no reply.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no connection, or it ended. The command may have been executed.
    Io(Error),
    /// The server refused to log in, with the first word of its error.
    Refused(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Io(error)
    }
}

/// A limited number of connections.
#[derive(Debug)]
pub(super) struct Pool {
    target: Target,
    most: usize,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
}

impl Pool {
    pub(super) fn new(target: Target, most: usize) -> Pool {
        Pool {
            target,
            most,
            state: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    /// Sends commands, and returns their replies.
    ///
    /// `again`: the commands have no other effect if they are executed twice. They are then sent once more if a connection
    /// that was used before turns out to be closed.
    pub(super) fn send(&self, commands: &[u8], count: usize, again: bool) -> Result<Vec<Value>, Failure> {
        let (connection, is_new) = self.take()?;
        match self.send_with(connection, commands, count) {
            Err(Failure::Io(error)) if again && !is_new && is_closed(&error) => {
                let (connection, _) = self.take()?;
                self.send_with(connection, commands, count)
            }
            outcome => outcome,
        }
    }

    fn send_with(
        &self,
        mut connection: Connection,
        commands: &[u8],
        count: usize,
    ) -> Result<Vec<Value>, Failure> {
        let outcome = connection.send(commands, count);
        let mut state = self.state();
        match &outcome {
            Ok(_) => state.idle.push(connection),
            Err(_) => {
                // The others are older than the failure, so they have probably ended as well.
                state.open = state.open.saturating_sub(1 + state.idle.len());
                let closed = std::mem::take(&mut state.idle);
                drop(state);
                drop((closed, connection));
            }
        }
        self.returned.notify_one();
        Ok(outcome?)
    }

    /// Takes an idle connection, or opens one. Waits if all are in use. Returns whether the connection is new.
    fn take(&self) -> Result<(Connection, bool), Failure> {
        let deadline = Instant::now() + self.target.timeout;
        let mut state = self.state();
        loop {
            if let Some(mut connection) = state.idle.pop() {
                if connection.is_alive() {
                    return Ok((connection, false));
                }
                state.open = state.open.saturating_sub(1);
                continue;
            }
            if state.open < self.most {
                state.open += 1;
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let why = "all connections are in use";
                return Err(Error::new(ErrorKind::TimedOut, why).into());
            }
            let waited = self.returned.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        let opened = Connection::open(&self.target);
        if opened.is_err() {
            self.state().open -= 1;
            self.returned.notify_one();
        }
        Ok((opened?, true))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the server closed the connection, as opposed to not answering in time.
fn is_closed(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

struct Connection {
    stream: BufReader<Stream>,
    used: Instant,
}

impl fmt::Debug for Connection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Connection")
    }
}

impl Connection {
    fn open(target: &Target) -> Result<Connection, Failure> {
        let mut connection = Connection {
            stream: BufReader::new(Stream::open(target)?),
            used: Instant::now(),
        };
        let mut commands = Vec::new();
        let mut count = 0;
        if let Some(password) = &target.password {
            let password = password.expose().as_bytes();
            match &target.username {
                Some(name) => resp::write(&mut commands, &[b"AUTH", name.as_bytes(), password]),
                None => resp::write(&mut commands, &[b"AUTH", password]),
            }
            count += 1;
        }
        if target.database > 0 {
            resp::write(
                &mut commands,
                &[b"SELECT", target.database.to_string().as_bytes()],
            );
            count += 1;
        }
        let replies = connection.send(&commands, count);
        zeroize::Zeroize::zeroize(&mut commands);
        match replies?
            .into_iter()
            .find(|reply| matches!(reply, Value::Refused(_)))
        {
            Some(Value::Refused(word)) => Err(Failure::Refused(word)),
            _ => Ok(connection),
        }
    }

    fn send(&mut self, commands: &[u8], count: usize) -> io::Result<Vec<Value>> {
        let stream = self.stream.get_mut();
        stream.write_all(commands)?;
        stream.flush()?;
        let replies = (0..count).map(|_| resp::read(&mut self.stream)).collect();
        self.used = Instant::now();
        replies
    }

    /// Whether a connection can be used that was idle: the server has neither closed it nor sent anything.
    fn is_alive(&mut self) -> bool {
        self.used.elapsed() < TRUSTED || (self.stream.buffer().is_empty() && self.stream.get_mut().is_quiet())
    }
}

enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    fn open(target: &Target) -> io::Result<Stream> {
        let timeout = Some(target.timeout);
        match &target.place {
            Place::Tcp { host, port, tls } => {
                let stream = connect(host, *port, target.timeout)?;
                stream.set_read_timeout(timeout)?;
                stream.set_write_timeout(timeout)?;
                stream.set_nodelay(true)?;
                let Some(tls) = tls else {
                    return Ok(Stream::Tcp(stream));
                };
                let session = ClientConnection::new(Arc::clone(&tls.config), tls.name.clone());
                let session = session.map_err(Error::other)?;
                Ok(Stream::Tls(Box::new(StreamOwned::new(session, stream))))
            }
            #[cfg(unix)]
            Place::Socket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(timeout)?;
                stream.set_write_timeout(timeout)?;
                Ok(Stream::Unix(stream))
            }
            #[cfg(not(unix))]
            Place::Socket(_) => Err(Error::new(
                ErrorKind::Unsupported,
                "this system has no such sockets",
            )),
        }
    }

    /// Whether there is nothing to read, and the connection is open.
    fn is_quiet(&mut self) -> bool {
        let mut byte = [0];
        let is_quiet =
            |outcome: io::Result<usize>| outcome.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        match self {
            Stream::Tcp(stream) => {
                let quiet = stream.set_nonblocking(true).is_ok() && is_quiet(stream.peek(&mut byte));
                quiet && stream.set_nonblocking(false).is_ok()
            }
            #[cfg(unix)]
            Stream::Unix(stream) => {
                let quiet = stream.set_nonblocking(true).is_ok() && is_quiet(stream.read(&mut byte));
                quiet && stream.set_nonblocking(false).is_ok()
            }
            Stream::Tls(stream) => {
                let stream = &stream.sock;
                let quiet = stream.set_nonblocking(true).is_ok() && is_quiet(stream.peek(&mut byte));
                quiet && stream.set_nonblocking(false).is_ok()
            }
        }
    }
}

/// Connects to the first address of a host that answers.
fn connect(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let mut outcome = Err(Error::new(ErrorKind::NotFound, "the host has no address"));
    for address in (host, port).to_socket_addrs()? {
        outcome = TcpStream::connect_timeout(&address, timeout);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.flush(),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

/// A connection that was idle for longer is checked before it is used.
const TRUSTED: Duration = Duration::from_secs(1);
