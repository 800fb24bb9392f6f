//! What each verb answers, in each dialect.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use jwtauth_core::{EntitlementKind, Request};
use jwtauth_sessions::{Error, Group, Sessions, wire};
use serde_json::{Value, json};

use crate::world::{NOW, World, consul, grafana, jwt, native, vault};

fn code<T: Debug>(outcome: Result<T, Error>) -> &'static str {
    match outcome {
        Ok(value) => panic!("{value:?}"),
        Err(error) => error.code(),
    }
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_login_of_vault_answers_with_its_auth() {
    let roles = json!({ "web": { "token_policies": ["read"], "token_ttl": "1h", "token_num_uses": 12,
        "claim_mappings": { "team": "team" } } });
    let world = World::new(&vault(&roles, &json!({})));
    let jwt = jwt(&json!({ "sub": "alice", "team": "ops" }));
    let login = world
        .sessions
        .login(&Request::bearer(&jwt).profile("WEB"), &BTreeMap::new())
        .unwrap();
    let response = json_of(login.response.expose());
    let accessor = login.accessor.as_ref().unwrap().expose();
    assert!(login.token.expose().starts_with("hvs.") && login.token.expose().len() == 36);
    assert_eq!(
        response,
        json!({
            "request_id": response["request_id"], "lease_id": "", "renewable": false, "lease_duration": 0,
            "data": null, "wrap_info": null, "warnings": null, "mount_type": "jwt",
            "auth": {
                "client_token": login.token.expose(), "accessor": accessor,
                "policies": ["default", "read"], "token_policies": ["default", "read"],
                "metadata": { "role": "web", "team": "ops" }, "lease_duration": 3600, "renewable": true,
                "entity_id": login.session.entity_id(), "token_type": "service", "orphan": true,
                "mfa_requirement": null, "num_uses": 12,
            },
        })
    );
    let session = world.sessions.lookup_accessor(accessor).unwrap();
    assert_eq!(session.display_name(), Some("jwt-alice"));
    assert_eq!(
        world.sessions.accessor(login.token.expose()).unwrap().expose(),
        accessor
    );
}

#[test]
fn a_lease_that_is_capped_has_a_warning() {
    let roles = json!({ "web": { "token_ttl": "2h", "token_explicit_max_ttl": "1h" } });
    let world = World::new(&vault(&roles, &json!({ "max_ttl": "30m" })));
    let response = json_of(world.login("web", "alice").unwrap().response.expose());
    assert_eq!(response["auth"]["lease_duration"], 1800);
    let capped = |from: &str, to: &str| {
        format!(
            "TTL of \"{from}\" exceeded the effective max_ttl of \"{to}\"; TTL value is capped accordingly"
        )
    };
    assert_eq!(
        response["warnings"],
        json!([capped("2h0m0s", "1h0m0s"), capped("1h0m0s", "30m0s")])
    );
}

#[test]
fn an_entity_is_the_same_for_each_session_of_an_alias() {
    let roles = json!({ "web": {}, "other": {} });
    let (one, two) = (
        World::new(&vault(&roles, &json!({}))),
        World::build(&vault(&roles, &json!({})), NOW, 8).unwrap(),
    );
    let entity = |world: &World, role: &str, name: &str| {
        world.login(role, name).unwrap().session.entity_id().to_owned()
    };
    assert_eq!(entity(&one, "web", "alice"), entity(&two, "other", "alice"));
    assert_ne!(entity(&one, "web", "alice"), entity(&one, "web", "bob"));
}

