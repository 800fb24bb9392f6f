//! `jwtauth playground`, as a program; `tests/playground` tests its page in a browser.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use super::jwtauth;

/// A running playground, which ends with the test.
struct Playground {
    program: Child,
    authority: String,
    key: String,
}

impl Playground {
    fn start(arguments: &[&str]) -> Playground {
        Playground::start_with_path(arguments, &std::env::var("PATH").unwrap())
    }

    fn start_with_path(arguments: &[&str], path: &str) -> Playground {
        let mut program = Command::new(env!("CARGO_BIN_EXE_jwtauth"))
            .arg("playground")
            .args(arguments)
            .env("PATH", path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(program.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        let (authority, key) = url
            .trim_ascii_end()
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once("/#"))
            .unwrap();
        Playground {
            authority: authority.to_owned(),
            key: key.to_owned(),
            program,
        }
    }

    /// Sends a request, and returns the status and the text of the reply.
    fn send(&self, request: &str, headers: &[&str], body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let length = body.len();
        let head =
            format!("{request} HTTP/1.1\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let status = reply.split(' ').nth(1).unwrap().parse().unwrap();
        (status, reply)
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn only_loopback_is_listened_on() {
    for address in ["0.0.0.0:0", "192.0.2.1:8080", "[::]:0"] {
        let run = jwtauth(["playground", "--listen", address]);
        assert_eq!(run.code, 2, "{address}: {}", run.out);
        assert!(run.err.contains("is not on loopback"), "{address}: {}", run.err);
        assert_eq!(run.out, "", "{address}");
    }
}

#[test]
fn requests_are_answered_with_the_key_and_their_status() {
    let playground = Playground::start(&[]);
    let host = format!("Host: {}", playground.authority);
    let key = format!("Authorization: Bearer {}", playground.key);
    let json = "Content-Type: application/json";
    let question = r#"{"config":"{","token":""}"#;
    let own = [host.as_str(), key.as_str(), json];

    let (status, page) = playground.send("GET /", &[&host], "");
    assert_eq!(status, 200);
    assert!(
        page.contains("content-security-policy: default-src 'none';"),
        "{page}"
    );
    assert!(page.contains("cache-control: no-store"), "{page}");
    assert!(!page.contains(&playground.key));
    let (status, reply) = playground.send("POST /api/explain", &own, question);
    assert_eq!(status, 200, "{reply}");
    assert!(reply.contains(r#""code":"config_invalid""#), "{reply}");
    assert_eq!(playground.send("POST /api/examples", &own, "{}").0, 200);

    let large = format!(r#"{{"config":"{}"}}"#, "x".repeat(4 * 1024 * 1024));
    for (expected, request, headers, body) in [
        (403, "POST /api/explain", vec![host.as_str(), json], question),
        (
            403,
            "POST /api/explain",
            vec![&host, "Authorization: Bearer x", json],
            question,
        ),
        (
            403,
            "POST /api/explain",
            vec!["Host: localhost", &key, json],
            question,
        ),
        (403, "GET /", vec!["Host: rebound.example"], ""),
        (
            403,
            "POST /api/explain",
            vec![&host, &key, json, "Origin: http://a.example"],
            question,
        ),
        (405, "GET /api/explain", vec![&host, &key], ""),
        (405, "PUT /api/explain", vec![&host, &key, json], question),
        (404, "GET /etc/passwd", vec![&host, &key], ""),
        (
            415,
            "POST /api/explain",
            vec![&host, &key, "Content-Type: text/plain"],
            question,
        ),
        (413, "POST /api/explain", own.to_vec(), large.as_str()),
        (400, "POST /api/explain", vec![&host, &key, &key, json], question),
    ] {
        let (status, reply) = playground.send(request, &headers, body);
        assert_eq!(status, expected, "{request} {headers:?}: {reply}");
    }
}

#[test]
fn the_browser_is_opened_only_without_access_to_files_and_servers() {
    for option in ["--fetch", "--files"] {
        let run = jwtauth(["playground", "--open", option]);
        assert_eq!(run.code, 2, "{option}: {}", run.out);
        assert!(run.err.contains("cannot be used with"), "{}", run.err);
    }
}

/// A program `xdg-open` that writes its argument into a pipe.
#[cfg(target_os = "linux")]
#[test]
fn the_browser_gets_the_address() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("playground-open");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let pipe = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let opener = folder.join("xdg-open");
    std::fs::write(
        &opener,
        format!("#!/bin/sh\nprintf %s \"$1\" >'{}'\n", pipe.display()),
    )
    .unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());

    let playground = Playground::start_with_path(&["--open"], &path);

    let opened = std::fs::read_to_string(&pipe).unwrap();
    assert_eq!(
        opened,
        format!("http://{}/#{}", playground.authority, playground.key)
    );
}

#[test]
fn other_addresses_of_loopback_may_be_chosen() {
    let playground = Playground::start(&["--listen", "[::1]:0"]);
    assert!(
        playground.authority.starts_with("[::1]:"),
        "{}",
        playground.authority
    );
    let host = format!("Host: {}", playground.authority);
    assert_eq!(playground.send("GET /", &[&host], "").0, 200);
}
