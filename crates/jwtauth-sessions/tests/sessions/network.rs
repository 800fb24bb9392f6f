//! Redis over the network: TLS, a replica that takes over, sentinels, and a cluster.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use jwtauth_sessions::Group;
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
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    port.to_string()
}

fn url(port: &str) -> String {
    format!("redis://127.0.0.1:{port}")
}

/// A sentinel, whose log tells what it sees. It is killed when it is dropped.
struct Sentinel {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    _folder: Folder,
}

impl Sentinel {
    /// Starts a sentinel on this port that calls the server on the port `master` by the name `sessions`.
    fn start(port: &str, master: &str) -> Sentinel {
        let folder = Folder::new();
        let file = folder.path().join("sentinel.conf");
        let config = format!(
            "port {port}\nsentinel monitor sessions 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds sessions 200\nsentinel failover-timeout sessions 2000\n"
        );
        fs::write(&file, config).unwrap();
        let child = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.expect("redis-server must be installed; see .ci/prepare");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Sentinel {
            child,
            lines,
            _folder: folder,
        }
    }

    /// Waits until the sentinel logs this event.
    fn wait_for(&mut self, event: &str) {
        assert!(
            self.lines.any(|line| line.unwrap().contains(event)),
            "the sentinel ended"
        );
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
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
            "`ca_file` has no certificate in PEM",
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
    primary.wait_for_replica();
    primary.kill();
    // The replica now has the address of the primary.
    fs::rename(replica.socket(), primary.socket()).unwrap();
    // What a replica says may be old, so it is asked in vain: for sessions with and without a number of uses.
    for _ in 0..2 {
        let error = world.sessions.authorize(token, None).unwrap_err();
        assert_eq!(error.code(), "store_unavailable", "{error}");
        assert_eq!(error.detail(), Some("Redis answered with the error READONLY"));
        let error = world.sessions.lookup(token).unwrap_err();
        assert_eq!(error.code(), "store_unavailable", "{error}");
    }
    assert_eq!(primary.run(&["REPLICAOF", "NO", "ONE"]), "OK");
    assert_eq!(
        world.sessions.authorize(token, None).unwrap().uses_left(),
        Some(3)
    );
    world.login("web", "carol").unwrap();
}

#[test]
fn a_master_that_refuses_changes_is_left() {
    let port = port();
    let primary = Server::with(&["--port", &port, "--repl-diskless-sync-delay", "0"]);
    let replica = Server::with(&["--replicaof", "127.0.0.1", &port]);
    let world = login(&primary.store(), 1).unwrap();
    let session = world.login("web", "bob").unwrap();
    primary.wait_for_replica();
    // The primary runs on without its replica, which takes over its address.
    replica.run(&["REPLICAOF", "NO", "ONE"]);
    primary.run(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    fs::rename(replica.socket(), primary.socket()).unwrap();
    let authorize = || world.sessions.authorize(session.token.expose(), None);
    let error = authorize().unwrap_err();
    assert_eq!(error.detail(), Some("Redis answered with the error NOREPLICAS"));
    assert_eq!(authorize().unwrap().uses_left(), Some(4));
}

#[test]
fn sentinels_tell_where_the_master_is_after_a_failover() {
    let (first, second, sentinel_port) = (port(), port(), port());
    let mut primary = Server::with(&["--port", &first, "--repl-diskless-sync-delay", "0"]);
    let _replica = Server::with(&["--port", &second, "--replicaof", "127.0.0.1", &first]);
    let store = |master: &str| {
        let sentinels = [url("1"), url(&sentinel_port)];
        json!({ "redis": { "sentinels": sentinels, "master": master, "timeout": "20s", "replicas": 1 } })
    };
    // With `replicas`, this returns after the replica has the session.
    let mut sentinel = Sentinel::start(&sentinel_port, &first);
    sentinel.wait_for("+slave");
    let world = login(&store("sessions"), 1).unwrap();
    let session = world.login("web", "bob").unwrap();
    let (code, text) = login(&store("other"), 2).unwrap_err();
    assert_eq!(code, "store_unavailable");
    assert!(text.contains("does not know a master of this name"), "{text}");
    primary.kill();
    sentinel.wait_for("+switch-master");
    let mut single = store("sessions");
    single["redis"]["replicas"] = json!(0);
    let after = World::build(&vault(&json!({ "web": {} }), &json!({ "store": single })), NOW, 3).unwrap();
    let found = after.sessions.authorize(session.token.expose(), None).unwrap();
    assert_eq!(found.uses_left(), Some(4));
    // The new master has no replica, so a login does not count there if one is demanded.
    let mut demanding = store("sessions");
    demanding["redis"]["timeout"] = json!("100ms");
    assert_eq!(login(&demanding, 4).unwrap_err().0, "store_unavailable");
}

#[test]
fn a_cluster_spreads_the_sessions_over_its_nodes() {
    let ports: Vec<String> = std::iter::repeat_with(port).take(3).collect();
    let buses: Vec<String> = std::iter::repeat_with(port).take(3).collect();
    let mut nodes: Vec<Server> = ports
        .iter()
        .zip(&buses)
        .map(|(port, bus)| Server::with(&["--port", port, "--cluster-enabled", "yes", "--cluster-port", bus]))
        .collect();
    let addresses = ports.iter().map(|port| format!("127.0.0.1:{port}"));
    let made = Command::new("redis-cli")
        .args(["--cluster", "create", "--cluster-yes"])
        .args(addresses)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    for node in &nodes {
        while !node.run(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {}
    }
    // One node tells where the others are.
    let store = json!({ "redis": { "cluster": [url(&ports[0])], "timeout": "20s" } });
    let world = login(&store, 1).unwrap();
    let sessions: Vec<_> = (0..30).map(|_| world.login("web", "bob").unwrap()).collect();
    for node in &nodes {
        assert!(node.run(&["KEYS", "jwtauth:s:*"]).lines().count() > 0);
        node.run(&["SCRIPT", "FLUSH"]);
    }
    for session in &sessions {
        let token = session.token.expose();
        world.sessions.renew(token, 0).unwrap();
        assert_eq!(
            world.sessions.authorize(token, None).unwrap().uses_left(),
            Some(4)
        );
    }
    let token = sessions[0].token.expose();
    let require = |replicas: &str| {
        for node in &nodes {
            node.run(&["CONFIG", "SET", "min-replicas-to-write", replicas]);
        }
    };
    require("1");
    let error = world.sessions.lookup(token).unwrap_err();
    assert_eq!(error.detail(), Some("Redis answered with the error NOREPLICAS"));
    require("0");
    world.sessions.revoke(token).unwrap();
    assert_eq!(world.sessions.revoke_all(Group::Subject("bob")).unwrap(), 29);
    let error = world
        .sessions
        .authorize(sessions[1].token.expose(), None)
        .unwrap_err();
    assert_eq!(error.code(), "session_unknown");
    // A change that must be on a replica fails for this reason, also if the scripts have to be sent first.
    nodes.iter().for_each(|node| drop(node.run(&["SCRIPT", "FLUSH"])));
    let mut demanding = store.clone();
    demanding["redis"]["replicas"] = json!(1);
    demanding["redis"]["timeout"] = json!("4s");
    let (code, text) = login(&demanding, 5).unwrap_err();
    assert_eq!(code, "store_unavailable");
    assert!(text.contains("only 0 of 1 replicas have the change"), "{text}");
    nodes.iter_mut().for_each(Server::kill);
    assert_eq!(world.login("web", "bob").unwrap_err().code(), "store_unavailable");
}

#[test]
fn the_servers_are_named_in_one_way() {
    for (redis, problem) in [
        (
            json!({}),
            "`sessions.store.redis`: must have one of `url`, `socket`, `cluster`, `sentinels`",
        ),
        (json!({ "url": url("1"), "socket": "a" }), "must have one of"),
        (json!({ "url": url("1"), "master": "a" }), "must have one of"),
        (json!({ "sentinels": [url("1")] }), "`sentinels` need `master`"),
        (
            json!({ "sentinels": [], "master": "a" }),
            "`sentinels` must not be empty",
        ),
        (
            json!({ "cluster": ["redis://a", "rediss://b"] }),
            "`cluster` must have either",
        ),
        (
            json!({ "cluster": [url("1")], "database": 1 }),
            "`database` has no effect",
        ),
        (
            json!({ "url": url("1"), "replicas": 1001 }),
            "`sessions.store.redis.replicas`: must be an integer between 0 and 1000",
        ),
        (
            json!({ "url": url("1"), "username": "a" }),
            "a `username` needs a `password`",
        ),
    ] {
        let (code, text) = login(&json!({ "redis": redis }), 1).unwrap_err();
        assert_eq!(code, "sessions_invalid");
        assert!(text.contains(problem), "{text}");
    }
}