#[test]
fn a_login_of_consul_answers_with_its_token() {
    let world = World::new(&consul("1h", &json!({})));
    let meta = BTreeMap::from([
        ("b".to_owned(), "<&>".to_owned()),
        ("a".to_owned(), "x".to_owned()),
    ]);
    let jwt = jwt(&json!({ "sub": "alice" }));
    let login = world.sessions.login(&Request::bearer(&jwt), &meta).unwrap();
    let token = json_of(login.response.expose());
    let id = |at: &str| token.pointer(at).cloned().unwrap();
    assert_eq!(
        token,
        json!({
            "CreateIndex": NOW * 1_000_000, "ModifyIndex": NOW * 1_000_000,
            "AccessorID": login.accessor.unwrap().expose(), "SecretID": login.token.expose(),
            "Description": r#"token created via login: {"a":"x","b":"\u003c\u0026\u003e"}"#,
            "Policies": [{ "ID": id("/Policies/0/ID"), "Name": "base" }],
            "Roles": [{ "ID": id("/Roles/0/ID"), "Name": "reader" }],
            "ServiceIdentities": [{ "ServiceName": "web-alice" }],
            "NodeIdentities": [{ "NodeName": "node-1", "Datacenter": "dc1" }],
            "TemplatedPolicies": [{ "TemplateName": "builtin/service", "TemplateVariables": { "name": "alice" } }],
            "Local": true, "AuthMethod": "ci",
            "ExpirationTime": "2023-11-14T23:13:20Z", "CreateTime": "2023-11-14T22:13:20Z",
            "Hash": id("/Hash"),
        })
    );
    assert_eq!(token["Hash"].as_str().unwrap().len(), 44);
    assert_eq!(login.token.expose().len(), 36);
    assert_eq!(
        code(world.sessions.renew(login.token.expose(), 0)),
        "session_not_renewable"
    );
    world.wait(3599);
    world.sessions.authorize(login.token.expose(), None).unwrap();
    world.wait(1);
    assert_eq!(
        code(world.sessions.authorize(login.token.expose(), None)),
        "session_unknown"
    );
}

#[test]
fn the_hash_of_a_consul_token_is_that_of_its_content() {
    let hash = |name: &str, seed: u64| {
        let world = World::build(&consul("1h", &json!({})), NOW, seed).unwrap();
        json_of(world.login("", name).unwrap().response.expose())["Hash"].clone()
    };
    assert_eq!(hash("alice", 1), hash("alice", 2));
    assert_ne!(hash("alice", 1), hash("bob", 1));
}

#[test]
fn a_native_login_answers_with_its_grant() {
    let world = World::new(&native(
        &json!({ "policies": ["p"], "session": { "ttl": "1h" } }),
        &json!({}),
    ));
    let login = world.login("", "alice").unwrap();
    let response = json_of(login.response.expose());
    assert_eq!(
        response,
        json!({
            "token": login.token.expose(), "accessor": login.accessor.unwrap().expose(), "type": "service",
            "expires_at": NOW + 3600, "lease_duration": 3600, "renewable": true,
            "entity_id": login.session.entity_id(),
            "grant": {
                "identity": { "name": "alice", "subject": "alice", "groups": [], "metadata": {}, "lists": {} },
                "entitlements": [{ "kind": "policy", "name": "p" }], "revocations": [],
            },
        })
    );
    assert!(
        world
            .sessions
            .authorize(login.token.expose(), None)
            .unwrap()
            .has(EntitlementKind::Policy, "p")
    );
}

#[test]
fn grafana_makes_no_sessions() {
    let error = Sessions::from_json(&grafana().to_string()).unwrap_err();
    assert_eq!(
        (error.code(), error.class().as_str()),
        ("sessions_unsupported", "config")
    );
}

#[test]
fn a_denied_login_makes_no_session() {
    let world = World::new(&vault(&json!({ "web": {} }), &json!({})));
    assert_eq!(code(world.login("none", "alice")), "profile_unknown");
    assert_eq!(world.sessions.revoke_all(Group::Subject("alice")).unwrap(), 0);
}

#[test]
fn a_renewal_uses_the_times_of_the_role_as_it_is_now() {
    let config = |ttl: &str| {
        vault(
            &json!({ "web": { "token_ttl": ttl, "token_max_ttl": "2h" } }),
            &json!({}),
        )
    };
    let mut world = World::new(&config("1h"));
    let login = world.login("web", "alice").unwrap();
    let token = login.token.expose();
    let lease = |world: &World, increment| -> Value {
        json_of(world.sessions.renew(token, increment).unwrap().response.expose())["auth"]["lease_duration"]
            .clone()
    };
    world.wait(600);
    assert_eq!(lease(&world, 0), 3600);
    assert_eq!(lease(&world, 60), 60);
    assert_eq!(lease(&world, 86_400), 6600);
    world.sessions = world.sessions.reload(&config("10m").to_string()).unwrap();
    assert_eq!(lease(&world, 0), 600);
    let gone = vault(&json!({ "other": {} }), &json!({}));
    world.sessions = world.sessions.reload(&gone.to_string()).unwrap();
    let error = world.sessions.renew(token, 0).unwrap_err();
    assert_eq!(error.code(), "session_profile_unknown");
    assert_eq!(error.detail(), Some("role web does not exist during renewal"));
    world.sessions.lookup(token).unwrap();
}

