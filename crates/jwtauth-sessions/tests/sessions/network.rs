//! Redis over the network: TLS, and a replica that takes over.

use std::fs;
use std::net::TcpListener;

use jwtauth_testkit::server::Authority;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::redis_server::Server;
use crate::world::{NOW, World, vault};

fn login(store: &Value, seed: u64) -> Result<World, (&'static str, String)> {
    let config = vault(
        &json!({ "web": { "token_num_uses": 5 } }),
        &json!({ "store": store }),
    );
    let failed = |error: jwtauth_sessions::Error| (error.code(), error.to_string());
    let world = World::build(&config, NOW, seed).map_err(failed)?;
    world.login("web", "alice").map_err(failed)?;
    Ok(world)
}

/// A port that was free a moment ago.
fn port() -> String {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
        .to_string()
}

#[test]
fn a_redis_with_tls_is_used_if_its_certificate_is_trusted() {
    let (folder, authority) = (Folder::new(), Authority::shared().unwrap());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = authority.server();
    fs::write(file("server.pem"), certificate).unwrap();
    fs::write(file("server.key"), key).unwrap();
    for (name, text) in authority.files() {
        fs::write(file(name), text).unwrap();
    }
    let port = port();
    let (certificate, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let _server = Server::with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &ca,
        "--tls-auth-clients",
        "no",
        "--requirepass",
        "hush",
    ]);
    let store = |scheme: &str, ca: Option<&str>| {
        let url = format!("{scheme}://127.0.0.1:{port}");
        json!({ "redis": { "url": url, "password": "hush", "ca_file": ca.map(file) } })
    };
    login(&store("rediss", Some("ca.pem")), 1).unwrap();
    for untrusted in [store("rediss", Some("stranger.pem")), store("redis", None)] {
        let (code, text) = login(&untrusted, 2).unwrap_err();
        assert_eq!(code, "store_unavailable", "{text}");
        assert!(!text.contains("hush"), "{text}");
    }
    for (store, expected) in [
        (
            store("redis", Some("ca.pem")),
            "`ca_file` has no effect without TLS; write `rediss://`",
        ),
        (
            store("rediss", Some("server.key")),
            "there are no certificates to check the server with; write `ca_file`",
        ),
        (store("rediss", Some("none.pem")), "cannot read"),
    ] {
        let (code, text) = login(&store, 3).unwrap_err();
        assert_eq!(code, "sessions_invalid");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_replica_that_takes_over_has_the_sessions() {
    let port = port();
    let mut primary = Server::with(&["--port", &port, "--repl-diskless-sync-delay", "0"]);
    let replica = Server::with(&["--replicaof", "127.0.0.1", &port]);
    let store = primary.store();
    let world = login(&store, 1).unwrap();
    let session = world.login("web", "bob").unwrap();
    let token = session.token.expose();
    assert_eq!(
        world.sessions.authorize(token, None).unwrap().uses_left(),
        Some(4)
    );
    // Waits until a replica has everything.
    assert_eq!(primary.run(&["WAIT", "1", "0"]), "1");
    primary.kill();
    // The replica now has the address of the primary.
    fs::rename(replica.socket(), primary.socket()).unwrap();
    // The first use notices that the old connection has ended, the second that the server is a replica.
    for _ in 0..2 {
        let error = world.sessions.authorize(token, None).unwrap_err();
        assert_eq!(error.code(), "store_unavailable", "{error}");
    }
    assert_eq!(primary.run(&["REPLICAOF", "NO", "ONE"]), "OK");
    assert_eq!(
        world.sessions.authorize(token, None).unwrap().uses_left(),
        Some(3)
    );
    world.login("web", "carol").unwrap();
}
