//! Tests of the client against loopback servers with fixed responses. The test kit tests TLS.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use super::*;

/// Serves each connection with the next of these functions, and returns the head of each request.
fn server(answers: Vec<fn(&mut TcpStream)>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys?secret=hush", listener.local_addr().unwrap());
    let (heads, seen) = mpsc::channel();
    std::thread::Builder::new()
        .spawn(move || {
            for answer in answers {
                let (mut connection, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    connection.read_exact(&mut byte).unwrap();
                    head.extend(byte);
                }
                // The test may already have ended.
                let _ = heads.send(String::from_utf8(head).unwrap());
                answer(&mut connection);
            }
        })
        .unwrap();
    (url, seen)
}

fn send(connection: &mut TcpStream, text: &str) {
    // The client may already have closed the connection.
    let _ = connection.write_all(text.as_bytes());
}

fn settings() -> FetchSettings {
    FetchSettings {
        proxy: ProxyRule::None,
        ..FetchSettings::default()
    }
}

fn open(remote: &FetchSettings) -> Client {
    Client::open(remote, &Files::below("/nowhere")).unwrap()
}

fn request(url: &str, timeout: Duration, max_bytes: u64) -> FetchRequest<'_> {
    FetchRequest {
        url,
        accept: "application/json",
        timeout,
        max_bytes,
        if_none_match: Some("\"a\""),
        if_modified_since: None,
    }
}

fn get(url: &str, remote: &FetchSettings) -> Result<Fetched, FetchFailed> {
    open(remote).get(&request(url, Duration::from_secs(20), 100))
}

/// The failure of a fetch from a server with this response.
fn failure(answer: fn(&mut TcpStream)) -> FetchFailed {
    let (url, _seen) = server(vec![answer]);
    let failed = get(&url, &settings()).unwrap_err();
    assert!(!failed.to_string().contains("hush"), "{failed}");
    failed
}

#[test]
fn a_document_is_fetched_with_its_freshness_headers() {
    let (url, seen) = server(vec![|to| {
        send(
            to,
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: public\r\ncache-control: max-age=9\r\nETag: \"b\"\r\nX: y\r\n\r\n{}",
        )
    }]);
    let fetched = get(&url, &settings()).unwrap();
    assert_eq!((fetched.status, fetched.body.as_slice()), (200, b"{}".as_slice()));
    assert_eq!(fetched.cache_control.as_deref(), Some("public, max-age=9"));
    assert_eq!(fetched.etag.as_deref(), Some("\"b\""));
    let head = seen.recv().unwrap().to_ascii_lowercase();
    assert!(head.starts_with("get /keys?secret=hush http/1.1\r\n"), "{head}");
    for line in [
        "host: 127.0.0.1:",
        "accept: application/json",
        "if-none-match: \"a\"",
        "accept-encoding: identity",
        "user-agent: libjwtauth/",
    ] {
        assert!(head.contains(&format!("\r\n{line}")), "{head}");
    }
    assert!(!head.contains("authorization"), "{head}");
}

#[test]
fn a_status_other_than_200_has_no_body() {
    let (url, _seen) = server(vec![|to| {
        send(to, "HTTP/1.1 503 Hush\r\nContent-Length: 4\r\n\r\nhush");
    }]);
    let fetched = get(&url, &settings()).unwrap();
    assert_eq!((fetched.status, fetched.body.len()), (503, 0));
}

