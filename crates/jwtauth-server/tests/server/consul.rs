//! The endpoints of Consul.

use serde_json::{Value, json};

use crate::world::{ADMIN, Answer, World, expired, pem, signed, start, token};

fn empty() -> World {
    start(&json!({ "server": { "consul": { "token_file": "admin.token" } } }))
}

fn admin(world: &World, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    world.ask(
        method,
        &format!("/v1/acl/{path}"),
        &[("X-Consul-Token", ADMIN)],
        &body,
    )
}

fn method() -> Value {
    json!({
        "Name": "ci", "Type": "jwt", "MaxTokenTTL": "300s", "Description": "", "CreateIndex": 0, "ModifyIndex": 0,
        "Config": { "JWTValidationPubKeys": [pem()], "BoundAudiences": ["api"], "ClaimMappings": { "sub": "name" },
                    "ListClaimMappings": { "groups": "groups" } },
    })
}

fn with_rules(rules: &[Value]) -> World {
    let world = empty();
    let made = admin(&world, "PUT", "auth-method", &method());
    assert_eq!(made.status, 200, "{made:?}");
    for rule in rules {
        let mut all = json!({ "ID": "", "AuthMethod": "ci", "CreateIndex": 0 });
        jwtauth_testkit::case::merge(&mut all, rule);
        let made = admin(&world, "PUT", "binding-rule", &all);
        assert_eq!(made.status, 200, "{made:?}");
    }
    world
}

fn login(world: &World, jwt: &str, more: &Value) -> Answer {
    let mut body = json!({ "AuthMethod": "ci", "BearerToken": jwt });
    jwtauth_testkit::case::merge(&mut body, more);
    world.ask("POST", "/v1/acl/login", &[], &body.to_string())
}

#[test]
fn a_client_makes_method_and_rules_logs_in_asks_about_itself_and_logs_out() {
    let world = empty();
    let role = admin(
        &world,
        "PUT",
        "role",
        &json!({ "Name": "reader", "Policies": [] }),
    )
    .json();
    let policy = admin(
        &world,
        "PUT",
        "policy",
        &json!({ "Name": "base", "Rules": "key \"a\" {}" }),
    )
    .json();
    let made = admin(&world, "PUT", "auth-method", &method()).json();
    assert_eq!(made["MaxTokenTTL"], "5m0s");
    assert!(made["CreateIndex"].as_u64().unwrap() > 0);
    let rule = |kind: &str, name: &str| json!({ "AuthMethod": "ci", "BindType": kind, "BindName": name, "Selector": "eng in list.groups" });
    for rule in [
        rule("service", "web-${value.name}"),
        rule("role", "reader"),
        rule("role", "absent"),
        rule("policy", "base"),
    ] {
        assert_eq!(admin(&world, "PUT", "binding-rule", &rule).status, 200);
    }
    let answer = login(&world, &token(&json!({})), &json!({ "Meta": { "pod": "a<b" } }));
    let own = answer.json();
    assert_eq!(
        own["ServiceIdentities"],
        json!([{ "ServiceName": "web-alice" }]),
        "{answer:?}"
    );
    assert_eq!(own["Roles"], json!([{ "ID": role["ID"], "Name": "reader" }]));
    assert_eq!(own["Policies"], json!([{ "ID": policy["ID"], "Name": "base" }]));
    assert_eq!(
        own["Description"],
        "token created via login: {\"pod\":\"a\\u003cb\"}"
    );
    assert_eq!(own["AuthMethod"], "ci");
    let secret = own["SecretID"].as_str().unwrap();
    for headers in [
        [("X-Consul-Token", secret.to_owned())],
        [("Authorization", format!("Bearer {secret}"))],
    ] {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(world.get("/v1/acl/token/self", &headers).json(), own);
    }
    assert_eq!(
        world
            .get(&format!("/v1/acl/token/self?token={secret}"), &[])
            .json(),
        own
    );
    let out = world.ask("POST", "/v1/acl/logout", &[("X-Consul-Token", secret)], "");
    assert_eq!((out.status, out.body.as_str()), (200, "true"));
    let gone = world.get("/v1/acl/token/self", &[("X-Consul-Token", secret)]);
    assert_eq!((gone.status, gone.body.as_str()), (403, "ACL not found"));
    let gone = world.ask("POST", "/v1/acl/logout", &[("X-Consul-Token", secret)], "");
    assert_eq!((gone.status, gone.body.as_str()), (403, "ACL not found"));
}

