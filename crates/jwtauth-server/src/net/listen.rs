//! Sockets to listen on: addresses, paths, and those that systemd opened.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;

use listenfd::ListenFd;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use crate::settings::Invalid;

/// A socket that connections come from.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection of any kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    /// The address, if there is one.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            Listener::Unix(_) => None,
        }
    }

    pub(super) async fn accept(&self) -> io::Result<(Box<dyn Stream>, Option<IpAddr>)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Answers are small, and are written at once.
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), Some(peer.ip())))
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Box::new(stream), None))
            }
        }
    }
}

/// Listens on an address such as `127.0.0.1:8200`, or on a path such as `unix:/run/jwtauth.sock`. Needs a runtime.
pub(crate) fn bind(text: &str) -> Result<Listener, Invalid> {
    let failed = |why: io::Error| Invalid::new(format!("cannot listen on {text}: {why}"));
    if let Some(path) = text.strip_prefix("unix:") {
        return bind_path(Path::new(path)).map_err(failed);
    }
    let address: SocketAddr = text.parse().map_err(|_| {
        Invalid::new(format!(
            "cannot listen on `{text}`: write an address such as `127.0.0.1:8200`, or `unix:` and a path"
        ))
    })?;
    bind_address(address).map_err(failed)
}

fn bind_address(address: SocketAddr) -> io::Result<Listener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart must not wait for connections that have ended.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG).map(Listener::Tcp)
}

fn bind_path(path: &Path) -> io::Result<Listener> {
    // The socket of a server that has ended is in the way. One that answers belongs to a server that runs.
    let is_socket = path
        .symlink_metadata()
        .is_ok_and(|file| file.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    unix(listener)
}

/// The sockets that systemd opened for this process.
///
/// # Errors
/// One of them does not listen.
pub(crate) fn activated() -> Result<Vec<Listener>, Invalid> {
    let mut given = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..given.len() {
        let listener = match given.take_tcp_listener(index) {
            Ok(Some(listener)) => tcp(listener),
            Ok(None) => continue,
            Err(_) => match given.take_unix_listener(index) {
                Ok(Some(listener)) => unix(listener),
                Ok(None) => continue,
                Err(why) => Err(why),
            },
        };
        listeners
            .push(listener.map_err(|why| Invalid::new(format!("the socket {index} of systemd: {why}")))?);
    }
    Ok(listeners)
}

fn tcp(listener: std::net::TcpListener) -> io::Result<Listener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener).map(Listener::Tcp)
}

fn unix(listener: std::os::unix::net::UnixListener) -> io::Result<Listener> {
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener).map(Listener::Unix)
}

/// How many connections wait in the queue of the system. The system may allow less.
const BACKLOG: u32 = 4096;
