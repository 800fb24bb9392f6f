//! Keys over HTTP in the configuration of each system, and secrets for the key server that must not appear elsewhere.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot continue fails"
)]

use std::fs;
use std::path::PathBuf;

use jwtauth_core::{Code, Error, Verifier, wire};
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::mint;
use jwtauth_testkit::server::{Answer, Authority, Behaviour, Server};
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000;

/// An issuer over TLS with a certificate of the test's authority.
struct Issuer {
    server: Server,
    keys: Keyring,
    directory: PathBuf,
    authority: String,
}

impl Issuer {
    fn start(name: &str) -> Issuer {
        let keys = Keyring::load().unwrap();
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).unwrap();
        for (file, text) in Authority::shared().unwrap().files() {
            fs::write(directory.join(file), text).unwrap();
        }
        let issuer = Issuer {
            server: Server::start(Behaviour::default()).unwrap(),
            keys,
            authority: fs::read_to_string(directory.join("ca.pem")).unwrap(),
            directory,
        };
        issuer.answers("/keys", issuer.set());
        let metadata = json!({ "issuer": issuer.server.url(), "jwks_uri": issuer.url() });
        issuer.answers("/.well-known/openid-configuration", Answer::json(metadata));
        issuer
    }

    fn set(&self) -> Answer {
        Answer::json(json!({ "keys": [self.keys.get("rsa-1").unwrap().jwk("rsa-1")] }))
    }

    fn url(&self) -> String {
        format!("{}/keys", self.server.url())
    }

    fn answers(&self, path: &str, answer: Answer) {
        self.server.behave(Behaviour::answering(path, answer)).unwrap();
    }

    fn request(&self) -> String {
        let claims =
            json!({ "iss": self.server.url(), "sub": "alice", "iat": NOW, "nbf": NOW, "exp": NOW + 60 });
        let token = json!({ "key": "rsa-1", "alg": "RS256", "kid": "@", "claims": claims });
        let token = mint::token(&serde_json::from_str(&token.to_string()).unwrap(), &self.keys).unwrap();
        json!({ "token": token, "headers": { "X-JWT-Assertion": token } }).to_string()
    }

    fn verifier(&self, dialect: &str, config: &Value) -> Verifier {
        let options = json!({ "now": NOW, "base_dir": self.directory });
        let envelope = json!({ "dialect": dialect, "config": config, "options": options });
        Verifier::from_json(&envelope.to_string()).unwrap()
    }

    fn ask(&self, dialect: &str, config: &Value) -> Result<(), Error> {
        let verifier = self.verifier(dialect, config);
        let mut request: Value = serde_json::from_str(&self.request()).unwrap();
        let other = if dialect == "grafana" { "token" } else { "headers" };
        request.as_object_mut().unwrap().remove(other);
        wire::authenticate(&verifier, &request.to_string()).map(|_| ())
    }
}

/// Configurations that fetch keys, each with the place of the member that names the authority.
fn configurations(issuer: &Issuer) -> Vec<(&'static str, Value, &'static str)> {
    let (url, base, ca) = (issuer.url(), issuer.server.url(), &issuer.authority);
    let consul = |source: Value| {
        let mut config = json!({ "ClaimMappings": { "sub": "user" } });
        for (name, value) in source.as_object().unwrap() {
            config[name] = value.clone();
        }
        let method = json!({ "Name": "m", "Type": "jwt", "Config": config });
        json!({ "AuthMethod": method, "BindingRules": [{ "BindType": "service", "BindName": "${value.user}" }] })
    };
    let vault = |mut source: Value| {
        source["roles"] =
            json!({ "web": { "role_type": "jwt", "user_claim": "sub", "bound_subject": "alice" } });
        source["default_role"] = json!("web");
        source
    };
    let native = |source: Value| json!({ "keys": [source], "algorithms": ["RS256"], "issuer": null });
    vec![
        (
            "native",
            native(json!({ "jwks_url": url, "ca_pem": ca })),
            "/keys/0/ca_pem",
        ),
        (
            "native",
            native(json!({ "oidc_discovery_url": base, "ca_file": "ca.pem", "issuer": "any" })),
            "/keys/0/ca_file",
        ),
        (
            "grafana",
            json!({ "auth.jwt": { "enabled": true, "header_name": "X-JWT-Assertion", "username_claim": "sub",
                                  "jwk_set_url": url, "tls_client_ca": "ca.pem" } }),
            "/auth.jwt/tls_client_ca",
        ),
        (
            "consul",
            consul(json!({ "JWKSURL": url, "JWKSCACert": ca })),
            "/AuthMethod/Config/JWKSCACert",
        ),
        (
            "consul",
            consul(json!({ "OIDCDiscoveryURL": base, "OIDCDiscoveryCACert": ca })),
            "/AuthMethod/Config/OIDCDiscoveryCACert",
        ),
        (
            "vault",
            vault(json!({ "jwks_url": url, "jwks_ca_pem": ca })),
            "/jwks_ca_pem",
        ),
        (
            "vault",
            vault(json!({ "jwks_pairs": [{ "jwks_url": url, "jwks_ca_pem": ca }] })),
            "/jwks_pairs/0/jwks_ca_pem",
        ),
        (
            "vault",
            vault(json!({ "oidc_discovery_url": base, "oidc_discovery_ca_pem": ca })),
            "/oidc_discovery_ca_pem",
        ),
    ]
}