#[test]
fn a_periodic_session_lives_as_long_as_it_is_renewed() {
    let world = World::new(&vault(&json!({ "web": { "token_period": "1h" } }), &json!({})));
    let login = world.login("web", "alice").unwrap();
    for _ in 0..2000 {
        world.wait(3599);
        world.sessions.renew(login.token.expose(), 0).unwrap();
    }
    world.wait(3600);
    assert_eq!(
        code(world.sessions.renew(login.token.expose(), 0)),
        "session_unknown"
    );
}

#[test]
fn a_session_ends_with_its_token_if_this_is_asked_for() {
    let roles = json!({ "web": { "token_ttl": "10h" } });
    let world = World::new(&vault(&roles, &json!({ "end_with_token": true })));
    let login = world.login("web", "alice").unwrap();
    assert_eq!(login.session.ttl(), Some(3600));
    world.wait(1000);
    let renewed = world.sessions.renew(login.token.expose(), 0).unwrap();
    assert_eq!(renewed.session.ttl(), Some(2600));
    // The leeway still accepts this token, but a session would have no time.
    let jwt = jwt(&json!({ "sub": "alice", "exp": NOW - 1, "iat": NOW - 50 }));
    let outcome = world
        .sessions
        .login(&Request::bearer(&jwt).profile("web"), &BTreeMap::new());
    assert_eq!(code(outcome), "session_past_max_ttl");
}

#[test]
fn a_fraction_of_a_second_passes_no_limit() {
    let milliseconds = |count| Duration::from_millis(count);
    let roles = json!({ "web": { "token_ttl": "30s", "token_explicit_max_ttl": "60s" } });
    let limited = World::new(&vault(&roles, &json!({})));
    // The clock goes on from its first use.
    limited.sessions.sweep().unwrap();
    limited.elapsed.advance(milliseconds(100));
    let login = limited.login("web", "alice").unwrap();
    for _ in 0..3 {
        limited.elapsed.advance(milliseconds(19_950));
        limited.sessions.renew(login.token.expose(), 0).unwrap();
    }
    // 59.85 s after the login.
    limited.elapsed.advance(milliseconds(100));
    limited.sessions.lookup(login.token.expose()).unwrap();
    limited.elapsed.advance(milliseconds(100));
    assert_eq!(
        code(limited.sessions.lookup(login.token.expose())),
        "session_unknown"
    );

    let roles = json!({ "web": { "token_ttl": "10h" } });
    let with_token = World::new(&vault(&roles, &json!({ "end_with_token": true })));
    with_token.sessions.sweep().unwrap();
    with_token.elapsed.advance(milliseconds(500));
    let login = with_token.login("web", "alice").unwrap();
    with_token.elapsed.advance(milliseconds(3_599_400));
    with_token.sessions.lookup(login.token.expose()).unwrap();
    with_token.elapsed.advance(milliseconds(100));
    assert_eq!(
        code(with_token.sessions.lookup(login.token.expose())),
        "session_unknown"
    );
}

#[test]
fn the_last_use_ends_the_session_and_another_network_uses_none() {
    let roles = json!({ "web": { "token_num_uses": 2, "token_bound_cidrs": ["10.0.0.0/8"] } });
    let world = World::new(&vault(&roles, &json!({})));
    let jwt = jwt(&json!({ "sub": "alice" }));
    let address = "10.1.1.1".parse().unwrap();
    let inside = Some(address);
    let request = Request::bearer(&jwt).profile("web").remote_addr(address);
    let login = world.sessions.login(&request, &BTreeMap::new()).unwrap();
    let token = login.token.expose();
    for outside in [None, Some("11.1.1.1".parse().unwrap())] {
        assert_eq!(
            code(world.sessions.authorize(token, outside)),
            "session_address_not_allowed"
        );
    }
    assert_eq!(
        world.sessions.authorize(token, inside).unwrap().uses_left(),
        Some(1)
    );
    assert_eq!(world.sessions.lookup(token).unwrap().uses_left(), Some(1));
    assert_eq!(
        world.sessions.authorize(token, inside).unwrap().uses_left(),
        Some(0)
    );
    assert_eq!(code(world.sessions.authorize(token, inside)), "session_unknown");
    assert_eq!(code(world.sessions.lookup(token)), "session_unknown");
}

