//! The library's own client over TLS: the authorities that it trusts, its certificate, and its error texts.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::path::PathBuf;

use jwtauth_core::{Code, Request, Verifier};
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::mint;
use jwtauth_testkit::server::{Answer, Authority, Behaviour, Server, Tls};
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000;

/// A server with one key behind `/keys`, and a token of that key.
struct Issuer {
    server: Server,
    token: String,
}

impl Issuer {
    fn start(behaviour: Behaviour) -> Issuer {
        let keys = Keyring::load().unwrap();
        let set = json!({ "keys": [keys.get("rsa-1").unwrap().jwk("rsa-1")] });
        let description = json!({ "key": "rsa-1", "alg": "RS256", "kid": "@",
            "claims": { "sub": "alice", "exp": NOW + 300 } });
        let mut behaviour = behaviour;
        behaviour.answers.insert("/keys".to_owned(), Answer::json(set));
        Issuer {
            server: Server::start(behaviour).unwrap(),
            token: mint::token(&serde_json::from_str(&description.to_string()).unwrap(), &keys).unwrap(),
        }
    }

    fn with(tls: Tls) -> Issuer {
        Issuer::start(Behaviour {
            tls: Some(tls),
            ..Behaviour::default()
        })
    }

    fn wanting_a_certificate() -> Issuer {
        Issuer::start(Behaviour {
            client_certificate: Some(true),
            ..Behaviour::default()
        })
    }

    fn verifier(&self, settings: &Value) -> jwtauth_core::Result<Verifier> {
        let mut source = json!({ "jwks_url": format!("{}/keys?secret=hush", self.server.url()),
            "proxy": "none", "cache_ttl": "0s", "cool_down": "0s", "max_stale": "0s" });
        for (name, value) in settings.as_object().into_iter().flatten() {
            source
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone());
        }
        let config = json!({ "dialect": "native", "options": { "now": NOW },
            "config": { "keys": [source], "algorithms": ["RS256"], "kid": "match" } });
        Verifier::from_json(&config.to_string())
    }

    fn trusted(&self, settings: &Value) -> Verifier {
        let mut settings = settings.clone();
        let settings_of = settings.as_object_mut().unwrap();
        settings_of.insert("ca_pem".to_owned(), json!(root()));
        self.verifier(&settings).unwrap()
    }

    /// The reason why there is no decision about a token; checks that it contains no secret.
    fn failure(&self, verifier: &Verifier) -> String {
        let error = verifier.authenticate(&Request::bearer(&self.token)).unwrap_err();
        assert_eq!(error.code(), Code::KeySourceUnavailable, "{error}");
        let said = error.to_string();
        assert!(!said.contains("hush") && !said.contains("PRIVATE"), "{said}");
        said
    }

    fn is_granted(&self, verifier: &Verifier) -> bool {
        verifier.authenticate(&Request::bearer(&self.token)).is_ok()
    }
}

fn root() -> String {
    made("ca.pem")
}

fn certificate() -> String {
    made("client.pem")
}

fn key() -> String {
    made("client.key")
}

/// A PEM text of the test's authority.
fn made(name: &str) -> String {
    let mut files = Authority::shared().unwrap().files().into_iter();
    files.find(|(own, _)| *own == name).unwrap().1
}

/// A file of a test, removed when it is dropped.
struct Written(PathBuf);

impl Written {
    fn new(name: &str, text: &str) -> Written {
        let written =
            Written(std::env::temp_dir().join(format!("jwtauth-tls-{name}-{}", std::process::id())));
        written.write(text);
        written
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.0, text).unwrap();
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // A file that stays in the directory for temporary files is harmless.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn the_reason_of_a_failed_handshake_is_plain_english() {
    for (tls, reason) in [
        (Tls::Expired, "the server's certificate has expired"),
        (
            Tls::WrongHost,
            "the server's certificate is not valid for this host name",
        ),
        (
            Tls::UnknownCa,
            "the server's certificate is not trusted (unknown certificate authority)",
        ),
    ] {
        let issuer = Issuer::with(tls);
        let said = issuer.failure(&issuer.trusted(&json!({})));
        let expected = format!("{}/keys: tls: {reason}", issuer.server.url());
        assert!(said.ends_with(&expected), "{said}");
    }
    let issuer = Issuer::wanting_a_certificate();
    let said = issuer.failure(&issuer.trusted(&json!({})));
    assert!(
        said.ends_with("tls: the server requires a client certificate"),
        "{said}"
    );
}

#[test]
fn a_server_without_tls_is_reported() {
    let issuer = Issuer::with(Tls::None);
    let url = issuer.server.url().replace("http:", "https:");
    let verifier = issuer.trusted(&json!({ "jwks_url": url }));
    assert!(
        issuer
            .failure(&verifier)
            .ends_with("tls: the server did not respond with TLS")
    );
}