#[test]
fn each_system_names_its_authorities() {
    let issuer = Issuer::start("authorities");
    for (dialect, config, member) in configurations(&issuer) {
        let outcome = issuer.ask(dialect, &config);
        assert!(outcome.is_ok(), "{dialect} {member}: {outcome:?}");

        let mut without = config.clone();
        let (parent, name) = member.rsplit_once('/').unwrap();
        let parent = without.pointer_mut(parent).unwrap();
        parent.as_object_mut().unwrap().remove(name);
        let error = issuer.ask(dialect, &without).unwrap_err();
        let detail = error.detail().unwrap_or_default();
        assert!(
            matches!(error.code(), Code::KeySourceUnavailable | Code::DiscoveryFailed),
            "{dialect} {member}: {error}"
        );
        assert!(detail.contains(": tls: "), "{dialect} {member}: {detail}");
    }
}

#[test]
fn grafana_can_send_a_bearer_token_and_skip_the_certificate_check() {
    let issuer = Issuer::start("bearer");
    issuer.answers(
        "/keys",
        Answer {
            bearer: Some("right".to_owned()),
            ..issuer.set()
        },
    );
    fs::write(issuer.directory.join("token"), " right\n").unwrap();
    let config = |settings: Value| {
        let mut section = json!({ "enabled": true, "header_name": "X-JWT-Assertion", "username_claim": "sub",
                                  "jwk_set_url": issuer.url() });
        for (name, value) in settings.as_object().unwrap() {
            section[name] = value.clone();
        }
        json!({ "auth.jwt": section })
    };
    let denied = config(json!({ "tls_client_ca": "ca.pem" }));
    let error = issuer.ask("grafana", &denied).unwrap_err();
    assert!(
        error.detail().unwrap_or_default().contains("status 401"),
        "{error}"
    );
    for settings in [
        json!({ "tls_client_ca": "ca.pem", "jwk_set_bearer_token_file": "token" }),
        json!({ "tls_skip_verify_insecure": true, "jwk_set_bearer_token_file": "token" }),
    ] {
        let outcome = issuer.ask("grafana", &config(settings));
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}

#[test]
fn a_token_without_a_kid_causes_no_fetch() {
    let issuer = Issuer::start("unnamed");
    let (_, config, _) = configurations(&issuer).remove(6);
    let verifier = issuer.verifier("vault", &config);
    let token = json!({ "key": "rsa-1", "alg": "RS256", "claims": { "sub": "alice", "exp": NOW + 60 } });
    let token = mint::token(&serde_json::from_str(&token.to_string()).unwrap(), &issuer.keys).unwrap();
    let error = wire::authenticate(&verifier, &json!({ "token": token }).to_string()).unwrap_err();
    assert_eq!(error.code(), Code::KeyNotFound);
    assert_eq!(issuer.server.requests(), 0);
}

#[test]
fn two_servers_with_keys_of_the_same_name() {
    let (first, second) = (Issuer::start("first"), Issuer::start("second"));
    for (issuer, key) in [(&first, "rsa-1"), (&second, "rsa-2")] {
        let mut jwk = issuer.keys.get(key).unwrap().jwk(key);
        jwk.insert("kid".to_owned(), json!("k"));
        issuer.answers("/keys", Answer::json(json!({ "keys": [jwk] })));
    }
    let pair = |issuer: &Issuer| json!({ "jwks_url": issuer.url(), "jwks_ca_pem": issuer.authority });
    let source = |issuer: &Issuer| json!({ "jwks_url": issuer.url(), "ca_file": "ca.pem" });
    let role = json!({ "role_type": "jwt", "user_claim": "sub", "bound_subject": "alice" });
    let vault = json!({ "jwks_pairs": [pair(&first), pair(&second)], "default_role": "web", "roles": { "web": role } });
    let native =
        json!({ "keys": [source(&first), source(&second)], "algorithms": ["RS256"], "issuer": null });
    let vault = first.verifier("vault", &vault);
    let native = first.verifier("native", &native);
    let ask = |verifier: &Verifier, key: &str| {
        let claims = json!({ "sub": "alice", "iat": NOW, "nbf": NOW, "exp": NOW + 60 });
        let token = json!({ "key": key, "alg": "RS256", "kid": "k", "claims": claims });
        let token = mint::token(&serde_json::from_str(&token.to_string()).unwrap(), &first.keys).unwrap();
        let request = json!({ "token": token }).to_string();
        wire::authenticate(verifier, &request)
            .map(|_| ())
            .map_err(|why| why.code())
    };
    for _ in 0..2 {
        assert_eq!(ask(&native, "rsa-1"), Ok(()));
        assert_eq!(ask(&native, "rsa-2"), Ok(()));
        // Vault uses only the first pair that has a key with this name.
        assert_eq!(ask(&vault, "rsa-2"), Err(Code::SignatureInvalid));
        assert_eq!(ask(&vault, "rsa-1"), Ok(()));
        assert_eq!(ask(&native, "rsa-3072"), Err(Code::SignatureInvalid));
    }
}

/// `hush` is in the query, in the bearer token, and in everything that the server sends. The client's key is a separate
/// secret.
#[test]
fn failures_contain_no_secrets_for_the_server() {
    let issuer = Issuer::start("secrets");
    fs::write(issuer.directory.join("bearer"), "hush").unwrap();
    let client_key = fs::read_to_string(issuer.directory.join("client.key")).unwrap();
    let key_line = client_key.lines().nth(1).unwrap();
    let source = |member: &str, url: String| {
        json!({ member: url, "ca_file": "ca.pem", "client_cert_file": "client.pem", "client_key_pem": client_key,
                "bearer_token_file": "bearer", "redirects": 3, "cool_down": "0s", "cache_ttl": "0s" })
    };
    let mut source_pem = source("jwks_url", format!("{}?key=hush", issuer.url()));
    source_pem["client_cert_pem"] = json!(fs::read_to_string(issuer.directory.join("client.pem")).unwrap());
    source_pem.as_object_mut().unwrap().remove("client_cert_file");
    let mut issuer_pem = source("oidc_discovery_url", issuer.server.url().to_owned());
    issuer_pem["client_cert_pem"] = source_pem["client_cert_pem"].clone();
    issuer_pem.as_object_mut().unwrap().remove("client_cert_file");

    let metadata = |member: &str, value: &str| {
        let mut metadata = json!({ "issuer": issuer.server.url(), "jwks_uri": issuer.url() });
        metadata[member] = json!(value);
        Answer::json(metadata)
    };
    let text = |text: &str| {
        let answer =
            json!({ "text": text, "headers": { "ETag": "\"hush\"", "X-Hush": "hush", "Server": "hush" } });
        serde_json::from_value::<Answer>(answer).unwrap()
    };
    let document = "/.well-known/openid-configuration";
    let faults = [
        (
            &source_pem,
            "/keys",
            Answer {
                status: 500,
                ..text("hush")
            },
        ),
        (&source_pem, "/keys", text("hush")),
        (
            &source_pem,
            "/keys",
            text(r#"{"keys":[{"kty":"hush","kid":"hush","use":"hush"}]}"#),
        ),
        (&source_pem, "/keys", text(r#"{"hush":1,"hush":2}"#)),
        (
            &source_pem,
            "/keys",
            Answer::status(302).header("Location", "https://hush.example/hush?hush"),
        ),
        (
            &source_pem,
            "/keys",
            Answer::status(302).header("Location", "/keys?hush"),
        ),
        (
            &source_pem,
            "/keys",
            Answer::status(302).header("Location", "hush://hush hush"),
        ),
        (
            &issuer_pem,
            document,
            metadata("jwks_uri", "http://hush.example/"),
        ),
        (
            &issuer_pem,
            document,
            metadata("jwks_uri", "https://user:hush@issuer.example/"),
        ),
        (
            &issuer_pem,
            document,
            metadata("jwks_uri", &format!("{}/gone?hush", issuer.server.url())),
        ),
        (&issuer_pem, document, text("hush")),
    ];
    for (source, path, answer) in faults {
        let shown = format!("{path} {answer:?}");
        let config = json!({ "keys": [source], "algorithms": ["RS256"], "issuer": null });
        let verifier = issuer.verifier("native", &config);
        let request = json!({ "token": serde_json::from_str::<Value>(&issuer.request()).unwrap()["token"] });
        let ask = || wire::authenticate(&verifier, &request.to_string());
        issuer.answers(path, answer);
        let cold = ask().map(|_| ()).expect_err(&shown);
        issuer.answers("/keys", issuer.set());
        issuer.answers(document, metadata("x", ""));
        assert!(ask().is_ok(), "{shown}");
        issuer
            .server
            .behave(Behaviour {
                open: Some(false),
                ..Behaviour::default()
            })
            .unwrap();
        let down = verifier.refresh_keys();
        issuer
            .server
            .behave(Behaviour {
                open: Some(true),
                ..Behaviour::default()
            })
            .unwrap();

        let policy: Value = serde_json::from_str(&wire::policy(&verifier)).unwrap();
        let said = [
            format!("{cold} {cold:?}"),
            wire::failed(&cold),
            wire::refreshed(&verifier, &down),
            wire::built(&verifier),
            policy["key_status"].to_string(),
            format!("{verifier:?}"),
        ];
        for said in said {
            assert!(!said.contains("hush"), "{shown}\n{said}");
            assert!(!said.contains(key_line), "{shown}\n{said}");
        }
        // The policy contains the operator's URL, so that it can be loaded again, but not the text of files.
        let policy = wire::policy(&verifier).replace("/keys?key=hush", "");
        assert!(!policy.contains("hush") && !policy.contains(key_line), "{policy}");
    }
}