#[test]
fn an_accessor_is_not_a_token() {
    let world = World::new(&vault(&json!({ "web": {} }), &json!({})));
    let login = world.login("web", "alice").unwrap();
    let (token, accessor) = (login.token.expose(), login.accessor.as_ref().unwrap().expose());
    assert_eq!(code(world.sessions.authorize(accessor, None)), "session_unknown");
    assert_eq!(code(world.sessions.lookup_accessor(token)), "session_unknown");
    world.sessions.revoke_accessor(accessor).unwrap();
    assert_eq!(code(world.sessions.authorize(token, None)), "session_unknown");
    assert_eq!(code(world.sessions.revoke_accessor(accessor)), "session_unknown");
}

#[test]
fn a_group_is_revoked_and_others_stay() {
    let world = World::new(&vault(&json!({ "web": {}, "ci": {} }), &json!({})));
    let login = |role: &str, name: &str| world.login(role, name).unwrap();
    let (a, b, c) = (login("web", "alice"), login("ci", "alice"), login("web", "bob"));
    assert_eq!(world.sessions.revoke_all(Group::Subject("alice")).unwrap(), 2);
    assert_eq!(code(world.sessions.lookup(a.token.expose())), "session_unknown");
    assert_eq!(code(world.sessions.lookup(b.token.expose())), "session_unknown");
    world.sessions.lookup(c.token.expose()).unwrap();
    assert_eq!(world.sessions.revoke_all(Group::Profile("web")).unwrap(), 1);
    assert_eq!(world.sessions.revoke_all(Group::Profile("web")).unwrap(), 0);
}

#[test]
fn a_full_memory_says_so_and_keeps_live_sessions() {
    let store = json!({ "store": { "memory": { "max_sessions": 2 } } });
    let world = World::new(&vault(&json!({ "web": { "token_ttl": "1h" } }), &store));
    let first = world.login("web", "a").unwrap();
    world.wait(1);
    world.login("web", "b").unwrap();
    let error = world.login("web", "c").unwrap_err();
    assert_eq!(
        (error.code(), error.class().as_str()),
        ("store_full", "unavailable")
    );
    world.sessions.lookup(first.token.expose()).unwrap();
    world.wait(3599);
    world.login("web", "c").unwrap();
    assert_eq!(code(world.login("web", "d")), "store_full");
    world.wait(3600);
    assert_eq!(world.sessions.sweep().unwrap(), 2);
    let bytes = json!({ "store": { "memory": { "max_bytes": 65_536 } } });
    let world = World::new(&vault(&json!({ "web": {} }), &bytes));
    let logins = (0..1000)
        .take_while(|number| world.login("web", &number.to_string()).is_ok())
        .count();
    assert!((20..200).contains(&logins), "{logins}");
}