#[test]
fn a_hanging_handshake_is_not_a_hanging_connection() {
    let issuer = Issuer::start(Behaviour {
        silent: Some(true),
        ..Behaviour::default()
    });
    let said = issuer.failure(&issuer.trusted(&json!({ "timeout": "1s" })));
    assert!(said.ends_with("tls: the TLS handshake timed out"), "{said}");
}

#[test]
fn the_certificate_is_unchecked_only_if_configured() {
    for tls in [Tls::Expired, Tls::WrongHost, Tls::UnknownCa] {
        let issuer = Issuer::with(tls);
        let verifier = issuer.verifier(&json!({ "insecure_skip_verify": true }));
        assert!(issuer.is_granted(&verifier.unwrap()));
    }
}

#[test]
fn configured_authorities_replace_others_and_are_reread() {
    let issuer = Issuer::with(Tls::Good);
    let other = Keyring::load().unwrap().certificate_pem("rsa-1").unwrap();
    let file = Written::new("ca", &other);
    let verifier = issuer.verifier(&json!({ "ca_file": file.0 })).unwrap();
    assert!(issuer.failure(&verifier).contains("is not trusted"));
    // A bundle with other text between its certificates.
    file.write(&format!("# ours\n{other}\nIssuer: one more\n{}", root()));
    assert!(issuer.is_granted(&verifier));
    file.write("none");
    assert!(
        issuer
            .failure(&verifier)
            .ends_with("tls: `ca_file` contains no PEM certificate")
    );
    std::fs::remove_file(&file.0).unwrap();
    assert!(issuer.failure(&verifier).contains("tls: `ca_file`: cannot read"));
}

#[test]
fn a_client_presents_its_certificate() {
    let issuer = Issuer::wanting_a_certificate();
    let pem = json!({ "client_cert_pem": certificate(), "client_key_pem": key() });
    assert!(issuer.is_granted(&issuer.trusted(&pem)));
    let policy = jwtauth_core::wire::policy(&issuer.trusted(&pem));
    assert!(policy.contains("\"client_key_pem\":\"(redacted)\""), "{policy}");
    assert!(!policy.contains("PRIVATE"), "{policy}");
    assert!(!format!("{:?}", issuer.trusted(&pem)).contains("PRIVATE"));
}

#[test]
fn a_client_certificate_that_the_server_rejects_is_reported() {
    let issuer = Issuer::wanting_a_certificate();
    let keys = Keyring::load().unwrap();
    let verifier = issuer.trusted(
        &json!({ "client_cert_pem": keys.certificate_pem("rsa-1").unwrap(),
        "client_key_pem": keys.get("rsa-1").unwrap().private_pem() }),
    );
    let said = issuer.failure(&verifier);
    assert!(
        said.contains("tls: the server rejected the client certificate"),
        "{said}"
    );
}

#[test]
fn a_client_s_certificate_is_renewed_in_place() {
    let issuer = Issuer::wanting_a_certificate();
    let keys = Keyring::load().unwrap();
    let chain = Written::new("client-cert", &certificate());
    let private = Written::new("client-key", &key());
    let settings = json!({ "client_cert_file": chain.0, "client_key_file": private.0 });
    let verifier = issuer.trusted(&settings);
    assert!(issuer.is_granted(&verifier));
    // The fetch happens when only one of the two files was replaced.
    private.write(keys.get("rsa-2").unwrap().private_pem());
    let said = issuer.failure(&verifier);
    let reason = "tls: `client_key_file` contains a key that does not match the client certificate";
    assert!(said.ends_with(reason), "{said}");
    private.write("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    assert!(
        issuer
            .failure(&verifier)
            .contains("no unencrypted PEM private key")
    );
    private.write(&key());
    assert!(issuer.is_granted(&verifier));
}

#[test]
fn metadata_and_keys_come_over_the_same_tls() {
    let issuer = Issuer::wanting_a_certificate();
    let metadata =
        json!({ "issuer": issuer.server.url(), "jwks_uri": format!("{}/keys", issuer.server.url()) });
    let behaviour = Behaviour::answering("/.well-known/openid-configuration", Answer::json(metadata));
    issuer.server.behave(behaviour).unwrap();
    let config = json!({ "dialect": "native", "options": { "now": NOW }, "config": {
        "keys": [{ "oidc_discovery_url": issuer.server.url(), "issuer": "any", "proxy": "none", "ca_pem": root(),
            "client_cert_pem": certificate(), "client_key_pem": key() }],
        "issuer": null, "algorithms": ["RS256"], "kid": "match" } });
    let verifier = Verifier::from_json(&config.to_string()).unwrap();
    assert!(issuer.is_granted(&verifier));
    assert_eq!(issuer.server.requests(), 2);
}
