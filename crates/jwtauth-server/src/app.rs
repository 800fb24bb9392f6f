//! From a request to its answer.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};

use crate::call::{Call, JSON, Reply};
use crate::log::{AccessLog, Entry};
use crate::metrics::{Endpoint, Metrics, count};
use crate::net::Peer;
use crate::served::Served;
use crate::settings::Limits;
use crate::waits::{Wait, Waits};

/// What all requests share.
#[derive(Debug)]
pub(crate) struct App {
    served: RwLock<Arc<Served>>,
    pub(crate) waits: Waits,
    pub(crate) metrics: Arc<Metrics>,
    log: AccessLog,
    limits: Limits,
}

impl App {
    pub(crate) fn new(served: Served, limits: &Limits, in_memory: bool, log: AccessLog) -> App {
        App {
            served: RwLock::new(Arc::new(served)),
            waits: Waits::new(limits.waiting, in_memory),
            metrics: Arc::default(),
            log,
            limits: limits.clone(),
        }
    }

    /// What the newest configuration decides. A request keeps it to its end.
    pub(crate) fn served(&self) -> Arc<Served> {
        Arc::clone(&self.served.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, served: Served) {
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(served);
    }

    /// Answers requests of any path.
    pub(crate) fn router(self: &Arc<App>) -> Router {
        Router::new().fallback(answer).with_state(Arc::clone(self))
    }

    /// Reads the request, finds its endpoint, and answers.
    async fn answer(&self, served: Arc<Served>, endpoint: Endpoint, call: Result<Call, Reply>) -> Reply {
        let call = match call {
            Ok(call) => call,
            Err(refused) => return refused,
        };
        match endpoint {
            Endpoint::Auth => match &served.forward {
                Some(forward) => forward.answer(&call, &self.waits).await,
                None => not_found("auth"),
            },
            Endpoint::Vault => match served.vault.clone() {
                Some(vault) => {
                    let done = self.waits.run(vault.wait(&call), move || vault.answer(&call));
                    done.await.unwrap_or_else(|_| broken())
                }
                None => not_found("unknown"),
            },
            Endpoint::Consul => match served.consul.clone() {
                Some(consul) => {
                    let done = self.waits.run(consul.wait(&call), move || consul.answer(&call));
                    done.await.unwrap_or_else(|_| broken())
                }
                None => not_found("unknown"),
            },
            Endpoint::Own => self.own(served, &call).await,
            Endpoint::Unknown => not_found("unknown"),
        }
    }

    /// The endpoints about the server itself.
    async fn own(&self, served: Arc<Served>, call: &Call) -> Reply {
        if call.method != Method::GET && call.method != Method::HEAD {
            let reply = Reply::empty(StatusCode::METHOD_NOT_ALLOWED).about("own");
            return reply.with(header::ALLOW, "GET, HEAD");
        }
        match call.path.as_str() {
            "/healthz" => Reply::text(StatusCode::OK, "ok\n").about("healthz"),
            "/readyz" => {
                let missing = self.waits.run(Wait::Store, move || served.not_ready()).await;
                match missing.unwrap_or_else(|_| vec!["internal error"]).as_slice() {
                    [] => Reply::text(StatusCode::OK, "ready\n"),
                    missing => Reply::text(StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n"),
                }
                .about("readyz")
            }
            "/metrics" => {
                let decisions = self.waits.run(Wait::Store, move || served.decisions()).await;
                let text = self.metrics.text() + &decisions.unwrap_or_default();
                Reply::new(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text).about("metrics")
            }
            _ => Reply::new(StatusCode::OK, JSON, OPENAPI).about("openapi"),
        }
    }

    /// Reads the body, if the endpoint has one.
    async fn read(&self, served: &Served, endpoint: Endpoint, request: Request) -> Result<Call, Reply> {
        let (parts, body) = request.into_parts();
        let peer = parts.extensions.get::<Peer>().and_then(|Peer(peer)| *peer);
        let body = match endpoint {
            Endpoint::Vault | Endpoint::Consul => self.body(body).await?,
            Endpoint::Auth | Endpoint::Own | Endpoint::Unknown => Bytes::new(),
        };
        let client = match endpoint {
            Endpoint::Auth => served.trusted.behind_proxy(peer, &parts.headers),
            Endpoint::Vault | Endpoint::Consul | Endpoint::Own | Endpoint::Unknown => {
                served.trusted.client(peer, &parts.headers)
            }
        };
        Ok(Call {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
            client,
        })
    }

    async fn body(&self, body: Body) -> Result<Bytes, Reply> {
        let read = Limited::new(body, self.limits.body_bytes).collect();
        match tokio::time::timeout(self.limits.body_timeout, read).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(why)) if why.is::<http_body_util::LengthLimitError>() => {
                Err(closing(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"))
            }
            Ok(Err(_)) => Err(closing(StatusCode::BAD_REQUEST, "the body could not be read")),
            Err(_) => {
                count(&self.metrics.timed_out);
                Err(closing(
                    StatusCode::REQUEST_TIMEOUT,
                    "the body did not arrive in time",
                ))
            }
        }
    }

    fn record(
        &self,
        endpoint: Endpoint,
        method: Method,
        client: Option<std::net::IpAddr>,
        reply: &Reply,
        took: Duration,
    ) {
        self.metrics.answered(endpoint, reply.status, took);
        if reply.code == Some("store_unavailable") {
            count(&self.metrics.store_failures);
        }
        let written = self.log.write(Entry {
            endpoint,
            action: reply.action,
            method,
            status: reply.status,
            client,
            took,
            code: reply.code,
        });
        if !written {
            self.metrics.lost_log_lines.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let started = Instant::now();
    let served = app.served();
    let endpoint = endpoint_of(request.uri().path());
    let method = request.method().clone();
    // hyper removes a content-length next to it, so whether there was one is not known. A connection that had both must be
    // closed (RFC 9112 §6.1): a proxy before this server may believe the other one.
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let call = app.read(&served, endpoint, request).await;
    let client = call.as_ref().ok().and_then(|call| call.client);
    let limit = app.limits.answer_timeout;
    let reply = tokio::time::timeout(limit, app.answer(served, endpoint, call)).await;
    let mut reply = reply.unwrap_or_else(|_| {
        count(&app.metrics.timed_out);
        Reply::text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the answer was not ready in time\n",
        )
        .with(header::RETRY_AFTER, "1")
        .because("timeout")
    });
    if is_chunked {
        reply = reply.with(header::CONNECTION, "close");
    }
    app.record(endpoint, method, client, &reply, started.elapsed());
    reply.into_response()
}

/// What a path is for.
fn endpoint_of(path: &str) -> Endpoint {
    match path {
        "/auth" => Endpoint::Auth,
        "/healthz" | "/readyz" | "/metrics" | "/openapi.json" => Endpoint::Own,
        _ if path.starts_with("/auth/") => Endpoint::Auth,
        _ if path.starts_with("/v1/acl/") => Endpoint::Consul,
        _ if path.starts_with("/v1/") => Endpoint::Vault,
        _ => Endpoint::Unknown,
    }
}

fn not_found(action: &'static str) -> Reply {
    Reply::text(StatusCode::NOT_FOUND, "not found\n").about(action)
}

fn broken() -> Reply {
    Reply::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n").because("internal_error")
}

/// A refusal after which the connection cannot be used: the rest of the request was not read.
fn closing(status: StatusCode, text: &str) -> Reply {
    let reply = Reply::text(status, format!("{text}\n")).about("unreadable");
    reply.with(header::CONNECTION, "close")
}

const OPENAPI: &str = include_str!("../openapi.json");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_endpoints() {
        for (path, endpoint) in [
            ("/auth", Endpoint::Auth),
            ("/auth/x", Endpoint::Auth),
            ("/authx", Endpoint::Unknown),
            ("/v1/acl/login", Endpoint::Consul),
            ("/v1/auth/jwt/login", Endpoint::Vault),
            ("/healthz", Endpoint::Own),
            ("/", Endpoint::Unknown),
            ("*", Endpoint::Unknown),
        ] {
            assert_eq!(endpoint_of(path), endpoint, "{path}");
        }
    }
}