#[test]
fn refusals_of_logins_have_consuls_statuses_and_words() {
    let world =
        with_rules(&[json!({ "BindType": "service", "BindName": "web", "Selector": "value.name == alice" })]);
    let is = |answer: Answer| (answer.status, answer.body);
    let no = |status: u16, text: &str| (status, text.to_owned());
    assert_eq!(
        is(world.get("/v1/acl/login", &[])),
        no(405, "method GET not allowed")
    );
    let broken = world.ask("POST", "/v1/acl/login", &[], r#"{"AuthMethod":"ci","Other":1}"#);
    assert_eq!(broken.status, 400);
    assert!(
        broken.body.starts_with("Failed to decode request body: "),
        "{broken:?}"
    );
    let unknown = login(&world, "x", &json!({ "AuthMethod": "other" }));
    assert_eq!(
        is(unknown),
        no(403, "ACL not found: auth method \"other\" not found")
    );
    assert_eq!(is(login(&world, "", &json!({}))), no(500, "missing jwt"));
    let late = login(&world, &expired(), &json!({}));
    assert_eq!(late.status, 500);
    assert!(late.body.contains("token is expired (exp)"), "{late:?}");
    let forged = login(&world, &signed("ec256-2", &json!({})), &json!({}));
    assert_eq!(forged.status, 500);
    assert!(
        forged
            .body
            .starts_with("no known key successfully validated the token signature"),
        "{forged:?}"
    );
    let other = login(&world, &token(&json!({ "sub": "bob" })), &json!({}));
    assert_eq!(other.status, 403);
    assert!(other.body.starts_with("Permission denied"), "{other:?}");
}

#[test]
fn methods_and_rules_are_changed_listed_and_deleted() {
    let world = with_rules(&[json!({ "BindType": "service", "BindName": "web" })]);
    let list = admin(&world, "GET", "auth-methods", &Value::Null).json();
    assert_eq!(
        (list[0]["Name"].as_str(), list[0].get("Config")),
        (Some("ci"), None)
    );
    let mut changed = method();
    changed["Description"] = json!("new");
    assert_eq!(admin(&world, "PUT", "auth-method/ci", &changed).status, 200);
    let read = admin(&world, "GET", "auth-method/ci", &Value::Null).json();
    assert_eq!(read["Description"], "new");
    assert!(read["ModifyIndex"].as_u64() > read["CreateIndex"].as_u64());
    assert_eq!(read["Config"]["BoundAudiences"], json!(["api"]));

    let rules = admin(&world, "GET", "binding-rules?authmethod=ci", &Value::Null).json();
    let id = rules[0]["ID"].as_str().unwrap().to_owned();
    assert_eq!(
        admin(&world, "GET", "binding-rules?authmethod=x", &Value::Null).json(),
        json!([])
    );
    let body = json!({ "ID": id, "AuthMethod": "ci", "BindType": "service", "BindName": "db" });
    assert_eq!(
        admin(&world, "PUT", &format!("binding-rule/{id}"), &body).status,
        200
    );
    assert_eq!(
        admin(&world, "GET", &format!("binding-rule/{id}"), &Value::Null).json()["BindName"],
        "db"
    );
    let own = login(&world, &token(&json!({})), &json!({})).json();
    assert_eq!(own["ServiceIdentities"][0]["ServiceName"], "db");
    let secret = own["SecretID"].as_str().unwrap();

    for _ in 0..2 {
        let deleted = admin(&world, "DELETE", "auth-method/ci", &Value::Null);
        assert_eq!((deleted.status, deleted.body.as_str()), (200, "true"));
    }
    assert_eq!(admin(&world, "GET", "auth-method/ci", &Value::Null).status, 404);
    assert_eq!(
        admin(&world, "GET", "binding-rules", &Value::Null).json(),
        json!([])
    );
    assert_eq!(
        world
            .get("/v1/acl/token/self", &[("X-Consul-Token", secret)])
            .status,
        403
    );
}

#[test]
fn invalid_objects_are_refused_with_consuls_words() {
    let world = with_rules(&[]);
    let write = |path: &str, body: &Value| {
        let answer = admin(&world, "PUT", path, body);
        (answer.status, answer.body)
    };
    let changed = |member: &str, value: Value| {
        let mut body = method();
        body["Name"] = json!("other");
        body[member] = value;
        body
    };
    for (body, expected) in [
        (changed("Name", json!("")), "Invalid Auth Method: no Name is set"),
        (
            changed("Name", json!("a b")),
            "Invalid Auth Method: invalid Name. Only alphanumeric characters, '-' and '_' are allowed",
        ),
        (
            changed("Type", json!("oidc")),
            "Invalid Auth Method: Type should be one of: [jwt]",
        ),
        (
            changed("MaxTokenTTL", json!("59s")),
            "MaxTokenTTL 59s cannot be less than 1m0s",
        ),
        (
            changed("TokenLocality", json!("x")),
            "Invalid Auth Method: TokenLocality should be one of 'local' or 'global'",
        ),
    ] {
        assert_eq!(write("auth-method", &body), (500, expected.to_owned()));
    }
    let none = write(
        "auth-method",
        &changed("Config", json!({ "BoundAudiences": ["a"] })),
    );
    assert!(
        none.1
            .contains("exactly one of 'JWTValidationPubKeys', 'JWKSURL', or 'OIDCDiscoveryURL' must be set"),
        "{none:?}"
    );
    let far = write(
        "auth-method",
        &changed("Config", json!({ "JWKSURL": "http://127.0.0.1:1/keys" })),
    );
    assert!(
        far.1.starts_with("Invalid Auth Method: error checking JWKSURL"),
        "{far:?}"
    );
    for (body, expected) in [
        (
            json!({ "BindType": "service", "BindName": "a" }),
            "Invalid Binding Rule: no AuthMethod is set",
        ),
        (
            json!({ "AuthMethod": "x", "BindType": "service" }),
            "cannot find auth method with name \"x\"",
        ),
        (
            json!({ "AuthMethod": "ci", "BindName": "a" }),
            "Invalid Binding Rule: no BindType is set",
        ),
        (
            json!({ "AuthMethod": "ci", "BindType": "service" }),
            "Invalid Binding Rule: no BindName is set",
        ),
        (
            json!({ "AuthMethod": "ci", "BindType": "x", "BindName": "a" }),
            "Invalid Binding Rule: unknown BindType \"x\"",
        ),
        (
            json!({ "AuthMethod": "ci", "BindType": "service", "BindName": "A" }),
            "invalid bind name: \"A\"",
        ),
    ] {
        assert_eq!(write("binding-rule", &body), (500, expected.to_owned()));
    }
    assert_eq!(write("role", &json!({ "Name": "a b" })).0, 500);
    assert_eq!(write("policy", &json!({ "Name": "global-management" })).0, 500);
}

#[test]
fn only_the_administrator_reads_and_writes() {
    let world = with_rules(&[json!({ "BindType": "policy", "BindName": "global-management" })]);
    let own = login(&world, &token(&json!({})), &json!({})).json();
    assert_eq!(own["Policies"][0]["ID"], "00000000-0000-0000-0000-000000000001");
    let secret = own["SecretID"].as_str().unwrap();
    for (headers, status) in [
        (vec![], 403),
        (vec![("X-Consul-Token", secret)], 403),
        (vec![("X-Consul-Token", "x")], 403),
    ] {
        let answer = world.get("/v1/acl/auth-methods", &headers);
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(
            world
                .ask("PUT", "/v1/acl/policy", &headers, r#"{"Name":"x"}"#)
                .status,
            403
        );
    }
    let answer = world.ask("POST", "/v1/acl/logout", &[("X-Consul-Token", ADMIN)], "");
    assert_eq!(answer.body, "Permission denied: token wasn't created via login");
    assert_eq!(
        admin(&world, "GET", "token/self", &Value::Null).json()["Policies"][0]["Name"],
        "global-management"
    );
}

#[test]
fn a_method_of_the_file_is_served_and_cannot_be_changed() {
    let config = json!({
        "dialect": "consul",
        "config": { "AuthMethod": method(), "BindingRules": [{ "BindType": "service", "BindName": "web" }] },
        "server": { "consul": { "token_file": "admin.token" } },
    });
    let mut config = config;
    for member in ["CreateIndex", "ModifyIndex"] {
        config["config"]["AuthMethod"]
            .as_object_mut()
            .unwrap()
            .remove(member);
    }
    let world = start(&config);
    let own = login(&world, &token(&json!({})), &json!({}));
    assert_eq!(own.status, 200, "{own:?}");
    assert_eq!(
        admin(&world, "GET", "binding-rules", &Value::Null).json()[0]["BindName"],
        "web"
    );
    assert_eq!(admin(&world, "PUT", "auth-method/ci", &method()).status, 400);
    assert_eq!(
        admin(&world, "DELETE", "auth-method/ci", &Value::Null).status,
        400
    );
    world.reload(&config).unwrap();
    let secret = own.json()["SecretID"].as_str().unwrap().to_owned();
    assert_eq!(
        world
            .get("/v1/acl/token/self", &[("X-Consul-Token", &secret)])
            .status,
        200
    );
}
