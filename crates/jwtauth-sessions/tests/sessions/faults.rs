//! What happens if a store is unreachable, refuses, is full, or contains damaged entries.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use jwtauth_core::{Class, Request};
use jwtauth_sessions::{Error, Group, Login, Sessions};
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::redis_server::Server;
use crate::world::{NOW, World, jwt, native, vault};

/// Sessions whose random bytes are others than those of earlier ones.
fn world(store: &Value) -> World {
    static SEED: AtomicU64 = AtomicU64::new(100);
    seeded(store, SEED.fetch_add(1, Ordering::Relaxed))
}

fn seeded(store: &Value, seed: u64) -> World {
    let roles = json!({
        "web": { "token_ttl": "10h" },
        "few": { "token_ttl": "10h", "token_num_uses": 1000 },
    });
    World::build(&vault(&roles, &json!({ "store": store })), NOW, seed).unwrap()
}

fn code<T: Debug>(outcome: Result<T, Error>) -> (&'static str, Class) {
    let error = outcome.unwrap_err();
    (error.code(), error.class())
}

const UNAVAILABLE: (&str, Class) = ("store_unavailable", Class::Unavailable);
const REFUSED: (&str, Class) = ("store_refused", Class::Unavailable);
const UNKNOWN: (&str, Class) = ("session_unknown", Class::Denied);
const FULL: (&str, Class) = ("store_full", Class::Unavailable);

/// The only entry of a session in the server.
fn entry_key(server: &Server, login: &Login) -> String {
    let keys = server.run(&["KEYS", "jwtauth:s:*"]);
    assert!(!keys.contains(login.accessor.as_ref().unwrap().expose()));
    assert_eq!(keys.lines().count(), 1);
    keys
}

#[test]
fn a_redis_that_comes_back_is_used_without_a_restart() {
    let mut server = Server::stopped(&["--appendonly", "yes", "--appendfsync", "always"]);
    let world = world(&server.store());
    assert_eq!(code(world.login("web", "alice")), UNAVAILABLE);
    assert_eq!(code(world.sessions.authorize("hvs.x", None)), UNAVAILABLE);
    server.start();
    let login = world.login("web", "alice").unwrap();
    server.kill();
    assert_eq!(
        code(world.sessions.authorize(login.token.expose(), None)),
        UNAVAILABLE
    );
    assert_eq!(code(world.login("web", "bob")), UNAVAILABLE);
    assert_eq!(code(world.sessions.revoke(login.token.expose())), UNAVAILABLE);
    server.start();
    world.sessions.authorize(login.token.expose(), None).unwrap();
    world.sessions.revoke(login.token.expose()).unwrap();
    assert_eq!(
        code(world.sessions.authorize(login.token.expose(), None)),
        UNKNOWN
    );
}

#[test]
fn processes_agree_again_after_a_redis_lost_everything() {
    let server = Server::with(&[]);
    let (one, two) = (seeded(&server.store(), 1), seeded(&server.store(), 2));
    let old = one.login("web", "alice").unwrap();
    two.sessions.authorize(old.token.expose(), None).unwrap();
    server.run(&["FLUSHALL"]);
    let new = two.login("web", "alice").unwrap();
    assert_eq!(code(one.sessions.authorize(old.token.expose(), None)), UNKNOWN);
    one.sessions.authorize(new.token.expose(), None).unwrap();
    assert_eq!(one.sessions.revoke_all(Group::Subject("alice")).unwrap(), 1);
    assert_eq!(code(two.sessions.authorize(new.token.expose(), None)), UNKNOWN);
}

#[test]
fn a_redis_that_was_restarted_without_its_scripts_gets_them_again() {
    let server = Server::with(&[]);
    let world = world(&server.store());
    let login = world.login("few", "alice").unwrap();
    server.run(&["SCRIPT", "FLUSH"]);
    assert_eq!(
        world
            .sessions
            .authorize(login.token.expose(), None)
            .unwrap()
            .uses_left(),
        Some(999)
    );
}

