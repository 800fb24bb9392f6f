//! The endpoints of Vault.

use serde_json::{Value, json};

use crate::world::{ADMIN, Answer, World, expired, pem, signed, start, token};

/// A server with an administrator, and no mount.
fn empty() -> World {
    start(&json!({ "server": { "vault": { "token_file": "admin.token" } } }))
}

pub(crate) fn admin(world: &World, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    world.ask(method, &format!("/v1/{path}"), &[("X-Vault-Token", ADMIN)], &body)
}

pub(crate) fn as_token(world: &World, token: &str, method: &str, path: &str, body: &str) -> Answer {
    world.ask(method, &format!("/v1/{path}"), &[("X-Vault-Token", token)], body)
}

pub(crate) fn errors(answer: &Answer) -> (u16, String) {
    let text = answer.json()["errors"][0].as_str().unwrap_or_default().to_owned();
    (answer.status, text)
}

/// A server with the mount `jwt` and the role `demo`.
pub(crate) fn with_role(role: &Value) -> World {
    let world = empty();
    assert_eq!(
        admin(&world, "POST", "sys/auth/jwt", &json!({ "type": "jwt" })).status,
        204
    );
    let config = json!({ "jwt_validation_pubkeys": [pem()], "bound_issuer": "https://issuer.example" });
    assert_eq!(admin(&world, "PUT", "auth/jwt/config", &config).status, 204);
    let mut all = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": "api", "token_policies": "Web",
        "claim_mappings": { "email": "mail" },
    });
    jwtauth_testkit::case::merge(&mut all, role);
    let written = admin(&world, "POST", "auth/jwt/role/demo", &all);
    assert_eq!(written.status, 204, "{written:?}");
    world
}

pub(crate) fn login(world: &World) -> String {
    let answer = try_login(world, &token(&json!({})));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["auth"]["client_token"].as_str().unwrap().to_owned()
}

pub(crate) fn try_login(world: &World, jwt: &str) -> Answer {
    let body = json!({ "role": "Demo", "jwt": jwt }).to_string();
    world.ask("POST", "/v1/auth/jwt/login", &[("X-Vault-Token", "stale")], &body)
}

