//! Starting, reloading and stopping; sockets, TLS, and the endpoints about the server itself.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use jwtauth_server::{Options, Server};
use jwtauth_testkit::server::Authority;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use crate::world::{Answer, Folder, World, complete, connect, pem, start, token, try_start};

fn native() -> Value {
    json!({
        "dialect": "native",
        "config": { "keys": [{ "pem": pem() }], "algorithms": ["ES256"], "issuer": "https://issuer.example", "audiences": ["api"] },
    })
}

fn status(world: &World) -> u16 {
    world
        .get(
            "/auth",
            &[("Authorization", &format!("Bearer {}", token(&json!({}))))],
        )
        .status
}

#[test]
fn a_reload_keeps_the_old_configuration_when_the_new_one_is_invalid() {
    let world = start(&native());
    assert_eq!(status(&world), 200);
    let mut broken = native();
    broken["config"]["algorithms"] = json!(["none"]);
    assert!(world.reload(&broken).is_err());
    assert_eq!(status(&world), 200);
    world.folder.write("config.json", "{");
    assert!(world.server.reload().is_err());
    assert_eq!(status(&world), 200);
    let mut other = native();
    other["config"]["audiences"] = json!(["other"]);
    world.reload(&other).unwrap();
    assert_eq!(status(&world), 401);
    let mut limits = other.clone();
    limits["server"] = json!({ "limits": { "headers": 7 } });
    let why = world.reload(&limits).unwrap_err().to_string();
    assert!(why.contains("`server.limits`: cannot change"), "{why}");
    let metrics = world.get("/metrics", &[]).body;
    assert!(metrics.contains("\njwtauth_reloads_total 1\n"), "{metrics}");
    assert!(
        metrics.contains("\njwtauth_failed_reloads_total 3\n"),
        "{metrics}"
    );
}

#[test]
fn metrics_count_requests_and_decisions() {
    let world = start(&native());
    assert_eq!(status(&world), 200);
    assert_eq!(world.get("/auth", &[]).status, 401);
    assert_eq!(world.get("/nothing", &[]).status, 404);
    let text = world.get("/metrics", &[]).body;
    for line in [
        "jwtauth_requests_total{endpoint=\"auth\",status=\"200\"} 1",
        "jwtauth_requests_total{endpoint=\"auth\",status=\"401\"} 1",
        "jwtauth_requests_total{endpoint=\"unknown\",status=\"404\"} 1",
        "jwtauth_request_seconds_count{endpoint=\"auth\"} 2",
        "jwtauth_decisions_total{verifier=\"auth\",outcome=\"granted\"} 1",
        "jwtauth_decisions_total{verifier=\"auth\",outcome=\"token_missing\"} 1",
        "jwtauth_connections_total 4",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}\n{text}");
    }
}