#[test]
fn a_wrong_password_is_refused_and_the_right_one_works() {
    let server = Server::with(&[
        "--requirepass",
        "hush",
        "--user",
        "app",
        "on",
        ">secret",
        "~jwtauth:*",
        "+@all",
        "-@admin",
    ]);
    let with = |more: Value| {
        let mut store = server.store();
        jwtauth_testkit::case::merge(&mut store["redis"], &more);
        world(&store).login("web", "alice")
    };
    for wrong in [
        json!({}),
        json!({ "password": "hussh" }),
        json!({ "username": "app", "password": "hush" }),
        json!({ "username": "nobody", "password": "secret" }),
        json!({ "username": "app", "password": "secret", "prefix": "other" }),
    ] {
        let error = with(wrong.clone()).unwrap_err();
        assert_eq!((error.code(), error.class()), REFUSED, "{wrong}: {error}");
        assert!(!format!("{error:?}").contains("hus"), "{error:?}");
    }
    with(json!({ "password": "hush" })).unwrap();
    with(json!({ "username": "app", "password": "secret" })).unwrap();
}

#[test]
fn a_stopped_redis_gives_out_no_token() {
    let server = Server::durable();
    let mut store = server.store();
    let patient = world(&store);
    let login = patient.login("web", "alice").unwrap();
    store["redis"]["timeout"] = json!("50ms");
    let hasty = world(&store);
    server.signal("STOP");
    assert_eq!(code(hasty.login("web", "alice")), UNAVAILABLE);
    assert_eq!(
        code(hasty.sessions.authorize(login.token.expose(), None)),
        UNAVAILABLE
    );
    server.signal("CONT");
    patient.sessions.authorize(login.token.expose(), None).unwrap();
    assert_eq!(patient.sessions.revoke_all(Group::Subject("alice")).unwrap(), 1);
}

#[test]
fn a_full_redis_gives_out_no_token_and_still_revokes() {
    let server = Server::with(&["--maxmemory-policy", "noeviction"]);
    let world = world(&server.store());
    let kept = world.login("web", "alice").unwrap();
    let counted = world.login("few", "alice").unwrap();
    server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(code(world.login("web", "bob")), FULL);
    assert_eq!(code(world.sessions.authorize(counted.token.expose(), None)), FULL);
    world.sessions.authorize(kept.token.expose(), None).unwrap();
    assert_eq!(code(world.sessions.authorize("hvs.x", None)), UNKNOWN);
    world.sessions.revoke(kept.token.expose()).unwrap();
    assert_eq!(world.sessions.revoke_all(Group::Subject("alice")).unwrap(), 1);
    server.run(&["CONFIG", "SET", "maxmemory", "0"]);
    world.login("web", "bob").unwrap();
}

#[test]
fn a_damaged_entry_of_redis_is_an_error_of_its_own() {
    let server = Server::with(&[]);
    let world = world(&server.store());
    let damaged = world.login("web", "alice").unwrap();
    let key = entry_key(&server, &damaged);
    let whole = world.login("web", "bob").unwrap();
    let token = damaged.token.expose();
    for (stored, detail) in [
        ("hush", "the entry is not one of this library"),
        ("1 x 0 p s {}", "the entry is not one of this library"),
        (
            r#"  0 p s {"v":2}"#,
            "the entry has the version 2; this library reads version 1",
        ),
        ("  0 p s hush", "the entry is not a record of a session"),
    ] {
        server.run(&["SET", &key, stored]);
        for error in [
            world.sessions.lookup(token).unwrap_err(),
            world.sessions.authorize(token, None).unwrap_err(),
        ] {
            assert_eq!(
                (error.code(), error.detail()),
                ("session_entry_invalid", Some(detail))
            );
        }
    }
    world.sessions.authorize(whole.token.expose(), None).unwrap();
    for stored in ["  0 p s hush", "hush"] {
        server.run(&["SET", &key, stored]);
        world.sessions.revoke(token).unwrap();
        assert_eq!(code(world.sessions.lookup(token)), UNKNOWN);
    }
    server.run(&["HSET", &key, "hush", "1"]);
    assert_eq!(code(world.sessions.lookup(token)).0, "session_entry_invalid");
    assert_eq!(
        code(world.sessions.authorize(token, None)).0,
        "session_entry_invalid"
    );
    world.sessions.authorize(whole.token.expose(), None).unwrap();
    for other in ["1", "3"] {
        server.run(&["HSET", "jwtauth:shared", "v", other]);
        assert_eq!(
            code(seeded(&server.store(), 9).login("web", "x")),
            ("store_version", Class::Config)
        );
    }
}

