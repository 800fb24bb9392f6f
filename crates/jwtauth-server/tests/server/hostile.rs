//! Clients that send what they should not, or nothing.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use serde_json::{Value, json};

use crate::world::{World, connect, pem, start, token};

fn start_with(limits: &Value) -> World {
    start(&json!({
        "dialect": "native",
        "config": { "keys": [{ "pem": pem() }], "algorithms": ["ES256"], "issuer": "https://issuer.example", "audiences": ["api"] },
        "server": { "vault": { "token_file": "admin.token" }, "limits": limits },
    }))
}

/// The statuses of the answers to bytes of a client, who then waits until the server closes the connection.
fn outcome(world: &World, bytes: &str) -> String {
    let mut stream = connect(world.address());
    // A server that refuses a request may close the connection before it has read all of it.
    let _ = stream.write_all(bytes.as_bytes());
    answers(&mut stream)
}

fn answers(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let statuses = text.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    let statuses: Vec<_> = statuses.filter_map(|line| line.split(' ').next()).collect();
    match statuses.as_slice() {
        [] => "closed".to_owned(),
        statuses => statuses.join(", "),
    }
}

/// The table of `docs/hostile-clients.md`. With `UPDATE_GENERATED=1`, it is written again.
#[test]
fn hostile_requests_have_these_outcomes() {
    // No request is too slow, except those that are meant to be.
    let patient =
        json!({ "header_bytes": 16384, "body_bytes": 1000, "header_timeout": "1h", "body_timeout": "1h" });
    let world = start_with(&patient);
    let close = "Connection: close\r\n";
    let post = "POST /v1/auth/jwt/login HTTP/1.1\r\nHost: x\r\n";
    let many = |count: usize| {
        (0..count)
            .map(|number| format!("X-{number}: 1\r\n"))
            .collect::<String>()
    };
    let requests = [
        (
            "50 headers",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}{close}\r\n", many(50)),
        ),
        (
            "200 headers",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}{close}\r\n", many(200)),
        ),
        (
            "a header of 20 kB",
            format!(
                "GET /healthz HTTP/1.1\r\nHost: x\r\nA: {}\r\n{close}\r\n",
                "a".repeat(20_000)
            ),
        ),
        (
            "a path of 20 kB",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n{close}\r\n", "a".repeat(20_000)),
        ),
        ("no HTTP", "\x16\x03\x01\x02garbage\r\n\r\n".to_owned()),
        (
            "a body that is too large",
            format!("{post}Content-Length: 2000\r\n\r\n{}", "a".repeat(2000)),
        ),
        (
            "a chunked body that is too large",
            format!(
                "{post}Transfer-Encoding: chunked\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n",
                "a".repeat(2000)
            ),
        ),
        (
            "length and chunks",
            format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            "two lengths",
            format!("{post}Content-Length: 5\r\nContent-Length: 6\r\n{close}\r\nabcde"),
        ),
        (
            "a length with a sign",
            format!("{post}Content-Length: +5\r\n{close}\r\nabcde"),
        ),
        (
            "chunks that are not the last encoding",
            format!("{post}Transfer-Encoding: chunked, identity\r\n{close}\r\nabcde"),
        ),
        (
            "a space before a colon",
            format!("GET /healthz HTTP/1.1\r\nHost : x\r\n{close}\r\n"),
        ),
        (
            "a folded header",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n{close}\r\n"),
        ),
        (
            "a NUL in a header",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n{close}\r\n"),
        ),
        (
            "a bare CR in a header",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n{close}\r\n"),
        ),
        (
            "an encoded slash",
            format!("GET /v1/auth%2Fjwt/config HTTP/1.1\r\nHost: x\r\n{close}\r\n"),
        ),
        (
            "dots in the path",
            format!("GET /v1/../metrics HTTP/1.1\r\nHost: x\r\n{close}\r\n"),
        ),
        (
            "HTTP/2 without an agreement",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        ),
        (
            "CONNECT",
            format!("CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n{close}\r\n"),
        ),
        (
            "a whole URL",
            format!("GET http://evil.example/healthz HTTP/1.1\r\nHost: x\r\n{close}\r\n"),
        ),
        (
            "three requests at once",
            format!(
                "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n\
                 GET /nothing HTTP/1.1\r\nHost: x\r\n{close}\r\n"
            ),
        ),
        ("deep JSON", {
            let body = "[".repeat(900);
            format!("{post}Content-Length: {}\r\n{close}\r\n{body}", body.len())
        }),
    ];
    let mut rows: Vec<_> = requests
        .iter()
        .map(|(what, bytes)| (*what, outcome(&world, bytes)))
        .collect();
    assert_eq!(world.get("/healthz", &[]).status, 200);
    let hasty = start_with(&json!({ "header_timeout": "100ms" }));
    rows.push(("nothing", outcome(&hasty, "")));
    rows.push((
        "a header without an end",
        outcome(&hasty, "GET / HTTP/1.1\r\nHost: x\r\nA: "),
    ));
    let mut half = connect(world.address());
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    rows.push(("a request, and the end of the client's half", answers(&mut half)));
    let hasty = start_with(&json!({ "header_timeout": "1h", "body_timeout": "100ms" }));
    let late = outcome(&hasty, &format!("{post}Content-Length: 10\r\n\r\nabc"));
    rows.push(("a body that does not arrive", late));
    compare_with_page(&rows);
}

fn compare_with_page(rows: &[(&str, String)]) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/hostile-clients.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let lines: String = rows
        .iter()
        .map(|(what, answer)| format!("| {what} | {answer} |\n"))
        .collect();
    let expected = format!("{before}{BEGIN}| what | answer |\n|---|---|\n{lines}{END}{after}");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(path, &expected).unwrap();
        return;
    }
    assert_eq!(page, expected, "UPDATE_GENERATED=1 writes the page again");
}

const BEGIN: &str = "<!-- jwtauth-server: begin -->\n";
const END: &str = "<!-- jwtauth-server: end -->\n";

#[test]
fn an_answer_that_a_store_delays_is_503() {
    // A server that accepts connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let store = json!({ "memory": null, "redis": { "url": url, "timeout": "1h" } });
    let config =
        json!({ "server": { "vault": {}, "store": store, "limits": { "answer_timeout": "100ms" } } });
    let world = start(&config);
    let answer = world.ask("POST", "/v1/auth/jwt/login", &[], "{}");
    assert_eq!(
        (answer.status, answer.header("Retry-After")),
        (503, Some("1")),
        "{answer:?}"
    );
    // The call of the store ends with its server, and then so does this one.
    drop(silent);
}

#[test]
fn connections_beyond_the_limit_wait_until_others_end() {
    let world = start_with(&json!({ "connections": 2, "header_timeout": "1s" }));
    let idle = [connect(world.address()), connect(world.address())];
    // The idle ones are closed after a second, and this one is answered.
    assert_eq!(world.get("/healthz", &[]).status, 200);
    drop(idle);
}

#[test]
fn hundreds_of_idle_connections_do_not_matter() {
    let world = start_with(&json!({}));
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
    let world = start_with(&json!({}));
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
