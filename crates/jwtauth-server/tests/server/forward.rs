//! Forward-auth.

use jwtauth_testkit::server::{Answer as Scripted, Behaviour, Server, Tls};
use serde_json::{Value, json};

use crate::world::{Answer, RING, World, expired, expired_for, pem, signed, start, token};

fn native(more: &Value) -> Value {
    let mut config = json!({
        "dialect": "native",
        "config": {
            "keys": [{ "pem": pem() }], "algorithms": ["ES256"], "issuer": "https://issuer.example", "audiences": ["api"],
            "identity": { "name": "sub", "email": "email", "groups": "groups" }, "policies": ["read"],
        },
    });
    jwtauth_testkit::case::merge(&mut config, more);
    config
}

fn bearer(world: &World, jwt: &str) -> Answer {
    world.get("/auth", &[("Authorization", &format!("Bearer {jwt}"))])
}

#[test]
fn a_granted_request_has_identity_headers() {
    let world = start(&native(&json!({})));
    let answer = bearer(&world, &token(&json!({})));
    assert_eq!(answer.status, 200, "{answer:?}");
    for (name, value) in [
        ("X-Auth-User", "alice"),
        ("X-Auth-Email", "alice@example.com"),
        ("X-Auth-Name", ""),
        ("X-Auth-Groups", "eng,ops"),
        ("X-Auth-Roles", ""),
        ("X-Auth-Policies", "read"),
        // Some proxies keep what the client has sent under a name that the answer lacks.
        ("X-Auth-Cleaned-Url", ""),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name} {answer:?}");
    }
}

#[test]
fn no_claim_can_smuggle_a_header() {
    let world = start(&native(&json!({})));
    let answer = bearer(
        &world,
        &token(&json!({ "sub": "a\r\nX-Auth-Roles: admin", "groups": ["x,y", "\u{1f}"] })),
    );
    assert_eq!(answer.header("X-Auth-User"), Some("a%0D%0AX-Auth-Roles: admin"));
    assert_eq!(answer.header("X-Auth-Groups"), Some("x%2Cy,%1F"));
    assert_eq!(
        answer
            .headers
            .iter()
            .filter(|(name, _)| name == "x-auth-roles")
            .count(),
        1
    );
}

#[test]
fn denials_are_401_or_403_with_a_challenge() {
    let world = start(&native(
        &json!({ "config": { "claims": [{ "claim": "plan", "equals": "pro" }] } }),
    ));
    let answer = world.get("/auth", &[]);
    assert_eq!(
        (answer.status, answer.header("WWW-Authenticate")),
        (401, Some("Bearer realm=\"jwtauth\""))
    );
    for (jwt, status, error) in [
        (expired(), 401, "invalid_token"),
        (signed("ec256-2", &json!({})), 401, "invalid_token"),
        ("garbage".to_owned(), 401, "invalid_token"),
        (token(&json!({ "plan": "free" })), 403, "insufficient_scope"),
    ] {
        let answer = bearer(&world, &jwt);
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(
            answer.header("WWW-Authenticate").unwrap().contains(error),
            "{answer:?}"
        );
        assert_eq!(answer.header("X-Auth-User"), None);
    }
    let both = format!("Bearer {}", token(&json!({ "plan": "pro" })));
    let answer = world.get("/auth", &[("Authorization", &both), ("Authorization", &both)]);
    assert_eq!(answer.status, 401, "a repeated header is ambiguous");
}

#[test]
fn every_dialect_can_be_asked() {
    let jwt = token(&json!({}));
    let vault = json!({ "dialect": "vault", "config": { "jwt_validation_pubkeys": [pem()], "roles": {
        "demo": { "role_type": "jwt", "user_claim": "sub", "bound_audiences": "api", "token_policies": "web" } } } });
    // Vault's dialect reads no header: the profile is named by the proxy, and the token by the policy of the dialect.
    let world = start(&vault);
    let authorization = format!("Bearer {jwt}");
    let ask = |path: &str| world.get(path, &[("Authorization", &authorization)]);
    let answer = ask("/auth/profile/demo");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("X-Auth-Policies"), Some("default,web"));
    assert_eq!(ask("/auth/profile/x").status, 403);
    let consul = json!({ "dialect": "consul", "config": {
        "AuthMethod": { "Name": "ci", "Type": "jwt", "Config": { "JWTValidationPubKeys": [pem()], "BoundAudiences": ["api"] } },
        "BindingRules": [{ "BindType": "policy", "BindName": "web" }] } });
    let world = start(&consul);
    let answer = bearer(&world, &jwt);
    assert_eq!(
        (answer.status, answer.header("X-Auth-Policies")),
        (200, Some("web")),
        "{answer:?}"
    );
}