#[test]
fn a_failure_names_its_phase_and_how_much_was_read() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let unused = format!("http://{}/?hush", listener.local_addr().unwrap());
    drop(listener);
    let failed = get(&unused, &settings()).unwrap_err();
    assert_eq!(failed.phase, Phase::Connect, "{failed}");
    assert!(failed.reason.contains("refused"), "{failed}");

    let failed = get(
        // A label has at most 63 bytes, so the system does not ask a name server.
        &format!("https://{}.invalid/?hush", "a".repeat(64)),
        &FetchSettings {
            insecure_skip_verify: true,
            ..settings()
        },
    );
    assert_eq!(failed.unwrap_err().phase, Phase::Dns);

    let failed = failure(|_| ());
    assert_eq!((failed.phase, failed.status), (Phase::Http, None), "{failed}");
    assert_eq!(failed.reason, "the connection was closed early");

    let failed = failure(|to| send(to, "220 hush\r\n\r\n"));
    assert_eq!(
        (failed.phase, failed.reason.as_str()),
        (Phase::Http, "the response is not valid HTTP")
    );

    let failed = failure(|to| {
        let header = format!("X: {}\r\n", "hush".repeat(300));
        send(to, &format!("HTTP/1.1 200 OK\r\n{}\r\n", header.repeat(80)));
    });
    assert_eq!(
        (failed.phase, failed.reason.as_str()),
        (Phase::Http, "the response headers are too large")
    );

    let failed = failure(|to| send(to, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhush"));
    assert_eq!(
        (failed.phase, failed.status, failed.bytes_read),
        (Phase::Http, Some(200), 4),
        "{failed}"
    );
}

#[test]
fn a_body_is_not_read_beyond_the_limit() {
    let failed = failure(|to| send(to, "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n"));
    assert_eq!((failed.status, failed.bytes_read), (Some(200), 0));
    assert_eq!(failed.reason, "the response body is larger than 100 bytes");
    let failed = failure(|to| send(to, &format!("HTTP/1.1 200 OK\r\n\r\n{}", "hush".repeat(100_000))));
    assert_eq!((failed.status, failed.bytes_read), (Some(200), 101));
    let (url, _seen) = server(vec![|to| {
        send(to, &format!("HTTP/1.1 200 OK\r\n\r\n{}", "a".repeat(100)));
    }]);
    assert_eq!(get(&url, &settings()).unwrap().body.len(), 100);
}

#[test]
fn the_deadline_applies_to_a_body_that_never_ends() {
    let (url, _seen) = server(vec![|to| {
        send(to, "HTTP/1.1 200 OK\r\n\r\n");
        // A time limit for each read would not end this. The limit of size turns a hang into a failure.
        while to.write_all(b" ").is_ok() {}
    }]);
    let failed = open(&settings())
        .get(&request(&url, Duration::from_secs(1), 1 << 24))
        .unwrap_err();
    assert_eq!((failed.phase, failed.status), (Phase::Http, Some(200)));
    assert_eq!(failed.reason, "the response timed out");
}

#[test]
fn no_request_is_sent_after_the_deadline() {
    let (url, seen) = server(vec![|_| ()]);
    let failed = open(&settings())
        .get(&request(&url, Duration::ZERO, 100))
        .unwrap_err();
    assert!(failed.reason.contains("timed out"), "{failed}");
    assert!(seen.try_recv().is_err());
}

#[test]
fn redirects_are_followed_up_to_the_limit() {
    const AGAIN: fn(&mut TcpStream) = |to| {
        send(
            to,
            "HTTP/1.1 302 Found\r\nLocation: ../again\r\nContent-Length: 4\r\n\r\nhush",
        );
    };
    const DONE: fn(&mut TcpStream) = |to| send(to, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let following = |redirects| FetchSettings {
        redirects,
        ..settings()
    };
    let (url, seen) = server(vec![AGAIN, AGAIN, DONE]);
    assert!(get(&url, &following(2)).is_ok());
    assert!(seen.iter().nth(1).unwrap().starts_with("GET /again HTTP/1.1\r\n"));

    let (url, seen) = server(vec![AGAIN, AGAIN, AGAIN, DONE]);
    let failed = get(&url, &following(2)).unwrap_err();
    assert_eq!(failed.reason, "too many redirects: more than 2");
    assert_eq!(seen.try_iter().count(), 3);

    let (url, _seen) = server(vec![AGAIN]);
    let failed = get(&url, &following(0)).unwrap_err();
    assert_eq!((failed.phase, failed.status), (Phase::Http, Some(302)));
    assert_eq!(
        failed.reason,
        "a redirect, which is not allowed (`redirects` is 0)"
    );

    let (url, _seen) = server(vec![|to| {
        send(
            to,
            "HTTP/1.1 301 Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
        );
    }]);
    let failed = get(&url, &following(3)).unwrap_err();
    assert!(failed.reason.contains("another scheme, host or port"), "{failed}");
    assert_eq!(failed.status, Some(301));

    let (url, _seen) = server(vec![|to| send(to, "HTTP/1.1 307 X\r\nContent-Length: 0\r\n\r\n")]);
    assert_eq!(
        get(&url, &following(3)).unwrap_err().reason,
        "a redirect without a `Location` header"
    );
}

/// A temporary file of a test. It is removed when dropped.
struct TempFile(std::path::PathBuf);

impl TempFile {
    fn new(name: &str, text: &[u8]) -> TempFile {
        let path = std::env::temp_dir().join(format!("jwtauth-client-{name}-{}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        TempFile(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_bearer_token_is_one_line_of_ascii() {
    let file = TempFile::new("bearer", b"");
    let remote = FetchSettings {
        bearer_token_file: Some(file.0.clone()),
        ..settings()
    };
    let write = |text: &[u8]| std::fs::write(&file.0, text).unwrap();
    for (text, sent) in [
        ("one\n", "Bearer one"),
        (" \tBearer two\r\n", "Bearer two"),
        ("bearer three", "Bearer bearer three"),
    ] {
        write(text.as_bytes());
        assert_eq!(**authorization(&remote).unwrap().as_ref().unwrap(), *sent);
    }
    let client = {
        write(b"good");
        open(&remote)
    };
    for text in ["", " \n", "hush\nX: y", "hush\u{e9}", "hush\0", "\u{feff}hush"] {
        write(text.as_bytes());
        let why = Client::open(&remote, &Files::below("")).unwrap_err();
        assert_eq!(why.code(), Code::ConfigInvalid, "{text:?}");
        let failed = client
            .get(&request("http://127.0.0.1:1/", Duration::from_secs(1), 1))
            .unwrap_err();
        assert_eq!(failed.phase, Phase::Http, "{text:?}");
        for said in [why.to_string(), failed.to_string()] {
            assert!(
                said.contains("bearer_token_file") && !said.contains("hush"),
                "{said}"
            );
        }
    }
    write(b"\xff\xfehush");
    assert!(Client::open(&remote, &Files::below("")).is_err());
}

#[test]
fn inconsistent_settings_are_refused_when_the_client_is_opened() {
    let text = |text: &str| Some(text.to_owned());
    let path = || Some("missing.pem".into());
    let secret = |text: &str| Some(crate::policy::Secret::new(text.into()));
    for (remote, said) in [
        (
            FetchSettings {
                ca_pem: text("none"),
                ..settings()
            },
            "`ca_pem` contains no PEM certificate",
        ),
        (
            FetchSettings {
                ca_pem: text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                ..settings()
            },
            "`ca_pem` contains no valid certificate",
        ),
        (
            FetchSettings {
                ca_file: path(),
                ..settings()
            },
            "`ca_file`: cannot read `/nowhere/missing.pem`",
        ),
        (
            FetchSettings {
                ca_pem: text("a"),
                ca_file: path(),
                ..settings()
            },
            "`ca_pem` and `ca_file`",
        ),
        (
            FetchSettings {
                client_cert_pem: text("a"),
                ..settings()
            },
            "must be set together",
        ),
        (
            FetchSettings {
                client_key_pem: secret("hush"),
                ..settings()
            },
            "must be set together",
        ),
        (
            FetchSettings {
                client_cert_pem: text("a"),
                client_key_pem: secret("hush"),
                ..settings()
            },
            "`client_cert_pem` contains no PEM certificate",
        ),
        (
            FetchSettings {
                client_key_pem: secret("hush"),
                client_key_file: path(),
                ..settings()
            },
            "`client_key_pem` and `client_key_file`",
        ),
    ] {
        let why = Client::open(&remote, &Files::below("/nowhere")).unwrap_err();
        assert_eq!(why.code(), Code::ConfigInvalid);
        let why = why.to_string();
        assert!(why.contains(said) && !why.contains("hush"), "{why}");
    }
}

#[test]
fn proxies_of_the_environment_are_used_unless_disabled() {
    let socks = |name: &str| (name == "HTTPS_PROXY").then(|| OsString::from("socks5://hush"));
    assert!(Client::open_with(&FetchSettings::default(), &Files::below(""), socks).is_err());
    assert!(Client::open_with(&settings(), &Files::below(""), socks).is_ok());
}

#[test]
fn the_limit_for_connections_grows_with_the_timeout() {
    for (timeout, limit) in [(1, 2), (5, 2), (60, 24)] {
        assert_eq!(
            connect_limit(Duration::from_secs(timeout)),
            Duration::from_secs(limit)
        );
    }
    assert!(connect_limit(Duration::MAX) < Duration::MAX);
}
