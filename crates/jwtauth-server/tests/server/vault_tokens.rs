//! The tokens of Vault's endpoints: uses, batch tokens, how they end.

use serde_json::{Value, json};

use crate::vault::{admin, as_token, errors, login, try_login, with_role};
use crate::world::{World, pem, start, token};

#[test]
fn sessions_end_with_their_mount_also_if_another_one_has_its_path() {
    let world = with_role(&json!({}));
    let own = login(&world);
    assert_eq!(
        as_token(&world, &own, "GET", "auth/token/lookup-self", "").status,
        200
    );
    admin(&world, "DELETE", "sys/auth/jwt", &Value::Null);
    assert_eq!(
        as_token(&world, &own, "GET", "auth/token/lookup-self", "").status,
        403
    );
    admin(&world, "POST", "sys/auth/jwt", &json!({ "type": "jwt" }));
    assert_eq!(
        as_token(&world, &own, "GET", "auth/token/lookup-self", "").status,
        403
    );
    let body = json!({ "token": own });
    assert_eq!(
        errors(&admin(&world, "POST", "auth/token/lookup", &body)),
        (403, "bad token".to_owned())
    );
}

#[test]
fn uses_are_counted_and_addresses_are_checked() {
    let world = with_role(&json!({ "token_num_uses": 2 }));
    let own = login(&world);
    let status = || as_token(&world, &own, "GET", "auth/token/lookup-self", "").status;
    assert_eq!((status(), status(), status()), (200, 200, 403));
    let world = with_role(&json!({ "token_bound_cidrs": "10.0.0.0/8" }));
    let denied = try_login(&world, &token(&json!({})));
    assert_eq!(errors(&denied), (403, "permission denied".to_owned()));
}

#[test]
fn a_request_that_the_policies_deny_is_a_use_of_the_token() {
    let world = with_role(&json!({ "token_num_uses": 2 }));
    let own = login(&world);
    let status = |path: &str| as_token(&world, &own, "GET", path, "").status;
    assert_eq!(status("auth/jwt/config"), 403);
    assert_eq!(status("auth/token/lookup-self"), 200);
    assert_eq!(status("auth/token/lookup-self"), 403);
}

#[test]
fn batch_tokens_of_a_mount_of_the_api_are_sealed_with_the_key_that_a_reload_has_read() {
    let role =
        json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": "api", "token_type": "batch" });
    let config = json!({
        "dialect": "vault",
        "config": { "jwt_validation_pubkeys": [pem()], "mount": { "path": "of-the-file" } },
        "sessions": { "batch_keys": [{ "id": "k", "key_file": "batch.key" }] },
        "server": { "vault": { "token_file": "admin.token" } },
    });
    let folder = crate::world::Folder::new();
    folder.write("batch.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY");
    let server = crate::world::try_start(&folder, &config).unwrap();
    let world = World { server, folder };
    admin(&world, "POST", "sys/auth/jwt", &json!({ "type": "jwt" }));
    let keys = json!({ "jwt_validation_pubkeys": [pem()] });
    assert_eq!(admin(&world, "PUT", "auth/jwt/config", &keys).status, 204);
    assert_eq!(admin(&world, "PUT", "auth/jwt/role/demo", &role).status, 204);
    let status = |own: &str| as_token(&world, own, "GET", "auth/token/lookup-self", "").status;
    let old = login(&world);
    assert_eq!(status(&old), 200);
    world
        .folder
        .write("batch.key", "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA");
    world.server.reload().unwrap();
    assert_eq!(status(&old), 403);
    assert_eq!(status(&login(&world)), 200);
}

#[test]
fn batch_tokens_need_a_key_and_cannot_be_renewed() {
    let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
    let config = json!({
        "dialect": "vault",
        "config": { "jwt_validation_pubkeys": [pem()], "roles": {
            "demo": { "role_type": "jwt", "user_claim": "sub", "bound_audiences": "api", "token_type": "batch" } } },
        "sessions": { "batch_keys": [{ "id": "k", "key": key }] },
        "server": { "vault": { "token_file": "admin.token" } },
    });
    let world = start(&config);
    let own = login(&world);
    assert!(own.starts_with("hvb."));
    assert_eq!(
        as_token(&world, &own, "GET", "auth/token/lookup-self", "").json()["data"]["type"],
        "batch"
    );
    assert_eq!(
        as_token(&world, &own, "POST", "auth/token/renew-self", "").status,
        400
    );
}

#[test]
fn a_request_for_a_wrapped_answer_is_refused() {
    let world = with_role(&json!({}));
    let body = json!({ "role": "demo", "jwt": token(&json!({})) }).to_string();
    let ask = |times: &[&str]| {
        let headers: Vec<_> = times.iter().map(|time| ("X-Vault-Wrap-TTL", *time)).collect();
        world.ask("POST", "/v1/auth/jwt/login", &headers, &body)
    };
    for times in [&["5m"][..], &["300"], &["", "5m"], &["?"]] {
        let answer = ask(times);
        assert_eq!(answer.status, 400, "{times:?}");
        assert!(errors(&answer).1.contains("X-Vault-Wrap-TTL"), "{answer:?}");
    }
    for time in ["", "0", "0s"] {
        assert_eq!(ask(&[time]).status, 200, "{time}");
    }
}
