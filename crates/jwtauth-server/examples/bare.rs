//! A bare axum handler whose answer has the size of a positive answer of forward-auth: what `benches/serve` compares with.

use std::convert::Infallible;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8201".to_owned());
    let listener = TcpListener::bind(address).await?;
    let router: Router<()> = Router::new().route("/auth", get(answer));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer() -> Result<Response<axum::body::Body>, Infallible> {
    let mut response = Response::new(axum::body::Body::empty());
    let headers = response.headers_mut();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-auth-email", "alice@example.com"),
        ("x-auth-groups", "eng,ops"),
        ("x-auth-name", ""),
        ("x-auth-policies", "read"),
        ("x-auth-roles", ""),
        ("x-auth-user", "alice"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    Ok(response)
}