/// The check of a session counts as a write for the server, and changes nothing.
#[test]
fn a_redis_that_must_not_write_accepts_no_session() {
    let server = Server::durable();
    let world = world(&server.store());
    let login = world.login("web", "alice").unwrap();
    let token = login.token.expose();
    let written = || {
        let info = server.run(&["INFO", "persistence"]);
        let mut lines = info.lines();
        lines
            .find_map(|line| line.strip_prefix("aof_current_size:"))
            .map(str::to_owned)
            .unwrap()
    };
    let before = written();
    server.run(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    for error in [
        world.sessions.authorize(token, None).unwrap_err(),
        world.sessions.lookup(token).unwrap_err(),
        world.sessions.authorize("hvs.x", None).unwrap_err(),
    ] {
        assert_eq!((error.code(), error.class()), UNAVAILABLE);
        assert_eq!(error.detail(), Some("Redis answered with the error NOREPLICAS"));
    }
    server.run(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    world.sessions.authorize(token, None).unwrap();
    assert_eq!(written(), before);
}

/// The commands in a sentence of `docs/sessions.md` are all that the user of a server needs.
#[test]
fn a_user_needs_only_the_commands_that_the_page_names() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sessions.md")).unwrap();
    let (_, sentence) = page.split_once("The user needs the commands ").unwrap();
    let (sentence, _) = sentence.split_once(" for the keys ").unwrap();
    let commands = sentence
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|name| format!("+{name}"));
    let commands: Vec<String> = commands.collect();
    let user = ["--user", "app", "on", ">secret", "~jwtauth:*", "-@all"];
    let options: Vec<&str> = user
        .into_iter()
        .chain(commands.iter().map(String::as_str))
        .collect();
    let server = Server::with(&options);
    let mut store = server.store();
    let login = json!({ "username": "app", "password": "secret", "database": 1 });
    jwtauth_testkit::case::merge(&mut store["redis"], &login);
    let world = world(&store);
    let kept = world.login("web", "alice").unwrap();
    let counted = world.login("few", "alice").unwrap();
    world.sessions.renew(kept.token.expose(), 0).unwrap();
    world.sessions.authorize(kept.token.expose(), None).unwrap();
    world.sessions.authorize(counted.token.expose(), None).unwrap();
    world.sessions.revoke(kept.token.expose()).unwrap();
    assert_eq!(world.sessions.revoke_all(Group::Subject("alice")).unwrap(), 1);
}

#[test]
fn redis_removes_what_has_ended() {
    let server = Server::with(&[]);
    let world = world(&server.store());
    let login = world.login("web", "alice").unwrap();
    let key = entry_key(&server, &login);
    let left: i64 = server.run(&["TTL", &key]).parse().unwrap();
    assert!((35_000..=36_000).contains(&left), "{left}");
    world.sessions.revoke(login.token.expose()).unwrap();
    assert_eq!(server.run(&["KEYS", "*"]), "jwtauth:shared");
}

#[test]
fn no_store_contains_a_token_or_an_accessor() {
    let server = Server::durable();
    let folder = Folder::new();
    let file = folder.path().join("sessions.db");
    for store in [server.store(), json!({ "sqlite": { "path": file } })] {
        let login = world(&store).login("web", "alice").unwrap();
        let mut content = server.run(&["--scan"]);
        for key in content.clone().lines().filter(|key| key.contains(":s:")) {
            content += &server.run(&["GET", key]);
        }
        for name in ["sessions.db", "sessions.db-wal"] {
            content += &String::from_utf8_lossy(&std::fs::read(folder.path().join(name)).unwrap_or_default());
        }
        assert!(content.contains("jwt-alice"));
        assert!(!content.contains(login.token.expose()));
        assert!(!content.contains(login.accessor.unwrap().expose()));
    }
}

#[test]
fn an_sqlite_of_another_version_or_program_is_refused() {
    let folder = Folder::new();
    let open =
        |name: &str| seeded(&json!({ "sqlite": { "path": folder.path().join(name) } }), 1).login("web", "a");
    open("ours.db").unwrap();
    let other = rusqlite::Connection::open(folder.path().join("ours.db")).unwrap();
    other.pragma_update(None, "user_version", 2).unwrap();
    let error = open("ours.db").unwrap_err();
    assert_eq!(error.code(), "store_version");
    assert!(
        error
            .detail()
            .unwrap()
            .ends_with("has the version 2; this library uses version 1"),
        "{error}"
    );
    let foreign = rusqlite::Connection::open(folder.path().join("foreign.db")).unwrap();
    foreign.execute("CREATE TABLE sessions (a)", []).unwrap();
    assert_eq!(code(open("foreign.db")), ("store_version", Class::Config));
    std::fs::write(folder.path().join("text.db"), "hush ".repeat(1000)).unwrap();
    assert_eq!(code(open("text.db")), ("store_version", Class::Config));
    assert_eq!(code(open("none/sessions.db")), UNAVAILABLE);
}