#[test]
fn the_server_tells_whether_it_lives_and_is_ready() {
    let world = start(&native());
    assert_eq!(world.get("/healthz", &[]).body, "ok\n");
    assert_eq!(world.get("/readyz", &[]).body, "ready\n");
    assert_eq!(world.ask("POST", "/healthz", &[], "").status, 405);
    let description = world.get("/openapi.json", &[]).json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3."));
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_configuration_that_serves_nothing_is_refused() {
    for (config, text) in [
        (json!({}), "nothing is served"),
        (json!({ "server": { "nonsense": 1 } }), "`server`"),
        (json!({ "dialect": "native", "config": {} }), "config.json"),
        (
            json!({ "server": { "vault": { "token_file": "absent" } } }),
            "cannot read",
        ),
        (
            json!({ "server": { "consul": {}, "trusted_proxies": ["x"] } }),
            "trusted_proxies",
        ),
        (
            json!({ "server": { "consul": {}, "store": { "memory": null, "redis": { "url": "http://x" } } } }),
            "url",
        ),
    ] {
        let folder = Folder::new();
        let why = try_start(&folder, &config).unwrap_err().to_string();
        assert!(why.contains(text), "{why}");
    }
}

#[test]
fn every_socket_needs_a_connection() {
    let folder = Folder::new();
    for (connections, sockets, starts) in [(0, 1, false), (1, 2, false), (1, 1, true), (2, 2, true)] {
        let mut config = native();
        config["server"] = json!({ "limits": { "connections": connections } });
        let config = folder.write("config.json", &complete(&config).to_string());
        let mut options = Options::default();
        options.configs = vec![config];
        options.listen = vec!["127.0.0.1:0".to_owned(); sockets];
        match Server::start(options) {
            Ok(server) => {
                assert!(starts, "{connections} {sockets}");
                for address in server.addresses() {
                    assert_eq!(
                        crate::world::ask(*address, "GET", "/healthz", &[], "").status,
                        200
                    );
                }
            }
            Err(why) => {
                assert!(!starts, "{connections} {sockets}");
                assert!(why.to_string().contains("`server.limits.connections`"), "{why}");
            }
        }
    }
}

#[test]
fn a_unix_socket_is_listened_on_also_if_an_old_one_is_left() {
    let folder = Folder::new();
    let config = folder.write("config.json", &complete(&native()).to_string());
    let path = folder.path().join("s");
    for _ in 0..2 {
        let mut options = Options::default();
        options.configs = vec![config.clone()];
        options.listen = vec![format!("unix:{}", path.display())];
        let server = Server::start(options).unwrap();
        assert!(server.addresses().is_empty());
        let mut stream = UnixStream::connect(&path).unwrap();
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(Answer::read(&answer).body, "ok\n");
        server.stop();
        assert!(path.exists());
    }
}

#[test]
fn a_certificate_is_read_again_at_a_reload() {
    let authority = Authority::shared().unwrap();
    let (certificate, key) = authority.server();
    let files = authority.files();
    let stranger = |name: &str| files.iter().find(|(own, _)| *own == name).unwrap().1.clone();
    let folder = Folder::new();
    folder.write("cert.pem", &certificate);
    folder.write("key.pem", &key);
    let mut config = native();
    config["server"] = json!({ "tls": { "cert_file": "cert.pem", "key_file": "key.pem" } });
    let server = try_start(&folder, &config).unwrap();
    let world = World { server, folder };
    let root = &files.iter().find(|(name, _)| *name == "ca.pem").unwrap().1;
    assert_eq!(over_tls(&world, root).map(|answer| answer.status), Some(200));
    // The key of another certificate is refused, and the old one stays.
    world.folder.write("key.pem", &stranger("stranger.key"));
    assert!(world.server.reload().is_err());
    assert_eq!(over_tls(&world, root).map(|answer| answer.status), Some(200));
    world.folder.write("cert.pem", &stranger("stranger.pem"));
    world.server.reload().unwrap();
    assert!(over_tls(&world, root).is_none());
    // A request without TLS is not answered.
    assert_eq!(world.get("/healthz", &[]).status, 0);
}

#[test]
fn errors_about_files_contain_nothing_of_them() {
    let authority = Authority::shared().unwrap();
    let (certificate, key) = authority.server();
    let on_one_line = key.replace('\n', "");
    let body = key.lines().nth(1).unwrap();
    // What an error shows if it lists the bytes of the line.
    let as_numbers = body.as_bytes()[..8]
        .iter()
        .map(u8::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    for damaged in [
        on_one_line,
        key.replace("-----END", "----END"),
        key.replace(body, "c2VjcmV0,c2VjcmV0"),
        body.to_owned(),
    ] {
        let folder = Folder::new();
        folder.write("cert.pem", &certificate);
        folder.write("key.pem", &damaged);
        let mut config = native();
        config["server"] = json!({ "tls": { "cert_file": "cert.pem", "key_file": "key.pem" } });
        let why = try_start(&folder, &config).err().unwrap().to_string();
        assert!(why.contains("key.pem"), "{why}");
        for content in [body, as_numbers.as_str(), "c2VjcmV0"] {
            assert!(!why.contains(content), "{why}");
        }
    }
    let url = "redis://:correct-horse@redis.example, expected b";
    for place in [
        json!({ "server": { "store": url } }),
        json!({ "server": { "store": { "memory": {} } }, "sessions": url }),
        json!({ "server": { "store": { "memory": {} } }, "sessions": { "store": url } }),
        json!({ "server": { "store": { "memory": {} } }, "options": url }),
        json!({ "server": url }),
        json!(url),
    ] {
        let folder = Folder::new();
        let mut config = native();
        jwtauth_testkit::case::merge(&mut config, &place);
        let path = folder.write("config.json", &config.to_string());
        let mut options = Options::default();
        options.configs = vec![path];
        options.listen = vec!["127.0.0.1:0".to_owned()];
        let why = Server::start(options).err().unwrap().to_string();
        assert!(why.contains("expected"), "{why}");
        assert!(!why.contains("correct-horse"), "{why}");
    }
}

fn over_tls(world: &World, root: &str) -> Option<Answer> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, connect(world.address()));
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .ok()?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Some(Answer::read(&answer))
}

#[test]
fn a_stop_answers_what_was_asked_and_closes_idle_connections() {
    let mut config = native();
    // It does not wait for these times.
    config["server"] = json!({ "limits": { "header_timeout": "1h", "stop_timeout": "1h" } });
    let world = start(&config);
    let mut idle = connect(world.address());
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let mut fresh = connect(world.address());
    // Connections are accepted in their order.
    assert_eq!(world.get("/healthz", &[]).status, 200);
    let address = world.address();
    world.server.stop();
    for stream in [&mut idle, &mut fresh] {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
    }
    assert!(std::net::TcpStream::connect(address).is_err());
}
