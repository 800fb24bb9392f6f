//! Sessions from files, with an observer, and with the store of others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jwtauth_core::Request;
use jwtauth_sessions::{Error, Sessions};
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::world::{NOW, grafana, jwt, native};

/// The native dialect with a clock that stands.
fn stopped(sessions: &Value) -> Value {
    let mut config = native(&json!({ "session": { "ttl": "1h" } }), sessions);
    config["options"] = json!({ "now": NOW });
    config
}

/// The detail of a failure.
fn detail(error: Error) -> String {
    error.detail().unwrap().to_owned()
}

#[test]
fn relative_paths_start_in_the_folder_of_the_file() {
    let folder = Folder::new();
    let path = folder.path().join("sessions.json");
    std::fs::write(
        folder.path().join("batch.key"),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
    )
    .unwrap();
    let config = stopped(&json!({ "batch_keys": [{ "id": "a", "key_file": "batch.key" }] }));
    std::fs::write(&path, config.to_string()).unwrap();
    let sessions = Sessions::builder_from_file(&path).unwrap().build().unwrap();
    let login = sessions.login(
        &Request::bearer(&jwt(&json!({ "sub": "alice" }))),
        &BTreeMap::new(),
    );
    assert_eq!(login.unwrap().session.ttl(), Some(3600));
    // A reload of these starts there, too, and so do reloads of it.
    let reloaded = sessions.reload(&config.to_string()).unwrap();
    reloaded.reload(&config.to_string()).unwrap();
    let builder = reloaded.changed(&config.to_string()).unwrap();
    reloaded.reload_with(builder).unwrap();
    // A text has no folder.
    let error = Sessions::builder(&config.to_string()).unwrap_err();
    assert!(detail(error).starts_with("`sessions.batch_keys[0].key_file`: cannot read `batch.key`"));
}

#[test]
fn an_error_names_the_file() {
    let folder = Folder::new();
    let path = folder.path().join("sessions.json");
    let name = path.display().to_string();
    let refused = |config: &Value| {
        std::fs::write(&path, config.to_string()).unwrap();
        let built = Sessions::builder_from_file(&path).and_then(|builder| builder.build());
        let error = built.unwrap_err();
        (error.code(), detail(error))
    };
    let (code, why) = refused(&stopped(&json!({ "max_tl": "1h" })));
    assert!(
        code == "sessions_invalid" && why.starts_with(&format!("{name}: `sessions")),
        "{why}"
    );
    let (code, why) = refused(&grafana());
    assert!(
        code == "sessions_unsupported" && why.starts_with(&format!("{name}: the dialect")),
        "{why}"
    );
    let mut no_keys = stopped(&json!({}));
    no_keys["config"]["keys"] = json!([{ "pem": "x" }]);
    let (code, why) = refused(&no_keys);
    assert!(
        code == "key_invalid" && why.starts_with(&format!("{name}: `keys[0].pem`: ")),
        "{why}"
    );
    std::fs::remove_file(&path).unwrap();
    let error = Sessions::builder_from_file(&path).unwrap_err();
    assert_eq!(error.code(), "config_invalid");
}

#[test]
fn an_observer_sees_the_decisions_of_logins_also_after_a_reload() {
    let seen = Arc::new(AtomicUsize::new(0));
    let config = stopped(&json!({})).to_string();
    let builder = || {
        let seen = Arc::clone(&seen);
        let observer = move |_: &jwtauth_core::events::Event<'_>| {
            seen.fetch_add(1, Ordering::Relaxed);
        };
        Sessions::builder(&config).unwrap().on_event(observer)
    };
    let jwt = jwt(&json!({ "sub": "alice" }));
    let sessions = builder().build().unwrap();
    let login = sessions.login(&Request::bearer(&jwt), &BTreeMap::new()).unwrap();
    let reloaded = sessions.reload_with(builder()).unwrap();
    reloaded.authorize(login.token.expose(), None).unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    reloaded.login(&Request::bearer(&jwt), &BTreeMap::new()).unwrap();
    assert!(
        reloaded
            .login(&Request::bearer("a.b.c"), &BTreeMap::new())
            .is_err()
    );
    assert_eq!(seen.load(Ordering::Relaxed), 3);
}

#[test]
fn a_reload_without_a_seed_makes_tokens_that_cannot_be_predicted() {
    let request = jwt(&json!({ "sub": "alice" }));
    let token = |sessions: &Sessions| {
        let login = sessions
            .login(&Request::bearer(&request), &BTreeMap::new())
            .unwrap();
        login.token.expose().to_owned()
    };
    let second = |changed: &Value| {
        let first = Sessions::from_json(&stopped(&json!({ "seed": 1 })).to_string()).unwrap();
        token(&first);
        token(&first.reload(&stopped(changed).to_string()).unwrap())
    };
    assert_eq!(second(&json!({ "seed": 1 })), second(&json!({ "seed": 1 })));
    assert_ne!(second(&json!({})), second(&json!({})));
}