#[test]
fn a_token_for_consul_can_be_in_a_cookie() {
    let consul = json!({ "dialect": "consul", "server": { "auth": { "token_cookie": "jwt" } }, "config": {
        "AuthMethod": { "Name": "ci", "Type": "jwt", "Config": { "JWTValidationPubKeys": [pem()], "BoundAudiences": ["api"] } },
        "BindingRules": [{ "BindType": "policy", "BindName": "web" }] } });
    let world = start(&consul);
    let jwt = token(&json!({}));
    let (cookie, authorization) = (format!("a=b; jwt={jwt}"), format!("Bearer {jwt}"));
    let cookie = ("Cookie", cookie.as_str());
    let authorization = ("Authorization", authorization.as_str());
    for (headers, status) in [
        (vec![cookie], 200),
        (vec![authorization], 200),
        (vec![cookie, authorization], 401),
        (vec![cookie, ("Authorization", "Basic eA==")], 200),
        (vec![cookie, ("Cookie", "jwt=x")], 401),
        (vec![("Cookie", "a=b")], 401),
    ] {
        let answer = world.get("/auth", &headers);
        assert_eq!(answer.status, status, "{headers:?} {answer:?}");
    }
    let folder = crate::world::Folder::new();
    let elsewhere = native(&json!({ "server": { "auth": { "token_cookie": "jwt" } } }));
    let why = crate::world::try_start(&folder, &elsewhere)
        .unwrap_err()
        .to_string();
    assert!(why.contains("token_cookie"), "{why}");
}

#[test]
fn a_client_cannot_choose_the_profile() {
    let profiles = json!({ "strict": { "claims": [{ "claim": "plan", "equals": "pro" }] }, "lax": { "policies": ["all"] } });
    let more = json!({ "config": { "profiles": profiles }, "server": { "auth": { "profile": "strict" } } });
    let world = start(&native(&more));
    let authorization = format!("Bearer {}", token(&json!({ "plan": "free" })));
    let status = |path: &str| world.get(path, &[("Authorization", &authorization)]).status;
    assert_eq!(status("/auth"), 403);
    // Caddy passes the query of the client on.
    assert_eq!(status("/auth?profile=lax"), 403);
    assert_eq!(status("/auth/profile/strict?profile=lax"), 403);
    assert_eq!(status("/auth/profile/lax"), 200);
    for path in [
        "/auth/",
        "/auth/profile",
        "/auth/profile/lax/x",
        "/auth/profile/../x",
        "/auth/x",
    ] {
        assert_eq!(status(path), 404, "{path}");
    }
}

#[test]
fn only_a_trusted_proxy_reports_the_address_of_a_client() {
    let more = |trusted: &Value| json!({ "config": { "bound_cidrs": ["127.0.0.0/8", "10.0.0.0/8"] }, "server": { "trusted_proxies": trusted } });
    let authorization = format!("Bearer {}", token(&json!({})));
    for (trusted, forwarded, status) in [
        (json!([]), None, 403),
        (json!([]), Some("10.0.0.1"), 403),
        (json!(["127.0.0.1"]), None, 403),
        (json!(["127.0.0.1"]), Some("10.0.0.1"), 200),
        (json!(["127.0.0.1"]), Some("10.0.0.1, 8.8.8.8"), 403),
    ] {
        let world = start(&native(&more(&trusted)));
        let mut headers = vec![("Authorization", authorization.as_str())];
        headers.extend(forwarded.map(|forwarded| ("X-Forwarded-For", forwarded)));
        assert_eq!(
            world.get("/auth", &headers).status,
            status,
            "{trusted} {forwarded:?}"
        );
    }
}

