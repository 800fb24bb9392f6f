//! `jwtauth keys`.

use jwtauth_testkit::keys::{Keyring, kid};
use jwtauth_testkit::server::{Answer, Behaviour, Server, Tls};
use serde_json::{Value, json};

use super::{Run, file, jwtauth, root};

/// A server with a key set and with an issuer's metadata.
fn server() -> Server {
    let server = serving("/keys", Answer::json(set("rsa-1")));
    let metadata = json!({ "issuer": server.url(), "jwks_uri": format!("{}/keys", server.url()) });
    let more = Behaviour::answering("/.well-known/openid-configuration", Answer::json(metadata));
    server.behave(more).unwrap();
    server
}

fn serving(path: &str, answer: Answer) -> Server {
    let plain = Behaviour {
        tls: Some(Tls::None),
        ..Behaviour::answering(path, answer)
    };
    Server::start(plain).unwrap()
}

fn set(name: &str) -> Value {
    json!({ "keys": [Keyring::load().unwrap().get(name).unwrap().jwk(name)] })
}

fn keys(config: &str, more: &[&str]) -> Run {
    jwtauth(["keys", "--config", config].iter().chain(more))
}

fn native(name: &str, sources: &Value) -> String {
    let config =
        json!({ "keys": sources, "algorithms": ["RS256"], "issuer": null, "identity": { "name": "sub" } });
    envelope(name, "native", &config)
}

fn envelope(name: &str, dialect: &str, config: &Value) -> String {
    file(name, &json!({ "dialect": dialect, "config": config }).to_string())
}

fn line(run: &Run, of: &str) -> String {
    let mut lines = run.out.lines();
    let line = lines.find(|line| line.trim_start().starts_with(of));
    assert!(line.is_some(), "no line of {of} in {}", run.out);
    line.unwrap().to_owned()
}

#[test]
fn without_refresh_no_connection_is_opened() {
    let server = server();
    let pem = root().join("examples/keys/issuer.public.pem");
    let url = format!("{}/keys?secret=hush", server.url());
    let config = native(
        "unfetched.json",
        &json!([{ "jwks_url": url }, { "pem_file": pem }]),
    );

    let run = keys(&config, &[]);

    assert_eq!((run.code, server.requests()), (0, 0), "{}", run.err);
    assert_eq!(line(&run, "keys[0]"), "keys[0].jwks_url  unfetched");
    assert_eq!(line(&run, "next fetch"), "  next fetch    with the next request");
    assert_eq!(line(&run, "keys[1]"), "keys[1].pem_file  fixed");
    assert!(!run.out.contains("hush"), "{}", run.out);
}

#[test]
fn skipped_keys_are_shown_with_the_reason_and_the_operators_place() {
    let bad = json!({ "kty": "RSA", "kid": "old", "n": "+/", "e": "AQAB" });
    let mut keys_of_set = vec![bad; 9];
    keys_of_set.push(json!({ "kty": "XYZ" }));
    keys_of_set.push(set("rsa-1")["keys"][0].clone());
    let path = file("skipped-set.json", &json!({ "keys": keys_of_set }).to_string());
    let ini = "[auth.jwt]\nenabled = true\nheader_name = X\nusername_claim = sub\njwk_set_file = ";
    let config = file("skipped.ini", &format!("{ini}{path}\n"));

    let run = keys(&config, &[]);

    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(line(&run, "auth.jwt"), "auth.jwt.jwk_set_file  fixed");
    assert_eq!(
        line(&run, "skipped"),
        "  skipped       keys[0] (old): `n` is not base64url"
    );
    assert!(run.out.contains("\n  skipped       and 2 more\n"), "{}", run.out);
}

#[test]
fn refresh_fetches_every_source_and_shows_its_keys() {
    let server = server();
    let config = native(
        "fetched.json",
        &json!([
            { "jwks_url": format!("{}/keys", server.url()), "timeout": "30s", "issuer": "any" },
            { "oidc_discovery_url": server.url(), "timeout": "30s" },
        ]),
    );

    let run = keys(&config, &["--refresh"]);

    assert_eq!((run.code, server.requests()), (0, 3), "{}{}", run.out, run.err);
    assert_eq!(line(&run, "keys[0]"), "keys[0].jwks_url  fresh");
    assert_eq!(
        line(&run, "keys  "),
        format!("  keys          1: {}", kid("rsa-1"))
    );
    // The program reads the clock twice, so the number of seconds is not known here.
    let fetched = line(&run, "fetched");
    assert!(
        fetched.starts_with("  fetched       ") && fetched.ends_with("s ago"),
        "{fetched}"
    );
    assert!(line(&run, "next fetch").starts_with("  next fetch    in "));
    assert_eq!(line(&run, "fetches"), "  fetches       1, of which 0 failed");
    assert_eq!(line(&run, "keys[1]"), "keys[1].oidc_discovery_url  fresh");
    assert_eq!(
        line(&run, "jwks_uri"),
        format!("  jwks_uri      {}/keys", server.url())
    );
}