#[test]
fn a_client_enables_configures_logs_in_looks_up_renews_and_revokes() {
    let world = with_role(&json!({ "token_ttl": "1h", "token_max_ttl": "2h" }));
    let answer = try_login(&world, &token(&json!({})));
    let auth = &answer.json()["auth"];
    assert_eq!(auth["policies"], json!(["default", "web"]), "{answer:?}");
    assert_eq!(
        auth["metadata"],
        json!({ "mail": "alice@example.com", "role": "demo" })
    );
    assert_eq!(auth["lease_duration"], 3600);
    let own = auth["client_token"].as_str().unwrap();
    assert!(own.starts_with("hvs."));

    let found = as_token(&world, own, "GET", "auth/token/lookup-self", "").json();
    assert_eq!(found["data"]["path"], "auth/jwt/login");
    assert_eq!(found["data"]["display_name"], "jwt-alice");
    assert_eq!(found["data"]["id"], own);
    assert_eq!(found["data"]["accessor"], auth["accessor"]);
    assert_eq!(found["data"]["creation_ttl"], 3600);

    for (method, body) in [("POST", "{}"), ("PUT", r#"{"increment":0}"#), ("POST", "")] {
        let renewed = as_token(&world, own, method, "auth/token/renew-self", body);
        assert_eq!(renewed.status, 200, "{renewed:?}");
        assert_eq!(renewed.json()["auth"]["client_token"], own);
    }
    let renewed = as_token(
        &world,
        own,
        "POST",
        "auth/token/renew-self",
        r#"{"increment":"90s"}"#,
    );
    assert_eq!(renewed.json()["auth"]["lease_duration"], 90);

    let accessor = json!({ "accessor": auth["accessor"] });
    let found = admin(&world, "POST", "auth/token/lookup-accessor", &accessor).json();
    assert_eq!(
        (&found["data"]["id"], &found["data"]["accessor"]),
        (&json!(""), &auth["accessor"])
    );

    assert_eq!(
        as_token(&world, own, "PUT", "auth/token/revoke-self", "").status,
        204
    );
    let gone = as_token(&world, own, "GET", "auth/token/lookup-self", "");
    assert_eq!(errors(&gone), (403, "permission denied".to_owned()));
    let gone = admin(&world, "POST", "auth/token/lookup-accessor", &accessor);
    assert_eq!(errors(&gone), (400, "invalid accessor".to_owned()));
}

#[test]
fn refusals_of_logins_have_vaults_statuses_and_words() {
    let world = empty();
    let body = json!({ "role": "demo", "jwt": "x" }).to_string();
    let no_mount = world.ask("POST", "/v1/auth/jwt/login", &[], &body);
    assert_eq!(no_mount.status, 403);
    admin(&world, "POST", "sys/auth/jwt", &json!({ "type": "jwt" }));
    let unconfigured = world.ask("POST", "/v1/auth/jwt/login", &[], &body);
    assert_eq!(
        errors(&unconfigured),
        (400, "could not load configuration".to_owned())
    );

    let world = with_role(&json!({ "bound_claims": { "groups": "eng" } }));
    let login = |body: Value| errors(&world.ask("PUT", "/v1/auth/jwt/login", &[], &body.to_string()));
    let is = |status: u16, text: &str| (status, text.to_owned());
    assert_eq!(login(json!({})), is(400, "missing role"));
    assert_eq!(
        login(json!({ "role": "x" })),
        is(400, "role \"x\" could not be found")
    );
    assert_eq!(login(json!({ "role": "demo" })), is(400, "missing token"));
    let jwt = |jwt: String| login(json!({ "role": "demo", "jwt": jwt }));
    let (status, text) = jwt(expired());
    assert_eq!(status, 400);
    assert!(
        text.starts_with("error validating token: invalid expiration time (exp) claim"),
        "{text}"
    );
    assert!(
        jwt(signed("ec256-2", &json!({})))
            .1
            .contains("no known key successfully validated")
    );
    assert!(
        jwt(token(&json!({ "groups": ["x"] })))
            .1
            .starts_with("error validating claims: claim \"groups\"")
    );
    assert!(
        jwt(token(&json!({ "iss": "https://other.example" })))
            .1
            .contains("invalid issuer (iss) claim")
    );
    let broken = world.ask("POST", "/v1/auth/jwt/login", &[], "{");
    assert_eq!(broken.status, 400);
}

#[test]
fn a_configuration_is_replaced_as_a_whole_and_read_without_its_secret() {
    let world = with_role(&json!({}));
    let read = admin(&world, "GET", "auth/jwt/config", &Value::Null).json();
    assert_eq!(read["data"].as_object().unwrap().len(), 15);
    assert_eq!(read["data"]["bound_issuer"], "https://issuer.example");
    assert_eq!(read["data"]["jwks_pairs"], json!([]));
    assert_eq!(read["data"]["namespace_in_state"], true);
    let write = |body: Value| admin(&world, "POST", "auth/jwt/config", &body);
    assert_eq!(
        write(json!({ "jwt_validation_pubkeys": pem(), "namespace_in_state": false })).status,
        204
    );
    assert_eq!(
        write(json!({ "jwt_validation_pubkeys": pem(), "default_role": "Demo" })).status,
        204
    );
    let read = admin(&world, "GET", "auth/jwt/config", &Value::Null).json();
    assert_eq!(read["data"]["bound_issuer"], "");
    assert_eq!(read["data"]["namespace_in_state"], false);
    assert_eq!(read["data"]["default_role"], "demo");
    let body = json!({ "jwt": token(&json!({})) }).to_string();
    assert_eq!(world.ask("POST", "/v1/auth/jwt/login", &[], &body).status, 200);
    for (body, expected) in [
        (
            json!({}),
            "exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs' or 'oidc_discovery_url' must be set",
        ),
        (
            json!({ "jwt_validation_pubkeys": [pem()], "oidc_client_id": "a" }),
            "both 'oidc_client_id' and 'oidc_client_secret' must be set for OIDC",
        ),
        (
            json!({ "jwks_url": [] }),
            "Field validation failed: error converting input for field \"jwks_url\": expected type 'string', got a list",
        ),
        (
            json!({ "jwks_url": "http://127.0.0.1:1/keys" }),
            "error checking jwks URL http://127.0.0.1:1/keys",
        ),
        (
            json!({ "jwt_validation_pubkeys": [pem()], "jwt_supported_algs": "HS256" }),
            "invalid jwt_supported_algs: unsupported signing algorithm \"HS256\"",
        ),
    ] {
        assert_eq!(errors(&write(body)), (400, expected.to_owned()));
    }
}

#[test]
fn roles_are_written_in_parts_listed_and_deleted() {
    let world = with_role(&json!({ "bound_claims_type": "glob", "bound_claims": { "groups": "e*" } }));
    let body = json!({ "role_type": "jwt", "token_ttl": 60, "name": "demo", "verbose_oidc_logging": false });
    assert_eq!(admin(&world, "PUT", "auth/jwt/role/DEMO", &body).status, 204);
    let read = admin(&world, "GET", "auth/jwt/role/demo", &Value::Null).json();
    let data = &read["data"];
    assert_eq!(data["token_ttl"], 60);
    assert_eq!(data["user_claim"], "sub");
    assert_eq!(data["bound_claims_type"], "string");
    assert_eq!(data["bound_claims"], json!({ "groups": "e*" }));
    assert_eq!(data["bound_audiences"], json!(["api"]));
    assert_eq!(data["token_policies"], json!(["Web"]));
    assert_eq!(data["allowed_redirect_uris"], Value::Null);
    assert_eq!(data.get("ttl"), None);
    assert_eq!(
        admin(
            &world,
            "POST",
            "auth/jwt/role/b",
            &json!({ "role_type": "jwt", "user_claim": "sub", "bound_subject": "x", "ttl": 5 })
        )
        .status,
        204
    );
    assert_eq!(
        admin(&world, "GET", "auth/jwt/role/b", &Value::Null).json()["data"]["ttl"],
        5
    );
    for (method, path) in [
        ("LIST", "auth/jwt/role"),
        ("GET", "auth/jwt/role?list=true"),
        ("LIST", "auth/jwt/role/"),
    ] {
        let keys = admin(&world, method, path, &Value::Null).json();
        assert_eq!(keys["data"]["keys"], json!(["b", "demo"]), "{method} {path}");
    }
    for _ in 0..2 {
        assert_eq!(
            admin(&world, "DELETE", "auth/jwt/role/b", &Value::Null).status,
            204
        );
    }
    assert_eq!(admin(&world, "GET", "auth/jwt/role/b", &Value::Null).status, 404);
    let write = |body: Value| errors(&admin(&world, "POST", "auth/jwt/role/c", &body));
    for (body, expected) in [
        (
            json!({ "role_type": "jwt", "bound_subject": "x" }),
            "a user claim must be defined on the role",
        ),
        (
            json!({ "role_type": "jwt", "user_claim": "sub" }),
            "must have at least one bound constraint when creating/updating a role",
        ),
        (json!({ "role_type": "saml" }), "invalid 'role_type': saml"),
        (
            json!({ "user_claim": "sub", "bound_subject": "x" }),
            "'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified.",
        ),
        (
            json!({ "token_ttl": -1 }),
            "Field validation failed: error converting input for field \"token_ttl\": cannot provide negative value '-1'",
        ),
        (
            json!({ "role_type": "jwt", "user_claim": "sub", "bound_subject": "x", "token_period": "1000h" }),
            "'period' of '\"1000h0m0s\"' is greater than the backend's maximum lease TTL of '\"768h0m0s\"'",
        ),
    ] {
        assert_eq!(write(body), (400, expected.to_owned()));
    }
    assert_eq!(admin(&world, "POST", "auth/jwt/role/-c", &json!({})).status, 404);
    // An update without the type makes the role one of browsers, which a token cannot log in to.
    let update = json!({ "token_ttl": 5, "allowed_redirect_uris": "https://app.example/callback" });
    assert_eq!(admin(&world, "POST", "auth/jwt/role/demo", &update).status, 204);
    assert_eq!(
        errors(&try_login(&world, &token(&json!({ "groups": "e*" })))),
        (400, "role with oidc role_type is not allowed".to_owned())
    );
}

#[test]
fn roles_that_are_too_large_together_are_refused() {
    let world = with_role(&json!({}));
    let mut role = json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": "api" });
    role["bound_subject"] = "x".repeat(900_000).into();
    let write = |name: usize| admin(&world, "POST", &format!("auth/jwt/role/{name}"), &role).status;
    let statuses: Vec<_> = (0..6).map(write).collect();
    assert_eq!(statuses, [204, 204, 204, 204, 400, 400]);
    login(&world);
}

#[test]
fn mounts_are_enabled_tuned_listed_and_disabled() {
    let world = empty();
    let enable = |path: &str, body: Value| admin(&world, "POST", &format!("sys/auth/{path}"), &body);
    let body = json!({ "type": "jwt", "description": "CI", "local": false, "seal_wrap": false,
        "config": { "default_lease_ttl": "1h", "max_lease_ttl": "", "options": null } });
    assert_eq!(enable("team/ci", body).status, 204);
    assert_eq!(
        errors(&enable("team/ci", json!({ "type": "jwt" }))),
        (400, "path is already in use at team/ci/".to_owned())
    );
    assert_eq!(enable("team", json!({ "type": "jwt" })).status, 400);
    assert_eq!(enable("token", json!({ "type": "jwt" })).status, 400);
    assert_eq!(enable("x", json!({})).status, 400);
    assert_eq!(enable("x", json!({ "type": "ldap" })).status, 400);
    let list = admin(&world, "GET", "sys/auth", &Value::Null).json();
    assert_eq!(list["data"]["team/ci/"]["description"], "CI");
    assert_eq!(list["team/ci/"]["type"], "jwt");
    assert_eq!(list["data"]["token/"]["type"], "token");
    let tune = |body: Value| admin(&world, "POST", "sys/auth/team/ci/tune", &body).status;
    assert_eq!(tune(json!({ "max_lease_ttl": "2h", "description": "new" })), 204);
    assert_eq!(tune(json!({ "default_lease_ttl": "3h" })), 400);
    // What no login could use is refused.
    let huge = json!({ "default_lease_ttl": i64::MAX, "max_lease_ttl": i64::MAX });
    assert_eq!(tune(huge.clone()), 400);
    assert_eq!(
        enable("huge", json!({ "type": "jwt", "config": huge })).status,
        400
    );
    let tuned = admin(&world, "GET", "sys/mounts/auth/team/ci/tune", &Value::Null).json();
    assert_eq!(tuned["data"]["max_lease_ttl"], 7200);
    assert_eq!(tuned["data"]["default_lease_ttl"], 3600);
    assert_eq!(tuned["data"]["description"], "new");
    for _ in 0..2 {
        assert_eq!(
            admin(&world, "DELETE", "sys/auth/team/ci", &Value::Null).status,
            204
        );
    }
    assert_eq!(
        admin(&world, "GET", "auth/team/ci/config", &Value::Null).status,
        404
    );
}

#[test]
fn policies_are_enforced() {
    let policies = json!({ "web": [{ "path": "auth/jwt/role/*", "capabilities": ["read", "list"] },
                                   { "path": "sys/auth/*", "capabilities": ["create", "update"] }] });
    let world =
        start(&json!({ "server": { "vault": { "token_file": "admin.token", "policies": policies } } }));
    admin(&world, "POST", "sys/auth/jwt", &json!({ "type": "jwt" }));
    admin(
        &world,
        "PUT",
        "auth/jwt/config",
        &json!({ "jwt_validation_pubkeys": [pem()] }),
    );
    let role =
        json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": "api", "token_policies": "web" });
    admin(&world, "PUT", "auth/jwt/role/demo", &role);
    let own = login(&world);
    let status = |method: &str, path: &str| as_token(&world, &own, method, path, "{}").status;
    assert_eq!(status("GET", "auth/jwt/role/demo"), 200);
    assert_eq!(status("POST", "auth/jwt/role/demo"), 403);
    assert_eq!(status("DELETE", "auth/jwt/role/demo"), 403);
    assert_eq!(status("GET", "auth/jwt/config"), 403);
    assert_eq!(status("GET", "sys/auth"), 403);
    // Mounts also need `sudo`.
    assert_eq!(status("POST", "sys/auth/x"), 403);
    assert_eq!(status("POST", "auth/token/lookup-accessor"), 403);
    assert_eq!(status("GET", "secret/data/x"), 403);
    assert_eq!(world.get("/v1/auth/jwt/role/demo", &[]).status, 403);
    assert_eq!(admin(&world, "GET", "secret/data/x", &Value::Null).status, 404);
    assert_eq!(
        admin(&world, "DELETE", "auth/jwt/config", &Value::Null).status,
        405
    );

    let role = json!({ "role_type": "jwt", "token_no_default_policy": true });
    admin(&world, "PUT", "auth/jwt/role/demo", &role);
    let own = login(&world);
    assert_eq!(
        as_token(&world, &own, "GET", "auth/token/lookup-self", "").status,
        403
    );
}

#[test]
fn a_mount_of_the_file_is_served_and_cannot_be_changed() {
    let role = json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["api"], "ttl": "5m" });
    let config = json!({
        "dialect": "vault",
        "config": { "jwt_validation_pubkeys": [pem()], "roles": { "Demo": role }, "mount": { "path": "auth/ci/" } },
        "server": { "vault": { "token_file": "admin.token" } },
    });
    let world = start(&config);
    let body = json!({ "role": "demo", "jwt": token(&json!({})) }).to_string();
    let answer = world.ask("POST", "/v1/auth/ci/login", &[], &body);
    assert_eq!(answer.json()["auth"]["lease_duration"], 300, "{answer:?}");
    let own = answer.json()["auth"]["client_token"].as_str().unwrap().to_owned();
    assert_eq!(
        admin(&world, "GET", "auth/ci/role/demo", &Value::Null).json()["data"]["token_ttl"],
        300
    );
    assert_eq!(admin(&world, "POST", "auth/ci/role/x", &json!({})).status, 400);
    assert_eq!(admin(&world, "DELETE", "sys/auth/ci", &Value::Null).status, 400);
    // A reload keeps the sessions.
    world.reload(&config).unwrap();
    assert_eq!(
        as_token(&world, &own, "GET", "auth/token/lookup-self", "").status,
        200
    );
    assert_eq!(
        as_token(&world, &own, "POST", "auth/token/renew-self", "").status,
        200
    );
}

