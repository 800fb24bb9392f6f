//! Proxies and authorities that the library's own client reads from the environment. Each case runs in a separate
//! process, because an environment belongs to a process.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::mint;
use jwtauth_testkit::server::{Answer, Authority, Behaviour, Server, Tls};
use serde_json::{Value, json};

const PROXIES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "no_proxy",
];

/// Variables and their values.
type Environment<'e> = [(&'e str, &'e dyn AsRef<OsStr>)];

/// A key server with a certificate for `elsewhere.example`, which is reachable only through the test's proxy.
fn elsewhere() -> Server {
    serving(Tls::WrongHost)
}

fn serving(tls: Tls) -> Server {
    let keys = Keyring::load().unwrap();
    let set = json!({ "keys": [keys.get("rsa-1").unwrap().jwk("rsa-1")] });
    Server::start(Behaviour {
        tls: Some(tls),
        ..Behaviour::answering("/keys", Answer::json(set))
    })
    .unwrap()
}

fn port(server: &Server) -> &str {
    server.url().rsplit(':').next().unwrap()
}

/// The folder of a case's files.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("environment-{name}"));
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn root() -> String {
    let mut files = Authority::shared().unwrap().files().into_iter();
    files.find(|(name, _)| *name == "ca.pem").unwrap().1
}

/// Decides about a valid token in this environment; returns the exit code and the output of the program.
fn verify(name: &str, url: &str, settings: Value, environment: &Environment<'_>) -> (Option<i32>, String) {
    let mut source = json!({ "jwks_url": url, "timeout": "30s" });
    for (name, value) in settings.as_object().unwrap() {
        source
            .as_object_mut()
            .unwrap()
            .insert(name.clone(), value.clone());
    }
    let config = json!({ "dialect": "native",
        "config": { "keys": [source], "algorithms": ["RS256"], "issuer": null, "kid": "match" } });
    let file = directory(name).join("verifier.json");
    std::fs::write(&file, config.to_string()).unwrap();
    let token = json!({ "key": "rsa-1", "alg": "RS256", "kid": "@",
        "claims": { "sub": "alice", "exp": 4_102_444_800_u64 } });
    let token = mint::token(
        &serde_json::from_str(&token.to_string()).unwrap(),
        &Keyring::load().unwrap(),
    );
    let mut program = Command::new(env!("CARGO_BIN_EXE_jwtauth"));
    for variable in PROXIES.iter().chain(&["SSL_CERT_FILE", "SSL_CERT_DIR"]) {
        program.env_remove(variable);
    }
    for (variable, value) in environment {
        program.env(variable, value.as_ref());
    }
    let run = program
        .args(["verify", "--config"])
        .arg(file)
        .arg(token.unwrap())
        .output()
        .unwrap();
    let said = [run.stdout, run.stderr]
        .map(|text| String::from_utf8(text).unwrap())
        .concat();
    assert!(!said.contains("hush") && !said.contains("panicked"), "{said}");
    (run.status.code(), said)
}

/// A proxy that connects to loopback for every name, or refuses. It reports the requests that it received.
fn proxy(refuses: bool) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (asked, heads) = mpsc::channel();
    let run = move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read_exact(&mut byte).is_ok() {
                head.extend(byte);
            }
            let head = String::from_utf8(head).unwrap();
            let port = head.split([':', ' ']).nth(2).unwrap().to_owned();
            // The test may have ended.
            let _ = asked.send(head);
            if refuses {
                let _ = client.write_all(b"HTTP/1.1 403 hush\r\nContent-Length: 4\r\n\r\nhush");
                continue;
            }
            let server = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
            client.write_all(b"HTTP/1.1 200 Fine\r\n\r\n").unwrap();
            let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            pump(up, server);
            pump(down, client);
        }
    };
    thread::Builder::new().spawn(run).unwrap();
    (address, heads)
}

/// Copies data until either side closes the connection.
fn pump(mut from: TcpStream, mut to: TcpStream) {
    let run = move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    };
    thread::Builder::new().spawn(run).unwrap();
}

#[test]
fn keys_come_through_the_proxy_of_the_environment() {
    let server = elsewhere();
    let (address, asked) = proxy(false);
    let url = format!("https://elsewhere.example:{}/keys", port(&server));
    let proxy = format!("http://user:hush@{address}");
    let (code, said) = verify(
        "proxy",
        &url,
        json!({ "ca_pem": root() }),
        &[("HTTPS_PROXY", &proxy)],
    );
    assert_eq!(code, Some(0), "{said}");
    let head = asked.recv().unwrap();
    assert!(
        head.starts_with(&format!("CONNECT elsewhere.example:{} ", port(&server))),
        "{head}"
    );
    // user:hush
    assert!(
        head.contains("Proxy-Authorization: Basic dXNlcjpodXNo\r\n"),
        "{head}"
    );
    assert_eq!(server.requests(), 1);
}

