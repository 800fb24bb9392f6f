//! A server on a free port of loopback, the files that it reads, and a client that shows every byte.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jwtauth_server::{Invalid, Options, Server};
use jwtauth_testkit::case::Description;
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::mint;
use serde_json::{Value, json};

pub(crate) static RING: LazyLock<Keyring> = LazyLock::new(|| Keyring::load().unwrap());
/// The time of all tokens. It is read once.
static NOW: LazyLock<i64> = LazyLock::new(|| jiff::Timestamp::now().as_second());

pub(crate) const ADMIN: &str = "admin-0123456789abcdef";

/// A token that is valid for five minutes, with these further claims; `null` removes one.
pub(crate) fn token(claims: &Value) -> String {
    signed("ec256-1", claims)
}

/// The same with another key.
pub(crate) fn signed(key: &str, claims: &Value) -> String {
    let mut all = json!({
        "iss": "https://issuer.example", "sub": "alice", "aud": "api", "iat": *NOW, "exp": *NOW + 300,
        "email": "alice@example.com", "groups": ["eng", "ops"],
    });
    jwtauth_testkit::case::merge(&mut all, claims);
    let description: Description =
        serde_json::from_value(json!({ "key": key, "alg": "ES256", "claims": all })).unwrap();
    mint::token(&description, &RING).unwrap()
}

/// A token that has expired an hour ago.
pub(crate) fn expired() -> String {
    expired_for(3600)
}

/// A token that has expired some seconds ago.
pub(crate) fn expired_for(seconds: i64) -> String {
    token(&json!({ "iat": *NOW - 7200, "exp": *NOW - seconds }))
}

pub(crate) fn pem() -> String {
    RING.public_pem("ec256-1").unwrap()
}

/// An empty folder, which is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // The path of a socket must be short.
        let path = std::env::temp_dir().join(format!("jwtauth-srv-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server, and its files.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) folder: Folder,
}

/// Starts a server with this configuration, on a free port. The member `server` gets what tests need.
pub(crate) fn start(config: &Value) -> World {
    let folder = Folder::new();
    let server = try_start(&folder, config).unwrap();
    World { server, folder }
}

pub(crate) fn try_start(folder: &Folder, config: &Value) -> Result<Server, Invalid> {
    folder.write("admin.token", &format!("{ADMIN}\n"));
    let path = folder.write("config.json", &complete(config).to_string());
    let mut options = Options::default();
    options.configs = vec![path];
    options.listen = vec!["127.0.0.1:0".to_owned()];
    Server::start(options)
}

/// The configuration with a quiet log, and with sessions in memory unless it has others.
pub(crate) fn complete(config: &Value) -> Value {
    let mut all = json!({ "server": { "log": "off", "store": { "memory": {} } } });
    jwtauth_testkit::case::merge(&mut all, config);
    all
}

impl World {
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    /// Replaces the configuration, and reloads it.
    pub(crate) fn reload(&self, config: &Value) -> Result<(), Invalid> {
        self.folder.write("config.json", &complete(config).to_string());
        self.server.reload()
    }

    /// Sends a request with a body, on a connection of its own.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        ask(self.address(), method, path, headers, body)
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers, "")
    }
}

pub(crate) fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" || method == "PUT" {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str(&format!("\r\n{body}"));
    raw(address, text.as_bytes())
}

/// Sends bytes, and reads until the server closes the connection.
pub(crate) fn raw(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = connect(address);
    // A server that refuses a request may close the connection before it has read all of it.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Answer::read(&answer)
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// An answer, read completely. Status 0: there was none.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn read(bytes: &[u8]) -> Answer {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok())
            .unwrap_or(0);
        let headers = lines.filter_map(|line| line.split_once(": "));
        Answer {
            status,
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }
}