#[test]
fn health_needs_no_token_and_knows_the_parameters() {
    let world = empty();
    let answer = world.get("/v1/sys/health", &[]);
    assert_eq!(
        (answer.status, &answer.json()["initialized"]),
        (200, &json!(true))
    );
    let answer = world.ask("HEAD", "/v1/sys/health?standbyok=true", &[], "");
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let seven = "drsecondarycode=299&haunhealthycode=299&performancestandbycode=299&removedcode=299&sealedcode=299&standbycode=299&uninitcode=299";
    assert_eq!(world.get(&format!("/v1/sys/health?{seven}"), &[]).status, 200);
    assert_eq!(world.get("/v1/sys/health?activecode=299", &[]).status, 299);
    for wrong in ["x", "99", "101", "700"] {
        assert_eq!(
            world
                .get(&format!("/v1/sys/health?activecode={wrong}"), &[])
                .status,
            400
        );
    }
}

#[test]
fn the_state_survives_a_restart_in_sqlite() {
    let config = json!({ "server": { "store": { "sqlite": { "path": "sessions.db" } }, "vault": { "token_file": "admin.token" } } });
    let config = {
        let mut config = config;
        config["server"]["store"]["memory"] = Value::Null;
        config
    };
    let world = start(&config);
    admin(&world, "POST", "sys/auth/jwt", &json!({ "type": "jwt" }));
    admin(
        &world,
        "PUT",
        "auth/jwt/config",
        &json!({ "jwt_validation_pubkeys": [pem()] }),
    );
    let role = json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": "api" });
    admin(&world, "PUT", "auth/jwt/role/demo", &role);
    let own = login(&world);
    let World { server, folder } = world;
    server.stop();
    let server = crate::world::try_start(&folder, &config).unwrap();
    let world = World { server, folder };
    assert_eq!(
        as_token(&world, &own, "GET", "auth/token/lookup-self", "").status,
        200
    );
    login(&world);
}