#[test]
fn a_reload_whose_keys_cannot_be_fetched_is_refused_while_the_old_ones_work() {
    let set = json!({ "keys": [RING.get("ec256-1").unwrap().jwk("ec256-1")] });
    let answer: Scripted = serde_json::from_value(json!({ "status": 200, "json": set })).unwrap();
    let keys = Server::start(Behaviour {
        tls: Some(Tls::None),
        answers: [("/keys".to_owned(), answer)].into(),
        ..Behaviour::default()
    })
    .unwrap();
    let config = |path: &str| {
        let source = json!([{ "jwks_url": format!("{}/{path}", keys.url()), "insecure_http": true }]);
        native(&json!({ "config": { "keys": source } }))
    };
    let world = start(&config("keys"));
    assert_eq!(bearer(&world, &token(&json!({}))).status, 200);
    let why = world.reload(&config("absent")).unwrap_err().to_string();
    assert!(why.contains("the keys are currently unavailable"), "{why}");
    assert_eq!(bearer(&world, &token(&json!({}))).status, 200);
    world.reload(&config("keys")).unwrap();
    // The keys were fetched before the new configuration is used.
    assert_eq!(world.get("/readyz", &[]).status, 200);
}

/// Grafana's dialect with a login through the URL.
fn grafana(more: &Value) -> Value {
    let key = json!({ "keys": [RING.get("ec256-1").unwrap().jwk("ec256-1")] });
    let mut config = json!({
        "dialect": "grafana",
        "config": { "auth.jwt": {
            "enabled": true, "header_name": "X-JWT", "url_login": true, "username_claim": "sub",
            "jwk_set_file": "keys.json", "role_attribute_path": "'Editor'" } },
    });
    jwtauth_testkit::case::merge(&mut config, more);
    config["keys"] = key;
    config
}

fn start_grafana(more: &Value) -> World {
    let mut config = grafana(more);
    let keys = config["keys"].take();
    config.as_object_mut().unwrap().remove("keys");
    let folder = crate::world::Folder::new();
    folder.write("keys.json", &keys.to_string());
    let server = crate::world::try_start(&folder, &config).unwrap();
    World { server, folder }
}

fn with_kid(claims: &Value) -> String {
    let description = json!({ "key": "ec256-1", "alg": "ES256", "kid": "@", "claims": claims });
    let description: jwtauth_testkit::case::Description = serde_json::from_value(description).unwrap();
    jwtauth_testkit::mint::token(&description, &RING).unwrap()
}

