//! Configurations, tokens and clocks for the tests of sessions.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use jwtauth_core::{Clock, Monotonic, NumericDate, Request};
use jwtauth_sessions::{Error, Login, Sessions};
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::mint;
use serde_json::{Value, json};

/// The time at the start of each test.
pub(crate) const NOW: i64 = 1_700_000_000;

static RING: LazyLock<Keyring> = LazyLock::new(|| Keyring::load().unwrap());

/// Sessions with a clock that a test moves.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) sessions: Sessions,
    pub(crate) elapsed: Monotonic,
}

impl World {
    pub(crate) fn new(config: &Value) -> World {
        World::build(config, NOW, 7).unwrap()
    }

    pub(crate) fn build(config: &Value, now: i64, seed: u64) -> Result<World, Error> {
        let elapsed = Monotonic::stopped();
        let clock = Clock::Fixed(NumericDate::from_seconds(now));
        let builder = Sessions::builder(&config.to_string())?;
        let sessions = builder.seeded(seed).clocks(clock, elapsed.clone()).build()?;
        Ok(World { sessions, elapsed })
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.elapsed.advance(Duration::from_secs(seconds));
    }

    /// Logs in under a profile; an empty name is no profile.
    pub(crate) fn login(&self, profile: &str, name: &str) -> Result<Login, Error> {
        let jwt = jwt(&json!({ "sub": name }));
        self.sessions
            .login(&Request::bearer(&jwt).profile(profile), &BTreeMap::new())
    }
}

/// A token with these claims, and others that make it valid.
pub(crate) fn jwt(claims: &Value) -> String {
    let mut all = json!({ "iss": "https://issuer.example", "aud": "api", "iat": NOW, "exp": NOW + 3600 });
    jwtauth_testkit::case::merge(&mut all, claims);
    let description = json!({ "key": "ec256-1", "alg": "ES256", "claims": all });
    mint::token(&serde_json::from_value(description).unwrap(), &RING).unwrap()
}

/// Vault's dialect with these roles. Members that each role needs are added.
pub(crate) fn vault(roles: &Value, sessions: &Value) -> Value {
    let mut complete = json!({});
    for (name, role) in roles.as_object().unwrap() {
        complete[name] = json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["api"] });
        jwtauth_testkit::case::merge(&mut complete[name], role);
    }
    json!({
        "dialect": "vault",
        "config": {
            "jwt_validation_pubkeys": [RING.public_pem("ec256-1").unwrap()],
            "roles": complete,
        },
        "options": { "now": NOW },
        "sessions": sessions,
    })
}

/// Consul's dialect, with one method of this lifetime and rules that bind one entitlement of each kind.
pub(crate) fn consul(max_token_ttl: &str, sessions: &Value) -> Value {
    let rule = |kind: &str, name: &str| json!({ "BindType": kind, "BindName": name });
    json!({
        "dialect": "consul",
        "config": {
            "AuthMethod": {
                "Name": "ci", "Type": "jwt", "MaxTokenTTL": max_token_ttl,
                "Config": {
                    "JWTValidationPubKeys": [RING.public_pem("ec256-1").unwrap()],
                    "BoundAudiences": ["api"],
                    "ClaimMappings": { "sub": "name" },
                },
            },
            "BindingRules": [
                rule("service", "web-${value.name}"), rule("node", "node-1"),
                rule("role", "reader"), rule("policy", "base"),
                { "BindType": "templated-policy", "BindName": "builtin/service", "BindVars": { "Name": "${value.name}" } },
            ],
            "Directory": { "datacenter": "dc1", "roles": ["reader"], "policies": ["base"] },
        },
        "sessions": sessions,
    })
}

/// The native dialect with these further members.
pub(crate) fn native(more: &Value, sessions: &Value) -> Value {
    let mut config = json!({
        "keys": [{ "pem": RING.public_pem("ec256-1").unwrap() }],
        "algorithms": ["ES256"],
        "issuer": "https://issuer.example",
        "audiences": ["api"],
    });
    jwtauth_testkit::case::merge(&mut config, more);
    json!({ "dialect": "native", "config": config, "sessions": sessions })
}

/// Grafana's dialect.
pub(crate) fn grafana() -> Value {
    json!({
        "dialect": "grafana",
        "config": { "auth.jwt": {
            "enabled": true, "header_name": "X-JWT", "jwk_set_url": "https://keys.example", "username_claim": "sub",
        } },
        "sessions": {},
    })
}