#[test]
fn a_proxy_can_be_bypassed() {
    let server = elsewhere();
    let (address, asked) = proxy(false);
    let url = format!("https://elsewhere.example:{}/keys", port(&server));
    let own = json!({ "ca_pem": root() });
    let none = json!({ "ca_pem": root(), "proxy": "none" });
    let cases: [(Value, &Environment<'_>); 4] = [
        (none, &[("HTTPS_PROXY", &address)]),
        (
            own.clone(),
            &[
                ("HTTPS_PROXY", &address),
                ("NO_PROXY", &"a.example, elsewhere.example"),
            ],
        ),
        (own.clone(), &[("https_proxy", &address), ("no_proxy", &"*")]),
        (own, &[("HTTP_PROXY", &address), ("ALL_PROXY", &address)]),
    ];
    for (settings, environment) in cases {
        let (code, said) = verify("no-proxy", &url, settings, environment);
        assert_eq!(code, Some(3), "{said}");
        assert!(
            said.contains("keys: dns: "),
            "only the proxy knows the name: {said}"
        );
    }
    // Loopback is reached without a proxy.
    let here = serving(Tls::Good);
    let url = format!("{}/keys", here.url());
    let (code, said) = verify(
        "loopback",
        &url,
        json!({ "ca_pem": root() }),
        &[("HTTPS_PROXY", &address)],
    );
    assert_eq!(code, Some(0), "{said}");
    assert!(asked.try_recv().is_err());
}

#[test]
fn a_failing_proxy_is_not_bypassed() {
    let server = elsewhere();
    let url = format!("https://elsewhere.example:{}/keys?hush", port(&server));
    let own = || json!({ "ca_pem": root() });
    let (address, _asked) = proxy(true);
    let refusing = format!("http://user:hush@{address}");
    let (code, said) = verify("refusing", &url, own(), &[("HTTPS_PROXY", &refusing)]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("connect: the proxy refused the connection"),
        "{said}"
    );

    let (code, said) = verify(
        "down",
        &url,
        own(),
        &[("HTTPS_PROXY", &"http://user:hush@127.0.0.1:1")],
    );
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("connect: Connection refused"), "{said}");

    let (code, said) = verify(
        "socks",
        &url,
        own(),
        &[("HTTPS_PROXY", &"socks5://user:hush@127.0.0.1:1")],
    );
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("`HTTPS_PROXY` is not the URL of an http or https proxy"),
        "{said}"
    );
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_proxy_over_tls_is_checked_by_the_same_rules() {
    // A server with TLS that does not support CONNECT: its certificate is checked before.
    let (wrong, right) = (serving(Tls::WrongHost), serving(Tls::Good));
    let url = "https://elsewhere.example/keys";
    let own = || json!({ "ca_pem": root() });
    let (code, said) = verify("tls-proxy", url, own(), &[("HTTPS_PROXY", &wrong.url())]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("tls: the server's certificate is not valid for this host name"),
        "{said}"
    );
    let (code, said) = verify("tls-proxy", url, own(), &[("HTTPS_PROXY", &right.url())]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("connect: the proxy refused the connection"),
        "{said}"
    );
    assert_eq!((wrong.requests(), right.requests()), (0, 1));
}

#[test]
fn the_systems_authorities_can_be_set() {
    let server = serving(Tls::Good);
    let url = format!("{}/keys", server.url());
    let directory = directory("authorities");
    let file = directory.join("root.pem");
    std::fs::write(&file, root()).unwrap();
    let (code, said) = verify("ssl-file", &url, json!({}), &[("SSL_CERT_FILE", &file)]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = verify("ssl-dir", &url, json!({}), &[("SSL_CERT_DIR", &directory)]);
    assert_eq!(code, Some(0), "{said}");

    let missing = directory.join("missing.pem");
    let (code, said) = verify("ssl-missing", &url, json!({}), &[("SSL_CERT_FILE", &missing)]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("tls: no trusted certificate authorities found on this system: "),
        "{said}"
    );

    let stranger = directory.join("stranger");
    std::fs::write(
        &stranger,
        Keyring::load().unwrap().certificate_pem("rsa-1").unwrap(),
    )
    .unwrap();
    let (code, said) = verify("ssl-other", &url, json!({}), &[("SSL_CERT_FILE", &stranger)]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("is not trusted (unknown certificate authority)"),
        "{said}"
    );
    // Only the authorities of the settings are used.
    let (code, said) = verify(
        "ssl-own",
        &url,
        json!({ "ca_pem": root() }),
        &[("SSL_CERT_FILE", &stranger)],
    );
    assert_eq!(code, Some(0), "{said}");
    let others = json!({ "ca_file": stranger });
    let (code, said) = verify("ssl-others", &url, others, &[("SSL_CERT_FILE", &file)]);
    assert_eq!(code, Some(3), "{said}");
}

#[cfg(unix)]
#[test]
fn variables_that_are_not_text_are_harmless() {
    use std::os::unix::ffi::OsStrExt;
    let strange = OsStr::from_bytes(b"http://\xff\xfe:1");
    let server = serving(Tls::Good);
    let url = format!("{}/keys", server.url());
    let (code, said) = verify(
        "strange-proxy",
        &url,
        json!({ "ca_pem": root() }),
        &[("HTTPS_PROXY", &strange)],
    );
    assert_eq!(code, Some(2), "{said}");
    let none = json!({ "ca_pem": root(), "proxy": "none" });
    let (code, said) = verify("strange-passed-over", &url, none, &[("HTTPS_PROXY", &strange)]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = verify("strange-file", &url, json!({}), &[("SSL_CERT_FILE", &strange)]);
    assert_eq!(code, Some(3), "{said}");
}
