//! The life of a connection.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::listen::{Listener, Stream};
use super::stall::Stall;
use crate::metrics::{Metrics, count};
use crate::notes::note_once;
use crate::settings::Limits;

/// Who is at the other end of a connection. `None`: a UNIX socket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

/// What all connections share.
pub(crate) struct Network {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    /// `None`: the server speaks plain HTTP.
    pub(crate) tls: RwLock<Option<Arc<ServerConfig>>>,
    pub(crate) metrics: Arc<Metrics>,
    /// Becomes true when the server must stop.
    pub(crate) stop: watch::Sender<bool>,
    /// Its permits are the connections that may be opened.
    pub(crate) slots: Arc<Semaphore>,
}

impl Network {
    /// Accepts connections until the server stops.
    pub(crate) async fn serve(self: Arc<Self>, listener: Listener) {
        let mut stop = self.stop.subscribe();
        loop {
            // Connections beyond the limit wait in the queue of the system.
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let network = Arc::clone(&self);
                    tokio::spawn(async move {
                        count(&network.metrics.connections);
                        network.metrics.open_connections.fetch_add(1, Ordering::Relaxed);
                        let open = Open(Arc::clone(&network.metrics));
                        network.connection(stream, peer).await;
                        drop((open, slot));
                    });
                }
                // The client has gone, or there are no more file descriptors. Others will be closed meanwhile.
                Err(why) => {
                    if why
                        .raw_os_error()
                        .is_some_and(|code| OUT_OF_FILES.contains(&code))
                    {
                        note_once(&format_args!("cannot accept connections: {why}"));
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        }
    }

    async fn connection(&self, stream: Box<dyn Stream>, peer: Option<IpAddr>) {
        let tls = self.tls.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(tls) = tls else {
            return self.http(stream, peer).await;
        };
        let handshake = TlsAcceptor::from(tls).accept(stream);
        let handshake = tokio::time::timeout(self.limits.handshake_timeout, handshake);
        let mut stop = self.stop.subscribe();
        let done = tokio::select! {
            done = handshake => done,
            // Nothing was asked yet.
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match done {
            Ok(Ok(stream)) => self.http(stream, peer).await,
            Ok(Err(_)) | Err(_) => count(&self.metrics.failed_handshakes),
        }
    }

    async fn http(&self, stream: impl Stream, peer: Option<IpAddr>) {
        let inner = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |mut request| {
            request.extensions_mut().insert(Peer(peer));
            inner.call(request)
        });
        let stream = Stall::new(stream, self.limits.write_timeout);
        let has_read = stream.has_read();
        let stream = TokioIo::new(stream);
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            // A client that has closed its half still gets its answer.
            .half_close(true)
            .header_read_timeout(self.limits.header_timeout)
            .max_header_size(self.limits.header_bytes)
            .max_buf_size(self.limits.header_bytes.max(LEAST_BUFFER));
        // With its own default, hyper needs no memory for this.
        if self.limits.headers != HYPERS_HEADERS {
            builder.max_headers(self.limits.headers);
        }
        let connection = builder.serve_connection(stream, service);
        let mut connection = std::pin::pin!(connection);
        let mut stop = self.stop.subscribe();
        // Errors are those of clients: they went away, sent no valid request, or were too slow.
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
        }
        // hyper would wait for the first request of a connection that has sent nothing.
        if has_read.load(Ordering::Relaxed) {
            let _ = connection.await;
        }
    }
}

/// Counts an open connection until it is dropped.
struct Open(Arc<Metrics>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open_connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// `ENFILE` and `EMFILE`.
const OUT_OF_FILES: [i32; 2] = [23, 24];
/// The least buffer that hyper accepts.
const LEAST_BUFFER: usize = 8192;
const HYPERS_HEADERS: usize = 100;
