//! A web server on loopback that behaves as a test specifies, including faults, over real TCP and TLS.

mod authority;
mod behaviour;
pub mod http;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustls::{ServerConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

pub use self::authority::{Authority, Tls};
pub use self::behaviour::{Answer, Behaviour, Stop};
use self::http::Message;
use crate::{Context, Result};

/// A running server. After it is dropped, it accepts no connections.
#[derive(Debug)]
pub struct Server {
    url: String,
    address: SocketAddr,
    /// Bound but never listening: reserves the port while the server is closed, so that connections are refused.
    _reservation: Socket,
    listening: Mutex<Option<Listening>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    behaviour: Mutex<Behaviour>,
    connections: AtomicUsize,
    requests: AtomicUsize,
    outlasted: AtomicUsize,
    last: Mutex<String>,
}

#[derive(Debug)]
struct Listening {
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    /// Loopback has no free port, or a certificate cannot be created.
    pub fn start(behaviour: Behaviour) -> Result<Server> {
        Authority::shared()?;
        let reservation = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = reservation
            .local_addr()
            .ok()
            .and_then(|address| address.as_socket());
        let address = address.context("the server's port")?;
        let plain = behaviour.tls == Some(Tls::None);
        let server = Server {
            url: format!("{}://{address}", if plain { "http" } else { "https" }),
            address,
            _reservation: reservation,
            listening: Mutex::default(),
            shared: Arc::default(),
        };
        server.behave(behaviour)?;
        Ok(server)
    }

    /// Its URL, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Changes the behaviour from now on; members that are not mentioned stay unchanged.
    ///
    /// # Errors
    /// A response for something that is not a path; the port cannot be opened.
    pub fn behave(&self, change: Behaviour) -> Result<()> {
        if let Some(path) = change.answers.keys().find(|path| !path.starts_with('/')) {
            return Err(format!("`{path}` is not a path"));
        }
        let open = {
            let mut behaviour = lock(&self.shared.behaviour);
            behaviour.change(change);
            behaviour.open != Some(false)
        };
        let mut listening = lock(&self.listening);
        if !open {
            if let Some(listening) = listening.take() {
                listening.close(self.address);
            }
        } else if listening.is_none() {
            *listening = Some(Listening::start(self.address, &self.shared)?);
        }
        Ok(())
    }

    /// How many requests it has received.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many clients still waited for the rest of a response when the server gave up, after a minute. A client with a
    /// time limit gives up long before.
    pub fn outlasted(&self) -> usize {
        self.shared.outlasted.load(Ordering::SeqCst)
    }

    /// The last request's head.
    pub fn last_request(&self) -> String {
        lock(&self.shared.last).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(listening) = lock(&self.listening).take() {
            listening.close(self.address);
        }
    }
}

impl Listening {
    #[expect(
        clippy::disallowed_methods,
        reason = "a server for tests, which are threads anyway"
    )]
    fn start(address: SocketAddr, shared: &Arc<Shared>) -> Result<Listening> {
        let socket = bound(address)?;
        socket.listen(1024).context("listening")?;
        let listener = TcpListener::from(socket);
        let over = Arc::new(AtomicBool::new(false));
        let (shared, ends) = (Arc::clone(shared), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            for connection in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(connection) = connection else { continue };
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let ended = shared.serve(connection);
                    if ended
                        .is_err_and(|why| matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
                    {
                        shared.outlasted.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        Ok(Listening { over, thread })
    }

    /// Closes the port; returns when new connections are refused.
    fn close(self, address: SocketAddr) {
        self.over.store(true, Ordering::SeqCst);
        // The accepting thread gets one more connection and then ends. Errors of either step do not matter here.
        let _ = TcpStream::connect(address);
        let _ = self.thread.join();
    }
}

impl Shared {
    /// Serves a connection until its end. An error is a client that has disconnected or outlasted the server.
    fn serve(&self, connection: TcpStream) -> io::Result<()> {
        self.connections.fetch_add(1, Ordering::SeqCst);
        let behaviour = lock(&self.behaviour).clone();
        let _ = connection.set_read_timeout(Some(behaviour::PATIENCE));
        let _ = connection.set_write_timeout(Some(behaviour::PATIENCE));
        let _ = connection.set_nodelay(true);
        if behaviour.silent == Some(true) {
            return behaviour::until_closed(&mut &connection);
        }
        let wanted = behaviour.client_certificate == Some(true);
        let config = Authority::shared()
            .and_then(|authority| authority.config(behaviour.tls.unwrap_or_default(), wanted));
        match config {
            Ok(None) => self.answer(&behaviour, connection),
            Ok(Some(config)) => {
                let session = ServerConnection::new(config).map_err(io::Error::other)?;
                self.answer(&behaviour, StreamOwned::new(session, connection))
            }
            Err(why) => {
                eprintln!("a server for tests: {why}");
                Ok(())
            }
        }
    }

    fn answer(&self, behaviour: &Behaviour, mut connection: impl Read + Write) -> io::Result<()> {
        let Some(request) = Message::read(&mut connection) else {
            // A client that speaks TLS to this plain server gets an error response.
            http::head(&mut connection, 400, [], 0)?;
            return behaviour::until_closed(&mut connection);
        };
        lock(&self.last).clone_from(&request.head);
        self.requests.fetch_add(1, Ordering::SeqCst);
        behaviour.answer(&request.path).send(&request, &mut connection)?;
        connection.flush()
    }
}

/// A socket at this address, which it shares with other sockets of this process.
fn bound(address: SocketAddr) -> Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).context("a socket")?;
    socket.set_reuse_address(true).context("a socket")?;
    socket.set_reuse_port(true).context("a socket")?;
    socket.bind(&address.into()).context(address)?;
    Ok(socket)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