#[test]
fn a_login_through_the_url_gives_the_cleaned_url_and_a_cookie() {
    let world = start_grafana(&json!({ "server": { "auth": { "cookie": { "name": "s", "ttl": "10m" } } } }));
    let claims = {
        let parts = token(&json!({}));
        let payload = parts.split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice::<Value>(&base64(&payload)).unwrap()
    };
    let uri = format!("/d/x?b=2&auth_token={}&a=1", with_kid(&claims));
    let answer = world.get("/auth", &[("X-Forwarded-Uri", &uri)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("X-Auth-Cleaned-Url"), Some("/d/x?a=1&b=2"));
    assert_eq!(answer.header("X-Auth-Roles"), Some("1:Editor"));
    let cookie = answer.header("Set-Cookie").unwrap();
    assert!(cookie.ends_with("; HttpOnly; Secure; SameSite=Lax"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();

    let again = world.get(
        "/auth",
        &[
            ("Cookie", &format!("other=1; {pair}")),
            ("X-Forwarded-Uri", "/api"),
        ],
    );
    assert_eq!(
        (again.status, again.header("X-Auth-User")),
        (200, Some("alice")),
        "{again:?}"
    );
    assert_eq!(again.header("Set-Cookie"), None);
    assert_eq!(again.header("X-Auth-Cleaned-Url"), Some(""));
    // The cookie belongs to the profile that it was made for.
    assert_eq!(
        world
            .get("/auth", &[("Cookie", &format!("{pair}; {pair}"))])
            .status,
        401
    );
    assert_eq!(world.get("/auth", &[("Cookie", "s=jas.guessed")]).status, 401);

    assert_eq!(world.get("/auth/logout", &[("Cookie", pair)]).status, 405);
    let out = world.ask("POST", "/auth/logout", &[("Cookie", pair)], "");
    assert_eq!(out.status, 204);
    assert!(out.header("Set-Cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(world.get("/auth", &[("Cookie", pair)]).status, 401);
}

#[test]
fn a_login_through_the_url_can_be_redirected() {
    let world = start_grafana(&json!({ "server": { "auth": { "cookie": { "redirect": true } } } }));
    let claims = json!({ "sub": "alice", "exp": 4_000_000_000_u64 });
    let uri = format!("/d/x?auth_token={}", with_kid(&claims));
    let answer = world.get("/auth", &[("X-Forwarded-Uri", &uri)]);
    assert_eq!(
        (answer.status, answer.header("Location")),
        (303, Some("/d/x")),
        "{answer:?}"
    );
    // A URL that would lead to another site becomes a path of this one, or is not redirected to.
    for (start, status, location) in [
        ("//evil.example/", 303, Some("/evil.example/")),
        ("https://evil.example/", 200, None),
    ] {
        let elsewhere = format!("{start}?auth_token={}", with_kid(&claims));
        let answer = world.get("/auth", &[("X-Forwarded-Uri", &elsewhere)]);
        assert_eq!((answer.status, answer.header("Location")), (status, location));
    }
    let two = world.get("/auth", &[("X-Forwarded-Uri", &uri), ("X-Forwarded-Uri", "/")]);
    assert_eq!(two.status, 400);
}

#[test]
fn a_token_in_the_url_that_is_valid_only_within_the_leeway_starts_no_session() {
    for cookie in [Value::Null, json!({}), json!({ "redirect": true })] {
        let more = json!({
            "config": { "token": { "header": null, "query": "t" }, "leeway": { "exp": "2h" } },
            "server": { "auth": { "cookie": cookie } },
        });
        let world = start(&native(&more));
        let uri = format!("/page?t={}", expired_for(60));
        let answer = world.get("/auth", &[("X-Forwarded-Uri", &uri)]);
        assert_eq!(
            (answer.status, answer.header("X-Auth-User")),
            (200, Some("alice")),
            "{answer:?}"
        );
        assert_eq!(answer.header("X-Auth-Cleaned-Url"), Some("/page"));
        assert_eq!(answer.header("Set-Cookie"), None);
    }
}

#[test]
fn keys_out_of_reach_are_503_with_retry_after() {
    let keys = Server::start(Behaviour {
        tls: Some(Tls::None),
        open: Some(false),
        ..Behaviour::default()
    })
    .unwrap();
    let source =
        json!([{ "jwks_url": format!("{}/keys", keys.url()), "insecure_http": true, "cool_down": "1s" }]);
    let world = start(&native(&json!({ "config": { "keys": source } })));
    let answer = bearer(&world, &token(&json!({})));
    assert_eq!(
        (answer.status, answer.header("Retry-After")),
        (503, Some("5")),
        "{answer:?}"
    );
    assert_eq!(world.get("/readyz", &[]).status, 503);
}

#[test]
fn keys_are_fetched_at_the_start_and_when_a_request_needs_them() {
    let set = json!({ "keys": [RING.get("ec256-1").unwrap().jwk("ec256-1")] });
    let answer: Scripted = serde_json::from_value(json!({ "status": 200, "json": set })).unwrap();
    let keys = Server::start(Behaviour {
        tls: Some(Tls::None),
        answers: [("/keys".to_owned(), answer)].into(),
        ..Behaviour::default()
    })
    .unwrap();
    let source = json!([{ "jwks_url": format!("{}/keys", keys.url()), "insecure_http": true }]);
    let world = start(&native(&json!({ "config": { "keys": source } })));
    assert_eq!(bearer(&world, &token(&json!({}))).status, 200);
    assert_eq!(bearer(&world, &token(&json!({}))).status, 200);
    // The server itself also fetches them when it starts.
    assert!(keys.requests() <= 2);
    assert_eq!(world.get("/readyz", &[]).status, 200);
}

#[test]
fn the_original_url_can_follow_in_the_path() {
    let more = json!({ "config": { "token": { "header": null, "query": "t" } }, "server": { "auth": { "original_url_in_path": true } } });
    let world = start(&native(&more));
    let answer = world.get(&format!("/auth/page?x=1&t={}", token(&json!({}))), &[]);
    assert_eq!(
        (answer.status, answer.header("X-Auth-Cleaned-Url")),
        (200, Some("/page?x=1")),
        "{answer:?}"
    );
}

#[test]
fn the_headers_of_an_answer_can_be_named() {
    let headers = json!({ "X-Auth-User": null, "X-WEBAUTH-USER": "email", "X-Team": "metadata.team" });
    let more = json!({ "config": { "identity": { "metadata": { "team": "team" } } }, "server": { "auth": { "headers": headers } } });
    let world = start(&native(&more));
    let answer = bearer(&world, &token(&json!({ "team": "blue" })));
    assert_eq!(
        answer.header("X-WEBAUTH-USER"),
        Some("alice@example.com"),
        "{answer:?}"
    );
    assert_eq!(
        (answer.header("X-Team"), answer.header("X-Auth-User")),
        (Some("blue"), None)
    );
}

fn base64(text: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.bytes() {
        bits = bits << 6 | u32::from(value(letter));
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}