#[test]
fn batch_tokens_work_without_a_store_and_with_older_keys() {
    let key = |id: &str, letter: &str| json!({ "id": id, "key": letter.repeat(43) });
    let roles = json!({ "web": { "token_type": "batch", "token_ttl": "1h", "token_policies": ["p"],
        "token_bound_cidrs": ["10.0.0.0/8"] } });
    let config = |keys: Value| vault(&roles, &json!({ "batch_keys": keys }));
    let (a, b) = (key("a", "A"), key("b", "E"));
    let old = World::new(&config(json!([a])));
    let jwt = jwt(&json!({ "sub": "alice" }));
    let inside = "10.1.1.1".parse().unwrap();
    let request = Request::bearer(&jwt).profile("web").remote_addr(inside);
    let login = old.sessions.login(&request, &BTreeMap::new()).unwrap();
    let token = login.token.expose();
    let auth = &json_of(login.response.expose())["auth"];
    assert_eq!(
        (
            &auth["accessor"],
            &auth["renewable"],
            &auth["token_type"],
            &auth["num_uses"]
        ),
        (&json!(""), &json!(false), &json!("batch"), &json!(0))
    );
    let new = World::build(&config(json!([b, a])), NOW, 9).unwrap();
    let session = new.sessions.authorize(token, Some(inside)).unwrap();
    assert!(session.is_batch() && session.has(EntitlementKind::Policy, "p"));
    assert_eq!(
        code(new.sessions.authorize(token, None)),
        "session_address_not_allowed"
    );
    assert_eq!(code(new.sessions.renew(token, 0)), "batch_token_limited");
    assert_eq!(code(new.sessions.revoke(token)), "batch_token_limited");
    assert_eq!(code(new.sessions.accessor(token)), "batch_token_limited");
    assert_eq!(new.sessions.revoke_all(Group::Subject("alice")).unwrap(), 0);
    let other = World::build(&config(json!([b])), NOW, 9).unwrap();
    assert_eq!(code(other.sessions.lookup(token)), "session_unknown");
    new.wait(3600);
    assert_eq!(code(new.sessions.lookup(token)), "session_unknown");
    let none = World::new(&vault(&roles, &json!({})));
    assert_eq!(
        code(none.sessions.login(&request, &BTreeMap::new())),
        "batch_key_missing"
    );
}

#[test]
fn a_clock_that_is_set_back_does_not_lengthen_a_session() {
    let config = vault(&json!({ "web": { "token_ttl": "1h" } }), &json!({}));
    let world = World::new(&config);
    let login = world.login("web", "alice").unwrap();
    world.wait(3000);
    world.sessions.lookup(login.token.expose()).unwrap();
    // The new configuration has an earlier time; the store and its sessions are the same.
    let mut back = config.clone();
    back["options"] = json!({ "now": NOW - 100_000 });
    let sessions = world.sessions.reload(&back.to_string()).unwrap();
    assert_eq!(sessions.lookup(login.token.expose()).unwrap().ttl(), Some(600));
}