#[test]
fn an_unreachable_source_ends_with_3_and_the_others_are_shown() {
    let (good, bad) = (server(), serving("/keys", Answer::status(500)));
    let config = native(
        "one-of-two.json",
        &json!([
            { "jwks_url": format!("{}/keys", bad.url()), "timeout": "30s" },
            { "jwks_url": format!("{}/keys", good.url()), "timeout": "30s" },
        ]),
    );

    let run = keys(&config, &["--refresh"]);

    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    assert_eq!(line(&run, "keys[0]"), "keys[0].jwks_url  unfetched, failing");
    assert!(
        line(&run, "last failure").contains("http: status 500"),
        "{}",
        run.out
    );
    assert_eq!(line(&run, "fetches"), "  fetches       1, of which 1 failed");
    assert_eq!(line(&run, "keys[1]"), "keys[1].jwks_url  fresh");
}

#[test]
fn json_is_the_status_and_the_reply_of_the_library() {
    let (good, bad) = (server(), serving("/keys", Answer::status(500)));
    for (server, refresh, code, outcome, state) in [
        (&good, false, 0, Value::Null, "unfetched"),
        (&good, true, 0, json!("refreshed"), "fresh"),
        (&bad, true, 3, json!("failed"), "unfetched"),
    ] {
        let config = native(
            "json.json",
            &json!([{ "jwks_url": format!("{}/keys", server.url()), "timeout": "30s" }]),
        );
        let run = keys(
            &config,
            if refresh {
                &["--json", "--refresh"]
            } else {
                &["--json"]
            },
        );
        let reply: Value = serde_json::from_str(&run.out).unwrap();

        assert_eq!(run.code, code);
        assert_eq!(run.out.lines().count(), 1);
        assert_eq!(reply["outcome"], outcome);
        assert_eq!(reply["sources"][0]["state"], state);
        assert_eq!(reply["sources"][0]["fetches"], u64::from(refresh));
    }
}

#[test]
fn every_dialect_has_its_keys_fetched() {
    let server = server();
    let (issuer, url) = (server.url(), format!("{}/keys", server.url()));
    let method = |config: Value| {
        let mut method = json!({ "Name": "m", "Type": "jwt", "Config": config });
        method["Config"]["BoundAudiences"] = json!(["a"]);
        envelope(
            "keys-consul.json",
            "consul",
            &json!({ "AuthMethod": method, "BindingRules": [] }),
        )
    };
    let vault = |config: Value| envelope("keys-vault.json", "vault", &config);
    let configurations: [&dyn Fn() -> String; 6] = [
        &|| {
            let section = "[auth.jwt]\nenabled = true\nheader_name = X\nusername_claim = sub\n";
            file(
                "keys-grafana.ini",
                &format!("app_mode = development\n{section}jwk_set_url = {url}\n"),
            )
        },
        &|| method(json!({ "JWKSURL": url })),
        &|| method(json!({ "OIDCDiscoveryURL": issuer })),
        &|| vault(json!({ "jwks_url": url })),
        &|| vault(json!({ "jwks_pairs": [{ "jwks_url": url }] })),
        &|| vault(json!({ "oidc_discovery_url": issuer })),
    ];
    for configuration in configurations {
        let config = configuration();
        let text = || std::fs::read_to_string(&config).unwrap();
        let before = keys(&config, &[]);
        assert_eq!(before.code, 0, "{}{}", text(), before.err);
        assert!(before.out.contains("  unfetched\n"), "{}{}", text(), before.out);
        let after = keys(&config, &["--refresh"]);
        assert_eq!(after.code, 0, "{}{}", text(), after.out);
        assert!(after.out.contains("  fresh\n"), "{}{}", text(), after.out);
        assert!(after.out.contains(&kid("rsa-1")), "{}{}", text(), after.out);
    }
}

#[test]
fn a_server_cannot_control_the_terminal() {
    let mut keys_of_many = set("rsa-1");
    keys_of_many["keys"] = (0..12)
        .map(|number| {
            let mut key = keys_of_many["keys"][0].clone();
            key["kid"] = json!(format!("\u{1b}[2J{number}"));
            key
        })
        .collect();
    let server = serving("/keys", Answer::json(keys_of_many));
    let config = native(
        "steering.json",
        &json!([{ "jwks_url": format!("{}/keys", server.url()), "timeout": "30s" }]),
    );

    let run = keys(&config, &["--refresh"]);

    assert_eq!(run.code, 0, "{}", run.err);
    assert!(!run.out.contains('\u{1b}'), "{}", run.out);
    let shown = line(&run, "keys  ");
    assert!(shown.starts_with("  keys          12: \\u001b[2J0, "), "{shown}");
    assert!(shown.ends_with("\\u001b[2J7 and 4 more"), "{shown}");
}

#[test]
fn an_invalid_configuration_is_reported_and_ends_with_2() {
    let config = native(
        "keys-wrong.json",
        &json!([{ "jwks_url": "http://issuer.example/keys" }]),
    );

    let run = keys(&config, &["--refresh"]);
    let reply = keys(&config, &["--json"]);

    assert_eq!((run.code, reply.code), (2, 2));
    assert!(run.err.contains("keys[0].jwks_url"), "{}", run.err);
    assert!(reply.out.contains(r#""class":"config""#), "{}", reply.out);
}