#[test]
fn only_its_owner_can_read_a_new_sqlite() {
    let folder = Folder::new();
    let mode = |name: &str| {
        let metadata = std::fs::metadata(folder.path().join(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    let open = |name: &str| world(&json!({ "sqlite": { "path": folder.path().join(name) } }));
    let new = open("new.db");
    new.login("web", "alice").unwrap();
    assert_eq!((mode("new.db"), mode("new.db-wal")), (0o600, 0o600));
    // An operator may share a database with a group.
    let shared = folder.path().join("shared.db");
    std::fs::write(&shared, "").unwrap();
    std::fs::set_permissions(&shared, Permissions::from_mode(0o660)).unwrap();
    open("shared.db").login("web", "alice").unwrap();
    assert_eq!(mode("shared.db"), 0o660);
}

#[test]
fn a_damaged_entry_of_sqlite_is_an_error_of_its_own() {
    let folder = Folder::new();
    let path = folder.path().join("sessions.db");
    let world = world(&json!({ "sqlite": { "path": path } }));
    let damaged = world.login("web", "alice").unwrap();
    let database = rusqlite::Connection::open(path).unwrap();
    database
        .execute("UPDATE sessions SET record = 'hush'", [])
        .unwrap();
    let whole = world.login("web", "bob").unwrap();
    let error = world
        .sessions
        .authorize(damaged.token.expose(), None)
        .unwrap_err();
    assert_eq!(error.code(), "session_entry_invalid");
    assert!(!error.to_string().contains("hush"));
    world.sessions.authorize(whole.token.expose(), None).unwrap();
    world.sessions.revoke(damaged.token.expose()).unwrap();
}

#[test]
fn a_locked_sqlite_is_unavailable_and_then_used_again() {
    let folder = Folder::new();
    let path = folder.path().join("sessions.db");
    let world = world(&json!({ "sqlite": { "path": path, "timeout": "1ms" } }));
    let login = world.login("web", "alice").unwrap();
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(code(world.login("web", "bob")), UNAVAILABLE);
    world.sessions.authorize(login.token.expose(), None).unwrap();
    other.execute_batch("ROLLBACK").unwrap();
    world.login("web", "bob").unwrap();
}

#[test]
fn a_server_without_its_replicas_does_not_say_that_a_session_is_unknown() {
    let server = Server::durable();
    let world = world(&server.store());
    let login = world.login("web", "alice").unwrap();
    // As on a former master that has missed the login.
    let keys = server.run(&["--scan"]);
    for key in keys.lines().filter(|key| !key.ends_with(":shared")) {
        server.run(&["DEL", key]);
    }
    server.run(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let sessions = &world.sessions;
    assert_eq!(code(sessions.revoke(login.token.expose())), UNAVAILABLE);
    assert_eq!(code(sessions.revoke_all(Group::Subject("alice"))), UNAVAILABLE);
    assert_eq!(code(sessions.revoke_all(Group::Profile("web"))), UNAVAILABLE);
    server.run(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    assert_eq!(sessions.revoke_all(Group::Subject("alice")).unwrap(), 0);
}

#[test]
fn no_session_outlives_revocations_at_the_same_time() {
    let server = Server::with(&[]);
    let world = world(&server.store());
    let login = |name: &str| world.login("web", name).unwrap();
    // More than several pages. Those of others leave the group of the profile while it is read.
    let logins: Vec<Login> = (0..2400)
        .map(|number| login(&format!("u{}", number % 3)))
        .collect();
    std::thread::scope(|scope| {
        for group in [Group::Profile("web"), Group::Profile("web"), Group::Subject("u1")] {
            let sessions = &world.sessions;
            scope.spawn(move || sessions.revoke_all(group).unwrap());
        }
    });
    let lives = |login: &&Login| world.sessions.lookup(login.token.expose()).is_ok();
    assert_eq!(logins.iter().filter(lives).count(), 0);
}

#[test]
fn a_clock_that_is_ahead_does_not_hide_a_session_from_revocations() {
    let server = Server::with(&[]);
    let config = native(
        &json!({}),
        &json!({ "store": server.store(), "default_ttl": "1h" }),
    );
    let time = server.run(&["TIME"]);
    let now: i64 = time.lines().next().unwrap().parse().unwrap();
    let days = 86_400;
    let jwt = jwt(&json!({ "sub": "alice", "iat": now, "exp": now + 9 * days }));
    let at = |now, seed| World::build(&config, now, seed).unwrap().sessions;
    let login = |sessions: &Sessions| sessions.login(&Request::bearer(&jwt), &BTreeMap::new()).unwrap();
    let (before, other) = (at(now, 1), at(now, 2));
    let made = login(&before);
    other.authorize(made.token.expose(), None).unwrap();
    login(&at(now + 3 * days, 3));
    before.revoke_all(Group::Subject("alice")).unwrap();
    let error = other.authorize(made.token.expose(), None).unwrap_err();
    assert_eq!(error.code(), "session_unknown");
}

#[test]
fn a_process_learns_of_a_later_instant_while_it_runs() {
    let (server, folder) = (Server::with(&[]), Folder::new());
    let roles = json!({ "web": { "token_ttl": "1m" } });
    for store in [
        server.store(),
        json!({ "sqlite": { "path": folder.path().join("a.db") } }),
    ] {
        let at = |now, seed| World::build(&vault(&roles, &json!({ "store": store })), now, seed).unwrap();
        let running = at(NOW, 1);
        running.login("web", "alice").unwrap();
        let ahead = at(NOW + 600, 2).login("web", "bob").unwrap();
        running.wait(60);
        let info = running.sessions.lookup(ahead.token.expose()).unwrap();
        assert_eq!(info.ttl(), Some(60));
    }
}

#[test]
fn a_clock_that_was_set_back_does_not_lengthen_a_batch_token() {
    let folder = Folder::new();
    let role = json!({ "web": { "token_ttl": "1m", "token_type": "batch" } });
    let sessions = json!({
        "store": { "sqlite": { "path": folder.path().join("a.db") } },
        "batch_keys": [{ "id": "a", "key": "A".repeat(43) }],
    });
    let at = |now| World::build(&vault(&role, &sessions), now, 1).unwrap();
    let login = at(NOW).login("web", "alice").unwrap();
    at(NOW + 120).sessions.sweep().unwrap();
    let error = at(NOW - 30)
        .sessions
        .authorize(login.token.expose(), None)
        .unwrap_err();
    assert_eq!(error.code(), "session_unknown");
}

#[test]
fn a_batch_token_needs_no_store() {
    let server = Server::stopped(&[]);
    let role = json!({ "web": { "token_ttl": "1m", "token_type": "batch" } });
    let sessions = json!({ "store": server.store(), "batch_keys": [{ "id": "a", "key": "A".repeat(43) }] });
    let world = World::build(&vault(&role, &sessions), NOW, 1).unwrap();
    let login = world.login("web", "alice").unwrap();
    world.sessions.authorize(login.token.expose(), None).unwrap();
}

#[test]
fn a_revision_that_cannot_rise_is_an_error_of_its_entry() {
    let server = Server::with(&[]);
    let world = world(&server.store());
    let login = world.login("web", "alice").unwrap();
    let keys = server.run(&["--scan", "--pattern", "*:s:*"]);
    let stored = server.run(&["GET", &keys]);
    server.run(&[
        "SET",
        &keys,
        &stored.replacen("  0 ", &format!("  {} ", u64::MAX), 1),
    ]);
    let error = world.sessions.renew(login.token.expose(), 0).unwrap_err();
    assert_eq!(error.code(), "session_entry_invalid");
}

#[test]
fn a_clock_that_was_set_back_before_a_start_does_not_lengthen_a_session() {
    let (server, folder) = (Server::with(&[]), Folder::new());
    for store in [
        server.store(),
        json!({ "sqlite": { "path": folder.path().join("a.db") } }),
    ] {
        let before = world(&store);
        let login = before.login("web", "alice").unwrap();
        before.wait(30_000);
        before.login("web", "bob").unwrap();
        let after = world(&store);
        assert_eq!(
            after.sessions.lookup(login.token.expose()).unwrap().ttl(),
            Some(6000)
        );
    }
}

#[test]
fn renewals_at_the_same_time_all_pass() {
    let (server, folder) = (Server::with(&[]), Folder::new());
    for store in [
        json!({ "memory": {} }),
        server.store(),
        json!({ "sqlite": { "path": folder.path().join("a.db") } }),
    ] {
        let world = world(&store);
        let login = world.login("web", "alice").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..10).for_each(|_| drop(world.sessions.renew(login.token.expose(), 0).unwrap()))
                });
            }
        });
    }
}
