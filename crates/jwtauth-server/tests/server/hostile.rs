//! Clients that send what they should not, or nothing.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

use crate::world::{Answer, World, connect, pem, raw, start, token};

fn world(limits: &Value) -> World {
    start(&json!({
        "dialect": "native",
        "config": { "keys": [{ "pem": pem() }], "algorithms": ["ES256"], "issuer": "https://issuer.example", "audiences": ["api"] },
        "server": { "vault": { "token_file": "admin.token" }, "limits": limits },
    }))
}

/// What a server does about bytes of a client.
fn outcome(world: &World, bytes: &str) -> u16 {
    raw(world.address(), bytes.as_bytes()).status
}

#[test]
fn hostile_requests_have_these_outcomes() {
    let world = world(
        &json!({ "header_bytes": 16384, "body_bytes": 1000, "header_timeout": "1s", "body_timeout": "1s" }),
    );
    let close = "Connection: close\r\n";
    let post = "POST /v1/auth/jwt/login HTTP/1.1\r\nHost: x\r\n";
    let many = |count: usize| {
        (0..count)
            .map(|number| format!("X-{number}: 1\r\n"))
            .collect::<String>()
    };
    let table = [
        // (what, bytes, status; 0: the connection is closed without an answer)
        (
            "50 headers",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}{close}\r\n", many(50)),
            200,
        ),
        (
            "200 headers",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}{close}\r\n", many(200)),
            431,
        ),
        (
            "a header of 20 kB",
            format!(
                "GET /healthz HTTP/1.1\r\nHost: x\r\nA: {}\r\n{close}\r\n",
                "a".repeat(20_000)
            ),
            431,
        ),
        (
            "a path of 20 kB",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n{close}\r\n", "a".repeat(20_000)),
            431,
        ),
        (
            "a header without an end",
            "GET / HTTP/1.1\r\nHost: x\r\nA: ".to_owned(),
            0,
        ),
        ("nothing", String::new(), 0),
        ("no HTTP", "\x16\x03\x01\x02garbage\r\n\r\n".to_owned(), 400),
        (
            "a body that is too large",
            format!("{post}Content-Length: 2000\r\n\r\n{}", "a".repeat(2000)),
            413,
        ),
        (
            "a chunked body that is too large",
            format!(
                "{post}Transfer-Encoding: chunked\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n",
                "a".repeat(2000)
            ),
            413,
        ),
        (
            "a body that does not arrive",
            format!("{post}Content-Length: 10\r\n\r\nabc"),
            408,
        ),
        (
            "length and chunks",
            format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            403,
        ),
        (
            "two lengths",
            format!("{post}Content-Length: 5\r\nContent-Length: 6\r\n{close}\r\nabcde"),
            400,
        ),
        (
            "a length with a sign",
            format!("{post}Content-Length: +5\r\n{close}\r\nabcde"),
            400,
        ),
        (
            "chunks that are not the last encoding",
            format!("{post}Transfer-Encoding: chunked, identity\r\n{close}\r\nabcde"),
            400,
        ),
        (
            "a space before a colon",
            format!("GET /healthz HTTP/1.1\r\nHost : x\r\n{close}\r\n"),
            400,
        ),
        (
            "a folded header",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n{close}\r\n"),
            400,
        ),
        (
            "a NUL in a header",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n{close}\r\n"),
            400,
        ),
        (
            "a bare CR in a header",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n{close}\r\n"),
            400,
        ),
        (
            "an encoded slash",
            format!("GET /v1/auth%2Fjwt/config HTTP/1.1\r\nHost: x\r\n{close}\r\n"),
            400,
        ),
        (
            "dots in the path",
            format!("GET /v1/../metrics HTTP/1.1\r\nHost: x\r\n{close}\r\n"),
            403,
        ),
        (
            "HTTP/2 without an agreement",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            0,
        ),
        (
            "CONNECT",
            format!("CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n{close}\r\n"),
            404,
        ),
        (
            "a whole URL",
            format!("GET http://evil.example/healthz HTTP/1.1\r\nHost: x\r\n{close}\r\n"),
            200,
        ),
        (
            "deep JSON",
            {
                let body = "[".repeat(900);
                format!("{post}Content-Length: {}\r\n{close}\r\n{body}", body.len())
            },
            403,
        ),
    ];
    let seen: Vec<_> = table
        .iter()
        .map(|(what, bytes, _)| (*what, outcome(&world, bytes)))
        .collect();
    let expected: Vec<_> = table.iter().map(|(what, _, status)| (*what, *status)).collect();
    assert_eq!(seen, expected);
    assert_eq!(world.get("/healthz", &[]).status, 200);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let world = world(&json!({}));
    let mut stream = connect(world.address());
    let requests = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(requests.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let statuses: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .map(|line| &line[..3])
        .collect();
    assert_eq!(statuses, ["200", "200", "404"]);
}

#[test]
fn a_client_that_closes_its_half_is_still_answered() {
    let world = world(&json!({}));
    let mut stream = connect(world.address());
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(Answer::read(&answer).status, 200);
}

#[test]
fn connections_beyond_the_limit_wait_until_others_end() {
    let world = world(&json!({ "connections": 2, "header_timeout": "1s" }));
    let idle = [connect(world.address()), connect(world.address())];
    // The idle ones are closed after a second, and this one is answered.
    assert_eq!(world.get("/healthz", &[]).status, 200);
    drop(idle);
}

#[test]
fn hundreds_of_idle_connections_do_not_matter() {
    let world = world(&json!({}));
    let idle: Vec<_> = (0..300).map(|_| connect(world.address())).collect();
    let jwt = format!("Bearer {}", token(&json!({})));
    assert_eq!(world.get("/auth", &[("Authorization", &jwt)]).status, 200);
    let metrics = world.get("/metrics", &[]).body;
    assert!(
        metrics
            .lines()
            .any(|line| line.starts_with("jwtauth_open_connections 30")),
        "{metrics}"
    );
    drop(idle);
}

#[test]
fn a_connection_with_a_length_and_chunks_is_closed_after_the_answer() {
    let world = world(&json!({}));
    let request = "POST /v1/auth/jwt/login HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut stream = connect(world.address());
    stream
        .write_all(format!("{request}{smuggled}").as_bytes())
        .unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
}
