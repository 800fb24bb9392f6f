//! The HTTP server of the playground, on a crate that answers each connection on a thread.
//!
//! The crate limits the size of headers, the time of each read and write, and the number of connections. This module
//! limits the size of bodies. Nothing about requests is logged.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use oxhttp::model::header::{self, HeaderName};
use oxhttp::model::{Body, HeaderValue, Request, Response, StatusCode};
use oxhttp::{ListeningServer, Server};

use super::answer::Playground;
use super::guard::{Guard, Head, Refused, Wanted, content_security_policy};
use crate::ending::{Ending, Misuse};

/// A running server.
pub(super) struct Serving {
    url: String,
    server: ListeningServer,
}

impl Serving {
    /// The address of the page, with its key.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Waits for the end of the server.
    ///
    /// # Errors
    /// The server has failed.
    pub(super) fn wait(self) -> Result<Ending, Misuse> {
        self.server
            .join()
            .map_err(|why| Misuse::new(format!("the server has ended: {why}")))?;
        Ok(Ending::Well)
    }
}

/// Starts the server.
///
/// # Errors
/// The address cannot be listened on.
pub(super) fn start(address: SocketAddr, playground: Playground) -> Result<Serving, Misuse> {
    let playground = Arc::new(playground);
    let mut attempts = 0..ATTEMPTS;
    loop {
        let address = free(address)?;
        let guard = Guard::new(address.to_string())?;
        let url = guard.url();
        let site = Site {
            guard,
            policy: content_security_policy(PAGE),
            playground: Arc::clone(&playground),
        };
        let server = Server::new(move |request| site.answer(request))
            .bind(address)
            .with_global_timeout(TIMEOUT)
            .with_max_concurrent_connections(CONNECTIONS);
        match server.spawn() {
            Ok(server) => return Ok(Serving { url, server }),
            // Another program was faster. A key is used only for a port that this program has got.
            Err(_) if attempts.next().is_some() => {}
            Err(why) => return Err(cannot_listen(address, &why)),
        }
    }
}

/// The address with a port that is free. The crate takes a port, but does not report which one it got.
fn free(address: SocketAddr) -> Result<SocketAddr, Misuse> {
    TcpListener::bind(address)
        .and_then(|listener| listener.local_addr())
        .map_err(|why| cannot_listen(address, &why))
}

fn cannot_listen(address: SocketAddr, why: &std::io::Error) -> Misuse {
    Misuse::new(format!("cannot listen on {address}: {why}"))
}

/// What is served.
struct Site {
    guard: Guard,
    policy: String,
    playground: Arc<Playground>,
}

impl Site {
    fn answer(&self, request: &mut Request<Body>) -> Response<Body> {
        let (status, kind, text) = match self.content(request) {
            Ok((kind, text)) => (StatusCode::OK, kind, text),
            Err(Refused { status, why }) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
                (status, "text/plain; charset=utf-8", format!("{why}\n"))
            }
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Ok(policy) = HeaderValue::from_str(&self.policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }

    fn content(&self, request: &mut Request<Body>) -> Result<(&'static str, String), Refused> {
        const JSON: &str = "application/json";
        let wanted = self.guard.check(&head(request)?)?;
        Ok(match wanted {
            Wanted::Page => ("text/html; charset=utf-8", PAGE.to_owned()),
            Wanted::Examples => (JSON, self.playground.examples()),
            Wanted::Explanation => (JSON, self.playground.explain(&body(request)?)),
        })
    }
}

fn head(request: &Request<Body>) -> Result<Head<'_>, Refused> {
    let one = |name: HeaderName| {
        let mut values = request.headers().get_all(name).iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(HeaderValue::as_bytes)),
            (_, Some(_)) => Err(REPEATED),
        }
    };
    Ok(Head {
        method: request.method().as_str(),
        path: request.uri().path(),
        host: one(header::HOST)?,
        origin: one(header::ORIGIN)?,
        authorization: one(header::AUTHORIZATION)?,
        content_type: one(header::CONTENT_TYPE)?,
    })
}

fn body(request: &mut Request<Body>) -> Result<String, Refused> {
    let mut text = String::new();
    let body = request.body_mut();
    if body.len().is_some_and(|length| length > MAX_BODY) {
        return Err(TOO_LARGE);
    }
    body.take(MAX_BODY + 1)
        .read_to_string(&mut text)
        .map_err(|_| UNREADABLE)?;
    if text.len() as u64 > MAX_BODY {
        return Err(TOO_LARGE);
    }
    Ok(text)
}

const PAGE: &str = include_str!("page.html");

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

const REPEATED: Refused = Refused {
    status: 400,
    why: "a header is repeated",
};
const TOO_LARGE: Refused = Refused {
    status: 413,
    why: "configuration, token and claims are larger than 4 MiB",
};
const UNREADABLE: Refused = Refused {
    status: 400,
    why: "the body cannot be read",
};

/// The most bytes of a request, as in the library.
const MAX_BODY: u64 = 4 * 1024 * 1024;
/// The longest wait for one read or write of a client.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A browser opens up to six connections.
const CONNECTIONS: usize = 16;
/// How often another free port is tried.
const ATTEMPTS: usize = 8;