#[test]
fn the_member_sessions_is_read_strictly() {
    let detail = |sessions: Value| {
        let error = Sessions::from_json(&native(&json!({}), &sessions).to_string()).unwrap_err();
        assert_eq!(error.code(), "sessions_invalid");
        error.detail().unwrap().to_owned()
    };
    for (sessions, expected) in [
        (
            json!({ "stor": {} }),
            "`sessions.stor` is not known; did you mean `store`?",
        ),
        (json!([]), "`sessions`: must be an object, not a list"),
        (
            json!({ "max_ttl": 5 }),
            "`sessions.max_ttl`: must be a duration such as \"90s\", not a number",
        ),
        (
            json!({ "max_ttl": "0s" }),
            "`sessions.max_ttl`: must be greater than zero",
        ),
        (
            json!({ "max_ttl": "1.5s" }),
            "`sessions.max_ttl`: must be a whole number of seconds",
        ),
        (
            json!({ "store": { "memory": { "max_sessions": 0 } } }),
            "`sessions.store.memory.max_sessions`: must be an integer between 1 and 1099511627776",
        ),
        (
            json!({ "batch_keys": [] }),
            "`sessions.batch_keys`: must not be empty",
        ),
        (
            json!({ "batch_keys": [{ "id": "a" }] }),
            "`sessions.batch_keys[0]`: must have one of `key`, `key_file`",
        ),
        (
            json!({ "batch_keys": [{ "id": "a b", "key": "" }] }),
            "`sessions.batch_keys[0].id`: must have at most 32 letters, digits, `-`, `_` and `.`",
        ),
    ] {
        assert_eq!(detail(sessions), expected);
    }
    let text = native(&json!({}), &json!({})).to_string();
    let twice = text.replacen('{', r#"{"sessions":{},"#, 1);
    assert_eq!(Sessions::from_json(&twice).unwrap_err().code(), "config_invalid");
    let misspelt = text.replace("\"sessions\"", "\"session\"");
    assert_eq!(
        Sessions::from_json(&misspelt).unwrap_err().code(),
        "config_invalid"
    );
}

#[test]
fn every_verb_answers_in_one_line() {
    let world = World::new(&native(
        &json!({ "session": { "ttl": "1h" }, "identity": { "display_name": "name" } }),
        &json!({}),
    ));
    let sessions = &world.sessions;
    let token_of_login = jwt(&json!({ "sub": "al\u{2028}ice", "name": "a\u{2029}b" }));
    let login = wire::login(sessions, &json!({ "token": token_of_login }).to_string());
    let reply = json_of(login.expose());
    assert_eq!(
        (&reply["outcome"], &reply["session"]["subject"]),
        (&json!("login"), &json!("al\u{2028}ice"))
    );
    assert_eq!(reply["response"]["token"], reply["token"]);
    let token = json!({ "token": reply["token"] }).to_string();
    let accessor = json!({ "accessor": reply["accessor"] }).to_string();
    let outcomes = [
        (wire::lookup(sessions, &token), "session"),
        (wire::lookup_accessor(sessions, &accessor), "session"),
        (wire::renew(sessions, &token), "renewed"),
        (wire::authorize(sessions, &token), "authorized"),
        (wire::sweep(sessions), "swept"),
        (wire::revoke_all(sessions, r#"{"profile":""}"#), "revoked"),
    ];
    for (reply, outcome) in &outcomes {
        assert_eq!(json_of(reply.expose())["outcome"], *outcome, "{}", reply.expose());
        assert!(reply.expose().is_ascii(), "{}", reply.expose());
    }
    for (reply, code) in [
        (wire::lookup(sessions, &token), "session_unknown"),
        (wire::revoke(sessions, &token), "session_unknown"),
        (wire::revoke_accessor(sessions, &accessor), "session_unknown"),
        (wire::revoke(sessions, "{}"), "session_request_invalid"),
        (
            wire::revoke(sessions, r#"{"token":1}"#),
            "session_request_invalid",
        ),
        (
            wire::revoke(sessions, r#"{"token":"a","token":"b"}"#),
            "session_request_invalid",
        ),
        (
            wire::renew(sessions, r#"{"token":"a","increment":-1}"#),
            "session_request_invalid",
        ),
        (wire::revoke_all(sessions, "{}"), "session_request_invalid"),
        (wire::login(sessions, r#"{"token":"a.b.c"}"#), "token_malformed"),
        (
            wire::login(sessions, r#"{"token":"a","tokn":"b"}"#),
            "request_invalid",
        ),
        (
            wire::login(sessions, r#"{"token":"a","meta":{"a":1}}"#),
            "session_request_invalid",
        ),
        (wire::login(sessions, "["), "request_invalid"),
    ] {
        let reply = json_of(reply.expose());
        assert_eq!(
            (&reply["outcome"], &reply["code"]),
            (&json!("failed"), &json!(code)),
            "{reply}"
        );
    }
}

#[test]
fn a_request_that_is_too_large_is_denied() {
    let world = World::new(&native(&json!({}), &json!({})));
    let text = json!({ "token": "x".repeat(5_000_000) }).to_string();
    let code = |reply: jwtauth_sessions::Secret| json_of(reply.expose())["code"].clone();
    assert_eq!(code(wire::login(&world.sessions, &text)), "token_too_large");
    assert_eq!(
        code(wire::authorize(&world.sessions, &text)),
        "session_request_invalid"
    );
    assert_eq!(
        self::code(world.sessions.authorize(&text, None)),
        "session_unknown"
    );
}

#[test]
fn many_threads_can_use_the_same_sessions() {
    fn shared<T: Send + Sync>() {}
    shared::<Sessions>();
}

#[test]
fn debug_and_errors_show_no_secret() {
    let world = World::new(&vault(&json!({ "web": {} }), &json!({})));
    let login = world.login("web", "hush").unwrap();
    let secrets = [
        login.token.expose(),
        login.accessor.as_ref().unwrap().expose(),
        "hush",
    ];
    let shown = format!("{login:?} {:?} {:?}", world.sessions, login.session);
    let wrong = world
        .sessions
        .authorize(&format!("{}x", login.token.expose()), None)
        .unwrap_err();
    for secret in secrets {
        assert!(!shown.contains(secret), "{shown}");
        assert!(!format!("{wrong} {wrong:?}").contains(secret));
    }
}
