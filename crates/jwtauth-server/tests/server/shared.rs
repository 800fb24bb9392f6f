//! Servers with one store: which of them accept each other's sessions.

use jwtauth_sessions::{Code, Sessions};
use serde_json::{Value, json};

use crate::world::{Folder, RING, World, pem, start, token};

/// A server whose sessions are in this folder.
fn start_on(store: &Folder, config: &Value) -> World {
    start(&on(store, config))
}

fn on(store: &Folder, config: &Value) -> Value {
    let path = store.path().join("sessions.db");
    let mut all = json!({ "server": { "store": { "memory": null, "sqlite": { "path": path } } } });
    jwtauth_testkit::case::merge(&mut all, config);
    all["server"]["store"]["memory"] = Value::Null;
    all
}

fn other_pem() -> String {
    RING.public_pem("ec256-2").unwrap()
}

fn native(keys: &[String], more: &Value) -> Value {
    let keys: Vec<_> = keys.iter().map(|key| json!({ "pem": key })).collect();
    let mut config = json!({
        "dialect": "native",
        "config": {
            "keys": keys, "algorithms": ["ES256"], "issuer": "https://issuer.example", "audiences": ["api"],
            "token": { "header": null, "query": "t" },
        },
        "server": { "auth": { "cookie": { "name": "s" } } },
    });
    jwtauth_testkit::case::merge(&mut config, more);
    config
}

/// Logs in through the URL. Returns the cookie.
fn cookie_of(world: &World) -> String {
    let uri = format!("/?t={}", token(&json!({})));
    let answer = world.get("/auth", &[("X-Forwarded-Uri", &uri)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookie = answer.header("Set-Cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[test]
fn a_cookie_counts_where_the_same_keys_issuers_and_audiences_are_trusted() {
    let store = Folder::new();
    let world = start_on(&store, &native(&[pem()], &json!({})));
    let cookie = cookie_of(&world);
    let status = |world: &World| world.get("/auth", &[("Cookie", &cookie)]).status;
    assert_eq!(status(&world), 200);
    let nothing = json!({});
    let leeway =
        json!({ "config": { "leeway": { "exp": "5s" } }, "server": { "auth": { "realm": "other" } } });
    let audience = json!({ "config": { "audiences": ["other"] } });
    let issuer = json!({ "config": { "issuer": "https://other.example" } });
    let both = [pem(), other_pem()];
    for (keys, more, expected) in [
        (&both[..1], &nothing, 200),
        (&both[..1], &leeway, 200),
        (&both[..], &nothing, 200),
        (&both[1..], &nothing, 401),
        (&both[..1], &audience, 401),
        (&both[..1], &issuer, 401),
    ] {
        let other = native(keys, more);
        assert_eq!(status(&start_on(&store, &other)), expected, "{other}");
        // A reload decides the same.
        world.reload(&on(&store, &other)).unwrap();
        assert_eq!(status(&world), expected, "{other}");
    }
}

#[test]
fn a_cookie_is_no_token_of_an_application_with_the_same_store() {
    let store = Folder::new();
    let config = native(&[pem()], &json!({}));
    let world = start_on(&store, &config);
    let cookie = cookie_of(&world);
    let token = cookie.strip_prefix("s=").unwrap();
    let application = json!({
        "dialect": "native", "config": config["config"],
        "sessions": { "store": { "sqlite": { "path": store.path().join("sessions.db") } } },
    });
    let application = Sessions::from_json(&application.to_string()).unwrap();
    let why = application.authorize(token, None).unwrap_err();
    assert_eq!(why.session_code(), Some(Code::SessionUnknown));
    // A reload keeps cookies apart, and finds them.
    world.server.reload().unwrap();
    assert_eq!(world.get("/auth", &[("Cookie", &cookie)]).status, 200);
    assert!(application.authorize(token, None).is_err());
}

#[test]
fn a_token_of_vaults_mount_in_a_file_counts_where_its_keys_are_trusted() {
    let vault = |keys: &[String], lease: &str| {
        let role =
            json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["api"], "ttl": lease });
        json!({ "dialect": "vault", "config": { "jwt_validation_pubkeys": keys, "roles": { "demo": role } } })
    };
    let store = Folder::new();
    let world = start_on(&store, &vault(&[pem()], "5m"));
    let body = json!({ "role": "demo", "jwt": token(&json!({})) }).to_string();
    let answer = world.ask("POST", "/v1/auth/jwt/login", &[], &body).json();
    let own = answer["auth"]["client_token"].as_str().unwrap();
    let status = |world: &World| {
        let headers = [("X-Vault-Token", own)];
        let looked_up = world.get("/v1/auth/token/lookup-self", &headers).status;
        let renewed = world.ask("POST", "/v1/auth/token/renew-self", &headers, "");
        (looked_up, renewed.status)
    };
    assert_eq!(status(&world), (200, 200));
    let accepted = (200, 200);
    for (keys, lease, expected) in [
        (&[pem()][..], "5m", accepted),
        (&[pem()], "9m", accepted),
        (&[pem(), other_pem()], "5m", accepted),
        (&[other_pem()], "5m", (403, 403)),
    ] {
        let other = vault(keys, lease);
        assert_eq!(status(&start_on(&store, &other)), expected, "{other}");
    }
}

#[test]
fn a_token_of_consuls_method_in_a_file_counts_where_its_keys_are_trusted() {
    let consul = |keys: &[String], bound: &str| {
        json!({ "dialect": "consul", "config": {
            "AuthMethod": { "Name": "ci", "Type": "jwt", "Config": { "JWTValidationPubKeys": keys, "BoundAudiences": ["api"] } },
            "BindingRules": [{ "BindType": "policy", "BindName": bound }] } })
    };
    let store = Folder::new();
    let world = start_on(&store, &consul(&[pem()], "web"));
    let body = json!({ "AuthMethod": "ci", "BearerToken": token(&json!({})) }).to_string();
    let answer = world.ask("POST", "/v1/acl/login", &[], &body).json();
    let own = answer["SecretID"].as_str().unwrap();
    let status = |world: &World| world.get("/v1/acl/token/self", &[("X-Consul-Token", own)]).status;
    assert_eq!(status(&world), 200);
    for (keys, bound, expected) in [
        (&[pem()][..], "web", 200),
        (&[pem()], "other", 200),
        (&[pem(), other_pem()], "web", 200),
        (&[other_pem()], "web", 403),
    ] {
        let other = consul(keys, bound);
        assert_eq!(status(&start_on(&store, &other)), expected, "{other}");
    }
}
